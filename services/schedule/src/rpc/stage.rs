//! The room without sockets and readers, for tests that need its inside.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

use std::borrow::Cow;
use std::time::Duration;

use moim_kit::bus::Fact;
use moim_kit::id::{GatheringId, MemberId, SessionId};
use moim_kit::trace::Trace;
use moim_kit::{Call, Caller, Fault, Timestamp};
use moim_proto::gathering::v1::{
    GatheringState, MembershipRole, MembershipState, MembershipStatus,
};
use moim_proto::member::v1::MemberState;
use moim_proto::payment::v1::{OrderFact, OrderState};
use moim_proto::schedule::v1 as proto;
use moim_storage::{Ground, Handler as _, Outbox};
use moim_testbed::Bed;
use prost::Message;
use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, Migrator};
use tokio::time::Instant;
use uuid::Uuid;

use super::Server;
use super::rules::{HOLD, OFFER};
use crate::MIGRATIONS;
use crate::events::{COPIED, Copier};
use crate::fee::Terms;
use crate::ics::Signer;
use crate::store::Store;

const DAY: Duration = Duration::from_secs(24 * 3_600);
/// What of the migrations makes an oversold schedule impossible to write.
const CHECKS: [&str; 2] = [
    "    CONSTRAINT schedule_full CHECK (going_count BETWEEN 0 AND capacity),\n",
    "\n    CONSTRAINT schedule_held CHECK (held_count >= 0 AND going_count + held_count <= capacity)",
];
/// Seats are held and offered so long on the stage.
pub(super) const TERMS: Terms =
    Terms { hold: Duration::from_secs(HOLD), offer: Duration::from_secs(OFFER) };

/// A server and the hand that writes its copies.
pub(super) struct Stage {
    pub server: Server,
    copier: Copier,
}

impl Stage {
    pub fn new(ground: &Ground, store: fn(Outbox, Terms) -> Store) -> Self {
        let store = store(ground.outbox.clone(), TERMS);
        let clock = ground.clock.clone();
        let signer = Signer::try_new(&[7; 32]).unwrap();
        let copier = Copier { store: store.clone(), clock: clock.clone() };
        let (card_wait, pay_wait) = (Duration::ZERO, Duration::ZERO);
        let (copies, reads) = (ground.copies(COPIED), ground.reads(COPIED));
        Self { server: Server { store, reads, clock, copies, signer, card_wait, pay_wait }, copier }
    }

    /// Takes a fact in as a reader would.
    pub async fn try_take(
        &self,
        noun: &str,
        aggregate: Uuid,
        version: i64,
        state: &impl Message,
    ) -> Result<(), Fault> {
        let fact = Fact {
            kind: moim_kit::bus::Kind::State,
            topic: None,
            id: Uuid::now_v7(),
            noun: noun.to_owned(),
            aggregate,
            version,
            payload: state.encode_to_vec().into(),
            trace: String::new(),
            at: self.server.clock.now(),
        };
        let mut tx = self.server.store.begin().await?;
        self.copier.apply(&mut tx, &fact).await?;
        tx.commit().await?;
        Ok(())
    }

    pub async fn take(&self, noun: &str, aggregate: Uuid, version: i64, state: &impl Message) {
        self.try_take(noun, aggregate, version, state).await.unwrap();
    }

    /// The payment holds the money of an order.
    pub async fn pay(&self, order: &str) -> Result<(), Fault> {
        let state = OrderState::MoneyHeld.into();
        let fact = OrderFact { state, ..OrderFact::default() };
        self.try_take("order", order.parse().unwrap(), 1, &fact).await
    }

    pub async fn member(&self, nickname: &str) -> MemberId {
        let id = MemberId::fresh();
        let state = MemberState {
            id: id.to_string(),
            nickname: nickname.to_owned(),
            ..MemberState::default()
        };
        self.take("member", id.uuid(), 1, &state).await;
        id
    }

    pub async fn standing(
        &self,
        gathering: GatheringId,
        member: MemberId,
        role: MembershipRole,
        status: MembershipStatus,
    ) {
        let state = MembershipState {
            id: Uuid::now_v7().to_string(),
            gathering_id: gathering.to_string(),
            member_id: member.to_string(),
            role: role.into(),
            status: status.into(),
        };
        self.take("membership", Uuid::now_v7(), 1, &state).await;
    }

    /// A host, their gathering and a free schedule of it tomorrow.
    pub async fn meetup(&self, capacity: i32) -> (MemberId, GatheringId, proto::Schedule) {
        self.meetup_for(capacity, 0, None).await
    }

    /// The same for a fee.
    pub async fn meetup_for(
        &self,
        capacity: i32,
        fee_krw: i32,
        refundable_until: Option<Timestamp>,
    ) -> (MemberId, GatheringId, proto::Schedule) {
        let host = self.member("모임장").await;
        let gathering = GatheringId::fresh();
        let state = GatheringState { title: "모임".to_owned(), ..GatheringState::default() };
        self.take("gathering", gathering.uuid(), 1, &state).await;
        self.standing(gathering, host, MembershipRole::Host, MembershipStatus::Active).await;
        let starts_at = self.server.clock.now().after(DAY);
        let request = proto::CreateRequest {
            gathering_id: gathering.to_string(),
            title: "저녁 달리기".to_owned(),
            description: "여의도에서".to_owned(),
            place: "여의도".to_owned(),
            starts_at_us: starts_at.us(),
            ends_at_us: starts_at.after(DAY).us(),
            time_zone: "Asia/Seoul".to_owned(),
            capacity,
            fee_krw,
            refundable_until_us: refundable_until.map(Timestamp::us),
        };
        let answer = self.server.announce(&call(host), request).await.unwrap();
        (host, gathering, answer.into_inner().schedule.unwrap())
    }

    pub async fn attend(
        &self,
        member: MemberId,
        schedule: &str,
        join_waitlist: bool,
    ) -> Result<proto::Attendance, Fault> {
        let request = proto::AttendRequest {
            schedule_id: schedule.to_owned(),
            join_waitlist,
            allow_overlap: false,
            auto_pay: true,
        };
        let answer = self.server.sign_up(&call(member), request).await?;
        Ok(answer.into_inner().attendance.unwrap())
    }
}

/// A call by a member, with a fresh key.
pub(super) fn call(member: MemberId) -> Call {
    let caller = Caller { member, session: SessionId::fresh() };
    Call::new(Trace::fresh(), Instant::now() + DAY)
        .by(caller, "verified")
        .keyed(Some(&Uuid::now_v7().to_string()))
}

/// A ground whose schedules may be written oversold, for the check is left out of the table.
pub(super) async fn unchecked_ground(bed: &Bed) -> Ground {
    let unchecked = |of: &Migration| {
        let text = of.sql.as_str();
        let sql = CHECKS.iter().fold(text.to_owned(), |sql, check| sql.replace(check, ""));
        assert!(sql.len() < text.len(), "a check stands in the migration");
        let sql = sqlx::AssertSqlSafe(sql).into_sql_str();
        Migration::new(of.version, of.description.clone(), of.migration_type, sql, of.no_tx)
    };
    let migrations = Cow::Owned(MIGRATIONS.iter().map(unchecked).collect());
    bed.ground("schedule", Box::leak(Box::new(Migrator { migrations, ..Migrator::DEFAULT }))).await
}
