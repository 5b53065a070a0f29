//! The public schema: nouns in their folders, and every field that costs a call under `links`.

mod chat;
mod connection;
mod directive;
mod enums;
mod error;
mod gathering;
mod global_id;
mod links;
mod member;
mod node;
mod notification;
mod payment;
mod rate_limit;
mod review;
mod scalar;
mod schedule;
mod scope;
mod search;
mod subscription;

use async_graphql::{
    MergedObject, MergedSubscription, SDLExportOptions, SchemaBuilder, ValidationMode,
};

use crate::live::Live;

pub use rate_limit::Charged;
pub use scope::Scope;
pub use search::Voter;

/// Entry points for reading.
#[derive(MergedObject, Default)]
#[graphql(name = "Query")]
pub struct Query(
    node::NodeQuery,
    member::MemberQuery,
    gathering::GatheringQuery,
    search::SearchQuery,
    rate_limit::RateLimitQuery,
);

/// Entry points for writing. Send @idempotent(key:) with any of them; required where noted.
#[derive(MergedObject, Default)]
#[graphql(name = "Mutation")]
pub struct Mutation(
    member::MemberMutation,
    gathering::GatheringMutation,
    schedule::ScheduleMutation,
    review::ReviewMutation,
    chat::ChatMutation,
    notification::NotificationMutation,
    payment::PaymentMutation,
);

/// Live edges. Without `after` a stream starts now. With it, everything after that cursor is delivered
/// first, then live, in order, with no gap and no repeat. On the very first start subscribe, then read
/// the page; ids make the overlap harmless. A cursor older than the retention ends the stream with
/// CURSOR_EXPIRED: read the page again and resume from its newest cursor. A reader that is too slow is
/// cut off with SLOW_CONSUMER and resumes from its last cursor.
#[derive(MergedSubscription, Default)]
#[graphql(name = "Subscription")]
pub struct Subscription(notification::NotificationSubscription, chat::ChatSubscription);

/// The schema that the endpoint executes.
pub type Schema = async_graphql::Schema<Query, Mutation, Subscription>;

fn builder() -> SchemaBuilder<Query, Mutation, Subscription> {
    Schema::build(Query::default(), Mutation::default(), Subscription::default())
        .directive(directive::idempotent)
        .register_output_type::<node::Node>()
        .register_output_type::<error::UserError>()
}

/// Builds the schema; outside development it tells nobody what it holds.
pub fn build(development: bool, live: Live) -> Schema {
    // The guard has bounded the document before; what is left to check is that it fits the schema.
    let builder = builder().data(live).validation_mode(ValidationMode::Strict);
    if development {
        builder.finish()
    } else {
        builder.disable_introspection().disable_suggestions().finish()
    }
}

/// The schema in the schema definition language, as `schema.graphql` holds it.
pub fn sdl() -> String {
    let options = SDLExportOptions::new().include_specified_by().use_space_ident().indent_width(2);
    let sdl = builder().finish().sdl_with_options(options);
    format!("{}\n", sdl.trim_end())
}
