//! From a chat message to its gathering.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, Result};
use moim_kit::Fault;

use crate::schema::chat::types::ChatMessage;
use crate::schema::directive::SemanticNonNull;
use crate::schema::gathering;
use crate::schema::gathering::types::Gathering;
use crate::schema::scope::Scope;

#[ComplexObject]
impl ChatMessage {
    /// Whose chat it is in.
    #[graphql(directive = SemanticNonNull::apply())]
    async fn gathering(&self, ctx: &Context<'_>) -> Result<Option<Arc<Gathering>>> {
        let scope = Scope::of(ctx)?;
        let gathering = scope.loaders().gathering.load(self.gathering_id).await;
        gathering
            .and_then(|found| found.ok_or_else(|| Fault::internal("a message has no gathering")))
            .map(Some)
            .map_err(scope.fail(gathering::SERVICE))
    }
}
