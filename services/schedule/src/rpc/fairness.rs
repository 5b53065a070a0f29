//! Any order of arrivals, payments, withdrawals, resizings, leavers and time against a model of a fair line.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests fail loudly")]

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use moim_kit::id::{GatheringId, MemberId, OrderId, ScheduleId};
use moim_kit::{Fault, Timestamp};
use moim_proto::gathering::v1::{MembershipRole, MembershipStatus};
use moim_proto::payment::v1::{OrderFact, OrderFailure, OrderState};
use moim_proto::schedule::v1 as proto;
use moim_storage::Outbox;
use moim_testbed::Bed;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseResult, TestRunner};

use super::rules::{Line, PEOPLE, REFUNDABLE, Step, step};
use super::stage::{Stage, call};
use crate::attendance::{Attendance, State};
use crate::fee::Terms;
use crate::model::Schedule;
use crate::order::{Failure, Phase, Seat};
use crate::store::Store;
use crate::{MIGRATIONS, seats, sweeper};

/// Played without being asked for more by `MOIM_TEST_CASES`, in as many threads as there are.
const CASES: usize = 2_000;
const THREADS: usize = 2;
const STEPS: usize = 30;
const FEE: i32 = 1_000;

/// A schedule on the stage and the people around it.
struct Scene<'a> {
    stage: &'a Stage,
    host: MemberId,
    gathering: GatheringId,
    people: &'a [MemberId],
    schedule: ScheduleId,
    /// When the model's time began.
    start: Timestamp,
    /// The ids of the model's orders, in the same order.
    orders: Vec<OrderId>,
}

impl<'a> Scene<'a> {
    async fn set(stage: &'a Stage, people: &'a [MemberId], is_paid: bool) -> Self {
        let start = stage.server.clock.now();
        let until = is_paid.then(|| start.after(Duration::from_secs(REFUNDABLE)));
        let fee = if is_paid { FEE } else { 0 };
        let (host, gathering, schedule) = stage.meetup_for(2, fee, until).await;
        let schedule = schedule.id.parse().unwrap();
        let scene = Self { stage, host, gathering, people, schedule, start, orders: Vec::new() };
        for who in 0..PEOPLE {
            scene.standing(who, MembershipStatus::Active).await;
        }
        scene
    }

    async fn standing(&self, who: usize, status: MembershipStatus) {
        let member = self.people[who];
        self.stage.standing(self.gathering, member, MembershipRole::Member, status).await;
    }

    async fn take(&self, step: Step, line: &Line) -> Result<(), Fault> {
        // How long the test takes is no part of its time.
        let clock = &self.stage.server.clock;
        clock.set(self.start.after(Duration::from_secs(line.now)));
        let server = &self.stage.server;
        let schedule_id = self.schedule.to_string();
        match step {
            Step::Attend { who, join_waitlist, auto_pay } => {
                let request = proto::AttendRequest {
                    schedule_id,
                    join_waitlist,
                    auto_pay,
                    // The same people play everywhere.
                    allow_overlap: true,
                };
                server.sign_up(&call(self.people[who]), request).await?;
            }
            Step::Withdraw { who } => {
                let request = proto::WithdrawRequest { schedule_id };
                server.step_back(&call(self.people[who]), request).await?;
            }
            Step::Pay { nth } => {
                self.verdict(line, nth, OrderState::MoneyHeld, OrderFailure::Unspecified).await;
            }
            Step::Refuse { nth, failure } => {
                let failure = match failure {
                    Failure::InsufficientBalance => OrderFailure::InsufficientBalance,
                    _ => OrderFailure::Expired,
                };
                self.verdict(line, nth, OrderState::Released, failure).await;
            }
            Step::Pass => {}
            Step::Sweep => sweeper::sweep(&server.store, clock).await?,
            Step::Resize { capacity } => {
                self.change(proto::UpdateRequest { capacity: Some(capacity), ..self.nothing() })
                    .await?;
            }
            Step::Close { closed } => {
                self.change(proto::UpdateRequest { closed: Some(closed), ..self.nothing() })
                    .await?;
            }
            Step::Leave { who, sent: false } => self.standing(who, MembershipStatus::Left).await,
            Step::Leave { who, sent: true } => self.standing(who, MembershipStatus::Removed).await,
            Step::Join { who } => self.standing(who, MembershipStatus::Active).await,
            Step::Cancel => {
                let request = proto::CancelRequest { schedule_id, reason: "비".to_owned() };
                server.call_off(&call(self.host), request).await?;
            }
        }
        Ok(())
    }

