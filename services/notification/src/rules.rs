//! Who hears what: one rule for everything that happens.

use std::collections::BTreeSet;

use moim_kit::Timestamp;
use moim_kit::id::MemberId;
use uuid::Uuid;

use crate::model::{Kind, Notice, Subject};
use crate::words::{self, Both};

/// Rights somebody was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Host,
    Manager,
    Member,
}

/// How a membership moved, where somebody has to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    Requested,
    Approved,
    Rejected,
    Removed,
    Banned,
    RoleChanged(Role),
}

/// What happened to a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    Announced,
    Changed,
    Cancelled { reason: String },
}

/// Until when a freed seat is held for somebody, and its price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    pub until: Timestamp,
    pub fee_krw: i64,
}

/// How an order ended, where its member has to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Paid,
    LackedMoney,
    Expired,
    Refunded,
}

/// A schedule's name and start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meetup {
    pub id: Uuid,
    pub title: String,
    pub starts_at: Timestamp,
    /// IANA zone.
    pub time_zone: String,
}

/// Something that happened, with the names of then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    Membership {
        id: Uuid,
        gathering: Uuid,
        title: String,
        member: MemberId,
        nickname: String,
        actor: MemberId,
        moved: Move,
        managers: Vec<MemberId>,
    },
    Schedule {
        meetup: Meetup,
        gathering_title: String,
        actor: MemberId,
        turn: Turn,
        audience: Vec<MemberId>,
    },
    Seat {
        meetup: Meetup,
        member: MemberId,
        /// Who made it free; nobody when time did.
        actor: Option<MemberId>,
        /// What stands between the member and the seat; nothing when it is theirs.
        offer: Option<Offer>,
    },
    Order {
        id: Uuid,
        title: String,
        member: MemberId,
        amount_krw: i64,
        end: End,
    },
    Review {
        id: Uuid,
        title: String,
        author: MemberId,
        nickname: String,
        rating: i32,
        host: MemberId,
    },
    /// A schedule is about to start.
    Soon {
        meetup: Meetup,
        going: Vec<MemberId>,
    },
}

/// What has to be said about it, and to whom; nobody is told of their own act.
pub fn notice(happening: Happening) -> Option<Notice> {
    let (kind, words, (noun, id), audience, actor): (_, Both, _, _, _) = match happening {
        Happening::Membership {
            id,
            gathering,
            title,
            member,
            nickname,
            actor,
            moved,
            managers,
        } => {
            let kind = match moved {
                Move::Requested => Kind::MembershipRequested,
                Move::Approved | Move::Rejected => Kind::MembershipDecided,
                Move::Removed | Move::Banned | Move::RoleChanged(_) => Kind::MembershipChanged,
            };
            let asks = moved == Move::Requested;
            let subject = if asks { ("membership", id) } else { ("gathering", gathering) };
            let audience = if asks { managers } else { vec![member] };
            let words = words::of_membership(moved, &title, &nickname);
            (kind, words, subject, audience, Some(actor))
        }
        Happening::Schedule { meetup, gathering_title, actor, turn, audience } => {
            let kind = match turn {
                Turn::Announced => Kind::ScheduleCreated,
                Turn::Changed => Kind::ScheduleChanged,
                Turn::Cancelled { .. } => Kind::ScheduleCancelled,
            };
            let words = words::of_schedule(&turn, &meetup, &gathering_title);
            (kind, words, ("schedule", meetup.id), audience, Some(actor))
        }
        Happening::Seat { meetup, member, actor, offer } => {
            let kind = offer.map_or(Kind::SeatGranted, |_| Kind::SeatOffered);
            let words = words::of_seat(&meetup, offer);
            (kind, words, ("schedule", meetup.id), vec![member], actor)
        }
        Happening::Order { id, title, member, amount_krw, end } => {
            let words = words::of_order(end, &title, amount_krw);
            (Kind::OrderChanged, words, ("order", id), vec![member], None)
        }
        Happening::Review { id, title, author, nickname, rating, host } => {
            let words = words::of_review(&title, &nickname, rating);
            (Kind::ReviewReceived, words, ("review", id), vec![host], Some(author))
        }
        Happening::Soon { meetup, going } => {
            let words = words::of_start(&meetup);
            (Kind::ScheduleReminder, words, ("schedule", meetup.id), going, None)
        }
    };
    let audience: BTreeSet<_> =
        audience.into_iter().filter(|member| Some(*member) != actor).collect();
    let subject = Subject { noun: noun.to_owned(), id };
    let (text, korean_text) = words;
    (!audience.is_empty()).then_some(Notice { kind, text, korean_text, subject, audience })
}

