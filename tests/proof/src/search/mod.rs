//! Changes of everything that can be found while search rooms, owners and the bus are killed: in the end each replica
//! holds what the owners have, no more, no less and nothing older, and all replicas answer alike.

mod answers;
mod compare;
mod faults;
mod ledger;
mod plan;
mod writer;

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use clap::Args;
use futures::future::join_all;
use moim_e2e::Platform;
use sqlx::PgPool;
use tokio::time::{Instant, sleep};

use crate::KNOBS;
use compare::{Comparison, compare};
use faults::{Endpoints, Replicas};
use ledger::Ledger;
use writer::Writer;

/// How long replicas may take to catch up once the storm is over.
const SETTLE_WITHIN: Duration = Duration::from_secs(300);
/// A host starts many gatherings here.
const MOST_HOSTED: (&str, &str) = ("MOIM_GATHERING__MAX_HOSTED", "1000000");

/// How much is thrown at the search rooms.
#[derive(Args, Clone, Copy, Debug)]
pub struct Size {
    /// Changes that must be acknowledged.
    #[arg(long, default_value_t = 100_000)]
    pub changes: u64,
    /// Hosts who change things side by side.
    #[arg(long, default_value_t = 32)]
    pub writers: usize,
    /// How often harm comes to a search room; it costs one kill with -9 or more.
    #[arg(long, default_value_t = 28)]
    pub blows: usize,
    /// How often an owner is killed with -9.
    #[arg(long, default_value_t = 9)]
    pub owners: usize,
    /// How often the bus is killed with -9; after the last time its directory is wiped as well.
    #[arg(long, default_value_t = 3)]
    pub restarts: usize,
}

/// Changes acknowledged so far, of those wanted, and whether all the harm is done.
struct Progress {
    done: AtomicU64,
    wanted: u64,
    harmed: AtomicBool,
}

impl Progress {
    fn count(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }

    fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// No blow falls on a house where nothing changes.
    fn is_over(&self) -> bool {
        self.done() >= self.wanted && self.harmed.load(Ordering::Relaxed)
    }
}

/// Throws the storm and answers its figures; panics when anything is missing, surplus, older or told otherwise.
pub async fn run(size: Size) -> String {
    let knobs = [KNOBS[0], MOST_HOSTED, ("MOIM_BUS__REDELIVER_MS", "5000")];
    let mut platform =
        Platform::apart_crashing_with(&knobs).await.expect("PostgreSQL and nats-server are needed");
    eprintln!("data in {}", platform.directory().display());
    let pool = PgPool::connect(platform.database()).await.unwrap();
    let (other, address) = platform.another_with("search", "other-data", &[]);
    let reaches_other = [("MOIM_ROOMS__SEARCH__ADDRESS", address.as_str())];
    let (mut endpoint, url) = platform.another_with("bff", "other-bff", &reaches_other);
    endpoint.ready_at(&url, Duration::from_secs(60)).await;
    let endpoints = Endpoints([platform.client(), platform.client().at(url)]);
    let progress = Arc::new(Progress {
        done: AtomicU64::new(0),
        wanted: size.changes,
        harmed: AtomicBool::new(false),
    });
    let directory = platform.directory().to_owned();

    let began = Instant::now();
    let writers = (0..size.writers).map(|number| {
        let writer = Writer::new(platform.client(), number, progress.clone());
        async move { writer.settle_in().await.work().await }
    });
    let writers = join_all(writers);
    let mut replicas = Replicas::new(&mut platform, other);
    let (ledgers, harm, searched) = tokio::join!(
        writers,
        replicas.suffer(&progress, size),
        answers::ask_meanwhile(&endpoints, &progress)
    );
    let wrote_in = began.elapsed();
    let ledger = ledgers.into_iter().fold(Ledger::default(), Ledger::merge);
    let began = Instant::now();
    let comparison = settle(&pool, &directory).await;
    let settled_in = began.elapsed();

    let mut report = String::new();
    let written = progress.done();
    writeln!(report, "changes acknowledged     {written} ({})", ledger.changes()).unwrap();
    writeln!(report, "{harm}").unwrap();
    writeln!(report, "searched meanwhile       {searched}").unwrap();
    writeln!(report, "written in               {:.0} s", wrote_in.as_secs_f64()).unwrap();
    writeln!(report, "settled after            {:.1} s", settled_in.as_secs_f64()).unwrap();
    write!(report, "{comparison}").unwrap();
    assert!(comparison.is_exact(), "{report}");
    let kept = ledger.compare(&pool).await;
    writeln!(report, "{kept}").unwrap();
    assert!(kept.is_whole(), "{report}");
    let alike = answers::compare(&endpoints, &ledger).await;
    writeln!(report, "answers of both          {alike}").unwrap();
    report
}

/// Waits until every replica holds what the owners have; what still differs at the end is told by the report.
async fn settle(pool: &PgPool, directory: &std::path::Path) -> Comparison {
    let began = Instant::now();
    let mut told = Duration::ZERO;
    loop {
        let comparison = compare(pool, directory).await;
        if comparison.is_exact() || began.elapsed() >= SETTLE_WITHIN {
            return comparison;
        }
        if began.elapsed() > told + Duration::from_secs(20) {
            told = began.elapsed();
            eprintln!("still:\n{comparison}");
        }
        sleep(Duration::from_millis(200)).await;
    }
}
