//! New notifications of the viewer, live.

use async_graphql::{Context, Error, Result, Subscription};
use futures::{Stream, StreamExt as _};
use moim_kit::Fault;

use super::SERVICE;
use super::connection::NotificationEdge;
use crate::live::Live;
use crate::schema::directive::SemanticNonNull;
use crate::schema::scope::Scope;
use crate::schema::subscription::Fresh;

/// Live edges of the notification service.
#[derive(Default)]
pub struct NotificationSubscription;

#[Subscription]
impl NotificationSubscription {
    /// The viewer's new notifications, oldest first.
    #[graphql(directive = SemanticNonNull::apply())]
    async fn notification_added(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "First everything that follows this cursor.")] after: Option<String>,
    ) -> Result<impl Stream<Item = Result<Option<Fresh<NotificationEdge>>, Error>>> {
        let scope = Scope::of(ctx)?.clone();
        let live = ctx.data::<Live>()?;
        let reader = live.notifications(scope.call(), after).await;
        let reader = reader.map_err(scope.fail(SERVICE))?;
        Ok(reader.map(move |arrived| {
            let edge = arrived.and_then(|arrival| {
                Ok::<_, Fault>(NotificationEdge::new(arrival.cursor, arrival.row.try_into()?))
            });
            edge.map(|edge| Some(Fresh::new(&scope, edge))).map_err(scope.fail(SERVICE))
        }))
    }
}
