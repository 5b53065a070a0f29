//! Two thousand people who want a hundred paid seats at once, impatiently: each seat is sold once, and
//! everybody else keeps their money.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use clap::Args;
use futures::StreamExt as _;
use futures::future::{join, join_all};
use futures::stream;
use moim_e2e::{Client, Person, Platform, Value, in_hours, json};
use moim_kit::task::scoped;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection};
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use crate::KNOBS;
use crate::books::Books;
use crate::graph::{self, act, uuid};

/// Who wants how many seats.
#[derive(Args, Clone, Copy, Debug)]
pub struct Size {
    /// People who want a seat.
    #[arg(long, default_value_t = 2_000)]
    pub people: usize,
    /// Seats there are.
    #[arg(long, default_value_t = 100)]
    pub seats: usize,
    /// Requests at once.
    #[arg(long, default_value_t = 50)]
    pub connections: usize,
}

const FEE: i64 = 5_000;
const MONEY: i64 = 20_000;
/// Every so many people have no money,
const POOR: usize = 20;
/// press the button twice at the same moment,
const IMPATIENT: usize = 7;
/// or give up waiting for the answer and press again.
const HASTY: usize = 11;
/// Every so many do not stand in line.
const PROUD: usize = 4;
const HASTE: Duration = Duration::from_millis(20);
const PAUSE: Duration = Duration::from_millis(50);
const TRIES: usize = 400;
const SETTLE_WITHIN: Duration = Duration::from_secs(300);

const ATTEND: &str = "mutation($input: ScheduleAttendInput!, $key: String!) {
  scheduleAttend(input: $input) @idempotent(key: $key) {
    attendance { id state } userErrors { code message }
  }
}";
/// A gathering has a thousand members at most, by its room's rule and not by its tables.
const LIFT: &str = "UPDATE gathering.gathering SET capacity =";
const ENDED: &str = "
SELECT a.state || COALESCE(' ' || o.state, ''), COUNT(*) FROM schedule.attendance AS a
LEFT JOIN payment.seat_order AS o ON o.id = a.order_id GROUP BY a.state, o.state";
const SOLD: &str = "
SELECT COUNT(*) FROM schedule.attendance AS a JOIN payment.seat_order AS o ON o.id = a.order_id
WHERE a.state = 'GOING' AND o.state = 'CONFIRMED'";
const SPENT: &str = "SELECT CAST(COALESCE(SUM(amount_krw), 0) AS BIGINT) FROM payment.entry
WHERE account = 'ESCROW'";

/// Runs it on both databases and answers its figures; panics when a seat is sold twice or not at all.
pub async fn run(size: Size) -> String {
    let knobs = [
        KNOBS[0],
        ("MOIM_SCHEDULE__OFFER_MS", "2000"),
        ("MOIM_SCHEDULE__SWEEP_EVERY_MS", "200"),
        ("MOIM_BFF__CONNECTIONS", "20000"),
    ];
    let mut report = String::new();
    let twins = Platform::twins_with(&knobs).await.expect("PostgreSQL is needed");
    let books = Books::on_postgres(twins.database()).await;
    let url = twins.database().to_owned();
    let lift = async |sql: String| {
        let mut connection = PgConnection::connect(&url).await.unwrap();
        sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    };
    writeln!(report, "two processes on one PostgreSQL").unwrap();
    report.push_str(&burst(&twins, 2, &books, lift, size).await);
    drop(twins);

    let one = Platform::one_process_with(&knobs).await;
    let data = one.directory().join("moim-data");
    let books = Books::on_sqlite(&data);
    let lift = async |sql: String| {
        let sql = sql.replace("gathering.gathering", "gathering");
        let file = SqliteConnectOptions::new().filename(data.join("gathering.db"));
        let mut connection = file.busy_timeout(Duration::from_secs(10)).connect().await.unwrap();
        sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    };
    writeln!(report, "\none process on SQLite").unwrap();
    report.push_str(&burst(&one, 1, &books, lift, size).await);
    report
}

async fn burst(
    platform: &Platform,
    endpoints: usize,
    books: &Books,
    lift: impl AsyncFn(String),
    size: Size,
) -> String {
    let host = platform.sign_up("host").await;
    let gathering = host.create_gathering(json!({ "capacity": 1_000 })).await;
    lift(format!("{LIFT} {} WHERE id = '{}'", size.people + 1, uuid(&gathering))).await;
    let people: Vec<Person> = stream::iter(0..size.people)
        .map(async |number| {
            let person = platform.sign_up(&format!("person{number}")).await;
            act(&person.client, graph::GATHERING_JOIN, json!({ "gatheringId": gathering })).await;
            if !number.is_multiple_of(POOR) {
                act(&person.client, graph::WALLET_TOP_UP, json!({ "amount": MONEY })).await;
            }
            let url = platform.client_at(number % endpoints).url().to_owned();
            Person { client: person.client.at(url), ..person }
        })
        .buffered(16)
        .collect()
        .await;
    let input = json!({
        "gatheringId": gathering, "title": "강변 걷기", "description": "천천히 걷습니다.",
        "place": "뚝섬 나들목", "capacity": size.seats, "fee": FEE,
        "startsAt": in_hours(24 * 60), "endsAt": in_hours(24 * 60 + 2),
    });
    let payload = act(&host.client, graph::SCHEDULE_CREATE, input).await;
    let schedule = payload["schedule"]["id"].as_str().unwrap();
    let elsewhere: Vec<_> =
        (0..endpoints).map(|at| platform.client_at(at).url().to_owned()).collect();

    let crowd = Arc::new(Crowd { people, elsewhere, schedule: schedule.to_owned() });
    let (next, began) = (Arc::new(AtomicUsize::new(0)), Instant::now());
    let connections = (0..size.connections).map(|_| scoped(claim(crowd.clone(), next.clone())));
    let tallies = join_all(connections).await;
    let took = began.elapsed();
    let tally = tallies.into_iter().fold(Tally::default(), |sum, it| sum.with(it.unwrap()));
    if let Err(wrong) = books.settle(SETTLE_WITHIN).await {
        panic!("{wrong:#?}\n{:#?}", books.pairs(ENDED).await);
    }
    let settled = began.elapsed();

    let (sold, spent) = (books.number(SOLD).await, books.number(SPENT).await);
    let seats = i64::try_from(size.seats).unwrap();
    let mut report = tally.story(took);
    let ended: BTreeMap<_, _> = books.pairs(ENDED).await.into_iter().collect();
    writeln!(report, "settled after            {:.1} s", settled.as_secs_f64()).unwrap();
    writeln!(report, "seats sold               {sold} of {seats}, {spent} KRW taken").unwrap();
    writeln!(report, "places and orders        {ended:?}").unwrap();
    assert_eq!((sold, spent), (seats, seats * FEE), "{report}");
    report
}

