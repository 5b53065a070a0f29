//! Answers to nonsense are small: few errors, short texts, and little of what was sent.

use moim_e2e::{Platform, json};

use crate::ways::Both;

const AMPLIFIED_BYTES: usize = 64 * 1024;
const ECHO_BYTES: usize = 8 * 1024;
const MOST_ERRORS: usize = 9;
const MOST_CHARS: usize = 300;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_mistakes_are_few_errors() {
    let platform = Platform::one_process().await;
    let mut both = Both::of(&platform.client());
    both.answers("before everything").await;
    let long = "n".repeat(120);
    let mistakes =
        |count: usize, part: &dyn Fn(usize) -> String| (0..count).map(part).collect::<String>();
    let unknown_fields = mistakes(19, &|at| format!("nothing{at} "));
    let below = mistakes(400, &|at| format!("n{at} "));
    let failing = mistakes(20, &|at| {
        format!("{}{at:02}: gatherings(first: 0) {{ edges {{ cursor }} }} ", &long[..118])
    });
    let ids = mistakes(300, &|at| format!("\"{at}\" "));
    let arguments = mistakes(200, &|at| format!("a{at}: 1 "));
    for document in [
        format!("{{ {unknown_fields} }}"),
        format!("{{ viewer {{ {below} }} }}"),
        format!("{{ {failing} }}"),
        format!("{{ nodes(ids: [{ids}]) {{ id nothing }} }}"),
        format!("{{ gatherings({arguments}) {{ edges {{ cursor }} }} }}"),
        format!("query({}) {{ __typename }}", mistakes(50, &|at| format!("$v{at}: Nothing{at} "))),
    ] {
        for (way, told) in both.ask(&document, json!({})).await {
            let what = format!("{} over {way}: {told:?}", &document[..60]);
            assert!((1..=MOST_ERRORS).contains(&told.errors.len()), "{what}");
            assert!(told.bytes < AMPLIFIED_BYTES, "{} bytes for {what}", told.bytes);
            assert!(told.codes.iter().all(|code| code != "none" && code != "INTERNAL"), "{what}");
        }
        both.answers("mistakes").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_sent_is_not_sent_back() {
    let platform = Platform::one_process().await;
    let mut both = Both::of(&platform.client());
    both.answers("before everything").await;
    let long = "hunter2".repeat(2_000);
    let name = "hunter2".repeat(18);
    for (document, variables) in [
        (format!("{{ node(id: \"x\", {name}: \"{long}\") {{ id }} }}"), json!({})),
        (format!("{{ gatherings(first: \"{long}\") {{ edges {{ cursor }} }} }}"), json!({})),
        (
            format!("{{ gatherings(first: 1, sort: \"{long}\") {{ edges {{ cursor }} }} }}"),
            json!({}),
        ),
        (format!("{{ {} }}", &long[..14_000]), json!({})),
        (format!("{{ viewer {{ id \"{long}\" }} }}"), json!({})),
        (format!("{{ {name} {{ {name} }} }} #{long}"), json!({})),
        (
            format!("{{ gatherings(after: \"{long}\", first: 1) {{ edges {{ cursor }} }} }}"),
            json!({}),
        ),
        (
            "query($n: Int) { gatherings(first: $n) { edges { cursor } } }".to_owned(),
            json!({ "n": long }),
        ),
        (
            "query($n: Int!) { gatherings(first: $n) { edges { cursor } } }".to_owned(),
            json!({ "m": long }),
        ),
        (
            format!(
                "query(${name}: Int!) {{ gatherings(first: ${name}) {{ edges {{ cursor }} }} }}"
            ),
            json!({}),
        ),
        (
            "query($by: MemberLookup!) { member(by: $by) { id } }".to_owned(),
            json!({ "by": { "id": "x", (long.as_str()): 1 } }),
        ),
        ("query($by: MemberLookup!) { member(by: $by) { id } }".to_owned(), json!({ "by": long })),
    ] {
        for (way, told) in both.ask(&document, variables.clone()).await {
            let what =
                format!("{} over {way}: {told:?}", document.chars().take(60).collect::<String>());
            assert!(!told.errors.is_empty(), "{what}");
            assert!(told.bytes < ECHO_BYTES, "{} bytes for {what}", told.bytes);
            for error in &told.errors {
                let message = error["message"].as_str().unwrap();
                assert!(message.chars().count() <= MOST_CHARS, "{what}");
            }
        }
        both.answers("an echo").await;
    }
    // Nor is an operation's name that is not there.
    let body =
        json!({ "query": "query A { __typename } query B { __typename }", "operationName": long });
    let answer = platform.client().post(&[], body.to_string()).await;
    assert!(answer.body.to_string().len() < ECHO_BYTES && answer.status < 500, "{}", answer.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_tell_nothing_of_the_inside() {
    let platform = Platform::one_process_with(&[("MOIM_BFF__MODE", "production")]).await;
    let mut both = Both::of(&platform.client());
    for (document, variables) in [
        ("{ nothing }", json!({})),
        ("{", json!({})),
        ("query($n: Int!) { gatherings(first: $n) { edges { cursor } } }", json!({ "n": {} })),
        (
            "query($n: Int!) { gatherings(first: $n) { edges { cursor } } }",
            json!({ "n": 99_999_999_999_i64 }),
        ),
        ("{ gatherings(first: 0) { edges { cursor } } }", json!({})),
        ("{ gatherings(first: 1, after: \"x\") { edges { cursor } } }", json!({})),
        ("{ viewer { wallet { nothing } } }", json!({})),
    ] {
        for (way, told) in both.ask(document, variables.clone()).await {
            assert!(!told.errors.is_empty(), "{document} over {way}");
            let text = format!("{:?}", told.errors).to_lowercase();
            for inside in [
                "src/",
                ".rs",
                "sqlx",
                "sqlite",
                "postgres",
                "async_graphql",
                "tonic",
                "panicked",
                "stack",
                "127.0.0.1",
            ] {
                assert!(!text.contains(inside), "{document} over {way} tells {inside}: {text}");
            }
            for error in &told.errors {
                assert!(error["extensions"]["code"].is_string(), "{document} over {way}: {error}");
            }
        }
        both.answers(document).await;
    }
}
