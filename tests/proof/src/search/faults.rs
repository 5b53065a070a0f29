//! What goes wrong: search rooms lost while they index, commit and rebuild, their files damaged and taken away, owners
//! and the bus killed under them.

use std::fmt;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use moim_e2e::{Client, Platform, Process};
use tokio::time::{Instant, sleep};

use super::compare::REPLICAS;
use super::plan::{Blow, Harm, blows};
use super::{Progress, Size};

const CRASH: &str = "MOIM_CRASH";
const WORDS: &str = "MOIM_SEARCH__SYNONYMS_FILE";
const SIGKILL: i32 = 9;
const DIE_WITHIN: Duration = Duration::from_secs(120);
const DOWN: Duration = Duration::from_millis(300);
/// A rebuild is lost within its commit, somewhere, before the new index is searched, and before the old one is gone.
const REBUILD: [&str; 3] = ["index_prepared:1", "index_finished:1", "index_swapped:1"];
const SOMEWHERE: Duration = Duration::from_millis(700);

/// An endpoint for each replica.
pub struct Endpoints(pub [Client; 2]);

/// Harm that was done.
#[derive(Default)]
pub struct Done {
    kills: u64,
    in_commits: u64,
    in_rebuilds: u64,
    damages: u64,
    robberies: u64,
    owners: u64,
    restarts: u64,
    wipes: u64,
}

/// Both search rooms, and those they hear.
pub struct Replicas<'a> {
    platform: &'a mut Platform,
    other: Process,
    /// How often each has been given other words.
    words: [usize; 2],
    done: Done,
}

impl<'a> Replicas<'a> {
    pub fn new(platform: &'a mut Platform, other: Process) -> Self {
        Self { platform, other, words: [0; 2], done: Done::default() }
    }

    /// Does every harm at its time; at the end both replicas stand, with the same words.
    pub async fn suffer(&mut self, progress: &Progress, size: Size) -> Done {
        let blows = blows(size);
        let parts = u64::try_from(blows.len()).unwrap() + 1;
        for (number, blow) in (1..).zip(blows) {
            while progress.done() < progress.wanted * number / parts {
                sleep(Duration::from_millis(20)).await;
            }
            match blow {
                Blow::Replica(replica, harm) => self.harm(replica, harm).await,
                Blow::Owner(room) => self.kill_owner(room).await,
                Blow::Bus { wiped } => self.kill_bus(wiped).await,
            }
        }
        // Who was given fewer words than the other gets the last ones as well.
        for replica in 0..2 {
            while self.words[replica] < self.words[1 - replica] {
                self.rebuild(replica).await;
            }
        }
        progress.harmed.store(true, Ordering::Relaxed);
        std::mem::take(&mut self.done)
    }

    async fn harm(&mut self, replica: usize, harm: Harm) {
        match harm {
            Harm::Kill => {
                self.kill(replica);
                sleep(DOWN).await;
                self.start(replica, None);
            }
            Harm::InCommit(point) => {
                self.kill(replica);
                // Not the first that comes, which closes up on what was missed.
                self.start(replica, Some(&format!("{point}:3")));
                self.await_death(replica, point).await;
                self.done.in_commits += 1;
                self.start(replica, None);
            }
            Harm::InRebuild => self.rebuild(replica).await,
            Harm::Damage => {
                self.kill(replica);
                damage(&self.directory(replica).join("search"), self.done.damages);
                self.done.damages += 1;
                self.start(replica, None);
            }
            Harm::Rob => {
                self.kill(replica);
                fs::remove_dir_all(self.directory(replica)).unwrap();
                self.done.robberies += 1;
                self.start(replica, None);
            }
        }
    }

