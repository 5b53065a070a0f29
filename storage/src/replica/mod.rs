//! A streaming replica of a room's database: whether a call may be answered from it, by what its caller has seen.
//!
//! What somebody has seen is a place in the primary's log, told with each answer of a call that may have written,
//! and versions of other rooms' aggregates, which are compared with the copies in the replica.

mod place;
mod tide;
mod watch;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use moim_kit::seen::{Mark, Position};
use moim_kit::task::Tasks;
use moim_kit::{Call, Clock, Fault};
use parking_lot::Mutex;
use sqlx::postgres::{PgConnectOptions, PgPool};
use tokio::sync::{Notify, watch as channel};
use tokio::time::{Instant, timeout_at};

use crate::args::Arg;
use crate::inbox::LIST_VERSIONS;
use crate::measured::Measured;
use crate::pool::{Config, Db};
use crate::query::Statement;

use place::{Place, Soundings};
use tide::Tide;

/// After a wait in vain nobody waits for so long: a replica that stands still must not cost everybody a pause.
const REST: Duration = Duration::from_secs(1);
/// Of a call's time, so much is left for the primary.
const FOR_THE_PRIMARY: Duration = Duration::from_millis(250);

/// Longest wait for a connection to the replica; the primary has some, too.
const LONGEST_LINE: Duration = Duration::from_secs(1);

/// Why a call is not answered from the replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// Nothing is known of it yet.
    Starting,
    /// It does not answer.
    Down,
    /// It is a primary itself.
    Promoted,
    /// It has what the primary has not.
    Diverged,
    /// It is too far behind for anybody.
    Behind,
    /// It is behind what the caller has seen.
    Unseen,
    /// It failed during the read.
    Failed,
}

impl Why {
    /// As logs and metrics spell it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Down => "down",
            Self::Promoted => "promoted",
            Self::Diverged => "diverged",
            Self::Behind => "behind",
            Self::Unseen => "unseen",
            Self::Failed => "failed",
        }
    }
}

/// A replica, watched by one task of this process.
#[derive(Debug)]
pub(crate) struct Replica {
    room: &'static str,
    clock: Clock,
    options: PgConnectOptions,
    max_connections: u32,
    acquire_timeout: Duration,
    wait: Duration,
    max_lag: Duration,
    tide: Tide,
    depth: Mutex<Depth>,
    state: channel::Sender<State>,
    /// Has it looked at now.
    demand: Notify,
    /// How many wait for it to come further.
    waiting: AtomicUsize,
    resting: Mutex<Option<Instant>>,
}

/// Where it was when it was looked at last, and connections to it unless it must not be read from.
#[derive(Debug)]
struct State {
    place: Place,
    pool: Result<PgPool, Why>,
}

/// What comparing it with the primary has shown.
#[derive(Debug, Default)]
struct Depth {
    soundings: Soundings,
    looked: Option<(Instant, Place)>,
    diverged: bool,
}

impl Replica {
    /// Begins to watch the replica of a room's database.
    pub fn open(
        config: &Config,
        room: &'static str,
        primary: &Db,
        clock: Clock,
        tasks: &Tasks,
    ) -> Result<Arc<Self>, Fault> {
        let options = config.postgres(&config.replica_url, room);
        let replica = Arc::new(Self {
            room,
            clock,
            options: options.map_err(|error| Fault::unavailable("DATABASE_UNAVAILABLE", error))?,
            max_connections: config.max_connections,
            acquire_timeout: Duration::from_millis(config.acquire_timeout_ms).min(LONGEST_LINE),
            wait: Duration::from_millis(config.replica_wait_ms),
            max_lag: Duration::from_millis(config.replica_max_lag_ms),
            tide: Tide::default(),
            depth: Mutex::default(),
            state: channel::Sender::new(State {
                place: Place::default(),
                pool: Err(Why::Starting),
            }),
            demand: Notify::new(),
            waiting: AtomicUsize::new(0),
            resting: Mutex::new(None),
        });
        let watched = replica.clone();
        tasks.supervise("replica", move || watched.clone().follow());
        let (sounded, primary) = (replica.clone(), primary.clone());
        tasks.supervise("tide", move || {
            let sounded = sounded.clone();
            let tide = sounded.tide.clone();
            tide.run(primary.clone(), move |at, place| sounded.sound(at, place))
        });
        Ok(replica)
    }

