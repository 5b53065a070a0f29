//! Closed sets of the schedule service, as clients and as the service spell them.

use async_graphql::Enum;
use moim_proto::schedule::v1 as proto;

use crate::schema::enums::same;

/// Life of a schedule.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScheduleStatus {
    /// Seats are free.
    Open,
    /// No free seat; waitlist open.
    Full,
    /// Sign-up closed by the host.
    Closed,
    /// Called off.
    Cancelled,
    /// Over.
    Ended,
}

/// Life of an attendance. A freed seat goes to the first in line: GOING when free or auto-paid, else OFFERED.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AttendanceState {
    /// A seat is held while its price is taken.
    PendingPayment,
    /// Has a seat.
    Going,
    /// In line for a seat.
    Waitlisted,
    /// A freed seat is held for this member until holdExpiresAt; attend again to accept and pay.
    Offered,
    /// Gave up the seat or the place in line.
    Withdrawn,
    /// Came.
    Attended,
    /// Had a seat and did not come.
    NoShow,
}

/// The viewer's next step at a schedule.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AttendOption {
    /// Nobody is signed in.
    LogIn,
    /// Not a member of the gathering yet.
    JoinGathering,
    /// A seat is free.
    Attend,
    /// No seat is free; stand in line.
    JoinWaitlist,
    /// A seat is held for the viewer; attend to accept it.
    AcceptOffer,
    /// Goes, waits or pays already; may give it up.
    Withdraw,
    /// Nothing: closed, cancelled, over, or not allowed.
    None,
}

same! { proto:
    ScheduleStatus = ScheduleStatus { Open Full Closed Cancelled Ended }
    AttendanceState = AttendanceState { PendingPayment Going Waitlisted Offered Withdrawn Attended NoShow }
    AttendOption = AttendOption {
        LogIn JoinGathering Attend JoinWaitlist AcceptOffer Withdraw None
    }
}
