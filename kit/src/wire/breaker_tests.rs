//! Every move of a breaker, and the whole of it against a model that forgets nothing.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use proptest::prelude::*;
use tokio::time::advance;

use super::breaker::{Breaker, Now};
use super::class::Class;
use super::config::BreakerConfig;
use super::window::Outcome;

const TIMEOUT: Duration = Duration::from_secs(5);
const GOOD: Outcome = Outcome { failed: false, slow: false };
const BAD: Outcome = Outcome { failed: true, slow: false };
const SLOW: Outcome = Outcome { failed: false, slow: true };

/// What was asked for in the beginning: ten calls, a half failing or all slow, ten seconds, three probes.
fn ten_calls() -> BreakerConfig {
    BreakerConfig {
        window_calls: 10,
        minimum_calls: 10,
        failure_percent: 50,
        slow_percent: 100,
        slow_call_ms: 6_000,
        wait_ms: 10_000,
        wait_most_ms: 10_000,
        jitter_percent: 0,
        probes: 3,
        ..BreakerConfig::default()
    }
}

fn steady() -> BreakerConfig {
    BreakerConfig { jitter_percent: 0, wait_most_ms: 30_000, ..BreakerConfig::default() }
}

fn breaker(config: &BreakerConfig) -> Arc<Breaker> {
    Breaker::new("test", Class::Read, config, TIMEOUT)
}

fn call(breaker: &Arc<Breaker>, outcome: Outcome) {
    breaker.enter().unwrap().record(outcome);
}

fn calls(breaker: &Arc<Breaker>, count: usize, outcome: Outcome) {
    (0..count).for_each(|_| call(breaker, outcome));
}

async fn pass(ms: u64) {
    advance(Duration::from_millis(ms)).await;
}

#[tokio::test(start_paused = true)]
async fn closed_opens_at_the_threshold_and_not_before() {
    for (config, good, bad, outcome) in [
        (ten_calls(), 5, 5, BAD),
        (ten_calls(), 0, 10, SLOW),
        (steady(), 10, 10, BAD),
        (steady(), 4, 16, SLOW),
    ] {
        let breaker = breaker(&config);
        calls(&breaker, good, GOOD);
        calls(&breaker, bad - 1, outcome);
        assert_eq!(breaker.now(), Now::Closed);
        call(&breaker, outcome);
        assert_eq!(breaker.now(), Now::Open);
    }
}

#[tokio::test(start_paused = true)]
async fn a_window_of_calls_forgets_the_oldest_and_one_of_time_what_is_long_ago() {
    let counted = breaker(&ten_calls());
    calls(&counted, 1_000, GOOD);
    calls(&counted, 4, BAD);
    assert_eq!(counted.now(), Now::Closed);
    call(&counted, BAD);
    assert_eq!(counted.now(), Now::Open, "a thousand good calls are no excuse");

    let timed = breaker(&steady());
    calls(&timed, 19, BAD);
    pass(10_000).await;
    calls(&timed, 19, BAD);
    assert_eq!(timed.now(), Now::Closed, "neither nineteen were enough");
    pass(9_000).await;
    call(&timed, BAD);
    assert_eq!(timed.now(), Now::Open);
}

#[tokio::test(start_paused = true)]
async fn open_refuses_until_its_wait_is_over_and_says_how_long() {
    let breaker = breaker(&steady());
    calls(&breaker, 20, BAD);
    assert_eq!(breaker.enter().unwrap_err(), Duration::from_millis(1_000));
    pass(999).await;
    assert_eq!(breaker.enter().unwrap_err(), Duration::from_millis(1));
    pass(1).await;
    let probe = breaker.enter().unwrap();
    assert_eq!(breaker.now(), Now::HalfOpen);
    drop(probe);
}

