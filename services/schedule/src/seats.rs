//! Who gets a seat, who stands in line and who moves up: every decision about places, without I/O.

use moim_kit::Timestamp;
use moim_kit::id::OrderId;

use crate::attendance::{Attendance, Place, State};
use crate::fault::Reason;
use crate::fee::Terms;
use crate::model::{RECORDABLE, Schedule};
use crate::order::Failure;

/// Where a schedule stands, as people see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Open,
    Full,
    Closed,
    Cancelled,
    Ended,
}

/// What the viewer can do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    LogIn,
    JoinGathering,
    Attend,
    JoinWaitlist,
    AcceptOffer,
    Withdraw,
    Nothing,
}

/// Who looks at a schedule.
#[derive(Clone, Copy, Debug)]
pub struct Viewer {
    pub signed_in: bool,
    /// Active in the schedule's gathering.
    pub belongs: bool,
    /// Their own attendance, if any.
    pub state: Option<State>,
}

/// Where a schedule stands; from its start on sign-up counts as closed.
pub fn status(schedule: &Schedule, now: Timestamp) -> Status {
    if schedule.cancelled_at.is_some() {
        Status::Cancelled
    } else if now >= schedule.ends_at {
        Status::Ended
    } else if schedule.closed || now >= schedule.starts_at {
        Status::Closed
    } else if has_free_seat(schedule) {
        Status::Open
    } else {
        Status::Full
    }
}

/// The viewer's next step; nobody can do anything once it was cancelled or has started.
pub fn choice(schedule: &Schedule, viewer: Viewer, now: Timestamp) -> Choice {
    if require_ahead(schedule, now).is_err() {
        return Choice::Nothing;
    }
    match viewer {
        Viewer { signed_in: false, .. } => Choice::LogIn,
        Viewer { belongs: false, .. } => Choice::JoinGathering,
        Viewer { state: Some(State::Offered), .. } => Choice::AcceptOffer,
        Viewer {
            state: Some(State::Going | State::Waitlisted | State::PendingPayment), ..
        } => Choice::Withdraw,
        Viewer { state: Some(State::Attended | State::NoShow), .. } => Choice::Nothing,
        _ if schedule.closed => Choice::Nothing,
        _ if has_free_seat(schedule) => Choice::Attend,
        _ => Choice::JoinWaitlist,
    }
}

/// Refuses unless people can still sign up.
pub fn require_open(schedule: &Schedule, now: Timestamp) -> Result<(), Reason> {
    require_ahead(schedule, now)?;
    if schedule.closed { Err(Reason::ScheduleClosed) } else { Ok(()) }
}

/// A seat that somebody who comes now may take: nobody passes the line.
pub fn has_free_seat(schedule: &Schedule) -> bool {
    schedule.taken() < schedule.capacity && schedule.waitlist_count == 0
}

/// Refuses a second place; who withdrew may come again.
pub fn require_no_place(state: Option<State>) -> Result<(), Reason> {
    match state {
        None | Some(State::Withdrawn) => Ok(()),
        Some(_) => Err(Reason::AlreadyAttending),
    }
}

/// Refuses to hold a seat any longer for who was offered it: it has started or was called off.
pub fn require_acceptable(schedule: &Schedule, now: Timestamp) -> Result<(), Reason> {
    require_ahead(schedule, now)
}

/// What somebody gets who has just been counted in as `state`.
pub fn arrival(
    schedule: &Schedule,
    state: State,
    auto_pay: bool,
    terms: Terms,
    now: Timestamp,
) -> Place {
    let auto_pay = auto_pay && state == State::Waitlisted && schedule.fee_krw > 0;
    let is_held = state == State::PendingPayment;
    Place {
        state,
        order_id: (is_held || auto_pay).then(OrderId::fresh),
        auto_pay,
        hold_expires_at: is_held.then(|| terms.held_until(now)),
    }
}

/// Takes the place of a member out of the counts, before the start only.
pub fn give_up(
    schedule: &mut Schedule,
    state: Option<State>,
    now: Timestamp,
) -> Result<(), Reason> {
    require_ahead(schedule, now)?;
    release(schedule, state)
}

/// Takes the place of a member who no longer belongs out of the counts. A seat stays with who had it
/// once it has started; a place in line or a hold is of no use to them even then.
pub fn lose_place(
    schedule: &mut Schedule,
    state: Option<State>,
    now: Timestamp,
) -> Result<(), Reason> {
    match require_ahead(schedule, now) {
        Err(Reason::ScheduleStarted)
            if matches!(
                state,
                Some(State::Waitlisted | State::PendingPayment | State::Offered)
            ) => {}
        ahead => ahead?,
    }
    release(schedule, state)
}

