//! Storage on both databases: what every room may rely on, shown with a small room of notes.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

mod bus;
mod buses;
mod facts;
mod gate;
mod keys;
mod line;
mod measured;
mod mended;
mod migrations;
mod note;
mod pages;
mod reading;
mod replica;
mod replicated;
mod secured;
mod statements;
