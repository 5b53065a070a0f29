//! Entry points for writing to a gathering's chat.

use async_graphql::{Context, Object, Result};
use moim_kit::{Fault, id};
use moim_proto::chat::v1::{DeleteRequest, SendRequest};

use super::SERVICE;
use super::connection::ChatMessageEdge;
use super::input::{ChatMessageDeleteInput, ChatMessageSendInput};
use super::types::ChatMessage;
use crate::schema::error::payload;
use crate::schema::global_id::decode;
use crate::schema::scope::Scope;

/// Writes of the chat service.
#[derive(Default)]
pub struct ChatMutation;

#[Object]
impl ChatMutation {
    /// Sends a message; clientId makes a retry safe.
    async fn chat_message_send(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: ChatMessageSendInput,
    ) -> Result<Option<ChatMessageSendPayload>> {
        let scope = Scope::of(ctx)?;
        let edge = async {
            let request = scope.keyed(ctx)?.request(SendRequest {
                gathering_id: decode::<id::Gathering>(&input.gathering_id),
                body: input.body,
                client_id: input.client_id.0,
            });
            let answer = scope.upstream().chat.send(request).await?.into_inner();
            Ok::<_, Fault>(ChatMessageEdge::new(answer.cursor, answer.message.try_into()?))
        };
        ChatMessageSendPayload::new(scope, SERVICE, edge.await)
    }

    /// Deletes a message; its author, host and managers.
    async fn chat_message_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: ChatMessageDeleteInput,
    ) -> Result<Option<ChatMessageDeletePayload>> {
        let scope = Scope::of(ctx)?;
        let message = async {
            let message_id = decode::<id::ChatMessage>(&input.message_id);
            let request = scope.keyed(ctx)?.request(DeleteRequest { message_id });
            scope.upstream().chat.delete(request).await?.into_inner().message.try_into()
        };
        ChatMessageDeletePayload::new(scope, SERVICE, message.await)
    }
}

payload! {
    ChatMessageSendPayload(edge: ChatMessageEdge) of "chatMessageSend", "The message at its place in the list";
    ChatMessageDeletePayload(message: ChatMessage) of "chatMessageDelete", "The message, without its body";
}