/// Moves up as many as there are free seats and tells how many; they are the first in line. A paid seat
/// is only held for them, and nobody can accept or pay for one that was called off or has started.
pub fn promote(schedule: &mut Schedule, now: Timestamp) -> i32 {
    let is_paid = schedule.fee_krw > 0;
    if schedule.cancelled_at.is_some() || (is_paid && now >= schedule.starts_at) {
        return 0;
    }
    let free = schedule.capacity - schedule.taken();
    let moved = free.min(schedule.waitlist_count).max(0);
    let counted = if is_paid { &mut schedule.held_count } else { &mut schedule.going_count };
    *counted += moved;
    schedule.waitlist_count -= moved;
    moved
}

/// Counts a held seat as one for good.
pub fn grant(schedule: &mut Schedule) {
    schedule.held_count -= 1;
    schedule.going_count += 1;
}

/// What becomes of a place whose order was released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unpaid {
    /// The seat is taken back.
    Withdraw,
    /// The seat stays held for who came up from the line with too little money: they may pay yet.
    Offer,
    /// The place in line stays, without the promise to pay.
    Wait,
    /// It is over, or about another order.
    Keep,
}

/// Takes the place of an order that was released out of the counts, as far as it was counted.
pub fn unpaid(
    schedule: &mut Schedule,
    own: &Attendance,
    failure: Failure,
    now: Timestamp,
) -> Unpaid {
    let lacked = own.auto_pay && failure == Failure::InsufficientBalance;
    match own.state {
        State::PendingPayment if lacked && require_ahead(schedule, now).is_ok() => Unpaid::Offer,
        State::PendingPayment => {
            schedule.held_count -= 1;
            Unpaid::Withdraw
        }
        State::Going => {
            schedule.going_count -= 1;
            Unpaid::Withdraw
        }
        State::Waitlisted => Unpaid::Wait,
        State::Offered | State::Withdrawn | State::Attended | State::NoShow => Unpaid::Keep,
    }
}

/// What is recorded of a member who had a seat.
pub fn record(
    schedule: &Schedule,
    state: State,
    attended: bool,
    now: Timestamp,
) -> Result<State, Reason> {
    if schedule.cancelled_at.is_some() {
        Err(Reason::ScheduleCancelled)
    } else if now < schedule.starts_at {
        Err(Reason::ScheduleNotStarted)
    } else if now > schedule.ends_at.after(RECORDABLE) {
        Err(Reason::RecordingOver)
    } else if !matches!(state, State::Going | State::Attended | State::NoShow) {
        Err(Reason::NotGoing)
    } else if attended {
        Ok(State::Attended)
    } else {
        Ok(State::NoShow)
    }
}

/// Refuses once it was cancelled or has started.
fn require_ahead(schedule: &Schedule, now: Timestamp) -> Result<(), Reason> {
    if schedule.cancelled_at.is_some() {
        Err(Reason::ScheduleCancelled)
    } else if now >= schedule.starts_at {
        Err(Reason::ScheduleStarted)
    } else {
        Ok(())
    }
}

