//! Attendances: places at schedules and places in line, and who may see them.

use moim_kit::Timestamp;
use moim_kit::id::{AttendanceId, GatheringId, MemberId, OrderId, ScheduleId};

use crate::model::{Card, Role, words};

words! {
    /// Life of an attendance.
    State {
        PendingPayment "PENDING_PAYMENT",
        Going "GOING",
        Waitlisted "WAITLISTED",
        Offered "OFFERED",
        Withdrawn "WITHDRAWN",
        Attended "ATTENDED",
        NoShow "NO_SHOW",
    }
}

impl State {
    /// True when everybody may see who is in this state; the others are for host and managers.
    pub const fn is_public(self) -> bool {
        matches!(self, Self::Going | Self::Attended)
    }
}

/// A member's place, or place in line, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attendance {
    pub id: AttendanceId,
    pub schedule_id: ScheduleId,
    pub member_id: MemberId,
    pub state: State,
    pub ticket: i64,
    pub version: i64,
    pub updated_at: Timestamp,
    /// The latest order for it.
    pub order_id: Option<OrderId>,
    /// In line: pays by itself. Afterwards: came up from the line so.
    pub auto_pay: bool,
    /// Only while a seat is held.
    pub hold_expires_at: Option<Timestamp>,
}

/// What somebody who comes is given.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub state: State,
    pub order_id: Option<OrderId>,
    pub auto_pay: bool,
    pub hold_expires_at: Option<Timestamp>,
}

/// An attendance as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    pub attendance: Attendance,
    pub gathering_id: GatheringId,
    /// When its schedule starts.
    pub starts_at: Timestamp,
    pub card: Card,
    /// 1 is next; only while waitlisted.
    pub waitlist_position: Option<i32>,
}

impl Shown {
    /// Everybody sees who goes and who came; the rest is between the member, the host and managers.
    pub fn may_be_seen_by(&self, viewer: Option<MemberId>, role: Option<Role>) -> bool {
        self.attendance.state.is_public()
            || viewer == Some(self.attendance.member_id)
            || role.is_some_and(Role::leads)
    }
}
