//! What a room knows to have arrived from others, and waiting for what a client has already seen.

use std::time::Duration;

use async_trait::async_trait;
use moim_kit::seen::Mark;
use moim_kit::serve::Gate;
use moim_kit::{Code, Fault};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::args;
use crate::pool::Db;

const FIND_VERSION: &str =
    "SELECT version FROM inbox WHERE noun = $1 AND aggregate_id = $2 AND version >= $3";

/// Longest wait for a copy to catch up; then the client is told to try again.
const AT_MOST: Duration = Duration::from_secs(3);
/// Other processes of this room may have taken in what we wait for.
const POLL: Duration = Duration::from_millis(50);

/// The copies a room keeps of other rooms' aggregates.
#[derive(Clone, Debug)]
pub struct Copies {
    db: Db,
    nouns: &'static [&'static str],
    progress: watch::Sender<u64>,
}

impl Copies {
    /// Copies of these nouns, kept in a room's database.
    pub fn new(db: Db, nouns: &'static [&'static str]) -> Self {
        Self { db, nouns, progress: watch::Sender::new(0) }
    }

    pub(crate) fn nouns(&self) -> &'static [&'static str] {
        self.nouns
    }

    /// Told after the commit whenever something arrived in this process.
    pub fn arrivals(&self) -> watch::Receiver<u64> {
        self.progress.subscribe()
    }

    /// Tells those who wait that something arrived.
    pub(crate) fn arrived_some(&self) {
        self.progress.send_modify(|count| *count += 1);
    }
}

#[async_trait]
impl Gate for Copies {
    async fn arrived(&self, marks: &[Mark]) -> Result<(), Fault> {
        let due = Instant::now() + AT_MOST;
        for mark in marks.iter().filter(|mark| self.nouns.contains(&mark.noun.as_str())) {
            let mut progress = self.progress.subscribe();
            loop {
                progress.mark_unchanged();
                let args = args![mark.noun.as_str(), mark.aggregate(), mark.version];
                if self.db.fetch_optional::<(i64,)>(FIND_VERSION, args).await?.is_some() {
                    break;
                }
                if Instant::now() >= due {
                    return Err(behind());
                }
                let _ = timeout_at(due.min(Instant::now() + POLL), progress.changed()).await;
            }
        }
        Ok(())
    }
}

fn behind() -> Fault {
    Fault::new(Code::Unavailable, "COPY_BEHIND", "Your last change is still on its way; try again.")
        .in_korean("방금 하신 변경이 아직 전달되는 중입니다. 다시 시도해 주세요.")
}
