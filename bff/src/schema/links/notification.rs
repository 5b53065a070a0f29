//! From a notification to what it is about.

use async_graphql::{ComplexObject, Context, Result};

use crate::schema::node::{Node, load};
use crate::schema::notification::types::Notification;
use crate::schema::scope::Scope;

#[ComplexObject]
impl Notification {
    /// For people, in the request's language, with the names of the time it happened.
    async fn text(&self, ctx: &Context<'_>) -> Result<&str> {
        let korean = Scope::of(ctx)?.korean();
        Ok(if korean { &self.korean } else { &self.english })
    }

    /// What it is about; null when gone.
    async fn subject(&self, ctx: &Context<'_>) -> Result<Option<Node>> {
        match self.about {
            Some(about) => load(Scope::of(ctx)?, about).await,
            None => Ok(None),
        }
    }
}
