//! What is found: gatherings, schedules and members as search sees them, and what may be asked for.

use moim_kit::Timestamp;
use uuid::Uuid;

use crate::fault::Reason;

/// Most characters of a query.
pub const LONGEST_QUERY: usize = 200;
/// Words of a query that are considered.
pub const MOST_WORDS: usize = 12;
/// The last result that pages reach.
pub const DEEPEST: usize = 10_000;

/// What something found is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A standing group.
    Gathering,
    /// A meetup of one.
    Schedule,
    /// A person.
    Member,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Gathering, Self::Schedule, Self::Member];

    /// As it stands in tables and in the index.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gathering => "gathering",
            Self::Schedule => "schedule",
            Self::Member => "member",
        }
    }

    /// As a column holds it.
    pub fn number(self) -> u64 {
        match self {
            Self::Gathering => 0,
            Self::Schedule => 1,
            Self::Member => 2,
        }
    }

    /// The kind that a column holds as this.
    pub fn from_number(number: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.number() == number)
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }
}

/// Whether one can come along.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Openness {
    /// It takes people.
    #[default]
    Open,
    /// There is no place left.
    Full,
    /// It takes nobody.
    Closed,
}

impl Openness {
    /// As a column holds it.
    pub fn number(self) -> u64 {
        match self {
            Self::Open => 0,
            Self::Full => 1,
            Self::Closed => 2,
        }
    }

    /// What a column holds as this.
    pub fn from_number(number: u64) -> Self {
        match number {
            0 => Self::Open,
            1 => Self::Full,
            _ => Self::Closed,
        }
    }
}

/// The newest state of something, as the index is made from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// What it is.
    pub kind: Kind,
    /// Its id.
    pub id: Uuid,
    /// Version of the state it was made from.
    pub version: i64,
    /// Title, or nickname.
    pub title: String,
    /// Description, or what a member says of themself.
    pub text: String,
    /// Where a schedule meets.
    pub place: String,
    /// As the contract numbers categories.
    pub category: Option<i32>,
    /// Five digits.
    pub region_code: Option<String>,
    /// With the province first.
    pub region_name: String,
    /// When a schedule starts.
    pub starts_at: Option<Timestamp>,
    /// When a schedule ends.
    pub ends_at: Option<Timestamp>,
    /// What a schedule costs.
    pub fee_krw: Option<i64>,
    /// Whether one can come along.
    pub openness: Openness,
    /// Members, or people going.
    pub size: i64,
    /// When it came to be, or will be.
    pub fresh_at: Timestamp,
}

impl Document {
    /// With nothing in it but a title.
    pub fn new(kind: Kind, id: Uuid, title: &str) -> Self {
        Self {
            kind,
            id,
            version: 1,
            title: title.to_owned(),
            text: String::new(),
            place: String::new(),
            category: None,
            region_code: None,
            region_name: String::new(),
            starts_at: None,
            ends_at: None,
            fee_krw: None,
            openness: Openness::Open,
            size: 0,
            fresh_at: Timestamp::from_us(0),
        }
    }

    /// What names where it is and what kind of thing it is.
    pub fn area(&self) -> String {
        let category = self.category.map_or("", category_names);
        let region = region_names(&self.region_name);
        [self.place.as_str(), &region, category].join("\n")
    }
}

/// What people call a category; numbered as in the contract.
pub fn category_names(category: i32) -> &'static str {
    match category {
        1 => "예술 공예 arts",
        2 => "책 글 books",
        3 => "요리 음식 cooking",
        4 => "문화 culture",
        5 => "게임 games",
        6 => "외국어 언어 language",
        7 => "음악 music",
        8 => "아웃도어 야외 outdoors",
        9 => "반려동물 pets",
        10 => "친목 social",
        11 => "운동 스포츠 sports",
        12 => "공부 스터디 study",
        13 => "여행 travel",
        14 => "봉사 volunteering",
        _ => "",
    }
}

/// A region's name with the short forms that people use: 마포 beside 마포구.
pub fn region_names(name: &str) -> String {
    const ENDS: [&str; 9] =
        ["특별자치시", "특별자치도", "특별시", "광역시", "도", "시", "군", "구", "동"];
    let mut out = name.to_owned();
    for word in name.split_whitespace() {
        let short = ENDS.iter().find_map(|end| word.strip_suffix(end));
        if let Some(short) = short.filter(|it| it.chars().count() > 1) {
            out.push(' ');
            out.push_str(short);
        }
    }
    out
}

/// Only what meets all of these; what does not apply to a kind is ignored for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// As the contract numbers categories.
    pub category: Option<i32>,
    /// Five digits.
    pub region_code: Option<String>,
    /// Ends after this.
    pub starts_from: Option<Timestamp>,
    /// Starts before this.
    pub starts_until: Option<Timestamp>,
    /// Costs at most this.
    pub max_fee_krw: Option<i64>,
}

/// Where a text matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Highlight {
    /// Field of the node, as the API spells it.
    pub field: &'static str,
    /// Excerpt, as plain text.
    pub text: String,
    /// Half-open, in UTF-16 code units of the excerpt.
    pub ranges: Vec<(usize, usize)>,
}

/// Something found.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// What it is.
    pub kind: Kind,
    /// Its id.
    pub id: Uuid,
    /// Higher is better.
    pub score: i64,
    /// Where it matched.
    pub highlights: Vec<Highlight>,
}

/// A term that many search for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PopularTerm {
    /// The term.
    pub term: String,
    /// Places gained since the last period; nothing when it was not among them.
    pub change: Option<i32>,
}

/// A query that is short enough to be looked at.
pub fn query(text: &str) -> Result<&str, Reason> {
    let fits = text.chars().take(LONGEST_QUERY + 1).count() <= LONGEST_QUERY;
    if fits && !text.trim().is_empty() { Ok(text) } else { Err(Reason::QueryInvalid) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_known_by_its_short_names_too() {
        assert_eq!(region_names("서울특별시 마포구"), "서울특별시 마포구 서울 마포");
        assert_eq!(region_names("부산광역시 중구"), "부산광역시 중구 부산");
    }

    #[test]
    fn a_query_has_at_most_two_hundred_characters() {
        assert!(query(&"가".repeat(200)).is_ok());
        for text in ["", "  ", &"가".repeat(201)] {
            assert_eq!(query(text), Err(Reason::QueryInvalid));
        }
    }
}
