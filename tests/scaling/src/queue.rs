//! One station with several servers: how long one waits there, and how many servers keep that short.

/// What comes to a station: how often, and how long each takes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Demand {
    /// Arrivals each second.
    pub rate: f64,
    /// Seconds of work each second: servers that would be busy all the time.
    pub load: f64,
    /// Work squared, each second: how unequal arrivals are.
    squares: f64,
}

impl Demand {
    /// So many more each second, of this mean, and as unequal among themselves as an exponential distribution.
    pub fn add(&mut self, rate: f64, mean_s: f64) {
        self.rate += rate;
        self.load += rate * mean_s;
        self.squares += rate * 2.0 * mean_s * mean_s;
    }

    /// Mean work of an arrival, seconds.
    pub fn mean_s(&self) -> f64 {
        if self.rate > 0.0 { self.load / self.rate } else { 0.0 }
    }

    /// Squared coefficient of variation of the work; 1 when all are of one kind.
    pub fn variation(&self) -> f64 {
        if self.rate <= 0.0 {
            return 1.0;
        }
        self.squares / self.rate / self.mean_s().powi(2) - 1.0
    }

    /// Share of arrivals that wait at all (Erlang C).
    pub fn share_waiting(&self, servers: usize) -> f64 {
        if self.load >= servers as f64 {
            return 1.0;
        }
        // Erlang B by its recurrence, which overflows nowhere.
        let blocked = (1..=servers)
            .fold(1.0, |blocked, n| self.load * blocked / (n as f64 + self.load * blocked));
        let idle = 1.0 - self.load / servers as f64;
        blocked / (idle + (1.0 - idle) * blocked)
    }

    /// The wait that this share of arrivals stays below, seconds: exact where all are of one kind, and stretched by how
    /// unequal they are otherwise (Allen and Cunneen).
    pub fn wait_s(&self, servers: usize, share: f64) -> f64 {
        if self.load >= servers as f64 {
            return f64::INFINITY;
        }
        let waiting = self.share_waiting(servers);
        if waiting <= 1.0 - share || self.rate <= 0.0 {
            return 0.0;
        }
        let spare = (servers as f64 - self.load) / self.mean_s();
        (waiting / (1.0 - share)).ln() / spare * (1.0 + self.variation()) / 2.0
    }

    /// Fewest servers that are busy for at most `busy` of the time and keep waits of 99 in 100 below a limit.
    pub fn servers(&self, busy: f64, wait_s: f64) -> usize {
        let mut servers = ((self.load / busy).ceil() as usize).max(1);
        while self.wait_s(servers, 0.99) > wait_s {
            servers += 1;
        }
        servers
    }
}
