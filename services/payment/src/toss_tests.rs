//! Toss Payments as the provider, against a stand-in that speaks its wire format.

use std::time::Duration;

use moim_kit::id::TopUpId;
use moim_kit::{Code, Fault, Timestamp};
use serde_json::json;
use tokio::time::timeout;

use crate::fault::Reason;
use crate::provider::{Charge, Charged, PaymentProvider};
use crate::toss::{Config, Toss, is_order, is_payment_key};
use crate::toss_stand::{Asked, SECRET_KEY, TossStand, Trick};

const ORDER: &str = "an-order_of=1";
const KEY: &str = "tviva20261127090000abcd1";
const PAID: Charged = Charged::Paid { amount_krw: 30_000 };
/// Long enough for anything that happens at all.
const PATIENCE: Duration = Duration::from_secs(20);

fn config(stand: &TossStand) -> Config {
    Config { url: stand.url(), secret_key: SECRET_KEY.to_owned(), ..Config::default() }
}

fn charge() -> Charge {
    Charge {
        top_up: TopUpId::fresh(),
        order: ORDER.to_owned(),
        payment_key: KEY.to_owned(),
        amount_krw: 30_000,
        requested_at: Timestamp::from_us(1_795_000_000_000_000),
    }
}

/// A payer has been through the checkout, and the shop knows of it.
async fn checked_out() -> (TossStand, Toss, Charge) {
    let stand = TossStand::open().await;
    let (toss, charge) = (Toss::try_new(&config(&stand)).unwrap(), charge());
    stand.check_out(&charge.payment_key, &charge.order, charge.amount_krw);
    (stand, toss, charge)
}

fn is_unavailable(result: &Result<Charged, Fault>) -> bool {
    let reason = result.as_ref().map_err(Fault::reason).err();
    reason == Some(Reason::ProviderUnavailable.name())
}

fn is_internal(result: &Result<Charged, Fault>) -> bool {
    result.as_ref().is_err_and(|fault| fault.code() == Code::Internal)
}

#[tokio::test]
async fn a_payment_is_confirmed_once_however_often_it_is_asked_for() {
    let (stand, toss, charge) = checked_out().await;
    for _ in 0..3 {
        assert_eq!(toss.confirm(&charge).await.unwrap(), PAID);
    }
    assert_eq!(toss.find(&charge).await.unwrap(), PAID);
    assert_eq!(stand.taken(), 1);
    let key = format!("{}-confirm", charge.top_up);
    let first = Asked { call: "POST confirm".to_owned(), idempotency_key: key };
    assert_eq!(stand.asked()[..3], [first.clone(), first.clone(), first]);
}

#[tokio::test]
async fn a_payment_confirmed_before_is_found() {
    let (stand, toss, charge) = checked_out().await;
    stand.alter(KEY, |checkout| checkout.status = "DONE");
    assert_eq!(toss.confirm(&charge).await.unwrap(), PAID);
    assert_eq!(stand.taken(), 0);
}

#[tokio::test]
async fn a_refused_card_is_a_decline_and_stays_one() {
    let (stand, toss, charge) = checked_out().await;
    stand.alter(KEY, |checkout| checkout.refused_with = Some("REJECT_CARD_PAYMENT"));
    for _ in 0..2 {
        assert_eq!(toss.confirm(&charge).await.unwrap(), Charged::Declined);
    }
    assert_eq!(toss.find(&charge).await.unwrap(), Charged::Declined);
    assert_eq!(toss.cancel(&charge).await.unwrap(), Charged::Declined);
}

#[tokio::test]
async fn a_payment_nobody_opened_a_checkout_for_is_declined() {
    let stand = TossStand::open().await;
    let (toss, charge) = (Toss::try_new(&config(&stand)).unwrap(), charge());
    assert_eq!(toss.find(&charge).await.unwrap(), Charged::Unknown);
    assert_eq!(toss.confirm(&charge).await.unwrap(), Charged::Declined);
    assert_eq!(toss.cancel(&charge).await.unwrap(), Charged::Declined);
}

