//! One step lost at one point, a few times over, under a crowd of orders; and how they all ended.

use std::collections::BTreeMap;
use std::fmt;
use std::os::unix::process::ExitStatusExt as _;
use std::time::Duration;

use futures::future::join;
use moim_e2e::{Person, Process};
use moim_kit::{Clock, Timestamp};
use tokio::sync::watch;
use tokio::time::sleep;

use super::stage::{Cast, Stage, attend, withdraw};
use super::step::{Point, Step};
use super::{HOLD, LIMIT};
use crate::graph::uuid;

const ENDED: &str = "
SELECT o.state, COUNT(*) FROM schedule.seat AS s JOIN payment.seat_order AS o ON o.id = s.order_id";
/// When a seat was given back (0: it was not) and until when it was held; when both sides had ended.
const TIMES: &str = "
SELECT CASE WHEN s.phase = 'RETURNED' THEN CAST(s.updated_at_us AS TEXT) ELSE '0' END
    || ':' || CAST(s.expires_at_us AS TEXT),
  CASE WHEN s.updated_at_us > o.updated_at_us THEN s.updated_at_us ELSE o.updated_at_us END
FROM schedule.seat AS s JOIN payment.seat_order AS o ON o.id = s.order_id";
const UNFINISHED: &str = "
SELECT s.phase || ' ' || COALESCE(o.state, 'unheard of'), COUNT(*)
FROM schedule.seat AS s LEFT JOIN payment.seat_order AS o ON o.id = s.order_id
GROUP BY s.phase, o.state";

const CRASH: &str = "MOIM_CRASH";
const SIGKILL: i32 = 9;
/// For everything that is under way to end, far beyond the promise, so that how late it was can be told.
const SETTLE_WITHIN: Duration = Duration::from_secs(90);

/// How orders ended.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    orders: i64,
    confirmed: i64,
    released: i64,
    refunded: i64,
    pub kills: u64,
    /// Of all orders, from its hold, or from the last restart when that was later, to its end.
    slowest: Duration,
}

impl Outcome {
    pub const HEADS: &str = "orders | confirmed | released | refunded | kills | slowest end";

    pub fn cells(&self) -> String {
        let Self { orders, confirmed, released, refunded, kills, slowest } = self;
        let slowest = slowest.as_secs_f64();
        format!("{orders} | {confirmed} | {released} | {refunded} | {kills} | {slowest:.1} s")
    }

    pub fn add(&mut self, other: &Self) {
        self.orders += other.orders;
        self.confirmed += other.confirmed;
        self.released += other.released;
        self.refunded += other.refunded;
        self.kills += other.kills;
        self.slowest = self.slowest.max(other.slowest);
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} | {}", Self::HEADS, self.cells())
    }
}

/// How often one room was lost, and when it stood again.
#[derive(Default)]
pub struct Losses {
    pub kills: u64,
    pub mended: Vec<Timestamp>,
}

impl Losses {
    /// It is to stand again as of now.
    pub fn mend(&mut self) {
        self.mended.push(Clock::system().now());
    }
}

impl Stage {
    /// Half of the people find a seat each, half wait in line for more; whoever holds the step is lost at
    /// the point. A step of a refund is lost while people give back what they paid for.
    pub async fn lose_at(&mut self, step: Step, point: Point, kills: u64) -> Outcome {
        let Self { platform, cast } = self;
        let meetup = cast.prepare().await;
        if step.is_of_refund {
            meetup.sign_up(cast).await;
        }
        let traps = step.traps(point, kills);
        let room = platform.room(step.room(point));
        set(room, traps.first()).await;
        let (over, watched) = watch::channel(false);
        let acts = async {
            if step.is_of_refund {
                meetup.give_back(cast).await;
            } else {
                meetup.sign_up(cast).await;
            }
            over.send_replace(true);
        };
        let ((), losses) = join(acts, lose(room, &traps, watched)).await;
        set(room, None).await;
        cast.outcome(&[&meetup.seated, &meetup.lined], &losses).await
    }
}

/// Starts a room again with a trap, or without; it ends in good order, and leaves its lease to the next.
async fn set(room: &mut Process, trap: Option<&String>) {
    if room.ended().is_none() {
        room.terminate();
        room.end_within(SETTLE_WITHIN).await;
    }
    room.set(CRASH, trap.map(String::as_str));
    room.start_again();
}

