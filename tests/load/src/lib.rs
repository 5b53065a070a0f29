//! Load on the endpoint and the floor it is compared with, ways to give away seats, and their figures.
//!
//! `benches/edge.rs` puts the pieces together: a [`Site`] answers the same [`QUERIES`] through GraphQL and
//! by hand, a [`Generator`] in another process asks, and [`figures`] tells how far apart the two are.
//! `benches/seats.rs` has each of several ways in [`seats`] decide the same burst.

pub mod arguments;
mod canned;
pub mod figures;
mod floor;
mod generator;
mod loops;
pub mod meter;
mod query;
pub mod rounds;
pub mod seats;
mod site;
pub mod tables;

pub use generator::{Generator, serve_orders};
pub use loops::{Order, Pace, Tally};
pub use query::{QUERIES, Query};
pub use site::{Backing, Door, Side, Site};
