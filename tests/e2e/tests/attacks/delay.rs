//! Two queries of nested fragments at once do not hold up a plain one: compared within one run, in turns.

use std::time::{Duration, Instant};

use moim_e2e::{Client, Platform, error_codes, json};

use crate::documents::bomb;
use crate::ways::ORDINARY;

const ROUNDS: usize = 40;
/// A library that opened each spread would need some seconds, thousands of times as long.
const MOST_TIMES: u32 = 10;

async fn plain(client: &Client) -> Duration {
    let begun = Instant::now();
    client.data(ORDINARY, json!({})).await;
    begun.elapsed()
}

async fn attack(client: &Client, document: &str) {
    let body = client.graphql(document, json!({})).await;
    assert_eq!(error_codes(&body), ["TOO_COMPLEX"], "{body}");
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_bombs_at_once_do_not_hold_up_a_plain_query() {
    let platform = Platform::one_process().await;
    let client = platform.client();
    let document = bomb(23);
    assert!((700..=1_400).contains(&document.len()), "{}", document.len());
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        // Each a document of its own, so that no refusal can have been remembered.
        let [one, other] = [0, 1].map(|which| format!("{document}#{round}{which}"));
        alone.push(plain(&client).await);
        let (_, _, time) =
            tokio::join!(attack(&client, &one), attack(&client, &other), plain(&client));
        beside.push(time);
    }
    let (alone, beside) = (median(alone), median(beside));
    assert!(beside < alone * MOST_TIMES, "{beside:?} beside two bombs, {alone:?} alone");
}
