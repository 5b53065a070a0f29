//! From a review to its schedule.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, Result};
use moim_kit::Fault;

use crate::schema::directive::SemanticNonNull;
use crate::schema::review::types::Review;
use crate::schema::schedule;
use crate::schema::schedule::types::Schedule;
use crate::schema::scope::Scope;

#[ComplexObject]
impl Review {
    /// What it is about.
    #[graphql(directive = SemanticNonNull::apply())]
    async fn schedule(&self, ctx: &Context<'_>) -> Result<Option<Arc<Schedule>>> {
        let scope = Scope::of(ctx)?;
        let schedule = scope.loaders().schedule.load(self.schedule_id).await;
        schedule
            .and_then(|found| found.ok_or_else(|| Fault::internal("a review has no schedule")))
            .map(Some)
            .map_err(scope.fail(schedule::SERVICE))
    }
}