    /// How far the primary is by now, for whoever may have written there. Not to know it is to have seen
    /// everything: the primary answers for as long as that is remembered.
    pub async fn position(&self) -> Position {
        let place = self.tide.now().await;
        let at = self.clock.now();
        match place {
            Some(Place { timeline, lsn }) => Position::new(self.room, timeline, lsn, at),
            None => Position::unknown(self.room, at),
        }
    }

    /// Connections to the replica once it has what the caller has seen, copies of these nouns too.
    pub async fn fit(&self, call: &Call, nouns: &[&str]) -> Result<PgPool, Why> {
        let seen = call.seen();
        if seen.wants_all() {
            return Err(Why::Unseen);
        }
        let due = Instant::now() + self.wait;
        let latest = call.deadline().checked_sub(FOR_THE_PRIMARY);
        let due = latest.map_or(due, |latest| latest.min(due));
        let wanted = seen.position(self.room).map(Place::from).unwrap_or_default();
        let pool = self.reach(wanted, due).await?;
        let copied = |mark: &&Mark| nouns.contains(&mark.noun.as_str());
        let marks: Vec<_> = seen.marks().iter().filter(copied).collect();
        if marks.is_empty() { Ok(pool) } else { self.arrive(pool, &marks, due).await }
    }

    /// Tells that it failed during a read: it is looked at soon.
    pub fn complain(&self) {
        self.demand.notify_one();
    }

    /// Waits until the replica is at a place.
    async fn reach(&self, wanted: Place, due: Instant) -> Result<PgPool, Why> {
        let mut state = self.state.subscribe();
        let known = {
            let now = state.borrow_and_update();
            now.pool.clone().map(|pool| now.place.covers(wanted).then_some(pool))?
        };
        if let Some(pool) = known {
            return Ok(pool);
        }
        let _waiting = self.begin_to_wait().ok_or(Why::Unseen)?;
        let there = state.wait_for(|now| now.pool.is_err() || now.place.covers(wanted));
        match timeout_at(due, there).await {
            Ok(Ok(now)) => now.pool.clone(),
            _ => Err(self.rest()),
        }
    }

    /// Waits until the copies in the replica are as far as somebody has seen.
    async fn arrive(&self, pool: PgPool, marks: &[&Mark], due: Instant) -> Result<PgPool, Why> {
        let mut state = self.state.subscribe();
        let mut waiting = None;
        loop {
            state.mark_unchanged();
            if has(self.room, &pool, marks).await? {
                return Ok(pool);
            }
            if waiting.is_none() {
                waiting = Some(self.begin_to_wait().ok_or(Why::Unseen)?);
            }
            if timeout_at(due, state.changed()).await.is_err() {
                return Err(self.rest());
            }
        }
    }

    fn begin_to_wait(&self) -> Option<Waiting<'_>> {
        let resting = *self.resting.lock();
        if resting.is_some_and(|until| Instant::now() < until) {
            return None;
        }
        self.waiting.fetch_add(1, Ordering::AcqRel);
        self.demand.notify_one();
        Some(Waiting(&self.waiting))
    }

    fn rest(&self) -> Why {
        *self.resting.lock() = Some(Instant::now() + REST);
        Why::Unseen
    }

    /// The primary was at a place at an instant, or a little later.
    fn sound(&self, at: Instant, place: Place) {
        let mut depth = self.depth.lock();
        depth.soundings.take(at, place);
        // A replica is never ahead of where its primary is afterwards.
        if let Some((looked_at, was)) = depth.looked
            && looked_at <= at
        {
            depth.diverged = was.lsn > place.lsn;
        }
    }
}

/// Has the replica looked at more often for as long as it is held.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// True when the copies there are at least as new as these. Effect and version are committed together.
async fn has(room: &'static str, pool: &PgPool, marks: &[&Mark]) -> Result<bool, Why> {
    let ids = marks.iter().map(|mark| Arg::from(mark.aggregate())).collect();
    let statement = Statement::with_list(LIST_VERSIONS, Vec::new(), ids);
    let there = Db::Postgres(pool.clone(), Measured::postgres(room));
    let read = pool
        .close_event()
        .do_until(there.all::<(String, String, i64)>(LIST_VERSIONS, statement))
        .await;
    let rows = read.map_err(|_| Why::Down)?.map_err(|_| Why::Failed)?;
    Ok(marks.iter().all(|mark| {
        let id = mark.aggregate().to_string();
        rows.iter().any(|(noun, aggregate, version)| {
            *noun == mark.noun && *aggregate == id && *version >= mark.version
        })
    }))
}
