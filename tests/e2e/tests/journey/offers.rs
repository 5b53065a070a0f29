//! A freed seat that costs something: charged at once, offered, accepted, or passed on; and being told of it.

use moim_e2e::{
    Person, Platform, Socket, Value, eventually, expect_data, json, on_both_shapes,
    user_error_codes,
};

use crate::paid::{FEE, WITHDRAW, company, has, look, pay, settled};

const BELL: &str = "subscription($after: String) {
  notificationAdded(after: $after) { node {
    kind text subject { __typename ... on Schedule { id viewerOption } ... on Order { amount state } }
  } }
}";

const NEWEST: &str = "{ viewer { notifications(first: 1) { edges { cursor } } } }";

/// Follows what somebody is told from now on: after the newest of what they were told before.
async fn follow(person: &Person) -> Socket {
    let after = eventually(async || {
        let data = person.data(NEWEST, json!({})).await;
        let cursor = data["viewer"]["notifications"]["edges"][0]["cursor"].clone();
        if cursor.is_null() { Err(data) } else { Ok(cursor) }
    });
    let after = after.await;
    let mut socket = Socket::of(person).await.unwrap();
    socket.subscribe("bell", BELL, json!({ "after": after })).await.unwrap();
    socket
}

/// Waits until somebody's place is in this state.
async fn placed(person: &Person, schedule: &str, state: &str) -> Value {
    eventually(async || {
        let seen = look(person, schedule).await;
        if seen["viewerAttendance"]["state"] == state { Ok(seen) } else { Err(seen) }
    })
    .await
}

/// One seat, taken by the first of three; the others stand in line, the second as `changes` say.
async fn line(platform: &Platform, changes: Value) -> (String, Vec<Person>) {
    let (host, gathering, people) = company(platform, 3, 20_000).await;
    let schedule = host.create_schedule(&gathering, json!({ "fee": FEE, "capacity": 1 })).await;
    for (person, changes) in people.iter().zip([json!({}), changes, json!({})]) {
        expect_data(&pay(person, &schedule, changes).await);
    }
    settled(&people[0], &schedule, "GOING", "CONFIRMED").await;
    // Everybody was told of something once: of the next meetup.
    host.create_schedule(&gathering, json!({})).await;
    (schedule, people)
}

/// The next event about one of these kinds; others may come between.
async fn rung(socket: &mut Socket, kind: &str) -> Value {
    loop {
        let node = socket.event().await["notificationAdded"]["node"].clone();
        if node["kind"] == kind {
            return node;
        }
    }
}