#[tokio::test]
async fn the_payment_of_another_order_pays_nothing_and_is_left_alone() {
    let (stand, toss, charge) = checked_out().await;
    assert_eq!(toss.confirm(&charge).await.unwrap(), PAID);
    let stolen = Charge { top_up: TopUpId::fresh(), order: "another-order".to_owned(), ..charge };
    assert_eq!(toss.confirm(&stolen).await.unwrap(), Charged::Declined);
    stand.play(Trick::Refuse(400, "ALREADY_PROCESSED_PAYMENT"));
    assert_eq!(toss.confirm(&stolen).await.unwrap(), Charged::Declined);
    assert_eq!(toss.find(&stolen).await.unwrap(), Charged::Unknown);
    assert_eq!(toss.cancel(&stolen).await.unwrap(), Charged::Declined);
    assert_eq!(stand.given_back(), 0);
}

#[tokio::test]
async fn another_amount_than_ours_is_not_accepted_but_given_back() {
    let (stand, toss, charge) = checked_out().await;
    stand.alter(KEY, |checkout| checkout.amount_krw = 100);
    // The sum is refused there, and the payment is still to be confirmed.
    assert_eq!(toss.confirm(&charge).await.unwrap(), Charged::Unknown);
    stand.alter(KEY, |checkout| checkout.status = "DONE");
    assert!(is_internal(&toss.confirm(&charge).await));
    assert!(is_internal(&toss.find(&charge).await));
    assert_eq!(toss.cancel(&charge).await.unwrap(), Charged::Cancelled);
    assert_eq!(stand.given_back(), 1);
}

#[tokio::test]
async fn an_answer_about_something_else_is_not_accepted() {
    let (stand, toss, charge) = checked_out().await;
    let payment = |key: &str, order: &str, amount: f64, currency: &str| {
        json!({ "paymentKey": key, "orderId": order, "status": "DONE", "totalAmount": amount,
            "currency": currency })
    };
    for said in [
        payment("other", ORDER, 30_000.0, "KRW"),
        payment(KEY, "other-order", 30_000.0, "KRW"),
        payment(KEY, ORDER, 30_000.5, "KRW"),
        payment(KEY, ORDER, 30_000.0, "USD"),
    ] {
        stand.play(Trick::Says(said.clone()));
        assert!(is_internal(&toss.confirm(&charge).await), "{said}");
    }
    stand.play(Trick::Says(payment(KEY, ORDER, 30_000.0, "KRW")));
    assert_eq!(toss.confirm(&charge).await.unwrap(), PAID);
}

#[tokio::test]
async fn every_state_of_a_payment_has_its_meaning() {
    let (stand, toss, charge) = checked_out().await;
    for (status, charged) in [
        ("READY", Charged::Unknown),
        ("IN_PROGRESS", Charged::Unknown),
        ("WAITING_FOR_DEPOSIT", Charged::Unknown),
        ("DONE", PAID),
        ("CANCELED", Charged::Cancelled),
        ("ABORTED", Charged::Declined),
        ("EXPIRED", Charged::Declined),
        ("SOMETHING_NEW", Charged::Unknown),
    ] {
        stand.alter(KEY, |checkout| checkout.status = status);
        assert_eq!(toss.find(&charge).await.unwrap(), charged, "{status}");
    }
    stand.alter(KEY, |checkout| checkout.status = "PARTIAL_CANCELED");
    assert!(is_internal(&toss.find(&charge).await));
}

#[tokio::test]
async fn money_is_given_back_once() {
    let (stand, toss, charge) = checked_out().await;
    // What is not confirmed yet cannot be given back, and expires there by itself.
    assert_eq!(toss.cancel(&charge).await.unwrap(), Charged::Unknown);
    assert_eq!(toss.confirm(&charge).await.unwrap(), PAID);
    for _ in 0..2 {
        assert_eq!(toss.cancel(&charge).await.unwrap(), Charged::Cancelled);
    }
    assert_eq!(toss.find(&charge).await.unwrap(), Charged::Cancelled);
    assert_eq!(stand.given_back(), 1);
}

