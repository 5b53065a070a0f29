//! Between the model and the messages of the contract.

use moim_kit::id::{GatheringId, MemberId};
use moim_kit::page::{PageArgs, PageOf, PageSpec};
use moim_kit::{Fault, Timestamp};
use moim_proto::gathering::v1::{MembershipRole, MembershipState, MembershipStatus};
use moim_proto::member::v1 as member;
use moim_proto::page::v1 as page;
use moim_proto::payment::v1 as payment;
use moim_proto::schedule::v1 as proto;

use crate::attendance::{Attendance, Shown, State};
use crate::fault::Reason;
use crate::ics::Signer;
use crate::model::{Card, Change, Plan, Role, Schedule};
use crate::order::{Failure, Phase, Seat, Verdict};
use crate::seats::{Choice, Status, Viewer, choice, status};

/// A schedule as its viewer sees it.
pub fn schedule(
    schedule: &Schedule,
    viewer: Viewer,
    own: Option<&Shown>,
    signer: &Signer,
    now: Timestamp,
) -> proto::Schedule {
    let viewer = Viewer { state: own.map(|own| own.attendance.state), ..viewer };
    proto::Schedule {
        id: schedule.id.to_string(),
        gathering_id: schedule.gathering_id.to_string(),
        title: schedule.title.clone(),
        description: schedule.description.clone(),
        place: schedule.place.clone(),
        starts_at_us: schedule.starts_at.us(),
        ends_at_us: schedule.ends_at.us(),
        time_zone: schedule.time_zone.clone(),
        capacity: schedule.capacity,
        going_count: schedule.going_count,
        waitlist_count: schedule.waitlist_count,
        status: status_to(status(schedule, now)).into(),
        viewer_option: choice_to(choice(schedule, viewer, now)).into(),
        viewer_attendance: own.map(|own| attendance(own, Some(own.attendance.member_id))),
        ics_path: signer.path(schedule.id),
        held_count: schedule.held_count,
        fee_krw: schedule.fee_krw,
        refundable_until_us: schedule.refundable_until.map(Timestamp::us),
    }
}

/// An attendance as whoever may see it does; its order is the member's own affair.
pub fn attendance(shown: &Shown, viewer: Option<MemberId>) -> proto::Attendance {
    let Shown { attendance, card, waitlist_position, .. } = shown;
    proto::Attendance {
        id: attendance.id.to_string(),
        schedule_id: attendance.schedule_id.to_string(),
        member: Some(member::Card {
            id: card.member_id.to_string(),
            nickname: card.nickname.clone(),
            avatar_url: card.avatar_url.clone(),
        }),
        state: state_to(attendance.state).into(),
        waitlist_position: *waitlist_position,
        updated_at_us: attendance.updated_at.us(),
        hold_expires_at_us: attendance.hold_expires_at.map(Timestamp::us),
        order_id: attendance
            .order_id
            .filter(|_| viewer == Some(attendance.member_id))
            .map(|id| id.to_string()),
    }
}

/// What is told of a schedule.
pub fn schedule_state(schedule: &Schedule) -> proto::ScheduleState {
    proto::ScheduleState {
        id: schedule.id.to_string(),
        gathering_id: schedule.gathering_id.to_string(),
        title: schedule.title.clone(),
        description: schedule.description.clone(),
        place: schedule.place.clone(),
        starts_at_us: schedule.starts_at.us(),
        ends_at_us: schedule.ends_at.us(),
        time_zone: schedule.time_zone.clone(),
        capacity: schedule.capacity,
        going_count: schedule.going_count,
        waitlist_count: schedule.waitlist_count,
        closed: schedule.closed,
        cancel_reason: schedule.cancel_reason.clone(),
        held_count: schedule.held_count,
        fee_krw: schedule.fee_krw,
        refundable_until_us: schedule.refundable_until.map(Timestamp::us),
    }
}

/// What is told of an attendance.
pub fn attendance_fact(
    attendance: &Attendance,
    gathering: GatheringId,
    promoted: bool,
) -> proto::AttendanceFact {
    proto::AttendanceFact {
        id: attendance.id.to_string(),
        schedule_id: attendance.schedule_id.to_string(),
        gathering_id: gathering.to_string(),
        member_id: attendance.member_id.to_string(),
        state: state_to(attendance.state).into(),
        promoted,
    }
}

