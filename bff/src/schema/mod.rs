//! The public schema: nouns in their folders, and every field that costs a call under `links`.

mod connection;
mod directive;
mod enums;
mod error;
mod gathering;
mod global_id;
mod links;
mod member;
mod node;
mod scalar;
mod schedule;
mod scope;

use async_graphql::{
    EmptySubscription, MergedObject, SDLExportOptions, SchemaBuilder, ValidationMode,
};

pub use scope::Scope;

/// Entry points for reading.
#[derive(MergedObject, Default)]
#[graphql(name = "Query")]
pub struct Query(node::NodeQuery, member::MemberQuery, gathering::GatheringQuery);

/// Entry points for writing. Send @idempotent(key:) with any of them; required where noted.
#[derive(MergedObject, Default)]
#[graphql(name = "Mutation")]
pub struct Mutation(
    member::MemberMutation,
    gathering::GatheringMutation,
    schedule::ScheduleMutation,
);

/// The schema that the endpoint executes.
pub type Schema = async_graphql::Schema<Query, Mutation, EmptySubscription>;

fn builder() -> SchemaBuilder<Query, Mutation, EmptySubscription> {
    Schema::build(Query::default(), Mutation::default(), EmptySubscription)
        .directive(directive::idempotent)
        .register_output_type::<node::Node>()
        .register_output_type::<error::UserError>()
}

/// Builds the schema; outside development it tells nobody what it holds.
pub fn build(development: bool) -> Schema {
    // The guard has bounded the document before; what is left to check is that it fits the schema.
    let builder = builder().validation_mode(ValidationMode::Strict);
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
