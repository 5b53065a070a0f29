//! Everything that is served is in the catalogue, and everything that a healthy house must move has moved.

use std::collections::BTreeSet;

use moim_e2e::{
    Person, Platform, Socket, eventually, expect_data, free_port, json, user_error_codes,
};
use moim_kit::metrics::INSTRUMENTS;
use uuid::Uuid;

use crate::page::{Series, ask, breaches, moved, read};

/// What stands still, or at 0, in a house in one process in which all is well, each with what would move it.
const STILL: [(&str, &str); 24] = [
    ("http.server.active_requests", "only while one is being answered"),
    ("moim.cache.reads", "Redis, or a silent room"),
    ("moim.answers.stale", "a silent room"),
    ("moim.breaker.state", "a failing room"),
    ("moim.calls.refused", "a failing room"),
    ("moim.calls.shed", "overload"),
    ("moim.calls.repeated", "a failing room"),
    ("moim.calls.shared", "equal calls at once"),
    ("moim.bulkhead.in_flight", "only while a call is"),
    ("moim.addresses.ejected", "rooms apart"),
    ("moim.turned_away", "rooms apart"),
    ("moim.certificates.refused", "rooms apart"),
    ("moim.certificate.left_s", "rooms apart"),
    ("moim.replica.reads", "a replica"),
    ("moim.primary.reads", "a replica"),
    ("moim.redis.up", "Redis"),
    ("moim.redis.lost", "Redis"),
    ("messaging.client.operation.duration", "a bus"),
    ("moim.facts.carried", "a bus"),
    ("moim.outbox.uncarried", "a bus"),
    ("moim.facts.buried", "a poisoned fact"),
    ("moim.dead_letters", "a poisoned fact"),
    ("moim.events.parked", "events before their state"),
    ("moim.drift.found", "copies behind their owner"),
];
/// The same that may move for a moment.
const PASSING: [&str; 4] =
    ["moim.outbox.unpublished", "moim.consumer.lag", "moim.drift.mended", "moim.ledger.breaches"];

const WITHDRAW: &str = "mutation($id: ID!, $key: String!) {
  scheduleWithdraw(input: { scheduleId: $id }) @idempotent(key: $key) {
    attendance { state } userErrors { code message path }
  }
}";
const MANY: &str = "{ gatherings(first: 20) { edges { node { title host { nickname bio } } } } }";
const FOLLOW: &str = "subscription($id: ID!) {
  chatMessageAdded(gatheringId: $id) { cursor node { body } }
}";

/// Seats come and go, money moves, and somebody follows it live.
async fn live_a_little(platform: &Platform, address: &str) {
    let host = platform.sign_up("host").await;
    let (first, second) = (platform.sign_up("first").await, platform.sign_up("second").await);
    let gathering = host.create_gathering(json!({})).await;
    first.join(&gathering).await;
    second.join(&gathering).await;
    let free = host.create_schedule(&gathering, json!({ "capacity": 1 })).await;
    first.attend(&free).await;
    let full = second.try_attend(&free, json!({ "joinWaitlist": false })).await;
    assert_eq!(user_error_codes(&full), ["FULL"]);
    assert_eq!(second.attend(&free).await["state"], "WAITLISTED");
    withdraw(&first, &free).await;
    let paid = host.create_schedule(&gathering, json!({ "fee": 12_000 })).await;
    second.top_up(50_000).await;
    let paying = second.try_attend(&paid, json!({ "allowOverlap": true })).await;
    assert_eq!(expect_data(&paying)["scheduleAttend"]["attendance"]["state"], "GOING");
    second.data(MANY, json!({})).await;
    platform.client().graphql("{ nothing }", json!({})).await;
    follow(&first, &host, &gathering, address).await;
}

async fn withdraw(person: &Person, schedule: &str) {
    let variables = json!({ "id": schedule, "key": Uuid::now_v7().to_string() });
    person.data(WITHDRAW, variables).await;
}

