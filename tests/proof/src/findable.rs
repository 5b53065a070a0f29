//! How long after its answer a change can be found: under a steady flow of changes, some are searched for until the
//! endpoint finds them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use clap::Args;
use futures::future::join_all;
use futures::{StreamExt as _, stream};
use moim_e2e::{Client, Memory, Person, Platform, Value, in_hours, json};
use tokio::time::{Instant, sleep, sleep_until};
use uuid::Uuid;

use crate::KNOBS;
use crate::graph::{self, act};

const SEARCH: &str = "query($query: String!) { search(query: $query, first: 5) { edges { node {
  ... on Gathering { id } ... on Schedule { id } ... on Member { id } } } } }";
/// So many that nobody's change is written over by their next one before it is found.
const MOST_HOSTS: usize = 300;
const AT_ONCE: usize = 8;
const ASK_EVERY: Duration = Duration::from_millis(5);
const FOUND_WITHIN: Duration = Duration::from_secs(60);
/// Far enough away that no reminder is due.
const IN_HOURS: i64 = 24 * 60;

/// How much is changed and searched for.
#[derive(Args, Clone, Copy, Debug)]
pub struct Size {
    /// Changes in all.
    #[arg(long, default_value_t = 3_000)]
    pub changes: usize,
    /// Changes a second.
    #[arg(long, default_value_t = 48)]
    pub per_second: usize,
    /// One of so many is searched for; all others only keep the rooms busy.
    #[arg(long, default_value_t = 7)]
    pub one_in: usize,
}

/// A host with a gathering and a schedule to change.
struct Host {
    person: Person,
    gathering: String,
    schedule: String,
}

/// What is changed, in turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Sort {
    GatheringStarted,
    GatheringChanged,
    ScheduleAnnounced,
    ScheduleChanged,
    MemberChanged,
}

const SORTS: [Sort; 5] = [
    Sort::GatheringStarted,
    Sort::GatheringChanged,
    Sort::ScheduleAnnounced,
    Sort::ScheduleChanged,
    Sort::MemberChanged,
];

/// Changes and searches, and answers the figures; panics when a change is not found.
pub async fn run(size: Size) -> String {
    let knobs = [KNOBS[0], ("MOIM_GATHERING__MAX_HOSTED", "1000000")];
    let platform =
        Platform::apart_with(&knobs).await.expect("PostgreSQL and nats-server are needed");
    let move_in = async |number: usize| {
        let person = platform.sign_up(&format!("host{number}")).await;
        let gathering = person.create_gathering(json!({})).await;
        let schedule = person.create_schedule(&gathering, json!({})).await;
        Host { person, gathering, schedule }
    };
    let count = size.changes.div_ceil(SORTS.len()).clamp(1, MOST_HOSTS);
    let hosts: Vec<_> = stream::iter(0..count).map(move_in).buffered(AT_ONCE).collect().await;
    // Who waits for nothing they have seen, and so is not kept waiting for it.
    let searcher = platform.client().remembering(Memory::None);
    let region = searcher.region().await;
    let began = Instant::now();
    let apart = Duration::from_secs(1) / u32::try_from(size.per_second.max(1)).unwrap();
    let changes = (0..size.changes).map(|number| {
        let (hosts, searcher, region) = (&hosts, &searcher, &region);
        async move {
            sleep_until(began + apart * u32::try_from(number).unwrap()).await;
            let (host, round) = (number % hosts.len(), number / hosts.len());
            let (host, sort) = (&hosts[host], SORTS[(host + round) % SORTS.len()]);
            let word = unheard();
            let id = host.change(sort, &word, region).await;
            let answered = Instant::now();
            if number % size.one_in.max(1) != 0 {
                return None;
            }
            find(searcher, &word, &id, answered).await;
            Some((sort, answered.elapsed()))
        }
    });
    let found = join_all(changes).await;
    let took = began.elapsed().as_secs_f64();

    let mut waits: BTreeMap<Sort, Vec<Duration>> = BTreeMap::new();
    for (sort, wait) in found.into_iter().flatten() {
        waits.entry(sort).or_default().push(wait);
    }
    let mut report = String::new();
    let rate = f64::from(u32::try_from(size.changes).unwrap()) / took;
    writeln!(
        report,
        "changes                  {} in {took:.1} s: {rate:.0} a second",
        size.changes
    )
    .unwrap();
    for (sort, waits) in &waits {
        writeln!(report, "{:<24} {}", sort.name(), shares(waits.clone())).unwrap();
    }
    let all = waits.into_values().flatten().collect();
    writeln!(report, "answer to found          {}", shares(all)).unwrap();
    report
}

