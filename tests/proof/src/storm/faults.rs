//! What goes wrong during a storm, spread evenly over its changes.

use std::fmt;
use std::time::Duration;

use moim_e2e::Platform;
use tokio::time::sleep;

use super::{Progress, Size};

/// Faults that were caused.
#[derive(Default)]
pub struct Faults {
    kills: u64,
    restarts: u64,
    wipes: u64,
}

/// The room that only consumes, whose every loss would show.
const CONSUMER: &str = "notification";
/// Killed along with it, in turn: they own things as well, so their callers meet the fault too.
const COMPANIONS: [&str; 3] = ["chat", "review", "schedule"];

/// Causes every fault at its time; returns when the changes are done.
pub async fn rage(platform: &mut Platform, progress: &Progress, size: Size) -> Faults {
    let mut caused = Faults::default();
    while !progress.is_over() {
        let share = |times: u64| progress.done() * (times + 1) / progress.wanted.max(1);
        if share(size.kills) > caused.kills && caused.kills < size.kills {
            let companion = COMPANIONS[usize::try_from(caused.kills).unwrap() % COMPANIONS.len()];
            for room in [CONSUMER, companion] {
                platform.room(room).kill();
            }
            sleep(Duration::from_millis(300)).await;
            for room in [CONSUMER, companion] {
                platform.room(room).start_again();
            }
            caused.kills += 1;
        }
        if share(size.restarts) > caused.restarts && caused.restarts < size.restarts {
            let last = caused.restarts + 1 == size.restarts;
            let bus = platform.nats();
            bus.kill();
            if last {
                bus.wipe();
                caused.wipes += 1;
            }
            sleep(Duration::from_secs(1)).await;
            bus.start_again().await;
            caused.restarts += 1;
        }
        sleep(Duration::from_millis(50)).await;
    }
    caused
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kills, restarts, wipes } = self;
        write!(
            f,
            "consumer killed {kills} times, bus restarted {restarts} times, wiped {wipes} times"
        )
    }
}
