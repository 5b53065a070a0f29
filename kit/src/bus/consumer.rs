//! Who hears a log, as a broker that keeps count for them knows them.

use std::time::Duration;

/// What a replica that is gone leaves behind is kept so long; should it come back later, it is told everything
/// again, which changes nothing.
const REPLICAS_KNOWN: Duration = Duration::from_secs(3_600);

/// A room, whose processes share what is told; or one replica of a room, each of which is told everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consumer {
    name: String,
    forgotten_after: Option<Duration>,
}

impl Consumer {
    /// All processes of a room together.
    pub fn room(room: &str) -> Self {
        Self { name: room.to_owned(), forgotten_after: None }
    }

    /// One replica of a room, by an id that no other has.
    pub fn replica(room: &str, id: &str) -> Self {
        Self { name: format!("{room}-{id}"), forgotten_after: Some(REPLICAS_KNOWN) }
    }

    /// The name that a broker counts under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How long a broker remembers it without hearing of it; for ever when there is no limit.
    pub(super) fn forgotten_after(&self) -> Option<Duration> {
        self.forgotten_after
    }
}
