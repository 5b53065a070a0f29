//! What can be asked of the bench.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use crate::query::{QUERIES, Query};
use crate::site::{Backing, Side};

/// Argument of the process that generates the load.
pub const GENERATE: &str = "--generate";

/// Argument of the process that fills the house, with the directory to fill.
pub const FILL: &str = "--fill";

/// Compares the GraphQL endpoint with handlers written by hand that make the same calls.
#[derive(Debug, Parser)]
#[command(name = "edge")]
pub struct Arguments {
    /// A small run: does everything work?
    #[arg(long)]
    pub quick: bool,
    /// Print the tables as Markdown.
    #[arg(long)]
    pub markdown: bool,
    /// Rounds per query; each asks both sides.
    #[arg(long)]
    rounds: Option<usize>,
    /// Seconds that a round asks each side.
    #[arg(long)]
    seconds: Option<f64>,
    /// Connections at once.
    #[arg(long)]
    connections: Option<usize>,
    /// Only this query: entity, list or levels.
    #[arg(long)]
    only: Option<String>,
    /// Ask only this side, without comparing; for profilers.
    #[arg(long, requires = "only")]
    pub hold: Option<Side>,
    /// What stands behind the side that is held.
    #[arg(long, default_value = "rooms", requires = "hold")]
    pub behind: Backing,
    /// Given by cargo when it runs benches, and not when it tests everything there is.
    #[arg(long, hide = true)]
    bench: bool,
    /// Given by programs that look for tests; there are none here.
    #[arg(long, hide = true)]
    pub list: bool,
    /// Generate load as told on standard input.
    #[arg(long, hide = true)]
    pub generate: bool,
    /// Fill a house here, and leave.
    #[arg(long, hide = true)]
    pub fill: Option<PathBuf>,
    /// Given by programs that look for tests.
    #[arg(long, hide = true)]
    format: Option<String>,
    /// Given by programs that look for tests.
    #[arg(long, hide = true)]
    ignored: bool,
}

/// How much is asked.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Rounds per query.
    pub rounds: usize,
    /// Asked before anything is counted, each time.
    pub warm_up: Duration,
    /// Counted, each time.
    pub window: Duration,
    /// Connections at once in closed loops.
    pub connections: usize,
}

impl Arguments {
    /// How much is asked.
    pub fn extent(&self) -> anyhow::Result<Extent> {
        let small = self.quick || !self.bench;
        let (rounds, seconds) = if small { (2, 0.5) } else { (9, 3.0) };
        let window = Duration::try_from_secs_f64(self.seconds.unwrap_or(seconds))?;
        Ok(Extent {
            rounds: self.rounds.unwrap_or(rounds).max(1),
            warm_up: window / 5,
            window,
            connections: self.connections.unwrap_or(8).max(1),
        })
    }

    /// What is asked.
    pub fn queries(&self) -> anyhow::Result<Vec<&'static Query>> {
        let wanted = |query: &&Query| self.only.as_deref().is_none_or(|only| only == query.name);
        let queries: Vec<_> = QUERIES.iter().filter(wanted).collect();
        anyhow::ensure!(!queries.is_empty(), "there is no such query; see --help");
        Ok(queries)
    }
}