/// True when somebody who took their seat then is reminded of this start: they had it when the
/// reminder was due. Who comes later has just seen the time.
pub fn reminds(since: Timestamp, due: Timestamp) -> bool {
    since <= due
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meetup() -> Meetup {
        Meetup {
            id: Uuid::now_v7(),
            title: "저녁 달리기".to_owned(),
            starts_at: Timestamp::from_us(1_773_482_400_000_000),
            time_zone: "Asia/Seoul".to_owned(),
        }
    }

    fn membership(moved: Move, actor: MemberId, member: MemberId, boss: MemberId) -> Happening {
        Happening::Membership {
            id: Uuid::now_v7(),
            gathering: Uuid::now_v7(),
            title: "한강".to_owned(),
            member,
            nickname: "바다".to_owned(),
            actor,
            moved,
            managers: if moved == Move::Requested { vec![boss, boss] } else { vec![] },
        }
    }

    #[test]
    fn each_happening_is_told_to_whom_it_concerns_but_not_to_who_did_it() {
        let [boss, member] = [MemberId::fresh(), MemberId::fresh()];
        let schedule = |turn| Happening::Schedule {
            meetup: meetup(),
            gathering_title: "한강".to_owned(),
            actor: boss,
            turn,
            audience: vec![member, boss, member],
        };
        let review = |host| Happening::Review {
            id: Uuid::now_v7(),
            title: "저녁 달리기".to_owned(),
            author: member,
            nickname: "바다".to_owned(),
            rating: 5,
            host,
        };
        let seat = |actor| Happening::Seat { meetup: meetup(), member, actor, offer: None };
        let offered = |actor| {
            let offer = Some(Offer { until: Timestamp::from_us(0), fee_krw: 12_000 });
            Happening::Seat { meetup: meetup(), member, actor, offer }
        };
        let order = |end| Happening::Order {
            id: Uuid::now_v7(),
            title: "저녁 달리기".to_owned(),
            member,
            amount_krw: 12_000,
            end,
        };
        let by_boss = |moved| membership(moved, boss, member, boss);
        let reason = "비".to_owned();
        let to = |who| Some(who);
        for (happening, kind, hears) in [
            (
                membership(Move::Requested, member, member, boss),
                Kind::MembershipRequested,
                to(boss),
            ),
            (membership(Move::Requested, boss, member, boss), Kind::MembershipRequested, None),
            (by_boss(Move::Approved), Kind::MembershipDecided, to(member)),
            (by_boss(Move::Rejected), Kind::MembershipDecided, to(member)),
            (by_boss(Move::Removed), Kind::MembershipChanged, to(member)),
            (by_boss(Move::Banned), Kind::MembershipChanged, to(member)),
            (by_boss(Move::RoleChanged(Role::Host)), Kind::MembershipChanged, to(member)),
            (
                membership(Move::RoleChanged(Role::Manager), boss, boss, boss),
                Kind::MembershipChanged,
                None,
            ),
            (schedule(Turn::Announced), Kind::ScheduleCreated, to(member)),
            (schedule(Turn::Changed), Kind::ScheduleChanged, to(member)),
            (schedule(Turn::Cancelled { reason }), Kind::ScheduleCancelled, to(member)),
            (seat(Some(boss)), Kind::SeatGranted, to(member)),
            (seat(None), Kind::SeatGranted, to(member)),
            (seat(Some(member)), Kind::SeatGranted, None),
            (offered(Some(boss)), Kind::SeatOffered, to(member)),
            (offered(None), Kind::SeatOffered, to(member)),
            (order(End::Paid), Kind::OrderChanged, to(member)),
            (order(End::LackedMoney), Kind::OrderChanged, to(member)),
            (order(End::Expired), Kind::OrderChanged, to(member)),
            (order(End::Refunded), Kind::OrderChanged, to(member)),
            (review(boss), Kind::ReviewReceived, to(boss)),
            (review(member), Kind::ReviewReceived, None),
            (
                Happening::Soon { meetup: meetup(), going: vec![member] },
                Kind::ScheduleReminder,
                to(member),
            ),
            (Happening::Soon { meetup: meetup(), going: vec![] }, Kind::ScheduleReminder, None),
        ] {
            let told = notice(happening.clone());
            let heard: Option<Vec<_>> =
                told.as_ref().map(|notice| notice.audience.iter().copied().collect());
            assert_eq!(heard, hears.map(|who| vec![who]), "{happening:?}");
            if let Some(notice) = told {
                assert_eq!(notice.kind, kind);
                assert_ne!(notice.text, notice.korean_text);
            }
        }
    }
}
