//! What statements and connections of a room are measured by.

use moim_kit::metrics::label::{DB_OPERATIONS, OTHER, one_of};
use moim_kit::metrics::{self, Catalogue, KeyValue};
use moim_kit::trace::Span;
use tokio::time::Instant;

use crate::error::Error;
use crate::spans;

/// Whose statements they are, and to what.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    room: &'static str,
    system: &'static str,
}

impl Measured {
    pub(crate) const fn postgres(room: &'static str) -> Self {
        Self { room, system: "postgresql" }
    }

    pub(crate) const fn sqlite(room: &'static str) -> Self {
        Self { room, system: "sqlite" }
    }

    /// A statement begins; its text is told as it stands in the room's `store`, with places for its values.
    pub(crate) fn begin(self, sql: &str) -> Running {
        let timed = metrics::catalogue().zip(metrics::now()).map(|(catalogue, began)| Timed {
            measured: self,
            catalogue,
            began,
            operation: operation(sql),
        });
        Running { timed, span: spans::statement(self.system, sql) }
    }

    /// Has the connections of a pool counted for as long as the pool is there.
    pub(crate) fn connections<D: sqlx::Database>(self, pool: &sqlx::Pool<D>) {
        let Some(catalogue) = metrics::catalogue() else { return };
        let name = || KeyValue::new("db.client.connection.pool.name", self.room);
        let state = |word| [name(), KeyValue::new("db.client.connection.state", word)];
        let Catalogue { connections, connections_most, .. } = catalogue;
        // Asked of a pool that is closed, all of them are none.
        let (idle, used, most) = (pool.clone(), pool.clone(), pool.clone());
        connections.watch_while(&state("idle"), move || open(&idle, idle.num_idle()));
        connections.watch_while(&state("used"), move || {
            open(&used, (used.size() as usize).saturating_sub(used.num_idle()))
        });
        connections_most.watch_while(&[name()], move || {
            open(&most, most.options().get_max_connections() as usize)
        });
    }
}

/// A statement under way, as far as anybody wants to know.
#[derive(Debug)]
pub(crate) struct Running {
    timed: Option<Timed>,
    span: Option<Span>,
}

impl Running {
    /// Notes how it ended.
    pub(crate) fn end<T>(self, done: Result<T, Error>) -> Result<T, Error> {
        let failure = done.as_ref().err();
        if let Some(timed) = self.timed {
            timed.record(failure);
        }
        if let Some((mut span, error)) = self.span.zip(failure) {
            spans::failed(&mut span, error);
        }
        done
    }
}

#[derive(Debug)]
struct Timed {
    measured: Measured,
    catalogue: &'static Catalogue,
    began: Instant,
    operation: &'static str,
}

impl Timed {
    fn record(self, failure: Option<&Error>) {
        let took = metrics::seconds(self.began);
        let labels = [
            KeyValue::new("db.system.name", self.measured.system),
            KeyValue::new("db.operation.name", self.operation),
            metrics::room(self.measured.room),
        ];
        match failure {
            None => self.catalogue.statements.record(took, &labels),
            Some(error) => {
                let [system, operation, room] = labels;
                let error = KeyValue::new("error.type", error.kind());
                self.catalogue.statements.record(took, &[system, operation, room, error]);
            }
        }
    }
}

fn open<D: sqlx::Database>(pool: &sqlx::Pool<D>, number: usize) -> Option<usize> {
    (!pool.is_closed()).then_some(number)
}

/// The first word of a statement.
fn operation(sql: &str) -> &'static str {
    let word = sql.split_ascii_whitespace().next().unwrap_or(OTHER);
    one_of(&DB_OPERATIONS, word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_goes_by_its_first_word_if_that_is_known() {
        assert_eq!(operation("\nSELECT 1"), "SELECT");
        assert_eq!(operation("INSERT INTO x"), "INSERT");
        for other in ["", "PRAGMA x", "SELECTED"] {
            assert_eq!(operation(other), OTHER);
        }
    }
}