#[tokio::test]
async fn a_cancellation_whose_answer_was_lost_is_found_done() {
    let (stand, toss, charge) = checked_out().await;
    assert_eq!(toss.confirm(&charge).await.unwrap(), PAID);
    let seen = json!({ "paymentKey": KEY, "orderId": ORDER, "status": "DONE",
        "totalAmount": 30_000 });
    stand.alter(KEY, |checkout| checkout.status = "CANCELED");
    stand.play(Trick::Says(seen));
    assert_eq!(toss.cancel(&charge).await.unwrap(), Charged::Cancelled);
}

#[tokio::test]
async fn a_cancellation_that_failed_once_is_asked_for_under_another_key() {
    let (stand, toss, charge) = checked_out().await;
    assert_eq!(toss.confirm(&charge).await.unwrap(), PAID);
    stand.play(Trick::Says(json!({ "paymentKey": KEY, "orderId": ORDER, "status": "DONE",
        "totalAmount": 30_000 })));
    stand.play(Trick::Refuse(400, "PROVIDER_ERROR"));
    assert!(is_unavailable(&toss.cancel(&charge).await));
    assert_eq!(toss.cancel(&charge).await.unwrap(), Charged::Cancelled);
    let cancels = stand.asked().into_iter().filter(|asked| asked.call.ends_with("/cancel"));
    let keys: Vec<_> = cancels.map(|asked| asked.idempotency_key).collect();
    assert_eq!(keys.len(), 2);
    assert_ne!(keys[0], keys[1]);
}