async fn follow(reader: &Person, writer: &Person, gathering: &str, address: &str) {
    let mut socket = Socket::of(reader).await.unwrap();
    socket.subscribe("chat", FOLLOW, json!({ "id": gathering })).await.unwrap();
    eventually(async || {
        let page = read(&ask(address).await);
        let open = ["moim_sockets_open", "moim_subscriptions_open"];
        let open = open.map(|name| number(&page, name, &[]));
        let followed = ["moim_live_topics", "moim_live_viewers"];
        let followed = followed.map(|name| number(&page, name, &[("room", "chat")]));
        let all = [open, followed];
        if all == [[1.0; 2]; 2] { Ok(()) } else { Err(all) }
    })
    .await;
    writer.say(gathering, "안녕하세요").await;
    socket.event().await;
}

fn number(page: &[Series], name: &str, labels: &[(&str, &str)]) -> f64 {
    let has = |series: &&Series| {
        let carries =
            |(key, value): &(&str, &str)| series.labels.get(*key).is_some_and(|it| it == value);
        series.name == name && labels.iter().all(carries)
    };
    page.iter().filter(has).map(|series| series.number).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_is_served_is_in_the_catalogue_and_a_healthy_house_moves_all_of_its_own() {
    let address = format!("127.0.0.1:{}", free_port());
    let knobs = [("MOIM_TELEMETRY__METRICS_LISTEN", address.as_str())];
    let platform = Platform::one_process_with(&knobs).await;
    live_a_little(&platform, &address).await;
    let still: BTreeSet<_> = STILL.iter().map(|(name, _)| *name).chain(PASSING).collect();
    let all: BTreeSet<_> = INSTRUMENTS.iter().map(|of| of.name).collect();
    assert!(still.is_subset(&all), "no such instrument: {:?}", still.difference(&all));
    let live =
        ["moim.sockets.open", "moim.subscriptions.open", "moim.live.topics", "moim.live.viewers"];
    let page = eventually(async || {
        let page = read(&ask(&address).await);
        let moved = moved(&page);
        let stuck: Vec<_> = all
            .difference(&still)
            .filter(|name| !moved.contains(**name) && !live.contains(name))
            .collect();
        if stuck.is_empty() { Ok(page) } else { Err(format!("{stuck:?}")) }
    })
    .await;
    assert_eq!(breaches(&page), Vec::<String>::new());
    let surprises: Vec<_> = moved(&page)
        .into_iter()
        .filter(|name| STILL.iter().any(|(still, _)| still == name))
        // What is just under way, and equal calls of its own, are no trouble.
        .filter(|name| {
            !["http.server.active_requests", "moim.bulkhead.in_flight", "moim.calls.shared"]
                .contains(name)
        })
        .collect();
    assert_eq!(surprises, Vec::<&str>::new());
    for seat in ["claimed", "waitlisted", "sold_out", "given_up", "promoted", "held", "granted"] {
        assert_eq!(number(&page, "moim_seats_total", &[("move", seat)]), 1.0, "{seat}");
    }
    assert_eq!(number(&page, "moim_orders_ended_total", &[("state", "CONFIRMED")]), 1.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_waits_for_a_room_costs_the_endpoint_less_than_it_takes() {
    let address = format!("127.0.0.1:{}", free_port());
    let knobs = [("MOIM_TELEMETRY__METRICS_LISTEN", address.as_str())];
    let platform = Platform::one_process_with(&knobs).await;
    platform.sign_up("somebody").await;
    let mutations = [("graphql_operation_type", "mutation")];
    let (took, own) = eventually(async || {
        let page = read(&ask(&address).await);
        let sum = |name: &str| number(&page, &format!("{name}_sum"), &mutations);
        let counts = ["graphql_operation_duration_seconds", "moim_overhead_seconds"]
            .map(|name| number(&page, &format!("{name}_count"), &mutations));
        if counts == [1.0; 2] {
            Ok((sum("graphql_operation_duration_seconds"), sum("moim_overhead_seconds")))
        } else {
            Err(counts)
        }
    })
    .await;
    // A password is hashed in the member room, which is most of it.
    assert!(own > 0.0 && own < took, "{own} of {took}");
}
