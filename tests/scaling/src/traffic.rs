//! What members do in a week: by the hour, more at weekends, all at once at times, and what each of it sets off.

use crate::inputs::Inputs;

/// What is asked, and what is told to others because of it.
pub const OPERATIONS: [&str; 15] = [
    "home",
    "browse",
    "page",
    "chat",
    "bell",
    "find",
    "suggest",
    "refresh",
    "say",
    "attend",
    "join",
    "log_in",
    "sign_up",
    "delivered",
    "notified",
];
/// Of those the first so many only read.
pub const READING: usize = 7;
/// And the first so many are requests; the others happen because of them.
pub const ASKED: usize = 13;
/// Minutes of a week; it begins on Monday.
pub const WEEK: usize = 7 * 24 * 60;
/// Saturday at eight in the evening, when many want the same seats.
pub const RUSH: usize = 5 * 24 * 60 + 20 * 60;

/// Operations each second, in the order of [`OPERATIONS`].
pub type Rates = [f64; OPERATIONS.len()];

/// A house of so many members.
#[derive(Clone, Debug)]
pub struct Traffic {
    members: f64,
    curve: [f64; 24],
    weekday: f64,
    weekend: f64,
    /// Of an active member in a day.
    daily: Rates,
    notified_daily: f64,
    on_the_hour: f64,
    delivered: f64,
    rush: f64,
    rush_s: f64,
    rush_pages: f64,
    session_s: f64,
    sessions: f64,
}

impl Traffic {
    /// What so many members do.
    pub fn new(inputs: &Inputs, members: f64) -> Self {
        let mut curve = [0.0; 24];
        for (hour, share) in curve.iter_mut().enumerate() {
            *share = inputs.get(&format!("curve.{hour:02}"));
        }
        let whole: f64 = curve.iter().sum();
        curve.iter_mut().for_each(|share| *share /= whole);
        let mut daily = [0.0; OPERATIONS.len()];
        for (rate, name) in daily.iter_mut().zip(OPERATIONS).take(ASKED) {
            *rate = inputs.get(&format!("daily.{name}"));
        }
        let gatherings =
            members / inputs.get("members_by_gathering") * inputs.get("gatherings_by_member");
        let heard_by = inputs.get("members_by_gathering");
        Self {
            members,
            curve,
            weekday: inputs.get("active.weekday"),
            weekend: inputs.get("active.weekend"),
            daily,
            // Each announcement to all members of its gathering, and each seat taken to one.
            notified_daily: gatherings
                * inputs.get("announcements_by_gathering_and_day")
                * heard_by,
            on_the_hour: inputs.get("announcements_on_the_hour"),
            delivered: heard_by * inputs.get("following_share"),
            rush: (members * inputs.get("rush.share")).min(inputs.get("rush.most")),
            rush_s: inputs.get("rush.seconds"),
            rush_pages: inputs.get("rush.pages"),
            session_s: inputs.get("session.seconds"),
            sessions: inputs.get("daily.home"),
        }
    }

    fn active(&self, minute: usize) -> f64 {
        let weekend = minute / (24 * 60) >= 5;
        self.members * if weekend { self.weekend } else { self.weekday }
    }

    /// Share of a day's doing in each second of a minute, between the hours by a straight line.
    fn share(&self, minute: usize) -> f64 {
        let of_day = minute % (24 * 60);
        let (hour, into) = (of_day / 60, (of_day % 60) as f64 / 60.0);
        let next = (hour + 1) % 24;
        (self.curve[hour] * (1.0 - into) + self.curve[next] * into) / 3_600.0
    }

    /// Mean rates of a minute of the week.
    pub fn rates(&self, minute: usize) -> Rates {
        let (active, share) = (self.active(minute), self.share(minute));
        let mut rates = self.daily.map(|daily| active * daily * share);
        let [.., delivered, notified] = &mut rates;
        *delivered = 0.0;
        // Those who announce do so at any time, and many at the full hour.
        let announced = self.notified_daily * share;
        let at_the_hour = if minute.is_multiple_of(60) { self.on_the_hour * 60.0 } else { 0.0 };
        *notified = announced * (1.0 - self.on_the_hour + at_the_hour);
        if minute == RUSH {
            let (page, attend) = (2, 9);
            rates[attend] += self.rush / 60.0;
            rates[page] += self.rush * self.rush_pages / 60.0;
        }
        let (say, attend) = (8, 9);
        rates[13] = rates[say] * self.delivered;
        rates[14] += rates[attend];
        rates
    }

    /// Sockets and streams that are open in a minute.
    pub fn open(&self, minute: usize) -> f64 {
        self.active(minute) * self.sessions * self.share(minute) * self.session_s
    }

    /// How many want the same seats, over how many seconds.
    pub fn rush(&self) -> (f64, f64) {
        (self.rush, self.rush_s)
    }

    /// How much of each operation a week holds: between full hours the rates are a straight line, so that the middle is
    /// the mean.
    pub fn weekly(&self) -> Rates {
        let mut sum = [0.0; OPERATIONS.len()];
        for hour in hours() {
            for (minute, minutes) in [(hour, 1.0), (hour + 30, 59.0)] {
                for (sum, rate) in sum.iter_mut().zip(self.rates(minute)) {
                    *sum += rate * minutes * 60.0;
                }
            }
        }
        sum
    }
}

/// The first minute of each hour of a week: whatever is highest is so in one of them.
pub fn hours() -> impl Iterator<Item = usize> {
    (0..WEEK).step_by(60)
}