/// What happened to a schedule, and whom it concerns.
pub fn schedule_event(
    schedule: &Schedule,
    gathering_title: String,
    moved: proto::ScheduleMove,
    actor: MemberId,
    audience: &[MemberId],
) -> proto::ScheduleEvent {
    proto::ScheduleEvent {
        schedule_id: schedule.id.to_string(),
        gathering_id: schedule.gathering_id.to_string(),
        gathering_title,
        title: schedule.title.clone(),
        starts_at_us: schedule.starts_at.us(),
        time_zone: schedule.time_zone.clone(),
        actor_id: actor.to_string(),
        r#move: moved.into(),
        reason: schedule.cancel_reason.clone().unwrap_or_default(),
        audience_ids: audience.iter().map(MemberId::to_string).collect(),
    }
}

/// That somebody in line got a seat, or is offered one, that `actor` made free; nothing while it is being
/// paid.
pub fn attendance_event(
    schedule: &Schedule,
    promoted: &Attendance,
    actor: Option<MemberId>,
) -> Option<proto::AttendanceEvent> {
    let moved = match promoted.state {
        State::Going => proto::AttendanceMove::Granted,
        State::Offered => proto::AttendanceMove::Offered,
        _ => return None,
    };
    Some(proto::AttendanceEvent {
        attendance_id: promoted.id.to_string(),
        schedule_id: schedule.id.to_string(),
        schedule_title: schedule.title.clone(),
        starts_at_us: schedule.starts_at.us(),
        time_zone: schedule.time_zone.clone(),
        member_id: promoted.member_id.to_string(),
        actor_id: actor.map(|id| id.to_string()).unwrap_or_default(),
        r#move: moved.into(),
        hold_expires_at_us: promoted.hold_expires_at.map(Timestamp::us),
        fee_krw: schedule.fee_krw,
    })
}

/// What is told of a paid seat.
pub fn seat_state(seat: &Seat, schedule_title: &str) -> proto::SeatState {
    proto::SeatState {
        order_id: seat.order_id.to_string(),
        attendance_id: seat.attendance_id.to_string(),
        schedule_id: seat.schedule_id.to_string(),
        gathering_id: seat.gathering_id.to_string(),
        member_id: seat.member_id.to_string(),
        amount_krw: seat.amount_krw,
        schedule_title: schedule_title.to_owned(),
        phase: phase_to(seat.phase).into(),
        expires_at_us: seat.expires_at.us(),
        refund: seat.refund,
    }
}

/// What the payment says of an order, where that concerns its seat.
pub fn verdict_from(order: &payment::OrderFact) -> Option<Verdict> {
    use payment::OrderFailure as Wire;
    let failure = match order.failure() {
        Wire::InsufficientBalance => Failure::InsufficientBalance,
        Wire::SeatLost => Failure::SeatLost,
        // Whatever a later version may call it: the money did not come.
        Wire::Expired | Wire::Unspecified => Failure::Expired,
    };
    match order.state() {
        payment::OrderState::MoneyHeld => Some(Verdict::MoneyHeld),
        payment::OrderState::Released => {
            Some(Verdict::Released { failure, shortfall_krw: order.shortfall_krw })
        }
        _ => None,
    }
}

/// A request to announce a schedule, not yet checked.
pub fn plan_from(request: proto::CreateRequest) -> Plan {
    Plan {
        title: request.title,
        description: request.description,
        place: request.place,
        starts_at: Timestamp::from_us(request.starts_at_us),
        ends_at: Timestamp::from_us(request.ends_at_us),
        time_zone: request.time_zone,
        capacity: request.capacity,
        fee_krw: request.fee_krw,
        refundable_until: request.refundable_until_us.map(Timestamp::from_us),
    }
}

/// A request to change a schedule, not yet checked.
pub fn change_from(request: proto::UpdateRequest) -> Change {
    Change {
        title: request.title,
        description: request.description,
        place: request.place,
        starts_at: request.starts_at_us.map(Timestamp::from_us),
        ends_at: request.ends_at_us.map(Timestamp::from_us),
        capacity: request.capacity,
        closed: request.closed,
        fee_krw: request.fee_krw,
        refundable_until: request.refundable_until_us.map(Timestamp::from_us),
    }
}

