//! What every test here stands on: an open room behind a socket, a scripted schedule room, and short ways to call.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use moim_kit::Fault;
use moim_kit::bus::Kind;
use moim_kit::id::{AttendanceId, MemberId, OrderId, ScheduleId};
use moim_kit::serve::Room;
use moim_kit::wire::Wire;
use moim_payment::{Config, MIGRATIONS, audit};
use moim_proto::page::v1::PageRequest;
use moim_proto::payment::v1::payment_service_client::PaymentServiceClient;
use moim_proto::payment::v1::*;
use moim_proto::schedule::v1::{SeatPhase, SeatState};
use moim_storage::Db;
use moim_testbed::{Bed, ScriptedLog};
use prost::Message as _;
use prost::bytes::Bytes;
use sha2::Sha256;
use uuid::Uuid;

pub const MINUTE: Duration = Duration::from_secs(60);
const SECRET: &str = "a secret of the sandbox";

pub type Client = PaymentServiceClient<Wire>;

/// Calls a method as a member and answers its message, or the fault.
macro_rules! ask {
    ($stage:expr, $member:expr, $method:ident, $request:expr) => {
        $stage
            .client()
            .$method($stage.bed.call($member).request($request))
            .await
            .map(tonic::Response::into_inner)
            .map_err(moim_kit::Fault::from)
    };
}
pub(crate) use ask;

pub struct Stage {
    pub bed: Bed,
    pub room: Room,
    pub schedules: Arc<ScriptedLog>,
    pub db: Db,
    client: Client,
}

/// Quick knobs, so that what happens by itself happens soon.
pub fn quick() -> Config {
    Config {
        sandbox_secret: SECRET.to_owned(),
        top_up_wait_ms: 300,
        pending_top_ups: 100,
        poll_ms: 20,
        audit_every_ms: 50,
        ..Config::default()
    }
}

impl Stage {
    pub async fn set(bed: Bed) -> Self {
        Self::with(bed, quick()).await
    }

    pub async fn with(bed: Bed, config: Config) -> Self {
        let schedules = ScriptedLog::new();
        let ground = bed.ground("payment", &MIGRATIONS).await;
        let db = ground.db.clone();
        let room = moim_payment::open(config, ground, schedules.clone()).await.unwrap();
        let client = Client::new(bed.serve(&room).await);
        Self { bed, room, schedules, db, client }
    }

    /// The same room once more, as another process on the same database.
    pub async fn second_room(&self) -> Client {
        let ground = self.bed.ground("payment", &MIGRATIONS).await;
        let room = moim_payment::open(quick(), ground, self.schedules.clone()).await.unwrap();
        Client::new(self.bed.serve(&room).await)
    }

    pub fn client(&self) -> Client {
        self.client.clone()
    }

    pub async fn wallet(&self, member: MemberId) -> Wallet {
        ask!(self, member, get_wallet, GetWalletRequest {}).unwrap().wallet.unwrap()
    }

    /// Spendable and held money of a member, once it is so.
    pub async fn has(&self, member: MemberId, spendable: i64, held: i64) {
        let mut last = Wallet::default();
        for _ in 0..500 {
            last = self.wallet(member).await;
            if (last.balance_krw, last.held_krw) == (spendable, held) {
                return;
            }
            pause().await;
        }
        panic!("it should be {spendable} and {held}, and is {last:?}");
    }

    pub async fn top_up(
        &self,
        member: MemberId,
        key: &str,
        amount_krw: i64,
        payment_key: &str,
    ) -> Result<Wallet, Fault> {
        top_up(self.client(), &self.bed, member, key, amount_krw, payment_key).await
    }

    /// A member with so much money.
    pub async fn member(&self, money: i64) -> MemberId {
        let member = MemberId::fresh();
        self.top_up(member, &fresh(), money, "").await.unwrap();
        member
    }

    /// A seat held for a member for a minute.
    pub fn seat(&self, member: MemberId, amount_krw: i64) -> SeatState {
        SeatState {
            order_id: OrderId::fresh().to_string(),
            attendance_id: AttendanceId::fresh().to_string(),
            schedule_id: ScheduleId::fresh().to_string(),
            member_id: member.to_string(),
            amount_krw,
            schedule_title: "저녁 달리기".to_owned(),
            phase: SeatPhase::Held.into(),
            expires_at_us: self.bed.clock.now().after(MINUTE).us(),
            ..SeatState::default()
        }
    }

    /// Tells how a seat stands.
    pub fn tell(&self, seat: &SeatState, version: i64) {
        let id = seat.order_id.parse().unwrap();
        self.schedules.push("seat", id, version, seat);
    }

    pub async fn orders(&self, member: MemberId, ids: &[&str]) -> Vec<Order> {
        let ids = ids.iter().map(|id| (*id).to_owned()).collect();
        ask!(self, member, batch_get_orders, BatchGetOrdersRequest { ids }).unwrap().orders
    }

