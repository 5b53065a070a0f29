//! What members do: take a seat or a place in line, and give it up.

use moim_kit::call::respond;
use moim_kit::id::ScheduleId;
use moim_kit::{Call, Caller, Fault};
use moim_proto::schedule::v1 as proto;
use moim_storage::{Idempotency, Replay};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use tonic::Response;

use super::Server;
use crate::fault::Reason;
use crate::model::{Shown, State};
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
            if let Some(answer) = self.try_sign_up(call, caller, id, &request).await? {
                return Ok(answer);
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
    ) -> Result<Option<Response<proto::AttendResponse>>, Fault> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let key = match Idempotency::claim(&mut tx, call, "Attend", request, now).await? {
            Replay::Done(response, written) => return Ok(Some(respond(response, written))),
            Replay::Fresh(key) => key,
        };
        let schedule = self.store.find_schedule(&mut tx, id).await?;
        let card = self.store.lock_card(&mut tx, caller.member).await?;
        if !self.store.lock_membership(&mut tx, schedule.gathering_id, caller.member).await? {
            return Err(Reason::NotAMember.into());
        }
        let Some(card) = card else { return Ok(None) };
        seats::require_open(&schedule, now)?;
        let own = self.store.find_own(&mut tx, id, caller.member).await?;
        seats::require_no_place(own.map(|own| own.state))?;
        if !request.allow_overlap
            && let Some(other) = self.store.find_overlap(&mut tx, &schedule, caller.member).await?
        {
            return Err(Fault::from(Reason::ScheduleOverlap).about(other));
        }
        // From here to the commit the schedule is locked against everybody else: nothing but writes.
        let (schedule, state) =
            self.store.take_place(&mut tx, id, request.join_waitlist, now).await?;
        let attendance = self.store.arrive(&mut tx, &schedule, caller.member, state, now).await?;
        let trace = call.trace().to_string();
        let gathering = schedule.gathering_id;
        events::tell_schedule(&mut tx, &schedule, &trace, now);
        events::tell_attendance(&mut tx, &attendance, gathering, false, &trace, now);
        let shown = Shown {
            attendance,
            gathering_id: schedule.gathering_id,
            starts_at: schedule.starts_at,
            card,
            // Who has just come is the last in line.
            waitlist_position: (state == State::Waitlisted).then_some(schedule.waitlist_count),
        };
        let response = proto::AttendResponse { attendance: Some(convert::attendance(&shown)) };
        key.store(&mut tx, &response).await?;
        Ok(Some(respond(response, tx.commit().await?)))
    }

    pub(super) async fn step_back(
        &self,
        call: &Call,
        request: proto::WithdrawRequest,
    ) -> Result<Response<proto::WithdrawResponse>, Fault> {
        let caller = call.require_caller()?;
        let id = ScheduleId::parse(&request.schedule_id, "scheduleId")?;
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let key = match Idempotency::claim(&mut tx, call, "Withdraw", &request, now).await? {
            Replay::Done(response, written) => return Ok(respond(response, written)),
            Replay::Fresh(key) => key,
        };
        let outcome = self.store.give_up(&mut tx, id, caller.member, seats::give_up, now).await?;
        let trace = call.trace().to_string();
        events::tell_outcome(&mut tx, &outcome, caller.member, &trace, now);
        let shown = self.store.find_own_shown(&mut tx, id, caller.member).await?;
        let response =
            proto::WithdrawResponse { attendance: shown.as_ref().map(convert::attendance) };
        key.store(&mut tx, &response).await?;
        Ok(respond(response, tx.commit().await?))
    }
}
