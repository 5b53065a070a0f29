//! What every operation costs in calls between rooms: the same for one row and for a hundred.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

mod operations;

use std::fmt::Write as _;
use std::ops::Range;

use futures::{StreamExt as _, stream};
use moim_e2e::{
    Client, Platform, Value, eventually, expect_data, held, in_hours, json, on_both_shapes,
};
use uuid::Uuid;

use crate::operations::{MUTATIONS, QUERIES};

/// Most gatherings that one host starts here.
const EACH: usize = 4;

/// Asks in development mode, and answers the calls that were made, as `service.Method`, sorted.
async fn bill(client: &Client, query: &str, variables: Value) -> Vec<String> {
    let answer = client.send_with(query, variables, &[("x-moim-bill", "1")]).await;
    assert!(answer.body.get("errors").is_none(), "{}", answer.body);
    let calls = answer.body["extensions"]["bill"].as_array().expect("a bill was asked for");
    let short = |call: &Value| {
        // /moim.gathering.v1.GatheringService/List
        let (service, method) = call.as_str().unwrap().rsplit_once('/').unwrap();
        format!("{}.{method}", service.split('.').nth(1).unwrap())
    };
    let mut calls: Vec<_> = calls.iter().map(short).collect();
    calls.sort();
    calls
}

/// Gatherings with two schedules each, by hosts who start a few of them.
async fn start_gatherings(platform: &Platform, numbers: Range<usize>) {
    let numbers: Vec<_> = numbers.collect();
    let hosts = numbers.chunks(EACH).map(|numbers| async move {
        let host = platform.sign_up(&format!("host{}", numbers[0])).await;
        for _ in numbers {
            let gathering = host.create_gathering(json!({})).await;
            for days in [7, 8] {
                let times =
                    json!({ "startsAt": in_hours(days * 24), "endsAt": in_hours(days * 24 + 1) });
                host.create_schedule(&gathering, times).await;
            }
        }
    });
    stream::iter(hosts).buffer_unordered(8).collect::<()>().await;
}

