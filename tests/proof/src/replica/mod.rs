//! A replica whose replay is paused while people write and read at once: everybody sees their own writes, others
//! still read the replica, and without tokens the same people are shown what was before.

mod pair;

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use clap::Args;
use futures::future::{join, join_all};
use moim_e2e::{Client, Memory, Platform, json};
use moim_testbed::{Replicated, replicated};
use tokio::time::{Instant, sleep};

use crate::KNOBS;
use pair::{KINDS, Pair};

const TITLE: &str = "query($id: ID!) { node(id: $id) { ... on Gathering { title } } }";
const ASK_EVERY: Duration = Duration::from_millis(50);
const SETTLES_WITHIN: Duration = Duration::from_secs(120);

/// How much is written, and for how long nothing comes to the replica.
#[derive(Args, Clone, Copy, Debug)]
pub struct Size {
    /// Writes, each followed by a read of the same member.
    #[arg(long, default_value_t = 1_000)]
    pub writes: usize,
    /// Hosts and members, two and two, who write side by side.
    #[arg(long, default_value_t = 6)]
    pub pairs: usize,
    /// Seconds for which replay is paused at a time, as often as it takes for all to be written.
    #[arg(long, default_value_t = 30)]
    pub pause_s: u64,
}

/// What reads have shown.
#[derive(Default)]
struct Seen {
    pairs: AtomicUsize,
    stale: AtomicUsize,
    before: AtomicUsize,
    after: AtomicUsize,
}

/// Runs it and answers its figures; panics when somebody is not shown what they wrote, or when nobody read the
/// replica.
pub async fn run(size: Size) -> String {
    let pair = replicated().await.expect("PostgreSQL is needed");
    let (url, replica) = pair.database().await;
    let more = [
        KNOBS[0],
        ("MOIM_STORAGE__URL", &url),
        ("MOIM_STORAGE__REPLICA_URL", &replica),
        // Longer than a pause: who reads the replica is to go on reading it.
        ("MOIM_STORAGE__REPLICA_MAX_LAG_MS", "50000"),
    ];
    let platform = Platform::twins_with(&more).await.expect("PostgreSQL is needed");
    let mut people = join_all((0..size.pairs).map(|number| Pair::move_in(&platform, number))).await;
    pair.caught_up().await;
    let strangers = [0, 1].map(|at| platform.client_at(at).remembering(Memory::None));
    pause_once_read(&pair, &mut people[0], &strangers).await;

    let (seen, mut rounds) = (Seen::default(), 0);
    while seen.pairs.load(Ordering::Relaxed) < size.writes {
        round(&size, &mut people, &strangers, &seen).await;
        rounds += 1;
        pair.resume_replay().await;
        pair.caught_up().await;
        pause_once_read(&pair, &mut people[0], &strangers).await;
    }

    // The control: the same without tokens.
    let control = join_all(people.iter_mut().map(|them| async {
        let mut stale = 0;
        for _ in 0..2 * KINDS {
            stale += usize::from(!them.write_and_read(false).await);
        }
        stale
    }));
    let forgotten: usize = control.await.into_iter().sum();
    pair.resume_replay().await;
    for them in &people {
        shown_at_last(&strangers, &them.gathering, &them.title).await;
    }

    let get = |count: &AtomicUsize| count.load(Ordering::Relaxed);
    let mut report = String::new();
    writeln!(report, "replay paused            {rounds} times for {} s", size.pause_s).unwrap();
    writeln!(report, "written, then read       {} of {KINDS} kinds", get(&seen.pairs)).unwrap();
    writeln!(report, "stale                    {}", get(&seen.stale)).unwrap();
    let (before, after) = (get(&seen.before), get(&seen.after));
    writeln!(report, "strangers meanwhile      {before} old, {after} new").unwrap();
    let tried = 2 * KINDS * size.pairs;
    writeln!(report, "without tokens           {forgotten} of {tried} stale").unwrap();
    assert_eq!(get(&seen.stale), 0, "{report}");
    assert!(before > after && forgotten > 0, "the replica was not read: {report}");
    report
}

/// Everybody writes and reads while nothing comes to the replica, and strangers look on.
async fn round(size: &Size, people: &mut [Pair], strangers: &[Client; 2], seen: &Seen) {
    let (began, pause) = (Instant::now(), Duration::from_secs(size.pause_s));
    let share = size.writes.div_ceil(size.pairs);
    let shown: Vec<_> =
        people.iter().map(|them| (them.gathering.clone(), them.title.clone())).collect();
    let over = AtomicBool::new(false);
    let writing = async {
        join_all(people.iter_mut().map(|them| async {
            for _ in 0..share {
                if began.elapsed() >= pause {
                    break;
                }
                let fresh = them.write_and_read(true).await;
                seen.pairs.fetch_add(1, Ordering::Relaxed);
                seen.stale.fetch_add(usize::from(!fresh), Ordering::Relaxed);
            }
        }))
        .await;
        sleep(pause.saturating_sub(began.elapsed())).await;
        over.store(true, Ordering::Relaxed);
    };
    let looking = async {
        while !over.load(Ordering::Relaxed) {
            for (gathering, title) in &shown {
                for stranger in strangers {
                    let old = title_of(stranger, gathering).await == *title;
                    let count = if old { &seen.before } else { &seen.after };
                    count.fetch_add(1, Ordering::Relaxed);
                }
            }
            sleep(ASK_EVERY).await;
        }
    };
    join(writing, looking).await;
}

/// Pauses replay at a moment when both endpoints read the replica: what is written then is not shown to strangers.
async fn pause_once_read(pair: &Replicated, them: &mut Pair, strangers: &[Client; 2]) {
    let due = Instant::now() + SETTLES_WITHIN;
    loop {
        pair.pause_replay().await;
        let before = them.title.clone();
        them.retitle().await;
        let mut shown = Vec::new();
        for stranger in strangers {
            shown.push(title_of(stranger, &them.gathering).await);
        }
        if shown.iter().all(|title| *title == before) {
            // Where the pause began is what strangers are shown from now on.
            them.title = before;
            return;
        }
        assert!(Instant::now() < due, "the replica is not read");
        pair.resume_replay().await;
        pair.caught_up().await;
        sleep(ASK_EVERY).await;
    }
}

async fn shown_at_last(strangers: &[Client; 2], gathering: &str, title: &str) {
    let due = Instant::now() + SETTLES_WITHIN;
    for stranger in strangers {
        while title_of(stranger, gathering).await != title {
            assert!(Instant::now() < due, "the replica did not come back");
            sleep(ASK_EVERY).await;
        }
    }
}

async fn title_of(client: &Client, gathering: &str) -> String {
    let data = client.data(TITLE, json!({ "id": gathering })).await;
    data["node"]["title"].as_str().unwrap().to_owned()
}
