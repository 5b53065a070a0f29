//! The small town that an empty house is filled with.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use moim_e2e::{Client, Process, Value, eventually, free_port, in_hours, json};

const FILLED_WITHIN: Duration = Duration::from_secs(300);
const START_WITHIN: Duration = Duration::from_secs(60);
const END_WITHIN: Duration = Duration::from_secs(30);
/// Passwords of everybody in town cost little here, and a visitor may look at all of it at once.
const KNOBS: [(&str, &str); 4] = [
    ("MOIM_MEMBER__HASHING_MEMORY_KIB", "64"),
    ("MOIM_MEMBER__HASHING_PASSES", "1"),
    ("MOIM_BFF__REQUESTS_PER_ADDRESS", "0"),
    ("MOIM_BFF__STRANGER_POINTS", "0"),
];

const GATHERINGS: &str = "query($after: String) {
  gatherings(first: 10, sort: NEWEST, after: $after) {
    edges { node {
      id title category memberCount rating region { name }
      schedules(first: 50) { edges { node {
        startsAt endsAt waitlistCount goingCount heldCount capacity fee
      } } }
    } }
    pageInfo { hasNextPage endCursor }
  }
}";
const MEMBERS: &str = "query($id: ID!, $after: String) {
  node(id: $id) { ... on Gathering { members(first: 100, after: $after) {
    edges { node { member { nickname } } } pageInfo { hasNextPage endCursor }
  } } }
}";

/// What a visitor finds out by asking.
#[derive(Debug, PartialEq)]
struct Town {
    gatherings: Vec<Value>,
    members: BTreeSet<String>,
}

impl Town {
    async fn visited(client: &Client) -> Self {
        let mut gatherings = Vec::new();
        let mut after = Value::Null;
        loop {
            let page =
                client.data(GATHERINGS, json!({ "after": after })).await["gatherings"].clone();
            let edges = page["edges"].as_array().unwrap();
            gatherings.extend(edges.iter().map(|edge| edge["node"].clone()));
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
        let mut members = BTreeSet::new();
        for gathering in &gatherings {
            let data = client.data(MEMBERS, json!({ "id": gathering["id"] })).await;
            let page = &data["node"]["members"];
            let edges = page["edges"].as_array().unwrap();
            if page["pageInfo"]["hasNextPage"] == false {
                assert_eq!(edges.len(), gathering["memberCount"].as_u64().unwrap() as usize);
            }
            let names = edges.iter().map(|edge| &edge["node"]["member"]["nickname"]);
            members.extend(names.map(|name| name.as_str().unwrap().to_owned()));
        }
        Self { gatherings, members }
    }

    fn different(&self, pointer: &str) -> usize {
        let values = self.gatherings.iter().map(|it| it.pointer(pointer).unwrap().to_string());
        values.collect::<BTreeSet<_>>().len()
    }

    fn schedules(&self) -> Vec<&Value> {
        let lists = self.gatherings.iter().map(|it| it["schedules"]["edges"].as_array().unwrap());
        lists.flatten().map(|edge| &edge["node"]).collect()
    }

    /// Fails unless it is as lively as a small town should be.
    fn expect_lively(&self) {
        assert!(self.members.len() >= 300, "{} members", self.members.len());
        assert!(self.gatherings.len() >= 60, "{} gatherings", self.gatherings.len());
        assert_eq!(self.different("/category"), 14);
        assert!(self.different("/region/name") >= 30, "{} regions", self.different("/region/name"));
        let korean = |text: &str| text.chars().any(|letter| ('가'..='힣').contains(&letter));
        assert!(self.gatherings.iter().all(|it| korean(it["title"].as_str().unwrap())));

        let rated = self.gatherings.iter().filter_map(|it| it["rating"].as_f64());
        let ratings: Vec<_> = rated.collect();
        assert!(ratings.len() >= 40, "{} gatherings are rated", ratings.len());
        assert!(ratings.iter().all(|rating| (1.0..=5.0).contains(rating)));

        let schedules = self.schedules();
        assert!(schedules.len() >= 200, "{} schedules", schedules.len());
        let instant = |it: &Value, field: &str| {
            chrono::DateTime::parse_from_rfc3339(it[field].as_str().unwrap()).unwrap()
        };
        let today = chrono::DateTime::parse_from_rfc3339(&in_hours(0)).unwrap();
        let past = schedules.iter().filter(|it| instant(it, "endsAt") < today).count();
        let ahead = schedules.iter().filter(|it| instant(it, "startsAt") > today).count();
        assert!(past >= 50 && ahead >= 50, "{past} past and {ahead} ahead");
        let waited_for = schedules.iter().filter(|it| it["waitlistCount"] != 0).count();
        assert!(waited_for > 0, "nobody waits for anything");
        assert!(schedules.iter().all(|it| it["goingCount"].as_i64() <= it["capacity"].as_i64()));
        let paid: Vec<_> = schedules.iter().filter(|it| it["fee"] != 0).collect();
        assert!(paid.len() >= 5, "{} cost something", paid.len());
        assert!(paid.iter().all(|it| it["heldCount"] == 0), "somebody still pays");
        assert!(paid.iter().any(|it| it["goingCount"] == it["capacity"]), "none is full");
    }
}

async fn start(directory: &Path, name: &str, more: &[&str]) -> (Process, Client) {
    let address = format!("127.0.0.1:{}", free_port());
    let arguments = [&["--data", "data", "--listen", &address], more].concat();
    let mut process = Process::start(name, directory, &arguments, &KNOBS);
    let url = format!("http://{address}");
    process.ready_at(&url, FILLED_WITHIN).await;
    (process, Client::new(url))
}

/// What the program says to whoever starts it, once it has said all.
async fn welcome(process: &Process) -> String {
    eventually(async || {
        let text = process.stdout();
        if text.contains("Ctrl-C") { Ok(text) } else { Err(text) }
    })
    .await
}

/// Both accounts of the welcome can be entered with the password it names.
async fn enter_as_told(client: &Client, welcome: &str) -> Vec<Client> {
    let log_in = "mutation($email: String!, $password: String!) {
      authLogIn(input: { email: $email, password: $password }) {
        tokens { accessToken } viewer { email } userErrors { code }
      }
    }";
    let mut entered = Vec::new();
    for line in welcome.lines().filter(|line| line.contains("@moim.town") && line.contains("   ("))
    {
        let mut words = line.split_whitespace();
        let (email, password) = (words.next().unwrap(), words.next().unwrap());
        let data = client.data(log_in, json!({ "email": email, "password": password })).await;
        assert_eq!(data["authLogIn"]["viewer"]["email"], email);
        let token = data["authLogIn"]["tokens"]["accessToken"].as_str().unwrap();
        entered.push(client.with_token(token));
    }
    assert_eq!(entered.len(), 2, "{welcome}");
    entered
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_town_is_lively_and_a_second_start_keeps_it_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let mut filling = Process::start("filling", directory, &["town", "--data", "data"], &KNOBS);
    assert!(filling.end_within(FILLED_WITHIN).await.success(), "{}", filling.stderr());
    assert!(filling.stdout().contains("filled"), "{}", filling.stdout());