/// The state that a list is asked for.
pub fn state_from(state: i32) -> Result<State, Reason> {
    use proto::AttendanceState as Wire;
    match Wire::try_from(state) {
        Ok(Wire::Going) => Ok(State::Going),
        Ok(Wire::Waitlisted) => Ok(State::Waitlisted),
        Ok(Wire::Withdrawn) => Ok(State::Withdrawn),
        Ok(Wire::Attended) => Ok(State::Attended),
        Ok(Wire::NoShow) => Ok(State::NoShow),
        Ok(Wire::PendingPayment) => Ok(State::PendingPayment),
        Ok(Wire::Offered) => Ok(State::Offered),
        Ok(Wire::Unspecified) | Err(_) => Err(Reason::StateInvalid),
    }
}

/// A member as another room tells of them.
pub fn card_from(state: member::MemberState) -> Result<Card, Fault> {
    Ok(Card {
        member_id: state.id.parse().map_err(Fault::internal)?,
        nickname: state.nickname,
        avatar_url: state.avatar_url,
    })
}

/// Whose membership another room tells of, the role, and the name of the status.
pub fn membership_from(
    state: &MembershipState,
) -> Result<(GatheringId, MemberId, Role, &'static str), Fault> {
    let role = match state.role() {
        MembershipRole::Host => Role::Host,
        MembershipRole::Manager => Role::Manager,
        MembershipRole::Member => Role::Member,
        MembershipRole::Unspecified => return Err(Fault::internal("a membership without a role")),
    };
    let status = match state.status() {
        MembershipStatus::Pending => "PENDING",
        MembershipStatus::Active => "ACTIVE",
        MembershipStatus::Rejected => "REJECTED",
        MembershipStatus::Left => "LEFT",
        MembershipStatus::Removed => "REMOVED",
        MembershipStatus::Banned => "BANNED",
        MembershipStatus::Unspecified => {
            return Err(Fault::internal("a membership without a status"));
        }
    };
    let gathering = state.gathering_id.parse().map_err(Fault::internal)?;
    let member = state.member_id.parse().map_err(Fault::internal)?;
    Ok((gathering, member, role, status))
}

/// Checks which page is asked for; `list` tags the cursors.
pub fn page_spec(page: Option<&page::PageRequest>, list: u8) -> Result<PageSpec, Fault> {
    let args = page.map_or_else(PageArgs::default, |page| PageArgs {
        first: page.first,
        after: page.after.as_deref(),
        last: page.last,
        before: page.before.as_deref(),
    });
    PageSpec::try_new(args, list)
}

/// What an answer says of its place in the list.
pub fn page<T>(of: &PageOf<T>) -> page::Page {
    page::Page {
        has_next_page: of.has_next_page,
        has_previous_page: of.has_previous_page,
        cursors: of.cursors.clone(),
    }
}

fn state_to(state: State) -> proto::AttendanceState {
    match state {
        State::Going => proto::AttendanceState::Going,
        State::Waitlisted => proto::AttendanceState::Waitlisted,
        State::Withdrawn => proto::AttendanceState::Withdrawn,
        State::Attended => proto::AttendanceState::Attended,
        State::NoShow => proto::AttendanceState::NoShow,
        State::PendingPayment => proto::AttendanceState::PendingPayment,
        State::Offered => proto::AttendanceState::Offered,
    }
}

fn phase_to(phase: Phase) -> proto::SeatPhase {
    match phase {
        Phase::Waiting => proto::SeatPhase::Waiting,
        Phase::Held => proto::SeatPhase::Held,
        Phase::Granted => proto::SeatPhase::Granted,
        Phase::Lost => proto::SeatPhase::Lost,
        Phase::Returned => proto::SeatPhase::Returned,
    }
}

fn status_to(status: Status) -> proto::ScheduleStatus {
    match status {
        Status::Open => proto::ScheduleStatus::Open,
        Status::Full => proto::ScheduleStatus::Full,
        Status::Closed => proto::ScheduleStatus::Closed,
        Status::Cancelled => proto::ScheduleStatus::Cancelled,
        Status::Ended => proto::ScheduleStatus::Ended,
    }
}

fn choice_to(choice: Choice) -> proto::AttendOption {
    match choice {
        Choice::LogIn => proto::AttendOption::LogIn,
        Choice::JoinGathering => proto::AttendOption::JoinGathering,
        Choice::Attend => proto::AttendOption::Attend,
        Choice::JoinWaitlist => proto::AttendOption::JoinWaitlist,
        Choice::AcceptOffer => proto::AttendOption::AcceptOffer,
        Choice::Withdraw => proto::AttendOption::Withdraw,
        Choice::Nothing => proto::AttendOption::None,
    }
}
