//! Any order of top-ups, seats, words about them and work, with repeats: the books always agree.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

use std::time::Duration;

use moim_kit::id::MemberId;
use moim_proto::schedule::v1::{SeatPhase, SeatState};
use moim_testbed::Bed;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseResult, TestRunner};
use tokio::time::timeout;
use uuid::Uuid;

use super::stage::{Stage, checked, held, then};
use crate::model::{OrderState, Wallet};
use crate::store::Store;

const CASES: u32 = 24;
const STEPS: usize = 25;
const SEATS: usize = 4;
const KEYS: usize = 5;

#[derive(Clone, Copy, Debug)]
enum Act {
    /// Money comes in under one of a few keys; the same key pays the same.
    PayIn {
        key: usize,
    },
    /// A seat is held, or held again.
    Hold {
        seat: usize,
    },
    Tell {
        seat: usize,
        phase: SeatPhase,
        refund: bool,
    },
    /// Every due order goes one step further, each by two workers that read it at once.
    Work,
    /// The same, but the worker dies so soon, wherever it is.
    Die {
        after_us: u64,
    },
}

fn act() -> impl Strategy<Value = Act> {
    use SeatPhase::{Granted, Lost, Returned};
    prop_oneof![
        3 => (0..KEYS).prop_map(|key| Act::PayIn { key }),
        3 => (0..SEATS).prop_map(|seat| Act::Hold { seat }),
        4 => (0..SEATS, prop::sample::select(vec![Granted, Lost, Returned]), any::<bool>())
            .prop_map(|(seat, phase, refund)| Act::Tell { seat, phase, refund }),
        5 => Just(Act::Work),
        3 => (0..3_000_u64).prop_map(|after_us| Act::Die { after_us }),
    ]
}

/// What a wallet should hold: what came in less what confirmed orders cost.
async fn expected(stage: &Stage, member: MemberId, seats: &[SeatState], paid: i64) -> Wallet {
    let (mut balance_krw, mut held_krw) = (paid, 0);
    for seat in seats {
        match stage.order(member, &seat.order_id).await.map(|order| order.state) {
            Some(OrderState::MoneyHeld) => held_krw += seat.amount_krw,
            Some(OrderState::Confirmed | OrderState::Refunding) => balance_krw -= seat.amount_krw,
            _ => {}
        }
    }
    Wallet { balance_krw, held_krw }
}

async fn play(stage: &Stage, acts: Vec<Act>) -> TestCaseResult {
    let member = MemberId::fresh();
    let seats: Vec<_> = (1..=SEATS)
        .map(|n| held(member, i64::try_from(n).unwrap() * 1_000, stage.soon()))
        .collect();
    let keys: Vec<_> = (0..KEYS).map(|_| Uuid::now_v7().to_string()).collect();
    let mut paid = [false; KEYS];
    let amount = |key: usize| i64::try_from(key).unwrap() * 700 + 300;
    for act in acts {
        match act {
            Act::PayIn { key } => {
                stage.pay_in(member, amount(key), &keys[key], "").await.unwrap();
                paid[key] = true;
            }
            Act::Hold { seat } => stage.hear(&seats[seat]).await,
            Act::Tell { seat, phase, refund } => {
                stage.hear(&then(&seats[seat], phase, refund)).await;
            }
            Act::Work => {
                for order in stage.due().await {
                    let (one, two) =
                        futures::future::join(stage.worker.step(&order), stage.worker.step(&order))
                            .await;
                    one.and(two).unwrap();
                }
            }
            Act::Die { after_us } => {
                for order in stage.due().await {
                    let soon = Duration::from_micros(after_us);
                    if let Ok(done) = timeout(soon, stage.worker.step(&order)).await {
                        done.unwrap();
                    }
                }
            }
        }
        let total = (0..KEYS).filter(|key| paid[*key]).map(amount).sum();
        let wallet = stage.store.find_wallet(&stage.view(), member).await.unwrap();
        prop_assert_eq!(wallet, expected(stage, member, &seats, total).await);
        prop_assert!(wallet.held_krw >= 0 && wallet.spendable_krw() >= 0);
        prop_assert_eq!(stage.wrong().await, Vec::<String>::new());
    }
    stage.settle().await;
    prop_assert_eq!(stage.wrong().await, Vec::<String>::new());
    Ok(())
}

#[test]
fn whatever_happens_the_books_agree() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let _entered = runtime.enter();
    let bed = Bed::sqlite();
    let stage = Stage::new(runtime.block_on(checked(&bed)), Store::new);
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let acts = prop::collection::vec(act(), STEPS);
    TestRunner::new(config).run(&acts, |acts| runtime.block_on(play(&stage, acts))).unwrap();
}
