//! What the payment room would tell, and schedules that cost something.

use moim_kit::id::OrderId;
use moim_proto::payment::v1::{OrderFact, OrderFailure, OrderState};

use crate::*;

pub const FEE: i32 = 10_000;
/// Longer than a seat is held.
pub const HOLD: Duration = Duration::from_secs(31);

/// What the payment makes of a held seat, when it answers by itself.
#[derive(Clone, Copy)]
pub enum Wallet {
    Full,
    Short(i64),
}

/// Does not wait for payments, and sweeps often.
pub fn hurried() -> Config {
    Config { pay_wait_ms: 0, sweep_every_ms: 20, ..Config::default() }
}

/// The same, but nothing is swept after the start.
pub fn unswept() -> Config {
    Config { sweep_every_ms: u64::from(u32::MAX), ..hurried() }
}

impl World {
    /// A host with a gathering and a schedule of so many seats for a fee.
    pub async fn paid_meetup(&self, capacity: i32) -> (MemberId, GatheringId, Schedule) {
        let host = self.member("모임장");
        let gathering = self.gathering(host);
        let plan = CreateRequest { fee_krw: FEE, ..self.plan(gathering, capacity) };
        let plan = CreateRequest {
            starts_at_us: plan.starts_at_us + DAY_US,
            ends_at_us: plan.ends_at_us + DAY_US,
            ..plan
        };
        (host, gathering, self.create(host, plan).await)
    }

    /// Stands in line, to pay by itself.
    pub async fn attend_paying(&self, member: MemberId, schedule: &Schedule) -> Attendance {
        let request = AttendRequest { auto_pay: true, ..attend(schedule) };
        let answer = self.client.clone().attend(self.by(member).request(request)).await;
        answer.unwrap().into_inner().attendance.unwrap()
    }

    /// The payment tells a state of an order.
    pub fn tell_order(&self, order: &str, version: i64, state: OrderState) {
        self.tell(order, version, OrderFact { state: state.into(), ..OrderFact::default() });
    }

    pub fn money_held(&self, order: &str) {
        self.tell_order(order, 2, OrderState::MoneyHeld);
    }

    pub fn released(&self, order: &str, version: i64, failure: OrderFailure, shortfall_krw: i64) {
        let state = OrderState::Released.into();
        let fact =
            OrderFact { state, failure: failure.into(), shortfall_krw, ..OrderFact::default() };
        self.tell(order, version, fact);
    }

    fn tell(&self, order: &str, version: i64, fact: OrderFact) {
        let id: OrderId = order.parse().unwrap();
        self.payments.push(
            "order",
            id.uuid(),
            version,
            &OrderFact { id: order.to_owned(), ..fact },
        );
    }

    /// The payment answers by itself to every seat that is held from now on.
    pub fn cashier(&self, wallet: Wallet) {
        let (log, payments) = (self.room.log.clone(), self.payments.clone());
        let token = self.bed.tasks.token();
        self.bed.tasks.spawn("cashier", async move {
            let mut position = 0;
            while !token.is_cancelled() {
                for entry in log.read(position, 100).await.unwrap_or_default() {
                    position = entry.position;
                    if entry.fact.kind == Kind::State && entry.fact.noun == "seat" {
                        let seat = SeatState::decode(entry.fact.payload).unwrap();
                        if seat.phase() == SeatPhase::Held {
                            payments.push("order", entry.fact.aggregate, 2, &answer(wallet));
                        }
                    }
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
    }

    /// A member's attendance once it has come to a state.
    pub async fn becomes(
        &self,
        member: MemberId,
        schedule: &Schedule,
        state: AttendanceState,
    ) -> Attendance {
        for _ in 0..400 {
            let own = self.see(self.by(member), &schedule.id).await.viewer_attendance;
            if let Some(own) = own.filter(|own| own.state() == state) {
                return own;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("it never came to {state:?}");
    }

    /// The first states told of a seat, in order and without gaps, once there are so many.
    pub async fn seat(&self, order: &str, count: usize) -> Vec<SeatState> {
        let id: OrderId = order.parse().unwrap();
        for _ in 0..400 {
            let entries = self.room.log.read(0, 10_000).await.unwrap();
            let facts = entries.into_iter().map(|entry| entry.fact);
            let told: Vec<_> =
                facts.filter(|fact| fact.noun == "seat" && fact.aggregate == id.uuid()).collect();
            assert!(told.iter().map(|fact| fact.version).eq((1..).take(told.len())), "gapless");
            assert!(told.len() <= count, "more was told of the seat than expected");
            if told.len() == count {
                let states = told.into_iter().map(|fact| SeatState::decode(fact.payload).unwrap());
                return states.collect();
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("fewer than {count} states of the seat were told");
    }

    /// The phases told of a seat, once there are so many.
    pub async fn phases<const N: usize>(&self, order: &str) -> [SeatPhase; N] {
        let told = self.seat(order, N).await;
        told.iter().map(SeatState::phase).collect::<Vec<_>>().try_into().unwrap()
    }

    /// Seats taken, held, and places in line, as the host sees them.
    pub async fn counts(&self, host: MemberId, schedule: &Schedule) -> (i32, i32, i32) {
        let seen = self.see(self.by(host), &schedule.id).await;
        (seen.going_count, seen.held_count, seen.waitlist_count)
    }

    /// Moves the house's clock.
    pub fn pass(&self, span: Duration) {
        self.bed.clock.set(self.now().after(span));
    }

    /// Somebody who has a seat and has paid for it.
    pub async fn paid_guest(
        &self,
        gathering: GatheringId,
        schedule: &Schedule,
        nickname: &str,
    ) -> (MemberId, Attendance) {
        let member = self.guest(gathering, nickname);
        let held = self.attend(member, schedule).await;
        self.money_held(order(&held));
        (member, self.becomes(member, schedule, AttendanceState::Going).await)
    }

    /// Everything the payment has told has taken effect, for a later order of somebody else has.
    pub async fn payments_arrived(&self) {
        let host = self.member("딴사람");
        let gathering = self.gathering(host);
        let plan = CreateRequest { fee_krw: FEE, ..self.plan(gathering, 1) };
        let schedule = self.create(host, plan).await;
        let held = self.attend(host, &schedule).await;
        self.money_held(order(&held));
        self.becomes(host, &schedule, AttendanceState::Going).await;
    }
}

const DAY_US: i64 = 24 * 3_600 * 1_000_000;

/// The order of an attendance, as its member sees it.
pub fn order(attendance: &Attendance) -> &str {
    attendance.order_id.as_deref().unwrap()
}

fn answer(wallet: Wallet) -> OrderFact {
    match wallet {
        Wallet::Full => OrderFact { state: OrderState::MoneyHeld.into(), ..OrderFact::default() },
        Wallet::Short(shortfall_krw) => OrderFact {
            state: OrderState::Released.into(),
            failure: OrderFailure::InsufficientBalance.into(),
            shortfall_krw,
            ..OrderFact::default()
        },
    }
}
