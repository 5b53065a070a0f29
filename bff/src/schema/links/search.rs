//! From a search result to what was found, wherever it is.

use async_graphql::{ComplexObject, Context, Result};
use moim_kit::Fault;

use crate::schema::scope::Scope;
use crate::schema::search::SearchKind;
use crate::schema::search::types::{SearchEdge, SearchResult};
use crate::schema::{gathering, member, schedule};

/// Loads what was found, of the noun that it is.
macro_rules! found {
    ($scope:ident, $id:expr, $loader:ident of $service:expr => $kind:ident) => {{
        let found = match $id.parse() {
            Ok(id) => $scope.loaders().$loader.load(id).await,
            Err(error) => Err(Fault::internal(error)),
        };
        Ok(found.map_err($scope.fail($service))?.map(SearchResult::$kind))
    }};
}

#[ComplexObject]
impl SearchEdge {
    /// Null when it vanished after indexing or its service failed.
    async fn node(&self, ctx: &Context<'_>) -> Result<Option<SearchResult>> {
        let scope = Scope::of(ctx)?;
        match self.kind {
            SearchKind::Gathering => {
                found!(scope, self.id, gathering of gathering::SERVICE => Gathering)
            }
            SearchKind::Schedule => {
                found!(scope, self.id, schedule of schedule::SERVICE => Schedule)
            }
            SearchKind::Member => found!(scope, self.id, member of member::SERVICE => Member),
        }
    }
}
