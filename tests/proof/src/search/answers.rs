//! Searches through the endpoint of each replica: answered or refused meanwhile, and all the same in the end.

use std::fmt;
use std::time::Duration;

use moim_e2e::{Client, Value, json};
use tokio::time::sleep;

use super::Progress;
use super::faults::Endpoints;
use super::ledger::Ledger;
use super::writer::HOBBIES;

const SEARCH: &str = "query($query: String!, $kinds: [SearchKind!]!, $filter: SearchFilter, $first: Int,
    $after: String) {
  search(query: $query, kinds: $kinds, filter: $filter, first: $first, after: $after) {
    totalCount correctedQuery pageInfo { hasNextPage endCursor }
    edges { highlights { field text ranges { start end } } node {
      ... on Gathering { id title } ... on Schedule { id title } ... on Member { id nickname } } } } }";
const ALL: [&str; 3] = ["GATHERING", "SCHEDULE", "MEMBER"];
/// Names out of the ledger that are searched for, as they are and mistyped.
const NAMES: usize = 24;
const PAGES: usize = 2;
const PAUSE: Duration = Duration::from_millis(50);
const TRIES: usize = 600;

/// Searches during the storm: with everything found, or told that a room is away.
#[derive(Default)]
pub struct Searched {
    answered: u64,
    unavailable: u64,
}

/// Searches that were answered alike.
#[derive(Default)]
pub struct Alike {
    queries: usize,
    pages: usize,
    found: u64,
    corrected: usize,
}

/// Searches at each endpoint in turn until the storm is over: a search room that is lost is told as unavailable, and as
/// nothing else.
pub async fn ask_meanwhile(endpoints: &Endpoints, progress: &Progress) -> Searched {
    let mut searched = Searched::default();
    for number in 0.. {
        if progress.is_over() {
            break;
        }
        let client = &endpoints.0[number % 2];
        let query = HOBBIES[number / 2 % HOBBIES.len()];
        let variables = json!({ "query": query, "kinds": ALL, "first": 10 });
        match ask(client, variables).await {
            Some(_) => searched.answered += 1,
            None => searched.unavailable += 1,
        }
        sleep(PAUSE).await;
    }
    searched
}

/// Asks both the same and fails when they answer otherwise.
pub async fn compare(endpoints: &Endpoints, ledger: &Ledger) -> Alike {
    let mut alike = Alike::default();
    for (query, filter) in questions(ledger) {
        alike.queries += 1;
        let mut after = Value::Null;
        for _ in 0..PAGES {
            let variables = json!({ "query": query, "kinds": ALL, "filter": filter, "first": 20, "after": after });
            let [one, other] = &endpoints.0;
            let (one, other) =
                tokio::join!(ask_until(one, &variables), ask_until(other, &variables));
            assert_eq!(one["edges"], other["edges"], "{variables}");
            for what in ["totalCount", "correctedQuery"] {
                assert_eq!(one[what], other[what], "{what} of {variables}");
            }
            alike.pages += 1;
            if after.is_null() {
                alike.found += one["totalCount"].as_u64().unwrap();
                alike.corrected += usize::from(one["correctedQuery"].is_string());
            }
            // The cursor of one must be good at the other.
            after = one["pageInfo"]["endCursor"].clone();
            if one["pageInfo"]["hasNextPage"] != true {
                break;
            }
        }
    }
    alike
}

/// What is found; nothing when a room is away, which must be told as that.
async fn ask(client: &Client, variables: Value) -> Option<Value> {
    let answer = client.send(SEARCH, variables).await;
    let errors = answer.body["errors"].as_array().into_iter().flatten();
    let mut any = false;
    for error in errors {
        any = true;
        let retryable = &error["extensions"]["retryable"];
        assert!(retryable == true, "{} {}", answer.status, answer.body);
    }
    (!any).then(|| answer.body["data"]["search"].clone())
}

/// The same, again and again until every room answers.
async fn ask_until(client: &Client, variables: &Value) -> Value {
    for _ in 0..TRIES {
        if let Some(found) = ask(client, variables.clone()).await {
            return found;
        }
        sleep(PAUSE).await;
    }
    panic!("rooms stay away: {variables}");
}

/// Queries with filters: words, beginnings, initial consonants, the other layout, names, and names mistyped.
fn questions(ledger: &Ledger) -> Vec<(String, Value)> {
    let plain = [
        "ㄷㅅ",
        "ㅂㄷㄱㅇ",
        "보드게",
        "ehrtjahdla",
        "떠개질",
        "자전거 수영",
        "역 7번 출구",
        "w1x2",
        "없는말이다",
    ];
    let mut all: Vec<_> = plain.map(|it| (it.to_owned(), Value::Null)).to_vec();
    for hobby in HOBBIES {
        all.push((hobby.to_owned(), Value::Null));
        all.push((format!("주말 {hobby}"), json!({ "category": "GAMES" })));
        all.push((hobby.to_owned(), json!({ "maxFee": 0 })));
    }
    for name in ledger.names(NAMES) {
        all.push((name.to_owned(), Value::Null));
        // Without its last letter it may be another, or one of many.
        let shorter: String = name.chars().take(name.chars().count() - 1).collect();
        all.push((shorter, Value::Null));
    }
    all
}

impl fmt::Display for Searched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} answered, {} unavailable", self.answered, self.unavailable)
    }
}

impl fmt::Display for Alike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { queries, pages, found, corrected } = self;
        write!(
            f,
            "{queries} queries, {pages} pages, {found} results, {corrected} corrected: all alike"
        )
    }
}
