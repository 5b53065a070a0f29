//! A life on the platform, from signing up to logging out.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

mod gatherings;
mod retries;
mod schedules;
mod sessions;
mod things;
