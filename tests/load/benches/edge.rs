//! Compares the GraphQL endpoint with the same answers by hand; `cargo bench -p moim-load --bench edge -- --help`.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use clap::Parser as _;
use moim_load::arguments::{Arguments, Extent, FILL, GENERATE};
use moim_load::rounds::{Series, Surveyor, expected};
use moim_load::{Backing, Door, Generator, Query, Site, meter, serve_orders, tables};
use tokio::runtime::Runtime;

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if arguments.list {
        return Ok(());
    }
    if arguments.generate {
        return serve_orders();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if let Some(data) = &arguments.fill {
        return runtime.block_on(Site::fill(data));
    }
    let data = tempfile::tempdir()?;
    tell("filling a town")?;
    fill(data.path())?;
    let generator = Generator::start(GENERATE)?;
    let site = runtime.block_on(Site::open(data.path()))?;
    let outcome = survey(&arguments, &runtime, &site, generator);
    runtime.block_on(site.close());
    outcome
}

/// In a process of its own, so that the memory it takes is not counted.
fn fill(data: &Path) -> anyhow::Result<()> {
    let filled = Command::new(std::env::current_exe()?).arg(FILL).arg(data).status()?;
    ensure!(filled.success(), "the town could not be filled");
    Ok(())
}

fn survey(
    arguments: &Arguments,
    runtime: &Runtime,
    site: &Site,
    generator: Generator,
) -> anyhow::Result<()> {
    let extent = arguments.extent()?;
    let mut queries = Vec::new();
    for query in arguments.queries()? {
        let bytes = runtime.block_on(site.answer(query))?.len();
        tell(&format!("{}: {}, {bytes} bytes, the same from every door", query.name, query.about))?;
        queries.push((query, bytes));
    }
    let mut surveyor = Surveyor::new(site, generator, extent);
    if let Some(side) = arguments.hold {
        let (query, bytes) = queries.first().context("nothing is asked")?;
        let door = Door { side, backing: arguments.behind };
        tell(&format!("process {} answers {} through {door:?}", std::process::id(), query.name))?;
        let measured = surveyor.hold(query, door, *bytes)?;
        return tell(&format!("{measured:#?}"));
    }
    let series = compare(&mut surveyor, extent, &queries)?;
    let mut out = std::io::stdout().lock();
    write!(out, "{}", tables::of(&series, arguments.markdown))?;
    let (_, at_most) = meter::memory_mib()?;
    writeln!(out, "{}", story(extent, at_most))?;
    Ok(out.flush()?)
}

fn compare(
    surveyor: &mut Surveyor<'_>,
    extent: Extent,
    queries: &[(&'static Query, usize)],
) -> anyhow::Result<Vec<Series>> {
    let minutes = expected(extent, queries.len()).as_secs_f64() / 60.0;
    tell(&format!("{} rounds, about {minutes:.0} minutes", extent.rounds))?;
    let mut all = Vec::new();
    for (query, bytes) in queries {
        tell(&format!("{}: over the rooms, as fast as answers come", query.name))?;
        let closed = surveyor.closed(query, Backing::Rooms, *bytes)?;
        // The same rate for both, which the slower one can keep.
        let slower = closed.rounds.iter().flat_map(|it| [&it.graphql, &it.floor]);
        let slower = slower.map(|it| it.tally.per_second).fold(f64::INFINITY, f64::min);
        let rate = slower / 2.0;
        all.push(closed);
        tell(&format!("{}: over the rooms, {rate:.0} each second", query.name))?;
        all.push(surveyor.open(query, Backing::Rooms, *bytes, rate)?);
        tell(&format!("{}: over memory, as fast as answers come", query.name))?;
        all.push(surveyor.closed(query, Backing::Memory, *bytes)?);
    }
    Ok(all)
}

fn story(extent: Extent, memory_mib: f64) -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!(
        "{} rounds of {:.1} s a side, {} connections, {cores} cores, {}; RSS at most {memory_mib:.0} MiB",
        extent.rounds,
        extent.window.as_secs_f64(),
        extent.connections,
        if cfg!(debug_assertions) { "debug build" } else { "release build" },
    )
}

/// Progress goes to standard error, so that tables can be sent to a file.
fn tell(what: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stderr().lock(), "{what}")?)
}