struct Crowd {
    people: Vec<Person>,
    /// Every endpoint there is.
    elsewhere: Vec<String>,
    schedule: String,
}

#[derive(Default)]
struct Tally {
    waits_ms: Vec<f64>,
    /// Answers that asked to be tried again, by their code.
    again: BTreeMap<String, u64>,
    given_up: u64,
    told: BTreeMap<String, u64>,
}

impl Tally {
    fn with(mut self, other: Self) -> Self {
        self.waits_ms.extend(other.waits_ms);
        self.given_up += other.given_up;
        for (of, other) in [(&mut self.again, other.again), (&mut self.told, other.told)] {
            for (code, count) in other {
                *of.entry(code).or_default() += count;
            }
        }
        self
    }

    fn story(mut self, took: Duration) -> String {
        self.waits_ms.sort_by(f64::total_cmp);
        let share = |percent: usize| self.waits_ms[self.waits_ms.len() * percent / 100];
        let (count, seconds) = (self.waits_ms.len(), took.as_secs_f64());
        let Self { again, given_up, told, .. } = &self;
        format!(
            "requests                 {count} answered in {seconds:.1} s: {:.0} a second, p50 {:.0} ms, p99 {:.0} ms\n\
             tried again              {again:?}, given up and asked anew {given_up}\n\
             told                     {told:?}\n",
            count as f64 / seconds,
            share(50),
            share(99),
        )
    }
}

/// One connection: whoever is next presses the button.
async fn claim(crowd: Arc<Crowd>, next: Arc<AtomicUsize>) -> Tally {
    let mut tally = Tally::default();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let Some(person) = crowd.people.get(number) else { return tally };
        let input = json!({
            "scheduleId": crowd.schedule, "autoPay": number.is_multiple_of(2),
            "joinWaitlist": number % PROUD != 1,
        });
        let variables = json!({ "input": input, "key": Uuid::now_v7().to_string() });
        if number % HASTY == 1 {
            // The request is dropped with its connection; what it did, it did.
            let dropped = timeout(HASTE, person.client.try_send(ATTEND, variables.clone())).await;
            tally.given_up += u64::from(dropped.is_err());
        }
        if !number.is_multiple_of(IMPATIENT) {
            let told = press(&person.client, &variables, &mut tally).await;
            *tally.told.entry(told.0).or_default() += 1;
            continue;
        }
        let other = &crowd.elsewhere[(number + 1) % crowd.elsewhere.len()];
        let (other, mut second) = (person.client.at(other.clone()), Tally::default());
        let (once, twice) = join(
            press(&person.client, &variables, &mut tally),
            press(&other, &variables, &mut second),
        )
        .await;
        // The state may have moved between the two answers, the place not.
        assert_eq!(once.1, twice.1, "one key, one place");
        *tally.told.entry(once.0).or_default() += 1;
        tally = tally.with(second);
    }
}

/// Presses until there is an answer that is not one to be tried again: what it says, and of which place.
async fn press(client: &Client, variables: &Value, tally: &mut Tally) -> (String, Value) {
    for _ in 0..TRIES {
        let asked = Instant::now();
        let answer = client.send(ATTEND, variables.clone()).await;
        tally.waits_ms.push(asked.elapsed().as_secs_f64() * 1_000.0);
        assert!(answer.status < 500, "{}: {}", answer.status, answer.body);
        let payload = &answer.body["data"]["scheduleAttend"];
        if let Some(error) = payload["userErrors"].get(0) {
            let code = error["code"].as_str().unwrap();
            assert!(["FULL", "INSUFFICIENT_BALANCE"].contains(&code), "{payload}");
            return (code.to_owned(), Value::Null);
        }
        if payload.is_object() {
            let attendance = &payload["attendance"];
            let state = attendance["state"].as_str().unwrap();
            return (state.to_owned(), attendance["id"].clone());
        }
        let told = &answer.body["errors"][0]["extensions"];
        assert!(told["retryable"] == true, "{} {}", answer.status, answer.body);
        *tally.again.entry(told["code"].to_string()).or_default() += 1;
        sleep(PAUSE).await;
    }
    panic!("no answer after {TRIES} tries")
}
