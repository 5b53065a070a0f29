//! What all rooms of a process, and its endpoint, are built on.

use std::sync::Arc;

use crate::clock::Clock;
use crate::shared::{Near, Shared};
use crate::task::Tasks;
use crate::token::Verifier;

/// Given to every room of a process.
#[derive(Clone)]
pub struct Base {
    /// The house's clock.
    pub clock: Clock,
    /// The process's tasks.
    pub tasks: Tasks,
    /// Verifies callers' tokens.
    pub verifier: Arc<Verifier>,
    /// What replicas share.
    pub shared: Arc<dyn Shared>,
    /// Of that, values that are read often.
    pub near: Arc<Near>,
}
