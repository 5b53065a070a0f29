//! What members of a gathering say to each other, in one order for all.

mod config;
mod convert;
mod events;
mod fault;
mod model;
mod rpc;
mod store;

use std::sync::Arc;
use std::time::Duration;

use moim_kit::Fault;
use moim_kit::bus::Log;
use moim_kit::serve::{Guarded, Room};
use moim_proto::chat::v1::chat_service_server::ChatServiceServer;
use moim_storage::{Ground, Reader};

pub use config::Config;
pub use fault::Reason;

use events::{COPIED, Cards, Copier};
use rpc::Server;
use store::Store;

/// The room's tables, after those of every room.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

const LARGEST_MESSAGE: usize = 1024 * 1024;

/// Opens the room; it follows what the member and gathering rooms tell.
pub async fn open(
    config: Config,
    ground: Ground,
    member_log: Arc<dyn Log>,
    gathering_log: Arc<dyn Log>,
) -> Result<Room, Fault> {
    let store = Store::new(ground.outbox.clone());
    let copies = ground.copies(COPIED);
    let copier = Arc::new(Copier { store: store.clone(), clock: ground.clock.clone() });
    for (source, log) in [("member", member_log), ("gathering", gathering_log)] {
        let reader = Reader {
            source,
            log,
            outbox: ground.outbox.clone(),
            copies: copies.clone(),
            handler: copier.clone(),
        };
        reader.start(&ground.tasks);
    }
    let wait = Duration::from_millis(config.card_wait_ms);
    let cards = Cards { store: store.clone(), copies: copies.clone(), wait };
    let resume_limit = config.resume_limit;
    let reads = ground.reads(COPIED);
    let server = Server { store, reads, cards, clock: ground.clock.clone(), resume_limit };
    let server = ChatServiceServer::new(server).max_decoding_message_size(LARGEST_MESSAGE);
    let guarded = Guarded::new(server, ground.verifier.clone(), ground.gate(copies));
    Ok(Room::new("chat", guarded, Arc::new(ground.outbox.clone())))
}
