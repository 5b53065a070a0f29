//! What the room hears and tells: happenings become notifications, each told to its member's live readers.

use async_trait::async_trait;
use moim_kit::bus::Fact;
use moim_kit::id::AttendanceId;
use moim_kit::{Fault, Timestamp};
use moim_proto::gathering::v1::MembershipEvent;
use moim_proto::notification::v1::NotificationEvent;
use moim_proto::payment::v1::OrderEvent;
use moim_proto::review::v1::ReviewEvent;
use moim_proto::schedule::v1::{
    AttendanceEvent, AttendanceFact, AttendanceState, ScheduleEvent, ScheduleState,
};
use moim_storage::{Handler, Tx};
use prost::Message;

use crate::convert;
use crate::rules::{self, Happening};
use crate::store::Store;

const NOTIFICATION: &str = "notification";

/// Nouns of other rooms that this one copies.
pub const COPIED: &[&str] = &["schedule", "attendance"];
/// Nouns whose events are heard.
const HEARD: &[&str] = &["membership", "schedule", "attendance", "review", "order"];

/// Turns what happens elsewhere into notifications, and keeps what reminders need.
pub struct Listener {
    pub store: Store,
    pub lead_us: i64,
}

#[async_trait]
impl Handler for Listener {
    async fn apply(&self, tx: &mut Tx, fact: &Fact) -> Result<(), Fault> {
        if fact.noun == "schedule" {
            let state: ScheduleState = decode(fact)?;
            let cancelled = state.cancel_reason.is_some();
            let meetup = convert::meetup(state)?;
            return self.store.keep_schedule(tx, &meetup, cancelled, fact.at).await;
        }
        let state: AttendanceFact = decode(fact)?;
        let going = state.state() == AttendanceState::Going;
        let of = (convert::id(&state.schedule_id)?, convert::id(&state.member_id)?);
        let id = AttendanceId::from_uuid(fact.aggregate);
        self.store.keep_attendance(tx, id, of, going, (fact.at, self.lead_us)).await
    }

    fn events(&self) -> &'static [&'static str] {
        HEARD
    }

    async fn hear(&self, tx: &mut Tx, fact: &Fact) -> Result<(), Fault> {
        let happening = match fact.noun.as_str() {
            "membership" => convert::membership(decode::<MembershipEvent>(fact)?)?,
            "schedule" => Some(convert::schedule(decode::<ScheduleEvent>(fact)?)?),
            "attendance" => Some(convert::seat(decode::<AttendanceEvent>(fact)?)?),
            "order" => convert::order(decode::<OrderEvent>(fact)?)?,
            _ => Some(convert::review(decode::<ReviewEvent>(fact)?)?),
        };
        let Some(happening) = happening else { return Ok(()) };
        let cause = format!("event/{}/{}/{}", fact.noun, fact.aggregate, fact.version);
        notify(&self.store, tx, happening, &cause, &fact.trace, fact.at).await
    }
}

/// Notifies everybody whom it concerns, once for each cause.
pub async fn notify(
    store: &Store,
    tx: &mut Tx,
    happening: Happening,
    cause: &str,
    trace: &str,
    at: Timestamp,
) -> Result<(), Fault> {
    let Some(notice) = rules::notice(happening) else { return Ok(()) };
    for new in store.deliver(tx, &notice, cause, at).await? {
        let event = NotificationEvent { notification: Some(convert::notification(&new)) };
        let (id, topic) = (new.id.uuid(), new.member.uuid());
        tx.tell_event(NOTIFICATION, id, 1, Some(topic), &event, trace, at);
    }
    Ok(())
}

fn decode<M: Message + Default>(fact: &Fact) -> Result<M, Fault> {
    M::decode(fact.payload.clone()).map_err(Fault::internal)
}
