//! What became of every request: how many of each kind, how long they took, and why some failed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use parking_lot::Mutex;

/// Reasons that are shown; the rest is counted.
const SHOWN: usize = 20;

/// Counts requests.
#[derive(Default)]
pub struct Ledger(Mutex<Book>);

#[derive(Default)]
struct Book {
    kinds: BTreeMap<&'static str, Kind>,
    unsent: u64,
    reasons: BTreeMap<String, u64>,
}

#[derive(Default)]
struct Kind {
    took: Vec<Duration>,
    failed: u64,
}

impl Ledger {
    /// One request, with what it took, and why it failed if it did.
    pub fn note(&self, kind: &'static str, took: Duration, unsent: u64, failure: Option<String>) {
        let mut book = self.0.lock();
        book.unsent += unsent;
        let entry = book.kinds.entry(kind).or_default();
        entry.took.push(took);
        entry.failed += u64::from(failure.is_some());
        if let Some(reason) = failure {
            *book.reasons.entry(format!("{kind}: {reason}")).or_default() += 1;
        }
    }

    /// Requests that failed.
    pub fn failed(&self) -> u64 {
        self.0.lock().kinds.values().map(|kind| kind.failed).sum()
    }

    /// A line for each kind, and the reasons of failures.
    pub fn table(&self) -> String {
        let mut book = self.0.lock();
        let mut table =
            String::from("requests                    count  failed   p50 ms   p99 ms  slowest\n");
        let (mut all, mut failed) = (Vec::new(), 0);
        for (name, kind) in &mut book.kinds {
            all.extend_from_slice(&kind.took);
            failed += kind.failed;
            writeln!(table, "{}", line(name, &mut kind.took, kind.failed)).unwrap();
        }
        writeln!(table, "{}", line("all", &mut all, failed)).unwrap();
        writeln!(table, "sent elsewhere since nobody was there: {}", book.unsent).unwrap();
        for (reason, times) in book.reasons.iter().take(SHOWN) {
            writeln!(table, "  {times} x {reason}").unwrap();
        }
        table
    }
}

fn line(name: &str, took: &mut [Duration], failed: u64) -> String {
    took.sort_unstable();
    let at = |share: usize| {
        let place = (took.len() * share / 100).min(took.len().saturating_sub(1));
        took.get(place).map_or(0, Duration::as_millis)
    };
    format!("  {name:<22} {:>8} {failed:>7} {:>8} {:>8} {:>8}", took.len(), at(50), at(99), at(100))
}
