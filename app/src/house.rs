//! The composition root: which room stands on what, and who hears whom.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use moim_bff::{LiveWires, Upstream, Wires};
use moim_kit::bus::{Bus, Log};
use moim_kit::task::Tasks;
use moim_kit::telemetry::{self, Telemetry};
use moim_kit::token::KeySource;
use moim_kit::{Clock, Fault};
use moim_storage::Db;

use crate::config::Config;
use crate::facts;
use crate::keys::MemberKeys;
use crate::late::LateLog;
use crate::metrics;
use crate::site::Site;

/// Every room, in the order they are opened.
pub const ROOMS: [&str; 9] = [
    "member",
    "gathering",
    "schedule",
    "payment",
    "review",
    "chat",
    "notification",
    "search",
    "bff",
];

/// What each room tells, if anything; a broker keeps a stream of states and one of events for it.
const NOUNS: [(&str, &[&str]); 7] = [
    ("member", &["member"]),
    ("gathering", &["gathering", "membership"]),
    ("schedule", &["schedule", "attendance", "seat"]),
    ("payment", &["order"]),
    ("review", &["review", "rating"]),
    ("chat", &["chat_message", "chat_departure"]),
    ("notification", &["notification"]),
];

pub(crate) fn nouns(room: &str) -> &'static [&'static str] {
    let found = NOUNS.into_iter().find(|(name, _)| *name == room);
    found.map(|(_, nouns)| nouns).unwrap_or_default()
}

/// For tasks to end when a house could not be opened.
const STOP_WITHIN: Duration = Duration::from_secs(2);

/// For what is left to be told elsewhere.
const SENT_WITHIN: Duration = Duration::from_secs(3);

/// A standing house.
pub struct House {
    /// The clock all rooms share.
    pub clock: Clock,
    /// The wires to the rooms.
    pub upstream: Upstream,
    /// The wires to the logs that are followed live.
    pub live: LiveWires,
    /// Where the endpoint listens, when it runs here.
    pub endpoint: Option<SocketAddr>,
    first_log: Arc<dyn Log>,
    tasks: Tasks,
    databases: Vec<Db>,
    guests_within: Duration,
    telemetry: Telemetry,
}

/// What a house is opened with, besides its configuration.
pub struct Plan {
    /// Rooms that run in this process.
    pub here: BTreeSet<&'static str>,
    /// The clock all rooms share.
    pub clock: Clock,
    /// Who vouches for tokens; the member room when there is none.
    pub keys: Option<Arc<dyn KeySource>>,
    /// Stands between a room's log and its readers; for tests that slow the bus.
    pub bus: fn(Arc<dyn Log>) -> Arc<dyn Log>,
}

impl Plan {
    /// These rooms, on the system's clock.
    pub fn of(here: impl IntoIterator<Item = &'static str>) -> Self {
        Self {
            here: here.into_iter().collect(),
            clock: Clock::system(),
            keys: None,
            bus: |log| log,
        }
    }

    /// True when all rooms stand in this process.
    pub fn is_whole(&self) -> bool {
        ROOMS.iter().all(|room| self.here.contains(room))
    }

    /// The name under which what happens in this process is told elsewhere.
    fn service(&self) -> String {
        let rooms = self.here.iter().copied().filter(|_| !self.is_whole());
        ["moim"].into_iter().chain(rooms).collect::<Vec<_>>().join("-")
    }
}

impl House {
    /// Opens the rooms of a plan and connects them with those elsewhere; on failure nothing is left
    /// running.
    pub async fn open(config: &Config, plan: Plan) -> anyhow::Result<Self> {
        if plan.here.contains("bff") {
            config.bff.settings()?;
        }
        let wrong = "the configuration is wrong";
        let telemetry = telemetry::open(&config.telemetry, &plan.service()).context(wrong)?;
        let mut site = match Site::open(config, &plan).await {
            Ok(site) => site,
            Err(error) => {
                telemetry.close(SENT_WITHIN).await;
                return Err(error);
            }
        };
        let built = site.build(plan).await;
        let Site { clock, tasks, databases, .. } = site;
        match built {
            Ok(Built { upstream, live, endpoint, first_log }) => {
                let guests_within = config.bff.guests_within();
                let house = Self {
                    clock,
                    upstream,
                    live,
                    endpoint,
                    first_log,
                    tasks,
                    databases,
                    guests_within,
                    telemetry,
                };
                Ok(house)
            }
            Err(error) => {
                tasks.stop(STOP_WITHIN).await;
                telemetry.close(SENT_WITHIN).await;
                Err(error)
            }
        }
    }

