//! A house while it is being opened: its ground, its rooms here and elsewhere, and its endpoint.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use moim_bff::http::Readiness;
use moim_bff::{LiveWires, Upstream};
use moim_kit::bus::{Bus, HeardLog, Log, Publisher};
use moim_kit::serve::Room;
use moim_kit::shared::{self, Opened};
use moim_kit::task::Tasks;
use moim_kit::tls::Tls;
use moim_kit::token::Verifier;
use moim_kit::wire::{self, Wire};
use moim_kit::{Base, Clock};
use moim_storage::{Carrier, Db, Ground};

use crate::callers::heard_by;
use crate::config::{Config, Place};
use crate::facts::RemoteLog;
use crate::house::{Plan, ROOMS, nouns};
use crate::{live, reach, socket};

/// How a room is reached and heard.
pub(crate) struct Neighbour {
    /// Behind the shield: for whoever calls on behalf of people.
    pub wire: Wire,
    /// Without it, for keys: a verifier that was turned away would turn everybody away.
    pub plain: Wire,
    /// Follows the log as it grows; without it, for it waits long by nature and asks again by itself.
    pub live: Wire,
    pub log: Arc<dyn Log>,
}

/// A house while it is being opened.
pub(crate) struct Site<'a> {
    pub config: &'a Config,
    pub clock: Clock,
    pub tasks: Tasks,
    pub verifier: Arc<Verifier>,
    pub secret: Arc<str>,
    shared: Opened,
    whole: bool,
    tls: Option<Arc<Tls>>,
    between: fn(Arc<dyn Log>) -> Arc<dyn Log>,
    pub bus: Option<Bus>,
    pub databases: Vec<Db>,
}

impl<'a> Site<'a> {
    pub async fn open(config: &'a Config, plan: &Plan) -> anyhow::Result<Self> {
        let mut services = ROOMS.iter().filter(|room| **room != "bff");
        let whole = services.all(|room| plan.here.contains(room));
        if !whole && config.house.secret.len() < 16 {
            bail!(
                "house.secret must have at least 16 characters, the same in every process, \
                 when rooms run apart"
            );
        }
        if !config.bus.url.is_empty() && config.house.secret.len() < 16 {
            bail!(
                "house.secret must have at least 16 characters when rooms hear each other over \
                 bus.url: facts are signed with it"
            );
        }
        let tasks = Tasks::new();
        let shared = shared::open(&config.shared, &tasks).await?;
        let verifier = Arc::new(Verifier::new(plan.clock.clone()));
        verifier.trust_for(Duration::from_millis(config.house.revocations_good_for_ms));
        if let Some(bulletin) = shared.bulletin.clone() {
            verifier.set_bulletin(bulletin, plan.here.contains("member"));
        }
        Ok(Self {
            config,
            clock: plan.clock.clone(),
            tasks,
            verifier,
            secret: secret(&config.house.secret),
            shared,
            whole,
            tls: None,
            between: plan.bus,
            bus: None,
            databases: Vec::new(),
        })
    }

    /// Reads what this process shows to rooms elsewhere, when rooms show certificates.
    pub async fn show(&mut self, plan: &Plan) -> anyhow::Result<()> {
        if self.whole {
            return Ok(());
        }
        let wrong = "the configuration is wrong: tls";
        self.tls = Tls::open(&self.config.tls, self.clock.clone()).await.context(wrong)?;
        let Some(tls) = self.tls.clone() else { return Ok(()) };
        if let Some(room) = plan.here.iter().find(|room| !tls.names().has(room)) {
            bail!("the certificate in tls.certificate_file does not name {room}.moim");
        }
        self.tasks.supervise("certificates", move || tls.clone().watch());
        Ok(())
    }

    pub async fn ground(
        &mut self,
        room: &'static str,
        migrations: &'static moim_storage::Migrator,
    ) -> anyhow::Result<Ground> {
        let ground = self.open_ground(&self.config.storage, room, migrations).await?;
        self.databases.push(ground.db.clone());
        if let Some(bus) = self.bus.clone() {
            let publisher = Publisher::new(bus, room, nouns(room));
            Carrier::new(ground.outbox.clone(), publisher).start(&self.tasks);
        }
        Ok(ground)
    }

    /// The ground of a room of which each process keeps everything for itself, and which tells nothing: a SQLite
    /// file, also where others use PostgreSQL.
    pub async fn local_ground(
        &mut self,
        room: &'static str,
        migrations: &'static moim_storage::Migrator,
    ) -> anyhow::Result<Ground> {
        let (url, replica_url) = (String::new(), String::new());
        let storage = moim_storage::Config { url, replica_url, ..self.config.storage.clone() };
        let ground = self.open_ground(&storage, room, migrations).await?;
        self.databases.push(ground.db.clone());
        Ok(ground)
    }

