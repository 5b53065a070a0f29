//! What can go wrong in a database, and which of it is somebody's answer.

use moim_kit::metrics::label::OTHER;
use moim_kit::{Code, Fault};

/// A failed statement or connection.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(#[from] sqlx::Error);

impl Error {
    /// True when a constraint refused the write. PostgreSQL names the constraint; SQLite names a
    /// check by its name and a unique constraint by its columns, such as `member.email`.
    pub fn violates(&self, constraint: &str, columns: &str) -> bool {
        let sqlx::Error::Database(error) = &self.0 else { return false };
        error.constraint() == Some(constraint)
            || error
                .message()
                .split_once("constraint failed: ")
                .is_some_and(|(_, named)| named == constraint || named == columns)
    }

    /// What the database calls it, when it was the database: five characters in PostgreSQL, a number in SQLite.
    pub(crate) fn database_code(&self) -> Option<String> {
        let sqlx::Error::Database(error) = &self.0 else { return None };
        error.code().map(|code| code.into_owned())
    }
}

impl Error {
    /// In one word, for what is measured.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.0 {
            sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::Io(_)
            | sqlx::Error::WorkerCrashed => "UNAVAILABLE",
            sqlx::Error::Database(cause) => match cause.code().as_deref() {
                Some("40001" | "40P01" | "55P03" | "5" | "6" | "261" | "517") => "CONFLICT",
                _ if cause.constraint().is_some() => "CONSTRAINT",
                _ => OTHER,
            },
            _ => OTHER,
        }
    }
}

/// Turns a refusal by a constraint into the fault of that name; other errors stay what they are.
pub fn violates(
    constraint: &'static str,
    columns: &'static str,
    fault: impl Into<Fault>,
) -> impl FnOnce(Error) -> Fault {
    move |error| if error.violates(constraint, columns) { fault.into() } else { error.into() }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match &error.0 {
            sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::Io(_)
            | sqlx::Error::WorkerCrashed => Self::unavailable("DATABASE_UNAVAILABLE", error),
            sqlx::Error::Database(cause) => match cause.code().as_deref() {
                // serialization failure, deadlock, lock not available; SQLITE_BUSY and its kin
                Some("40001" | "40P01" | "55P03" | "5" | "6" | "261" | "517") => Self::new(
                    Code::Conflict,
                    "CONFLICT",
                    "Someone else was changing this; try again.",
                )
                .in_korean("다른 변경과 겹쳤습니다. 다시 시도해 주세요.")
                .because(error),
                // shutting down, starting up, a statement or an idle transaction timed out; too many
                // connections, disk full, out of memory and the like; input or output failed; SQLITE_FULL
                // and SQLITE_IOERR
                Some(
                    "25P03" | "57P01" | "57P02" | "57P03" | "57014" | "53000" | "53100" | "53200"
                    | "53300" | "53400" | "58000" | "58030" | "13" | "10",
                ) => Self::unavailable("DATABASE_UNAVAILABLE", error),
                _ => Self::internal(error),
            },
            _ => Self::internal(error),
        }
    }
}