#[tokio::test(start_paused = true)]
async fn half_open_decides_when_all_probes_are_back() {
    for (results, then) in [
        ([GOOD, GOOD, GOOD], Now::Closed),
        // A third failed, which is less than a half.
        ([GOOD, BAD, GOOD], Now::Closed),
        ([BAD, GOOD, BAD], Now::Open),
        ([SLOW, SLOW, SLOW], Now::Open),
        ([SLOW, SLOW, GOOD], Now::Closed),
    ] {
        let breaker = breaker(&steady());
        calls(&breaker, 20, BAD);
        pass(1_000).await;
        let probes: Vec<_> = (0..3).map(|_| breaker.enter().unwrap()).collect();
        assert!(breaker.enter().is_err(), "three and no more");
        for (probe, outcome) in probes.into_iter().zip(results) {
            assert_eq!(breaker.now(), Now::HalfOpen);
            probe.record(outcome);
        }
        assert_eq!(breaker.now(), then, "{results:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_breaker_that_closes_begins_with_an_empty_window() {
    let breaker = breaker(&steady());
    calls(&breaker, 20, BAD);
    pass(1_000).await;
    calls(&breaker, 3, GOOD);
    calls(&breaker, 19, BAD);
    assert_eq!(breaker.now(), Now::Closed);
    call(&breaker, BAD);
    assert_eq!(breaker.enter().unwrap_err(), Duration::from_secs(1), "and waits as the first time");
}

#[tokio::test(start_paused = true)]
async fn the_wait_doubles_while_probes_fail_and_is_never_longer_than_its_most() {
    let breaker = breaker(&steady());
    calls(&breaker, 20, BAD);
    for seconds in [1, 2, 4, 8, 16, 30, 30] {
        assert_eq!(breaker.enter().unwrap_err(), Duration::from_secs(seconds));
        pass(seconds * 1_000).await;
        calls(&breaker, 3, BAD);
    }
}

#[tokio::test(start_paused = true)]
async fn the_wait_is_spread_by_chance() {
    let mut waits = Vec::new();
    for _ in 0..200 {
        let breaker = breaker(&BreakerConfig::default());
        calls(&breaker, 20, BAD);
        waits.push(breaker.enter().unwrap_err().as_millis());
    }
    assert!(waits.iter().all(|ms| (800..=1_200).contains(ms)), "{waits:?}");
    assert!(waits.iter().any(|ms| *ms < 950) && waits.iter().any(|ms| *ms > 1_050));
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_never_returns_does_not_keep_it_half_open() {
    let breaker = breaker(&steady());
    calls(&breaker, 20, BAD);
    pass(1_000).await;
    let lost: Vec<_> = (0..3).map(|_| breaker.enter().unwrap()).collect();
    pass(4_999).await;
    assert!(breaker.enter().is_err());
    assert_eq!(breaker.now(), Now::HalfOpen);
    pass(1).await;
    assert_eq!(breaker.enter().unwrap_err(), Duration::from_secs(2));
    assert_eq!(breaker.now(), Now::Open);
    lost.into_iter().for_each(|probe| probe.record(GOOD));
    assert_eq!(breaker.now(), Now::Open, "what comes late changes nothing");
    pass(2_000).await;
    calls(&breaker, 3, GOOD);
    assert_eq!(breaker.now(), Now::Closed);
}

#[tokio::test(start_paused = true)]
async fn few_calls_do_not_count_as_lost_probes() {
    let breaker = breaker(&steady());
    calls(&breaker, 20, BAD);
    for _ in 0..3 {
        assert_ne!(breaker.now(), Now::Closed);
        pass(60_000).await;
        call(&breaker, GOOD);
    }
    assert_eq!(breaker.now(), Now::Closed);
}

#[tokio::test(start_paused = true)]
async fn what_was_let_through_before_a_move_changes_nothing_after_it() {
    let breaker = breaker(&steady());
    let early: Vec<_> = (0..40).map(|_| breaker.enter().unwrap()).collect();
    calls(&breaker, 20, BAD);
    pass(1_000).await;
    let probe = breaker.enter().unwrap();
    early.into_iter().enumerate().for_each(|(nth, pass)| match nth % 2 {
        0 => pass.record(BAD),
        _ => drop(pass),
    });
    assert_eq!(breaker.now(), Now::HalfOpen);
    probe.record(GOOD);
    calls(&breaker, 2, GOOD);
    assert_eq!(breaker.now(), Now::Closed);
    breaker.record_later(BAD);
    assert_eq!(breaker.now(), Now::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_cancelled_probes_leave_every_permit_where_it_was() {
    let breaker = breaker(&steady());
    calls(&breaker, 20, BAD);
    pass(1_000).await;
    for _ in 0..1_000 {
        let probing = breaker.clone();
        let probe = async move {
            let _pass = probing.enter().unwrap();
            std::future::pending::<()>().await;
        };
        let cancelled = tokio::time::timeout(Duration::ZERO, probe).await;
        assert!(cancelled.is_err());
    }
    let probes: Vec<_> = (0..3).map(|_| breaker.enter().unwrap()).collect();
    assert!(breaker.enter().is_err());
    probes.into_iter().for_each(|probe| probe.record(GOOD));
    assert_eq!(breaker.now(), Now::Closed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_at_the_edge_are_let_through_by_exactly_three() {
    let breaker = breaker(&BreakerConfig { wait_ms: 1, ..steady() });
    calls(&breaker, 20, BAD);
    tokio::time::sleep(Duration::from_millis(20)).await;
    let tries = (0..10_000).map(|_| {
        let breaker = breaker.clone();
        crate::task::scoped(async move { breaker.enter().ok() })
    });
    let passes: Vec<_> = join_all(tries).await.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(passes.len(), 3);
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Call(Outcome),
    Abandon,
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Call(GOOD)),
        3 => Just(Step::Call(BAD)),
        2 => Just(Step::Call(SLOW)),
        1 => Just(Step::Abandon),
        2 => (1_u64..2_500).prop_map(Step::Pass),
        1 => (1_u64..15).prop_map(|seconds| Step::Pass(seconds * 1_000)),
    ]
}

/// Keeps everything that ever happened and looks through all of it each time.
struct Model {
    config: BreakerConfig,
    /// A mistake, to see that it is found: nothing is ever forgotten.
    forgets: bool,
    now_ms: u64,
    since_ms: u64,
    history: Vec<(u64, Outcome)>,
    state: Now,
    until_ms: u64,
    openings: u32,
}

impl Model {
    fn new(config: &BreakerConfig, forgets: bool) -> Self {
        let (now_ms, since_ms, until_ms, openings) = (0, 0, 0, 0);
        let (config, history, state) = (config.clone(), Vec::new(), Now::Closed);
        Self { config, forgets, now_ms, since_ms, history, state, until_ms, openings }
    }

    fn lets_through(&mut self) -> bool {
        if self.state == Now::Open && self.now_ms >= self.until_ms {
            self.move_to(Now::HalfOpen);
        }
        self.state != Now::Open
    }

    fn record(&mut self, outcome: Outcome) {
        self.history.push((self.now_ms, outcome));
        let slice = self.config.window_ms / 10;
        let slice_of = |at: u64| (at - self.since_ms) / slice;
        let newest = slice_of(self.now_ms);
        let counts = |(nth, (at, _)): &(usize, &(u64, Outcome))| match self.state {
            _ if !self.forgets => true,
            Now::HalfOpen => true,
            _ if self.config.window_calls > 0 => {
                nth + self.config.window_calls >= self.history.len()
            }
            _ => slice_of(*at) + 10 > newest,
        };
        let window: Vec<_> =
            self.history.iter().enumerate().filter(counts).map(|it| it.1.1).collect();
        let minimum = match self.state {
            Now::HalfOpen => self.config.probes.min(self.config.minimum_calls),
            _ => self.config.minimum_calls,
        };
        if window.len() < minimum as usize {
            return;
        }
        let share = |of: fn(&Outcome) -> bool| {
            window.iter().filter(|it| of(it)).count() as f64 * 100.0 / window.len() as f64
        };
        let bad = share(|it| it.failed) >= f64::from(self.config.failure_percent)
            || share(|it| it.slow) >= f64::from(self.config.slow_percent);
        if bad {
            let wait = self.config.wait_ms << self.openings.min(20);
            self.until_ms = self.now_ms + wait.min(self.config.wait_most_ms);
            self.openings += 1;
            self.move_to(Now::Open);
        } else if self.state == Now::HalfOpen {
            self.openings = 0;
            self.move_to(Now::Closed);
        }
    }

    fn move_to(&mut self, state: Now) {
        self.state = state;
        self.since_ms = self.now_ms;
        self.history.clear();
    }
}

/// The first step at which breaker and model differ.
fn difference(config: &BreakerConfig, steps: &[Step], forgets: bool) -> Option<usize> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let (breaker, mut model) = (breaker(config), Model::new(config, forgets));
        for (nth, step) in steps.iter().enumerate() {
            if let Step::Pass(ms) = step {
                pass(*ms).await;
                model.now_ms += ms;
                continue;
            }
            let entered = breaker.enter().ok();
            if entered.is_some() != model.lets_through() {
                return Some(nth);
            }
            if let (Some(pass), Step::Call(outcome)) = (entered, step) {
                pass.record(*outcome);
                model.record(*outcome);
            }
            if breaker.now() != model.state {
                return Some(nth);
            }
        }
        None
    })
}

fn configs() -> [BreakerConfig; 3] {
    let quick = BreakerConfig { minimum_calls: 4, probes: 5, ..steady() };
    [ten_calls(), steady(), quick]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_breaker_is_as_the_model_that_keeps_all_history(
        steps in proptest::collection::vec(step(), 1..300),
    ) {
        for config in configs() {
            prop_assert_eq!(difference(&config, &steps, true), None);
        }
    }
}

#[test]
fn the_model_finds_a_window_that_forgets_nothing() {
    let mut steps = vec![Step::Call(GOOD); 100];
    steps.extend([Step::Call(BAD); 10]);
    assert!(difference(&ten_calls(), &steps, false).is_some());
    assert_eq!(difference(&ten_calls(), &steps, true), None);
    let steps = [vec![Step::Call(GOOD); 30], vec![Step::Pass(15_000)], vec![Step::Call(BAD); 25]];
    assert!(difference(&steady(), &steps.concat(), false).is_some());
}
