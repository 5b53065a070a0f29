//! What clients send to change notifications.

use async_graphql::{ID, InputObject};

/// Input of notificationMarkRead.
#[derive(InputObject)]
pub struct NotificationMarkReadInput {
    /// The newest one seen; it and all older ones become read.
    pub up_to_id: ID,
}