on_both_shapes! {
    async fn a_list_over_three_services_makes_three_calls_however_long_it_is(platform: Platform) {
        let whole = "query($first: Int) { gatherings(first: $first) { edges { node {
          title host { id nickname bio } schedules(first: 3) { edges { node { title goingCount } } }
        } } } }";
        let card = "query($first: Int) { gatherings(first: $first) { edges { node {
          title host { id nickname avatarUrl } schedules(first: 3) { edges { node { title goingCount } } }
        } } } }";
        let mut started = 0;
        for rows in [1, 20, 100] {
            start_gatherings(&platform, started..rows).await;
            started = rows;
            let client = platform.client();
            let variables = json!({ "first": rows });
            let data = client.data(whole, variables.clone()).await;
            let edges = data["gatherings"]["edges"].as_array().unwrap();
            assert_eq!(edges.len(), rows);
            for edge in edges {
                assert_eq!(edge["node"]["schedules"]["edges"].as_array().unwrap().len(), 2);
            }
            let calls = bill(&client, whole, variables.clone()).await;
            assert_eq!(calls, ["gathering.List", "member.BatchGet", "schedule.BatchList"], "{rows} rows");
            let calls = bill(&client, card, variables).await;
            assert_eq!(calls, ["gathering.List", "schedule.BatchList"], "{rows} rows");
            let found = "query($first: Int) { search(query: \"아침 산책\", kinds: [GATHERING],
              first: $first) { edges { node { ... on Gathering { title } } } } }";
            let variables = json!({ "first": rows });
            eventually(async || {
                let data = client.data(found, variables.clone()).await;
                let edges = data["search"]["edges"].as_array().unwrap().len();
                if edges == rows { Ok(()) } else { Err(edges) }
            })
            .await;
            let calls = bill(&client, found, variables).await;
            assert_eq!(calls, ["gathering.BatchGet", "search.Search"], "{rows} rows");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_makes_the_calls_in_the_table() {
    let platform = Platform::one_process().await;
    let host = platform.sign_up("host").await;
    let friend = platform.sign_up("friend").await;
    let mut gatherings = Vec::new();
    for _ in 0..3 {
        let gathering = host.create_gathering(json!({})).await;
        let schedule = host.create_schedule(&gathering, json!({})).await;
        friend.join(&gathering).await;
        let attendance = friend.try_attend(&schedule, json!({ "allowOverlap": true })).await;
        expect_data(&attendance);
        host.try_attend(&schedule, json!({ "allowOverlap": true })).await;
        gatherings.push((gathering, schedule, attendance));
    }
    let (gathering, schedule, attendance) = &gatherings[0];
    let over = held(&host, gathering, &[&friend, &host]).await;
    let review = host.review(&over.schedule, 4, "즐거웠어요.").await;
    friend.review(&over.schedule, 5, "또 가요.").await;
    let said = host.say(gathering, "고마워요.").await["node"]["id"].clone();
    let bell = "{ viewer { notifications(first: 1) { edges { node { id } } } } }";
    let notification = eventually(async || {
        let data = host.data(bell, json!({})).await;
        let id = data["viewer"]["notifications"]["edges"][0]["node"]["id"].clone();
        if id.is_null() { Err(data) } else { Ok(id) }
    })
    .await;
    host.top_up(100_000).await;
    let paid = host.create_schedule(gathering, json!({ "fee": 12_000 })).await;
    let payable = host.create_schedule(gathering, json!({ "fee": 12_000 })).await;
    expect_data(&host.try_attend(&paid, json!({ "allowOverlap": true })).await);
    let wallet =
        "{ viewer { wallet { entries(first: 1) { edges { node { id order { id } } } } } } }";
    let entry = eventually(async || {
        let data = host.data(wallet, json!({})).await;
        let entry = data["viewer"]["wallet"]["entries"]["edges"][0]["node"].clone();
        if entry["order"].is_null() { Err(data) } else { Ok(entry) }
    })
    .await;
    let kinds = "{ viewer { notifications(first: 20) { edges { node { kind } } } } }";
    eventually(async || {
        let data = host.data(kinds, json!({})).await;
        if data.to_string().contains("ORDER_CHANGED") { Ok(()) } else { Err(data) }
    })
    .await;
    let ask = "query($id: ID!) { node(id: $id) { ... on Gathering { viewerMembership { id } } } }";
    let membership = host.data(ask, json!({ "id": gathering })).await;
    let walks = friend.create_gathering(json!({ "title": "걷기 모임" })).await;
    host.create_schedule(gathering, json!({ "title": "걷기" })).await;
    let walker = "mutation { memberUpdate(input: { bio: \"걷기\" }) { userErrors { code } } }";
    host.data(walker, json!({})).await;
    let found = "{ search(query: \"걷기\", first: 20) { edges { node { __typename } } } }";
    eventually(async || {
        let data = host.data(found, json!({})).await;
        let all = ["Gathering", "Schedule", "Member"];
        let text = data.to_string();
        if all.iter().all(|kind| text.contains(kind)) { Ok(()) } else { Err(data) }
    })
    .await;
    let ids = json!([
        host.id,
        friend.id,
        host.viewer_id,
        gathering,
        gatherings[1].0,
        schedule,
        membership["node"]["viewerMembership"]["id"],
        attendance["data"]["scheduleAttend"]["attendance"]["id"],
        review,
        said,
        notification,
        entry["id"],
        entry["order"]["id"],
    ]);
    let all = json!({
        "gathering": gathering,
        "schedule": schedule,
        "over": over.schedule,
        "review": review,
        "message": said,
        "notification": notification,
        "other": walks,
        "region": host.region().await,
        "email": host.email,
        "password": host.password,
        "ids": ids,
        "payable": payable,
        "money": Uuid::now_v7().to_string(),
        "seat": Uuid::now_v7().to_string(),
        "key": Uuid::now_v7().to_string(),
    });
    let mut table = String::new();
    for (name, document) in QUERIES.iter().chain(MUTATIONS) {
        let declared = |name: &str| document.contains(&format!("${name}:"));
        let variables = all.as_object().unwrap().clone().into_iter();
        let variables = variables.filter(|(name, _)| declared(name)).collect();
        let calls = bill(&host, document, Value::Object(variables)).await;
        writeln!(table, "{name}: {}", calls.join(", ")).unwrap();
    }
    // A line that grows is a call that people will wait for: say why in the review.
    insta::assert_snapshot!(table, @r"
    pick a region: gathering.ListRegions
    browse with cards: gathering.List
    browse with hosts and schedules: gathering.List, member.BatchGet, schedule.BatchList
    gathering page: gathering.BatchGet, gathering.BatchListMemberships, schedule.BatchList
    gathering page with two lists of members: gathering.BatchGet, gathering.BatchListMemberships, gathering.BatchListMemberships, member.BatchGet
    schedule page: gathering.BatchGet, schedule.BatchGet, schedule.BatchListAttendances
    four levels: gathering.BatchGet, member.BatchGet, schedule.BatchList, schedule.BatchListAttendances
    who am I: member.GetAccount
    my profile: member.GetAccount
    my gatherings: gathering.BatchGet, gathering.ListViewerMemberships, member.GetAccount
    my calendar: gathering.BatchGet, member.GetAccount, schedule.BatchGet, schedule.ListViewerAttendances
    my home: gathering.BatchGet, gathering.List, gathering.ListViewerMemberships, member.GetAccount, schedule.BatchGet, schedule.ListViewerAttendances
    member by nickname: member.Get
    gathering page with reviews and messages: chat.BatchList, gathering.BatchGet, review.BatchListOfGatherings
    browse with the last message and review of each: chat.BatchList, gathering.List, review.BatchListOfGatherings, schedule.BatchGet
    schedule page with reviews: member.BatchGet, review.BatchListOfSchedules, schedule.BatchGet
    my bell: member.GetAccount, notification.CountUnread, notification.List, payment.BatchGetOrders, review.BatchGet
    a message and where it was said: chat.BatchGet, gathering.BatchGet
    my wallet and what it paid for: member.GetAccount, payment.BatchGetOrders, payment.GetWallet, payment.ListEntries, schedule.BatchGet
    my places and their orders: member.GetAccount, payment.BatchGetOrders, schedule.ListViewerAttendances
    find anything: gathering.BatchGet, member.BatchGet, schedule.BatchGet, search.Search
    find gatherings with their hosts and schedules: gathering.BatchGet, member.BatchGet, schedule.BatchList, search.Search
    begin to type: search.ListPopular, search.Suggest
    eleven things by id: chat.BatchGet, gathering.BatchGet, gathering.BatchGetMemberships, member.BatchGet, member.GetAccount, notification.BatchGet, payment.BatchGetEntries, payment.BatchGetOrders, review.BatchGet, schedule.BatchGet, schedule.BatchGetAttendances
    sign up: member.SignUp
    log in: member.LogIn
    start a gathering: gathering.Create
    join and see the gathering: gathering.BatchGet, gathering.Join
    withdraw and see the schedule: schedule.BatchGet, schedule.Withdraw
    attend what overlaps and see with what: schedule.Attend, schedule.BatchGet
    attend and see the schedule: gathering.BatchGet, schedule.Attend, schedule.BatchGet
    change a profile: member.Update
    say something: chat.Send
    take a message away: chat.Delete
    write a review and see of what: review.Write, schedule.BatchGet
    take a review back: review.Delete
    read what the bell told: member.GetAccount, notification.CountUnread, notification.MarkRead
    add money and see how much there is: member.GetAccount, payment.TopUp
    attend a paid schedule and see the order: payment.BatchGetOrders, schedule.Attend
    log out: member.LogOut
    ");
}
