//! Between what travels and what the model knows.

use moim_kit::Fault;
use moim_kit::id::MemberId;
use moim_kit::page::{PageArgs, PageOf, PageSpec};
use moim_proto::gathering::v1::{
    self, CreateRequest, GatheringState, MembershipEvent, MembershipMove, MembershipState,
    UpdateRequest,
};
use moim_proto::member::v1 as member;
use moim_proto::page::v1::{Page, PageRequest};

use crate::fault::Reason;
use crate::model::{
    self, Card, Category, Change, Draft, Gathering, GatheringStatus, JoinPolicy, Sort,
};
use crate::region::Region;
use crate::roster::{Membership, Role, Status};

/// An enum of the model and the number it travels as.
pub trait Numbered: Sized {
    fn number(self) -> i32;
    fn from_number(number: i32) -> Option<Self>;
}

macro_rules! numbered {
    ($($own:ident as $wire:ident { $($variant:ident)* })*) => {
        $(impl Numbered for $own {
            fn number(self) -> i32 {
                match self { $(Self::$variant => v1::$wire::$variant.into(),)* }
            }

            fn from_number(number: i32) -> Option<Self> {
                match v1::$wire::try_from(number) {
                    $(Ok(v1::$wire::$variant) => Some(Self::$variant),)*
                    _ => None,
                }
            }
        })*
    };
}

numbered! {
    Category as Category {
        Arts Books Cooking Culture Games Language Music Outdoors Pets Social Sports Study Travel
        Volunteering
    }
    JoinPolicy as JoinPolicy { Open Approval }
    GatheringStatus as GatheringStatus { Open Full Closed }
    Sort as ListSort { Active Newest Popular }
    Role as MembershipRole { Host Manager Member }
    Status as MembershipStatus { Pending Active Rejected Left Removed Banned }
}

pub fn category(number: i32) -> Result<Category, Reason> {
    Category::from_number(number).ok_or(Reason::CategoryInvalid)
}

pub fn role(number: i32) -> Result<Role, Reason> {
    Role::from_number(number).ok_or(Reason::RoleInvalid)
}

/// Those who are in, when nothing was chosen.
pub fn status(number: i32) -> Result<Status, Reason> {
    if number == 0 {
        return Ok(Status::Active);
    }
    Status::from_number(number).ok_or(Reason::StatusInvalid)
}

/// The busiest first, when nothing was chosen.
pub fn sort(number: i32) -> Result<Sort, Reason> {
    if number == 0 {
        return Ok(Sort::Active);
    }
    Sort::from_number(number).ok_or(Reason::SortInvalid)
}

fn join_policy(number: i32) -> Result<JoinPolicy, Reason> {
    JoinPolicy::from_number(number).ok_or(Reason::JoinPolicyInvalid)
}

pub fn draft(request: &CreateRequest) -> Result<Draft, Reason> {
    Ok(Draft {
        title: model::title(&request.title)?,
        description: model::description(&request.description)?,
        category: category(request.category)?,
        region: model::region(&request.region_code)?,
        image_url: model::image_url(request.image_url.as_deref().unwrap_or_default())?,
        join_policy: join_policy(request.join_policy)?,
        capacity: model::capacity(request.capacity)?,
    })
}

pub fn change(request: &UpdateRequest) -> Result<Change, Reason> {
    Ok(Change {
        title: request.title.as_deref().map(model::title).transpose()?,
        description: request.description.as_deref().map(model::description).transpose()?,
        category: request.category.map(category).transpose()?,
        region: request.region_code.as_deref().map(model::region).transpose()?,
        image_url: request.image_url.as_deref().map(model::image_url).transpose()?,
        join_policy: request.join_policy.map(join_policy).transpose()?,
        capacity: request.capacity.map(model::capacity).transpose()?,
        closed: request.closed,
    })
}

/// A checked page; `list` tags the cursors of the list.
pub fn page_spec(page: Option<&PageRequest>, list: u8) -> Result<PageSpec, Fault> {
    let args = page.map_or_else(PageArgs::default, |page| PageArgs {
        first: page.first,
        after: page.after.as_deref(),
        last: page.last,
        before: page.before.as_deref(),
    });
    PageSpec::try_new(args, list)
}

/// The rows of a page, and what the answer says about its place.
pub fn page<T>(page: PageOf<T>) -> (Vec<T>, Option<Page>) {
    let PageOf { rows, cursors, has_next_page, has_previous_page } = page;
    (rows, Some(Page { has_next_page, has_previous_page, cursors }))
}

pub fn gathering(gathering: Gathering, own: Option<Membership>) -> v1::Gathering {
    v1::Gathering {
        id: gathering.id.to_string(),
        category: gathering.category.number(),
        region: Some(region(gathering.region)),
        join_policy: gathering.join_policy.number(),
        status: gathering.status().number(),
        capacity: gathering.capacity,
        member_count: gathering.member_count,
        created_at_us: gathering.created_at.us(),
        title: gathering.title,
        description: gathering.description,
        image_url: gathering.image_url,
        host: Some(card(gathering.host)),
        viewer_membership: own.map(membership),
        rating: gathering.rating.mean(),
    }
}

/// Everything of a membership; what the caller may not see was taken out before.
pub fn membership(membership: Membership) -> v1::Membership {
    v1::Membership {
        id: membership.id.to_string(),
        gathering_id: membership.gathering.to_string(),
        member: Some(card(membership.member)),
        role: membership.role.number(),
        status: membership.status.number(),
        message: membership.message,
        updated_at_us: membership.updated_at.us(),
    }
}

pub fn region(region: &Region) -> v1::Region {
    v1::Region { code: region.code.to_owned(), name: region.name.to_owned() }
}

fn card(card: Card) -> member::Card {
    let Card { member, nickname, avatar_url } = card;
    member::Card { id: member.to_string(), nickname, avatar_url }
}

pub fn gathering_state(gathering: &Gathering) -> GatheringState {
    GatheringState {
        id: gathering.id.to_string(),
        title: gathering.title.clone(),
        description: gathering.description.clone(),
        category: gathering.category.number(),
        region: Some(region(gathering.region)),
        image_url: gathering.image_url.clone(),
        join_policy: gathering.join_policy.number(),
        status: gathering.status().number(),
        capacity: gathering.capacity,
        member_count: gathering.member_count,
        host_id: gathering.host.member.to_string(),
        created_at_us: gathering.created_at.us(),
    }
}

pub fn membership_state(membership: &Membership) -> MembershipState {
    MembershipState {
        id: membership.id.to_string(),
        gathering_id: membership.gathering.to_string(),
        member_id: membership.member.member.to_string(),
        role: membership.role.number(),
        status: membership.status.number(),
    }
}

/// How a membership moved, with the names of now.
pub fn membership_event(
    gathering: &Gathering,
    membership: &Membership,
    moved: MembershipMove,
    actor: MemberId,
    managers: &[MemberId],
) -> MembershipEvent {
    MembershipEvent {
        membership_id: membership.id.to_string(),
        gathering_id: gathering.id.to_string(),
        gathering_title: gathering.title.clone(),
        member: Some(card(membership.member.clone())),
        actor_id: actor.to_string(),
        r#move: moved.into(),
        role: membership.role.number(),
        manager_ids: managers.iter().map(MemberId::to_string).collect(),
    }
}
