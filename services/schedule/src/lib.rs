//! Schedules, seats and the line for them.

mod config;
mod convert;
mod events;
mod fault;
mod ics;
mod model;
mod rpc;
mod seats;
mod store;

use std::sync::Arc;
use std::time::Duration;

use moim_kit::Fault;
use moim_kit::bus::Log;
use moim_kit::serve::{Guarded, Room};
use moim_proto::schedule::v1::schedule_service_server::ScheduleServiceServer;
use moim_storage::{Ground, Reader};

pub use config::Config;
pub use fault::Reason;

use events::{COPIED, Copier};
use ics::Signer;
use rpc::Server;
use store::Store;

/// The room's tables, after those of every room.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

const LARGEST_MESSAGE: usize = 1024 * 1024;

/// Opens the room; it follows the rooms whose logs are given with their names: `member`, `gathering`
/// and `payment`.
pub async fn open(
    config: Config,
    ground: Ground,
    logs: [(&'static str, Arc<dyn Log>); 3],
) -> Result<Room, Fault> {
    let store = Store::new(ground.outbox.clone());
    let signer = open_signer(&config, &store).await?;
    let copies = ground.copies(COPIED);
    let copier = Arc::new(Copier { store: store.clone(), clock: ground.clock.clone() });
    for (source, log) in logs {
        let reader = Reader {
            source,
            log,
            outbox: ground.outbox.clone(),
            copies: copies.clone(),
            handler: copier.clone(),
        };
        reader.start(&ground.tasks);
    }
    let card_wait = Duration::from_millis(config.card_wait_ms);
    let server = Server { store, clock: ground.clock.clone(), signer, card_wait };
    let server = ScheduleServiceServer::new(server).max_decoding_message_size(LARGEST_MESSAGE);
    let guarded = Guarded::new(server, ground.verifier.clone(), Ground::gate(&copies));
    Ok(Room::new("schedule", guarded, Arc::new(ground.outbox.clone())))
}

async fn open_signer(config: &Config, store: &Store) -> Result<Signer, Fault> {
    let key = if config.calendar_key.is_empty() {
        store.keep_secret("calendar", rand::random()).await?
    } else {
        config.calendar_key.clone().into_bytes()
    };
    Ok(Signer::try_new(&key)?)
}
