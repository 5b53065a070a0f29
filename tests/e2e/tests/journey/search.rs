//! Finding what was just started by what people type, and no longer what is called off.

use moim_e2e::{Client, Value, eventually, json, on_both_shapes};

const SEARCH: &str = "query($query: String!, $kinds: [SearchKind!]!, $first: Int, $after: String,
    $last: Int, $before: String) {
  search(query: $query, kinds: $kinds, first: $first, after: $after, last: $last, before: $before) {
    totalCount correctedQuery pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges { cursor highlights { field text ranges { start end } } node {
      ... on Gathering { id title } ... on Schedule { id title } ... on Member { id nickname } } } } }";
const ALL: [&str; 3] = ["GATHERING", "SCHEDULE", "MEMBER"];
const UPDATE: &str = "mutation($input: GatheringUpdateInput!) {
  gatheringUpdate(input: $input) { gathering { id } userErrors { code } } }";
const CANCEL: &str = "mutation($id: ID!) {
  scheduleCancel(input: { scheduleId: $id, reason: \"비가 옵니다\" }) {
    schedule { status } userErrors { code } } }";

async fn search(client: &Client, query: &str, more: Value) -> Value {
    let mut variables = json!({ "query": query, "kinds": ALL });
    variables.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    client.data(SEARCH, variables).await["search"].clone()
}

fn ids(found: &Value) -> Vec<&str> {
    let edges = found["edges"].as_array().unwrap();
    edges.iter().filter_map(|edge| edge["node"]["id"].as_str()).collect()
}

/// Waits until something is found by a query, or no longer; what was found at last.
async fn finds(client: &Client, query: &str, id: &str, expected: bool) -> Value {
    eventually(async || {
        let found = search(client, query, json!({ "first": 20 })).await;
        if ids(&found).contains(&id) == expected {
            Ok(found)
        } else {
            Err((query.to_owned(), found))
        }
    })
    .await
}

on_both_shapes! {
    async fn what_is_started_is_found_however_it_is_typed_and_followed_until_it_ends(platform: Platform) {
        let client = platform.client();
        let host = platform.sign_up("책읽는고양이").await;
        let input = json!({ "title": "토요일 독서모임", "category": "BOOKS" });
        let gathering = host.create_gathering(input).await;
        let schedule = host.create_schedule(&gathering, json!({ "title": "고전 낭독의 밤" })).await;

        let found = finds(&client, "독서모임", &gathering, true).await;
        assert_eq!(found["correctedQuery"], Value::Null);
        let edges = found["edges"].as_array().unwrap();
        let edge = edges.iter().find(|it| it["node"]["id"] == gathering.as_str()).unwrap();
        let title = &edge["highlights"][0];
        assert_eq!((&title["field"], &title["text"]), (&json!("title"), &json!("토요일 독서모임")));
        assert_eq!(title["ranges"][0]["start"], 4);
        // A synonym, initial consonants, the other keyboard layout, a typo, a particle.
        for typed in ["북클럽", "ㄷㅅㅁㅇ", "ehrtjahdla", "독서모잉", "독서모임을"] {
            finds(&client, typed, &gathering, true).await;
        }
        let mistyped = finds(&client, "ehrtjahdla", &gathering, true).await;
        assert_eq!(mistyped["correctedQuery"], "독서모임");
        finds(&client, "낭독", &schedule, true).await;
        finds(&client, "책읽는고양이", &host.id, true).await;

        let input = json!({ "gatheringId": gathering, "title": "일요일 보드게임" });
        host.data(UPDATE, json!({ "input": input })).await;
        finds(&client, "보드게임", &gathering, true).await;
        finds(&client, "토요일", &gathering, false).await;
        host.data(CANCEL, json!({ "id": schedule })).await;
        finds(&client, "낭독", &schedule, false).await;
    }

    async fn pages_of_results_go_both_ways_and_tell_each_once(platform: Platform) {
        let client = platform.client();
        let host = platform.sign_up("host").await;
        let mut all = Vec::new();
        for number in 0..5 {
            let title = format!("수요일 뜨개질 {number}");
            all.push(host.create_gathering(json!({ "title": title, "category": "ARTS" })).await);
        }
        for gathering in &all {
            finds(&client, "뜨개질", gathering, true).await;
        }
        let (mut forth, mut after) = (Vec::new(), Value::Null);
        loop {
            let page = search(&client, "뜨개질", json!({ "first": 2, "after": after })).await;
            assert_eq!(page["totalCount"], 5);
            forth.extend(ids(&page).into_iter().map(str::to_owned));
            after = page["pageInfo"]["endCursor"].clone();
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
        }
        let page = search(&client, "뜨개질", json!({ "last": 3 })).await;
        assert_eq!(ids(&page), forth[2..]);
        let before = page["pageInfo"]["startCursor"].clone();
        let page = search(&client, "뜨개질", json!({ "last": 3, "before": before })).await;
        assert_eq!(ids(&page), forth[..2]);
        forth.sort();
        all.sort();
        assert_eq!(forth, all);
    }

    async fn what_people_search_for_becomes_popular_and_is_completed(platform: Platform) {
        let client = platform.client();
        let host = platform.sign_up("host").await;
        let guest = platform.sign_up("guest").await;
        let gathering = host.create_gathering(json!({ "title": "새벽 클라이밍" })).await;
        finds(&host, "클라이밍", &gathering, true).await;
        finds(&guest, "클라이밍", &gathering, true).await;
        finds(&guest, "새벽", &gathering, true).await;
        let terms = json!([
            { "term": "클라이밍", "change": null },
            { "term": "새벽", "change": null },
        ]);
        eventually(async || {
            let popular = client.data("{ popularSearches { term change } }", json!({})).await;
            if popular["popularSearches"] == terms { Ok(()) } else { Err(popular) }
        })
        .await;
        let typing = "query($prefix: String!) { searchSuggestions(prefix: $prefix) }";
        for prefix in ["클라", "ㅋㄹㅇㅁ"] {
            eventually(async || {
                let data = client.data(typing, json!({ "prefix": prefix })).await;
                let terms = data["searchSuggestions"].as_array().unwrap();
                if terms.contains(&json!("클라이밍")) { Ok(()) } else { Err(data) }
            })
            .await;
        }
    }
}
