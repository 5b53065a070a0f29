//! What the room tells, and what it does about what others tell.

use async_trait::async_trait;
use moim_kit::bus::Fact;
use moim_kit::id::{GatheringId, MemberId, OrderId};
use moim_kit::{Call, Clock, Code, Fault, Timestamp};
use moim_proto::gathering::v1::{GatheringState, MembershipState};
use moim_proto::member::v1::MemberState;
use moim_proto::payment::v1::OrderFact;
use moim_proto::schedule::v1::ScheduleMove;
use moim_storage::{Handler, Tx};
use prost::Message as _;

use crate::attendance::Attendance;
use crate::convert;
use crate::fee::Refund;
use crate::model::Schedule;
use crate::order::{Seat, Verdict};
use crate::seats;
use crate::store::{Outcome, Store};

const SCHEDULE: &str = "schedule";
pub const ATTENDANCE: &str = "attendance";
pub const SEAT: &str = "seat";
/// The payment room's noun for what pays for a seat.
const ORDER: &str = "order";

/// Nouns of other rooms that this one copies, or acts on.
pub const COPIED: &[&str] = &["member", "gathering", "membership", ORDER];

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

/// Tells a paid seat's new version.
pub fn tell_seat(tx: &mut Tx, seat: &Seat, schedule: &Schedule, trace: &str, now: Timestamp) {
    let state = convert::seat_state(seat, &schedule.title);
    tx.tell(SEAT, seat.order_id.uuid(), seat.version, &state, trace, now);
}

/// Tells everything that `actor`, or nobody but time, made of a schedule and the places at it in a
/// transaction.
pub fn tell_outcome(
    tx: &mut Tx,
    outcome: &Outcome,
    actor: Option<MemberId>,
    trace: &str,
    now: Timestamp,
) {
    let Outcome { schedule, changed, promoted, seats } = outcome;
    let gathering = schedule.gathering_id;
    tell_schedule(tx, schedule, trace, now);
    for changed in changed {
        tell_attendance(tx, changed, gathering, false, trace, now);
    }
    for seat in seats {
        tell_seat(tx, seat, schedule, trace, now);
    }
    for promoted in promoted {
        tell_attendance(tx, promoted, gathering, true, trace, now);
        if let Some(event) = convert::attendance_event(schedule, promoted, actor) {
            let (id, topic) = (promoted.id.uuid(), promoted.member_id.uuid());
            tx.tell_event(ATTENDANCE, id, promoted.version, Some(topic), &event, trace, now);
        }
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

/// Keeps cards, titles and rosters, takes back the places of those who no longer belong, and gives or takes
/// back held seats as their orders go.
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
            ORDER => {
                let order = OrderFact::decode(payload).map_err(Fault::internal)?;
                match convert::verdict_from(&order) {
                    Some(verdict) => self.take_verdict(tx, fact, verdict).await,
                    None => Ok(()),
                }
            }
            _ => {
                let state = MembershipState::decode(payload).map_err(Fault::internal)?;
                let (gathering, member, role, status) = convert::membership_from(&state)?;
                let of = (gathering, member);
                let active = self.store.keep_membership(tx, of, role, status, fact.version).await?;
                if active {
                    return Ok(());
                }
                let sent_away = matches!(status, "REMOVED" | "BANNED");
                let refund = if sent_away { Refund::Always } else { Refund::ByRule };
                self.take_places_back(tx, of, refund, &fact.trace).await
            }
        }
    }
}

impl Copier {
    async fn take_places_back(
        &self,
        tx: &mut Tx,
        (gathering, member): (GatheringId, MemberId),
        refund: Refund,
        trace: &str,
    ) -> Result<(), Fault> {
        let now = tx.now(&self.clock).await?;
        let rule = (seats::lose_place as crate::store::Release, refund);
        for schedule in self.store.list_places(tx, gathering, member, now).await? {
            match self.store.give_up(tx, schedule, member, rule, now).await {
                Ok(outcome) => tell_outcome(tx, &outcome, Some(member), trace, now),
                // Withdrawn or called off since it was listed: there is nothing left to take back.
                Err(fault) if fault.code() == Code::WrongState => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(())
    }

    /// Gives a seat whose money is held, takes one back whose order was released; whatever does not fit
    /// what the seat has come to since changes nothing.
    async fn take_verdict(&self, tx: &mut Tx, fact: &Fact, verdict: Verdict) -> Result<(), Fault> {
        let order = OrderId::from_uuid(fact.aggregate);
        let Some(seat) = self.store.find_seat(tx, order).await? else { return Ok(()) };
        let schedule = self.store.lock_schedule(tx, seat.schedule_id).await?;
        let now = tx.now(&self.clock).await?;
        let outcome = match verdict {
            Verdict::MoneyHeld => self.store.grant(tx, schedule, &seat, now).await?,
            Verdict::Released { failure, shortfall_krw } => {
                let why = (failure, shortfall_krw);
                self.store.take_back(tx, schedule, &seat, why, now).await?
            }
        };
        if let Some(outcome) = outcome {
            tell_outcome(tx, &outcome, None, &fact.trace, now);
        }
        Ok(())
    }
}
