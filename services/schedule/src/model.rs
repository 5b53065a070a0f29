//! Schedules: what they are made of, and which texts, numbers and times they accept.

use std::ops::RangeInclusive;
use std::time::Duration;

use chrono_tz::Tz;
use moim_kit::Timestamp;
use moim_kit::id::{GatheringId, MemberId, ScheduleId};
use moim_kit::text::{line, prose};

use crate::fault::Reason;
use crate::fee;

const TITLE: RangeInclusive<usize> = 2..=60;
const DESCRIPTION: RangeInclusive<usize> = 1..=2_000;
const PLACE: RangeInclusive<usize> = 1..=100;
const REASON: RangeInclusive<usize> = 1..=500;
const CAPACITY: RangeInclusive<i32> = 1..=1_000;

const DAY: Duration = Duration::from_secs(24 * 3_600);
const LONGEST: Duration = DAY.saturating_mul(30);
/// Two years, however many leap days are in them.
const FURTHEST: Duration = DAY.saturating_mul(731);
/// Who came may be recorded so long after the end.
pub const RECORDABLE: Duration = DAY.saturating_mul(30);

/// Declares an enum whose variants are kept as words in the database.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($variant,)* }

        impl $name {
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }
    };
}
pub(crate) use words;

words! {
    /// Rights of an active member within a gathering.
    Role {
        Host "HOST",
        Manager "MANAGER",
        Member "MEMBER",
    }
}

impl Role {
    pub const fn leads(self) -> bool {
        matches!(self, Self::Host | Self::Manager)
    }
}

/// Refuses who may not lead: strangers to the gathering, and its ordinary members.
pub fn require_leader(role: Option<Role>) -> Result<(), Reason> {
    match role {
        Some(role) if role.leads() => Ok(()),
        Some(_) => Err(Reason::NotAllowed),
        None => Err(Reason::NotAMember),
    }
}

/// What everyone sees of a member without asking further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    pub member_id: MemberId,
    pub nickname: String,
    pub avatar_url: Option<String>,
}

/// A meetup as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    pub id: ScheduleId,
    pub gathering_id: GatheringId,
    pub title: String,
    pub description: String,
    pub place: String,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    pub time_zone: String,
    pub capacity: i32,
    pub going_count: i32,
    /// Seats held for members who pay or decide.
    pub held_count: i32,
    pub waitlist_count: i32,
    pub next_ticket: i64,
    pub closed: bool,
    pub cancelled_at: Option<Timestamp>,
    pub cancel_reason: Option<String>,
    /// 0 is free.
    pub fee_krw: i32,
    /// Only when there is a fee.
    pub refundable_until: Option<Timestamp>,
    /// Revision as calendars count it; grows with each change of what they show.
    pub sequence: i64,
    pub version: i64,
    pub created_at: Timestamp,
}

/// What a host or manager announces, checked.
#[derive(Clone, Debug)]
pub struct Plan {
    pub title: String,
    pub description: String,
    pub place: String,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    pub time_zone: String,
    pub capacity: i32,
    pub fee_krw: i32,
    pub refundable_until: Option<Timestamp>,
}

/// What a host or manager changes; absent stays. Times are judged against what they replace.
#[derive(Clone, Debug, Default)]
pub struct Change {
    pub title: Option<String>,
    pub description: Option<String>,
    pub place: Option<String>,
    pub starts_at: Option<Timestamp>,
    pub ends_at: Option<Timestamp>,
    pub capacity: Option<i32>,
    pub closed: Option<bool>,
    pub fee_krw: Option<i32>,
    pub refundable_until: Option<Timestamp>,
}

impl Plan {
    /// Checks what can be checked without knowing the time.
    pub fn checked(self) -> Result<Self, Reason> {
        require_length(self.starts_at, self.ends_at)?;
        let zone: Tz = self.time_zone.parse().map_err(|_| Reason::TimeZoneInvalid)?;
        Ok(Self {
            title: title(&self.title)?,
            description: description(&self.description)?,
            place: place(&self.place)?,
            time_zone: zone.name().to_owned(),
            capacity: capacity(self.capacity)?,
            fee_krw: fee::checked(self.fee_krw)?,
            ..self
        })
    }

