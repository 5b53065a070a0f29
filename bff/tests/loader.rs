//! Loads of one level become one call, whatever the executor, the number of rows and the faults.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may stop at once")]

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_graphql::{Context, EmptyMutation, EmptySubscription, Object, Schema};
use futures::future::{BoxFuture, FutureExt, join_all};
use moim_bff::loader::{Loader, MAX_BATCH, rounds};
use parking_lot::Mutex;
use tokio::time::{sleep, timeout};

const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Failure {
    Unreachable,
    Panicked,
}

type Numbers = Loader<u32, u32, Failure>;

/// The keys of every call made so far.
#[derive(Clone, Default)]
struct Calls(Arc<Mutex<Vec<Vec<u32>>>>);

impl Calls {
    fn count(&self) -> usize {
        self.0.lock().len()
    }

    fn sizes(&self) -> Vec<usize> {
        self.0.lock().iter().map(Vec::len).collect()
    }

    /// Answers ten times the key; keys from 1,000 on do not exist.
    fn loader(&self) -> Numbers {
        let calls = self.clone();
        let load = move |keys: Vec<u32>| -> BoxFuture<'static, _> {
            calls.0.lock().push(keys.clone());
            async move {
                tokio::task::yield_now().await;
                let found = keys.into_iter().filter(|key| *key < 1_000);
                Ok(found.map(|key| (key, key * 10)).collect::<HashMap<_, _>>())
            }
            .boxed()
        };
        Loader::new(load, || Failure::Panicked)
    }
}

#[tokio::test]
async fn a_hundred_siblings_make_one_call_and_ask_once_per_key() {
    for siblings in [1, 2, 30, 31, 100] {
        let calls = Calls::default();
        let loader = calls.loader();
        let results = join_all((0..siblings).map(|n| loader.load(n / 2))).await;
        let expected: Vec<_> = (0..siblings).map(|n| Ok(Some(n / 2 * 10))).collect();
        assert_eq!(results, expected);
        assert_eq!(calls.sizes(), [siblings.div_ceil(2) as usize], "{siblings} siblings");
    }
}

#[tokio::test]
async fn a_call_may_fail_for_some_of_its_keys_only() {
    let load = |keys: Vec<u32>| -> BoxFuture<'static, _> {
        let known = keys.into_iter().filter(|key| *key < 10).map(|key| (key, key * 10));
        let known: HashMap<_, _> = known.collect();
        async move { Ok((known, Some(Failure::Unreachable))) }.boxed()
    };
    let loader = Numbers::partial(load, || Failure::Panicked);
    let results = join_all([1, 10, 2].map(|key| loader.load(key))).await;
    assert_eq!(results, [Ok(Some(10)), Err(Failure::Unreachable), Ok(Some(20))]);
    assert_eq!(loader.load(10).await, Err(Failure::Unreachable), "and is remembered");
}

#[tokio::test]
async fn what_was_loaded_or_put_in_is_not_loaded_again() {
    let calls = Calls::default();
    let loader = calls.loader();
    loader.prime(7, 1);
    assert_eq!(loader.load(7).await, Ok(Some(1)));
    assert_eq!(calls.count(), 0);
    assert_eq!(loader.load(5).await, Ok(Some(50)));
    assert_eq!(loader.load(5).await, Ok(Some(50)));
    assert_eq!(calls.count(), 1);
    loader.prime(5, 2);
    assert_eq!(loader.load(5).await, Ok(Some(2)), "the newest word counts");
    assert_eq!(loader.load(1_000).await, Ok(None), "missing is an answer");
    assert_eq!(loader.load(1_000).await, Ok(None));
    assert_eq!(calls.count(), 2);
}

#[tokio::test]
async fn large_levels_are_cut_into_calls_that_run_at_once() {
    let running = Arc::new(tokio::sync::Barrier::new(3));
    let calls = Calls::default();
    let (all, sizes) = (running.clone(), calls.clone());
    let loader: Numbers = Loader::new(
        move |keys| {
            sizes.0.lock().push(keys.clone());
            let all = all.clone();
            async move {
                // Passes only once all three calls are here.
                all.wait().await;
                Ok(keys.into_iter().map(|key| (key, key)).collect())
            }
            .boxed()
        },
        || Failure::Panicked,
    );
    let keys = 2 * MAX_BATCH as u32 + 50;
    let results = timeout(PATIENCE, join_all((0..keys).map(|key| loader.load(key)))).await;
    assert!(results.unwrap().into_iter().zip(0..).all(|(result, key)| result == Ok(Some(key))));
    assert_eq!(calls.sizes(), [MAX_BATCH, MAX_BATCH, 50]);
}

#[tokio::test]
async fn a_failure_reaches_everyone_who_waits_and_is_remembered() {
    let count = Arc::new(AtomicU32::new(0));
    let counted = count.clone();
    let loader: Numbers = Loader::new(
        move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            async { Err(Failure::Unreachable) }.boxed()
        },
        || Failure::Panicked,
    );
    let results = join_all((0..50).map(|key| loader.load(key))).await;
    assert!(results.iter().all(|result| *result == Err(Failure::Unreachable)));
    assert_eq!(loader.load(3).await, Err(Failure::Unreachable));
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_panic_is_an_error_to_everyone_who_waits() {
    let at_once: Numbers = Loader::new(|_| panic!("a bug"), || Failure::Panicked);
    let later: Numbers = Loader::new(
        |_| {
            async {
                tokio::task::yield_now().await;
                panic!("a bug")
            }
            .boxed()
        },
        || Failure::Panicked,
    );
    for loader in [at_once, later] {
        let loads = join_all((0..50).map(|key| loader.load(key)));
        let results = timeout(PATIENCE, loads).await.expect("somebody was left waiting");
        assert!(results.iter().all(|result| *result == Err(Failure::Panicked)));
    }
}

