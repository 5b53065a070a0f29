//! Where work is done, what each operation costs there, and the busiest minute of each.

use crate::inputs::Inputs;
use crate::queue::Demand;
use crate::traffic::{OPERATIONS, READING, Rates, Traffic, hours};

/// Rooms, the endpoint, and the engines; of PostgreSQL reading and writing apart, for replicas take the one alone.
pub const STATIONS: [&str; 13] = [
    "bff",
    "member",
    "gathering",
    "schedule",
    "payment",
    "review",
    "chat",
    "notification",
    "search",
    "postgres reads",
    "postgres writes",
    "nats",
    "redis",
];
/// How many of those are processes of this house.
pub const OURS: usize = 9;

/// Seconds of a core, by operation and station.
#[derive(Clone, Debug)]
pub struct Costs(pub [[f64; STATIONS.len()]; OPERATIONS.len()]);

impl Costs {
    /// As measured.
    pub fn new(inputs: &Inputs) -> Self {
        let mut costs = [[0.0; STATIONS.len()]; OPERATIONS.len()];
        for (number, (row, operation)) in costs.iter_mut().zip(OPERATIONS).enumerate() {
            for (cost, station) in row.iter_mut().zip(STATIONS) {
                let (station, reads) = match station {
                    "postgres reads" => ("postgres", Some(true)),
                    "postgres writes" => ("postgres", Some(false)),
                    station => (station, None),
                };
                if reads.is_none_or(|reads| reads == (number < READING)) {
                    *cost = inputs.get_or_zero(&format!("{operation}.{station}")) / 1_000.0;
                }
            }
        }
        Self(costs)
    }

    /// What comes to a station at these rates.
    pub fn demand(&self, rates: &Rates, station: usize) -> Demand {
        let mut demand = Demand::default();
        for (row, rate) in self.0.iter().zip(rates) {
            if row[station] > 0.0 {
                demand.add(*rate, row[station]);
            }
        }
        demand
    }
}

/// A station over a week.
#[derive(Clone, Copy, Debug)]
pub struct Week {
    /// Its busiest minute.
    pub peak: Demand,
    /// Which that is.
    pub minute: usize,
}

/// Every station over a week of such traffic.
pub fn week(costs: &Costs, traffic: &Traffic) -> [Week; STATIONS.len()] {
    let mut weeks = [Week { peak: Demand::default(), minute: 0 }; STATIONS.len()];
    for minute in hours() {
        let rates = traffic.rates(minute);
        for (station, week) in weeks.iter_mut().enumerate() {
            let demand = costs.demand(&rates, station);
            if demand.load > week.peak.load {
                (week.peak, week.minute) = (demand, minute);
            }
        }
    }
    weeks
}
