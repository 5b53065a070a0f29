//! What is measured is one list: the page about it, the dashboards and the alarms say nothing else.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

mod alarms;
mod dashboards;
mod page;
mod promql;
mod queries;
