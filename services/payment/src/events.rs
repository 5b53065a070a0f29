//! What the room tells, and what it does about what others tell.

use async_trait::async_trait;
use moim_kit::Fault;
use moim_kit::bus::Fact;
use moim_storage::{Handler, Tx};

/// Nouns of other rooms that this one copies.
pub const COPIED: &[&str] = &["seat"];

/// Turns paid seats into orders.
pub struct Copier;

#[async_trait]
impl Handler for Copier {
    async fn apply(&self, _: &mut Tx, _: &Fact) -> Result<(), Fault> {
        Ok(())
    }
}
