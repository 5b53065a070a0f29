//! Asking the same thing many times: as fast as answers come, or at a rate that waits for nobody.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use bytes::Bytes;
use futures::future::try_join_all;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use moim_kit::task::{Scoped, Tasks, scoped};
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use tokio::sync::{Mutex, mpsc};
use tokio::time::{Instant, sleep_until};

use crate::meter;

/// How requests follow each other.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Pace {
    /// Every connection sends as soon as it has its answer.
    Closed,
    /// So many each second, whether or not answers come; latency counts from when a request was due,
    /// so that what waits because of a slow answer is seen as slow too.
    Open(f64),
}

/// What to ask, whom, and for how long.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Order {
    /// Whom.
    pub address: SocketAddr,
    /// Name of the method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Body; none is sent when it is empty.
    pub body: String,
    /// Access token.
    pub token: String,
    /// Bytes that every answer has.
    pub answer_bytes: usize,
    /// How requests follow each other.
    pub pace: Pace,
    /// Connections at once.
    pub connections: usize,
    /// Before anything is counted.
    pub warm_up: Duration,
    /// What is counted.
    pub window: Duration,
}

/// What came of an order, within its window.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Answers, all of them right.
    pub answers: u64,
    /// Answers each second.
    pub per_second: f64,
    /// Half of the answers took at most so long.
    pub p50_ms: f64,
    /// All but one of a hundred.
    pub p99_ms: f64,
    /// CPU seconds of whoever asked.
    pub own_cpu_s: f64,
}

/// Carries out an order; tells when the window opens.
pub(crate) async fn carry_out(order: Order, opened: impl FnOnce()) -> anyhow::Result<Tally> {
    let begin = Instant::now() + order.warm_up;
    let window = Window { begin, end: begin + order.window };
    let order = Arc::new(order);
    let tasks = Tasks::new();
    let connecting = (0..order.connections).map(|_| Connection::open(&order, &tasks));
    let connections = try_join_all(connecting).await?;
    let workers: Vec<Worker> = match order.pace {
        Pace::Closed => {
            connections.into_iter().map(|each| scoped(as_fast_as_answers(each, window))).collect()
        }
        Pace::Open(per_second) => {
            let due = Arc::new(Mutex::new(due_at(per_second, Instant::now(), window)?));
            let worker = |each| scoped(as_due(each, window, Arc::clone(&due)));
            connections.into_iter().map(worker).collect()
        }
    };
    sleep_until(window.begin).await;
    opened();
    let used = meter::own_cpu_s()?;
    let mut latencies = Vec::new();
    for worker in workers {
        latencies.extend(worker.await??);
    }
    let own_cpu_s = meter::own_cpu_s()? - used;
    tasks.stop(Duration::from_secs(1)).await;
    ensure!(!latencies.is_empty(), "nothing was answered within the window");
    latencies.sort_unstable();
    let count = latencies.len() as f64;
    Ok(Tally {
        answers: latencies.len() as u64,
        per_second: count / order.window.as_secs_f64(),
        p50_ms: percentile_ms(&latencies, 0.50),
        p99_ms: percentile_ms(&latencies, 0.99),
        own_cpu_s,
    })
}

type Worker = Scoped<anyhow::Result<Vec<Duration>>>;

#[derive(Clone, Copy)]
struct Window {
    begin: Instant,
    end: Instant,
}

impl Window {
    fn holds(&self, instant: Instant) -> bool {
        (self.begin..self.end).contains(&instant)
    }
}

struct Connection {
    order: Arc<Order>,
    sender: SendRequest<Full<Bytes>>,
}

impl Connection {
    async fn open(order: &Arc<Order>, tasks: &Tasks) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(order.address).await.context("nobody listens")?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tasks.spawn("connection", async move {
            // Whoever waits for an answer is told as well.
            let _ = connection.await;
        });
        Ok(Self { order: Arc::clone(order), sender })
    }

    async fn ask(&mut self) -> anyhow::Result<()> {
        let order = &*self.order;
        let request = Request::builder()
            .method(Method::from_bytes(order.method.as_bytes())?)
            .uri(&order.path)
            .header(HOST, "localhost")
            .header(CONTENT_TYPE, "application/json")
            .header(AUTHORIZATION, format!("Bearer {}", order.token))
            .body(Full::from(order.body.clone()))?;
        self.sender.ready().await?;
        let answer = self.sender.send_request(request).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        if status != StatusCode::OK || body.len() != order.answer_bytes {
            bail!("{status} with {} bytes: {}", body.len(), String::from_utf8_lossy(&body));
        }
        Ok(())
    }
}

async fn as_fast_as_answers(
    mut connection: Connection,
    window: Window,
) -> anyhow::Result<Vec<Duration>> {
    let mut latencies = Vec::new();
    loop {
        let sent = Instant::now();
        if sent >= window.end {
            return Ok(latencies);
        }
        connection.ask().await?;
        let answered = Instant::now();
        if window.holds(answered) {
            latencies.push(answered - sent);
        }
    }
}

async fn as_due(
    mut connection: Connection,
    window: Window,
    due: Arc<Mutex<mpsc::UnboundedReceiver<Instant>>>,
) -> anyhow::Result<Vec<Duration>> {
    let mut latencies = Vec::new();
    loop {
        let next = due.lock().await.recv().await;
        let Some(due) = next else { return Ok(latencies) };
        connection.ask().await?;
        if window.holds(due) {
            latencies.push(due.elapsed());
        }
    }
}

/// The instants at which requests are due. A thread of its own keeps them: the runtime's timers go by
/// whole milliseconds, which is longer than an answer takes.
fn due_at(
    per_second: f64,
    first: Instant,
    window: Window,
) -> anyhow::Result<mpsc::UnboundedReceiver<Instant>> {
    let pause = Duration::try_from_secs_f64(per_second.recip()).context("this is no rate")?;
    let (sender, receiver) = mpsc::unbounded_channel();
    std::thread::Builder::new().name("due".to_owned()).spawn(move || {
        let mut due = first;
        while due < window.end && sender.send(due).is_ok() {
            due += pause;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
        }
    })?;
    Ok(receiver)
}

/// Nearest rank.
fn percentile_ms(sorted: &[Duration], part: f64) -> f64 {
    let rank = (sorted.len() as f64 * part).ceil() as usize;
    let found = sorted.get(rank.saturating_sub(1)).or(sorted.last());
    found.copied().unwrap_or_default().as_secs_f64() * 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let sorted: Vec<_> = (1..=200).map(Duration::from_millis).collect();
        assert_eq!(percentile_ms(&sorted, 0.50), 100.0);
        assert_eq!(percentile_ms(&sorted, 0.99), 198.0);
        assert_eq!(percentile_ms(&sorted[..1], 0.99), 1.0);
    }

    #[tokio::test]
    async fn a_request_is_due_whether_or_not_anybody_takes_it() {
        let begin = Instant::now();
        let window = Window { begin, end: begin + Duration::from_millis(50) };
        let mut due = due_at(1_000.0, begin, window).unwrap();
        let mut count = 0;
        while let Some(instant) = due.recv().await {
            assert!(window.end > instant);
            count += 1;
        }
        assert_eq!(count, 50);
    }
}