on_both_shapes! {
    async fn who_promised_to_pay_is_charged_and_who_did_not_is_asked(platform: Platform) {
        let (schedule, people) = line(&platform, json!({ "autoPay": true })).await;
        let full = look(&people[1], &schedule).await;
        assert_eq!((&full["goingCount"], &full["waitlistCount"]), (&json!(1), &json!(2)));
        people[0].data(WITHDRAW, json!({ "id": schedule })).await;
        settled(&people[1], &schedule, "GOING", "CONFIRMED").await;
        has(&people[1], 8_000).await;
        has(&people[0], 20_000).await;

        people[1].data(WITHDRAW, json!({ "id": schedule })).await;
        let offered = placed(&people[2], &schedule, "OFFERED").await;
        assert_eq!((&offered["viewerOption"], &offered["heldCount"]), (&json!("ACCEPT_OFFER"), &json!(1)));
        assert!(offered["viewerAttendance"]["holdExpiresAt"].is_string(), "{offered}");
        has(&people[2], 20_000).await;
        // The offered seat is nobody else's.
        let refused = pay(&people[0], &schedule, json!({ "joinWaitlist": false })).await;
        assert_eq!(user_error_codes(&refused), ["FULL"]);
        expect_data(&pay(&people[2], &schedule, json!({})).await);
        settled(&people[2], &schedule, "GOING", "CONFIRMED").await;
        has(&people[2], 8_000).await;
        has(&people[1], 20_000).await;
    }

    async fn who_promised_to_pay_and_cannot_is_asked_instead(platform: Platform) {
        let (host, gathering, people) = company(&platform, 1, 20_000).await;
        let poor = platform.sign_up("poor").await;
        poor.join(&gathering).await;
        let schedule = host.create_schedule(&gathering, json!({ "fee": FEE, "capacity": 1 })).await;
        expect_data(&pay(&people[0], &schedule, json!({})).await);
        settled(&people[0], &schedule, "GOING", "CONFIRMED").await;
        expect_data(&pay(&poor, &schedule, json!({ "autoPay": true })).await);
        people[0].data(WITHDRAW, json!({ "id": schedule })).await;
        placed(&poor, &schedule, "OFFERED").await;
        poor.top_up(FEE).await;
        expect_data(&pay(&poor, &schedule, json!({})).await);
        settled(&poor, &schedule, "GOING", "CONFIRMED").await;
        has(&poor, 0).await;
    }

    async fn the_bell_rings_for_an_offer_and_for_what_became_of_the_money(platform: Platform) {
        let (schedule, people) = line(&platform, json!({})).await;
        let (mut first, mut socket) = (follow(&people[0]).await, follow(&people[1]).await);
        people[0].data(WITHDRAW, json!({ "id": schedule })).await;
        let offer = rung(&mut socket, "SEAT_OFFERED").await;
        assert_eq!(offer["subject"], json!({
            "__typename": "Schedule", "id": schedule, "viewerOption": "ACCEPT_OFFER",
        }));
        assert!(offer["text"].as_str().unwrap().contains("12,000"), "{offer}");
        // Word of the payment may still be on its way, and shows the order as it is by now.
        let refund = loop {
            let told = rung(&mut first, "ORDER_CHANGED").await;
            if told["subject"]["state"] == "REFUNDED" {
                break told;
            }
        };
        assert_eq!(refund["subject"]["__typename"], "Order", "{refund}");
        assert_eq!(refund["subject"]["amount"], FEE);
        expect_data(&pay(&people[1], &schedule, json!({})).await);
        let paid = rung(&mut socket, "ORDER_CHANGED").await;
        assert_eq!(paid["subject"]["state"], "CONFIRMED", "{paid}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_that_nobody_accepts_in_time_passes_on() {
    let knobs = [("MOIM_SCHEDULE__OFFER_MS", "1500"), ("MOIM_SCHEDULE__SWEEP_EVERY_MS", "100")];
    let platform = Platform::one_process_with(&knobs).await;
    let (schedule, people) = line(&platform, json!({})).await;
    people[0].data(WITHDRAW, json!({ "id": schedule })).await;
    // Passed on from one to the next, and then it is free again.
    for person in &people[1..] {
        placed(person, &schedule, "WITHDRAWN").await;
    }
    let free = look(&people[0], &schedule).await;
    assert_eq!(free["viewerOption"], "ATTEND");
    assert_eq!((&free["heldCount"], &free["waitlistCount"]), (&json!(0), &json!(0)));
    for person in &people {
        has(person, 20_000).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_is_not_accepted_after_its_end_though_nobody_swept_it() {
    let knobs = [("MOIM_SCHEDULE__OFFER_MS", "1"), ("MOIM_SCHEDULE__SWEEP_EVERY_MS", "3600000")];
    let platform = Platform::one_process_with(&knobs).await;
    let (schedule, people) = line(&platform, json!({})).await;
    people[0].data(WITHDRAW, json!({ "id": schedule })).await;
    placed(&people[1], &schedule, "OFFERED").await;
    let late = pay(&people[1], &schedule, json!({})).await;
    assert_eq!(user_error_codes(&late), ["WRONG_STATE"]);
    has(&people[1], 20_000).await;
}
