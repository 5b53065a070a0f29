//! New messages of a gathering, live.

use async_graphql::{Context, Error, ID, Result, Subscription};
use futures::{Stream, StreamExt as _};
use moim_kit::Fault;
use moim_kit::id::{self, GatheringId};
use moim_proto::chat::v1 as proto;

use super::SERVICE;
use super::connection::ChatMessageEdge;
use crate::live::{Arrival, Live};
use crate::schema::directive::SemanticNonNull;
use crate::schema::global_id::decode;
use crate::schema::scope::Scope;
use crate::schema::subscription::Fresh;

/// Live edges of the chat service.
#[derive(Default)]
pub struct ChatSubscription;

#[Subscription]
impl ChatSubscription {
    /// New messages of a gathering the viewer is in, oldest first; ends when the viewer leaves it.
    #[graphql(directive = SemanticNonNull::apply())]
    async fn chat_message_added(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose chat.")] gathering_id: ID,
        #[graphql(desc = "First everything that follows this cursor.")] after: Option<String>,
    ) -> Result<impl Stream<Item = Result<Option<Fresh<ChatMessageEdge>>, Error>>> {
        let scope = Scope::of(ctx)?.clone();
        let live = ctx.data::<Live>()?;
        let reader = async {
            scope.call().require_caller()?;
            let gathering_id: GatheringId =
                decode::<id::Gathering>(&gathering_id).parse().map_err(Fault::internal)?;
            live.chat(scope.call(), gathering_id, after).await
        };
        let reader = reader.await.map_err(scope.fail(SERVICE))?;
        let viewer = scope.call().viewer().map(|viewer| viewer.to_string());
        Ok(reader.map(move |arrived| {
            let edge = arrived.and_then(|arrival| edge(arrival, viewer.as_deref()));
            edge.map(|edge| Some(Fresh::new(&scope, edge))).map_err(scope.fail(SERVICE))
        }))
    }
}

/// The same event goes to everyone; the sender's own id for it is shown to the sender alone.
fn edge(
    Arrival { cursor, mut row }: Arrival<proto::ChatMessage>,
    viewer: Option<&str>,
) -> Result<ChatMessageEdge, Fault> {
    if row.author.as_ref().map(|author| author.id.as_str()) != viewer {
        row.client_id = None;
    }
    Ok(ChatMessageEdge::new(cursor, row.try_into()?))
}
