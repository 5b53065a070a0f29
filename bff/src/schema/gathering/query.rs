//! Entry points for reading gatherings.

use async_graphql::{Context, Object, Result};
use moim_kit::Fault;
use moim_proto::gathering::v1::{ListRegionsRequest, ListRequest};

use super::SERVICE;
use super::connection::GatheringConnection;
use super::enums::GatheringSort;
use super::input::GatheringFilter;
use super::types::Region;
use crate::schema::connection::PageArgs;
use crate::schema::directive::SemanticNonNull;
use crate::schema::global_id::decode_region;
use crate::schema::scope::Scope;

/// Reads of the gathering service.
#[derive(Default)]
pub struct GatheringQuery;

#[Object]
impl GatheringQuery {
    /// Every region, for pickers.
    #[graphql(directive = SemanticNonNull::apply())]
    async fn regions(&self, ctx: &Context<'_>) -> Result<Option<Vec<Region>>> {
        let scope = Scope::of(ctx)?;
        let request = scope.call().request(ListRegionsRequest {});
        let answer = scope.upstream().gathering.list_regions(request).await;
        let regions = answer.map_err(Fault::from).map_err(scope.fail(SERVICE))?;
        Ok(Some(regions.into_inner().regions.into_iter().map(Region::from).collect()))
    }

    /// Browse gatherings.
    #[allow(clippy::too_many_arguments, reason = "they are the field's arguments")]
    #[graphql(directive = SemanticNonNull::apply())]
    async fn gatherings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those that match.")] filter: Option<GatheringFilter>,
        #[graphql(desc = "In this order.", default_with = "GatheringSort::Active")]
        sort: GatheringSort,
        #[graphql(desc = "Page size from the start, 1 to 100; this or last.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "Page size from the end, 1 to 100; this or first.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Result<Option<GatheringConnection>> {
        let scope = Scope::of(ctx)?;
        let filter = filter.unwrap_or_default();
        let request = scope.call().request(ListRequest {
            category: filter.category.map(|it| it.into_proto()),
            region_code: filter.region_id.map(|id| decode_region(&id)),
            open_only: filter.open_only.unwrap_or_default(),
            sort: sort.into_proto(),
            page: Some(PageArgs { first, after, last, before }.into()),
        });
        let answer = scope.upstream().gathering.list(request).await;
        let page = answer.map_err(Fault::from).and_then(|answer| {
            let answer = answer.into_inner();
            GatheringConnection::try_new(answer.gatherings, answer.page)
        });
        page.map(Some).map_err(scope.fail(SERVICE))
    }
}
