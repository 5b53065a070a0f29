//! What statements and connections of a room are measured by.

use std::future::Future;

use moim_kit::metrics::label::{DB_OPERATIONS, OTHER, one_of};
use moim_kit::metrics::{self, Catalogue, KeyValue};

use crate::error::Error;
use crate::spans::statement;

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

    /// Runs a statement: as a span of what it is run for, and timed when anybody wants to know.
    pub(crate) async fn run<T>(
        self,
        sql: &str,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        self.time(sql, statement(self.system, sql, work)).await
    }

    async fn time<T>(
        self,
        sql: &str,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let Some((catalogue, began)) = metrics::catalogue().zip(metrics::now()) else {
            return work.await;
        };
        let done = work.await;
        let took = metrics::seconds(began);
        let labels = [
            KeyValue::new("db.system.name", self.system),
            KeyValue::new("db.operation.name", operation(sql)),
            metrics::room(self.room),
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
