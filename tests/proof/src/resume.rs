//! Numbered notifications to one member whose socket is cut and whose endpoint is killed: resuming by
//! cursor, the member has every one, in order, once.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::KNOBS;
use clap::Args;
use futures::future::{join, join_all};
use moim_e2e::{Client, Person, Platform, Socket, Value, in_hours, json};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};

/// How much is told, and how often it is interrupted.
#[derive(Args, Clone, Copy, Debug)]
pub struct Size {
    /// Notifications to the one member.
    #[arg(long, default_value_t = 10_000)]
    pub notifications: u64,
    /// How often the member's socket is cut.
    #[arg(long, default_value_t = 20)]
    pub cuts: u64,
    /// How often the endpoint is killed with -9.
    #[arg(long, default_value_t = 2)]
    pub kills: u64,
}

const FOLLOW: &str = "subscription($after: String) {
  notificationAdded(after: $after) { cursor node { id kind subject { ... on Schedule { title } } } }
}";
const NEWEST: &str = "{ viewer { notifications(first: 100) { edges { cursor } } } }";
const CREATE: &str = "mutation($input: ScheduleCreateInput!, $key: String!) {
  scheduleCreate(input: $input) @idempotent(key: $key) { schedule { id } userErrors { code message } }
}";
/// Announcers side by side, each of gatherings of their own.
const ANNOUNCERS: u64 = 4;
/// Nothing at all for so long, while something is owed, is a loss.
const OWED_WITHIN: Duration = Duration::from_secs(120);

/// What the member received.
#[derive(Default)]
struct Received {
    ids: Vec<String>,
    cursor: Option<String>,
    connections: u64,
    slow: u64,
}

/// Runs it and answers its figures; panics when one is missing, doubled or out of order.
pub async fn run(size: Size) -> String {
    let mut platform =
        Platform::apart_with(&KNOBS).await.expect("PostgreSQL and nats-server are needed");
    let member = platform.sign_up("listener").await;
    let mut hosts = Vec::new();
    for number in 0..ANNOUNCERS {
        let host = platform.sign_up(&format!("host{number}")).await;
        let gathering = host.create_gathering(json!({})).await;
        member.join(&gathering).await;
        hosts.push((host, gathering));
    }
    let seeds = seed(&member, &hosts).await;
    let url = platform.url().to_owned();
    let heard = Arc::new(AtomicU64::new(0));
    let (cut, over) = (Arc::new(Notify::new()), Arc::new(AtomicBool::new(false)));
    let began = Instant::now();

    let seeded = seeds.len() as u64;
    let follower = follow(&url, &member, seeds, size.notifications, heard.clone(), cut.clone());
    let left = size.notifications - seeded;
    let announcers = join_all(hosts.iter().enumerate().map(|(number, (host, gathering))| {
        let share = left / ANNOUNCERS + u64::from((number as u64) < left % ANNOUNCERS);
        announce(&host.client, gathering, share)
    }));
    let faults = async {
        let (mut cuts, mut kills) = (0, 0);
        while !over.load(Ordering::Relaxed) {
            let share =
                |times: u64| heard.load(Ordering::Relaxed) * (times + 1) / size.notifications;
            if share(size.cuts) > cuts && cuts < size.cuts {
                cut.notify_one();
                cuts += 1;
            }
            if share(size.kills) > kills && kills < size.kills {
                platform.room("bff").kill();
                platform.room("bff").start_again();
                kills += 1;
            }
            sleep(Duration::from_millis(10)).await;
        }
        (cuts, kills)
    };
    let work = async {
        let (received, ()) = join(follower, async { drop(announcers.await) }).await;
        over.store(true, Ordering::Relaxed);
        received
    };
    let (received, (cuts, kills)) = join(work, faults).await;

    let sequences: Vec<i64> = received.ids.iter().map(|cursor| sequence(cursor)).collect();
    let wanted: Vec<i64> = (1..=i64::try_from(size.notifications).unwrap()).collect();
    let mut report = String::new();
    writeln!(report, "notifications received   {} of {}", sequences.len(), wanted.len()).unwrap();
    writeln!(report, "socket cut               {cuts} times, endpoint killed {kills} times")
        .unwrap();
    writeln!(
        report,
        "connections              {}, of them {} after SLOW_CONSUMER",
        received.connections, received.slow
    )
    .unwrap();
    writeln!(report, "took                     {:.0} s", began.elapsed().as_secs_f64()).unwrap();
    assert!(cuts == size.cuts && kills == size.kills, "{report}");
    assert_eq!(sequences, wanted, "{report}");
    writeln!(report, "1..{} in order, once each", wanted.len()).unwrap();
    report
}

