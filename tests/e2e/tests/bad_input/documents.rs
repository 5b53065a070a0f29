//! Documents that are deep, wide, endless or wrong: refused with a code before anything is executed.

use moim_e2e::{Answer, Client, Platform, Value, error_codes, json};

use crate::scene::assert_quiet;
use crate::wire::answers;

const COMPLEX: &str = "TOO_COMPLEX";
const INVALID: &str = "VALIDATION_FAILED";
const NOT_GRAPHQL: &str = "PARSE_FAILED";
const NO_OPERATION: &str = "OPERATION_NOT_FOUND";

#[tokio::test]
async fn every_bad_document_is_one_coded_error_and_the_next_request_is_answered() {
    let platform = Platform::one_process().await;
    let client = platform.client();
    let mut wrong = Vec::new();
    for (code, what, document) in too_much().into_iter().chain(nonsense()) {
        for (accept, status) in
            [("application/json", 200), ("application/graphql-response+json", 400)]
        {
            let answer = sent(&client, &document, accept).await;
            let codes = error_codes(&answer.body);
            let bare = answer.body.get("data").is_none();
            if codes.first().map(String::as_str) != Some(code)
                || codes.iter().any(|other| other != code)
                || codes.len() > 9
                || answer.status != status
                || !bare
            {
                let shown: String = answer.body.to_string().chars().take(500).collect();
                wrong.push(format!(
                    "{what}, {accept}: expected {status} {code}: {} {shown}",
                    answer.status
                ));
            }
        }
        answers(&client, what).await;
    }
    assert!(wrong.is_empty(), "{} were not refused:\n{}", wrong.len(), wrong.join("\n"));
    assert_quiet(&platform);
}

async fn sent(client: &Client, document: &str, accept: &str) -> Answer {
    client.send_with(document, json!({}), &[("accept", accept)]).await
}

type Case = (&'static str, &'static str, String);

/// Well-formed, and more than anybody needs at once.
fn too_much() -> Vec<Case> {
    let deep = |levels: usize| {
        let level = "gathering { schedules(first: 1) { edges { node { ";
        let open = level.repeat(levels);
        format!(
            "{{ viewer {{ attendances(first: 1) {{ edges {{ node {{ schedule {{ {open} id {} }} }} }} }} }} }}",
            "} } } } ".repeat(levels)
        )
    };
    let aliases = |number: usize| {
        let all: String = (0..number).map(|at| format!("a{at}: __typename ")).collect();
        format!("{{ {all} }}")
    };
    // Thirty fragments, each spreading the next one twice: two to the thirtieth fields.
    let bomb: String = (0..30)
        .map(|at| format!("fragment F{at} on Query {{ ...F{0} ...F{0} }} ", at + 1))
        .collect::<String>()
        + "fragment F30 on Query { __typename } { ...F0 }";
    // The same, each time below a field.
    let deep_bomb: String = (0..25)
        .map(|at| {
            format!("fragment F{at} on Membership {{ a: gathering {{ viewerMembership {{ ...F{0} }} }} b: gathering {{ viewerMembership {{ ...F{0} }} }} }} ", at + 1)
        })
        .collect::<String>()
        + r#"fragment F25 on Membership { id } { node(id: "x") { ...F0 } }"#;
    let costly = "{ gatherings(first: 100) { edges { node { members(first: 100) { edges { node {
        id member { id } } } } schedules(first: 100) { edges { node { id } } } } } } }";
    let types = "fields { type { ".repeat(8);
    vec![
        (COMPLEX, "a query of forty levels", deep(10)),
        (COMPLEX, "braces without end", "{a".repeat(5_000)),
        (
            COMPLEX,
            "brackets in an argument",
            format!("{{ node(id: {}1{}) {{ id }} }}", "[".repeat(500), "]".repeat(500)),
        ),
        (COMPLEX, "two thousand aliases", aliases(2_000)),
        (COMPLEX, "fifty aliases", aliases(50)),
        (COMPLEX, "a fragment bomb", bomb),
        (COMPLEX, "a fragment bomb below fields", deep_bomb),
        (COMPLEX, "pages of pages", costly.to_owned()),
        (
            COMPLEX,
            "the largest page",
            "{ gatherings(first: 2147483647) { edges { cursor } } }".into(),
        ),
        (
            COMPLEX,
            "a comment of twenty kilobytes",
            format!("{{ __typename }} #{}", "x".repeat(20_000)),
        ),
        (
            COMPLEX,
            "a string of twenty kilobytes",
            format!("{{ node(id: \"{}\") {{ id }} }}", "x".repeat(20_000)),
        ),
        (
            COMPLEX,
            "a hundred directives",
            format!("{{ __typename {} }}", "@include(if: true) ".repeat(100)),
        ),
        (
            COMPLEX,
            "a hundred operations",
            (0..100).map(|at| format!("query Q{at} {{ __typename }} ")).collect(),
        ),
        (
            COMPLEX,
            "a hundred variables",
            format!(
                "query({}) {{ __typename }}",
                (0..100).map(|at| format!("$v{at}: Int ")).collect::<String>()
            ),
        ),
        (
            COMPLEX,
            "introspection in circles",
            format!("{{ __schema {{ types {{ {types} name {} }} }} }}", "} } ".repeat(8)),
        ),
        (
            COMPLEX,
            "many mutations",
            (0..50)
                .map(|at| format!("m{at}: authLogOut(input: {{}}) {{ userErrors {{ code }} }} "))
                .fold("mutation { ".to_owned(), |all, one| all + &one)
                + "}",
        ),
    ]
}