    fn nothing(&self) -> proto::UpdateRequest {
        let schedule_id = self.schedule.to_string();
        proto::UpdateRequest { schedule_id, ..proto::UpdateRequest::default() }
    }

    async fn change(&self, request: proto::UpdateRequest) -> Result<(), Fault> {
        self.stage.server.change(&call(self.host), request).await.map(drop)
    }

    async fn verdict(&self, line: &Line, nth: usize, state: OrderState, failure: OrderFailure) {
        let Some(order) = line.nth(nth) else { return };
        let fact =
            OrderFact { state: state.into(), failure: failure.into(), ..OrderFact::default() };
        self.stage.take("order", self.orders[order].uuid(), 1, &fact).await;
    }

    async fn compare(&mut self, line: &Line) -> TestCaseResult {
        let store = &self.stage.server.store;
        let view = self.stage.server.reads.primary();
        let schedule = store.list_schedules(&view, vec![self.schedule]).await.unwrap().remove(0);
        let (attendances, seats) = store.snapshot(self.schedule).await;
        hold_true(&schedule, &attendances, &seats)?;
        let counts = [schedule.going_count, schedule.held_count, schedule.waitlist_count];
        let expected = [
            line.count(&[State::Going]),
            line.count(&[State::PendingPayment, State::Offered]),
            line.count(&[State::Waitlisted]),
        ];
        prop_assert_eq!(counts.map(|count| usize::try_from(count).unwrap()), expected);
        let who = |of: &Attendance| self.people.iter().position(|it| *it == of.member_id).unwrap();
        for (n, person) in line.people.iter().enumerate() {
            let kept = attendances.iter().find(|of| who(of) == n);
            prop_assert_eq!(kept.map(|of| of.state), person.state, "of person {}", n);
            // A new order of the model is the one that its member has now.
            if person.order == Some(self.orders.len()) {
                self.orders.push(kept.and_then(|of| of.order_id).unwrap());
            }
            let order = person.order.map(|order| self.orders[order]);
            prop_assert_eq!(kept.and_then(|of| of.order_id), order);
        }
        let queued = attendances.iter().filter(|of| of.state == State::Waitlisted);
        let queued: Vec<_> = queued.map(who).collect();
        prop_assert_eq!(queued, line.waiting(), "first come, first served");
        prop_assert_eq!(seats.len(), line.orders.len());
        for (id, order) in self.orders.iter().zip(&line.orders) {
            let seat = seats.iter().find(|seat| seat.order_id == *id).unwrap();
            let kept = (seat.phase, seat.refund, seat.version);
            prop_assert_eq!(kept, (order.phase, order.refund, order.version));
        }
        Ok(())
    }

    /// Every version of every seat was told, and each once.
    async fn compare_told(&self, line: &Line) -> TestCaseResult {
        let told = self.stage.server.store.told_of_seats(self.orders.clone()).await;
        let mut versions: HashMap<String, Vec<i64>> = HashMap::new();
        for (id, version) in told {
            versions.entry(id).or_default().push(version);
        }
        for (id, order) in self.orders.iter().zip(&line.orders) {
            let told = versions.remove(&id.to_string()).unwrap_or_default();
            prop_assert_eq!(told, (1..=order.version).collect::<Vec<_>>());
        }
        Ok(())
    }
}

/// What must hold whatever the model says.
fn hold_true(schedule: &Schedule, attendances: &[Attendance], seats: &[Seat]) -> TestCaseResult {
    let is_open = schedule.cancelled_at.is_none();
    prop_assert!(schedule.taken() <= schedule.capacity, "never over capacity");
    let is_full = schedule.taken() == schedule.capacity;
    prop_assert!(is_full || schedule.waitlist_count == 0 || !is_open, "no seat is idle");
    let live = |of: &Attendance| {
        let of = seats.iter().filter(|seat| seat.attendance_id == of.id);
        of.filter(|seat| matches!(seat.phase, Phase::Waiting | Phase::Held | Phase::Granted))
            .map(|seat| (seat.phase, Some(seat.order_id)))
            .collect::<Vec<_>>()
    };
    for of in attendances {
        let is_held = matches!(of.state, State::PendingPayment | State::Offered);
        prop_assert_eq!(of.hold_expires_at.is_some(), is_held);
        let expected = match of.state {
            State::PendingPayment => Some(Phase::Held),
            State::Going if schedule.fee_krw > 0 && is_open => Some(Phase::Granted),
            State::Waitlisted if of.auto_pay && is_open => Some(Phase::Waiting),
            _ => None,
        };
        let expected: Vec<_> = expected.into_iter().map(|phase| (phase, of.order_id)).collect();
        prop_assert_eq!(live(of), expected, "one order, as far as {:?}", of);
    }
    Ok(())
}

