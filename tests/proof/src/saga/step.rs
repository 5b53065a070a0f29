//! The steps of an order, the points at which a room is lost, and whose step it is.

use std::fmt;

/// A fact that an order comes by.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// As tables call it.
    pub name: &'static str,
    noun: &'static str,
    version: i64,
    /// It comes when a seat is given back.
    pub is_of_refund: bool,
    /// The next state often follows so soon that the bus never delivers this one.
    pub may_be_overtaken: bool,
}

const fn step(name: &'static str, noun: &'static str, version: i64) -> Step {
    let is_of_refund = matches!((noun.as_bytes()[0], version), (b's', 3) | (b'o', 4 | 5));
    let may_be_overtaken = matches!((noun.as_bytes()[0], version), (b'o', 1 | 4));
    Step { name, noun, version, is_of_refund, may_be_overtaken }
}

/// All of them, with the versions they have when nobody waits in line.
pub const STEPS: [Step; 8] = [
    step("seat 1 HELD", "seat", 1),
    step("order 1 SEAT_HELD", "order", 1),
    step("order 2 MONEY_HELD", "order", 2),
    step("seat 2 GRANTED", "seat", 2),
    step("order 3 CONFIRMED", "order", 3),
    step("seat 3 RETURNED", "seat", 3),
    step("order 4 REFUNDING", "order", 4),
    step("order 5 REFUNDED", "order", 5),
];

/// Where in its life a fact is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    BeforeCommit,
    AfterCommit,
    AfterPublish,
    BeforeAck,
}

/// All of them.
pub const POINTS: [Point; 4] =
    [Point::BeforeCommit, Point::AfterCommit, Point::AfterPublish, Point::BeforeAck];

impl Step {
    /// Who dies: the room that tells the fact, or the one that has heard it.
    pub fn room(self, point: Point) -> &'static str {
        match (self.noun, point) {
            ("seat", Point::BeforeAck) | ("order", Point::BeforeCommit | Point::AfterCommit) => {
                "payment"
            }
            ("order", Point::AfterPublish) => "payment",
            _ => "schedule",
        }
    }

    /// What `MOIM_CRASH` says at each start: death comes sooner each time, and with the first such fact when
    /// there may be few.
    pub fn traps(self, point: Point, kills: u64) -> Vec<String> {
        let Self { noun, version, may_be_overtaken, .. } = self;
        let nth = |kill| if may_be_overtaken { 1 } else { (kills - kill) * 2 - 1 };
        (0..kills).map(|kill| format!("{point}:{noun}@{version}:{}", nth(kill))).collect()
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BeforeCommit => "before_commit",
            Self::AfterCommit => "after_commit",
            Self::AfterPublish => "after_publish",
            Self::BeforeAck => "before_ack",
        })
    }
}
