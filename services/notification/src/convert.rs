//! Between the model and the messages of the contracts.

use std::str::FromStr;

use moim_kit::id::MemberId;
use moim_kit::page::{PageArgs, PageOf, PageSpec};
use moim_kit::{Fault, Timestamp};
use moim_proto::gathering::v1::{MembershipEvent, MembershipMove, MembershipRole};
use moim_proto::notification::v1 as proto;
use moim_proto::page::v1::{Page, PageRequest};
use moim_proto::payment::v1::{OrderEvent, OrderFailure, OrderState};
use moim_proto::review::v1::ReviewEvent;
use moim_proto::schedule::v1::{
    AttendanceEvent, AttendanceMove, ScheduleEvent, ScheduleMove, ScheduleState,
};

use crate::model::{Kind, LIST, Notification};
use crate::rules::{End, Happening, Meetup, Move, Offer, Role, Turn};

pub fn notification(of: &Notification) -> proto::Notification {
    proto::Notification {
        id: of.id.to_string(),
        member_id: of.member.to_string(),
        sequence: of.sequence,
        kind: kind(of.kind).into(),
        text: of.text.clone(),
        korean_text: of.korean_text.clone(),
        subject: Some(proto::Subject {
            noun: of.subject.noun.clone(),
            id: of.subject.id.to_string(),
        }),
        created_at_us: of.created_at.us(),
        read_at_us: of.read_at.map(Timestamp::us),
    }
}

fn kind(kind: Kind) -> proto::NotificationKind {
    use proto::NotificationKind as Wire;
    match kind {
        Kind::MembershipRequested => Wire::MembershipRequested,
        Kind::MembershipDecided => Wire::MembershipDecided,
        Kind::MembershipChanged => Wire::MembershipChanged,
        Kind::ScheduleCreated => Wire::ScheduleCreated,
        Kind::ScheduleChanged => Wire::ScheduleChanged,
        Kind::ScheduleCancelled => Wire::ScheduleCancelled,
        Kind::ScheduleReminder => Wire::ScheduleReminder,
        Kind::SeatGranted => Wire::SeatGranted,
        Kind::SeatOffered => Wire::SeatOffered,
        Kind::OrderChanged => Wire::OrderChanged,
        Kind::ReviewReceived => Wire::ReviewReceived,
    }
}

/// A checked page of the list.
pub fn page_spec(page: Option<&PageRequest>) -> Result<PageSpec, Fault> {
    let args = page.map_or_else(PageArgs::default, |page| PageArgs {
        first: page.first,
        after: page.after.as_deref(),
        last: page.last,
        before: page.before.as_deref(),
    });
    PageSpec::try_new(args, LIST)
}

/// What an answer says of its place in the list.
pub fn page<T>(of: &PageOf<T>) -> Page {
    Page {
        has_next_page: of.has_next_page,
        has_previous_page: of.has_previous_page,
        cursors: of.cursors.clone(),
    }
}

/// How a membership moved; nothing where nobody has to know.
pub fn membership(event: MembershipEvent) -> Result<Option<Happening>, Fault> {
    let moved = match event.r#move() {
        MembershipMove::Requested => Move::Requested,
        MembershipMove::Approved => Move::Approved,
        MembershipMove::Rejected => Move::Rejected,
        MembershipMove::Removed => Move::Removed,
        MembershipMove::Banned => Move::Banned,
        MembershipMove::RoleChanged => Move::RoleChanged(match event.role() {
            MembershipRole::Host => Role::Host,
            MembershipRole::Manager => Role::Manager,
            MembershipRole::Member => Role::Member,
            MembershipRole::Unspecified => return Err(Fault::internal("a move to no role")),
        }),
        MembershipMove::Joined | MembershipMove::Left => return Ok(None),
        MembershipMove::Unspecified => return Err(Fault::internal("a membership moved nowhere")),
    };
    let member = event.member.ok_or_else(|| Fault::internal("a membership without a member"))?;
    Ok(Some(Happening::Membership {
        id: id(&event.membership_id)?,
        gathering: id(&event.gathering_id)?,
        title: event.gathering_title,
        member: id(&member.id)?,
        nickname: member.nickname,
        actor: id(&event.actor_id)?,
        moved,
        managers: ids(&event.manager_ids)?,
    }))
}

