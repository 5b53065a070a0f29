//! What processes measure, as Prometheus and a collector meet it: all of it in the catalogue, and none of it made
//! up by clients.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

mod moves;
mod odd;
mod page;
mod pushed;
mod walk;