    fn base(&self) -> Base {
        Base {
            clock: self.clock.clone(),
            tasks: self.tasks.clone(),
            verifier: self.verifier.clone(),
            shared: self.shared.shared.clone(),
            near: self.shared.near.clone(),
        }
    }

    async fn open_ground(
        &self,
        storage: &moim_storage::Config,
        room: &'static str,
        migrations: &'static moim_storage::Migrator,
    ) -> anyhow::Result<Ground> {
        Ground::open(storage, &self.config.house.data, room, migrations, self.base())
            .await
            .with_context(|| format!("the database of the {room} room did not open"))
    }

    /// A room in this process; when others run apart it also listens for them.
    pub async fn stand(&self, room: Room, place: &Place) -> anyhow::Result<Neighbour> {
        if !self.whole
            && let Some(db) = self.databases.last()
        {
            let ground = socket::Ground {
                config: self.config,
                db: db.clone(),
                secret: self.secret.clone(),
                tls: self.tls.clone(),
                tasks: &self.tasks,
            };
            socket::open(&room, place.listen, ground).await?;
        }
        // Next door it is followed over a wire like any other, with the secret too.
        let live = live::server(room.log.clone(), self.secret.clone(), &self.tasks);
        let log = self.heard(room.name, room.log);
        let wire = self.shielded(room.name, &room.wire);
        Ok(Neighbour { wire, plain: room.wire, live: wire::local(live), log })
    }

    /// Next door or far, a room is behind the same shield.
    fn shielded(&self, room: &'static str, wire: &Wire) -> Wire {
        wire::shielded(room, &self.config.shield, wire.clone())
    }

    /// The logs that a room hears; a house does not open in which those are others than it may read elsewhere.
    pub fn hearing<const N: usize>(
        &self,
        room: &str,
        logs: [(&'static str, Arc<dyn Log>); N],
    ) -> anyhow::Result<[(&'static str, Arc<dyn Log>); N]> {
        if !logs.iter().map(|(name, _)| name).eq(heard_by(room)) {
            bail!("the {room} room hears others than those it may read");
        }
        Ok(logs.map(|(name, log)| (name, (self.between)(log))))
    }

    /// A room's log as others hear it.
    fn heard(&self, room: &'static str, log: Arc<dyn Log>) -> Arc<dyn Log> {
        match self.bus.clone() {
            Some(bus) => Arc::new(HeardLog::new(bus, room, nouns(room), log)),
            None => log,
        }
    }

    /// A room in another process; only those that are needed here are waited for.
    pub async fn far(
        &self,
        room: &'static str,
        place: &Place,
        needed: bool,
    ) -> anyhow::Result<Neighbour> {
        let to = self.tls.as_ref().map(|tls| tls.to(room)).transpose()?;
        let plain = wire::remote_to(&place.address, to.as_ref())
            .with_context(|| format!("the configuration is wrong: rooms.{room}.address"))?;
        let patience = Duration::from_millis(self.config.house.patience_ms);
        if needed {
            reach::wait_for(room, &place.address, plain.clone(), patience).await?;
        }
        // Readers of logs wait long and pause by themselves after a failure: a shield would judge and delay them.
        let log = Arc::new(RemoteLog::new(plain.clone(), self.secret.clone()));
        let wire = self.shielded(room, &plain);
        Ok(Neighbour { wire, live: plain.clone(), plain, log: self.heard(room, log) })
    }

    pub fn watch_revocations(&self) {
        let verifier = self.verifier.clone();
        self.tasks.supervise("revocations", move || verifier.clone().watch());
        let verifier = self.verifier.clone();
        self.tasks.supervise("revocations told", move || verifier.clone().tell());
    }

    pub async fn endpoint(
        &self,
        upstream: Upstream,
        live: LiveWires,
    ) -> anyhow::Result<SocketAddr> {
        let databases = self.databases.clone();
        let readiness = Readiness::new(move || {
            let databases = databases.clone();
            Box::pin(async move {
                for db in &databases {
                    db.ping().await.map_err(|_| "a database does not answer".to_owned())?;
                }
                Ok(())
            })
        });
        let (secret, base) = (self.secret.as_bytes(), self.base());
        Ok(moim_bff::open(&self.config.bff, upstream, live, readiness, secret, base).await?)
    }
}

/// The house's secret; a house that is all in one process makes one up.
fn secret(configured: &str) -> Arc<str> {
    if configured.is_empty() {
        format!("{:032x}{:032x}", rand::random::<u128>(), rand::random::<u128>()).into()
    } else {
        configured.into()
    }
}
