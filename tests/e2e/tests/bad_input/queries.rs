//! Arguments of queries: pages, cursors, regions, ids and names that cannot be.

use moim_e2e::{Client, Value, error_codes, json};

use crate::scene::{Scene, text};

/// A list, `<page>` where its arguments stand, and where the connection is.
struct List {
    query: &'static str,
    at: &'static str,
}

const LISTS: [List; 14] = [
    List { query: "{ gatherings(<page>) { <edges> } }", at: "/gatherings" },
    List { query: "{ gatherings(sort: NEWEST, <page>) { <edges> } }", at: "/gatherings" },
    List { query: "{ gatherings(sort: POPULAR, <page>) { <edges> } }", at: "/gatherings" },
    List {
        query: r#"{ node(id: "<gathering>") { ... on Gathering { members(<page>) { <edges> } } } }"#,
        at: "/node/members",
    },
    List {
        query: r#"{ node(id: "<gathering>") { ... on Gathering { schedules(<page>) { <edges> } } } }"#,
        at: "/node/schedules",
    },
    List {
        query: r#"{ node(id: "<schedule>") { ... on Schedule { attendances(<page>) { <edges> } } } }"#,
        at: "/node/attendances",
    },
    List { query: "{ viewer { memberships(<page>) { <edges> } } }", at: "/viewer/memberships" },
    List { query: "{ viewer { attendances(<page>) { <edges> } } }", at: "/viewer/attendances" },
    List {
        query: r#"{ node(id: "<past>") { ... on Gathering { reviews(<page>) { <edges> } } } }"#,
        at: "/node/reviews",
    },
    List {
        query: r#"{ node(id: "<over>") { ... on Schedule { reviews(<page>) { <edges> } } } }"#,
        at: "/node/reviews",
    },
    List {
        query: r#"{ node(id: "<gathering>") { ... on Gathering { messages(<page>) { <edges> } } } }"#,
        at: "/node/messages",
    },
    List { query: "{ viewer { notifications(<page>) { <edges> } } }", at: "/viewer/notifications" },
    List {
        query: "{ viewer { wallet { entries(<page>) { <edges> } } } }",
        at: "/viewer/wallet/entries",
    },
    List { query: r#"{ search(query: "산책", <page>) { <edges> } }"#, at: "/search" },
];

/// Arguments of a page that make no sense, and the one that is at fault.
const PAGES: &[(&str, &str)] = &[
    ("first: null", "first"),
    ("first: 0", "first"),
    ("first: -1", "first"),
    ("first: -2147483648", "first"),
    ("first: 101", "first"),
    ("last: 0", "last"),
    ("last: -1", "last"),
    ("last: 101", "last"),
    ("first: 1, last: 1", "first"),
    (r#"after: "x""#, "first"),
    (r#"first: 1, before: "x""#, "before"),
    (r#"last: 1, after: "x""#, "after"),
    (r#"first: 1, after: """#, "after"),
    (r#"first: 1, after: "garbage""#, "after"),
    (r#"first: 1, after: "한글 \u0000""#, "after"),
    (r#"last: 1, before: "%%%%""#, "before"),
    (r#"last: 1, before: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA""#, "before"),
];

/// Asks every list for every page that cannot be.
pub async fn pages(scene: &Scene) {
    let client = &scene.cast.host.client;
    let mut wrong = Vec::new();
    for list in &LISTS {
        for (page, field) in PAGES {
            let body = asked(client, scene, list, page).await;
            if let Err(why) = refused(&body, field, list.at) {
                wrong.push(format!("{} with {page}: {why}: {body}", list.query));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Gives every list the cursors of all others, and its own with a letter changed.
pub async fn cursors(scene: &Scene) {
    let client = &scene.cast.host.client;
    let mut cursors = Vec::new();
    for list in &LISTS {
        let body = asked(client, scene, list, "first: 1").await;
        cursors.push(text(&body["data"].pointer(list.at).unwrap()["edges"][0]["cursor"]));
    }
    for (at, list) in LISTS.iter().enumerate() {
        for (of, cursor) in cursors.iter().enumerate() {
            let body = asked(client, scene, list, &format!("first: 1, after: \"{cursor}\"")).await;
            if at == of {
                assert!(error_codes(&body).is_empty(), "{}: {body}", list.query);
            } else {
                refused(&body, "after", list.at).unwrap_or_else(|why| {
                    panic!("{} takes a cursor of {}: {why}: {body}", list.query, LISTS[of].query)
                });
            }
        }
        for place in 0..cursors[at].len() {
            let mut bent = cursors[at].clone();
            let other = if bent.as_bytes()[place] == b'_' { "A" } else { "_" };
            bent.replace_range(place..=place, other);
            for page in
                [format!("first: 9, after: \"{bent}\""), format!("last: 9, before: \"{bent}\"")]
            {
                let body = asked(client, scene, list, &page).await;
                let codes = error_codes(&body);
                assert!(codes.is_empty() || codes == ["INVALID"], "{page}: {body}");
            }
        }
    }
}

/// A query, its variables, and the argument at fault; none when it just finds nothing.
type Case = (&'static str, Value, Option<&'static str>);

/// Asks for what cannot be found, and in ways that cannot be.
pub async fn lookups(scene: &Scene) {
    let client = &scene.cast.host.client;
    let region = "query($id: ID) { it: gatherings(first: 1, filter: { regionId: $id }) {
        edges { cursor } } }";
    let nodes = "query($ids: [ID!]!) { it: nodes(ids: $ids) { id } }";
    let node = "query($id: ID!) { it: node(id: $id) { id } }";
    let named = "query($name: String!) { it: member(by: { nickname: $name }) { id } }";
    let by_id = "query($id: ID!) { it: member(by: { id: $id }) { id } }";
    let gathering = scene.id("gathering");
    let mut cases: Vec<Case> = vec![
        (nodes, json!({ "ids": vec![gathering; 101] }), Some("ids")),
        (nodes, json!({ "ids": vec!["x"; 101] }), Some("ids")),
    ];
    let many = "A".repeat(50_000);
    for odd in ["", " ", "x", "%%%", "한글", "\0", "AAAA", "\u{202e}", "' OR 1=1 --", &many] {
        cases.push((region, json!({ "id": odd }), Some("regionId")));
        cases.push((node, json!({ "id": odd }), None));
        cases.push((by_id, json!({ "id": odd }), None));
        cases.push((named, json!({ "name": odd }), None));
    }
    for name in ["gathering", "schedule", "attendance", "membership", "viewer", "region"] {
        cases.push((by_id, json!({ "id": scene.id(name) }), None));
        if name != "region" {
            cases.push((region, json!({ "id": scene.id(name) }), Some("regionId")));
        }
    }
    cases.push((node, json!({ "id": scene.id("region") }), None));
    cases.push((node, json!({ "id": 5 }), None));
    let mut wrong = Vec::new();
    for (query, variables, field) in cases {
        let body = client.graphql(query, variables).await;
        let judged = match field {
            Some(field) => refused(&body, field, "/it"),
            None if body["data"]["it"].is_null() && body.get("errors").is_none() => Ok(()),
            None => Err("something was found".to_owned()),
        };
        if let Err(why) = judged {
            wrong.push(format!("{query}: {why}: {body}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let ids = json!({ "ids": ["x", gathering, "", "\0", scene.id("region")] });
    let data = client.data(nodes, ids).await;
    assert_eq!(data["it"], json!([null, { "id": gathering }, null, null, null]));
}

/// Instants at the ends of time find nothing; what is no instant fails alone.
pub async fn instants(scene: &Scene) {
    let client = &scene.cast.host.client;
    let query = r#"query($from: DateTime, $until: DateTime) {
        node(id: "<gathering>") { ... on Gathering { title
          it: schedules(from: $from, until: $until, first: 9) { edges { cursor } } } }
        viewer { it: attendances(from: $from, until: $until, first: 9) { edges { cursor } } } }"#;
    let query = scene.fill(query);
    let (first, last) = ("0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z");
    for (from, until, found) in [(first, last, true), (last, first, false), (last, last, false)] {
        let data = client.data(&query, json!({ "from": from, "until": until })).await;
        for list in [&data["node"]["it"], &data["viewer"]["it"]] {
            assert_eq!(!list["edges"].as_array().unwrap().is_empty(), found, "{data}");
        }
    }
    for odd in [json!("tomorrow"), json!("2030-01-01"), json!(""), json!(5)] {
        let body = client.graphql(&query, json!({ "from": odd })).await;
        let codes = error_codes(&body);
        assert!(
            !codes.is_empty()
                && codes.iter().all(|it| it == "INVALID" || it == "VALIDATION_FAILED"),
            "{body}"
        );
    }
}

/// What fails is null beside what does not.
pub async fn siblings(scene: &Scene) {
    let query = r#"{ bad: gatherings(first: 0) { edges { cursor } } viewer { id }
        node(id: "<gathering>") { ... on Gathering { title members(first: 0) { edges { cursor } } } } }"#;
    let body = scene.cast.host.graphql(&scene.fill(query), json!({})).await;
    assert_eq!(error_codes(&body), ["INVALID", "INVALID"], "{body}");
    let expected = json!({
        "bad": null,
        "viewer": { "id": scene.cast.host.viewer_id },
        "node": { "title": "아침 산책", "members": null },
    });
    assert_eq!(body["data"], expected);
}

async fn asked(client: &Client, scene: &Scene, list: &List, page: &str) -> Value {
    let query = list.query.replace("<edges>", "edges { cursor }").replace("<page>", page);
    client.graphql(&scene.fill(&query), json!({})).await
}

/// One error about a field, at the list it was given to.
fn refused(body: &Value, field: &str, at: &str) -> Result<(), String> {
    let errors = body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    let [error] = errors else { return Err("there is not one error".to_owned()) };
    let path: String = error["path"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|step| format!("/{}", text(step)))
        .collect();
    if error["extensions"]["code"] != "INVALID" {
        Err("the code is another".to_owned())
    } else if error["extensions"]["field"] != field {
        Err(format!("it is not about {field}"))
    } else if path != at {
        Err(format!("the path is {path}"))
    } else {
        Ok(())
    }
}
