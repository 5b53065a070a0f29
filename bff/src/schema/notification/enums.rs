//! Closed sets of the notification service, as clients and as the service spell them.

use async_graphql::Enum;
use moim_proto::notification::v1 as proto;

use crate::schema::enums::same;

/// Why a notification was sent.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NotificationKind {
    /// Somebody asks to join a gathering the viewer leads.
    MembershipRequested,
    /// The viewer's own request was decided.
    MembershipDecided,
    /// The viewer's own membership changed.
    MembershipChanged,
    /// A gathering of the viewer announced a schedule.
    ScheduleCreated,
    /// A schedule the viewer goes to, or waits for, changed.
    ScheduleChanged,
    /// A schedule the viewer goes to, or waits for, was called off.
    ScheduleCancelled,
    /// A schedule the viewer goes to starts soon.
    ScheduleReminder,
    /// The viewer, who waited, got a seat.
    SeatGranted,
    /// The viewer, who waited, is offered a seat; attend again to accept.
    SeatOffered,
    /// An order of the viewer's was paid, released or refunded.
    OrderChanged,
    /// Somebody reviewed a schedule of the viewer's gathering.
    ReviewReceived,
}

same! { proto:
    NotificationKind = NotificationKind {
        MembershipRequested MembershipDecided MembershipChanged ScheduleCreated ScheduleChanged
        ScheduleCancelled ScheduleReminder SeatGranted SeatOffered OrderChanged ReviewReceived
    }
}
