//! Every field that costs a call, and the loader it goes through. This folder is the federation, and the bill.

mod chat;
mod gathering;
mod loaders;
mod member;
mod notification;
mod payment;
mod review;
mod schedule;
mod search;

pub use loaders::Loaders;
