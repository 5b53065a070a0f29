//! The platform as strangers meet it: real processes of `moim`, and people who speak to them over HTTP.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "test support fails loudly")]

mod answer;
mod authority;
mod client;
mod fleet;
mod meetup;
mod person;
mod platform;
mod ports;
mod process;
mod program;
mod socket;
mod ways;

pub use answer::{Answer, error_codes, eventually, expect_data, user_error_codes};
pub use authority::{Authority, Life};
pub use client::{Client, Memory, NoAnswer};
pub use fleet::Place;
pub use meetup::{Over, held};
pub use moim_testbed::{Collector, Manner, Meters, Mode, Proxy, StandIn, Told};
pub use person::{Person, in_hours, in_time};
pub use platform::Platform;
pub use ports::free_port;
pub use process::Process;
pub use program::{crashing_program, program};
/// Variables of a GraphQL operation.
pub use serde_json::{Value, json};
pub use socket::Socket;

/// Declares tests that run against one process on SQLite and against one process per room on PostgreSQL, or with
/// `MOIM_TEST_FLEET` a fleet with two of each: each gets a fresh [`Platform`].
///
/// Without PostgreSQL on the machine the second half says loudly that it was left out, and fails
/// when `MOIM_TEST_ALL` is set.
#[macro_export]
macro_rules! on_both_shapes {
    ($($(#[$meta:meta])* async fn $name:ident($platform:ident: Platform) $body:block)*) => {
        $($(#[$meta])* mod $name {
            #[allow(unused_imports, reason = "not every test needs every import")]
            use super::*;

            async fn test($platform: $crate::Platform) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn in_one_process() {
                test($crate::Platform::one_process().await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn with_rooms_apart() {
                if let Some(platform) = $crate::Platform::several().await {
                    test(platform).await;
                }
            }
        })*
    };
}
