//! What a search finds; nothing here costs a call.

use std::sync::Arc;

use async_graphql::{SimpleObject, Union};
use moim_kit::Fault;
use moim_proto::search::v1 as proto;

use super::enums::SearchKind;
use crate::schema::connection::PageInfo;
use crate::schema::gathering::types::Gathering;
use crate::schema::member::types::Member;
use crate::schema::schedule::types::Schedule;

/// What search finds.
#[derive(Union, Clone)]
pub enum SearchResult {
    Gathering(Arc<Gathering>),
    Schedule(Arc<Schedule>),
    Member(Arc<Member>),
}

/// A page of search results.
#[derive(SimpleObject, Clone, Debug)]
pub struct SearchConnection {
    /// What the page holds, in order.
    edges: Vec<SearchEdge>,
    /// Where the page stands.
    page_info: PageInfo,
    /// Estimated number of results.
    total_count: i32,
    /// What was searched instead, when the query looked mistyped.
    corrected_query: Option<String>,
}

/// A search result in a page.
#[derive(SimpleObject, Clone, Debug)]
#[graphql(complex)]
pub struct SearchEdge {
    /// Position of this edge, opaque.
    cursor: String,
    /// Where the query matched.
    highlights: Vec<Highlight>,
    #[graphql(skip)]
    pub kind: SearchKind,
    #[graphql(skip)]
    pub id: String,
}

/// Where the query matched.
#[derive(SimpleObject, Clone, Debug)]
pub struct Highlight {
    /// Field of the node, such as title.
    field: String,
    /// Excerpt as plain text, never markup.
    text: String,
    /// Parts of the excerpt that matched.
    ranges: Vec<TextRange>,
}

/// Half-open range of UTF-16 code units.
#[derive(SimpleObject, Clone, Copy, Debug)]
pub struct TextRange {
    /// First unit.
    start: i32,
    /// The unit behind the last.
    end: i32,
}

/// A term people search for.
#[derive(SimpleObject, Clone, Debug)]
pub struct PopularSearch {
    /// What they type.
    term: String,
    /// Places gained since the last period; null when new.
    change: Option<i32>,
}

impl TryFrom<proto::SearchResponse> for SearchConnection {
    type Error = Fault;

    fn try_from(answer: proto::SearchResponse) -> Result<Self, Fault> {
        let page = answer.page.unwrap_or_default();
        let page_info = PageInfo::new(&page);
        let edge = |(hit, cursor): (proto::Hit, String)| {
            Ok(SearchEdge {
                cursor,
                kind: hit.kind.try_into()?,
                id: hit.id,
                highlights: hit.highlights.into_iter().map(Highlight::from).collect(),
            })
        };
        let edges = answer.hits.into_iter().zip(page.cursors).map(edge);
        Ok(Self {
            edges: edges.collect::<Result<_, Fault>>()?,
            page_info,
            total_count: answer.total_count,
            corrected_query: answer.corrected_query,
        })
    }
}

impl From<proto::Highlight> for Highlight {
    fn from(highlight: proto::Highlight) -> Self {
        let range = |it: proto::TextRange| TextRange { start: it.start, end: it.end };
        Self {
            field: highlight.field,
            text: highlight.text,
            ranges: highlight.ranges.into_iter().map(range).collect(),
        }
    }
}

impl From<proto::PopularTerm> for PopularSearch {
    fn from(term: proto::PopularTerm) -> Self {
        Self { term: term.term, change: term.change }
    }
}
