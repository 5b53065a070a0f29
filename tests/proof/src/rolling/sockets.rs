//! Sockets that follow their member's notifications, and come back by cursor as frontends are told to.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use moim_e2e::{Person, Socket, Value, json};
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::balancer::Balancer;

const FOLLOW: &str = "subscription($after: String) {
  notificationAdded(after: $after) { cursor node { text } }
}";
const NEWEST: &str = "{ viewer { notifications(first: 1) { edges { cursor } } } }";
/// Before another try when an endpoint could not be reached.
const PAUSE: Duration = Duration::from_millis(100);

/// What all sockets saw together.
#[derive(Default)]
pub struct Seen {
    /// How sockets ended, by what was said.
    pub ends: Mutex<BTreeMap<String, u64>>,
    /// From an announcement to its receipt.
    pub waits: Mutex<Vec<Duration>>,
}

impl Seen {
    fn ended(&self, how: &str) {
        *self.ends.lock().entry(how.to_owned()).or_default() += 1;
    }

    /// Ends other than those after which a client comes back.
    pub fn unexpected(&self) -> u64 {
        let ends = self.ends.lock();
        ends.iter().filter(|(how, _)| !matches!(how.as_str(), "1001" | "1006")).map(|it| it.1).sum()
    }
}

/// One socket: who follows, from where on, and what came.
pub struct Follower {
    pub member: Person,
    pub after: Option<String>,
    pub received: Vec<i64>,
    pub from: i64,
}

/// The newest notification of a member, by its cursor.
pub async fn newest(member: &Person) -> Option<String> {
    let data = member.data(NEWEST, json!({})).await;
    data["viewer"]["notifications"]["edges"][0]["cursor"].as_str().map(str::to_owned)
}

impl Follower {
    /// From what the member has been told so far.
    pub fn new(member: Person, newest: &str) -> Self {
        let from = sequence(newest);
        Self { member, after: Some(newest.to_owned()), received: Vec::new(), from }
    }

    /// Follows until it has come to `last`, which is told at the end.
    pub async fn follow(
        mut self,
        balancer: Arc<Balancer>,
        seen: Arc<Seen>,
        announced: impl Fn(u64) -> Option<Instant>,
        mut last: watch::Receiver<Option<i64>>,
    ) -> Self {
        let is_done = |it: &Self, last: &watch::Receiver<Option<i64>>| {
            let last = *last.borrow();
            last.is_some_and(|last| it.received.last().copied().unwrap_or(it.from) >= last)
        };
        while !is_done(&self, &last) {
            let url = balancer.pick();
            let opened = Socket::open(url, self.member.client.token().unwrap()).await;
            let Ok(mut socket) = opened else {
                balancer.unreachable(url);
                sleep(PAUSE).await;
                continue;
            };
            if socket.subscribe("n", FOLLOW, json!({ "after": self.after })).await.is_err() {
                seen.ended("1006");
                continue;
            }
            while !is_done(&self, &last) {
                let message = tokio::select! {
                    message = socket.next() => message,
                    changed = last.changed() => {
                        assert!(changed.is_ok(), "it goes on without an end");
                        continue;
                    }
                };
                match message {
                    Ok(message) if message["type"] == "ping" => {}
                    Ok(message) => match self.take(&message) {
                        Some(number) => {
                            let sent = number.and_then(&announced);
                            seen.waits.lock().extend(sent.map(|sent| sent.elapsed()));
                        }
                        None => {
                            seen.ended(&message.to_string());
                            break;
                        }
                    },
                    Err(error) => {
                        let error = error.to_string();
                        let closed = error.starts_with("closed: Some");
                        let away = error.contains("code: Away");
                        seen.ended(if away {
                            "1001"
                        } else if closed {
                            &error
                        } else {
                            "1006"
                        });
                        break;
                    }
                }
            }
        }
        self
    }

    /// Takes an event in; the number of the announcement when it tells of one. `None` for anything else.
    fn take(&mut self, message: &Value) -> Option<Option<u64>> {
        let edge = &message["payload"]["data"]["notificationAdded"];
        let cursor = edge["cursor"].as_str()?;
        self.after = Some(cursor.to_owned());
        self.received.push(sequence(cursor));
        let digits = edge["node"]["text"].as_str()?.split('№').nth(1)?;
        let end = digits.find(|it: char| !it.is_ascii_digit()).unwrap_or(digits.len());
        Some(digits[..end].parse().ok())
    }
}

/// The member's own number of a notification, which its cursor holds.
pub fn sequence(cursor: &str) -> i64 {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(cursor).unwrap();
    i64::from_be_bytes(bytes[1..9].try_into().unwrap())
}
