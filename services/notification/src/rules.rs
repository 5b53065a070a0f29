//! Who hears what, and in which words: one rule for everything that happens.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike as _, Timelike as _, Utc, Weekday};
use chrono_tz::Tz;
use moim_kit::Timestamp;
use moim_kit::id::MemberId;
use uuid::Uuid;

use crate::model::{Kind, Notice, Subject};

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
        /// Who made it free; not known of events of an older version.
        actor: Option<MemberId>,
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
    Soon { meetup: Meetup, going: Vec<MemberId> },
}

/// What has to be said about it, and to whom; nobody is told of their own act.
pub fn notice(happening: Happening) -> Option<Notice> {
    let (kind, (text, korean_text), (noun, id), audience, actor) = match happening {
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
            (kind, of_membership(moved, &title, &nickname), subject, audience, Some(actor))
        }
        Happening::Schedule { meetup, gathering_title, actor, turn, audience } => {
            let kind = match turn {
                Turn::Announced => Kind::ScheduleCreated,
                Turn::Changed => Kind::ScheduleChanged,
                Turn::Cancelled { .. } => Kind::ScheduleCancelled,
            };
            let words = of_schedule(&turn, &meetup, &gathering_title);
            (kind, words, ("schedule", meetup.id), audience, Some(actor))
        }
        Happening::Seat { meetup, member, actor } => {
            let (title, (when, korean)) = (&meetup.title, when(&meetup));
            let words = (
                format!("You have a seat at {title}, {when}."),
                format!("'{title}' 일정에 자리가 나서 참석이 확정되었습니다. {korean}에 만나요."),
            );
            (Kind::SeatGranted, words, ("schedule", meetup.id), vec![member], actor)
        }
        Happening::Review { id, title, author, nickname, rating, host } => {
            let words = (
                format!("{nickname} gave {title} {rating} of 5."),
                format!("{nickname}님이 '{title}' 일정에 별점 {rating}점 후기를 남겼습니다."),
            );
            (Kind::ReviewReceived, words, ("review", id), vec![host], Some(author))
        }
        Happening::Soon { meetup, going } => {
            let (title, (when, korean)) = (&meetup.title, when(&meetup));
            let words = (
                format!("{title} starts {when}."),
                format!("'{title}' 일정이 {korean}에 시작합니다."),
            );
            (Kind::ScheduleReminder, words, ("schedule", meetup.id), going, None)
        }
    };
    let audience: BTreeSet<_> =
        audience.into_iter().filter(|member| Some(*member) != actor).collect();
    let subject = Subject { noun: noun.to_owned(), id };
    (!audience.is_empty()).then_some(Notice { kind, text, korean_text, subject, audience })
}

/// True when somebody who took their seat then is reminded of this start: they had it when the
/// reminder was due. Who comes later has just seen the time.
pub fn reminds(since: Timestamp, due: Timestamp) -> bool {
    since <= due
}

fn of_membership(moved: Move, title: &str, nickname: &str) -> (String, String) {
    match moved {
        Move::Requested => (
            format!("{nickname} asks to join {title}."),
            format!("{nickname}님이 '{title}' 모임에 가입을 신청했습니다."),
        ),
        Move::Approved => (
            format!("You are now a member of {title}."),
            format!("'{title}' 모임 가입 신청이 승인되었습니다."),
        ),
        Move::Rejected => (
            format!("Your request to join {title} was declined."),
            format!("'{title}' 모임 가입 신청이 거절되었습니다."),
        ),
        Move::Removed => (
            format!("You were removed from {title}."),
            format!("'{title}' 모임에서 제외되었습니다."),
        ),
        Move::Banned => (
            format!("You were removed from {title} for good."),
            format!("'{title}' 모임에서 제외되어 다시 가입하실 수 없습니다."),
        ),
        Move::RoleChanged(role) => {
            let (english, korean) = match role {
                Role::Host => ("the host", "모임장이"),
                Role::Manager => ("a manager", "운영진이"),
                Role::Member => ("a member", "일반 회원이"),
            };
            (
                format!("You are now {english} of {title}."),
                format!("이제 '{title}' 모임의 {korean} 되셨습니다."),
            )
        }
    }
}

fn of_schedule(turn: &Turn, meetup: &Meetup, gathering: &str) -> (String, String) {
    let (title, (when, korean)) = (&meetup.title, when(meetup));
    match turn {
        Turn::Announced => (
            format!("New at {gathering}: {title}, {when}."),
            format!("'{gathering}' 모임에 새 일정이 생겼습니다: {title}, {korean}."),
        ),
        Turn::Changed => (
            format!("{title} of {gathering} has changed; it starts {when}."),
            format!("'{gathering}' 모임의 '{title}' 일정이 바뀌었습니다. {korean}에 시작합니다."),
        ),
        Turn::Cancelled { reason } => (
            format!("{title} of {gathering} was cancelled: {reason}"),
            format!("'{gathering}' 모임의 '{title}' 일정이 취소되었습니다: {reason}"),
        ),
    }
}

/// The start as people there say it, in English and Korean; an unknown zone is shown as UTC.
fn when(meetup: &Meetup) -> (String, String) {
    let zone: Tz = meetup.time_zone.parse().unwrap_or(Tz::UTC);
    let start = DateTime::<Utc>::from_timestamp_micros(meetup.starts_at.us()).unwrap_or_default();
    let start = start.with_timezone(&zone);
    let day = match start.weekday() {
        Weekday::Mon => "월",
        Weekday::Tue => "화",
        Weekday::Wed => "수",
        Weekday::Thu => "목",
        Weekday::Fri => "금",
        Weekday::Sat => "토",
        Weekday::Sun => "일",
    };
    let (month, date) = (start.month(), start.day());
    let (hour, minute) = (start.hour(), start.minute());
    (
        start.format("on %a %-d %b at %H:%M").to_string(),
        format!("{month}월 {date}일({day}) {hour:02}:{minute:02}"),
    )
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
        let seat = |actor| Happening::Seat { meetup: meetup(), member, actor };
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

    #[test]
    fn a_start_is_said_as_people_there_say_it() {
        let both = when(&meetup());
        assert_eq!(both.0, "on Sat 14 Mar at 19:00");
        assert_eq!(both.1, "3월 14일(토) 19:00");
        let nowhere = Meetup { time_zone: "Mars/Olympus".to_owned(), ..meetup() };
        assert_eq!(when(&nowhere).0, "on Sat 14 Mar at 10:00");
    }
}
