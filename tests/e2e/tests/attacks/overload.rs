//! Every document of the table is refused both ways, and the requests around it are answered.

use moim_e2e::{Platform, json};

use crate::documents::{Row, too_much, unknown};
use crate::ways::Both;

/// Longer messages are not read from a socket.
const SOCKET_BYTES: usize = 64 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_that_ask_for_too_much_are_refused_whole() {
    let platform = Platform::one_process().await;
    let mut both = Both::of(&platform.client());
    both.answers("before everything").await;
    let mut wrong = Vec::new();
    for Row { what, document, code } in too_much() {
        let told = both.over_http(&document, json!({})).await;
        if !told.is_refusal(code) {
            wrong.push(format!("{what} over HTTP: expected {code}: {told:?}"));
        }
        if document.len() > SOCKET_BYTES {
            assert_eq!(both.closed_by(&document).await, 1009, "{what}");
        } else {
            let told = both.over_socket(&document, json!({})).await;
            if !told.is_refusal(code) {
                wrong.push(format!("{what} over a socket: expected {code}: {told:?}"));
            }
        }
        both.answers(what).await;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_there_is_not_is_told_in_few_errors_and_nothing_is_executed() {
    let platform = Platform::one_process().await;
    let mut both = Both::of(&platform.client());
    both.answers("before everything").await;
    let mut wrong = Vec::new();
    for Row { what, document, code } in unknown() {
        for (way, told) in both.ask(&document, json!({})).await {
            let overlap = what == "fields that overlap";
            let few = if overlap { told.codes.len() <= 9 } else { told.codes.len() == 1 };
            let right = told.codes.iter().all(|it| it == code);
            if !few || !right || !told.data.is_null() {
                wrong.push(format!("{what} over {way}: expected {code}: {told:?}"));
            }
        }
        both.answers(what).await;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mutations_beyond_the_limit_are_not_executed_in_part() {
    let platform = Platform::one_process().await;
    let host = platform.sign_up("host").await;
    let region = host.region().await;
    let create = |alias: usize| {
        format!(
            "m{alias}: gatheringCreate(input: {{ title: \"하나\", description: \"하나\", category: ARTS, \
             regionId: \"{region}\", capacity: 2 }}) {{ gathering {{ id }} userErrors {{ code }} }} "
        )
    };
    let hosted = async || {
        let data =
            host.data("{ viewer { memberships(first: 9) { edges { cursor } } } }", json!({}));
        data.await["viewer"]["memberships"]["edges"].as_array().unwrap().len()
    };
    let mut both = Both::of(&host);
    let four: String = (0..4).map(create).collect();
    for document in [
        format!("mutation {{ {four} }}"),
        format!("mutation {{ ...F }} fragment F on Mutation {{ {four} }}"),
        format!(
            "mutation {{ {} ... {{ {} {} ... {{ {} }} }} }}",
            create(0),
            create(1),
            create(2),
            create(3)
        ),
    ] {
        for (way, told) in both.ask(&document, json!({})).await {
            assert!(told.is_refusal("TOO_COMPLEX"), "{document} over {way}: {told:?}");
        }
        both.answers("mutations").await;
    }
    assert_eq!(hosted().await, 0);
    let three: String = (0..3).map(create).collect();
    host.data(&format!("mutation {{ {three} }}"), json!({})).await;
    assert_eq!(hosted().await, 3, "as many as may be are executed");
}
