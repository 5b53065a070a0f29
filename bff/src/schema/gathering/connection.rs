//! Pages of gatherings and of memberships.

use super::types::{Gathering, Membership};
use crate::schema::connection::connection;

connection! {
    GatheringConnection "A page of gatherings."
    GatheringEdge "A gathering in a page."
    Gathering "The gathering itself."
}

connection! {
    MembershipConnection "A page of memberships."
    MembershipEdge "A membership in a page."
    Membership "The membership itself."
}
