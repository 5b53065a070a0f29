//! Paying for a seat from the wallet, and getting the money back.

use moim_e2e::{
    Person, Platform, Value, eventually, expect_data, in_hours, json, on_both_shapes,
    user_error_codes,
};
use uuid::Uuid;

pub const FEE: i64 = 12_000;

const ATTEND: &str = "mutation($input: ScheduleAttendInput!, $key: String!) {
  scheduleAttend(input: $input) @idempotent(key: $key) {
    attendance { id state holdExpiresAt order { id state amount failureMessage schedule { title } } }
    userErrors { __typename code message path ... on InsufficientBalanceError { shortfall } }
  }
}";
const PLACE: &str = "query($id: ID!) { node(id: $id) { ... on Schedule {
  goingCount heldCount waitlistCount fee refundableUntil viewerOption
  viewerAttendance { state waitlistPosition holdExpiresAt order { id state failureMessage } }
} } }";
const WALLET: &str = "{ viewer { wallet { balance held entries(first: 20) {
  edges { node { id kind amount balanceAfter order { id } } } } } } }";
const NODE: &str = "query($id: ID!) { node(id: $id) { __typename id } }";
pub const WITHDRAW: &str = "mutation($id: ID!) {
  scheduleWithdraw(input: { scheduleId: $id }) {
    attendance { state holdExpiresAt } userErrors { code }
  }
}";
const CANCEL: &str = "mutation($id: ID!) {
  scheduleCancel(input: { scheduleId: $id, reason: \"비가 와요\" }) {
    schedule { status goingCount heldCount } userErrors { code }
  }
}";
const UPDATE: &str = "mutation($input: ScheduleUpdateInput!) {
  scheduleUpdate(input: $input) { schedule { fee refundableUntil } userErrors { code path } }
}";

/// Signs up for a paid seat under a fresh key, with changes to the input; the whole body.
pub async fn pay(person: &Person, schedule: &str, changes: Value) -> Value {
    let mut input = json!({ "scheduleId": schedule });
    input.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    let variables = json!({ "input": input, "key": Uuid::now_v7().to_string() });
    person.graphql(ATTEND, variables).await
}

/// A schedule as somebody sees it.
pub async fn look(person: &Person, schedule: &str) -> Value {
    person.data(PLACE, json!({ "id": schedule })).await["node"].clone()
}

/// Waits until somebody's place and its order are in these states.
pub async fn settled(person: &Person, schedule: &str, state: &str, order: &str) -> Value {
    eventually(async || {
        let seen = look(person, schedule).await;
        let own = &seen["viewerAttendance"];
        if own["state"] == state && own["order"]["state"] == order { Ok(seen) } else { Err(seen) }
    })
    .await
}

/// What is in somebody's wallet: spendable and held.
pub async fn wallet(person: &Person) -> (i64, i64) {
    let data = person.data(WALLET, json!({})).await;
    let wallet = &data["viewer"]["wallet"];
    (wallet["balance"].as_i64().unwrap(), wallet["held"].as_i64().unwrap())
}

/// Waits until somebody has so much, and nothing is held.
pub async fn has(person: &Person, balance: i64) {
    eventually(async || {
        let found = wallet(person).await;
        if found == (balance, 0) { Ok(()) } else { Err(found) }
    })
    .await;
}

/// Kinds and amounts of all ledger lines, newest first.
pub async fn lines(person: &Person) -> Vec<(String, i64, i64)> {
    let data = person.data(WALLET, json!({})).await;
    let edges = data["viewer"]["wallet"]["entries"]["edges"].as_array().unwrap().clone();
    let line = |edge: &Value| {
        let node = &edge["node"];
        let number = |name: &str| node[name].as_i64().unwrap();
        (node["kind"].as_str().unwrap().to_owned(), number("amount"), number("balanceAfter"))
    };
    edges.iter().map(line).collect()
}

fn line(kind: &str, amount: i64, after: i64) -> (String, i64, i64) {
    (kind.to_owned(), amount, after)
}

/// A host with a gathering, and so many members of it with so much in their wallets.
pub async fn company(
    platform: &Platform,
    members: usize,
    krw: i64,
) -> (Person, String, Vec<Person>) {
    let host = platform.sign_up("host").await;
    let gathering = host.create_gathering(json!({})).await;
    let mut joined = Vec::new();
    for number in 0..members {
        let person = platform.sign_up(&format!("member{number}")).await;
        person.join(&gathering).await;
        if krw > 0 {
            person.top_up(krw).await;
        }
        joined.push(person);
    }
    (host, gathering, joined)
}

