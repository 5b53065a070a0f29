//! In production nobody is told what the schema holds, how a request was answered, or what the program is.

use moim_e2e::{Platform, error_codes, json};

use crate::ways::Both;

const DISABLED: &str = "INTROSPECTION_DISABLED";

async fn production() -> Platform {
    Platform::one_process_with(&[("MOIM_BFF__MODE", "production")]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn introspection_is_off_in_every_disguise() {
    let platform = production().await;
    let mut both = Both::of(&platform.client());
    both.answers("before everything").await;
    for document in [
        "{ __schema { types { name } } }",
        "{ __schema { queryType { fields { name args { name } } } } }",
        "{ __type(name: \"Query\") { fields { name } } }",
        "{ gatherings: __schema { types { name } } }",
        "{ __schema\n#\n{ directives { name } } }",
        "{ __typename, ... { ... on Query { a: __type(name: \"Viewer\") { name } } } }",
        "{ ...F } fragment F on Query { __schema { subscriptionType { name } } }",
        "{ __typename } fragment F on Query { __schema { types { name } } }",
        "{ __schema @skip(if: true) { types { name } } }",
        "query A($s: Boolean = false) { __schema @include(if: $s) { types { name } } }",
        "mutation { __schema { types { name } } }",
        "subscription { __schema { types { name } } }",
    ] {
        for (way, told) in both.ask(document, json!({})).await {
            // A mutation has no such field, a socket's subscription neither: whichever is said, nothing is told.
            let codes = told.codes.iter().all(|it| it == DISABLED || it == "VALIDATION_FAILED");
            let unused = document.contains("} fragment F") && !document.contains("...F");
            assert!(
                codes && !told.codes.is_empty() && told.data.is_null(),
                "{document} over {way}: {told:?}"
            );
            if !unused {
                assert_eq!(told.codes, [DISABLED], "{document} over {way}");
            }
        }
        both.answers(document).await;
    }
    let query = "%7B__schema%7Btypes%7Bname%7D%7D%7D";
    let answer = platform.client().get(&format!("/graphql?query={query}")).await;
    let body: moim_e2e::Value = answer.json().await.unwrap();
    assert_eq!(error_codes(&body), [DISABLED]);
    let named = json!({ "query": "query A { __typename } query B { __schema { types { name } } }", "operationName": "A" });
    let answer = platform.client().post(&[], named.to_string()).await;
    assert_eq!(error_codes(&answer.body), [DISABLED]);
    for (way, told) in both.ask("{ __typename }", json!({})).await {
        assert_eq!(told.data["__typename"], "Query", "over {way}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn near_misses_are_not_helped() {
    let platform = production().await;
    let mut both = Both::of(&platform.client());
    for (document, near) in [
        ("{ gathering(first: 1) { edges { cursor } } }", "gatherings"),
        ("{ viewer { emai } }", "email"),
        ("{ gatherings(frist: 1) { edges { cursor } } }", "first"),
        ("{ gatherings(first: 1, sort: NEWES) { edges { cursor } } }", "NEWEST"),
        ("{ gatherings(first: 1, filter: { regionI: \"x\" }) { edges { cursor } } }", "regionId"),
        ("{ node(id: \"x\") { ... on Gatherin { title } } }", "Gathering\""),
        ("mutation { authLogI(input: {}) { userErrors { code } } }", "authLogIn"),
        ("{ viewer @includ(if: true) { id } }", "@include"),
    ] {
        for (way, told) in both.ask(document, json!({})).await {
            assert!(
                !told.codes.is_empty() && told.data.is_null(),
                "{document} over {way}: {told:?}"
            );
            let text = format!("{:?}", told.errors);
            assert!(!text.to_lowercase().contains("did you mean"), "{document} over {way}: {text}");
            let suggested = text.contains(&format!("\"{}", near.trim_end_matches('"')));
            assert!(!suggested || document.contains(near), "{document} over {way}: {text}");
        }
        both.answers(document).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_is_no_console_no_tracing_and_no_version() {
    let platform = production().await;
    let client = platform.client();
    let http = reqwest::Client::new();
    for path in [
        "/",
        "/graphql",
        "/graphiql",
        "/playground",
        "/console",
        "/altair",
        "/metrics",
        "/schema",
        "/schema.graphql",
    ] {
        let answer = http
            .get(format!("{}{path}", client.url()))
            .header("accept", "text/html")
            .send()
            .await
            .unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap().to_lowercase();
        assert!((400..500).contains(&status), "{path}: {status}");
        assert!(!text.contains("<html") && !text.contains("<script"), "{path}: {text}");
    }
    let asking = [
        ("x-moim-bill", "1"),
        ("x-apollo-tracing", "1"),
        ("apollo-federation-include-trace", "ftv1"),
    ];
    let answer = client.send_with("{ regions { id } }", json!({}), &asking).await;
    answer.data();
    let told: Vec<_> = answer.body["extensions"].as_object().unwrap().keys().collect();
    assert_eq!(told, ["cost"], "{}", answer.body);
    for name in ["server", "x-powered-by", "via", "x-version", "x-runtime", "server-timing"] {
        assert_eq!(answer.header(name), None, "{name}");
    }
}