    let (mut process, client) = start(directory, "first", &[]).await;
    let town = Town::visited(&client).await;
    town.expect_lively();

    // Who reads the welcome can search at once.
    let found = "{ search(query: \"한강\", first: 5) { totalCount edges { node { __typename } } }
      searchSuggestions(prefix: \"ㄷㅅ\") }";
    eventually(async || {
        let data = client.data(found, json!({})).await;
        let found = data["search"]["totalCount"].as_i64() > Some(3);
        if found && data["searchSuggestions"][0].is_string() { Ok(()) } else { Err(data) }
    })
    .await;

    let welcome = welcome(&process).await;
    let entered = enter_as_told(&client, &welcome).await;
    let queries: Vec<_> = welcome
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with('{') || line.starts_with("mutation"))
        .collect();
    assert_eq!(queries.len(), 5, "{welcome}");
    for query in queries {
        for visitor in &entered {
            let data = visitor.data("{ viewer { wallet { balance held } } }", json!({})).await;
            assert_eq!(data["viewer"]["wallet"], json!({ "balance": 60_000, "held": 0 }));
            visitor.data(query, json!({})).await;
        }
    }
    process.interrupt();
    assert!(process.end_within(END_WITHIN).await.success());

    let mut again = Process::start("again", directory, &["town", "--data", "data"], &KNOBS);
    assert!(again.end_within(START_WITHIN).await.success());
    assert!(again.stdout().contains("not empty"), "{}", again.stdout());
    let (_process, client) = start(directory, "second", &[]).await;
    assert_eq!(Town::visited(&client).await, town);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_filling_that_was_interrupted_leaves_a_house_that_can_be_filled() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let mut filling = Process::start("filling", directory, &["--data", "data"], &KNOBS);
    eventually(async || {
        // The town is made aside, and is far from done while its people are still arriving.
        let files = std::fs::read_dir(directory.join("data/.founding")).into_iter().flatten();
        let written: u64 = files.flatten().filter_map(|it| Some(it.metadata().ok()?.len())).sum();
        if written > 600_000 { Ok(()) } else { Err(written) }
    })
    .await;
    filling.interrupt();
    assert!(filling.end_within(END_WITHIN).await.success(), "{}", filling.stderr());

    let (_process, client) = start(directory, "again", &[]).await;
    Town::visited(&client).await.expect_lively();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_house_that_is_to_stay_empty_stays_empty() {
    let directory = tempfile::tempdir().unwrap();
    let (process, client) = start(directory.path(), "empty", &["--no-town"]).await;
    let town = Town::visited(&client).await;
    assert!(town.gatherings.is_empty());
    assert!(!welcome(&process).await.contains("@moim.town"));
}