on_both_shapes! {
    async fn a_seat_is_held_paid_and_kept_and_the_ledger_says_so(platform: Platform) {
        let (host, gathering, people) = company(&platform, 1, 50_000).await;
        let guest = &people[0];
        let schedule = host.create_schedule(&gathering, json!({ "fee": FEE })).await;
        let before = look(guest, &schedule).await;
        assert_eq!((&before["fee"], &before["viewerOption"]), (&json!(FEE), &json!("ATTEND")));
        assert!(before["refundableUntil"].is_string(), "{before}");
        let body = pay(guest, &schedule, json!({})).await;
        // Already this answer knows the order, however far that has come.
        let order = expect_data(&body)["scheduleAttend"]["attendance"]["order"].clone();
        assert_eq!(order["amount"], FEE);
        assert_eq!(order["schedule"]["title"], "강변 걷기");
        let paid = settled(guest, &schedule, "GOING", "CONFIRMED").await;
        assert_eq!((&paid["goingCount"], &paid["heldCount"]), (&json!(1), &json!(0)));
        assert_eq!(paid["viewerAttendance"]["order"]["id"], order["id"]);
        assert!(paid["viewerAttendance"]["holdExpiresAt"].is_null(), "{paid}");
        has(guest, 38_000).await;
        let ledger = [line("PAYMENT", -FEE, 38_000), line("TOP_UP", 50_000, 50_000)];
        assert_eq!(lines(guest).await, ledger);

        let data = guest.data(WALLET, json!({})).await;
        let newest = data["viewer"]["wallet"]["entries"]["edges"][0]["node"].clone();
        assert_eq!(newest["order"]["id"], order["id"]);
        for (name, id) in [("Order", &order["id"]), ("WalletEntry", &newest["id"])] {
            let own = guest.data(NODE, json!({ "id": id })).await;
            assert_eq!(own["node"], json!({ "__typename": name, "id": id }));
            let others = host.data(NODE, json!({ "id": id })).await;
            assert!(others["node"].is_null(), "{others}");
        }
        let again = pay(guest, &schedule, json!({})).await;
        assert_eq!(user_error_codes(&again), ["ALREADY_EXISTS"]);
        has(guest, 38_000).await;
    }

    async fn too_little_money_is_told_to_the_won_and_costs_nothing(platform: Platform) {
        let (host, gathering, people) = company(&platform, 1, 5_000).await;
        let guest = &people[0];
        let schedule = host.create_schedule(&gathering, json!({ "fee": FEE, "capacity": 1 })).await;
        let body = pay(guest, &schedule, json!({})).await;
        let error = &body["data"]["scheduleAttend"]["userErrors"][0];
        assert_eq!(error["__typename"], "InsufficientBalanceError", "{body}");
        assert_eq!((&error["code"], &error["shortfall"]), (&json!("INSUFFICIENT_BALANCE"), &json!(7_000)));
        has(guest, 5_000).await;
        assert_eq!(lines(guest).await, [line("TOP_UP", 5_000, 5_000)]);
        let free = look(&host, &schedule).await;
        assert_eq!((&free["goingCount"], &free["heldCount"]), (&json!(0), &json!(0)));
        guest.top_up(7_000).await;
        expect_data(&pay(guest, &schedule, json!({})).await);
        settled(guest, &schedule, "GOING", "CONFIRMED").await;
        has(guest, 0).await;
    }

    async fn who_gives_a_seat_back_in_time_gets_all_of_it_back_and_nothing_afterwards(platform: Platform) {
        let (host, gathering, people) = company(&platform, 1, 50_000).await;
        let guest = &people[0];
        let fair = host.create_schedule(&gathering, json!({ "fee": FEE })).await;
        expect_data(&pay(guest, &fair, json!({})).await);
        settled(guest, &fair, "GOING", "CONFIRMED").await;
        let fixed = json!({ "scheduleId": fair, "fee": 1_000 });
        let fixed = host.graphql(UPDATE, json!({ "input": fixed })).await;
        assert_eq!(user_error_codes(&fixed), ["WRONG_STATE"]);
        guest.data(WITHDRAW, json!({ "id": fair })).await;
        settled(guest, &fair, "WITHDRAWN", "REFUNDED").await;
        has(guest, 50_000).await;
        let ledger = [
            line("REFUND", FEE, 50_000), line("PAYMENT", -FEE, 38_000), line("TOP_UP", 50_000, 50_000),
        ];
        assert_eq!(lines(guest).await, ledger);
        let twice = guest.graphql(WITHDRAW, json!({ "id": fair })).await;
        assert_eq!(user_error_codes(&twice), ["WRONG_STATE"]);

        let late = json!({ "fee": FEE, "refundableUntil": in_hours(-1) });
        let late = host.create_schedule(&gathering, late).await;
        expect_data(&pay(guest, &late, json!({ "allowOverlap": true })).await);
        settled(guest, &late, "GOING", "CONFIRMED").await;
        guest.data(WITHDRAW, json!({ "id": late })).await;
        settled(guest, &late, "WITHDRAWN", "CONFIRMED").await;
        has(guest, 38_000).await;
        // Coming back is another order.
        expect_data(&pay(guest, &late, json!({ "allowOverlap": true })).await);
        settled(guest, &late, "GOING", "CONFIRMED").await;
        has(guest, 26_000).await;
    }

    async fn calling_it_off_gives_everybody_their_money_back(platform: Platform) {
        let (host, gathering, people) = company(&platform, 3, 20_000).await;
        let late = json!({ "fee": FEE, "capacity": 2, "refundableUntil": in_hours(-1) });
        let schedule = host.create_schedule(&gathering, late).await;
        for person in &people {
            expect_data(&pay(person, &schedule, json!({ "autoPay": true })).await);
        }
        for person in &people[..2] {
            settled(person, &schedule, "GOING", "CONFIRMED").await;
            has(person, 8_000).await;
        }
        let waiting = settled(&people[2], &schedule, "WAITLISTED", "PENDING").await;
        assert_eq!(waiting["viewerAttendance"]["waitlistPosition"], 1);
        has(&people[2], 20_000).await;
        let cancelled = host.data(CANCEL, json!({ "id": schedule })).await;
        assert_eq!(cancelled["scheduleCancel"]["schedule"]["status"], "CANCELLED");
        for person in &people {
            has(person, 20_000).await;
        }
        let order = |seen: Value| seen["viewerAttendance"]["order"]["state"].clone();
        for (person, state) in people.iter().zip(["REFUNDED", "REFUNDED", "RELEASED"]) {
            eventually(async || {
                let found = order(look(person, &schedule).await);
                if found == state { Ok(()) } else { Err(found) }
            })
            .await;
        }
    }

    async fn each_mutation_of_one_operation_shows_what_it_did(platform: Platform) {
        let (host, gathering, people) = company(&platform, 1, 0).await;
        let schedule = host.create_schedule(&gathering, json!({ "fee": FEE })).await;
        let query = "mutation($schedule: ID!, $one: String!, $two: String!) {
          first: walletTopUp(input: { amount: 30000 }) @idempotent(key: $one) {
            viewer { wallet { balance held entries(first: 5) { edges { node { amount } } } } }
            userErrors { code } }
          then: scheduleAttend(input: { scheduleId: $schedule }) @idempotent(key: $two) {
            attendance { state order { id state } schedule { goingCount heldCount } }
            userErrors { code } }
          last: scheduleWithdraw(input: { scheduleId: $schedule }) {
            attendance { state order { id state } schedule { goingCount heldCount } }
            userErrors { code } }
        }";
        let [one, two] = [(); 2].map(|()| Uuid::now_v7().to_string());
        let variables = json!({ "schedule": schedule, "one": one, "two": two });
        let data = people[0].data(query, variables).await;
        let wallet = json!({
            "balance": 30_000, "held": 0, "entries": { "edges": [{ "node": { "amount": 30_000 } }] },
        });
        assert_eq!(data["first"]["viewer"]["wallet"], wallet);
        let (then, last) = (&data["then"]["attendance"], &data["last"]["attendance"]);
        assert_eq!(then["order"]["id"], last["order"]["id"]);
        let taken = &then["schedule"];
        assert_eq!(taken["goingCount"].as_i64().unwrap() + taken["heldCount"].as_i64().unwrap(), 1);
        assert_eq!(last["state"], "WITHDRAWN");
        assert_eq!(last["schedule"], json!({ "goingCount": 0, "heldCount": 0 }));
        let after = last["order"]["state"].as_str().unwrap();
        assert!(["RELEASED", "REFUNDING", "REFUNDED"].contains(&after), "{data}");
        has(&people[0], 30_000).await;
    }
}
