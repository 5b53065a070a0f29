//! Both sides in turn, round after round, so that what else the machine does hits both.

use std::time::Duration;

use crate::arguments::Extent;
use crate::generator::Generator;
use crate::loops::{Order, Pace, Tally};
use crate::meter::{self, Reading};
use crate::query::Query;
use crate::site::{Backing, Door, Side, Site};

/// What one side did in one round.
#[derive(Clone, Debug)]
pub struct Measured {
    /// As the generator counted.
    pub tally: Tally,
    /// CPU seconds of the server for a thousand requests.
    pub cpu_s_per_1000: f64,
    /// Memory of the server afterwards.
    pub memory_mib: f64,
    /// Part of the machine that neither server nor generator used, yet was busy.
    pub others: f64,
}

/// One round: GraphQL and the floor, asked the same.
#[derive(Clone, Debug)]
pub struct Round {
    /// Through GraphQL.
    pub graphql: Measured,
    /// By hand.
    pub floor: Measured,
}

/// All rounds of one query over one backing at one pace.
#[derive(Debug)]
pub struct Series {
    /// What was asked.
    pub query: &'static Query,
    /// What stood behind.
    pub backing: Backing,
    /// Requests each second, when they came at a rate of their own.
    pub rate: Option<f64>,
    /// In the order they were run.
    pub rounds: Vec<Round>,
}

impl Series {
    /// What one side did, round by round.
    pub fn of(&self, side: Side) -> impl Iterator<Item = &Measured> {
        self.rounds.iter().map(move |round| match side {
            Side::Graphql => &round.graphql,
            Side::Floor => &round.floor,
        })
    }
}

/// Asks and measures.
pub struct Surveyor<'a> {
    site: &'a Site,
    generator: Generator,
    extent: Extent,
}

impl<'a> Surveyor<'a> {
    /// Measures this site to this extent.
    pub fn new(site: &'a Site, generator: Generator, extent: Extent) -> Self {
        Self { site, generator, extent }
    }

    /// As fast as answers come.
    pub fn closed(
        &mut self,
        query: &'static Query,
        backing: Backing,
        bytes: usize,
    ) -> anyhow::Result<Series> {
        let rounds = self.rounds(query, backing, bytes, Pace::Closed)?;
        Ok(Series { query, backing, rate: None, rounds })
    }

    /// At a rate, whether or not answers come.
    pub fn open(
        &mut self,
        query: &'static Query,
        backing: Backing,
        bytes: usize,
        per_second: f64,
    ) -> anyhow::Result<Series> {
        let rounds = self.rounds(query, backing, bytes, Pace::Open(per_second))?;
        Ok(Series { query, backing, rate: Some(per_second), rounds })
    }

    /// One side alone.
    pub fn hold(&mut self, query: &Query, door: Door, bytes: usize) -> anyhow::Result<Measured> {
        self.measure(query, door, bytes, Pace::Closed)
    }

    fn rounds(
        &mut self,
        query: &Query,
        backing: Backing,
        bytes: usize,
        pace: Pace,
    ) -> anyhow::Result<Vec<Round>> {
        let count = self.extent.rounds;
        let mut ask = |side| self.measure(query, Door { side, backing }, bytes, pace);
        // One round that counts nowhere: caches fill, connections and files are opened.
        ask(Side::Graphql)?;
        ask(Side::Floor)?;
        let mut rounds = Vec::with_capacity(count);
        for number in 0..count {
            // Whoever goes second meets a warmer machine, so they take turns in that too.
            rounds.push(if number % 2 == 0 {
                let graphql = ask(Side::Graphql)?;
                Round { graphql, floor: ask(Side::Floor)? }
            } else {
                let floor = ask(Side::Floor)?;
                Round { graphql: ask(Side::Graphql)?, floor }
            });
        }
        Ok(rounds)
    }

    fn measure(
        &mut self,
        query: &Query,
        door: Door,
        bytes: usize,
        pace: Pace,
    ) -> anyhow::Result<Measured> {
        // Enough that a slow answer does not keep the next request from being sent when it is due.
        let connections = match pace {
            Pace::Closed => self.extent.connections,
            Pace::Open(_) => self.extent.connections * 8,
        };
        let order = Order {
            connections,
            warm_up: self.extent.warm_up,
            window: self.extent.window,
            ..self.site.order(door, query, bytes, pace)
        };
        let mut opened = None;
        let tally = self.generator.carry_out(&order, || {
            opened = Some(Reading::now()?);
            Ok(())
        })?;
        let closed = Reading::now()?;
        let opened = opened.unwrap_or(closed);
        let server = closed.own_cpu_s - opened.own_cpu_s;
        let all = closed.all_cpu_s - opened.all_cpu_s;
        let machine = cores() * order.window.as_secs_f64();
        Ok(Measured {
            cpu_s_per_1000: server / tally.answers as f64 * 1_000.0,
            memory_mib: meter::memory_mib()?.0,
            others: ((all - server - tally.own_cpu_s) / machine).max(0.0),
            tally,
        })
    }
}

fn cores() -> f64 {
    std::thread::available_parallelism().map_or(1.0, |cores| cores.get() as f64)
}

/// How long a whole run will take, about.
pub fn expected(extent: Extent, queries: usize) -> Duration {
    let each = extent.warm_up + extent.window;
    each * u32::try_from(queries * 3 * 2 * (extent.rounds + 1)).unwrap_or(u32::MAX)
}