    /// An order once it is in a state.
    pub async fn order(&self, seat: &SeatState, state: OrderState) -> Order {
        let member = seat.member_id.parse().unwrap();
        let mut last = None;
        for _ in 0..500 {
            last = self.orders(member, &[&seat.order_id]).await.pop();
            if last.as_ref().is_some_and(|order| order.state() == state) {
                return last.unwrap();
            }
            pause().await;
        }
        panic!("the order should be {state:?}, and is {last:?}");
    }

    pub async fn entries(&self, member: MemberId) -> Vec<WalletEntry> {
        let page = Some(PageRequest { first: Some(100), ..PageRequest::default() });
        ask!(self, member, list_entries, ListEntriesRequest { page }).unwrap().entries
    }

    /// What was told of an order, in order: states with their versions.
    pub async fn told(&self, seat: &SeatState, count: usize) -> Vec<(i64, OrderFact)> {
        let facts = self.facts(seat, Kind::State, count).await;
        facts
            .into_iter()
            .map(|(version, bytes)| (version, OrderFact::decode(bytes).unwrap()))
            .collect()
    }

    /// The events of an order, once there are so many.
    pub async fn events(&self, seat: &SeatState, count: usize) -> Vec<OrderEvent> {
        let facts = self.facts(seat, Kind::Event, count).await;
        facts.into_iter().map(|(_, bytes)| OrderEvent::decode(bytes).unwrap()).collect()
    }

    async fn facts(&self, seat: &SeatState, kind: Kind, count: usize) -> Vec<(i64, Bytes)> {
        let id: Uuid = seat.order_id.parse().unwrap();
        for _ in 0..500 {
            let entries = self.room.log.read(0, 10_000).await.unwrap();
            let of = entries.into_iter().map(|entry| entry.fact);
            let of = of.filter(|fact| fact.kind == kind && fact.aggregate == id);
            let of: Vec<_> = of.map(|fact| (fact.version, fact.payload)).collect();
            assert!(of.len() <= count, "more than {count} were told");
            if of.len() == count {
                return of;
            }
            pause().await;
        }
        panic!("fewer than {count} were told");
    }

    /// The ledger agrees with itself.
    pub async fn audited(&self) {
        assert_eq!(audit(&self.db).await.unwrap(), [""; 0]);
    }

    /// So many webhooks were heard, and what they asked for was done.
    pub async fn all_looked_at(&self, webhooks: i64) {
        const LEFT: &str = "
SELECT (SELECT COUNT(*) FROM webhook), (SELECT COUNT(*) FROM top_up WHERE next_look_at_us IS NOT NULL)";
        let mut last = None;
        for _ in 0..500 {
            last = self.db.fetch_optional::<(i64, i64)>(LEFT, vec![]).await.unwrap();
            if last == Some((webhooks, 0)) {
                return;
            }
            pause().await;
        }
        panic!("webhooks and top-ups to look at: {last:?}");
    }

    /// State of a top-up, once it is so.
    pub async fn top_up_is(&self, key: &str, state: &str) {
        const FIND: &str = "SELECT state FROM top_up WHERE key = $1";
        let mut last = None;
        for _ in 0..500 {
            let args = moim_storage::args![key];
            last = self.db.fetch_optional::<(String,)>(FIND, args).await.unwrap();
            if last.as_ref().is_some_and(|(is,)| is == state) {
                return;
            }
            pause().await;
        }
        panic!("the top-up should be {state}, and is {last:?}");
    }
}

pub async fn top_up(
    mut client: Client,
    bed: &Bed,
    member: MemberId,
    key: &str,
    amount_krw: i64,
    payment_key: &str,
) -> Result<Wallet, Fault> {
    let request = TopUpRequest { amount_krw, payment_key: payment_key.to_owned() };
    let call = bed.call(member).keyed(Some(key));
    let answer = client.top_up(call.request(request)).await.map_err(Fault::from)?;
    Ok(answer.into_inner().wallet.unwrap())
}

/// The same seat in another phase.
pub fn then(seat: &SeatState, phase: SeatPhase) -> SeatState {
    SeatState { phase: phase.into(), ..seat.clone() }
}

/// A seat given back, with its money or without.
pub fn returned(seat: &SeatState, refund: bool) -> SeatState {
    SeatState { refund, ..then(seat, SeatPhase::Returned) }
}

/// A webhook of the sandbox, signed as it signs them.
pub fn webhook(id: &str, at_s: i64, body: &str, secret: &str) -> TakeWebhookRequest {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{id}.{at_s}.{body}").as_bytes());
    let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    let headers = HashMap::from([
        ("webhook-id".to_owned(), id.to_owned()),
        ("webhook-timestamp".to_owned(), at_s.to_string()),
        ("webhook-signature".to_owned(), signature),
    ]);
    TakeWebhookRequest { headers, body: body.as_bytes().to_vec().into() }
}

/// The same with the room's own secret, about an order.
pub fn notice(stage: &Stage, id: &str, order: &str) -> TakeWebhookRequest {
    let at = stage.bed.clock.now().seconds();
    webhook(id, at, &format!(r#"{{"order":"{order}"}}"#), SECRET)
}

pub fn fresh() -> String {
    Uuid::now_v7().to_string()
}

pub async fn pause() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}