/// Starts a room again whenever it has died, with the next trap, until all is over.
async fn lose(room: &mut Process, traps: &[String], over: watch::Receiver<bool>) -> Losses {
    let mut losses = Losses::default();
    loop {
        let last = *over.borrow();
        if let Some(status) = room.ended() {
            // Anything else is no crash that was asked for.
            assert_eq!(status.signal(), Some(SIGKILL), "{status}");
            losses.kills += 1;
            let next = traps.get(usize::try_from(losses.kills).unwrap());
            room.set(CRASH, next.map(String::as_str));
            losses.mend();
            room.start_again();
        }
        if last {
            return losses;
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// Two paid schedules: one with a seat for everybody who comes, one with a line.
pub struct Meetup {
    pub seated: String,
    pub lined: String,
}

impl Cast {
    /// Announces both.
    pub async fn prepare(&self) -> Meetup {
        let half = self.rich.len().div_ceil(2);
        let seated = self.announce(half + self.poor.len()).await;
        let lined = self.announce((half / 2).max(1)).await;
        Meetup { seated, lined }
    }

    /// Those who find a seat each, and those who come where there is a line.
    pub fn halves(&self) -> (&[Person], &[Person]) {
        self.rich.split_at(self.rich.len().div_ceil(2))
    }

    /// Waits until nothing is under way, and fails when something is not as it must be.
    pub async fn settle(&self) {
        if let Err(wrong) = self.books.settle(SETTLE_WITHIN).await {
            panic!("{wrong:#?}\n{:#?}", self.books.pairs(UNFINISHED).await);
        }
    }

    /// How the orders of some schedules ended; fails when one took longer than was promised.
    pub async fn outcome(&self, schedules: &[&str], losses: &Losses) -> Outcome {
        let ids: Vec<_> = schedules.iter().map(|it| format!("'{}'", uuid(it))).collect();
        let among = format!("WHERE s.schedule_id IN ({})", ids.join(", "));
        let ended = self.books.pairs(&format!("{ENDED} {among} GROUP BY o.state")).await;
        let ended: BTreeMap<_, _> = ended.into_iter().collect();
        let count = |state| ended.get(state).copied().unwrap_or_default();
        let slowest = self.books.pairs(&format!("{TIMES} {among}")).await;
        let slowest = slowest.iter().map(|(times, ended)| took(times, *ended, losses)).max();
        let outcome = Outcome {
            orders: ended.values().sum(),
            confirmed: count("CONFIRMED"),
            released: count("RELEASED"),
            refunded: count("REFUNDED"),
            kills: losses.kills,
            slowest: slowest.unwrap_or_default(),
        };
        let Outcome { orders, confirmed, released, refunded, slowest, .. } = outcome;
        assert_eq!(orders, confirmed + released + refunded, "{ended:?}");
        assert!(slowest <= 2 * LIMIT, "later than twice {LIMIT:?}: {outcome}");
        outcome
    }
}

impl Meetup {
    /// Everybody signs up, and all who wait get seats.
    pub async fn sign_up(&self, cast: &Cast) {
        let (first, second) = cast.halves();
        join(attend(first, &self.seated), attend(second, &self.lined)).await;
        attend(&cast.poor, &self.seated).await;
        self.finish(cast).await;
    }

    /// All who still wait get seats.
    pub async fn finish(&self, cast: &Cast) {
        cast.settle().await;
        cast.enlarge(&self.lined, cast.halves().1.len().max(1)).await;
        cast.settle().await;
    }

    /// Half of those who were seated leave, and the other schedule is called off.
    pub async fn give_back(&self, cast: &Cast) {
        let (first, _) = cast.halves();
        let (leaving, _) = first.split_at(first.len().div_ceil(2));
        join(withdraw(leaving, &self.seated), cast.call_off(&self.lined)).await;
        cast.settle().await;
    }
}

/// How long one order took, from its hold, its return or the last mending, whichever was last.
fn took(times: &str, ended: i64, losses: &Losses) -> Duration {
    let (returned, expires) = times.split_once(':').unwrap();
    let (returned, expires): (i64, i64) = (returned.parse().unwrap(), expires.parse().unwrap());
    let held = expires - i64::try_from(HOLD.as_micros()).unwrap();
    let began = if returned > 0 { returned } else { held };
    let mended = losses.mended.iter().map(|at| at.us()).filter(|at| *at <= ended);
    let since = mended.fold(began, i64::max);
    Duration::from_micros(u64::try_from(ended - since).unwrap_or_default())
}
