//! Sending spans by OTLP: a bounded queue, batches, and nobody who waits for the collector.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanExporter as _};
use tokio::sync::mpsc::{self, Receiver};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::fault::Fault;
use crate::task::Tasks;
use crate::trace;

/// Spans that wait to be sent; more are lost, and counted.
const WAITING: usize = 8_192;
const BATCH: usize = 512;
/// A batch that is not full waits so long for more.
const GATHER: Duration = Duration::from_millis(500);
const SENT_WITHIN: Duration = Duration::from_secs(5);
/// A collector that is out of reach is worth a line so often.
const COMPLAIN_EVERY: Duration = Duration::from_secs(60);

/// Has spans sent to a collector from now on.
pub(super) fn open(url: &str, ratio: f64, resource: &Resource, tasks: &Tasks) -> Result<(), Fault> {
    let exporter = SpanExporter::builder().with_tonic().with_endpoint(url);
    let mut exporter = exporter.with_timeout(SENT_WITHIN).build().map_err(Fault::internal)?;
    exporter.set_resource(resource);
    let (sender, queue) = mpsc::channel(WAITING);
    let lost = Arc::new(AtomicU64::new(0));
    let overflow = lost.clone();
    trace::collect(ratio, move |span| {
        if sender.try_send(span).is_err() {
            overflow.fetch_add(1, Ordering::Relaxed);
        }
    });
    let outlet = Outlet { exporter, queue, lost, complained: None, stop: tasks.token() };
    tasks.spawn("spans", outlet.run());
    Ok(())
}

struct Outlet {
    exporter: SpanExporter,
    queue: Receiver<SpanData>,
    lost: Arc<AtomicU64>,
    complained: Option<Instant>,
    stop: CancellationToken,
}

impl Outlet {
    /// Sends until it is told to stop, and then what is left.
    async fn run(mut self) {
        let mut batch = Vec::new();
        let stop = self.stop.clone();
        while let Some(1..) =
            stop.run_until_cancelled(self.queue.recv_many(&mut batch, BATCH)).await
        {
            let due = Instant::now() + GATHER;
            while batch.len() < BATCH {
                let more = BATCH - batch.len();
                tokio::select! {
                    received = self.queue.recv_many(&mut batch, more) => if received == 0 { break },
                    () = sleep_until(due) => break,
                    () = stop.cancelled() => break,
                }
            }
            self.send(std::mem::take(&mut batch)).await;
        }
        self.queue.close();
        while self.queue.recv_many(&mut batch, BATCH).await > 0 {
            self.send(std::mem::take(&mut batch)).await;
        }
    }

    async fn send(&mut self, batch: Vec<SpanData>) {
        let many = batch.len();
        let error = match timeout(SENT_WITHIN, self.exporter.export(batch)).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("it did not answer in time".to_owned()),
        };
        if error.is_some() {
            self.lost.fetch_add(u64::try_from(many).unwrap_or_default(), Ordering::Relaxed);
        }
        let now = Instant::now();
        if self.lost.load(Ordering::Relaxed) == 0
            || self.complained.is_some_and(|at| now < at + COMPLAIN_EVERY)
        {
            return;
        }
        self.complained = Some(now);
        let lost = self.lost.swap(0, Ordering::Relaxed);
        let error = error.unwrap_or_else(|| "there were too many at once".to_owned());
        tracing::warn!(error, lost, "spans are lost: telemetry.otlp_url does not take them");
    }
}
