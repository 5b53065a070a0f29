//! Closed sets of the search service, as clients and as the service spell them.

use async_graphql::Enum;
use moim_proto::search::v1 as proto;

use crate::schema::enums::same;

/// Kinds of search results.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SearchKind {
    /// A standing group.
    Gathering,
    /// A meetup of one.
    Schedule,
    /// A person.
    Member,
}

same! { proto:
    SearchKind = SearchKind { Gathering Schedule Member }
}
