//! The room as those who search see it.

mod relevance;
mod stage;
