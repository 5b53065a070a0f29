//! Accounts, sessions and profiles: who people are, and how they prove it.

mod config;
mod convert;
mod events;
mod fault;
mod model;
mod password;
mod rpc;
mod session;
mod store;
mod sweeper;
mod token;

use std::sync::Arc;

use moim_kit::Fault;
use moim_kit::serve::{Guarded, Room};
use moim_proto::member::v1::member_service_server::MemberServiceServer;
use moim_storage::Ground;

pub use config::Config;
pub use fault::Reason;

use password::Passwords;
use rpc::Rpc;
use store::Store;
use token::{Signer, fresh_seed, read_seed};

/// The shape of this room's database.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

const MAX_MESSAGE_BYTES: usize = 1 << 20;

/// Stands the room up; it hears nothing from others.
pub async fn open(config: Config, ground: Ground) -> Result<Room, Fault> {
    config.check()?;
    let (reads, gate) = (ground.reads(&[]), ground.open_gate());
    let Ground { outbox, clock, tasks, verifier, .. } = ground;
    let store = Store::new(outbox.clone());
    let signer_is_given = !config.signing_key_file.as_os_str().is_empty();
    let seed = if signer_is_given {
        read_seed(&config.signing_key_file).await?
    } else {
        store.signing_seed(fresh_seed(), clock.now()).await?
    };
    let rpc = Rpc {
        store: store.clone(),
        reads,
        outbox: outbox.clone(),
        clock: clock.clone(),
        verifier: verifier.clone(),
        passwords: Passwords::open(&config).await?,
        signer: Signer::try_new(&seed)?,
        signer_is_given,
        lifetimes: config.lifetimes(),
        limit: config.limit(),
    };
    sweeper::start(&tasks, store, clock, config.limit());
    let server = MemberServiceServer::new(rpc).max_decoding_message_size(MAX_MESSAGE_BYTES);
    let guarded = Guarded::new(server, verifier, gate);
    Ok(Room::new("member", guarded, Arc::new(outbox)))
}
