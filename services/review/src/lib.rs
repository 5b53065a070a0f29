//! What attendees thought of schedules, and what gatherings are rated.

mod config;
mod convert;
mod events;
mod fault;
mod model;
mod rpc;
mod store;

use std::sync::Arc;

use moim_kit::Fault;
use moim_kit::bus::Log;
use moim_kit::serve::{Guarded, Room};
use moim_proto::review::v1::review_service_server::ReviewServiceServer;
use moim_storage::{Ground, Reader};

pub use config::Config;
pub use fault::Reason;

use events::{COPIED, Copier};
use rpc::Server;
use store::Store;

/// The room's tables, after those of every room.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

const LARGEST_MESSAGE: usize = 1024 * 1024;

/// Opens the room; it follows the rooms whose logs are given with their names: `member`,
/// `gathering` and `schedule`.
pub async fn open(
    _: Config,
    ground: Ground,
    logs: [(&'static str, Arc<dyn Log>); 3],
) -> Result<Room, Fault> {
    let copies = ground.copies(COPIED);
    for (source, log) in logs {
        let (outbox, copies) = (ground.outbox.clone(), copies.clone());
        let handler = Arc::new(Copier);
        Reader { source, log, outbox, copies, handler }.start(&ground.tasks);
    }
    let (store, clock) = (Store::new(ground.outbox.clone()), ground.clock.clone());
    let server = Server { store, reads: ground.reads(COPIED), clock };
    let server = ReviewServiceServer::new(server).max_decoding_message_size(LARGEST_MESSAGE);
    let guarded = Guarded::new(server, ground.verifier.clone(), ground.gate(copies));
    Ok(Room::new("review", guarded, Arc::new(ground.outbox.clone())))
}