    /// The schedule that comes of it, with every seat free.
    pub fn announce(self, gathering_id: GatheringId, now: Timestamp) -> Result<Schedule, Reason> {
        require_ahead(self.starts_at, now)?;
        let until = fee::deadline(self.fee_krw, self.refundable_until, self.starts_at, now)?;
        Ok(Schedule {
            id: ScheduleId::fresh(),
            gathering_id,
            title: self.title,
            description: self.description,
            place: self.place,
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            time_zone: self.time_zone,
            capacity: self.capacity,
            going_count: 0,
            held_count: 0,
            waitlist_count: 0,
            next_ticket: 1,
            closed: false,
            cancelled_at: None,
            cancel_reason: None,
            fee_krw: self.fee_krw,
            refundable_until: until,
            sequence: 0,
            version: 1,
            created_at: now,
        })
    }
}

impl Change {
    /// Checks what can be checked without knowing the schedule.
    pub fn checked(self) -> Result<Self, Reason> {
        Ok(Self {
            title: self.title.as_deref().map(title).transpose()?,
            description: self.description.as_deref().map(description).transpose()?,
            place: self.place.as_deref().map(place).transpose()?,
            capacity: self.capacity.map(capacity).transpose()?,
            fee_krw: self.fee_krw.map(fee::checked).transpose()?,
            ..self
        })
    }

    /// The schedule as it is to be; seats and the line are left as they are. What it costs stays once
    /// somebody has `agreed` to pay.
    pub fn apply(self, old: &Schedule, agreed: bool, now: Timestamp) -> Result<Schedule, Reason> {
        if old.cancelled_at.is_some() {
            return Err(Reason::ScheduleCancelled);
        }
        if now >= old.ends_at {
            return Err(Reason::ScheduleEnded);
        }
        let mut new = Schedule {
            title: self.title.unwrap_or_else(|| old.title.clone()),
            description: self.description.unwrap_or_else(|| old.description.clone()),
            place: self.place.unwrap_or_else(|| old.place.clone()),
            starts_at: self.starts_at.unwrap_or(old.starts_at),
            ends_at: self.ends_at.unwrap_or(old.ends_at),
            capacity: self.capacity.unwrap_or(old.capacity),
            closed: self.closed.unwrap_or(old.closed),
            fee_krw: self.fee_krw.unwrap_or(old.fee_krw),
            ..old.clone()
        };
        if (new.starts_at, new.ends_at) != (old.starts_at, old.ends_at) {
            if now >= old.starts_at {
                return Err(Reason::ScheduleStarted);
            }
            require_ahead(new.starts_at, now)?;
            require_length(new.starts_at, new.ends_at)?;
        }
        if new.capacity < new.taken() {
            return Err(Reason::CapacityTooSmall);
        }
        new.refundable_until =
            fee::changed_deadline(old, &new, self.refundable_until, agreed, now)?;
        new.sequence += i64::from(new.looks_other_than(old));
        Ok(new)
    }
}

impl Schedule {
    /// The schedule called off; seats stay with those who had them.
    pub fn cancelled(&self, reason: String, now: Timestamp) -> Result<Self, Reason> {
        if self.cancelled_at.is_some() {
            return Err(Reason::ScheduleCancelled);
        }
        if now >= self.ends_at {
            return Err(Reason::ScheduleEnded);
        }
        Ok(Self {
            cancelled_at: Some(now),
            cancel_reason: Some(reason),
            sequence: self.sequence + 1,
            ..self.clone()
        })
    }

    /// Seats that nobody else can have.
    pub fn taken(&self) -> i32 {
        self.going_count + self.held_count
    }

    /// True when people have to know: another title, time or place.
    pub fn shows_otherwise(&self, old: &Self) -> bool {
        let face = |of: &Self| (of.title.clone(), of.place.clone(), of.starts_at, of.ends_at);
        face(self) != face(old)
    }

    /// True when a calendar would show something else.
    fn looks_other_than(&self, old: &Self) -> bool {
        let face = |of: &Self| {
            (of.title.clone(), of.description.clone(), of.place.clone(), of.starts_at, of.ends_at)
        };
        face(self) != face(old)
    }
}

