//! What clients send to a gathering's chat.

use async_graphql::{ID, InputObject};

/// Input of chatMessageSend.
#[derive(InputObject)]
pub struct ChatMessageSendInput {
    /// Whose chat.
    pub gathering_id: ID,
    /// What to say, 1 to 2000 characters.
    pub body: String,
    /// Fresh UUID per message; the same again answers the first message.
    pub client_id: ID,
}

/// Input of chatMessageDelete.
#[derive(InputObject)]
pub struct ChatMessageDeleteInput {
    /// Which one.
    pub message_id: ID,
}