/// No GraphQL, or not for this schema.
fn nonsense() -> Vec<Case> {
    let case = |code, text: &'static str| (code, text, text.to_owned());
    vec![
        case(NOT_GRAPHQL, ""),
        case(NOT_GRAPHQL, "#"),
        case(NOT_GRAPHQL, "{"),
        case(NOT_GRAPHQL, "{ }"),
        case(NOT_GRAPHQL, "}"),
        case(NOT_GRAPHQL, "\0"),
        case(NOT_GRAPHQL, "{ a(: }"),
        case(NOT_GRAPHQL, "{ node(id: \"unclosed) { id } }"),
        case(NOT_GRAPHQL, "{ node(id: \"\"\"unclosed) { id } }"),
        case(NOT_GRAPHQL, r#"{ node(id: "\ud800") { id } }"#),
        case(NOT_GRAPHQL, r#"{ node(id: "\u{110000}") { id } }"#),
        case(NOT_GRAPHQL, r#"{ node(id: "\q") { id } }"#),
        case(NOT_GRAPHQL, "한글"),
        case(NOT_GRAPHQL, "{ gatherings(first: 1.) { edges { cursor } } }"),
        case(INVALID, "{ nothing }"),
        case(INVALID, "{ viewer }"),
        case(INVALID, "{ viewer { id { id } } }"),
        case(INVALID, "{ ...Nowhere }"),
        case(INVALID, "{ viewer { ...A } } fragment A on Nothing { id }"),
        case(INVALID, "fragment A on Query { ...A } { ...A }"),
        case(INVALID, "fragment A on Query { ...B } fragment B on Query { ...A } { ...A }"),
        case(INVALID, "query($a: Nothing) { __typename }"),
        case(INVALID, "query($a: Int) { __typename }"),
        case(INVALID, "{ gatherings(first: $n) { edges { cursor } } }"),
        case(INVALID, "{ gatherings(first: 1, nothing: 2) { edges { cursor } } }"),
        case(INVALID, "{ gatherings(first: 1, first: 2) { edges { cursor } } }"),
        case(INVALID, "{ gatherings(first: 1, sort: NOTHING) { edges { cursor } } }"),
        case(INVALID, "{ gatherings(first: 1, sort: null) { edges { cursor } } }"),
        case(INVALID, "{ gatherings(first: \"1\") { edges { cursor } } }"),
        case(
            INVALID,
            "{ gatherings(first: 1, filter: { category: NOTHING }) { edges { cursor } } }",
        ),
        case(INVALID, "{ gatherings(first: 1, filter: { nothing: 1 }) { edges { cursor } } }"),
        case(INVALID, "{ viewer @nothing { id } }"),
        case(INVALID, "{ viewer { id @nothing } }"),
        case(INVALID, "{ viewer @include { id } }"),
        case(INVALID, "{ viewer @include(if: 5) { id } }"),
        case(INVALID, "{ viewer @include(unless: true) { id } }"),
        case(INVALID, "query @include(if: true) { viewer { id } }"),
        case(INVALID, "{ member { id } }"),
        case(INVALID, "{ member(by: {}) { id } }"),
        case(INVALID, "{ member(by: { id: null }) { id } }"),
        case(INVALID, r#"{ member(by: { id: "x", nickname: "x" }) { id } }"#),
        case(INVALID, "{ node(id: null) { id } }"),
        case(INVALID, "{ nodes(ids: [null]) { id } }"),
        case(INVALID, "subscription { nothing }"),
        case(INVALID, "{ a: __typename a: viewer { id } }"),
        case(NO_OPERATION, "query A { __typename } query B { __typename }"),
    ]
}

#[tokio::test]
async fn variables_that_are_too_many_or_too_deep_are_refused() {
    let platform = Platform::one_process().await;
    let client = platform.client();
    let many: Value = (0..100).map(|at| (format!("v{at}"), json!(1))).collect();
    let nested = (0..100).fold(json!(1), |inner, _| json!([inner]));
    let ids: Vec<_> = (0..2_000).map(|at| at.to_string()).collect();
    let query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }";
    for variables in [many, json!({ "ids": nested }), json!({ "ids": ids })] {
        let answer = client.send(query, variables).await;
        assert_eq!(error_codes(&answer.body), [COMPLEX], "{}", answer.body);
        answers(&client, "variables").await;
    }
    for variables in
        [json!({}), json!({ "ids": null }), json!({ "ids": {} }), json!({ "ids": [[]] })]
    {
        let answer = client.send(query, variables).await;
        assert_eq!(error_codes(&answer.body), [INVALID], "{}", answer.body);
        answers(&client, "variables").await;
    }
    assert_quiet(&platform);
}
