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
    /// Seconds for which replay is paused, at least.
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
        // Longer than any run: who reads the replica is to go on reading it.
        ("MOIM_STORAGE__REPLICA_MAX_LAG_MS", "50000"),
    ];
    let platform = Platform::twins_with(&more).await.expect("PostgreSQL is needed");
    let mut people = join_all((0..size.pairs).map(|number| Pair::move_in(&platform, number))).await;
    pair.caught_up().await;
    let gatherings: Vec<_> = people.iter().map(|them| them.gathering.clone()).collect();
    let strangers = [0, 1].map(|at| platform.client_at(at).remembering(Memory::None));
    pause_once_read(&pair, &mut people[0], &strangers).await;

    let (began, seen, over) = (Instant::now(), Seen::default(), AtomicBool::new(false));
    let (pause, share) = (Duration::from_secs(size.pause_s), size.writes.div_ceil(size.pairs));
    let known: Vec<_> = people.iter().map(|them| them.title.clone()).collect();
    let writing = join_all(people.iter_mut().map(|them| async {
        let mut done = 0;
        while done < share || began.elapsed() < pause {
            let fresh = them.write_and_read(done, true).await;
            seen.pairs.fetch_add(1, Ordering::Relaxed);
            seen.stale.fetch_add(usize::from(!fresh), Ordering::Relaxed);
            done += 1;
        }
    }));
    let others = async {
        while !over.load(Ordering::Relaxed) {
            for (gathering, title) in gatherings.iter().zip(&known) {
                for stranger in &strangers {
                    let shown = title_of(stranger, gathering).await;
                    let count = if shown == *title { &seen.before } else { &seen.after };
                    count.fetch_add(1, Ordering::Relaxed);
                }
            }
            sleep(ASK_EVERY).await;
        }
    };
    let writing = async {
        writing.await;
        over.store(true, Ordering::Relaxed);
        began.elapsed()
    };
    let (paused, ()) = join(writing, others).await;

    // The control: the same without tokens, and the replica paused anew so that it is read.
    pair.resume_replay().await;
    pair.caught_up().await;
    pause_once_read(&pair, &mut people[0], &strangers).await;
    let control = join_all(people.iter_mut().map(|them| async {
        let mut stale = 0;
        for number in 0..2 * KINDS {
            stale += usize::from(!them.write_and_read(number, false).await);
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
    writeln!(report, "replay paused            {:.0} s", paused.as_secs_f64()).unwrap();
    writeln!(report, "written, then read       {} of {KINDS} kinds", get(&seen.pairs)).unwrap();
    writeln!(report, "stale                    {}", get(&seen.stale)).unwrap();
    let (before, after) = (get(&seen.before), get(&seen.after));
    writeln!(report, "strangers meanwhile      {before} old, {after} new").unwrap();
    let tried = 2 * KINDS * size.pairs;
    writeln!(report, "without tokens           {forgotten} of {tried} stale").unwrap();
    assert!(get(&seen.pairs) >= size.writes && paused >= pause, "{report}");
    assert_eq!(get(&seen.stale), 0, "{report}");
    assert!(before > 0 && forgotten > 0, "the replica was not read: {report}");
    report
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
