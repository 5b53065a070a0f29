//! What attackers send: refused with a code before anything is executed, over HTTP and over a socket alike, while
//! ordinary requests are answered as ever.
#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

mod answers;
mod budgets;
mod delay;
mod documents;
mod door;
mod hidden;
mod log_ins;
mod overload;
mod ways;
