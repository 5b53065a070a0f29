//! The room as those who search see it.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

mod calls;
mod finding;
mod history;
mod index;
mod relevance;
mod stage;
