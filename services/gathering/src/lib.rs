//! Gatherings: who belongs to them, with what rights, and where they are.

mod config;
mod convert;
mod events;
mod fault;
mod model;
mod region;
mod roster;
mod rpc;
mod store;

use std::sync::Arc;

use moim_kit::Fault;
use moim_kit::bus::Log;
use moim_kit::serve::{Guarded, Room};
use moim_proto::gathering::v1::gathering_service_server::GatheringServiceServer;
use moim_storage::Ground;

pub use config::Config;
pub use fault::Reason;

use events::Cards;
use rpc::Rpc;
use store::Store;

/// The tables of this room.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

const MAX_MESSAGE_BYTES: usize = 1024 * 1024;

/// Stands the room up; it follows the rooms whose logs are given with their names: `member` for
/// cards, `review` for ratings.
pub async fn open(
    config: Config,
    ground: Ground,
    logs: [(&'static str, Arc<dyn Log>); 2],
) -> Result<Room, Fault> {
    let store = Store::new(ground.outbox.clone());
    let copies = ground.copies(events::COPIED);
    for (source, log) in logs {
        events::follow(source, log, &ground, copies.clone());
    }
    let cards = Cards::new(store.clone(), copies.clone(), config.card_wait_ms);
    let reads = ground.reads(events::COPIED);
    let rpc = Rpc::new(store, reads, cards, ground.clock.clone(), config.max_hosted);
    let server = GatheringServiceServer::new(rpc).max_decoding_message_size(MAX_MESSAGE_BYTES);
    let guarded = Guarded::new(server, ground.verifier.clone(), ground.gate(copies));
    Ok(Room::new("gathering", guarded, Arc::new(ground.outbox.clone())))
}
