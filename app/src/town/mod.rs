//! A small town to play in: believable people, gatherings and meetups, made through the rooms' own calls.

mod content;
mod dice;
mod founding;
mod gatherings;
mod meetups;
mod people;
mod registry;
mod schedules;
mod settlers;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use moim_kit::trace::Trace;
use moim_kit::{Call, Clock};
use moim_proto::gathering::v1::{ListRequest, ListSort};
use moim_proto::page::v1::PageRequest;
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
const ROOMS: [&str; 3] = ["member", "gathering", "schedule"];
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// Fills the house unless somebody lives in it already; true when it did.
///
/// The rooms run on a clock of their own for that: it starts three months ago and comes to the
/// present, so that the town has a past although no call accepts one.
pub async fn fill_if_empty(config: &Config) -> anyhow::Result<bool> {
    let clock = Clock::system();
    let registry = Arc::new(Registry::new(clock.clone()));
    let mut plan = Plan::of(ROOMS);
    plan.clock = clock;
    plan.keys = Some(registry.clone());
    let house = House::open(config, plan).await?;
    let filled = async {
        if is_filled(&house).await? {
            return Ok(false);
        }
        founding::found(&house, &registry)
            .await
            .context("the town could not be filled")
            .map(|()| true)
    };
    let filled = filled.await;
    house.close(STOP_WITHIN).await;
    filled
}

/// True when there is a gathering.
pub async fn is_filled(house: &House) -> anyhow::Result<bool> {
    let call = Call::new(Trace::fresh(), Instant::now() + Duration::from_secs(5));
    let request = call.request(ListRequest {
        category: None,
        region_code: None,
        open_only: false,
        sort: ListSort::Newest.into(),
        page: Some(PageRequest { first: Some(1), ..PageRequest::default() }),
    });
    let answer = house.upstream.gathering.clone().list(request).await?;
    Ok(!answer.into_inner().gatherings.is_empty())
}

fn progress(length: usize, what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(length).unwrap_or_default());
    if let Ok(style) = ProgressStyle::with_template("{msg:12} [{bar:40}] {pos}/{len}") {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_message(what);
    bar
}
