//! Schedules, seats and the line for them.

mod attendance;
mod config;
mod convert;
mod events;
mod fault;
mod fee;
mod ics;
mod model;
mod order;
mod rpc;
mod seats;
mod store;
mod sweeper;

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
use fee::Terms;
use ics::Signer;
use rpc::Server;
use store::Store;

/// The room's tables, after those of every room.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

const LARGEST_MESSAGE: usize = 1024 * 1024;

/// Opens the room; it follows the rooms whose logs are given with their names, `member`, `gathering` and
/// `payment`, and releases seats that were held too long.
pub async fn open(
    config: Config,
    ground: Ground,
    logs: [(&'static str, Arc<dyn Log>); 3],
) -> Result<Room, Fault> {
    let terms = Terms {
        hold: Duration::from_millis(config.hold_ms),
        offer: Duration::from_millis(config.offer_ms),
    };
    let store = Store::new(ground.outbox.clone(), terms);
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
    let every = Duration::from_millis(config.sweep_every_ms.max(1));
    sweeper::start(&ground.tasks, store.clone(), ground.clock.clone(), every);
    let server = Server {
        store,
        reads: ground.reads(COPIED),
        clock: ground.clock.clone(),
        copies: copies.clone(),
        signer,
        card_wait: Duration::from_millis(config.card_wait_ms),
        pay_wait: Duration::from_millis(config.pay_wait_ms),
    };
    let server = ScheduleServiceServer::new(server).max_decoding_message_size(LARGEST_MESSAGE);
    let guarded = Guarded::new(server, ground.verifier.clone(), ground.gate(copies));
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
