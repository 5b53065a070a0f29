//! What statements and connections of a room are measured by.

use moim_kit::metrics::label::{DB_OPERATIONS, OTHER, one_of};
use moim_kit::metrics::{self, Catalogue, KeyValue};
use tokio::time::Instant;

use crate::error::Error;

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

    /// Which database it is, in the words of the semantic conventions.
    pub(crate) const fn system(self) -> &'static str {
        self.system
    }

    /// A statement begins, when anybody wants to know.
    pub(crate) fn begin(self, sql: &str) -> Option<Running> {
        let (catalogue, began) = metrics::catalogue().zip(metrics::now())?;
        Some(Running { measured: self, catalogue, began, operation: operation(sql) })
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

/// A statement under way.
#[derive(Debug)]
pub(crate) struct Running {
    measured: Measured,
    catalogue: &'static Catalogue,
    began: Instant,
    operation: &'static str,
}

impl Running {
    /// Notes how it ended.
    pub(crate) fn end<T>(running: Option<Self>, done: Result<T, Error>) -> Result<T, Error> {
        let Some(Self { measured, catalogue, began, operation }) = running else { return done };
        let took = metrics::seconds(began);
        let labels = [
            KeyValue::new("db.system.name", measured.system),
            KeyValue::new("db.operation.name", operation),
            metrics::room(measured.room),
        ];
        match &done {
            Ok(_) => catalogue.statements.record(took, &labels),
            Err(error) => {
                let [system, operation, room] = labels;
                let error = KeyValue::new("error.type", error.kind());
                catalogue.statements.record(took, &[system, operation, room, error]);
            }
        }
        done
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
