//! The JSON of the answers, borrowed from the messages it is written from.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, SecondsFormat, Utc};
use moim_kit::Fault;
use moim_kit::id::MemberId;
use serde::Serialize;

/// First byte of a member's global id.
const MEMBER_TAG: u8 = 1;

#[derive(Serialize)]
pub(super) struct Answer<T> {
    pub data: T,
}

#[derive(Serialize)]
pub(super) struct OneMember<'a> {
    pub member: Profile<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Profile<'a> {
    pub id: String,
    pub nickname: &'a str,
    pub avatar_url: Option<&'a str>,
    pub bio: Option<&'a str>,
    pub joined_at: String,
}

#[derive(Serialize)]
pub(super) struct Gatherings<T> {
    pub gatherings: Edges<T>,
}

#[derive(Serialize)]
pub(super) struct Edges<T> {
    pub edges: Vec<Edge<T>>,
}

#[derive(Serialize)]
pub(super) struct Edge<T> {
    pub node: T,
}

#[derive(Serialize)]
pub(super) struct Hosted<'a> {
    pub title: &'a str,
    pub host: Host<'a>,
    pub schedules: Edges<Going<'a>>,
}

#[derive(Serialize)]
pub(super) struct Host<'a> {
    pub id: String,
    pub nickname: &'a str,
    pub bio: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Going<'a> {
    pub title: &'a str,
    pub going_count: i32,
}

#[derive(Serialize)]
pub(super) struct Popular<'a> {
    pub title: &'a str,
    pub schedules: Edges<Meetup<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Meetup<'a> {
    pub title: &'a str,
    pub starts_at: String,
    pub attendances: Edges<Came<'a>>,
}

#[derive(Serialize)]
pub(super) struct Came<'a> {
    pub state: &'static str,
    pub member: Who<'a>,
}

#[derive(Serialize)]
pub(super) struct Who<'a> {
    pub nickname: &'a str,
    pub bio: Option<&'a str>,
}

impl<T> Edges<T> {
    pub(super) fn try_of<R>(
        rows: impl IntoIterator<Item = R>,
        node: impl Fn(R) -> Result<T, Fault>,
    ) -> Result<Self, Fault> {
        let edges = rows.into_iter().map(|row| Ok(Edge { node: node(row)? }));
        Ok(Self { edges: edges.collect::<Result<_, Fault>>()? })
    }
}

pub(super) fn written<T: Serialize>(data: T) -> Result<Vec<u8>, Fault> {
    let mut json = Vec::with_capacity(1_024);
    serde_json::to_writer(&mut json, &Answer { data }).map_err(Fault::internal)?;
    Ok(json)
}

pub(super) fn member_id(id: &str) -> Result<String, Fault> {
    let id: MemberId = id.parse().map_err(Fault::internal)?;
    let mut bytes = [MEMBER_TAG; 17];
    bytes[1..].copy_from_slice(id.uuid().as_bytes());
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

pub(super) fn instant(us: i64) -> String {
    let instant = DateTime::<Utc>::from_timestamp_micros(us).unwrap_or_default();
    instant.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
