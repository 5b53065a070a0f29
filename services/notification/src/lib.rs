//! What members should know: written when it happens, kept until it is read, told to live readers.

mod config;
mod convert;
mod events;
mod fault;
mod model;
mod rpc;
mod rules;
mod store;
mod sweeper;
mod words;

use std::sync::Arc;
use std::time::Duration;

use moim_kit::Fault;
use moim_kit::bus::Log;
use moim_kit::serve::{Guarded, Room};
use moim_proto::notification::v1::notification_service_server::NotificationServiceServer;
use moim_storage::{Ground, Reader};

pub use config::Config;
pub use fault::Reason;

use events::{COPIED, Listener};
use rpc::Server;
use store::Store;

/// The room's tables, after those of every room.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

const LARGEST_MESSAGE: usize = 1024 * 1024;

/// Opens the room; it follows the rooms whose logs are given with their names, `gathering`, `schedule`,
/// `review` and `payment`, reminds of schedules and forgets what is old.
pub async fn open(
    config: Config,
    ground: Ground,
    logs: [(&'static str, Arc<dyn Log>); 4],
) -> Result<Room, Fault> {
    let store = Store::new(ground.outbox.clone());
    let copies = ground.copies(COPIED);
    let lead_us = i64::try_from(config.reminder_lead_ms).unwrap_or(i64::MAX).saturating_mul(1_000);
    let listener = Arc::new(Listener { store: store.clone(), lead_us });
    for (source, log) in logs {
        let reader = Reader {
            source,
            log,
            outbox: ground.outbox.clone(),
            copies: copies.clone(),
            handler: listener.clone(),
        };
        reader.start(&ground.tasks);
    }
    let kept = Duration::from_secs(u64::from(config.kept_days) * 24 * 3_600);
    sweeper::start(&ground.tasks, store.clone(), ground.clock.clone(), lead_us, kept);
    let reads = ground.reads(&[]);
    let server = Server { store, reads, clock: ground.clock.clone() };
    let server = NotificationServiceServer::new(server).max_decoding_message_size(LARGEST_MESSAGE);
    // No answer rests on a copy, so none has to wait for one.
    let guarded = Guarded::new(server, ground.verifier.clone(), ground.open_gate());
    Ok(Room::new("notification", guarded, Arc::new(ground.outbox.clone())))
}
