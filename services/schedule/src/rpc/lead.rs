//! What hosts and managers do: announce, change and call off schedules, and record who came.

use moim_kit::call::respond;
use moim_kit::id::{AttendanceId, GatheringId, MemberId, ScheduleId};
use moim_kit::{Call, Caller, Fault, Timestamp};
use moim_proto::schedule::v1 as proto;
use moim_proto::schedule::v1::ScheduleMove;
use moim_storage::{Idempotency, Replay, Tx};
use tonic::Response;

use super::Server;
use crate::attendance::Shown;
use crate::events::Happening;
use crate::fault::Reason;
use crate::model::{self, Schedule, require_leader};
use crate::seats::{self, Viewer};
use crate::store::Outcome;
use crate::{convert, events};

impl Server {
    pub(super) async fn announce(
        &self,
        call: &Call,
        request: proto::CreateRequest,
    ) -> Result<Response<proto::CreateResponse>, Fault> {
        let caller = call.require_caller()?;
        let gathering = GatheringId::parse(&request.gathering_id, "gatheringId")?;
        let plan = convert::plan_from(request.clone()).checked()?;
        let gathering_title =
            self.store.find_gathering_title(&self.reads.primary(), gathering).await?;
        let gathering_title = gathering_title.ok_or(Reason::GatheringNotFound)?;
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let key = match Idempotency::claim(&mut tx, call, "Create", &request, now).await? {
            Replay::Done(response, written) => return Ok(respond(response, written)),
            Replay::Fresh(key) => key,
        };
        require_leader(self.store.find_role(&mut tx, gathering, caller.member).await?)?;
        let schedule = plan.announce(gathering, now)?;
        self.store.insert_schedule(&mut tx, &schedule).await?;
        events::tell_schedule(&mut tx, &schedule, &call.trace().to_string(), now);
        let happening = Happening {
            moved: ScheduleMove::Announced,
            actor: caller.member,
            gathering_title,
            audience: self.store.list_roster(&mut tx, gathering).await?,
        };
        events::tell_move(&mut tx, &schedule, happening, call, now);
        let shown = self.show_leader(&mut tx, &schedule, caller, now).await?;
        let response = proto::CreateResponse { schedule: Some(shown) };
        key.store(&mut tx, &response).await?;
        Ok(respond(response, tx.commit().await?))
    }

    pub(super) async fn change(
        &self,
        call: &Call,
        request: proto::UpdateRequest,
    ) -> Result<Response<proto::UpdateResponse>, Fault> {
        let caller = call.require_caller()?;
        let id = ScheduleId::parse(&request.schedule_id, "scheduleId")?;
        let change = convert::change_from(request.clone()).checked()?;
        let mut tx = self.store.begin().await?;
        let now = tx.now(&self.clock).await?;
        let key = match Idempotency::claim(&mut tx, call, "Update", &request, now).await? {
            Replay::Done(response, written) => return Ok(respond(response, written)),
            Replay::Fresh(key) => key,
        };
        let old = self.lock_led(&mut tx, id, caller).await?;
        let agreed = self.store.is_agreed(&mut tx, id).await?;
        let new = change.apply(&old, agreed, now)?;
        let schedule = if new == old {
            old
        } else {
            let moved = new.shows_otherwise(&old).then_some(ScheduleMove::Changed);
            let holders = self.store.list_holders(&mut tx, id).await?;
            let outcome = self.store.rewrite(&mut tx, &old, new, now).await?;
            self.tell_rewritten(&mut tx, call, outcome, (moved, holders), now).await?
        };
        let shown = self.show_leader(&mut tx, &schedule, caller, now).await?;
        let response = proto::UpdateResponse { schedule: Some(shown) };
        key.store(&mut tx, &response).await?;
        Ok(respond(response, tx.commit().await?))
    }

