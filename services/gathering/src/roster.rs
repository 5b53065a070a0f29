//! Memberships: who may do what in a gathering, and how a member's standing moves.

use moim_kit::Timestamp;
use moim_kit::id::{GatheringId, MemberId, MembershipId};

use crate::fault::Reason;
use crate::model::{Card, Gathering, JoinPolicy, words};

words! {
    /// Rights within a gathering.
    Role {
        Host "HOST",
        Manager "MANAGER",
        Member "MEMBER",
    }
}

words! {
    /// Life of a membership.
    Status {
        Pending "PENDING",
        Active "ACTIVE",
        Rejected "REJECTED",
        Left "LEFT",
        Removed "REMOVED",
        Banned "BANNED",
    }
}

/// A member's standing in a gathering; one for ever, whatever becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    pub id: MembershipId,
    pub gathering: GatheringId,
    pub member: Card,
    pub role: Role,
    pub status: Status,
    pub message: Option<String>,
    /// When they asked to join or, once active, got in.
    pub joined_at: Timestamp,
    pub updated_at: Timestamp,
    pub version: i64,
}

/// Something only some roles may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Update,
    SeeRequests,
    Decide,
    SetRole,
    /// Removing someone of this role.
    Remove(Role),
}

/// What a move does to the seats of the gathering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seat {
    Taken,
    Freed,
    Same,
}

/// The next version of a membership, and the seat that goes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    pub membership: Membership,
    pub seat: Seat,
}

/// What setting a role comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoleMove {
    Unchanged,
    Changed(Membership),
    HandedOver { former: Membership, heir: Membership },
}

/// Whether someone of these rights, or of none, may do that.
pub const fn allows(rights: Option<Role>, action: Action) -> bool {
    match (rights, action) {
        // There is one host, and nobody removes themselves.
        (Some(Role::Host), Action::Remove(Role::Host)) => false,
        (Some(Role::Host), _) => true,
        (Some(Role::Manager), Action::SetRole) => false,
        (Some(Role::Manager), Action::Remove(role)) => matches!(role, Role::Member),
        (Some(Role::Manager), _) => true,
        (Some(Role::Member) | None, _) => false,
    }
}

/// Refuses what the caller's own membership does not allow.
pub fn require(own: Option<&Membership>, action: Action) -> Result<(), Reason> {
    if allows(own.and_then(Membership::rights), action) { Ok(()) } else { Err(Reason::NotAllowed) }
}

/// As [`require`], for what is done to a membership: one that the caller may not see is not there.
fn require_over(own: Option<&Membership>, it: &Membership, action: Action) -> Result<(), Reason> {
    let sees = it.status == Status::Active || own.is_some_and(|own| own.id == it.id);
    require(own, action).map_err(|refused| if sees { refused } else { Reason::MembershipNotFound })
}

/// The host's own membership of a gathering just started.
pub fn host(gathering: &Gathering, now: Timestamp) -> Membership {
    let host = gathering.host.clone();
    Membership { role: Role::Host, ..enter(gathering.id, host, Status::Active, now) }
}

/// Joins, or asks to join, as the policy says; `message` counts only where it is read.
pub fn join(
    gathering: &Gathering,
    own: Option<Membership>,
    card: Card,
    message: Option<String>,
    now: Timestamp,
) -> Result<Move, Reason> {
    let open = gathering.join_policy == JoinPolicy::Open;
    match own.as_ref().map(|own| own.status) {
        Some(Status::Banned) => return Err(Reason::MemberBanned),
        Some(Status::Active) => return Err(Reason::AlreadyJoined),
        // Where anyone may come in at once, somebody who asked before need not wait any longer.
        Some(Status::Pending) if !open => return Err(Reason::AlreadyRequested),
        _ => {}
    }
    // A request takes no seat: one may stand in line before a full gathering, but not a closed one.
    if open || gathering.closed {
        gathering.admits()?;
    }
    let (status, seat, message) = if open {
        (Status::Active, Seat::Taken, None)
    } else {
        (Status::Pending, Seat::Same, message)
    };
    let membership = match own {
        Some(own) => Membership { role: Role::Member, joined_at: now, ..own.moved(status, now) },
        None => enter(gathering.id, card, status, now),
    };
    Ok(Move { membership: Membership { message, ..membership }, seat })
}

/// Leaves, or takes a request back.
pub fn leave(own: Option<Membership>, now: Timestamp) -> Result<Move, Reason> {
    let own = own.ok_or(Reason::NotAMember)?;
    let seat = match own.status {
        Status::Active if own.role == Role::Host => return Err(Reason::HostStays),
        Status::Active => Seat::Freed,
        Status::Pending => Seat::Same,
        _ => return Err(Reason::NotAMember),
    };
    Ok(Move { membership: own.moved(Status::Left, now), seat })
}

