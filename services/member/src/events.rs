//! What this room tells: the public state of members, on every change.
//!
//! It hears nothing from other rooms.

use moim_kit::id::Noun as _;
use moim_kit::seen::Mark;
use moim_kit::{Call, Timestamp, id};
use moim_storage::Tx;

use crate::convert;
use crate::model::Member;

/// Noun of what is told.
const NOUN: &str = id::Member::NAME;

/// Tells a member's new version; it leaves with the transaction.
pub(crate) fn tell_member(tx: &mut Tx, member: &Member, call: &Call, now: Timestamp) {
    let trace = call.trace().to_string();
    tx.tell(NOUN, member.id.uuid(), member.version, &convert::state(member), &trace, now);
}

/// For an answer given again: what its first giving wrote, and all since.
pub(crate) fn told(member: &Member, now: Timestamp) -> Vec<Mark> {
    vec![Mark::new(NOUN, member.id.uuid(), member.version, now)]
}
