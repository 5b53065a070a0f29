//! What the tests of every room stand on: databases, tokens, sockets and scripted logs.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "test support fails loudly")]

mod bed;
mod cluster;
mod collector;
mod keeper;
mod meters;
mod nats;
mod postgres;
mod proxy;
mod redis;
mod replicated;
mod scripted;
mod secured;
mod signer;
mod stand_in;

pub use bed::Bed;
pub use collector::{Collector, Told};
pub use meters::{Measured, Meters};
pub use nats::Nats;
pub use postgres::{database, durable_database};
pub use proxy::{Mode, Proxy};
pub use redis::Redis;
pub use replicated::{Replicated, replicated};
pub use scripted::ScriptedLog;
pub use secured::{Secured, authority, secured};
pub use signer::Signer;
pub use stand_in::{Manner, StandIn};

/// Declares tests that run on SQLite and on PostgreSQL: each gets a fresh [`Bed`].
///
/// Without PostgreSQL on the machine the second half says loudly that it was left out, and fails
/// when `MOIM_TEST_ALL` is set.
#[macro_export]
macro_rules! on_both_databases {
    ($(async fn $name:ident($bed:ident: Bed) $body:block)*) => {
        $(mod $name {
            #[allow(unused_imports, reason = "not every test needs every import")]
            use super::*;

            async fn test($bed: $crate::Bed) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                test($crate::Bed::sqlite()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                if let Some(bed) = $crate::Bed::postgres().await {
                    test(bed).await;
                }
            }
        })*
    };
}