/// Says that it runs, and counts when it is given up.
fn endless(calls: &Calls, given_up: &Arc<AtomicU32>) -> Numbers {
    struct GivenUp(Arc<AtomicU32>);
    impl Drop for GivenUp {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let (calls, given_up) = (calls.clone(), given_up.clone());
    Loader::new(
        move |keys| {
            calls.0.lock().push(keys);
            let guard = GivenUp(given_up.clone());
            async move {
                let _guard = guard;
                std::future::pending().await
            }
            .boxed()
        },
        || Failure::Panicked,
    )
}

async fn until(mut reached: impl FnMut() -> bool) {
    let wait = async {
        while !reached() {
            sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(PATIENCE, wait).await.expect("it never came to that");
}

#[tokio::test]
async fn a_call_goes_on_while_anybody_waits_and_is_given_up_after_the_last() {
    let (calls, given_up) = (Calls::default(), Arc::new(AtomicU32::new(0)));
    let loader = endless(&calls, &given_up);
    let first = tokio::spawn(loader.load(1));
    let second = tokio::spawn(loader.load(1));
    until(|| calls.count() == 1).await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    assert_eq!(given_up.load(Ordering::SeqCst), 0);
    second.abort();
    until(|| given_up.load(Ordering::SeqCst) == 1).await;
    // Its key can be asked for again.
    let third = tokio::spawn(loader.load(1));
    until(|| calls.count() == 2).await;
    third.abort();
}

#[tokio::test]
async fn a_batch_outlives_the_one_who_led_it() {
    let calls = Calls::default();
    let loader = calls.loader();
    let mut leader = Box::pin(loader.load(1));
    let mut other = Box::pin(loader.load(2));
    assert!(futures::poll!(&mut leader).is_pending());
    assert!(futures::poll!(&mut other).is_pending());
    drop(leader);
    assert_eq!(timeout(PATIENCE, other).await.unwrap(), Ok(Some(20)));
    assert_eq!(calls.count(), 1);
    // Nobody left before it was sent off: nothing is called.
    let mut alone = Box::pin(loader.load(3));
    assert!(futures::poll!(&mut alone).is_pending());
    drop(alone);
    assert_eq!(loader.load(4).await, Ok(Some(40)));
    assert_eq!(calls.0.lock().last(), Some(&vec![4]));
}

struct Query;
struct Row(u32);

#[Object]
impl Query {
    async fn rows(&self, count: u32, from: Option<u32>) -> Vec<Row> {
        let from = from.unwrap_or(0);
        (from..from + count).map(Row).collect()
    }
}

#[Object]
impl Row {
    async fn value(&self, ctx: &Context<'_>) -> Option<u32> {
        ctx.data_unchecked::<Numbers>().load(self.0).await.unwrap()
    }

    /// A row that only a call can tell, as links between services are.
    async fn next(&self, ctx: &Context<'_>) -> Row {
        let value = ctx.data_unchecked::<Numbers>().load(self.0).await.unwrap();
        assert!(value.is_some());
        Row(self.0 + 200)
    }

    /// The same row for everybody.
    async fn owner(&self, ctx: &Context<'_>) -> Row {
        ctx.data_unchecked::<Numbers>().load(500).await.unwrap();
        Row(501)
    }
}

/// How many calls a query makes, with a loader of its own.
async fn calls_of(query: &str) -> usize {
    let calls = Calls::default();
    let schema = Schema::new(Query, EmptyMutation, EmptySubscription);
    let request = async_graphql::Request::new(query).data(calls.loader());
    let response = timeout(PATIENCE, rounds(schema.execute(request))).await.unwrap();
    assert!(response.is_ok(), "{:?}", response.errors);
    calls.count()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_executor_makes_one_call_per_level_for_any_number_of_rows() {
    for rows in [1, 20, 30, 31, 100, 180] {
        let query = |fields: &str| format!("{{ rows(count: {rows}) {{ {fields} }} }}");
        assert_eq!(calls_of(&query("value")).await, 1, "{rows} rows");
        assert_eq!(calls_of(&query("a: value b: value")).await, 1, "{rows} rows");
        assert_eq!(calls_of(&query("next { value }")).await, 2, "{rows} rows");
        // No row of a level is one of an earlier level, so none runs ahead of the others.
        assert_eq!(calls_of(&query("next { next { next { value } } }")).await, 4, "{rows} rows");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unequal_sibling_lists_share_their_call() {
    for (left, right) in [(1, 100), (100, 1), (40, 100), (100, 40), (31, 60)] {
        let query = format!(
            "{{ left: rows(count: {left}) {{ value }} right: rows(count: {right}, from: 300) {{ value }} }}"
        );
        assert_eq!(calls_of(&query).await, 1, "{left} beside {right}");
        let query = format!(
            "{{ left: rows(count: {left}) {{ owner {{ value }} }} right: rows(count: {right}, from: 300) {{ value }} }}"
        );
        assert_eq!(calls_of(&query).await, 2, "{left} beside {right}");
    }
}
