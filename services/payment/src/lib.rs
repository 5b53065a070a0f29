//! Wallets, their ledger, and the orders that pay for seats.

mod auditor;
mod config;
mod convert;
mod events;
mod fault;
mod ledger;
mod model;
mod provider;
mod rpc;
mod saga;
mod sandbox;
mod store;
mod sweeper;
mod till;
mod toss;
mod toss_api;
#[cfg(test)]
#[path = "../tests/rpc/toss_stand.rs"]
mod toss_stand;
#[cfg(test)]
mod toss_tests;
mod toss_webhook;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use moim_kit::bus::Log;
use moim_kit::serve::{Guarded, Room};
use moim_kit::task::Tasks;
use moim_kit::{Code, Fault};
use moim_proto::payment::v1::payment_service_server::PaymentServiceServer;
use moim_storage::{Db, Ground, Reader};
use tokio::sync::mpsc::{self, Receiver, Sender};

pub use config::Config;
pub use fault::Reason;
pub use store::audit;

use events::{COPIED, Copier};
use provider::PaymentProvider;
use rpc::Server;
use sandbox::{Sandbox, Webhook};
use store::Store;
use till::Till;
use toss::Toss;
use worker::Worker;

/// The room's tables, after those of every room.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

const LARGEST_MESSAGE: usize = 1024 * 1024;
/// Webhooks of the sandbox that may wait to be heard.
const WEBHOOKS: usize = 64;

/// Opens the room; it follows what the schedule room tells of paid seats.
pub async fn open(
    config: Config,
    ground: Ground,
    schedule_log: Arc<dyn Log>,
) -> Result<Room, Fault> {
    let (store, clock) = (Store::new(ground.outbox.clone()), ground.clock.clone());
    let (sent, heard) = mpsc::channel(WEBHOOKS);
    let provider = open_provider(&config, &ground, sent)?;
    let till = Arc::new(Till::new(&config, store.clone(), clock.clone(), provider));
    let copies = ground.copies(COPIED);
    let handler = Arc::new(Copier { store: store.clone(), clock: clock.clone() });
    let outbox = ground.outbox.clone();
    Reader { source: "schedule", log: schedule_log, outbox, copies: copies.clone(), handler }
        .start(&ground.tasks);
    let poll = Duration::from_millis(config.poll_ms);
    let silence = Duration::from_millis(config.silence_ms);
    let worker = Worker { store: store.clone(), clock, silence };
    worker.start(&ground.tasks, copies.arrivals(), poll);
    sweeper::start(&ground.tasks, till.clone(), poll);
    hear_sandbox(&ground.tasks, till.clone(), heard);
    let every = Duration::from_millis(config.audit_every_ms);
    auditor::start(&ground.tasks, ground.db.clone(), every);
    let server = PaymentServiceServer::new(Server { store, reads: ground.reads(COPIED), till });
    let server = server.max_decoding_message_size(LARGEST_MESSAGE);
    let guarded = Guarded::new(server, ground.verifier.clone(), ground.gate(copies));
    Ok(Room::new("payment", guarded, Arc::new(ground.outbox.clone())))
}

/// Who takes the money.
fn open_provider(
    config: &Config,
    ground: &Ground,
    webhooks: Sender<Webhook>,
) -> Result<Arc<dyn PaymentProvider>, Fault> {
    match config.provider.as_str() {
        "sandbox" => {
            // A house in files is for trying things out; one on a server may be meant seriously.
            if matches!(ground.db, Db::Postgres(..)) {
                tracing::warn!(
                    "the payment sandbox takes no real money: top-ups cost nothing here"
                );
            }
            let clock = ground.clock.clone();
            Ok(Arc::new(Sandbox::new(&config.sandbox_secret, clock, webhooks)))
        }
        "toss" => Ok(Arc::new(Toss::try_new(&config.toss)?)),
        _ => {
            let words = "payment.provider names no payment provider";
            Err(Fault::new(Code::Invalid, "CONFIG_INVALID", words))
        }
    }
}

/// Hears what the sandbox sends as if it had come over HTTP.
fn hear_sandbox(tasks: &Tasks, till: Arc<Till>, mut heard: Receiver<Webhook>) {
    let token = tasks.token();
    tasks.spawn("sandbox webhooks", async move {
        while let Some(Some((headers, body))) = token.run_until_cancelled(heard.recv()).await {
            if let Err(fault) = till.take_webhook(&headers, &body).await {
                tracing::warn!(error = %fault, "a webhook of the sandbox was not heard");
            }
        }
    });
}
