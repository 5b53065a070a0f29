//! Everything that is kept.

use moim_storage::Outbox;

/// The room's tables.
#[derive(Clone)]
pub struct Store {
    pub(crate) outbox: Outbox,
}

impl Store {
    pub fn new(outbox: Outbox) -> Self {
        Self { outbox }
    }
}
