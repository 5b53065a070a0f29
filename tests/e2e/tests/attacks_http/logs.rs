//! What strangers send may stand in the log, but never as a line or a colour of its own.

use moim_e2e::{Platform, json};

use crate::wire::{answers, request, send};

/// Stands in everything that is sent, so that its lines are found again.
const MARK: &str = "mark7731";

async fn attack(platform: &Platform) {
    let client = platform.client();
    answers(&client, "nothing yet").await;
    let forged = format!(
        "{MARK}\r\n2030-01-01T00:00:00Z ERROR forged {MARK}\n\u{1b}[31mred\u{1b}]0;x\u{7}\u{9b}31m"
    );
    let queries = [
        json!({ "query": "{ __typename }", "operationName": forged }),
        json!({ "query": format!("{{ __typename }} # {forged}") }),
        json!({ "query": forged }),
        json!({ "query": "query($id: ID!) { node(id: $id) { id } }", "variables": { "id": forged } }),
        json!({ "documentId": forged }),
        json!({ "extensions": { "persistedQuery": { "version": 1, "sha256Hash": forged } } }),
    ];
    for body in &queries {
        let answer = client.post(&[], body.to_string()).await;
        assert!(answer.status < 500, "{}", answer.body);
        answers(&client, "a forged line").await;
    }
    for header in [
        format!("user-agent: {MARK}\u{1b}[31mred\r\n"),
        format!("user-agent: {MARK}\rERROR forged\r\n"),
        format!("user-agent: {MARK}\nERROR forged: {MARK}\r\n"),
        format!("x-forwarded-for: {MARK}\u{1b}[31m\r\n"),
        format!("authorization: Bearer {MARK}\u{1b}[31m\r\n"),
        format!("traceparent: 00-{MARK}\u{9b}31m-1\r\n"),
    ] {
        let body = br#"{"query":"{ __typename }"}"#;
        let headers = format!("content-type: application/json\r\n{header}");
        let raw = send(&client, &request("POST /graphql", &headers, body)).await;
        assert!(raw.status() < 500, "{header:?}: {}", raw.text);
        answers(&client, "a forged header").await;
    }
    let mut socket = moim_e2e::Socket::of(&client).await.unwrap();
    socket.subscribe(&format!("{MARK}\u{1b}[31m\n"), &forged, json!({})).await.unwrap();
    socket.refusal().await;
}

/// What was logged of it, without any of these; it must have been something, or nothing was tried.
fn logged(platform: &Platform, never: &[char]) -> String {
    let said = platform.processes[0].stderr();
    assert!(said.contains(MARK), "nothing of it was logged at all");
    for character in never {
        assert!(!said.contains(*character), "{character:?} stands in the log as it is");
    }
    said
}

#[tokio::test]
async fn lines_for_people_are_the_house_s_own() {
    let knobs = [("MOIM_TELEMETRY__FILTER", "trace"), ("MOIM_TELEMETRY__FORMAT", "pretty")];
    let platform = Platform::one_process_with(&knobs).await;
    attack(&platform).await;
    for line in logged(&platform, &['\u{1b}', '\u{7}', '\r', '\u{9b}']).lines() {
        assert!(!line.starts_with("2030-"), "a stranger wrote a line: {line}");
        assert!(!line.starts_with("ERROR forged"), "a stranger wrote a line: {line}");
    }
}

#[tokio::test]
async fn lines_for_machines_are_one_object_each() {
    let knobs = [("MOIM_TELEMETRY__FILTER", "trace"), ("MOIM_TELEMETRY__FORMAT", "json")];
    let platform = Platform::one_process_with(&knobs).await;
    attack(&platform).await;
    // JSON has the others as they are: whoever shows one to a terminal has taken it out of the JSON.
    let said = logged(&platform, &['\u{1b}', '\u{7}', '\r']);
    // The last line may be half written.
    let whole = said.rsplit_once('\n').map_or("", |(whole, _)| whole);
    for line in whole.lines().filter(|line| line.contains(MARK)) {
        let object: moim_e2e::Value = line.parse().unwrap_or_else(|_| panic!("no object: {line}"));
        assert!(object["level"].is_string(), "{line}");
    }
    assert!(whole.lines().all(|line| line.starts_with('{')), "not every line is an object");
}
