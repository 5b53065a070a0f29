//! Pages of chat messages.

use super::types::ChatMessage;
use crate::schema::connection::connection;

connection! {
    ChatMessageConnection "A page of chat messages."
    ChatMessageEdge "A chat message in a page or a stream."
    ChatMessage "The message itself."
}
