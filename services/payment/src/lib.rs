//! Wallets, their ledger, and the orders that pay for seats.

mod config;
mod convert;
mod events;
mod fault;
mod model;
mod provider;
mod rpc;
mod store;
mod toss;
mod toss_api;
#[cfg(test)]
#[path = "../tests/rpc/toss_stand.rs"]
mod toss_stand;
#[cfg(test)]
mod toss_tests;
mod toss_webhook;

use std::sync::Arc;

use moim_kit::Fault;
use moim_kit::bus::Log;
use moim_kit::serve::{Guarded, Room};
use moim_proto::payment::v1::payment_service_server::PaymentServiceServer;
use moim_storage::{Ground, Reader};

pub use config::Config;
pub use fault::Reason;

use events::{COPIED, Copier};
use rpc::Server;
use store::Store;

/// The room's tables, after those of every room.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

const LARGEST_MESSAGE: usize = 1024 * 1024;

/// Opens the room; it follows what the schedule room tells of paid seats.
pub async fn open(
    _config: Config,
    ground: Ground,
    schedule_log: Arc<dyn Log>,
) -> Result<Room, Fault> {
    let copies = ground.copies(COPIED);
    let (outbox, handler) = (ground.outbox.clone(), Arc::new(Copier));
    Reader { source: "schedule", log: schedule_log, outbox, copies: copies.clone(), handler }
        .start(&ground.tasks);
    let server = Server { store: Store::new(ground.outbox.clone()), clock: ground.clock.clone() };
    let server = PaymentServiceServer::new(server).max_decoding_message_size(LARGEST_MESSAGE);
    let guarded = Guarded::new(server, ground.verifier.clone(), Ground::gate(&copies));
    Ok(Room::new("payment", guarded, Arc::new(ground.outbox.clone())))
}
