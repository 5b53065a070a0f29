//! Gives away the same seats in several ways; `cargo bench -p moim-load --bench seats -- --help`.

use std::io::Write as _;

use anyhow::Context as _;
use clap::Parser;
use moim_load::seats::{Burst, rounds, tables};

/// Measures ways to give away seats, on a PostgreSQL and a Redis of its own.
#[derive(Debug, Parser)]
#[command(name = "seats")]
struct Arguments {
    /// A small run: does everything work?
    #[arg(long)]
    quick: bool,
    /// Print the tables as Markdown.
    #[arg(long)]
    markdown: bool,
    /// Rounds; each asks every way.
    #[arg(long)]
    rounds: Option<usize>,
    /// Given by cargo when it runs benches, and not when it tests everything there is.
    #[arg(long, hide = true)]
    bench: bool,
    /// Given by programs that look for tests; there are none here.
    #[arg(long, hide = true)]
    list: bool,
    /// Given by programs that look for tests.
    #[arg(long, hide = true)]
    format: Option<String>,
    /// Given by programs that look for tests.
    #[arg(long, hide = true)]
    ignored: bool,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if arguments.list {
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(compare(&arguments))
}

async fn compare(arguments: &Arguments) -> anyhow::Result<()> {
    let small = arguments.quick || !arguments.bench;
    let count = arguments.rounds.unwrap_or(if small { 2 } else { 7 }).max(1);
    for burst in [Burst::SCARCE, Burst::AMPLE] {
        let burst = if small { Burst { claimants: burst.claimants / 4, ..burst } } else { burst };
        let burst = Burst { seats: burst.seats.min(burst.claimants), ..burst };
        let series = rounds::run(burst, count).await?;
        let series = series.context("PostgreSQL and redis-server are needed")?;
        let table = tables::of(burst, &series, arguments.markdown);
        writeln!(std::io::stdout().lock(), "{table}")?;
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let build = if cfg!(debug_assertions) { "debug build" } else { "release build" };
    let story = format!(
        "Medians of {count} rounds, spread in brackets; {cores} cores, {build}; PostgreSQL with fsync and \
         synchronous commit, Redis in memory"
    );
    Ok(writeln!(std::io::stdout().lock(), "{story}")?)
}
