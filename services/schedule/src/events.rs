//! What the room tells, and what it does about what others tell.

use async_trait::async_trait;
use moim_kit::bus::Fact;
use moim_kit::id::{GatheringId, MemberId};
use moim_kit::{Call, Clock, Code, Fault, Timestamp};
use moim_proto::gathering::v1::{GatheringState, MembershipState};
use moim_proto::member::v1::MemberState;
use moim_proto::schedule::v1::ScheduleMove;
use moim_storage::{Handler, Tx};
use prost::Message as _;

use crate::convert;
use crate::model::{Attendance, Schedule};
use crate::seats;
use crate::store::{Outcome, Store};

const SCHEDULE: &str = "schedule";
const ATTENDANCE: &str = "attendance";

/// Nouns of other rooms that this one copies.
pub const COPIED: &[&str] = &["member", "gathering", "membership"];

/// Tells a schedule's new version.
pub fn tell_schedule(tx: &mut Tx, schedule: &Schedule, trace: &str, now: Timestamp) {
    let state = convert::schedule_state(schedule);
    tx.tell(SCHEDULE, schedule.id.uuid(), schedule.version, &state, trace, now);
}

/// Tells an attendance's new version.
pub fn tell_attendance(
    tx: &mut Tx,
    attendance: &Attendance,
    gathering: GatheringId,
    promoted: bool,
    trace: &str,
    now: Timestamp,
) {
    let fact = convert::attendance_fact(attendance, gathering, promoted);
    tx.tell(ATTENDANCE, attendance.id.uuid(), attendance.version, &fact, trace, now);
}

/// Tells everything that `actor` made of a schedule and the places at it in a transaction.
pub fn tell_outcome(tx: &mut Tx, outcome: &Outcome, actor: MemberId, trace: &str, now: Timestamp) {
    let gathering = outcome.schedule.gathering_id;
    tell_schedule(tx, &outcome.schedule, trace, now);
    if let Some(changed) = &outcome.changed {
        tell_attendance(tx, changed, gathering, false, trace, now);
    }
    for promoted in &outcome.promoted {
        tell_attendance(tx, promoted, gathering, true, trace, now);
        let event = convert::attendance_event(&outcome.schedule, promoted, actor);
        let (id, topic) = (promoted.id.uuid(), promoted.member_id.uuid());
        tx.tell_event(ATTENDANCE, id, promoted.version, Some(topic), &event, trace, now);
    }
}

/// What happened to a schedule, for those it concerns.
pub struct Happening {
    pub moved: ScheduleMove,
    pub actor: MemberId,
    pub gathering_title: String,
    pub audience: Vec<MemberId>,
}

/// Tells what happened to a schedule, with the names of now.
pub fn tell_move(
    tx: &mut Tx,
    schedule: &Schedule,
    happening: Happening,
    call: &Call,
    now: Timestamp,
) {
    let Happening { moved, actor, gathering_title, audience } = happening;
    let event = convert::schedule_event(schedule, gathering_title, moved, actor, &audience);
    let (id, topic) = (schedule.id.uuid(), schedule.gathering_id.uuid());
    let trace = call.trace().to_string();
    tx.tell_event(SCHEDULE, id, schedule.version, Some(topic), &event, &trace, now);
}

/// Keeps cards, titles and rosters, and takes back the places of those who no longer belong.
pub struct Copier {
    pub store: Store,
    pub clock: Clock,
}

#[async_trait]
impl Handler for Copier {
    async fn apply(&self, tx: &mut Tx, fact: &Fact) -> Result<(), Fault> {
        let payload = fact.payload.clone();
        match fact.noun.as_str() {
            "member" => {
                let state = MemberState::decode(payload).map_err(Fault::internal)?;
                let card = convert::card_from(state)?;
                self.store.keep_card(tx, &card, fact.version).await
            }
            "gathering" => {
                let state = GatheringState::decode(payload).map_err(Fault::internal)?;
                let id = GatheringId::from_uuid(fact.aggregate);
                self.store.keep_gathering(tx, id, &state.title, fact.version).await
            }
            _ => {
                let state = MembershipState::decode(payload).map_err(Fault::internal)?;
                let (gathering, member, role, status) = convert::membership_from(&state)?;
                let of = (gathering, member);
                let active = self.store.keep_membership(tx, of, role, status, fact.version).await?;
                if active { Ok(()) } else { self.take_places_back(tx, of, &fact.trace).await }
            }
        }
    }
}

impl Copier {
    async fn take_places_back(
        &self,
        tx: &mut Tx,
        (gathering, member): (GatheringId, MemberId),
        trace: &str,
    ) -> Result<(), Fault> {
        let now = self.clock.now();
        for schedule in self.store.list_places(tx, gathering, member, now).await? {
            match self.store.give_up(tx, schedule, member, seats::lose_place, now).await {
                Ok(outcome) => tell_outcome(tx, &outcome, member, trace, now),
                // Withdrawn or called off since it was listed: there is nothing left to take back.
                Err(fault) if fault.code() == Code::WrongState => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(())
    }
}