#[tokio::test]
async fn whatever_is_not_an_answer_leaves_it_open_and_is_asked_for_later() {
    let elsewhere = TossStand::open().await;
    for trick in [
        Trick::Status(500),
        Trick::Status(503),
        Trick::Status(429),
        Trick::Status(404),
        Trick::Torn,
        Trick::Huge,
        Trick::Redirect(format!("{}/v1/payments/confirm", elsewhere.url())),
        Trick::Says(json!({ "status": "DONE" })),
        Trick::Says(json!([])),
    ] {
        let (stand, toss, charge) = checked_out().await;
        stand.play(trick.clone());
        assert!(is_unavailable(&toss.confirm(&charge).await), "{trick:?}");
        assert_eq!(toss.find(&charge).await.unwrap(), PAID, "{trick:?}");
        assert_eq!(toss.confirm(&charge).await.unwrap(), PAID, "{trick:?}");
        assert_eq!(stand.taken(), 1, "{trick:?}");
    }
    assert_eq!(elsewhere.asked(), []);
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_given_up() {
    let stand = TossStand::open().await;
    let toss = Toss::try_new(&Config { timeout_ms: 300, ..config(&stand) }).unwrap();
    let charge = charge();
    stand.check_out(KEY, ORDER, charge.amount_krw);
    stand.play(Trick::Hang);
    let waited = timeout(PATIENCE, toss.confirm(&charge)).await.expect("it waits for ever");
    assert!(is_unavailable(&waited));
    assert_eq!(toss.find(&charge).await.unwrap(), PAID);
}

#[tokio::test]
async fn a_provider_that_is_away_is_unavailable() {
    let url = "http://127.0.0.1:1".to_owned();
    let config = Config { url, secret_key: SECRET_KEY.to_owned(), ..Config::default() };
    let toss = Toss::try_new(&config).unwrap();
    assert!(is_unavailable(&toss.confirm(&charge()).await));
}

#[tokio::test]
async fn a_key_is_never_sent_in_the_open_where_tls_is_asked_for() {
    let (stand, _, charge) = checked_out().await;
    let url = stand.url().replace("http://", "https://");
    let toss = Toss::try_new(&Config { url, ..config(&stand) }).unwrap();
    assert!(is_unavailable(&toss.confirm(&charge).await));
    assert_eq!(stand.asked(), []);
}

#[tokio::test]
async fn passing_refusals_are_asked_again_and_unlisted_ones_looked_into() {
    for code in ["PROVIDER_ERROR", "IDEMPOTENT_REQUEST_PROCESSING", "CARD_PROCESSING_ERROR"] {
        let (stand, toss, charge) = checked_out().await;
        stand.play(Trick::Refuse(400, code));
        assert!(is_unavailable(&toss.confirm(&charge).await), "{code}");
        assert_eq!(toss.confirm(&charge).await.unwrap(), PAID, "{code}");
    }
    let (stand, toss, charge) = checked_out().await;
    stand.play(Trick::Refuse(400, "SOMETHING_NEW"));
    assert_eq!(toss.confirm(&charge).await.unwrap(), Charged::Unknown);
}

#[tokio::test]
async fn a_wrong_key_is_our_own_fault_and_shown_to_nobody() {
    let (stand, _, charge) = checked_out().await;
    let secret_key = "test_sk_of_somebody_else".to_owned();
    let toss = Toss::try_new(&Config { secret_key, ..config(&stand) }).unwrap();
    for result in
        [toss.confirm(&charge).await, toss.find(&charge).await, toss.cancel(&charge).await]
    {
        assert!(is_internal(&result));
        let fault = result.unwrap_err();
        assert!(!format!("{fault} {fault:?}").contains("somebody_else"), "{fault}");
    }
}

#[tokio::test]
async fn what_cannot_be_sent_is_declined_unasked() {
    let (stand, toss, charge) = checked_out().await;
    for (order, payment_key) in [
        ("short", KEY),
        ("an order with spaces", KEY),
        ("주문번호입니다", KEY),
        (ORDER, ""),
        (ORDER, ".."),
        (ORDER, "../../v1/billing"),
        (ORDER, "a/cancel"),
        (ORDER, "a?b"),
    ] {
        let (order, payment_key) = (order.to_owned(), payment_key.to_owned());
        let charge = Charge { order, payment_key, ..charge.clone() };
        assert_eq!(toss.confirm(&charge).await.unwrap(), Charged::Declined);
        assert_eq!(toss.cancel(&charge).await.unwrap(), Charged::Declined);
    }
    assert_eq!(stand.asked(), []);
}

#[test]
fn orders_and_payment_keys_have_their_forms() {
    for (order, fits) in [
        ("abc-_=", true),
        ("5c5f5a0e-7d4f-4a3c-9a52-0d2c6a4b8e11", true),
        ("abcde", false),
        ("abcde.", false),
    ] {
        assert_eq!(is_order(order), fits, "{order}");
    }
    assert!(is_order(&"a".repeat(64)) && !is_order(&"a".repeat(65)));
    assert!(is_payment_key(&"a".repeat(200)) && !is_payment_key(&"a".repeat(201)));
}

#[test]
fn a_configuration_that_would_lose_the_key_is_refused() {
    let fit = Config { secret_key: SECRET_KEY.to_owned(), ..Config::default() };
    assert!(Toss::try_new(&fit).is_ok());
    for url in [
        "",
        "api.tosspayments.com",
        "http://api.tosspayments.com",
        "https://user:word@api.tosspayments.com",
        "https://api.tosspayments.com/?a=b",
        "ftp://localhost",
    ] {
        let config = Config { url: url.to_owned(), ..fit.clone() };
        assert!(Toss::try_new(&config).is_err(), "{url}");
    }
    for secret_key in ["", "a b", "a:b", "열쇠", "a\nb"] {
        let config = Config { secret_key: secret_key.to_owned(), ..fit.clone() };
        assert!(Toss::try_new(&config).is_err(), "{secret_key}");
    }
    for timeout_ms in [0, 99, 60_001] {
        assert!(Toss::try_new(&Config { timeout_ms, ..fit.clone() }).is_err(), "{timeout_ms}");
    }
}

#[test]
fn secrets_are_in_no_debug() {
    let webhook_secret = "a secret of webhooks".to_owned();
    let config = Config { secret_key: SECRET_KEY.to_owned(), webhook_secret, ..Config::default() };
    let shown = format!("{config:?} {:?}", Toss::try_new(&config).unwrap());
    assert!(!shown.contains("of_the_tests") && !shown.contains("of webhooks"), "{shown}");
}
