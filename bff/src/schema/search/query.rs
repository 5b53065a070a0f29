//! Entry points for searching.

use async_graphql::{Context, Object, Result};
use moim_kit::Fault;
use moim_proto::search::v1::{ListPopularRequest, SearchRequest, SuggestRequest};

use super::SERVICE;
use super::enums::SearchKind;
use super::input::SearchFilter;
use super::types::{PopularSearch, SearchConnection};
use crate::schema::connection::PageArgs;
use crate::schema::directive::SemanticNonNull;
use crate::schema::scope::Scope;

/// Who asks, under a name that tells nobody who that is; empty when nothing is known of them.
pub struct Voter(pub String);

/// Reads of the search service.
#[derive(Default)]
pub struct SearchQuery;

#[Object]
impl SearchQuery {
    /// Full-text search with typo tolerance, best match first. Pages reach to the 10,000th result.
    #[allow(clippy::too_many_arguments, reason = "they are the field's arguments")]
    #[graphql(directive = SemanticNonNull::apply())]
    async fn search(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to look for, 1 to 200 characters of plain text.")] query: String,
        #[graphql(
            desc = "Only these.",
            default_with = "vec![SearchKind::Gathering, SearchKind::Schedule, SearchKind::Member]"
        )]
        kinds: Vec<SearchKind>,
        #[graphql(desc = "Only those that match.")] filter: Option<SearchFilter>,
        #[graphql(desc = "Page size from the start, 1 to 100; this or last.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "Page size from the end, 1 to 100; this or first.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Result<Option<SearchConnection>> {
        let scope = Scope::of(ctx)?;
        let request = scope.call().request(SearchRequest {
            query,
            kinds: kinds.into_iter().map(SearchKind::into_proto).collect(),
            filter: filter.map(Into::into),
            page: Some(PageArgs { first, after, last, before }.into()),
            voter: ctx.data_opt::<Voter>().map(|voter| voter.0.clone()).unwrap_or_default(),
        });
        let answer = scope.upstream().search.search(request).await.map_err(Fault::from);
        let found = answer.and_then(|answer| answer.into_inner().try_into());
        found.map(Some).map_err(scope.fail(SERVICE))
    }

    /// Completions while typing, most popular first; understands initial consonants (ㄷㅅ finds 독서).
    #[graphql(directive = SemanticNonNull::apply())]
    async fn search_suggestions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What was typed so far.")] prefix: String,
        #[graphql(desc = "At most so many, and at most 20.", default = 8)] first: i32,
    ) -> Result<Option<Vec<String>>> {
        let scope = Scope::of(ctx)?;
        let request = scope.call().request(SuggestRequest { prefix, first });
        let answer = scope.upstream().search.suggest(request).await.map_err(Fault::from);
        answer.map(|answer| Some(answer.into_inner().terms)).map_err(scope.fail(SERVICE))
    }

    /// Most searched terms of the last hours, best first.
    #[graphql(directive = SemanticNonNull::apply())]
    async fn popular_searches(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most so many, and at most 50.", default = 10)] first: i32,
    ) -> Result<Option<Vec<PopularSearch>>> {
        let scope = Scope::of(ctx)?;
        let request = scope.call().request(ListPopularRequest { first });
        let answer = scope.upstream().search.list_popular(request).await;
        let terms = answer.map_err(Fault::from).map_err(scope.fail(SERVICE))?.into_inner().terms;
        Ok(Some(terms.into_iter().map(PopularSearch::from).collect()))
    }
}
