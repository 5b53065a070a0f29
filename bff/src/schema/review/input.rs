//! What clients send to change reviews.

use async_graphql::{ID, InputObject};

/// Input of reviewWrite.
#[derive(InputObject)]
pub struct ReviewWriteInput {
    /// What it is about.
    pub schedule_id: ID,
    /// 1 to 5.
    pub rating: i32,
    /// What the viewer thought, 1 to 2000 characters.
    pub body: String,
}

/// Input of reviewDelete.
#[derive(InputObject)]
pub struct ReviewDeleteInput {
    /// Which one.
    pub review_id: ID,
}