fn release(schedule: &mut Schedule, state: Option<State>) -> Result<(), Reason> {
    match state {
        Some(State::Going) => schedule.going_count -= 1,
        Some(State::Waitlisted) => schedule.waitlist_count -= 1,
        Some(State::PendingPayment | State::Offered) => schedule.held_count -= 1,
        _ => return Err(Reason::NotAttending),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use moim_kit::id::GatheringId;

    use super::*;
    use crate::model::Plan;

    const NOW: Timestamp = Timestamp::from_us(1_800_000_000_000_000);
    const HOUR: Duration = Duration::from_secs(3_600);

    fn schedule(capacity: i32, going_count: i32, waitlist_count: i32) -> Schedule {
        let plan = Plan {
            title: "보드게임".to_owned(),
            description: "처음이어도 좋아요".to_owned(),
            place: "합정".to_owned(),
            starts_at: NOW.after(HOUR),
            ends_at: NOW.after(HOUR * 3),
            time_zone: "Asia/Seoul".to_owned(),
            capacity,
            fee_krw: 0,
            refundable_until: None,
        };
        let fresh = plan.announce(GatheringId::fresh(), NOW).unwrap();
        Schedule { going_count, waitlist_count, ..fresh }
    }

    fn member(state: Option<State>) -> Viewer {
        Viewer { signed_in: true, belongs: true, state }
    }

    #[test]
    fn as_many_move_up_as_there_are_seats_and_people_waiting() {
        for (capacity, going, waiting, moved) in
            [(2, 2, 3, 0), (2, 1, 3, 1), (5, 2, 2, 2), (5, 2, 9, 3)]
        {
            let mut schedule = schedule(capacity, going, waiting);
            assert_eq!(promote(&mut schedule, NOW), moved);
            assert_eq!(schedule.going_count, going + moved);
            assert_eq!(schedule.waitlist_count, waiting - moved);
        }
    }

    #[test]
    fn paid_seats_are_held_for_the_line_until_the_start() {
        let paid = Schedule { fee_krw: 1, held_count: 1, ..schedule(4, 1, 3) };
        let mut moved = paid.clone();
        assert_eq!(promote(&mut moved, NOW), 2);
        assert_eq!((moved.going_count, moved.held_count, moved.waitlist_count), (1, 3, 1));
        assert_eq!(promote(&mut paid.clone(), paid.starts_at), 0);
        let mut cancelled = paid.cancelled("비".to_owned(), NOW).unwrap();
        assert_eq!(promote(&mut cancelled, NOW), 0);
    }

    #[test]
    fn a_free_seat_belongs_to_the_line_while_there_is_one() {
        assert!(has_free_seat(&schedule(2, 1, 0)));
        assert!(!has_free_seat(&schedule(2, 1, 1)));
        assert!(!has_free_seat(&schedule(2, 2, 0)));
    }

    #[test]
    fn the_status_follows_the_clock_and_the_seats() {
        let open = schedule(2, 1, 0);
        assert_eq!(status(&open, NOW), Status::Open);
        assert_eq!(status(&schedule(2, 2, 0), NOW), Status::Full);
        assert_eq!(status(&Schedule { closed: true, ..open.clone() }, NOW), Status::Closed);
        assert_eq!(status(&open, open.starts_at), Status::Closed);
        assert_eq!(status(&open, open.ends_at), Status::Ended);
        let cancelled = open.cancelled("비".to_owned(), NOW).unwrap();
        assert_eq!(status(&cancelled, open.ends_at), Status::Cancelled);
    }

    #[test]
    fn everyone_is_offered_just_what_they_can_do() {
        let (free, full) = (schedule(2, 1, 0), schedule(2, 2, 1));
        let stranger = Viewer { signed_in: false, belongs: false, state: None };
        assert_eq!(choice(&free, stranger, NOW), Choice::LogIn);
        let outsider = Viewer { belongs: false, ..member(None) };
        assert_eq!(choice(&free, outsider, NOW), Choice::JoinGathering);
        assert_eq!(choice(&free, member(None), NOW), Choice::Attend);
        assert_eq!(choice(&full, member(Some(State::Withdrawn)), NOW), Choice::JoinWaitlist);
        assert_eq!(choice(&full, member(Some(State::Waitlisted)), NOW), Choice::Withdraw);
        assert_eq!(choice(&full, member(Some(State::Offered)), NOW), Choice::AcceptOffer);
        assert_eq!(choice(&full, member(Some(State::PendingPayment)), NOW), Choice::Withdraw);
        let closed = Schedule { closed: true, ..free.clone() };
        assert_eq!(choice(&closed, member(None), NOW), Choice::Nothing);
        assert_eq!(choice(&closed, member(Some(State::Going)), NOW), Choice::Withdraw);
        assert_eq!(choice(&free, stranger, free.starts_at), Choice::Nothing);
    }

    #[test]
    fn who_leaves_the_gathering_keeps_a_seat_only_once_it_has_started() {
        let during = NOW.after(HOUR * 2);
        let lose = |state, now| lose_place(&mut schedule(2, 2, 1), Some(state), now);
        assert_eq!(lose(State::Going, NOW), Ok(()));
        assert_eq!(lose(State::Going, during), Err(Reason::ScheduleStarted));
        assert_eq!(lose(State::Waitlisted, during), Ok(()));
        assert_eq!(lose(State::Attended, NOW), Err(Reason::NotAttending));
    }

    #[test]
    fn who_came_is_recorded_from_the_start_until_a_month_after_the_end() {
        let schedule = schedule(2, 2, 1);
        let at = |now, state| record(&schedule, state, true, now);
        assert_eq!(at(NOW, State::Going), Err(Reason::ScheduleNotStarted));
        assert_eq!(at(schedule.starts_at, State::Going), Ok(State::Attended));
        assert_eq!(at(schedule.starts_at, State::Waitlisted), Err(Reason::NotGoing));
        let end = schedule.ends_at.after(RECORDABLE);
        assert_eq!(record(&schedule, State::Attended, false, end), Ok(State::NoShow));
        assert_eq!(at(end.after(HOUR), State::Going), Err(Reason::RecordingOver));
    }
}
