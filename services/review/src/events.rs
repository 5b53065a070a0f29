//! What the room tells, and what it keeps of what others tell.

use async_trait::async_trait;
use moim_kit::bus::Fact;
use moim_kit::id::{GatheringId, MemberId, ScheduleId};
use moim_kit::{Fault, Timestamp};
use moim_proto::gathering::v1::GatheringState;
use moim_proto::member::v1::MemberState;
use moim_proto::schedule::v1::{AttendanceFact, AttendanceState, ScheduleState};
use moim_storage::{Handler, Tx};
use prost::Message as _;

use crate::convert;
use crate::model::{Card, Rating, Review, Schedule};
use crate::store;

/// Nouns of other rooms that this one copies.
pub const COPIED: &[&str] = &["member", "gathering", "schedule", "attendance"];

/// Tells a review's new version, and what it made of the gathering's rating.
pub fn tell(tx: &mut Tx, review: &Review, rating: Rating, trace: &str, now: Timestamp) {
    let state = convert::review_state(review);
    tx.tell("review", review.id.uuid(), review.version, &state, trace, now);
    let state = convert::rating_state(review.gathering, rating);
    tx.tell("rating", review.gathering.uuid(), rating.version, &state, trace, now);
}

/// Tells that a review was written for the first time.
pub fn tell_written(
    tx: &mut Tx,
    review: &Review,
    schedule: &Schedule,
    host: MemberId,
    trace: &str,
    now: Timestamp,
) {
    let event = convert::review_event(review, schedule, host);
    tx.tell_event("review", review.id.uuid(), review.version, None, &event, trace, now);
}

/// Keeps cards, hosts, schedules and who was there.
pub struct Copier;

#[async_trait]
impl Handler for Copier {
    async fn apply(&self, tx: &mut Tx, fact: &Fact) -> Result<(), Fault> {
        let payload = fact.payload.clone();
        match fact.noun.as_str() {
            "member" => {
                let MemberState { nickname, avatar_url, .. } =
                    MemberState::decode(payload).map_err(Fault::internal)?;
                let member = MemberId::from_uuid(fact.aggregate);
                let card = Card { member, nickname, avatar_url };
                store::keep_card(tx, &card, fact.version).await
            }
            "gathering" => {
                let state = GatheringState::decode(payload).map_err(Fault::internal)?;
                let host = state.host_id.parse().map_err(Fault::internal)?;
                store::keep_gathering(tx, GatheringId::from_uuid(fact.aggregate), host).await
            }
            "schedule" => {
                let state = ScheduleState::decode(payload).map_err(Fault::internal)?;
                let schedule = Schedule {
                    id: ScheduleId::from_uuid(fact.aggregate),
                    gathering: state.gathering_id.parse().map_err(Fault::internal)?,
                    title: state.title,
                    ends_at: Timestamp::from_us(state.ends_at_us),
                };
                store::keep_schedule(tx, &schedule).await
            }
            _ => {
                let state = AttendanceFact::decode(payload).map_err(Fault::internal)?;
                let schedule = state.schedule_id.parse().map_err(Fault::internal)?;
                let member = state.member_id.parse().map_err(Fault::internal)?;
                let attended = state.state() == AttendanceState::Attended;
                store::keep_attendance(tx, &state.id, (schedule, member), attended).await
            }
        }
    }
}
