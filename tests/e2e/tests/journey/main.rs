//! A life on the platform, from signing up to logging out.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

mod chat;
mod gatherings;
mod live;
mod notifications;
mod offers;
mod paid;
mod retries;
mod reviews;
mod schedules;
mod search;
mod sessions;
mod things;
