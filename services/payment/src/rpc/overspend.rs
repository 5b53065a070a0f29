//! The negative control: without its conditions the same money is spent twice, so the tests of money can fail.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

use moim_kit::id::MemberId;
use moim_proto::schedule::v1::SeatPhase;
use uuid::Uuid;

use super::stage::{Stage, checked, held, then, unchecked};
use crate::model::{OrderState, Wallet};
use crate::provider::Charged;
use crate::store::Store;

/// Two orders for the money of one: how many got it, and the wallet afterwards.
async fn two_for_the_last_money(stage: &Stage) -> (usize, Wallet) {
    let member = stage.member(10_000).await;
    let seats = [0, 1].map(|_| held(member, 10_000, stage.soon()));
    for seat in &seats {
        stage.hear(seat).await;
    }
    let due = stage.due().await;
    let steps = due.iter().map(|order| stage.worker.step(order));
    futures::future::join_all(steps).await;
    let mut holding = 0;
    for seat in &seats {
        let order = stage.order(member, &seat.order_id).await.unwrap();
        holding += usize::from(order.state == OrderState::MoneyHeld);
    }
    (holding, stage.store.find_wallet(&stage.view(), member).await.unwrap())
}

/// Two workers read the same order and both take its money: what is left of twice its price, and what failed.
async fn captured_by_two(stage: &Stage) -> (i64, usize) {
    let member = stage.member(20_000).await;
    let seat = held(member, 10_000, stage.soon());
    stage.hear(&seat).await;
    stage.settle().await;
    stage.hear(&then(&seat, SeatPhase::Granted, false)).await;
    let read = stage.due().await;
    let (one, two) = (read.clone(), read);
    let both = [one, two].into_iter().flatten();
    let steps = both.map(async |order| stage.worker.step(&order).await.is_err());
    let failed = futures::future::join_all(steps).await.into_iter().filter(|it| *it).count();
    (stage.store.find_wallet(&stage.view(), member).await.unwrap().balance_krw, failed)
}

/// A payment whose answer was lost is told to two who had read it undecided: the wallet, and what failed.
async fn credited_by_two(stage: &Stage) -> (i64, usize) {
    let (member, key) = (MemberId::fresh(), Uuid::now_v7().to_string());
    stage.pay_in(member, 10_000, &key, "sandbox-lost").await.unwrap_err();
    let read = stage.store.find_top_up(&key).await.unwrap().unwrap();
    let said = Charged::Paid { amount_krw: 10_000 };
    let mut failed = 0;
    for read in [read.clone(), read] {
        failed += usize::from(stage.till.settle(read, said).await.is_err());
    }
    (stage.store.find_wallet(&stage.view(), member).await.unwrap().balance_krw, failed)
}

moim_testbed::on_both_databases! {
    async fn of_two_who_hear_of_one_payment_one_credits_it(bed: Bed) {
        let stage = Stage::new(unchecked(&bed).await, Store::new);
        assert_eq!(credited_by_two(&stage).await, (10_000, 0));
    }

    async fn without_compare_and_set_and_constraint_two_credit_one_payment(bed: Bed) {
        let stage = Stage::new(unchecked(&bed).await, Store::careless);
        assert_eq!(credited_by_two(&stage).await, (20_000, 0));
    }

    async fn without_compare_and_set_the_constraint_still_credits_one_payment_once(bed: Bed) {
        let stage = Stage::new(checked(&bed).await, Store::careless);
        assert_eq!(credited_by_two(&stage).await, (10_000, 1));
        assert_eq!(stage.wrong().await, [""; 0]);
    }

    async fn with_its_condition_the_write_alone_holds_the_last_money_once(bed: Bed) {
        let stage = Stage::new(unchecked(&bed).await, Store::new);
        let (holding, wallet) = two_for_the_last_money(&stage).await;
        assert_eq!((holding, wallet.spendable_krw()), (1, 0));
        assert_eq!(stage.wrong().await, [""; 0]);
    }

    async fn without_condition_and_constraint_the_last_money_is_held_twice(bed: Bed) {
        let stage = Stage::new(unchecked(&bed).await, Store::careless);
        let (holding, wallet) = two_for_the_last_money(&stage).await;
        assert_eq!((holding, wallet.spendable_krw()), (2, -10_000));
    }

    async fn without_condition_the_constraint_still_holds_the_last_money_once(bed: Bed) {
        let stage = Stage::new(checked(&bed).await, Store::careless);
        let (holding, wallet) = two_for_the_last_money(&stage).await;
        assert_eq!((holding, wallet.spendable_krw()), (1, 0));
    }

    async fn of_two_workers_with_one_order_one_captures(bed: Bed) {
        let stage = Stage::new(unchecked(&bed).await, Store::new);
        assert_eq!(captured_by_two(&stage).await, (10_000, 0));
        assert_eq!(stage.wrong().await, [""; 0]);
    }

    async fn without_compare_and_set_and_constraint_two_workers_capture_twice(bed: Bed) {
        let stage = Stage::new(unchecked(&bed).await, Store::careless);
        assert_eq!(captured_by_two(&stage).await, (0, 0));
        assert!(!stage.wrong().await.is_empty(), "the auditor sees it");
    }

    async fn without_compare_and_set_the_constraints_still_capture_once(bed: Bed) {
        let stage = Stage::new(checked(&bed).await, Store::careless);
        assert_eq!(captured_by_two(&stage).await, (10_000, 1));
        assert_eq!(stage.wrong().await, [""; 0]);
    }
}
