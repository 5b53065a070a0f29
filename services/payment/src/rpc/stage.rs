//! The room without sockets and readers, for tests that need its inside.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use moim_kit::bus::{Fact, Kind};
use moim_kit::id::{AttendanceId, MemberId, OrderId, ScheduleId};
use moim_kit::{Fault, Timestamp};
use moim_proto::schedule::v1::{SeatPhase, SeatState};
use moim_storage::{Ground, Handler as _, Outbox, View};
use moim_testbed::Bed;
use prost::Message as _;
use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, Migrator};
use tokio::time::Instant;
use uuid::Uuid;

use crate::config::Config;
use crate::events::Copier;
use crate::ledger;
use crate::model::{Order, Wallet};
use crate::sandbox::Sandbox;
use crate::store::Store;
use crate::till::{Request, Till};
use crate::worker::Worker;
use crate::{MIGRATIONS, audit};

const HOUR: Duration = Duration::from_secs(3_600);
/// What makes an overspent wallet, or a step taken twice, impossible to write.
const CHECKS: [&str; 2] = [
    "    CONSTRAINT insufficient_balance CHECK (0 <= held_krw AND held_krw <= balance_krw)\n",
    "    CONSTRAINT journal_once UNIQUE (subject_id, kind)\n",
];

/// A worker, a till and the hand that writes what is heard.
pub(super) struct Stage {
    pub store: Store,
    pub worker: Worker,
    pub till: Till,
    ground: Ground,
    copier: Copier,
}

impl Stage {
    /// The books as they are now.
    pub fn view(&self) -> View {
        self.ground.outbox.view()
    }

    pub fn new(ground: Ground, store: fn(Outbox) -> Store) -> Self {
        let store = store(ground.outbox.clone());
        let clock = ground.clock.clone();
        let (webhooks, _) = tokio::sync::mpsc::channel(1);
        let provider = Arc::new(Sandbox::new("secret", clock.clone(), webhooks));
        let config = Config { pending_top_ups: 100, top_up_wait_ms: 20, ..Config::default() };
        let till = Till::new(&config, store.clone(), clock.clone(), provider);
        let worker = Worker { store: store.clone(), clock: clock.clone(), silence: HOUR };
        let copier = Copier { store: store.clone(), clock };
        Self { store, worker, till, ground, copier }
    }

    /// Tops a wallet up under a key.
    pub async fn pay_in(
        &self,
        member: MemberId,
        amount: i64,
        key: &str,
        payment_key: &str,
    ) -> Result<Wallet, Fault> {
        let request = Request {
            member,
            key: key.to_owned(),
            amount: ledger::top_up_amount(amount).unwrap(),
            payment_key: payment_key.to_owned(),
        };
        self.till.top_up(request, Instant::now() + HOUR).await
    }

    /// A member with so much money.
    pub async fn member(&self, money: i64) -> MemberId {
        let member = MemberId::fresh();
        self.pay_in(member, money, &Uuid::now_v7().to_string(), "").await.unwrap();
        member
    }

    /// Takes in how a seat stands, as a reader would.
    pub async fn hear(&self, seat: &SeatState) {
        let fact = Fact {
            kind: Kind::State,
            topic: None,
            id: Uuid::now_v7(),
            noun: "seat".to_owned(),
            aggregate: seat.order_id.parse().unwrap(),
            version: 1,
            payload: seat.encode_to_vec().into(),
            trace: String::new(),
            at: self.ground.clock.now(),
        };
        let mut tx = self.store.begin().await.unwrap();
        self.copier.apply(&mut tx, &fact).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Everything that is due as it is now.
    pub async fn due(&self) -> Vec<Order> {
        let now = self.store.now(&self.ground.clock).await.unwrap();
        self.store.list_due_orders(now, 1_000).await.unwrap()
    }

    /// Goes on until nothing is due.
    pub async fn settle(&self) {
        for _ in 0..10 {
            let due = self.due().await;
            if due.is_empty() {
                return;
            }
            for order in due {
                self.worker.step(&order).await.unwrap();
            }
        }
        panic!("it goes round in circles");
    }

    pub async fn order(&self, member: MemberId, id: &str) -> Option<Order> {
        let ids = vec![id.parse().unwrap()];
        self.store.list_own_orders(&self.view(), member, ids).await.unwrap().pop()
    }

    pub async fn wrong(&self) -> Vec<String> {
        audit(&self.ground.db).await.unwrap()
    }

    pub fn soon(&self) -> Timestamp {
        self.ground.clock.now().after(HOUR)
    }
}

/// A seat held for a member.
pub(super) fn held(member: MemberId, amount_krw: i64, until: Timestamp) -> SeatState {
    SeatState {
        order_id: OrderId::fresh().to_string(),
        attendance_id: AttendanceId::fresh().to_string(),
        schedule_id: ScheduleId::fresh().to_string(),
        member_id: member.to_string(),
        amount_krw,
        schedule_title: "저녁 달리기".to_owned(),
        phase: SeatPhase::Held.into(),
        expires_at_us: until.us(),
        ..SeatState::default()
    }
}

/// The same seat in another phase.
pub(super) fn then(seat: &SeatState, phase: SeatPhase, refund: bool) -> SeatState {
    SeatState { phase: phase.into(), refund, ..seat.clone() }
}

pub(super) async fn checked(bed: &Bed) -> Ground {
    bed.ground("payment", &MIGRATIONS).await
}

/// A ground where anything may be written, for the checks are left out of its tables.
pub(super) async fn unchecked(bed: &Bed) -> Ground {
    let unchecked = |of: &Migration| {
        let mut sql = of.sql.as_str().to_owned();
        for check in CHECKS {
            let before = sql.len();
            // The comma that stood before it goes too.
            sql = sql.replace(&format!(",\n{check}"), "\n");
            assert!(sql.len() < before, "the check stands in the migration");
        }
        let sql = sqlx::AssertSqlSafe(sql).into_sql_str();
        Migration::new(of.version, of.description.clone(), of.migration_type, sql, of.no_tx)
    };
    let migrations = Cow::Owned(MIGRATIONS.iter().map(unchecked).collect());
    bed.ground("payment", Box::leak(Box::new(Migrator { migrations, ..Migrator::DEFAULT }))).await
}
