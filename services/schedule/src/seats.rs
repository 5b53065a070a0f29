//! Who gets a seat, who stands in line and who moves up: every decision about places, without I/O.

use moim_kit::Timestamp;

use crate::fault::Reason;
use crate::model::{RECORDABLE, Schedule, State};

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
        Viewer { state: Some(State::Going | State::Waitlisted), .. } => Choice::Withdraw,
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
    schedule.going_count < schedule.capacity && schedule.waitlist_count == 0
}

/// Refuses a second place; who withdrew may come again.
pub fn require_no_place(state: Option<State>) -> Result<(), Reason> {
    match state {
        None | Some(State::Withdrawn) => Ok(()),
        Some(_) => Err(Reason::AlreadyAttending),
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
/// once it has started; a place in line is of no use to them even then.
pub fn lose_place(
    schedule: &mut Schedule,
    state: Option<State>,
    now: Timestamp,
) -> Result<(), Reason> {
    match require_ahead(schedule, now) {
        Err(Reason::ScheduleStarted) if state == Some(State::Waitlisted) => {}
        ahead => ahead?,
    }
    release(schedule, state)
}

/// Moves up as many as there are free seats and tells how many; they are the first in line.
pub fn promote(schedule: &mut Schedule) -> i32 {
    let free = schedule.capacity - schedule.going_count;
    let moved = free.min(schedule.waitlist_count).max(0);
    schedule.going_count += moved;
    schedule.waitlist_count -= moved;
    moved
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
    } else if matches!(state, State::Waitlisted | State::Withdrawn) {
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
            assert_eq!(promote(&mut schedule), moved);
            assert_eq!(schedule.going_count, going + moved);
            assert_eq!(schedule.waitlist_count, waiting - moved);
        }
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
