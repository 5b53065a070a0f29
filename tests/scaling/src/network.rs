//! Requests on their way, one event after another: endpoint, rooms side by side, each with its database, endpoint again.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, VecDeque};

use crate::random::Random;
use crate::stations::{Costs, OURS, STATIONS};
use crate::traffic::{ASKED, READING, Rates};

/// An instant, in seconds, in the order of time.
#[derive(Clone, Copy, PartialEq)]
struct Instant(f64);

impl Eq for Instant {}

impl PartialOrd for Instant {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Instant {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// What a request does next.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Arrive,
    Ask,
    Room(usize),
    Database,
    Write,
}

type Event = Reverse<(Instant, usize, Step)>;

struct Request {
    operation: usize,
    began: f64,
    /// Rooms that have not answered yet.
    awaited: usize,
}

#[derive(Default)]
struct Station {
    servers: usize,
    busy: usize,
    line: VecDeque<(usize, Step, f64)>,
}

/// A network of stations while it is played.
pub struct Network<'a> {
    costs: &'a Costs,
    rates: Rates,
    stations: Vec<Station>,
    requests: Vec<Request>,
    events: BinaryHeap<Event>,
    random: Random,
    round_trip_s: f64,
    commit_s: f64,
}

/// How long requests took, seconds.
#[derive(Clone, Copy, Debug)]
pub struct Took {
    /// Half of them.
    pub p50_s: f64,
    /// 99 in 100.
    pub p99_s: f64,
    /// 99 in 100 of the reads.
    pub reads_p99_s: f64,
}

impl<'a> Network<'a> {
    /// At these rates, with so many servers at each station.
    pub fn new(costs: &'a Costs, rates: Rates, servers: &[usize], seed: u64) -> Self {
        let stations =
            servers.iter().map(|servers| Station { servers: *servers, ..Station::default() });
        Self {
            costs,
            rates,
            stations: stations.collect(),
            requests: Vec::new(),
            events: BinaryHeap::new(),
            random: Random::new(seed),
            round_trip_s: 0.0,
            commit_s: 0.0,
        }
    }

    /// With so long a way to a room and from there to its database, and so long for a commit to reach the disk: nobody
    /// stands in line for those.
    #[must_use]
    pub fn over(self, round_trip_s: f64, commit_s: f64) -> Self {
        Self { round_trip_s, commit_s, ..self }
    }

    /// Plays so many requests; the first fifth only fills the house.
    pub fn play(mut self, requests: usize) -> Took {
        let mut asked = self.rates;
        // What is told to others is work beside the way of a request, and is in the servers' number.
        asked[ASKED..].fill(0.0);
        let every = 1.0 / asked.iter().sum::<f64>();
        let mut at = 0.0;
        for number in 0..requests {
            at += self.random.wait(every);
            let operation = self.random.pick(&asked);
            self.requests.push(Request { operation, began: at, awaited: 0 });
            self.events.push(Reverse((Instant(at), number, Step::Arrive)));
        }
        let mut took = Vec::with_capacity(requests);
        while let Some(Reverse((Instant(now), request, step))) = self.events.pop() {
            self.leave(now, step, request);
            let operation = self.requests[request].operation;
            match step {
                Step::Arrive => self.enter(now, 0, request, Step::Ask, 0.5),
                Step::Ask => {
                    let rooms: Vec<_> =
                        (1..OURS).filter(|room| self.costs.0[operation][*room] > 0.0).collect();
                    self.requests[request].awaited = rooms.len();
                    for room in &rooms {
                        self.enter(now, *room, request, Step::Room(*room), 1.0);
                    }
                    if rooms.is_empty() {
                        self.enter(now, 0, request, Step::Write, 0.5);
                    }
                }
                Step::Room(room) => {
                    // The database's work is shared among rooms as theirs is.
                    let own = self.costs.0[operation][room];
                    let all: f64 = self.costs.0[operation][1..OURS].iter().sum();
                    let database = database(operation);
                    self.enter(now, database, request, Step::Database, own / all);
                }
                Step::Database => {
                    self.requests[request].awaited -= 1;
                    if self.requests[request].awaited == 0 {
                        self.enter(now, 0, request, Step::Write, 0.5);
                    }
                }
                Step::Write => {
                    if request >= requests / 5 {
                        let commit = if operation < READING { 0.0 } else { self.commit_s };
                        let waits = 2.0 * self.round_trip_s + commit;
                        took.push((now - self.requests[request].began + waits, operation));
                    }
                }
            }
        }
        took.sort_by(|one, other| one.0.total_cmp(&other.0));
        let reads: Vec<_> = took.iter().filter(|(_, it)| *it < READING).copied().collect();
        Took {
            p50_s: at_share(&took, 0.5),
            p99_s: at_share(&took, 0.99),
            reads_p99_s: at_share(&reads, 0.99),
        }
    }

    /// Stands in line at a station, for a share of what the operation costs there.
    fn enter(&mut self, now: f64, station: usize, request: usize, step: Step, share: f64) {
        let mean = self.costs.0[self.requests[request].operation][station] * share;
        let work = self.random.wait(mean.max(1e-9));
        let place = &mut self.stations[station];
        if place.busy < place.servers {
            place.busy += 1;
            self.events.push(Reverse((Instant(now + work), request, step)));
        } else {
            place.line.push_back((request, step, work));
        }
    }

    /// Makes room for the next in line where a step has ended.
    fn leave(&mut self, now: f64, step: Step, request: usize) {
        let station = match step {
            Step::Arrive => return,
            Step::Ask | Step::Write => 0,
            Step::Room(room) => room,
            Step::Database => database(self.requests[request].operation),
        };
        let place = &mut self.stations[station];
        match place.line.pop_front() {
            Some((next, step, work)) => {
                self.events.push(Reverse((Instant(now + work), next, step)));
            }
            None => place.busy -= 1,
        }
    }
}

fn database(operation: usize) -> usize {
    let name = if operation < READING { "postgres reads" } else { "postgres writes" };
    STATIONS.iter().position(|station| *station == name).unwrap_or(OURS)
}

fn at_share(sorted: &[(f64, usize)], share: f64) -> f64 {
    let at = (sorted.len() as f64 * share) as usize;
    sorted.get(at).or(sorted.last()).map_or(0.0, |(took, _)| *took)
}
