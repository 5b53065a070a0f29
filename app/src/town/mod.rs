//! A small town to play in: believable people, gatherings, meetups and what they say, made through the rooms' own calls.

mod chats;
mod content;
mod dice;
mod fees;
mod founding;
mod gatherings;
mod meetups;
mod people;
mod registry;
mod reviews;
mod schedules;
mod settlers;
mod talks;

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use moim_kit::trace::Trace;
use moim_kit::{Call, Clock, Code, Fault};
use moim_proto::member::v1::GetRequest;
use moim_proto::member::v1::get_request::By;
use tokio::fs;
use tokio::time::Instant;

use crate::config::Config;
use crate::house::{House, Plan};

use registry::Registry;

/// Password of everybody in town.
pub const PASSWORD: &str = "moim-town";
/// Whom to sign in as.
pub const ACCOUNTS: [(&str, &str); 2] = [
    ("host@moim.town", "한강지기, hosts several gatherings"),
    ("member@moim.town", "느린산책, a member of many"),
];

/// Rooms a town needs; the endpoint opens when it stands.
const ROOMS: [&str; 8] =
    ["member", "gathering", "schedule", "payment", "review", "chat", "notification", "search"];
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// Where a town on SQLite is made before it moves in, within the data directory.
const FOUNDING: &str = ".founding";

/// Fills the house unless something was ever told in it; true when it did.
///
/// The rooms run on a clock of their own for that: it starts three months ago and comes to the
/// present, so that the town has a past although no call accepts one. On SQLite the town is made
/// aside and moves in whole: an interrupted filling leaves the house empty.
///
/// It is made without a bus: its rooms hear each other here, and what they told is told to the bus once
/// the house stands.
pub async fn fill_if_empty(config: &Config) -> anyhow::Result<bool> {
    let mut config = config.clone();
    config.bus.url.clear();
    let config = &config;
    let house = House::open(config, Plan::of(ROOMS)).await?;
    let empty = house.is_empty().await;
    house.close(STOP_WITHIN).await;
    if !empty? {
        return Ok(false);
    }
    if !config.storage.url.is_empty() {
        fill(config).await?;
        return Ok(true);
    }
    let data = &config.house.data;
    let aside = data.join(FOUNDING);
    let context = || format!("the town could not move into {}", data.display());
    remove(fs::remove_dir_all(&aside).await).with_context(context)?;
    let mut founding = config.clone();
    founding.house.data.clone_from(&aside);
    fill(&founding).await?;
    move_in(&aside, data).await.with_context(context)?;
    Ok(true)
}

/// True when the people of the town live here.
pub async fn stands_in(house: &House) -> anyhow::Result<bool> {
    let call = Call::new(Trace::fresh(), Instant::now() + Duration::from_secs(5));
    let host = content::people(1).swap_remove(0).nickname;
    let request = call.request(GetRequest { by: Some(By::Nickname(host)) });
    match house.upstream.member.clone().get(request).await.map_err(Fault::from) {
        Ok(_) => Ok(true),
        Err(fault) if fault.code() == Code::NotFound => Ok(false),
        Err(fault) => Err(fault.into()),
    }
}

async fn fill(config: &Config) -> anyhow::Result<()> {
    let clock = Clock::system();
    let registry = Arc::new(Registry::new(clock.clone()));
    let mut plan = Plan::of(ROOMS);
    plan.clock = clock;
    plan.keys = Some(registry.clone());
    let house = House::open(config, plan).await?;
    let filled = founding::found(&house, &registry).await;
    house.close(STOP_WITHIN).await;
    filled.context("the town could not be filled")
}

/// Moves closed databases over the empty ones; the member room's last, whose log tells that a house
/// is not empty.
async fn move_in(aside: &Path, data: &Path) -> std::io::Result<()> {
    for room in ROOMS.into_iter().rev() {
        for leftover in ["db-wal", "db-shm"] {
            remove(fs::remove_file(data.join(format!("{room}.{leftover}"))).await)?;
        }
        let file = format!("{room}.db");
        fs::rename(aside.join(&file), data.join(&file)).await?;
    }
    remove(fs::remove_dir_all(aside).await)
}

/// What was to be removed may not have been there.
fn remove(removed: std::io::Result<()>) -> std::io::Result<()> {
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn progress(length: usize, what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(length).unwrap_or_default());
    if let Ok(style) = ProgressStyle::with_template("{msg:12} [{bar:40}] {pos}/{len}") {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_message(what);
    bar
}
