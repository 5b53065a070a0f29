//! Documents that are listed beforehand: asked for by their id in every way clients know, and nothing else.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use moim_bff::documents::{self, Documents, Policy};
use moim_bff::guard;
use moim_bff::http::Settings;
use moim_kit::task::Tasks;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::schema::{Deeds, tiny};
use crate::stand::{GRAPHQL, JSON, PATIENCE, Stand, Told, told};

/// Each with its SHA-256, as `sha256sum` tells it.
const HELLO: [&str; 2] =
    ["{ hello }", "001c3174e099bd72b729d0c0a529ba9f5a740c446e2a6e1d71b283cb84ec3065"];
const BUMP: [&str; 2] =
    ["mutation { bump }", "c331e72ea035f7a294aa3e420d07ec9ef9632d3bfc0ecc713ee0492997851f3c"];
const SUM: [&str; 2] = [
    "query Sum($a: Int!) { add(a: $a, b: 1) }",
    "7ba123179c2ddef04975adda4ae94067620d8ef1c1e918efaf6759f5f6e19828",
];
const COUNT: [&str; 2] = [
    "subscription { count(to: 2) }",
    "63ca7f09782d687e955096c01d1fc440a7c7f1f0ec84775684957435b76bc99b",
];
const UNLISTED: [&str; 2] =
    ["{ caller }", "7f718938472c5fff9b324fc070f9743ce9ef8dcedb4b1dfbc9b34c323b86258c"];

/// A list in a directory of its own, and what goes by it.
struct Listed {
    directory: PathBuf,
    tasks: Tasks,
}