    /// True when nobody ever signed up.
    pub async fn is_empty(&self) -> Result<bool, Fault> {
        Ok(self.first_log.read(0, 1).await?.is_empty())
    }

    /// Says that it goes and still does all it is asked for so long; then sockets, streams and those who follow a log
    /// are sent elsewhere, while everything they stand on works.
    pub async fn leave(&self, drain: Duration) {
        self.tasks.leave(drain, self.guests_within).await;
    }

    /// Stops taking requests, finishes those in flight and closes every database.
    pub async fn close(self, deadline: Duration) {
        if !self.tasks.stop(deadline).await {
            tracing::warn!("some tasks did not end in time");
        }
        // Before the databases are closed, whose connections are measured too.
        moim_kit::metrics::flush().await;
        for db in &self.databases {
            db.close().await;
        }
        // Last, for all others have had something to tell until now.
        if !self.telemetry.close(SENT_WITHIN).await {
            tracing::warn!("not all spans could be sent in time");
        }
    }
}

impl Site<'_> {
    /// The house, room by room: each on its own ground, hearing those before it, and one of those after it
    /// by a log that is filled late.
    async fn build(&mut self, plan: Plan) -> anyhow::Result<Built> {
        let config = self.config;
        self.show(&plan).await?;
        metrics::open(&config.telemetry, &self.tasks).await?;
        if !config.bus.url.is_empty() {
            self.bus = Some(Bus::open(&config.bus, &self.secret).await?);
        }
        let member = if plan.here.contains("member") {
            let ground = self.ground("member", &moim_member::MIGRATIONS).await?;
            let room = moim_member::open(config.member.clone(), ground).await;
            self.stand(room.context("the member room did not open")?, &config.rooms.member).await?
        } else {
            self.far("member", &config.rooms.member, true).await?
        };
        let keys = plan.keys.unwrap_or_else(|| Arc::new(MemberKeys::new(member.plain.clone())));
        self.verifier.set_source(keys);

        // The gathering room hears the review room, which opens after it and hears it in turn.
        let review_log = Arc::new(LateLog::default());
        let gathering = if plan.here.contains("gathering") {
            let ground = self.ground("gathering", &moim_gathering::MIGRATIONS).await?;
            let logs: [(_, Arc<dyn Log>); 2] =
                [("member", member.log.clone()), ("review", review_log.clone())];
            let logs = self.hearing("gathering", logs)?;
            let room = moim_gathering::open(config.gathering.clone(), ground, logs).await;
            let room = room.context("the gathering room did not open")?;
            self.stand(room, &config.rooms.gathering).await?
        } else {
            let needed = ["schedule", "review", "chat", "notification", "search", "bff"];
            let needed = needed.iter().any(|room| plan.here.contains(room));
            self.far("gathering", &config.rooms.gathering, needed).await?
        };

        // Seats and money hear each other: the schedule room opens first.
        let payment_log = Arc::new(LateLog::default());
        let schedule = if plan.here.contains("schedule") {
            let ground = self.ground("schedule", &moim_schedule::MIGRATIONS).await?;
            let logs: [(_, Arc<dyn Log>); 3] = [
                ("member", member.log.clone()),
                ("gathering", gathering.log.clone()),
                ("payment", payment_log.clone()),
            ];
            let logs = self.hearing("schedule", logs)?;
            let room = moim_schedule::open(config.schedule.clone(), ground, logs).await;
            let room = room.context("the schedule room did not open")?;
            self.stand(room, &config.rooms.schedule).await?
        } else {
            let needed = ["payment", "review", "notification", "search", "bff"];
            let needed = needed.iter().any(|room| plan.here.contains(room));
            self.far("schedule", &config.rooms.schedule, needed).await?
        };

        let payment = if plan.here.contains("payment") {
            let ground = self.ground("payment", &moim_payment::MIGRATIONS).await?;
            let [(_, log)] = self.hearing("payment", [("schedule", schedule.log.clone())])?;
            let room = moim_payment::open(config.payment.clone(), ground, log).await;
            self.stand(room.context("the payment room did not open")?, &config.rooms.payment)
                .await?
        } else {
            let needed = plan.here.contains("notification") || plan.here.contains("bff");
            self.far("payment", &config.rooms.payment, needed).await?
        };
        payment_log.fill(payment.log.clone());

        let review = if plan.here.contains("review") {
            let ground = self.ground("review", &moim_review::MIGRATIONS).await?;
            let heard = [("member", &member), ("gathering", &gathering), ("schedule", &schedule)];
            let logs = heard.map(|(name, room)| (name, room.log.clone()));
            let logs = self.hearing("review", logs)?;
            let room = moim_review::open(config.review.clone(), ground, logs).await;
            self.stand(room.context("the review room did not open")?, &config.rooms.review).await?
        } else {
            let needed = plan.here.contains("notification") || plan.here.contains("bff");
            self.far("review", &config.rooms.review, needed).await?
        };
        review_log.fill(review.log.clone());

        let chat = if plan.here.contains("chat") {
            let ground = self.ground("chat", &moim_chat::MIGRATIONS).await?;
            let heard = [("member", &member), ("gathering", &gathering)];
            let logs = heard.map(|(name, room)| (name, room.log.clone()));
            let [(_, member_log), (_, gathering_log)] = self.hearing("chat", logs)?;
            let room = moim_chat::open(config.chat.clone(), ground, member_log, gathering_log);
            let room = room.await.context("the chat room did not open")?;
            self.stand(room, &config.rooms.chat).await?
        } else {
            self.far("chat", &config.rooms.chat, plan.here.contains("bff")).await?
        };

        let notification = if plan.here.contains("notification") {
            let ground = self.ground("notification", &moim_notification::MIGRATIONS).await?;
            let heard = [
                ("gathering", &gathering),
                ("schedule", &schedule),
                ("review", &review),
                ("payment", &payment),
            ];
            let logs = heard.map(|(name, room)| (name, room.log.clone()));
            let logs = self.hearing("notification", logs)?;
            let room = moim_notification::open(config.notification.clone(), ground, logs).await;
            let room = room.context("the notification room did not open")?;
            self.stand(room, &config.rooms.notification).await?
        } else {
            let needed = plan.here.contains("bff");
            self.far("notification", &config.rooms.notification, needed).await?
        };

        let search = if plan.here.contains("search") {
            let ground = self.local_ground("search", &moim_search::MIGRATIONS).await?;
            let heard = [("member", &member), ("gathering", &gathering), ("schedule", &schedule)];
            let logs = heard.map(|(name, room)| (name, room.log.clone()));
            let logs = self.hearing("search", logs)?;
            let (root, trusts) = (config.index(), facts::trusts(self.secret.clone()));
            let room = moim_search::open(config.search.clone(), ground, &root, trusts, logs).await;
            self.stand(room.context("the search room did not open")?, &config.rooms.search).await?
        } else {
            self.far("search", &config.rooms.search, plan.here.contains("bff")).await?
        };

        let upstream = Upstream::new(Wires {
            member: member.wire.clone(),
            gathering: gathering.wire,
            schedule: schedule.wire,
            review: review.wire,
            chat: chat.wire,
            notification: notification.wire,
            payment: payment.wire,
            search: search.wire,
        });
        let live = LiveWires {
            chat: chat.live,
            notification: notification.live,
            secret: self.secret.clone(),
        };
        self.watch_revocations();
        let endpoint = if plan.here.contains("bff") {
            Some(self.endpoint(upstream.clone(), live.clone()).await?)
        } else {
            None
        };
        Ok(Built { upstream, live, endpoint, first_log: member.log })
    }
}

/// What stands once every room is open.
struct Built {
    upstream: Upstream,
    live: LiveWires,
    endpoint: Option<SocketAddr>,
    first_log: Arc<dyn Log>,
}