/// Approves or rejects a request.
pub fn decide(
    gathering: &Gathering,
    own: Option<&Membership>,
    target: Membership,
    approve: bool,
    now: Timestamp,
) -> Result<Move, Reason> {
    require_over(own, &target, Action::Decide)?;
    if target.status != Status::Pending {
        return Err(Reason::NotPending);
    }
    if !approve {
        return Ok(Move { membership: target.moved(Status::Rejected, now), seat: Seat::Same });
    }
    gathering.admits()?;
    let membership = Membership { joined_at: now, ..target.moved(Status::Active, now) };
    Ok(Move { membership, seat: Seat::Taken })
}

/// Gives a role; giving `Host` hands the gathering over.
pub fn set_role(
    own: Option<&Membership>,
    target: Membership,
    role: Role,
    now: Timestamp,
) -> Result<RoleMove, Reason> {
    require_over(own, &target, Action::SetRole)?;
    let own = own.ok_or(Reason::NotAllowed)?;
    if target.status != Status::Active {
        return Err(Reason::NotActive);
    }
    if target.role == role {
        return Ok(RoleMove::Unchanged);
    }
    if target.id == own.id {
        return Err(Reason::HostStays);
    }
    let target = Membership { role, ..target.moved(Status::Active, now) };
    if role != Role::Host {
        return Ok(RoleMove::Changed(target));
    }
    let former = Membership { role: Role::Manager, ..own.clone().moved(Status::Active, now) };
    Ok(RoleMove::HandedOver { former, heir: target })
}

/// Removes a member or a request, for good with `ban`.
pub fn remove(
    own: Option<&Membership>,
    target: Membership,
    ban: bool,
    now: Timestamp,
) -> Result<Move, Reason> {
    require_over(own, &target, Action::Remove(target.role))?;
    let seat = match target.status {
        Status::Active => Seat::Freed,
        Status::Pending => Seat::Same,
        Status::Left | Status::Removed | Status::Rejected if ban => Seat::Same,
        _ => return Err(Reason::AlreadyOut),
    };
    let status = if ban { Status::Banned } else { Status::Removed };
    Ok(Move { membership: target.moved(status, now), seat })
}

impl Membership {
    /// The rights it gives now: only those who are in have any.
    pub fn rights(&self) -> Option<Role> {
        (self.status == Status::Active).then_some(self.role)
    }

    /// As `viewer` may see it; `manages` tells whether they see the gathering's requests.
    pub fn shown_to(mut self, viewer: Option<MemberId>, manages: bool) -> Option<Self> {
        let trusted = manages || viewer == Some(self.member.member);
        if !trusted {
            self.message = None;
        }
        (trusted || self.status == Status::Active).then_some(self)
    }

    /// Its next version; whoever is not in keeps no rights that could come back unasked.
    fn moved(self, status: Status, now: Timestamp) -> Self {
        let role = if status == Status::Active { self.role } else { Role::Member };
        Self { role, status, updated_at: now, version: self.version + 1, ..self }
    }
}