/// The first notifications, one or more of each host: they show that the member is on every roster,
/// and give the cursor that the following starts from.
async fn seed(member: &Person, hosts: &[(Person, String)]) -> Vec<String> {
    let mut cursors = Vec::new();
    for (host, gathering) in hosts {
        let before = cursors.len();
        while cursors.len() == before {
            announce(&host.client, gathering, 1).await;
            sleep(Duration::from_millis(500)).await;
            let data = member.data(NEWEST, json!({})).await;
            let edges = data["viewer"]["notifications"]["edges"].as_array().unwrap();
            cursors = edges
                .iter()
                .rev()
                .map(|edge| edge["cursor"].as_str().unwrap().to_owned())
                .collect();
        }
    }
    cursors
}

/// Announces schedules one after another; each is one notification.
async fn announce(host: &Client, gathering: &str, count: u64) {
    for number in 0..count {
        let input = json!({
            "gatheringId": gathering, "title": format!("{number}번째 걷기"), "description": "걷습니다.",
            "place": "강가", "capacity": 10, "startsAt": in_hours(24 * 60), "endsAt": in_hours(24 * 60 + 1),
        });
        let variables = json!({ "input": input, "key": uuid::Uuid::now_v7().to_string() });
        loop {
            // The endpoint is killed now and then: the key makes it safe to ask again.
            if let Some(answer) = host.try_send(CREATE, variables.clone()).await
                && answer.body["data"]["scheduleCreate"]["schedule"].is_object()
            {
                break;
            }
            sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Follows, and comes back with the last cursor whenever the stream ends, until everything is there.
async fn follow(
    url: &str,
    member: &Person,
    seeds: Vec<String>,
    wanted: u64,
    heard: Arc<AtomicU64>,
    cut: Arc<Notify>,
) -> Received {
    let cursor = seeds.last().cloned();
    let mut received = Received { ids: seeds, cursor, ..Received::default() };
    while (received.ids.len() as u64) < wanted {
        let Ok(mut socket) = Socket::open(url, member.client.token().unwrap()).await else {
            sleep(Duration::from_millis(50)).await;
            continue;
        };
        received.connections += 1;
        let variables = json!({ "after": received.cursor });
        if socket.subscribe("n", FOLLOW, variables).await.is_err() {
            continue;
        }
        while (received.ids.len() as u64) < wanted {
            let message = tokio::select! {
                () = cut.notified() => break,
                message = timeout(OWED_WITHIN, socket.next()) => message.expect("nothing came any more"),
            };
            let Ok(message) = message else { break };
            if message["type"] != "next" {
                received.slow += u64::from(message.to_string().contains("SLOW_CONSUMER"));
                break;
            }
            let edge = &message["payload"]["data"]["notificationAdded"];
            let Some(cursor) = edge["cursor"].as_str() else {
                received.slow += u64::from(message.to_string().contains("SLOW_CONSUMER"));
                assert!(is_worth_another_try(&message), "{message}");
                break;
            };
            received.ids.push(cursor.to_owned());
            received.cursor = Some(cursor.to_owned());
            heard.store(received.ids.len() as u64, Ordering::Relaxed);
        }
    }
    received
}

fn is_worth_another_try(message: &Value) -> bool {
    let told = &message["payload"]["errors"][0]["extensions"];
    told["retryable"] == true || told["code"] == "SLOW_CONSUMER"
}

/// The member's own number of a notification, which its cursor holds.
fn sequence(cursor: &str) -> i64 {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(cursor).unwrap();
    i64::from_be_bytes(bytes[1..9].try_into().unwrap())
}
