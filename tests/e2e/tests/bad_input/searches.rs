//! Queries that are no words, too many words, or another program's language; and pages nobody reads.

use moim_e2e::{Value, error_codes, json};

use crate::scene::Scene;

const SEARCH: &str = "query($query: String!, $kinds: [SearchKind!]!, $filter: SearchFilter) {
  search(query: $query, kinds: $kinds, filter: $filter, first: 9) {
    totalCount correctedQuery edges { cursor node { __typename } highlights { text } } } }";
const TYPING: &str = "query($prefix: String!, $first: Int!) {
  searchSuggestions(prefix: $prefix, first: $first) popularSearches(first: $first) { term } }";
const ALL: [&str; 3] = ["GATHERING", "SCHEDULE", "MEMBER"];

/// Without a letter or a digit there is nothing to search for; with too many nobody would.
fn refused() -> Vec<String> {
    let odd =
        ["", " ", "\t\n", "\0", "***", "\"", "()", "?", "🙂🙂", "\u{200b}", "\u{202e}", "- -"];
    odd.into_iter().map(str::to_owned).chain(["가".repeat(201), "a ".repeat(5_000)]).collect()
}

/// Data, whatever other programs would make of them.
fn answered() -> Vec<String> {
    let odd = [
        "가",
        "ㄱ",
        "a",
        "산책*",
        "*책",
        "산?책",
        ".*산책.*",
        "^((((산책*)*)*)*)+$",
        "*산*책*?*?*?*?*?*?*?*?*?*?*",
        "(산|산책)+{1,99999}",
        "산책~99999999^99999999",
        "[산책 TO *]",
        "title:산책 AND NOT (걷기 OR \"아침\")^9~2",
        "산책' OR 1=1 --",
        "%산책_",
        "{\"$ne\": null}",
        "<script>alert(1)</script>",
        "산책 🙂",
        "산\0책",
        "\u{1b}[31m산책",
        "산책\u{200d}\u{fe0f}",
        "ㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋ",
        "1e309 -0 NaN",
    ];
    let long = ["산책 ".repeat(60), "가".repeat(200), "\u{301}a".repeat(90)];
    odd.into_iter().map(str::to_owned).chain(long).collect()
}

pub async fn try_all(scene: &Scene) {
    let client = &scene.cast.stranger;
    let ask = |query: &str| json!({ "query": query, "kinds": ALL, "filter": null });
    let mut wrong = Vec::new();
    for query in refused() {
        let body = client.graphql(SEARCH, ask(&query)).await;
        let field = &body["errors"][0]["extensions"]["field"];
        if error_codes(&body) != ["INVALID"]
            || field != "query"
            || !body["data"]["search"].is_null()
        {
            wrong.push(format!("{query:?} is to be refused: {body}"));
        }
    }
    for query in answered() {
        let body = client.graphql(SEARCH, ask(&query)).await;
        if body.get("errors").is_some() || !body["data"]["search"]["edges"].is_array() {
            wrong.push(format!("{query:?} is to be answered: {body}"));
        }
    }
    for prefix in refused().into_iter().chain(answered()) {
        for first in [-2_147_483_648_i64, 0, 1, 2_147_483_647] {
            let body = client.graphql(TYPING, json!({ "prefix": prefix, "first": first })).await;
            let codes = error_codes(&body);
            if !codes.is_empty() && codes != ["INVALID"] && codes != ["TOO_COMPLEX"] {
                wrong.push(format!("completing {prefix:?} {first}: {body}"));
            }
        }
    }
    let (first, last) = ("0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z");
    let filters: [(Value, &[&str]); 7] = [
        (json!({ "regionId": "%%%" }), &["SCHEDULE", "GATHERING"]),
        (json!({ "regionId": scene.id("gathering") }), &["GATHERING"]),
        (json!({ "maxFee": -2_147_483_648_i64 }), &["SCHEDULE"]),
        (json!({ "maxFee": 2_147_483_647 }), &[]),
        (json!({ "startsFrom": last, "startsUntil": first }), &["SCHEDULE"]),
        (json!({ "startsFrom": first, "startsUntil": last }), &ALL),
        (json!({}), &["GATHERING", "GATHERING"]),
    ];
    for (filter, kinds) in filters {
        let variables = json!({ "query": "산책", "kinds": kinds, "filter": filter });
        let body = client.graphql(SEARCH, variables).await;
        if body.get("errors").is_some() {
            wrong.push(format!("{filter} of {kinds:?}: {body}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
