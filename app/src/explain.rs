//! What the search room knows, for operators: how a query is understood, by the index of this machine or by the
//! search room elsewhere, and what stands in the index of this machine.

use std::time::Duration;

use anyhow::Context as _;
use moim_kit::trace::Trace;
use moim_kit::{Call, Clock, Fault, wire};
use moim_proto::search::v1::ExplainRequest;
use moim_proto::search::v1::search_service_client::SearchServiceClient;
use tokio::time::Instant;

use crate::config::Config;
use crate::facts::SECRET;

const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Explains a query by the index in the data directory when there is one, else by asking the search room.
pub async fn explain(config: &Config, query: &str, first: i32) -> anyhow::Result<String> {
    let clock = Clock::system();
    let here = moim_search::explain(&config.search, &config.index(), query, first, &clock).await?;
    match here {
        Some(text) => Ok(text),
        None => ask(config, query, first).await,
    }
}

/// Every document of the index in the data directory.
pub async fn list(config: &Config) -> anyhow::Result<String> {
    let found = moim_search::list(&config.index()).await?;
    found.with_context(|| format!("there is no index in {}", config.house.data.display()))
}

async fn ask(config: &Config, query: &str, first: i32) -> anyhow::Result<String> {
    let address = &config.rooms.search.address;
    let wire = wire::remote(address).context("the configuration is wrong: rooms.search.address")?;
    let call = Call::new(Trace::fresh(), Instant::now() + ANSWER_WITHIN);
    let mut request = call.request(ExplainRequest { query: query.to_owned(), first });
    let secret = config.house.secret.parse().context("the configuration is wrong: house.secret")?;
    request.metadata_mut().insert(SECRET, secret);
    let answer = SearchServiceClient::new(wire).explain(request).await.map_err(Fault::from);
    let data = config.house.data.display();
    let answer = answer.with_context(|| {
        format!("there is no index in {data}, and the search room does not answer at {address}")
    })?;
    Ok(answer.into_inner().text)
}