fn enter(gathering: GatheringId, member: Card, status: Status, now: Timestamp) -> Membership {
    Membership {
        id: MembershipId::fresh(),
        gathering,
        member,
        role: Role::Member,
        status,
        message: None,
        joined_at: now,
        updated_at: now,
        version: 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Category, Draft};

    const NOW: Timestamp = Timestamp::from_us(1_000);
    fn card() -> Card {
        Card { member: MemberId::fresh(), nickname: "바람".to_owned(), avatar_url: None }
    }

    fn gathering(join_policy: JoinPolicy) -> Gathering {
        Draft {
            title: "책 읽는 밤".to_owned(),
            description: "한 달에 한 권.".to_owned(),
            category: Category::Books,
            region: &crate::region::all()[0],
            image_url: None,
            join_policy,
            capacity: 2,
        }
        .open(card(), NOW)
    }

    fn membership(role: Role, status: Status) -> Membership {
        Membership { role, ..enter(GatheringId::fresh(), card(), status, NOW) }
    }

    #[test]
    fn what_each_role_may_do() {
        use Action::{Decide, Remove, SeeRequests, SetRole, Update};
        let nobody = [None, Some(Role::Member)];
        let managers = [Some(Role::Host), Some(Role::Manager)];
        for (action, host, manager) in [
            (Update, true, true),
            (SeeRequests, true, true),
            (Decide, true, true),
            (SetRole, true, false),
            (Remove(Role::Host), false, false),
            (Remove(Role::Manager), true, false),
            (Remove(Role::Member), true, true),
        ] {
            let may = |rights| allows(rights, action);
            assert_eq!(managers.map(may), [host, manager], "{action:?}");
            assert_eq!(nobody.map(may), [false, false], "{action:?}");
        }
    }

    #[test]
    fn only_those_who_are_in_have_rights() {
        for status in
            [Status::Pending, Status::Rejected, Status::Left, Status::Removed, Status::Banned]
        {
            assert_eq!(membership(Role::Manager, status).rights(), None);
        }
        assert_eq!(membership(Role::Manager, Status::Active).rights(), Some(Role::Manager));
        let left = leave(Some(membership(Role::Manager, Status::Active)), NOW).unwrap();
        assert_eq!(left.membership.role, Role::Member);
    }

    #[test]
    fn how_each_standing_meets_each_policy() {
        use Status::{Active, Banned, Left, Pending, Rejected, Removed};
        for (status, open, approval) in [
            (None, Ok(Active), Ok(Pending)),
            (Some(Pending), Ok(Active), Err(Reason::AlreadyRequested)),
            (Some(Active), Err(Reason::AlreadyJoined), Err(Reason::AlreadyJoined)),
            (Some(Rejected), Ok(Active), Ok(Pending)),
            (Some(Left), Ok(Active), Ok(Pending)),
            (Some(Removed), Ok(Active), Ok(Pending)),
            (Some(Banned), Err(Reason::MemberBanned), Err(Reason::MemberBanned)),
        ] {
            for (policy, expected) in [(JoinPolicy::Open, open), (JoinPolicy::Approval, approval)] {
                let own = status.map(|status| membership(Role::Member, status));
                let words = Some("안녕하세요".to_owned());
                let got = join(&gathering(policy), own, card(), words.clone(), NOW);
                let status = got.as_ref().map(|step| step.membership.status).map_err(|why| *why);
                assert_eq!(status, expected);
                if let Ok(Move { membership, seat }) = got {
                    let seated = membership.status == Active;
                    assert_eq!(seat == Seat::Taken, seated);
                    assert_eq!(membership.message, if seated { None } else { words });
                }
            }
        }
    }

    #[test]
    fn a_full_gathering_takes_requests_and_a_closed_one_takes_nobody() {
        for (closed, policy, expected) in [
            (false, JoinPolicy::Open, Some(Reason::GatheringFull)),
            (false, JoinPolicy::Approval, None),
            (true, JoinPolicy::Open, Some(Reason::GatheringClosed)),
            (true, JoinPolicy::Approval, Some(Reason::GatheringClosed)),
        ] {
            let gathering = Gathering { closed, member_count: 2, ..gathering(policy) };
            assert_eq!(join(&gathering, None, card(), None, NOW).err(), expected);
        }
    }

    #[test]
    fn leaving_frees_a_seat_only_of_those_who_had_one() {
        for (role, status, expected) in [
            (Role::Member, Status::Active, Ok(Seat::Freed)),
            (Role::Manager, Status::Active, Ok(Seat::Freed)),
            (Role::Member, Status::Pending, Ok(Seat::Same)),
            (Role::Host, Status::Active, Err(Reason::HostStays)),
            (Role::Member, Status::Left, Err(Reason::NotAMember)),
            (Role::Member, Status::Banned, Err(Reason::NotAMember)),
        ] {
            let got = leave(Some(membership(role, status)), NOW);
            assert_eq!(got.map(|step| step.seat), expected, "{role:?} {status:?}");
        }
        assert_eq!(leave(None, NOW).err(), Some(Reason::NotAMember));
    }

    #[test]
    fn a_removal_needs_somebody_to_remove_and_a_ban_only_somebody_not_yet_banned() {
        let host = membership(Role::Host, Status::Active);
        for (status, removed, banned) in [
            (Status::Active, Ok(Seat::Freed), Ok(Seat::Freed)),
            (Status::Pending, Ok(Seat::Same), Ok(Seat::Same)),
            (Status::Rejected, Err(Reason::AlreadyOut), Ok(Seat::Same)),
            (Status::Left, Err(Reason::AlreadyOut), Ok(Seat::Same)),
            (Status::Removed, Err(Reason::AlreadyOut), Ok(Seat::Same)),
            (Status::Banned, Err(Reason::AlreadyOut), Err(Reason::AlreadyOut)),
        ] {
            for (ban, expected) in [(false, removed), (true, banned)] {
                let got = remove(Some(&host), membership(Role::Member, status), ban, NOW);
                assert_eq!(got.map(|step| step.seat), expected, "{status:?} {ban}");
            }
        }
    }

    #[test]
    fn handing_over_moves_two_memberships_and_the_host_has_no_other_way_out() {
        let host = membership(Role::Host, Status::Active);
        let heir = membership(Role::Member, Status::Active);
        let moved = set_role(Some(&host), heir, Role::Host, NOW).unwrap();
        let RoleMove::HandedOver { former, heir } = moved else { panic!("{moved:?}") };
        assert_eq!((former.role, former.version), (Role::Manager, 2));
        assert_eq!((heir.role, heir.version), (Role::Host, 2));
        let stays = set_role(Some(&host), host.clone(), Role::Member, NOW);
        assert_eq!(stays, Err(Reason::HostStays));
        assert_eq!(set_role(Some(&host), host.clone(), Role::Host, NOW), Ok(RoleMove::Unchanged));
        let waiting = membership(Role::Member, Status::Pending);
        assert_eq!(set_role(Some(&host), waiting, Role::Manager, NOW), Err(Reason::NotActive));
    }
}
