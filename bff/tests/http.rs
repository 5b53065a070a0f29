//! The endpoint over real sockets, around a schema small enough to know by heart.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may stop at once")]

#[path = "http/audit_profile.rs"]
mod audit_profile;
#[path = "http/connections.rs"]
mod connections;
#[path = "http/console.rs"]
mod console;
#[path = "http/data.rs"]
mod data;
#[path = "http/documents.rs"]
mod documents;
#[path = "http/edge.rs"]
mod edge;
#[path = "http/edition_profile.rs"]
mod edition_profile;
#[path = "http/origins.rs"]
mod origins;
#[path = "http/persisted_queries.rs"]
mod persisted_queries;
#[path = "http/protected.rs"]
mod protected;
#[path = "http/requests.rs"]
mod requests;
#[path = "http/schema.rs"]
mod schema;
#[path = "http/socket.rs"]
mod socket;
#[path = "http/socket_ends.rs"]
mod socket_ends;
#[path = "http/socket_frames.rs"]
mod socket_frames;
#[path = "http/socket_operations.rs"]
mod socket_operations;
#[path = "http/socket_places.rs"]
mod socket_places;
#[path = "http/stand.rs"]
mod stand;
#[path = "http/streams.rs"]
mod streams;
#[path = "http/webhooks.rs"]
mod webhooks;
