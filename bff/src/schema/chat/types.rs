//! Chat messages; nothing here costs a call.

use async_graphql::{ID, SimpleObject};
use moim_kit::Fault;
use moim_kit::id::{ChatMessageId, GatheringId};
use moim_proto::chat::v1 as proto;

use crate::schema::global_id::encode;
use crate::schema::member::types::Member;
use crate::schema::scalar::DateTime;

/// A line in a gathering's chat, ordered by the server.
#[derive(SimpleObject, Clone, Debug)]
#[graphql(complex)]
pub struct ChatMessage {
    /// Opaque, unique over all types, never reused.
    pub id: ID,
    /// Who said it.
    pub author: Member,
    /// Null once deleted.
    pub body: Option<String>,
    /// When it was sent.
    pub sent_at: DateTime,
    /// The sender's own id for it, to match an optimistic copy; null for others.
    pub client_id: Option<ID>,
    #[graphql(skip)]
    pub gathering_id: GatheringId,
}

impl TryFrom<proto::ChatMessage> for ChatMessage {
    type Error = Fault;

    fn try_from(message: proto::ChatMessage) -> Result<Self, Fault> {
        let id: ChatMessageId = message.id.parse().map_err(Fault::internal)?;
        Ok(Self {
            id: encode(id),
            author: message.author.try_into()?,
            body: message.body,
            sent_at: DateTime::from_us(message.sent_at_us),
            client_id: message.client_id.map(ID),
            gathering_id: message.gathering_id.parse().map_err(Fault::internal)?,
        })
    }
}

impl TryFrom<Option<proto::ChatMessage>> for ChatMessage {
    type Error = Fault;

    fn try_from(message: Option<proto::ChatMessage>) -> Result<Self, Fault> {
        message.ok_or_else(|| Fault::internal("a message is missing"))?.try_into()
    }
}