/// What happened to a schedule.
pub fn schedule(event: ScheduleEvent) -> Result<Happening, Fault> {
    let turn = match event.r#move() {
        ScheduleMove::Announced => Turn::Announced,
        ScheduleMove::Changed => Turn::Changed,
        ScheduleMove::Cancelled => Turn::Cancelled { reason: event.reason },
        ScheduleMove::Unspecified => return Err(Fault::internal("a schedule moved nowhere")),
    };
    Ok(Happening::Schedule {
        meetup: Meetup {
            id: id(&event.schedule_id)?,
            title: event.title,
            starts_at: Timestamp::from_us(event.starts_at_us),
            time_zone: event.time_zone,
        },
        gathering_title: event.gathering_title,
        actor: id(&event.actor_id)?,
        turn,
        audience: ids(&event.audience_ids)?,
    })
}

/// Somebody in line got a seat, or is offered one.
pub fn seat(event: AttendanceEvent) -> Result<Happening, Fault> {
    let offer = match event.r#move() {
        AttendanceMove::Granted | AttendanceMove::Unspecified => None,
        AttendanceMove::Offered => {
            let until = event.hold_expires_at_us;
            let until = until.ok_or_else(|| Fault::internal("an offer without an end"))?;
            let until = Timestamp::from_us(until);
            Some(Offer { until, fee_krw: i64::from(event.fee_krw) })
        }
    };
    let actor = (!event.actor_id.is_empty()).then(|| id(&event.actor_id)).transpose()?;
    Ok(Happening::Seat {
        actor,
        offer,
        meetup: Meetup {
            id: id(&event.schedule_id)?,
            title: event.schedule_title,
            starts_at: Timestamp::from_us(event.starts_at_us),
            time_zone: event.time_zone,
        },
        member: id(&event.member_id)?,
    })
}

/// How an order ended; nothing where its member did it or hears of it otherwise.
pub fn order(event: OrderEvent) -> Result<Option<Happening>, Fault> {
    let end = match (event.state(), event.failure()) {
        (OrderState::Confirmed, _) => End::Paid,
        (OrderState::Refunded, _) => End::Refunded,
        (OrderState::Released, OrderFailure::InsufficientBalance) => End::LackedMoney,
        (OrderState::Released, OrderFailure::Expired) => End::Expired,
        _ => return Ok(None),
    };
    Ok(Some(Happening::Order {
        id: id(&event.order_id)?,
        title: event.schedule_title,
        member: id(&event.member_id)?,
        amount_krw: event.amount_krw,
        end,
    }))
}

/// Somebody wrote a review.
pub fn review(event: ReviewEvent) -> Result<Happening, Fault> {
    let author = event.author.ok_or_else(|| Fault::internal("a review without an author"))?;
    Ok(Happening::Review {
        id: id(&event.review_id)?,
        title: event.schedule_title,
        author: id(&author.id)?,
        nickname: author.nickname,
        rating: event.rating,
        host: id(&event.host_id)?,
    })
}

/// What is kept of a schedule.
pub fn meetup(state: ScheduleState) -> Result<Meetup, Fault> {
    Ok(Meetup {
        id: id(&state.id)?,
        title: state.title,
        starts_at: Timestamp::from_us(state.starts_at_us),
        time_zone: state.time_zone,
    })
}

/// An id that another room wrote.
pub fn id<T: FromStr>(text: &str) -> Result<T, Fault>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    text.parse().map_err(Fault::internal)
}

fn ids(texts: &[String]) -> Result<Vec<MemberId>, Fault> {
    texts.iter().map(|text| id(text)).collect()
}