impl Sort {
    fn name(self) -> &'static str {
        match self {
            Self::GatheringStarted => "a gathering started",
            Self::GatheringChanged => "a gathering changed",
            Self::ScheduleAnnounced => "a schedule announced",
            Self::ScheduleChanged => "a schedule changed",
            Self::MemberChanged => "a member changed",
        }
    }
}

impl Host {
    /// Makes one change whose text has a word in it; the id of what has it now.
    async fn change(&self, sort: Sort, word: &str, region: &str) -> String {
        let (title, client) = (format!("아침 산책 {word}"), &self.person.client);
        let (mutation, input) = match sort {
            Sort::GatheringStarted => (
                graph::GATHERING_CREATE,
                json!({
                    "title": title, "description": "강가를 걷습니다.", "category": "OUTDOORS",
                    "regionId": region, "capacity": 30,
                }),
            ),
            Sort::GatheringChanged => (
                graph::GATHERING_UPDATE,
                json!({ "gatheringId": self.gathering, "description": title }),
            ),
            Sort::ScheduleAnnounced => (
                graph::SCHEDULE_CREATE,
                json!({
                    "gatheringId": self.gathering, "title": title, "description": "천천히 걷습니다.",
                    "place": "뚝섬 나들목", "capacity": 10,
                    "startsAt": in_hours(IN_HOURS), "endsAt": in_hours(IN_HOURS + 2),
                }),
            ),
            Sort::ScheduleChanged => {
                (graph::SCHEDULE_UPDATE, json!({ "scheduleId": self.schedule, "title": title }))
            }
            Sort::MemberChanged => (graph::MEMBER_UPDATE, json!({ "bio": title })),
        };
        let payload = act(client, mutation, input).await;
        let noun = mutation.1.split(' ').next().unwrap();
        payload[noun]["id"].as_str().unwrap().to_owned()
    }
}

/// Asks until something is found by a word.
async fn find(searcher: &Client, word: &str, id: &str, since: Instant) {
    loop {
        let data = searcher.data(SEARCH, json!({ "query": word })).await;
        let edges = data["search"]["edges"].as_array().unwrap();
        if edges.iter().any(|edge| edge["node"]["id"] == *id) {
            return;
        }
        assert!(
            since.elapsed() < FOUND_WITHIN,
            "{word} is not found: {}",
            Value::from(edges.clone())
        );
        sleep(ASK_EVERY).await;
    }
}

/// A word that stands nowhere and is near to none.
fn unheard() -> String {
    let hex = Uuid::new_v4().simple().to_string();
    hex.chars()
        .take(14)
        .map(|it| if it.is_ascii_digit() { (b'g' + it as u8 - b'0') as char } else { it })
        .collect()
}

fn shares(mut waits: Vec<Duration>) -> String {
    waits.sort_unstable();
    let share = |of: usize| waits[(waits.len() * of / 100).min(waits.len() - 1)].as_millis();
    let (count, max) = (waits.len(), waits.last().unwrap().as_millis());
    format!("p50 {} ms, p99 {} ms, max {max} ms ({count} searched for)", share(50), share(99))
}
