//! Between the model and the messages of the contract.

use moim_kit::page::{PageArgs, PageOf, PageSpec};
use moim_kit::{Fault, Timestamp};
use moim_proto::gathering::v1::{GatheringState, GatheringStatus};
use moim_proto::member::v1::MemberState;
use moim_proto::page::v1::{Page, PageRequest};
use moim_proto::schedule::v1::ScheduleState;
use moim_proto::search::v1 as proto;
use uuid::Uuid;

use crate::model::{Document, Filter, Highlight, Hit, Kind, Openness, PopularTerm};

pub fn gathering(id: Uuid, version: i64, state: GatheringState) -> Document {
    let openness = match state.status() {
        GatheringStatus::Closed => Openness::Closed,
        GatheringStatus::Full => Openness::Full,
        GatheringStatus::Open | GatheringStatus::Unspecified => Openness::Open,
    };
    let region = state.region.unwrap_or_default();
    Document {
        version,
        text: state.description,
        category: Some(state.category),
        region_code: Some(region.code).filter(|it| !it.is_empty()),
        region_name: region.name,
        openness,
        size: i64::from(state.member_count),
        fresh_at: Timestamp::from_us(state.created_at_us),
        ..Document::new(Kind::Gathering, id, &state.title)
    }
}

pub fn schedule(id: Uuid, version: i64, state: ScheduleState) -> Document {
    let taken = state.going_count + state.held_count;
    let openness = match state.closed {
        true => Openness::Closed,
        false if taken >= state.capacity => Openness::Full,
        false => Openness::Open,
    };
    Document {
        version,
        text: state.description,
        place: state.place,
        starts_at: Some(Timestamp::from_us(state.starts_at_us)),
        ends_at: Some(Timestamp::from_us(state.ends_at_us)),
        fee_krw: Some(i64::from(state.fee_krw)),
        openness,
        size: i64::from(state.going_count),
        fresh_at: Timestamp::from_us(state.starts_at_us),
        ..Document::new(Kind::Schedule, id, &state.title)
    }
}

pub fn member(id: Uuid, version: i64, state: MemberState) -> Document {
    Document {
        version,
        text: state.bio.unwrap_or_default(),
        fresh_at: Timestamp::from_us(state.joined_at_us),
        ..Document::new(Kind::Member, id, &state.nickname)
    }
}

/// Kinds that are asked for; what is none of them is left out.
pub fn kinds(kinds: &[i32]) -> Vec<Kind> {
    kinds.iter().filter_map(|it| kind_of(*it)).collect()
}

fn kind_of(kind: i32) -> Option<Kind> {
    match proto::SearchKind::try_from(kind).ok()? {
        proto::SearchKind::Unspecified => None,
        proto::SearchKind::Gathering => Some(Kind::Gathering),
        proto::SearchKind::Schedule => Some(Kind::Schedule),
        proto::SearchKind::Member => Some(Kind::Member),
    }
}

pub fn filter(filter: Option<proto::SearchFilter>) -> Filter {
    let filter = filter.unwrap_or_default();
    Filter {
        category: filter.category.filter(|it| *it != 0),
        region_code: filter.region_id,
        starts_from: filter.starts_from_us.map(Timestamp::from_us),
        starts_until: filter.starts_until_us.map(Timestamp::from_us),
        max_fee_krw: filter.max_fee_krw.map(i64::from),
    }
}

/// Checks which page is asked for; `list` tags the cursors.
pub fn page_spec(page: Option<&PageRequest>, list: u8) -> Result<PageSpec, Fault> {
    let args = page.map_or_else(PageArgs::default, |page| PageArgs {
        first: page.first,
        after: page.after.as_deref(),
        last: page.last,
        before: page.before.as_deref(),
    });
    PageSpec::try_new(args, list)
}

pub fn response(
    page: PageOf<Hit>,
    total: usize,
    corrected: Option<String>,
) -> proto::SearchResponse {
    proto::SearchResponse {
        hits: page.rows.iter().map(hit).collect(),
        page: Some(Page {
            has_next_page: page.has_next_page,
            has_previous_page: page.has_previous_page,
            cursors: page.cursors,
        }),
        total_count: i32::try_from(total).unwrap_or(i32::MAX),
        corrected_query: corrected,
    }
}

fn hit(hit: &Hit) -> proto::Hit {
    let kind = match hit.kind {
        Kind::Gathering => proto::SearchKind::Gathering,
        Kind::Schedule => proto::SearchKind::Schedule,
        Kind::Member => proto::SearchKind::Member,
    };
    proto::Hit {
        kind: kind.into(),
        id: hit.id.to_string(),
        highlights: hit.highlights.iter().map(highlight).collect(),
    }
}

fn highlight(highlight: &Highlight) -> proto::Highlight {
    let unit = |at: usize| i32::try_from(at).unwrap_or(i32::MAX);
    let range = |it: &(usize, usize)| proto::TextRange { start: unit(it.0), end: unit(it.1) };
    proto::Highlight {
        field: highlight.field.to_owned(),
        text: highlight.text.clone(),
        ranges: highlight.ranges.iter().map(range).collect(),
    }
}

pub fn popular(term: PopularTerm) -> proto::PopularTerm {
    proto::PopularTerm { term: term.term, change: term.change }
}