    pub(super) async fn call_off(
        &self,
        call: &Call,
        request: proto::CancelRequest,
    ) -> Result<Response<proto::CancelResponse>, Fault> {
        let caller = call.require_caller()?;
        let id = ScheduleId::parse(&request.schedule_id, "scheduleId")?;
        let reason = model::cancel_reason(&request.reason)?;
        let mut tx = self.store.begin().await?;
        let now = tx.now(&self.clock).await?;
        let key = match Idempotency::claim(&mut tx, call, "Cancel", &request, now).await? {
            Replay::Done(response, written) => return Ok(respond(response, written)),
            Replay::Fresh(key) => key,
        };
        let old = self.lock_led(&mut tx, id, caller).await?;
        let new = old.cancelled(reason, now)?;
        // Whoever has a place now is told, though holds end with this.
        let told = (Some(ScheduleMove::Cancelled), self.store.list_holders(&mut tx, id).await?);
        let outcome = self.store.call_off(&mut tx, new, now).await?;
        let schedule = self.tell_rewritten(&mut tx, call, outcome, told, now).await?;
        let shown = self.show_leader(&mut tx, &schedule, caller, now).await?;
        let response = proto::CancelResponse { schedule: Some(shown) };
        key.store(&mut tx, &response).await?;
        Ok(respond(response, tx.commit().await?))
    }

    pub(super) async fn record(
        &self,
        call: &Call,
        request: proto::RecordAttendanceRequest,
    ) -> Result<Response<proto::RecordAttendanceResponse>, Fault> {
        let caller = call.require_caller()?;
        let id = AttendanceId::parse(&request.attendance_id, "attendanceId")?;
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let key = match Idempotency::claim(&mut tx, call, "RecordAttendance", &request, now).await?
        {
            Replay::Done(response, written) => return Ok(respond(response, written)),
            Replay::Fresh(key) => key,
        };
        let found = self.store.find_shown(&mut tx, id).await?;
        let Shown { attendance, gathering_id, .. } =
            found.as_ref().ok_or(Reason::AttendanceNotFound)?;
        let role = self.store.find_role(&mut tx, *gathering_id, caller.member).await?;
        let visible = |shown: &Shown| shown.may_be_seen_by(Some(caller.member), role);
        if !found.as_ref().is_some_and(visible) {
            return Err(Reason::AttendanceNotFound.into());
        }
        require_leader(role)?;
        let schedule = self.store.lock_schedule(&mut tx, attendance.schedule_id).await?;
        let mut shown =
            self.store.find_shown(&mut tx, id).await?.ok_or(Reason::AttendanceNotFound)?;
        let old = shown.attendance.state;
        let new = seats::record(&schedule, old, request.attended, now)?;
        if new != old {
            shown.attendance = self.store.set_state(&mut tx, id, new, now).await?;
            let trace = call.trace().to_string();
            let (changed, gathering) = (&shown.attendance, schedule.gathering_id);
            events::tell_attendance(&mut tx, changed, gathering, false, &trace, now);
        }
        let attendance = Some(convert::attendance(&shown, Some(caller.member)));
        let response = proto::RecordAttendanceResponse { attendance };
        key.store(&mut tx, &response).await?;
        Ok(respond(response, tx.commit().await?))
    }

    /// A schedule that the caller may lead, locked.
    async fn lock_led(
        &self,
        tx: &mut Tx,
        id: ScheduleId,
        caller: Caller,
    ) -> Result<Schedule, Fault> {
        let schedule = self.store.find_schedule(tx, id).await?;
        let role = self.store.find_role(tx, schedule.gathering_id, caller.member).await?;
        require_leader(role)?;
        self.store.lock_schedule(tx, id).await
    }

    /// Tells all that became of a schedule, and those who had a place at it when it moved.
    async fn tell_rewritten(
        &self,
        tx: &mut Tx,
        call: &Call,
        outcome: Outcome,
        (moved, audience): (Option<ScheduleMove>, Vec<MemberId>),
        now: Timestamp,
    ) -> Result<Schedule, Fault> {
        let actor = call.require_caller()?.member;
        events::tell_outcome(tx, &outcome, Some(actor), &call.trace().to_string(), now);
        if let Some(moved) = moved {
            let schedule = &outcome.schedule;
            let gathering_title = self.store.title_of(tx, schedule.gathering_id).await?;
            let happening = Happening { moved, actor, gathering_title, audience };
            events::tell_move(tx, schedule, happening, call, now);
        }
        Ok(outcome.schedule)
    }

    /// A schedule as its host or manager sees it.
    async fn show_leader(
        &self,
        tx: &mut Tx,
        schedule: &Schedule,
        caller: Caller,
        now: Timestamp,
    ) -> Result<proto::Schedule, Fault> {
        let own = self.store.find_own_shown(tx, schedule.id, caller.member).await?;
        let viewer = Viewer { signed_in: true, belongs: true, state: None };
        Ok(convert::schedule(schedule, viewer, own.as_ref(), &self.signer, now))
    }
}
