//! Gatherings: what one is made of, which texts and numbers it accepts, and when it takes members.

use moim_kit::Timestamp;
use moim_kit::id::{GatheringId, MemberId};
use moim_kit::text::{line, prose};
use url::Url;

use crate::fault::Reason;
use crate::region::{self, Region};

/// Declares an enum whose variants are kept as words in the database.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// What a gathering is about.
    Category {
        Arts "ARTS",
        Books "BOOKS",
        Cooking "COOKING",
        Culture "CULTURE",
        Games "GAMES",
        Language "LANGUAGE",
        Music "MUSIC",
        Outdoors "OUTDOORS",
        Pets "PETS",
        Social "SOCIAL",
        Sports "SPORTS",
        Study "STUDY",
        Travel "TRAVEL",
        Volunteering "VOLUNTEERING",
    }
}

words! {
    /// How people get in.
    JoinPolicy {
        Open "OPEN",
        Approval "APPROVAL",
    }
}

/// Whether a gathering takes members now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GatheringStatus {
    Open,
    Full,
    Closed,
}

/// In which order gatherings are browsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    Active,
    Newest,
    Popular,
}

/// Narrows what is browsed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    pub category: Option<Category>,
    pub region: Option<&'static Region>,
    pub open_only: bool,
}

/// What this room knows of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    pub member: MemberId,
    pub nickname: String,
    pub avatar_url: Option<String>,
}

/// What the reviews of a gathering that stand add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rating {
    pub count: i64,
    pub sum: i64,
}

impl Rating {
    /// From 1 to 5; nobody's opinion is none.
    pub fn mean(self) -> Option<f64> {
        (self.count > 0).then(|| self.sum as f64 / self.count as f64)
    }
}

/// A standing group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gathering {
    pub id: GatheringId,
    pub host: Card,
    pub title: String,
    pub description: String,
    pub category: Category,
    pub region: &'static Region,
    pub image_url: Option<String>,
    pub join_policy: JoinPolicy,
    pub closed: bool,
    pub capacity: i32,
    pub member_count: i32,
    pub activity_at: Timestamp,
    pub created_at: Timestamp,
    pub version: i64,
    /// As far as the review room has told.
    pub rating: Rating,
}

/// A gathering to be started; every part of it was checked.
#[derive(Clone, Debug)]
pub struct Draft {
    pub title: String,
    pub description: String,
    pub category: Category,
    pub region: &'static Region,
    pub image_url: Option<String>,
    pub join_policy: JoinPolicy,
    pub capacity: i32,
}

/// Changes to a gathering; every part was checked, what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct Change {
    pub title: Option<String>,
    pub description: Option<String>,
    pub category: Option<Category>,
    pub region: Option<&'static Region>,
    /// `Some(None)` takes the image away.
    pub image_url: Option<Option<String>>,
    pub join_policy: Option<JoinPolicy>,
    pub capacity: Option<i32>,
    pub closed: Option<bool>,
}

impl Draft {
    /// The gathering it becomes, with its host as the only member.
    pub fn open(self, host: Card, now: Timestamp) -> Gathering {
        Gathering {
            id: GatheringId::fresh(),
            host,
            title: self.title,
            description: self.description,
            category: self.category,
            region: self.region,
            image_url: self.image_url,
            join_policy: self.join_policy,
            closed: false,
            capacity: self.capacity,
            member_count: 1,
            activity_at: now,
            created_at: now,
            version: 1,
            rating: Rating::default(),
        }
    }
}

impl Gathering {
    pub fn status(&self) -> GatheringStatus {
        if self.closed {
            GatheringStatus::Closed
        } else if self.member_count >= self.capacity {
            GatheringStatus::Full
        } else {
            GatheringStatus::Open
        }
    }

    /// Whether one more member may come in; the database decides again when the seat is taken.
    pub fn admits(&self) -> Result<(), Reason> {
        match self.status() {
            GatheringStatus::Open => Ok(()),
            GatheringStatus::Full => Err(Reason::GatheringFull),
            GatheringStatus::Closed => Err(Reason::GatheringClosed),
        }
    }

    /// The next version of it, or nothing when the change changes nothing.
    pub fn changed(&self, change: Change, now: Timestamp) -> Result<Option<Self>, Reason> {
        let next = Self {
            title: change.title.unwrap_or_else(|| self.title.clone()),
            description: change.description.unwrap_or_else(|| self.description.clone()),
            category: change.category.unwrap_or(self.category),
            region: change.region.unwrap_or(self.region),
            image_url: change.image_url.unwrap_or_else(|| self.image_url.clone()),
            join_policy: change.join_policy.unwrap_or(self.join_policy),
            capacity: change.capacity.unwrap_or(self.capacity),
            closed: change.closed.unwrap_or(self.closed),
            ..self.clone()
        };
        if next.capacity < next.member_count {
            return Err(Reason::CapacityTooSmall);
        }
        if next == *self {
            return Ok(None);
        }
        Ok(Some(Self { activity_at: now, version: self.version + 1, ..next }))
    }

    /// The next version of it, in other hands.
    pub fn hosted_by(self, host: Card) -> Self {
        Self { host, version: self.version + 1, ..self }
    }
}

pub fn title(text: &str) -> Result<String, Reason> {
    line(text, 2..=60).ok_or(Reason::TitleInvalid)
}

pub fn description(text: &str) -> Result<String, Reason> {
    prose(text, 1..=2_000).ok_or(Reason::DescriptionInvalid)
}

