//! What members do: take a seat or a place in line, and give it up.

use moim_kit::call::respond;
use moim_kit::id::ScheduleId;
use moim_kit::seen::Mark;
use moim_kit::{Call, Caller, Fault};
use moim_proto::schedule::v1 as proto;
use moim_storage::{Idempotency, Replay, Tx};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use tonic::Response;

use super::Server;
use crate::attendance::{Attendance, Shown, State};
use crate::fault::Reason;
use crate::fee::Refund;
use crate::model::Schedule;
use crate::order::Seat;
use crate::store::Release;
use crate::{convert, events, seats};

/// A card that is not here is looked for again after this long.
const CARD_POLL: Duration = Duration::from_millis(50);

impl Server {
    pub(super) async fn sign_up(
        &self,
        call: &Call,
        request: proto::AttendRequest,
    ) -> Result<Response<proto::AttendResponse>, Fault> {
        let caller = call.require_caller()?;
        if call.idempotency_key().is_none() {
            return Err(Reason::IdempotencyKeyRequired.into());
        }
        let id = ScheduleId::parse(&request.schedule_id, "scheduleId")?;
        let due = Instant::now() + self.card_wait;
        loop {
            if let Some((answer, written)) = self.try_sign_up(call, caller, id, &request).await? {
                return self.await_payment(call, answer, written).await;
            }
            if Instant::now() >= due {
                return Err(Reason::CardMissing.into());
            }
            sleep(CARD_POLL).await;
        }
    }

    /// One try; nothing when the caller's card has not arrived here yet.
    async fn try_sign_up(
        &self,
        call: &Call,
        caller: Caller,
        id: ScheduleId,
        request: &proto::AttendRequest,
    ) -> Result<Option<(proto::AttendResponse, Vec<Mark>)>, Fault> {
        let mut tx = self.store.begin().await?;
        let now = tx.now(&self.clock).await?;
        let key = match Idempotency::claim(&mut tx, call, "Attend", request, now).await? {
            Replay::Done(response, written) => return Ok(Some((response, written))),
            Replay::Fresh(key) => key,
        };
        let schedule = self.store.find_schedule(&mut tx, id).await?;
        let card = self.store.lock_card(&mut tx, caller.member).await?;
        if !self.store.lock_membership(&mut tx, schedule.gathering_id, caller.member).await? {
            return Err(Reason::NotAMember.into());
        }
        let Some(card) = card else { return Ok(None) };
        let own = self.store.find_own(&mut tx, id, caller.member).await?;
        let state = own.as_ref().map(|own| own.state);
        if state == Some(State::Offered) {
            seats::require_acceptable(&schedule, now)?;
        } else {
            seats::require_open(&schedule, now)?;
            seats::require_no_place(state)?;
        }
        if !request.allow_overlap
            && let Some(other) = self.store.find_overlap(&mut tx, &schedule, caller.member).await?
        {
            return Err(Fault::from(Reason::ScheduleOverlap).about(other));
        }
        // From here to the commit the schedule is locked against everybody else: nothing but writes.
        let trace = call.trace().to_string();
        let (schedule, attendance) = match own.filter(|own| own.state == State::Offered) {
            Some(own) => self.accept(&mut tx, id, &own).await?,
            None => {
                let wait = request.join_waitlist;
                let (schedule, state) = self.store.take_place(&mut tx, id, wait, now).await?;
                let terms = self.store.terms();
                let place = seats::arrival(&schedule, state, request.auto_pay, terms, now);
                let own = self.store.arrive(&mut tx, &schedule, caller.member, place, now).await?;
                events::tell_schedule(&mut tx, &schedule, &trace, now);
                (schedule, own)
            }
        };
        events::tell_attendance(&mut tx, &attendance, schedule.gathering_id, false, &trace, now);
        if let Some(seat) = Seat::ordered(&schedule, &attendance) {
            self.store.insert_seat(&mut tx, &seat, now).await?;
            events::tell_seat(&mut tx, &seat, &schedule, &trace, now);
        }
        let is_waiting = attendance.state == State::Waitlisted;
        let shown = Shown {
            attendance,
            gathering_id: schedule.gathering_id,
            starts_at: schedule.starts_at,
            card,
            // Who has just come is the last in line.
            waitlist_position: is_waiting.then_some(schedule.waitlist_count),
        };
        let attendance = Some(convert::attendance(&shown, Some(caller.member)));
        let response = proto::AttendResponse { attendance };
        key.store(&mut tx, &response).await?;
        Ok(Some((response, tx.commit().await?)))
    }

    /// Goes on holding a seat that was offered, now for its price to be taken.
    async fn accept(
        &self,
        tx: &mut Tx,
        id: ScheduleId,
        own: &Attendance,
    ) -> Result<(Schedule, Attendance), Fault> {
        let schedule = self.store.lock_schedule(tx, id).await?;
        let now = tx.now(&self.clock).await?;
        seats::require_acceptable(&schedule, now)?;
        let terms = self.store.terms();
        let place = seats::arrival(&schedule, State::PendingPayment, false, terms, now);
        let attendance = self.store.accept(tx, own, place, now).await?;
        Ok((schedule, attendance))
    }

    pub(super) async fn step_back(
        &self,
        call: &Call,
        request: proto::WithdrawRequest,
    ) -> Result<Response<proto::WithdrawResponse>, Fault> {
        let caller = call.require_caller()?;
        let id = ScheduleId::parse(&request.schedule_id, "scheduleId")?;
        let mut tx = self.store.begin().await?;
        let now = tx.now(&self.clock).await?;
        let key = match Idempotency::claim(&mut tx, call, "Withdraw", &request, now).await? {
            Replay::Done(response, written) => return Ok(respond(response, written)),
            Replay::Fresh(key) => key,
        };
        let rule = (seats::give_up as Release, Refund::ByRule);
        let outcome = self.store.give_up(&mut tx, id, caller.member, rule, now).await?;
        let trace = call.trace().to_string();
        events::tell_outcome(&mut tx, &outcome, Some(caller.member), &trace, now);
        let shown = self.store.find_own_shown(&mut tx, id, caller.member).await?;
        let show = |shown| convert::attendance(shown, Some(caller.member));
        let response = proto::WithdrawResponse { attendance: shown.as_ref().map(show) };
        key.store(&mut tx, &response).await?;
        Ok(respond(response, tx.commit().await?))
    }
}
