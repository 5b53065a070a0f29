//! What rooms answered last, for as long as they do not answer: only what is the same for everybody, with its age.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};
use moim_kit::shared::Near;
use moim_kit::task::Tasks;
use moim_kit::{Clock, Code, Fault, Timestamp, metrics};
use moka::sync::Cache;
use parking_lot::Mutex;
use prost::Message;
use tokio::sync::mpsc;

/// Answers that wait to be kept; those beyond are not.
const QUEUE: usize = 1_024;
/// An answer that is the same as before is not kept again so soon.
const RENEW_AFTER: Duration = Duration::from_secs(30);
const MOST_RECENT: u64 = 100_000;

/// A message of which everybody is shown the same.
pub(crate) trait Public: Message + Default + Clone {
    /// Names it among what is kept.
    const NOUN: &'static str;
    /// Whose it is.
    const SERVICE: &'static str;

    /// Its id.
    fn id(&self) -> &str;

    /// Takes away what depends on who asks.
    fn without_viewer(&mut self);
}

/// Kept near, in Redis where there is one; clones are one.
#[derive(Clone)]
pub(crate) struct LastKnown {
    near: Arc<Near>,
    clock: Clock,
    stale_for: Duration,
    recent: Cache<String, Bytes>,
    queue: mpsc::Sender<(String, Bytes)>,
}

impl LastKnown {
    /// Keeps answers for a while, on a task of its own.
    pub fn new(near: Arc<Near>, clock: Clock, stale_for: Duration, tasks: &Tasks) -> Self {
        let (queue, answers) = mpsc::channel(QUEUE);
        let recent = Cache::builder().max_capacity(MOST_RECENT).time_to_live(RENEW_AFTER).build();
        let stopped = tasks.token();
        let keeping = keep(near.clone(), answers, stale_for);
        tasks.spawn("last known answers", async move {
            stopped.run_until_cancelled(keeping).await;
        });
        Self { near, clock, stale_for, recent, queue }
    }

    /// Has an answer kept, soon and unless too many wait.
    pub fn keep<M: Public>(&self, answer: &M) {
        let key = key::<M>(answer.id());
        let mut answer = answer.clone();
        answer.without_viewer();
        let body = Bytes::from(answer.encode_to_vec());
        if self.recent.get(&key).is_some_and(|recent| recent == body) {
            return;
        }
        let mut value = BytesMut::with_capacity(8 + body.len());
        value.put_i64(self.clock.now().us());
        value.put_slice(&body);
        if self.queue.try_send((key.clone(), value.freeze())).is_ok() {
            self.recent.insert(key, body);
        }
    }

    /// What was answered last of those ids that are known, each with its age.
    pub async fn find<M: Public>(&self, ids: &[String]) -> Vec<(M, Duration)> {
        let keys: Vec<_> = ids.iter().map(|id| key::<M>(id)).collect();
        let Ok(values) = self.near.values(&keys).await else { return Vec::new() };
        let now = self.clock.now();
        let values = values.into_iter().flatten();
        let known: Vec<_> = values.filter_map(|value| self.read(&value, now)).collect();
        metrics::looked_up("last_known", known.len(), ids.len().saturating_sub(known.len()));
        known
    }

    fn read<M: Public>(&self, value: &[u8], now: Timestamp) -> Option<(M, Duration)> {
        let (kept_at, body) = value.split_first_chunk()?;
        let age = now.us().saturating_sub(i64::from_be_bytes(*kept_at));
        let age = Duration::from_micros(u64::try_from(age).unwrap_or_default());
        let answer = M::decode(body).ok()?;
        (age <= self.stale_for).then_some((answer, age))
    }
}

impl fmt::Debug for LastKnown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LastKnown")
    }
}

async fn keep(near: Arc<Near>, mut answers: mpsc::Receiver<(String, Bytes)>, stale_for: Duration) {
    while let Some((key, value)) = answers.recv().await {
        // Without Redis there is nothing to keep it in; the next answer is tried again.
        let _ = near.keep(&key, value, stale_for).await;
    }
}

fn key<M: Public>(id: &str) -> String {
    format!("last:{}:{id}", M::NOUN)
}

/// True when a room said nothing, and what it said last may stand in.
pub(crate) fn is_silence(fault: &Fault) -> bool {
    matches!(fault.code(), Code::Unavailable | Code::DeadlineExceeded)
}

/// Which services' last known answers stand in an operation, and the oldest age of each; clones are one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stale(Arc<Mutex<BTreeMap<&'static str, Duration>>>);

impl Stale {
    /// Notes that something of a service is this old.
    pub fn note(&self, service: &'static str, age: Duration) {
        let mut noted = self.0.lock();
        let oldest = noted.entry(service).or_default();
        *oldest = age.max(*oldest);
    }

    /// Services with the age of what is oldest of each.
    pub fn noted(&self) -> Vec<(&'static str, Duration)> {
        self.0.lock().iter().map(|(service, age)| (*service, *age)).collect()
    }
}

/// Values by id, as answered or as known last; what is in neither fails.
pub(crate) type Answered<I, V> = (HashMap<I, V>, Option<Fault>);

/// The answer of a room, or what it answered last when it is silent now.
pub(crate) async fn or_last_known<I, M, V>(
    answer: Result<Vec<M>, Fault>,
    ids: &[String],
    last: Option<&LastKnown>,
    stale: &Stale,
    show: impl Fn(M, Option<&Fault>) -> Result<(I, V), Fault>,
) -> Result<Answered<I, V>, Fault>
where
    I: Eq + Hash,
    M: Public,
{
    let (rows, fault) = match (answer, last) {
        (Ok(rows), last) => {
            if let Some(last) = last {
                rows.iter().for_each(|row| last.keep(row));
            }
            (rows, None)
        }
        (Err(fault), Some(last)) if is_silence(&fault) => {
            let known = last.find::<M>(ids).await;
            known.iter().for_each(|(_, age)| stale.note(M::SERVICE, *age));
            (known.into_iter().map(|(row, _)| row).collect(), Some(fault))
        }
        (Err(fault), _) => return Err(fault),
    };
    let shown = rows.into_iter().map(|row| show(row, fault.as_ref())).collect::<Result<_, _>>()?;
    Ok((shown, fault))
}
