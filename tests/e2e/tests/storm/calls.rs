//! What arrives at a service that fails: hardly more than was asked for, and three probes when it may be well again.

use std::time::Duration;

use futures::future::join_all;
use moim_e2e::{Manner, Value, json};
use tokio::time::{Instant, sleep};
use tonic::Code;

use crate::load::{Load, expect_no_wrong};
use crate::scene::Scene;
use crate::wide::Verdict;

/// Calls of the wide query to the chat room.
const CALLS_EACH: usize = 2;
const SECONDS: u64 = 5;
const CALLERS: u64 = 1_000;
/// Of each caller another prefix, so that none is answered with what somebody else asked.
const SUGGEST: &str = "query($prefix: String!) { searchSuggestions(prefix: $prefix) }";
/// The breaker would make it much less; here the budget of repetitions alone holds calls down.
pub const WITHOUT_BREAKER: [(&str, &str); 1] = [("MOIM_SHIELD__BREAKER__MINIMUM_CALLS", "1000000")];
/// Repetitions that may be saved up: those of ten seconds.
const SAVED: usize = 10;

/// A service fails each call at once.
pub async fn fail(scene: &Scene) {
    let stand_in = moim_e2e::StandIn::open(Manner::Fails(Code::Unavailable)).await;
    let load = Load::of(scene, 6, Duration::from_millis(10), &["chat"]);
    load.until(Instant::now(), &Verdict::Whole, 6).await;
    let began = Instant::now();
    scene.platform.way("chat").lead_to(stand_in.address());
    load.until(began, &Verdict::Expected, 12).await;
    sleep(Duration::from_secs(SECONDS)).await;
    let answers = load.stop().await;
    let (took, arrived) = (began.elapsed(), stand_in.arrived().len());
    expect_no_wrong(&answers);
    let asked = answers.iter().filter(|answer| answer.asked >= began).count() * CALLS_EACH;
    let seconds = usize::try_from(took.as_secs()).unwrap() + 1;
    let most = asked + asked / 10 + seconds + SAVED;
    println!(
        "a failing service: {asked} calls wanted in {took:?}, {arrived} arrived, at most {most}"
    );
    assert!(arrived <= most, "{arrived} calls arrived for {asked} wanted");
}

/// A service fails, then hangs: of a thousand callers three find out, and the others are told at once.
pub async fn probe(scene: &Scene) {
    let stand_in = moim_e2e::StandIn::open(Manner::Fails(Code::Unavailable)).await;
    scene.platform.way("search").lead_to(stand_in.address());
    let ask = async |number: u64| -> Value {
        let variables = json!({ "prefix": format!("등{number}") });
        scene.viewer.graphql(SUGGEST, variables).await
    };
    // Until the breaker opens: asked and not called.
    let due = Instant::now() + Duration::from_secs(20);
    for round in 1.. {
        let before = stand_in.arrived().len();
        let bodies = join_all((0..8).map(|number| ask(CALLERS * round + number))).await;
        assert!(bodies.iter().all(|body| body["errors"][0]["extensions"]["service"] == "search"));
        if stand_in.arrived().len() == before {
            break;
        }
        assert!(Instant::now() < due, "the breaker does not open");
    }
    stand_in.set(Manner::Hangs);
    let before = stand_in.arrived().len();
    let began = Instant::now();
    // All of them within the time in which the breaker looks once.
    let callers = (0..CALLERS).map(async |number| {
        sleep(
            Duration::from_millis(1_800) * u32::try_from(number).unwrap()
                / u32::try_from(CALLERS).unwrap(),
        )
        .await;
        let asked = Instant::now();
        let body = ask(number).await;
        assert_eq!(body["errors"][0]["extensions"]["retryable"], true, "{body:#}");
        asked.elapsed()
    });
    let mut waited = join_all(callers).await;
    let probes = stand_in.arrived().len() - before;
    waited.sort();
    let median = waited[waited.len() / 2];
    println!(
        "{CALLERS} callers in {:?}: {probes} probes, median {median:?}, slowest {:?}",
        began.elapsed(),
        waited.last()
    );
    assert_eq!(probes, 3);
}