/// Why a schedule is called off.
pub fn cancel_reason(text: &str) -> Result<String, Reason> {
    prose(text, REASON).ok_or(Reason::ReasonInvalid)
}

fn require_ahead(starts_at: Timestamp, now: Timestamp) -> Result<(), Reason> {
    if starts_at <= now {
        Err(Reason::StartsInPast)
    } else if starts_at > now.after(FURTHEST) {
        Err(Reason::StartsTooFar)
    } else {
        Ok(())
    }
}

fn require_length(starts_at: Timestamp, ends_at: Timestamp) -> Result<(), Reason> {
    if ends_at <= starts_at {
        Err(Reason::EndsTooEarly)
    } else if ends_at > starts_at.after(LONGEST) {
        Err(Reason::EndsTooLate)
    } else {
        Ok(())
    }
}

fn title(text: &str) -> Result<String, Reason> {
    line(text, TITLE).ok_or(Reason::TitleInvalid)
}

fn description(text: &str) -> Result<String, Reason> {
    prose(text, DESCRIPTION).ok_or(Reason::DescriptionInvalid)
}

fn place(text: &str) -> Result<String, Reason> {
    line(text, PLACE).ok_or(Reason::PlaceInvalid)
}

fn capacity(seats: i32) -> Result<i32, Reason> {
    if CAPACITY.contains(&seats) { Ok(seats) } else { Err(Reason::CapacityInvalid) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_us(1_800_000_000_000_000);

    fn plan() -> Plan {
        Plan {
            title: "  저녁 달리기 ".to_owned(),
            description: "한강\r\n다섯 바퀴".to_owned(),
            place: "여의나루역".to_owned(),
            starts_at: NOW.after(DAY),
            ends_at: NOW.after(DAY * 2),
            time_zone: "Asia/Seoul".to_owned(),
            capacity: 10,
            fee_krw: 0,
            refundable_until: None,
        }
    }

    #[test]
    fn texts_are_trimmed_counted_in_characters_and_free_of_control_characters() {
        let schedule = plan().checked().unwrap();
        assert_eq!(schedule.title, "저녁 달리기");
        assert_eq!(schedule.description, "한강\n다섯 바퀴");
        let sixty = "가".repeat(60);
        assert!(Plan { title: sixty.clone(), ..plan() }.checked().is_ok());
        for bad in ["가", " 가 ", "a\nb", "a\u{7}b", &format!("{sixty}나")] {
            let refused = Plan { title: bad.to_owned(), ..plan() }.checked().unwrap_err();
            assert_eq!(refused, Reason::TitleInvalid, "{bad:?}");
        }
    }

    #[test]
    fn only_a_change_that_a_calendar_shows_is_a_new_revision() {
        let old = plan().checked().unwrap().announce(GatheringId::fresh(), NOW).unwrap();
        let seats = Change { capacity: Some(3), closed: Some(true), ..Change::default() };
        assert_eq!(seats.apply(&old, false, NOW).unwrap().sequence, 0);
        let place = Change { place: Some("뚝섬".to_owned()), ..Change::default() };
        assert_eq!(place.apply(&old, false, NOW).unwrap().sequence, 1);
        assert_eq!(Change::default().apply(&old, false, NOW).unwrap(), old);
    }

    #[test]
    fn times_stay_once_it_has_started() {
        let old = plan().checked().unwrap().announce(GatheringId::fresh(), NOW).unwrap();
        let during = old.starts_at.after(Duration::from_secs(1));
        let later = Change { ends_at: Some(old.ends_at.after(DAY)), ..Change::default() };
        assert!(later.clone().apply(&old, false, NOW).is_ok());
        assert_eq!(later.apply(&old, false, during).unwrap_err(), Reason::ScheduleStarted);
        let bigger = Change { capacity: Some(20), ..Change::default() };
        assert!(bigger.clone().apply(&old, false, during).is_ok());
        assert_eq!(bigger.apply(&old, false, old.ends_at).unwrap_err(), Reason::ScheduleEnded);
    }
}
