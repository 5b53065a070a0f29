//! What a room is built on.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use moim_kit::seen::{Mark, Position};
use moim_kit::serve::Gate;
use moim_kit::shared::Shared;
use moim_kit::task::Tasks;
use moim_kit::token::Verifier;
use moim_kit::{Base, Clock, Fault};
use sqlx::migrate::Migrator;

use crate::copies::Copies;
use crate::migrate::{migrate, wait_migrated};
use crate::outbox::Outbox;
use crate::pool::{Config, Db};
use crate::reads::Reads;
use crate::replica::Replica;

/// For the step that migrates to be done by somebody else.
const MIGRATED_WITHIN: Duration = Duration::from_secs(60);

/// A room's database, migrated, and what the house gives to every room.
#[derive(Clone)]
pub struct Ground {
    /// The room's own database.
    pub db: Db,
    /// What it tells; write transactions begin here.
    pub outbox: Outbox,
    /// The house's clock.
    pub clock: Clock,
    /// The house's tasks.
    pub tasks: Tasks,
    /// Verifies callers' tokens.
    pub verifier: Arc<Verifier>,
    /// What replicas share.
    pub shared: Arc<dyn Shared>,
    replica: Option<Arc<Replica>>,
}

impl Ground {
    /// Opens and migrates a room's database and starts publishing what it tells.
    pub async fn open(
        config: &Config,
        data: &Path,
        room: &'static str,
        migrations: &'static Migrator,
        base: Base,
    ) -> Result<Self, Fault> {
        let Base { clock, tasks, verifier, shared, .. } = base;
        let db = Db::open(config, data, room).await?;
        // A file is this process's own: nobody else would do it.
        if config.migrate || config.url.is_empty() {
            migrate(&db, migrations).await?;
        } else {
            wait_migrated(&db, migrations, MIGRATED_WITHIN).await?;
        }
        let outbox = Outbox::new(db.clone(), room, clock.clone(), config);
        outbox.start(&tasks);
        let replica = if config.replica_url.is_empty() {
            None
        } else {
            Some(Replica::open(config, room, &db, clock.clone(), &tasks)?)
        };
        Ok(Self { db, outbox, clock, tasks, verifier, shared, replica })
    }

    /// The copies this room keeps of other rooms' nouns.
    pub fn copies(&self, nouns: &'static [&'static str]) -> Copies {
        Copies::new(self.db.clone(), nouns)
    }

    /// Where this room's calls that only read are answered; copies of these nouns must be as far as callers have
    /// seen.
    pub fn reads(&self, copied: &'static [&'static str]) -> Reads {
        Reads::new(self.outbox.room(), self.db.clone(), self.replica.clone(), copied)
    }

    /// The gate in front of this room's server, which waits for these copies.
    pub fn gate(&self, copies: Copies) -> Arc<dyn Gate> {
        Arc::new(Door { copies: Some(copies), replica: self.replica.clone() })
    }

    /// The gate in front of the server of a room whose answers rest on no copies.
    pub fn open_gate(&self) -> Arc<dyn Gate> {
        Arc::new(Door { copies: None, replica: self.replica.clone() })
    }
}

struct Door {
    copies: Option<Copies>,
    replica: Option<Arc<Replica>>,
}

#[async_trait]
impl Gate for Door {
    async fn arrived(&self, marks: &[Mark]) -> Result<(), Fault> {
        match &self.copies {
            Some(copies) => copies.arrived(marks).await,
            None => Ok(()),
        }
    }

    async fn position(&self) -> Option<Position> {
        match &self.replica {
            Some(replica) => Some(replica.position().await),
            None => None,
        }
    }
}