/// What an applicant writes; nothing but blanks is nothing.
pub fn message(text: &str) -> Result<Option<String>, Reason> {
    let text = prose(text, 0..=500).ok_or(Reason::MessageInvalid)?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

pub fn capacity(number: i32) -> Result<i32, Reason> {
    if (2..=1_000).contains(&number) { Ok(number) } else { Err(Reason::CapacityInvalid) }
}

pub fn region(code: &str) -> Result<&'static Region, Reason> {
    region::find(code).ok_or(Reason::RegionUnknown)
}

/// The address of an image; an empty one means none.
pub fn image_url(text: &str) -> Result<Option<String>, Reason> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    // The parser drops tabs and line ends and encodes blanks: such an address is not what it looks like.
    let plain = !text.contains(|letter: char| letter.is_whitespace() || letter.is_control());
    let safe = |url: Url| {
        url.scheme() == "https"
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
    };
    if plain && (1..=2_048).contains(&text.chars().count()) && Url::parse(text).is_ok_and(safe) {
        Ok(Some(text.to_owned()))
    } else {
        Err(Reason::ImageUrlInvalid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_us(1_000);
    const LATER: Timestamp = Timestamp::from_us(2_000);

    fn gathering(capacity: i32, member_count: i32) -> Gathering {
        let host =
            Card { member: MemberId::fresh(), nickname: "산지기".to_owned(), avatar_url: None };
        let draft = Draft {
            title: "북한산 새벽 등산".to_owned(),
            description: "해 뜨기 전에 만나요.".to_owned(),
            category: Category::Outdoors,
            region: &region::all()[0],
            image_url: None,
            join_policy: JoinPolicy::Open,
            capacity,
        };
        Gathering { member_count, ..draft.open(host, NOW) }
    }

    #[test]
    fn full_is_derived_and_closed_comes_first() {
        for (closed, member_count, status) in [
            (false, 1, GatheringStatus::Open),
            (false, 2, GatheringStatus::Full),
            (true, 1, GatheringStatus::Closed),
            (true, 2, GatheringStatus::Closed),
        ] {
            let gathering = Gathering { closed, ..gathering(2, member_count) };
            assert_eq!(gathering.status(), status);
            assert_eq!(gathering.admits().is_ok(), status == GatheringStatus::Open);
        }
    }

    #[test]
    fn a_change_moves_version_and_activity_once_and_nothing_when_nothing_differs() {
        let old = gathering(10, 3);
        let change = Change { capacity: Some(3), closed: Some(true), ..Change::default() };
        let new = old.changed(change.clone(), LATER).unwrap().unwrap();
        assert_eq!((new.version, new.activity_at, new.capacity), (2, LATER, 3));
        assert_eq!(new.created_at, NOW);
        assert_eq!(new.changed(change, LATER), Ok(None));
        assert_eq!(old.changed(Change::default(), LATER), Ok(None));
        let small = Change { capacity: Some(2), ..Change::default() };
        assert_eq!(old.changed(small, LATER), Err(Reason::CapacityTooSmall));
    }

    #[test]
    fn an_image_can_be_set_and_taken_away() {
        let old = gathering(10, 3);
        let url = Some("https://example.com/a.png".to_owned());
        let set = Change { image_url: Some(url.clone()), ..Change::default() };
        let with = old.changed(set, NOW).unwrap().unwrap();
        assert_eq!(with.image_url, url);
        let clear = Change { image_url: Some(None), ..Change::default() };
        assert_eq!(with.changed(clear, NOW).unwrap().unwrap().image_url, None);
    }

    #[test]
    fn texts_are_trimmed_and_counted_in_characters() {
        assert_eq!(title("  산책  ").as_deref(), Ok("산책"));
        assert!(title(&"가".repeat(60)).is_ok());
        for text in ["", " 산 ", "두\n줄", "벨\u{7}소리", &"가".repeat(61)] {
            assert_eq!(title(text), Err(Reason::TitleInvalid), "{text:?}");
        }
        assert_eq!(description("하나\r\n둘").as_deref(), Ok("하나\n둘"));
        assert!(description(&"가".repeat(2_000)).is_ok());
        for text in ["", "  \n ", "널\0", &"가".repeat(2_001)] {
            assert_eq!(description(text), Err(Reason::DescriptionInvalid), "{text:?}");
        }
        assert_eq!(message("  "), Ok(None));
        assert_eq!(message(&"가".repeat(501)), Err(Reason::MessageInvalid));
    }

    #[test]
    fn only_plain_https_addresses_are_images() {
        assert_eq!(image_url(""), Ok(None));
        assert!(image_url("https://이미지.한국/가.png").is_ok());
        let long = format!("https://example.com/{}", "a".repeat(2_029));
        for text in [
            "http://example.com/a.png",
            "https://",
            "https://me:secret@example.com/a.png",
            "javascript:alert(1)",
            "https://example.com/a b",
            "https://exa\tmple.com/",
            "a.png",
            &long,
        ] {
            assert_eq!(image_url(text), Err(Reason::ImageUrlInvalid), "{text:?}");
        }
        assert!(image_url(&long[..2_048]).is_ok());
    }

    #[test]
    fn capacity_and_region_have_bounds() {
        for (number, good) in [(1, false), (2, true), (1_000, true), (1_001, false), (-5, false)] {
            assert_eq!(capacity(number).is_ok(), good, "{number}");
        }
        assert_eq!(region("00000").err(), Some(Reason::RegionUnknown));
        assert!(region(region::all()[0].code).is_ok());
    }
}
