//! What no replica makes larger: each with what is asked of it, what it can do, and how many members fill it.

use crate::inputs::Inputs;
use crate::stations::{Costs, OURS, STATIONS, week};
use crate::traffic::{OPERATIONS, READING, Rates, Traffic, hours};

/// One thing that there is once.
pub struct Limit {
    /// What it is.
    pub name: &'static str,
    /// How much of it is used at the worst time, 1 being all; by inputs and members.
    pub used: fn(&Inputs, f64) -> f64,
}

/// All of them.
pub const LIMITS: [Limit; 12] = [
    Limit { name: "the row of one schedule, in a rush", used: row },
    Limit { name: "one PostgreSQL for everything", used: postgres },
    Limit { name: "one PostgreSQL that writes, replicas that read", used: writing },
    Limit { name: "one PostgreSQL for the busiest room", used: busiest },
    Limit { name: "connections to one PostgreSQL", used: connections },
    Limit { name: "a year on the disk of one PostgreSQL", used: disk },
    Limit { name: "the carrier of one room, a fact at a time", used: carrier },
    Limit { name: "the notification room's one consumer", used: consumer },
    Limit { name: "one NATS server", used: nats },
    Limit { name: "one Redis", used: redis },
    Limit { name: "a search replica that hears everything", used: hearing },
    Limit { name: "a search replica that starts with nothing", used: indexing },
];

/// Minutes over which what may lag is looked at.
const LAG: usize = 10;
const FEWEST: f64 = 100.0;
const MOST: f64 = 1e12;

/// How many members fill it.
pub fn full_at(limit: &Limit, inputs: &Inputs) -> f64 {
    let (mut low, mut high) = (FEWEST.ln(), MOST.ln());
    for _ in 0..26 {
        let middle = f64::midpoint(low, high);
        if (limit.used)(inputs, middle.exp()) < 1.0 { low = middle } else { high = middle }
    }
    high.exp()
}

/// Which is full first, and at how many members.
pub fn first(inputs: &Inputs) -> (&'static str, f64) {
    let all = LIMITS.iter().map(|limit| (limit.name, full_at(limit, inputs)));
    all.min_by(|one, other| one.1.total_cmp(&other.1)).unwrap_or(("nothing", MOST))
}

fn row(inputs: &Inputs, members: f64) -> f64 {
    let (people, _) = Traffic::new(inputs, members).rush();
    let writing = inputs.get("rush.writing");
    let each =
        writing / inputs.get("claims.writing") + (1.0 - writing) / inputs.get("claims.refused");
    people * each / inputs.get("deadline.mutation_s")
}

fn loads(inputs: &Inputs, members: f64) -> [f64; STATIONS.len()] {
    let weeks = week(&Costs::new(inputs), &Traffic::new(inputs, members));
    weeks.map(|week| week.peak.load)
}

/// Cores of one server as they were measured, on tables that lay in memory.
fn cores(inputs: &Inputs) -> f64 {
    inputs.get("postgres.cores") * inputs.get("busy") / inputs.get("postgres.cold")
}

fn postgres(inputs: &Inputs, members: f64) -> f64 {
    let loads = loads(inputs, members);
    (loads[9] + loads[10]) / cores(inputs)
}

fn writing(inputs: &Inputs, members: f64) -> f64 {
    loads(inputs, members)[10] / cores(inputs)
}

/// Whose database an operation writes to.
fn writes_to(operation: &str) -> &'static str {
    match operation {
        "say" | "delivered" => "chat",
        "attend" => "schedule",
        "join" => "gathering",
        "notified" => "notification",
        _ => "member",
    }
}

fn busiest(inputs: &Inputs, members: f64) -> f64 {
    let (costs, traffic) = (Costs::new(inputs), Traffic::new(inputs, members));
    let most = |room: &str| {
        let of = |rates: &Rates| {
            let rows = costs.0.iter().zip(rates).zip(OPERATIONS).skip(READING);
            rows.filter(|(_, name)| writes_to(name) == room)
                .map(|((row, rate), _)| row[10] * rate)
                .sum::<f64>()
        };
        peak(&traffic, 1, of)
    };
    let rooms = ["member", "gathering", "schedule", "chat", "notification"];
    rooms.map(most).into_iter().fold(0.0, f64::max) / cores(inputs)
}

/// Of processes that have a database, each with its pool.
fn connections(inputs: &Inputs, members: f64) -> f64 {
    let loads = loads(inputs, members);
    let processes: f64 = (1..OURS - 1)
        .map(|room| {
            (loads[room] / inputs.get("busy") / inputs.get("replica.cores")).ceil().max(2.0)
        })
        .sum();
    processes * inputs.get("pool.connections") / inputs.get("postgres.connections")
}

fn disk(inputs: &Inputs, members: f64) -> f64 {
    let week = Traffic::new(inputs, members).weekly();
    let of = |name: &str| OPERATIONS.iter().position(|it| *it == name).map_or(0.0, |at| week[at]);
    // Notifications are kept for ninety days, the rest for good.
    let kept = inputs.get("notification.kept_days") / 365.0;
    let bytes = of("say") * inputs.get("bytes.say")
        + of("attend") * inputs.get("bytes.attend")
        + of("notified") * inputs.get("bytes.notification") * kept;
    bytes * 365.0 / 7.0 / inputs.get("postgres.disk_bytes")
}

/// Highest mean of a sum of rates over the first so many minutes of an hour.
fn peak(traffic: &Traffic, minutes: usize, of: impl Fn(&Rates) -> f64) -> f64 {
    let mean = |hour: usize| {
        (hour..hour + minutes).map(|minute| of(&traffic.rates(minute))).sum::<f64>()
            / minutes as f64
    };
    hours().map(mean).fold(0.0, f64::max)
}

/// A room tells its facts one after another: the chat room a message, the schedule room a seat and what it changes, the
/// notification room each that it writes.
fn carrier(inputs: &Inputs, members: f64) -> f64 {
    let traffic = Traffic::new(inputs, members);
    let facts = inputs.get("facts.attend");
    let busiest = peak(&traffic, LAG, |rates| rates[8].max(rates[9] * facts).max(rates[14]));
    busiest / inputs.get("rate.carried")
}

fn consumer(inputs: &Inputs, members: f64) -> f64 {
    let traffic = Traffic::new(inputs, members);
    peak(&traffic, LAG, |rates| rates[14]) / inputs.get("rate.notified")
}

fn nats(inputs: &Inputs, members: f64) -> f64 {
    loads(inputs, members)[11] / (inputs.get("nats.cores") * inputs.get("busy"))
}

fn redis(inputs: &Inputs, members: f64) -> f64 {
    loads(inputs, members)[12] / inputs.get("busy")
}

/// Every replica takes in every change of what can be found, on the core that indexes.
fn hearing(inputs: &Inputs, members: f64) -> f64 {
    let (costs, traffic) = (Costs::new(inputs), Traffic::new(inputs, members));
    let heard = |rates: &Rates| {
        costs.0.iter().zip(rates).skip(READING).map(|(row, rate)| row[8] * rate).sum::<f64>()
    };
    peak(&traffic, LAG, heard) / inputs.get("busy")
}

fn indexing(inputs: &Inputs, members: f64) -> f64 {
    let gatherings =
        members * inputs.get("gatherings_by_member") / inputs.get("members_by_gathering");
    let schedules = gatherings * inputs.get("announcements_by_gathering_and_day") * 365.0;
    (members + gatherings + schedules) / inputs.get("documents.rate") / inputs.get("start.limit_s")
}
