//! Points at which a process kills itself when it is told to, so that proofs can lose it exactly there.
//!
//! `MOIM_CRASH=<point>:<noun>@<version>:<nth>` names the point, the state whose passing counts, and which
//! passing ends the process; `MOIM_CRASH=<point>:<nth>` a point of a room's own. It exists under the feature
//! `crash` alone, which nothing turns on by itself.

use std::process::Command;
use std::str::FromStr;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use moim_kit::bus::{Fact, Kind};

/// Where in its life a state is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Point {
    /// Written, not committed.
    BeforeCommit,
    /// Committed; nobody was told.
    AfterCommit,
    /// Acknowledged by the bus; not yet marked as carried.
    AfterPublish,
    /// Taken in and committed; the bus does not know that yet.
    BeforeAck,
}

/// What ends the process.
#[derive(Debug)]
struct Trap {
    place: Place,
    nth: u64,
    passed: AtomicU64,
}

#[derive(Debug)]
enum Place {
    /// A state comes to a point.
    State { point: Point, noun: String, version: i64 },
    /// A room comes to a point of its own, of this name.
    Own(String),
}

static TRAP: LazyLock<Option<Trap>> = LazyLock::new(told);

#[allow(
    clippy::disallowed_methods,
    clippy::panic,
    reason = "for proofs, which must not run in vain"
)]
fn told() -> Option<Trap> {
    let told = std::env::var("MOIM_CRASH").ok()?;
    Some(told.parse().unwrap_or_else(|()| panic!("MOIM_CRASH is not understood: {told}")))
}

/// States that have come to a point; does not return when one of them is the one to die with.
pub(crate) fn reach<'a>(point: Point, facts: impl IntoIterator<Item = &'a Fact>) {
    if let Some(trap) = &*TRAP
        && facts.into_iter().any(|fact| trap.springs(point, fact))
    {
        die();
    }
}

/// A room has come to a point of its own; does not return when it is the one to die at.
pub fn pass(point: &str) {
    if TRAP.as_ref().is_some_and(|trap| trap.springs_at(point)) {
        die();
    }
}

impl Trap {
    fn springs(&self, at: Point, fact: &Fact) -> bool {
        let Place::State { point, noun, version } = &self.place else { return false };
        let is_meant =
            fact.kind == Kind::State && (at, &fact.noun, fact.version) == (*point, noun, *version);
        is_meant && self.is_nth()
    }

    fn springs_at(&self, own: &str) -> bool {
        matches!(&self.place, Place::Own(point) if point == own) && self.is_nth()
    }

    fn is_nth(&self) -> bool {
        self.passed.fetch_add(1, Ordering::Relaxed) + 1 == self.nth
    }
}

/// As a lost machine does: no destructor runs and nothing is said to anybody.
fn die() {
    let own = std::process::id().to_string();
    loop {
        let _ = Command::new("kill").args(["-s", "KILL", &own]).status();
        std::thread::park();
    }
}

impl FromStr for Point {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        match word {
            "before_commit" => Ok(Self::BeforeCommit),
            "after_commit" => Ok(Self::AfterCommit),
            "after_publish" => Ok(Self::AfterPublish),
            "before_ack" => Ok(Self::BeforeAck),
            _ => Err(()),
        }
    }
}

impl FromStr for Trap {
    type Err = ();

    fn from_str(told: &str) -> Result<Self, ()> {
        let (place, nth) = match told.split(':').collect::<Vec<_>>()[..] {
            [point, step, nth] => {
                let (noun, version) = step.split_once('@').ok_or(())?;
                let version = version.parse().map_err(|_| ())?;
                (Place::State { point: point.parse()?, noun: noun.to_owned(), version }, nth)
            }
            [point, nth] if !point.is_empty() => (Place::Own(point.to_owned()), nth),
            _ => return Err(()),
        };
        Ok(Self { place, nth: nth.parse().map_err(|_| ())?, passed: AtomicU64::new(0) })
    }
}

#[cfg(test)]
mod tests {
    use moim_kit::Clock;
    use uuid::Uuid;

    use super::*;

    fn state(noun: &str, version: i64, kind: Kind) -> Fact {
        Fact {
            id: Uuid::now_v7(),
            kind,
            topic: None,
            noun: noun.to_owned(),
            aggregate: Uuid::now_v7(),
            version,
            payload: Vec::new().into(),
            trace: String::new(),
            at: Clock::system().now(),
        }
    }

    #[test]
    fn the_nth_state_that_is_meant_springs_the_trap_and_no_other() {
        let trap: Trap = "after_commit:order@3:2".parse().unwrap();
        let meant = state("order", 3, Kind::State);
        assert!(!trap.springs(Point::AfterCommit, &meant));
        for (point, noun, version, kind) in [
            (Point::BeforeCommit, "order", 3, Kind::State),
            (Point::AfterCommit, "seat", 3, Kind::State),
            (Point::AfterCommit, "order", 2, Kind::State),
            (Point::AfterCommit, "order", 3, Kind::Event),
        ] {
            assert!(!trap.springs(point, &state(noun, version, kind)));
        }
        assert!(trap.springs(Point::AfterCommit, &meant));
        assert!(!trap.springs(Point::AfterCommit, &meant), "once");
    }

    #[test]
    fn a_point_of_a_room_springs_the_trap_at_the_nth_passing_and_no_other() {
        let trap: Trap = "index_prepared:2".parse().unwrap();
        assert!(!trap.springs(Point::AfterCommit, &state("order", 2, Kind::State)));
        let passings = ["index_prepared", "index_swapped", "index_prepared", "index_prepared"];
        assert_eq!(passings.map(|it| trap.springs_at(it)), [false, false, true, false]);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for told in [
            "",
            "after_commit",
            ":1",
            "someday:seat@1:1",
            "before_ack:seat:1",
            "before_ack:seat@1:x",
            "index_prepared:x",
        ] {
            assert!(told.parse::<Trap>().is_err(), "{told}");
        }
    }
}