    /// Other words make another index; the room is lost at every step on the way to it.
    async fn rebuild(&mut self, replica: usize) {
        self.words[replica] += 1;
        let round = self.words[replica];
        let file = self.platform.directory().join(format!("words-{round}.txt"));
        fs::write(&file, format!("등산, 산행\n독서, 책읽기\n낱말{round}, 단어{round}\n")).unwrap();
        let file = file.to_str().unwrap().to_owned();
        self.kill(replica);
        let before = self.searched(replica);
        self.process(replica).set(WORDS, Some(&file));
        for trap in REBUILD {
            // From the start on the room writes nothing but the new index, so it comes to each of them.
            self.start(replica, Some(trap));
            self.await_death(replica, trap).await;
            self.done.in_rebuilds += 1;
            if trap == REBUILD[0] {
                self.start(replica, None);
                sleep(SOMEWHERE).await;
                self.kill(replica);
                if self.searched(replica) != before {
                    break;
                }
                self.done.in_rebuilds += 1;
            }
        }
        self.start(replica, None);
    }

    async fn kill_owner(&mut self, room: &'static str) {
        let process = self.platform.room(room);
        process.kill();
        sleep(DOWN).await;
        process.start_again();
        self.done.owners += 1;
    }

    async fn kill_bus(&mut self, wiped: bool) {
        let bus = self.platform.nats();
        bus.kill();
        if wiped {
            bus.wipe();
        }
        sleep(Duration::from_secs(1)).await;
        bus.start_again().await;
        self.done.restarts += 1;
        self.done.wipes += u64::from(wiped);
    }

    fn process(&mut self, replica: usize) -> &mut Process {
        if replica == 0 { self.platform.room("search") } else { &mut self.other }
    }

    fn directory(&self, replica: usize) -> PathBuf {
        self.platform.directory().join(REPLICAS[replica])
    }

    /// Names the index that is searched.
    fn searched(&self, replica: usize) -> String {
        let current = self.directory(replica).join("search/current");
        fs::read_to_string(current).unwrap_or_default()
    }

    fn kill(&mut self, replica: usize) {
        let process = self.process(replica);
        assert!(process.ended().is_none(), "it ended by itself: {}", process.stderr());
        process.kill();
        self.done.kills += 1;
    }

    fn start(&mut self, replica: usize, trap: Option<&str>) {
        let process = self.process(replica);
        process.set(CRASH, trap);
        process.start_again();
    }

    /// Waits until a replica has died where it was told to.
    async fn await_death(&mut self, replica: usize, trap: &str) {
        let due = Instant::now() + DIE_WITHIN;
        while !self.has_died(replica) {
            assert!(Instant::now() < due, "it does not come to {trap}");
            sleep(Duration::from_millis(20)).await;
        }
    }

    fn has_died(&mut self, replica: usize) -> bool {
        let process = self.process(replica);
        let Some(status) = process.ended() else { return false };
        // Anything else is no crash that was asked for.
        assert_eq!(status.signal(), Some(SIGKILL), "{status}: {}", process.stderr());
        self.done.kills += 1;
        true
    }
}

/// Tears the index that is searched, each time in another way.
fn damage(index: &Path, number: u64) {
    let named = fs::read_to_string(index.join("current")).unwrap_or_default();
    let place = index.join(format!("index-{named}"));
    let files = fs::read_dir(&place).into_iter().flatten().flatten().map(|it| it.path());
    let mut files: Vec<_> = files.collect();
    files.sort_by_key(|it| std::cmp::Reverse(fs::metadata(it).map_or(0, |it| it.len())));
    match (number % 4, files.first()) {
        (0, Some(largest)) => {
            let half = fs::metadata(largest).unwrap().len() / 2;
            fs::File::options().write(true).open(largest).unwrap().set_len(half).unwrap();
        }
        (1, Some(largest)) => fs::remove_file(largest).unwrap(),
        (2, Some(_)) => fs::write(place.join("meta.json"), "{").unwrap(),
        _ => fs::remove_dir_all(&place).unwrap_or_default(),
    }
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kills, in_commits, in_rebuilds, damages, robberies, owners, restarts, wipes } =
            self;
        writeln!(
            f,
            "search rooms killed      {kills} times, of them {in_commits} in a commit and \
             {in_rebuilds} in a rebuild; {damages} damaged, {robberies} robbed"
        )?;
        write!(
            f,
            "others                   owners killed {owners} times, bus killed {restarts} times, \
             wiped {wipes} times"
        )
    }
}