async fn play(
    stage: &Stage,
    people: &[MemberId],
    is_paid: bool,
    steps: Vec<Step>,
) -> TestCaseResult {
    let mut scene = Scene::set(stage, people, is_paid).await;
    let mut line = Line::new(2, is_paid);
    for step in steps {
        let got = scene.take(step, &line).await.map_err(|fault| fault.reason().to_owned());
        let expected = line.take(step).map_err(|reason| reason.name().to_owned());
        prop_assert_eq!(got, expected, "{:?} led to {:?}", step, line);
        scene.compare(&line).await?;
    }
    scene.compare_told(&line).await
}

/// Plays so many cases on one database; tells what went wrong, with as few steps as it finds.
fn play_many(
    store: fn(Outbox, Terms) -> Store,
    cases: usize,
    max_shrink_iters: u32,
    played: &AtomicUsize,
) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let bed = Bed::sqlite();
    let (stage, people) = runtime.block_on(async {
        let stage = Stage::new(&bed.ground("schedule", &MIGRATIONS).await, store);
        let mut people = Vec::new();
        for n in 0..PEOPLE {
            people.push(stage.member(&format!("회원{n}")).await);
        }
        (stage, people)
    });
    let cases = u32::try_from(cases).unwrap();
    let config = Config { cases, max_shrink_iters, failure_persistence: None, ..Config::default() };
    let steps = (prop::bool::weighted(0.85), prop::collection::vec(step(), STEPS));
    let ended = TestRunner::new(config).run(&steps, |(is_paid, steps)| {
        played.fetch_add(steps.len(), Ordering::Relaxed);
        runtime.block_on(play(&stage, &people, is_paid, steps))
    });
    ended.map_err(|error| error.to_string())
}

#[test]
fn whatever_happens_the_line_is_fair() {
    let asked = std::env::var_os("MOIM_TEST_CASES").map(|text| text.to_str().unwrap().parse());
    let cases: usize = asked.transpose().unwrap().unwrap_or(CASES);
    let played = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            let cases = cases.div_ceil(THREADS);
            let played = &played;
            scope.spawn(move || play_many(Store::new, cases, 1_000, played).unwrap());
        }
    });
    eprintln!("{} steps were played", played.into_inner());
}

#[test]
fn the_model_finds_a_store_that_does_not_count_or_does_not_look_again() {
    for store in [Store::careless, Store::gullible] {
        play_many(store, 200, 0, &AtomicUsize::new(0)).unwrap_err();
    }
}

moim_testbed::on_both_databases! {
    async fn who_leaves_in_the_midst_of_signing_up_keeps_no_place(bed: Bed) {
        let ground = bed.ground("schedule", &MIGRATIONS).await;
        let stage = Stage::new(&ground, Store::new);
        let (_, gathering, schedule) = stage.meetup(2).await;
        let member = stage.member("하나").await;
        let (role, id) = (MembershipRole::Member, schedule.id.parse().unwrap());
        stage.standing(gathering, member, role, MembershipStatus::Active).await;

        let store = &stage.server.store;
        let now = stage.server.clock.now();
        let mut tx = store.begin().await.unwrap();
        assert!(store.lock_membership(&mut tx, gathering, member).await.unwrap());
        let sign_up = async {
            // Long enough for the fact to overtake, if nothing held it back.
            tokio::time::sleep(Duration::from_millis(300)).await;
            let (schedule, state) = store.take_place(&mut tx, id, true, now).await.unwrap();
            let place = seats::arrival(&schedule, state, false, store.terms(), now);
            store.arrive(&mut tx, &schedule, member, place, now).await.unwrap();
            tx.commit().await.unwrap();
        };
        let leave = stage.standing(gathering, member, role, MembershipStatus::Left);
        futures::future::join(sign_up, leave).await;
        let view = stage.server.reads.primary();
        let kept = store.list_schedules(&view, vec![id]).await.unwrap().remove(0);
        assert_eq!(kept.going_count, 0);
    }
}
