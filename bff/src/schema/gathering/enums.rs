//! Closed sets of the gathering service, as clients and as the service spell them.

use async_graphql::Enum;
use moim_proto::gathering::v1 as proto;

use crate::schema::enums::same;

/// What a gathering is about.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Category {
    /// Drawing, crafts, photography.
    Arts,
    /// Reading and writing.
    Books,
    /// Cooking, baking, eating out.
    Cooking,
    /// Shows, films, exhibitions.
    Culture,
    /// Board games and video games.
    Games,
    /// Learning and speaking languages.
    Language,
    /// Playing, singing, listening.
    Music,
    /// Hiking, camping, cycling.
    Outdoors,
    /// Life with animals.
    Pets,
    /// Meeting people.
    Social,
    /// Playing and watching sports.
    Sports,
    /// Learning together.
    Study,
    /// Going places.
    Travel,
    /// Helping others.
    Volunteering,
}

/// How people get in.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JoinPolicy {
    /// At once, while there is room.
    Open,
    /// After a host or manager approves.
    Approval,
}

/// Whether a gathering takes members.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GatheringStatus {
    /// Takes members.
    Open,
    /// At capacity; opens again by itself.
    Full,
    /// Closed to newcomers by the host.
    Closed,
}

/// Rights within a gathering, highest first.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MembershipRole {
    /// Exactly one; everything, including handing over.
    Host,
    /// Approves, removes, schedules, checks in.
    Manager,
    /// Takes part.
    Member,
}

/// Life of a membership.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MembershipStatus {
    /// Asked to join; not decided yet.
    Pending,
    /// In.
    Active,
    /// Asked to join; turned down.
    Rejected,
    /// Went by themself, or took back the request.
    Left,
    /// Removed; may come back.
    Removed,
    /// Removed; may not come back.
    Banned,
}

/// Order of a list of gatherings.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GatheringSort {
    /// Most recent activity first.
    Active,
    /// Most recently started first.
    Newest,
    /// Most members first.
    Popular,
}

same! { proto:
    Category = Category {
        Arts Books Cooking Culture Games Language Music Outdoors Pets Social Sports Study Travel Volunteering
    }
    JoinPolicy = JoinPolicy { Open Approval }
    GatheringStatus = GatheringStatus { Open Full Closed }
    MembershipRole = MembershipRole { Host Manager Member }
    MembershipStatus = MembershipStatus { Pending Active Rejected Left Removed Banned }
    GatheringSort = ListSort { Active Newest Popular }
}
