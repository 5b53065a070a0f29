//! Running one text of SQL with its values on whichever database there is.

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::{Query, QueryAs};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{AssertSqlSafe, FromRow, Postgres, Sqlite};

use crate::args::Arg;

/// A row type that both databases can fill: `#[derive(sqlx::FromRow)]` is enough.
pub trait Row:
    for<'r> FromRow<'r, PgRow> + for<'r> FromRow<'r, SqliteRow> + Send + Unpin + 'static
{
}

impl<T> Row for T where
    T: for<'r> FromRow<'r, PgRow> + for<'r> FromRow<'r, SqliteRow> + Send + Unpin + 'static
{
}

/// A statement and its values. The text comes from constants of a room's `store`, never from a client.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    sql: String,
    args: Vec<Arg>,
}

macro_rules! bind_all {
    ($query:expr, $args:expr) => {{
        let mut query = $query;
        for arg in $args {
            query = match arg {
                Arg::Text(value) => query.bind(value),
                Arg::Int(value) => query.bind(value),
                Arg::Bool(value) => query.bind(value),
                Arg::Bytes(value) => query.bind(value),
            };
        }
        query
    }};
}

impl Statement {
    pub(crate) fn new(sql: &str, args: Vec<Arg>) -> Self {
        Self { sql: sql.to_owned(), args }
    }

    /// Puts a list in the place of `{ids}`. Lists are padded to a power of two with their last
    /// value, so that few distinct texts are prepared.
    pub(crate) fn with_list(sql: &str, mut args: Vec<Arg>, list: Vec<Arg>) -> Self {
        let first = args.len() + 1;
        let width = list.len().max(1).next_power_of_two();
        let last = list.last().cloned().unwrap_or(Arg::Text(None));
        args.extend(list);
        args.resize(first - 1 + width, last);
        let places: Vec<_> = (first..first + width).map(|place| format!("${place}")).collect();
        Self { sql: sql.replace("{ids}", &places.join(", ")), args }
    }

    pub(crate) fn postgres(self) -> Query<'static, Postgres, PgArguments> {
        bind_all!(sqlx::query(AssertSqlSafe(self.sql)), self.args)
    }

    pub(crate) fn sqlite(self) -> Query<'static, Sqlite, SqliteArguments> {
        bind_all!(sqlx::query(AssertSqlSafe(self.sql)), self.args)
    }

    pub(crate) fn postgres_as<R: Row>(self) -> QueryAs<'static, Postgres, R, PgArguments> {
        bind_all!(sqlx::query_as(AssertSqlSafe(self.sql)), self.args)
    }

    pub(crate) fn sqlite_as<R: Row>(self) -> QueryAs<'static, Sqlite, R, SqliteArguments> {
        bind_all!(sqlx::query_as(AssertSqlSafe(self.sql)), self.args)
    }
}
