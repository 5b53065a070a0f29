//! Paid seats: this room's side of an order, and what the payment says of it.

use moim_kit::id::{AttendanceId, GatheringId, MemberId, OrderId, ScheduleId};
use moim_kit::{Fault, Timestamp};

use crate::attendance::{Attendance, State};
use crate::fault::Reason;
use crate::model::{Schedule, words};

words! {
    /// How far a paid seat has come.
    Phase {
        Waiting "WAITING",
        Held "HELD",
        Granted "GRANTED",
        Lost "LOST",
        Returned "RETURNED",
    }
}

words! {
    /// Why a paid seat was lost.
    Failure {
        InsufficientBalance "INSUFFICIENT_BALANCE",
        Expired "EXPIRED",
        SeatLost "SEAT_LOST",
    }
}

/// A paid seat as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    pub order_id: OrderId,
    pub attendance_id: AttendanceId,
    pub schedule_id: ScheduleId,
    pub gathering_id: GatheringId,
    pub member_id: MemberId,
    pub amount_krw: i64,
    pub phase: Phase,
    pub expires_at: Timestamp,
    pub refund: bool,
    pub failure: Option<Failure>,
    pub shortfall_krw: i64,
    pub version: i64,
}

/// What the payment says of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    MoneyHeld,
    Released { failure: Failure, shortfall_krw: i64 },
}

/// How a paid seat ends.
#[derive(Clone, Copy, Debug)]
pub enum Ending {
    /// The place went back: a granted seat is returned, any other lost.
    GivenUp { refund: bool },
    /// It could not be paid, or not in time: lost whatever it was.
    Failed { failure: Failure, shortfall_krw: i64 },
}

impl Seat {
    /// The seat that goes with an attendance that has just been given an order.
    pub fn ordered(schedule: &Schedule, attendance: &Attendance) -> Option<Self> {
        let phase = match attendance.state {
            State::PendingPayment => Phase::Held,
            State::Waitlisted => Phase::Waiting,
            _ => return None,
        };
        Some(Self {
            order_id: attendance.order_id?,
            attendance_id: attendance.id,
            schedule_id: schedule.id,
            gathering_id: schedule.gathering_id,
            member_id: attendance.member_id,
            amount_krw: schedule.fee_krw.into(),
            phase,
            expires_at: attendance.hold_expires_at.unwrap_or(schedule.starts_at),
            refund: false,
            failure: None,
            shortfall_krw: 0,
            version: 1,
        })
    }

    /// Why there is no seat for who waits for it; nothing while there is, or was.
    pub fn refusal(&self) -> Option<Fault> {
        let failure = self.failure.unwrap_or(Failure::SeatLost);
        (self.phase == Phase::Lost).then(|| match failure {
            Failure::InsufficientBalance => {
                Fault::from(Reason::InsufficientBalance).short_of(self.shortfall_krw)
            }
            Failure::Expired => Reason::PaymentExpired.into(),
            Failure::SeatLost => Reason::SeatLost.into(),
        })
    }

    /// True once nothing is to be waited for.
    pub fn is_decided(&self) -> bool {
        !matches!(self.phase, Phase::Waiting | Phase::Held)
    }
}