impl Listed {
    fn new() -> Self {
        let directory =
            std::env::temp_dir().join(format!("moim-documents-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir(&directory).unwrap();
        Self { directory, tasks: Tasks::new() }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    fn write(&self, name: &str, list: &Value) -> PathBuf {
        let file = self.file(name);
        std::fs::write(&file, list.to_string()).unwrap();
        file
    }

    async fn open(&self, policy: Policy, files: &[PathBuf]) -> Result<Documents, String> {
        let settings = documents::Settings {
            policy,
            files: files.to_vec(),
            poll: Duration::from_millis(20),
            ..documents::Settings::default()
        };
        let limits = guard::Limits { introspection: false, ..guard::Limits::default() };
        let opened = documents::open(&settings, &limits, tiny(Deeds::default()), &self.tasks).await;
        opened.map_err(|bad| bad.to_string())
    }

    /// An endpoint with all of the documents above but one in its list.
    async fn stand(&self, policy: Policy) -> Stand {
        let file = self.write("list.json", &plain(&[HELLO, BUMP, SUM, COUNT]));
        let documents = self.open(policy, &[file]).await.unwrap();
        assert_eq!(documents.listed(), 4);
        Stand::open(Settings { documents, ..Settings::default() }).await
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.tasks.token().cancel();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// As relay-compiler and graphql-codegen write it.
fn plain(documents: &[[&str; 2]]) -> Value {
    documents.iter().map(|[text, hash]| ((*hash).to_owned(), json!(text))).collect()
}

fn apollo(id: &str, body: &str) -> Value {
    let operation = json!({ "id": id, "name": "A", "type": "query", "body": body });
    json!({ "format": "apollo-persisted-query-manifest", "version": 1, "operations": [operation] })
}

fn persisted(hash: &str) -> Value {
    json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } })
}

async fn get(stand: &Stand, query: &[(&str, &str)]) -> Told {
    told(reqwest::Client::new().get(stand.url("/graphql")).query(query)).await
}

#[tokio::test]
async fn a_listed_document_is_answered_by_every_name_that_clients_have_for_it() {
    let listed = Listed::new();
    let stand = listed.stand(Policy::Require).await;
    let [text, hash] = HELLO;
    let prefixed = format!("sha256:{hash}");
    for body in [
        json!({ "documentId": hash }),
        json!({ "documentId": prefixed }),
        json!({ "documentId": hash, "query": text, "operationName": null, "variables": null }),
        json!({ "doc_id": hash }),
        json!({ "id": hash, "variables": {} }),
        json!({ "extensions": persisted(hash) }),
        json!({ "query": text, "extensions": persisted(hash) }),
    ] {
        let told = stand.post_json(&body, JSON).await;
        assert_eq!(told.body["data"], json!({ "hello": "world" }), "{body}: {}", told.body);
    }
    for query in [
        ("documentId", prefixed.as_str()),
        ("doc_id", hash),
        ("id", hash),
        ("extensions", &persisted(hash).to_string()),
    ] {
        let told = get(&stand, &[query]).await;
        assert_eq!(told.body["data"], json!({ "hello": "world" }), "{query:?}: {}", told.body);
    }
    let told = get(&stand, &[("documentId", SUM[1]), ("variables", r#"{"a":41}"#)]).await;
    assert_eq!(told.body["data"]["add"], 42);
    let sum = json!({ "documentId": SUM[1], "operationName": "Sum", "variables": { "a": 1 } });
    assert_eq!(stand.post_json(&sum, JSON).await.body["data"]["add"], 2);
    let bump = json!({ "documentId": BUMP[1] });
    assert_eq!(stand.post_json(&bump, JSON).await.body["data"]["bump"], 1);
    let told = get(&stand, &[("documentId", BUMP[1])]).await;
    assert_eq!((told.status, told.code()), (405, "METHOD_NOT_ALLOWED"));
    assert_eq!(stand.deeds.bumps.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn listed_documents_are_answered_over_sockets_and_as_streams() {
    let listed = Listed::new();
    let stand = listed.stand(Policy::Require).await;
    let mut socket = stand.ready_socket().await;
    for (id, payload) in [
        ("1", json!({ "documentId": HELLO[1] })),
        ("2", json!({ "id": HELLO[1] })),
        ("3", json!({ "extensions": persisted(HELLO[1]) })),
    ] {
        socket.say(json!({ "id": id, "type": "subscribe", "payload": payload })).await;
        assert_eq!(socket.hear_of(id, "next").await["data"]["hello"], "world");
        socket.hear_of(id, "complete").await;
    }
    let payload = json!({ "documentId": COUNT[1] });
    socket.say(json!({ "id": "4", "type": "subscribe", "payload": payload })).await;
    for n in 1..=2 {
        assert_eq!(socket.hear_of("4", "next").await["data"]["count"], n);
    }
    socket.hear_of("4", "complete").await;
    let told = stand.post_json(&json!({ "documentId": COUNT[1] }), "text/event-stream").await;
    let text = told.body.as_str().unwrap();
    assert_eq!(text.matches("event: next").count(), 2, "{text}");
    assert!(text.ends_with("event: complete\ndata:\n\n"), "{text}");
}

/// What is not listed, in every way of asking for it.
fn unlisted() -> Vec<Value> {
    let id = json!({ "documentId": UNLISTED[1] });
    vec![
        json!({ "query": HELLO[0] }),
        json!({ "query": UNLISTED[0] }),
        json!({ "query": BUMP[0] }),
        json!({ "query": "{ __schema { types { name } } }" }),
        json!({ "query": "{ __typename }" }),
        json!({ "query": "{ helo }" }),
        json!({ "query": "{" }),
        json!({ "query": "" }),
        json!({ "query": "x ".repeat(20_000) }),
        id,
        json!({ "documentId": "" }),
        json!({ "documentId": HELLO[1].to_uppercase() }),
        json!({ "documentId": format!("md5:{}", HELLO[1]) }),
        json!({ "doc_id": "1" }),
        json!({ "id": UNLISTED[1] }),
        json!({ "extensions": persisted(UNLISTED[1]) }),
        json!({ "query": UNLISTED[0], "extensions": persisted(UNLISTED[1]) }),
        json!({ "query": BUMP[0], "documentId": HELLO[1] }),
        json!({ "query": BUMP[0], "extensions": persisted(HELLO[1]) }),
        json!({ "query": BUMP[0], "documentId": UNLISTED[1], "extensions": persisted(HELLO[1]) }),
    ]
}

#[tokio::test]
async fn whatever_else_is_asked_is_refused_in_the_same_words_and_runs_nothing() {
    let listed = Listed::new();
    let stand = listed.stand(Policy::Require).await;
    let refusal = json!({ "errors": [{
        "message": "Only known documents are answered here.",
        "extensions": { "code": "DOCUMENT_NOT_TRUSTED" },
    }] });
    for body in unlisted() {
        for (accept, status) in [(JSON, 200), (GRAPHQL, 400)] {
            let told = stand.post_json(&body, accept).await;
            assert_eq!((told.status, &told.body), (status, &refusal), "{body}");
        }
        let told = stand.post_json(&body, "text/event-stream").await;
        let event = format!("event: next\ndata: {refusal}\n\nevent: complete\ndata:\n\n");
        let same = |text: &str| text.len() == event.len() && text.contains("DOCUMENT_NOT_TRUSTED");
        assert!(told.body.as_str().is_some_and(same), "{body}: {}", told.body);
    }
    for query in [
        ("query", HELLO[0]),
        ("query", "{ __schema { queryType { name } } }"),
        ("documentId", UNLISTED[1]),
        ("extensions", &persisted(UNLISTED[1]).to_string()),
    ] {
        let told = get(&stand, &[query]).await;
        assert_eq!(told.body, refusal, "{query:?}");
    }
    let mut socket = stand.ready_socket().await;
    for (number, payload) in unlisted().into_iter().enumerate() {
        let id = number.to_string();
        socket.say(json!({ "id": id, "type": "subscribe", "payload": payload })).await;
        assert_eq!(socket.hear_of(&id, "error").await, refusal["errors"], "{payload}");
    }
    assert_eq!(stand.deeds.bumps.load(Ordering::SeqCst), 0);
    assert_eq!(
        stand.post_json(&json!({ "documentId": HELLO[1] }), JSON).await.body["data"]["hello"],
        "world"
    );
}

#[tokio::test]
async fn where_lists_only_help_anything_is_answered_and_ids_are_still_theirs() {
    let listed = Listed::new();
    let stand = listed.stand(Policy::Allow).await;
    for body in [
        json!({ "query": HELLO[0] }),
        json!({ "documentId": HELLO[1] }),
        // Beside a text `id` is nothing that anybody reads.
        json!({ "query": HELLO[0], "id": "7" }),
        json!({ "query": HELLO[0], "id": SUM[1], "doc_id": SUM[1] }),
    ] {
        assert_eq!(stand.post_json(&body, JSON).await.body["data"]["hello"], "world", "{body}");
    }
    for (body, code) in [
        (json!({ "documentId": UNLISTED[1] }), "DOCUMENT_NOT_FOUND"),
        (json!({ "id": UNLISTED[1] }), "DOCUMENT_NOT_FOUND"),
        (json!({ "extensions": persisted(UNLISTED[1]) }), "PERSISTED_QUERY_NOT_FOUND"),
        (json!({ "query": BUMP[0], "documentId": HELLO[1] }), "MALFORMED_REQUEST"),
        (json!({ "documentId": 5 }), "MALFORMED_REQUEST"),
    ] {
        assert_eq!(stand.post_json(&body, JSON).await.code(), code, "{body}");
    }
    assert_eq!(stand.deeds.bumps.load(Ordering::SeqCst), 0);
    let plain = Stand::open(Settings::default()).await;
    let told = plain.post_json(&json!({ "documentId": HELLO[1] }), JSON).await;
    assert_eq!(told.code(), "DOCUMENT_NOT_FOUND");
}

#[tokio::test]
async fn ids_of_apollo_may_be_anything_and_lists_add_up() {
    let listed = Listed::new();
    let one = listed.write("one.json", &apollo("x-web:7", HELLO[0]));
    let other = listed.write("other.json", &plain(&[HELLO, SUM]));
    let documents = listed.open(Policy::Require, &[one, other]).await.unwrap();
    let stand = Stand::open(Settings { documents, ..Settings::default() }).await;
    for body in [
        json!({ "extensions": persisted("x-web:7") }),
        json!({ "documentId": "x-web:7" }),
        json!({ "documentId": HELLO[1] }),
    ] {
        assert_eq!(stand.post_json(&body, JSON).await.body["data"]["hello"], "world", "{body}");
    }
}

#[tokio::test]
async fn a_list_that_is_wrong_is_refused_at_the_start_in_one_sentence() {
    let listed = Listed::new();
    let deep = format!("{}hello{}", "{ a: room { neighbour ".repeat(20), "} }".repeat(20));
    for (list, words) in [
        (json!([]), "neither an object of texts nor a list of Apollo's"),
        (json!({ HELLO[1]: BUMP[0] }), "is not the SHA-256 of its text"),
        (json!({ "0cc175b9c0f1b6a831c399e269772661": "a" }), "is not a SHA-256"),
        (apollo("a", "{"), "a cannot be answered: Syntax error"),
        (apollo("a", "{ helo }"), r#"a cannot be answered: Unknown field "helo" on type "Query""#),
        (apollo("a", "query($a: Nothing) { hello }"), "Unknown type \"Nothing\""),
        (apollo("a", "{ add(a: 1) }"), "argument \"b\""),
        (apollo("a", "query A { hello } query B { helo }"), "helo"),
        (apollo("a", "{ __schema { queryType { name } } }"), "Introspection is switched off."),
        (apollo("a", &deep), "a cannot be answered: "),
        (apollo("a", &format!("{{ hello }} #{}", "x".repeat(20_000))), "too long"),
    ] {
        let file = listed.write("list.json", &list);
        let sentence = listed.open(Policy::Allow, &[file]).await.unwrap_err();
        assert!(sentence.contains(words), "{list}: {sentence}");
        assert!(sentence.contains("list.json"), "{sentence}");
        assert_eq!(sentence.lines().count(), 1, "{sentence}");
    }
    let missing = listed.file("missing.json");
    assert!(listed.open(Policy::Require, &[missing]).await.unwrap_err().contains("missing.json"));
    let twice = [
        listed.write("one.json", &apollo("a", HELLO[0])),
        listed.write("other.json", &apollo("a", SUM[0])),
    ];
    let sentence = listed.open(Policy::Require, &twice).await.unwrap_err();
    assert!(sentence.contains("the id of two documents"), "{sentence}");
}

#[tokio::test]
async fn a_new_list_is_taken_up_and_one_that_is_wrong_changes_nothing() {
    let listed = Listed::new();
    let file = listed.write("list.json", &plain(&[HELLO]));
    let documents = listed.open(Policy::Require, std::slice::from_ref(&file)).await.unwrap();
    let settings = Settings { documents: documents.clone(), ..Settings::default() };
    let stand = Stand::open(settings).await;
    let answered = async |[_, hash]: [&str; 2]| {
        let variables = json!({ "a": 1 });
        let body = json!({ "documentId": hash, "variables": variables });
        stand.post_json(&body, JSON).await.has_data()
    };
    assert!(answered(HELLO).await);
    assert!(!answered(SUM).await);

    listed.write("list.json", &plain(&[SUM]));
    until("the new list", async || answered(SUM).await).await;
    assert!(!answered(HELLO).await);

    for wrong in [json!({ HELLO[1]: "{ helo }" }), json!([])] {
        listed.write("list.json", &wrong);
        sleep(Duration::from_millis(200)).await;
        assert!(answered(SUM).await, "{wrong}");
    }
    remove(&file);
    sleep(Duration::from_millis(200)).await;
    assert!(answered(SUM).await);

    listed.write("list.json", &plain(&[HELLO, SUM]));
    until("the list after the wrong ones", async || answered(HELLO).await).await;
    assert_eq!(documents.listed(), 2);
}

fn remove(file: &Path) {
    std::fs::remove_file(file).unwrap();
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let due = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < due, "never came about: {what}");
        sleep(Duration::from_millis(20)).await;
    }
}
