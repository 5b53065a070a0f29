//! Changes written through the services while consumers are killed and the bus is restarted and wiped:
//! copies must equal their owners, and each notification must exist once.

mod compare;
mod faults;
mod ledger;
mod worker;

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::KNOBS;
use clap::Args;
use futures::future::join_all;
use moim_e2e::Platform;
use sqlx::PgPool;
use tokio::time::{Instant, sleep};

use ledger::Ledger;
use worker::Worker;

/// How long copies may take to catch up once the storm is over.
const SETTLE_WITHIN: Duration = Duration::from_secs(300);

/// How much is thrown at the platform.
#[derive(Args, Clone, Copy, Debug)]
pub struct Size {
    /// Changes that must be acknowledged.
    #[arg(long, default_value_t = 100_000)]
    pub changes: u64,
    /// People who change things side by side.
    #[arg(long, default_value_t = 16)]
    pub workers: usize,
    /// How often a consumer is killed with -9.
    #[arg(long, default_value_t = 10)]
    pub kills: u64,
    /// How often the bus is restarted; after the last time its directory is wiped as well.
    #[arg(long, default_value_t = 2)]
    pub restarts: u64,
}

/// Changes acknowledged so far, of those wanted.
pub(crate) struct Progress {
    done: AtomicU64,
    wanted: u64,
}

impl Progress {
    pub(crate) fn count(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.done() >= self.wanted
    }
}

/// Throws the storm and answers its figures; panics when anything was lost, doubled or differs.
pub async fn run(size: Size) -> String {
    let mut platform =
        Platform::apart_with(&KNOBS).await.expect("PostgreSQL and nats-server are needed");
    let pool = PgPool::connect(platform.database()).await.unwrap();
    let progress = Arc::new(Progress { done: AtomicU64::new(0), wanted: size.changes });
    let began = Instant::now();
    let workers = (0..size.workers).map(|number| {
        let worker = Worker::new(platform.client(), pool.clone(), number, progress.clone());
        async move { worker.settle_in().await.work().await }
    });
    eprintln!("data in {}", platform.directory().display());
    let (ledgers, faults) =
        tokio::join!(join_all(workers), faults::rage(&mut platform, &progress, size));
    let wrote_in = began.elapsed();
    let ledger = ledgers.into_iter().fold(Ledger::default(), Ledger::merge);
    let settled_in = settle(&pool, &ledger).await;

    let mut report = String::new();
    let written = progress.done();
    writeln!(report, "changes acknowledged     {written} ({})", ledger.changes()).unwrap();
    writeln!(report, "faults                   {faults}").unwrap();
    writeln!(report, "written in               {:.0} s", wrote_in.as_secs_f64()).unwrap();
    writeln!(report, "settled after            {:.1} s", settled_in.as_secs_f64()).unwrap();
    for copy in compare::copies(&pool).await {
        writeln!(report, "{copy}").unwrap();
        assert_eq!(copy.differing, 0, "{report}");
    }
    let told = ledger.compare(&pool).await;
    writeln!(report, "{told}").unwrap();
    assert!(told.is_exact(), "{report}");
    report
}

/// Waits until nothing differs any more; what still does at the end is told by the report.
async fn settle(pool: &PgPool, ledger: &Ledger) -> Duration {
    let began = Instant::now();
    while began.elapsed() < SETTLE_WITHIN {
        if began.elapsed().as_secs() % 20 == 19 {
            let differing: Vec<_> = compare::copies(pool)
                .await
                .into_iter()
                .filter(|copy| copy.differing > 0)
                .map(|copy| copy.to_string())
                .collect();
            eprintln!("still: {differing:?} {}", ledger.compare(pool).await);
            sleep(Duration::from_secs(1)).await;
        }
        let equal = compare::copies(pool).await.iter().all(|copy| copy.differing == 0);
        if equal && ledger.compare(pool).await.is_exact() {
            break;
        }
        sleep(Duration::from_millis(500)).await;
    }
    began.elapsed()
}
