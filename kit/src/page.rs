//! Pages of lists: what may be asked, and opaque cursors made of a sort key and an id.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::fault::{Code, Fault};

/// Largest page that may be asked for.
pub const MAX_PAGE: i32 = 100;

/// Tag of the cursors of a member's notifications: the key is the sequence, the id the member's.
pub const NOTIFICATIONS: u8 = 0x61;
/// Tag of the cursors of a gathering's messages: the key is the sequence, the id the gathering's.
pub const CHAT_MESSAGES: u8 = 0x41;
/// Tag of the cursors of a wallet's entries: the key is the sequence, the id the entry's.
pub const WALLET_ENTRIES: u8 = 0x71;

/// A place in a list: the sort key of a row and its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// What the list is sorted by: an instant in microseconds, a count, a ticket.
    pub key: i64,
    /// Breaks ties, so that no row is skipped or repeated.
    pub id: Uuid,
}

impl Cursor {
    /// The opaque form: base64url of a list's tag, the key and the id.
    pub fn encode(self, list: u8) -> String {
        let mut bytes = [0; 25];
        bytes[0] = list;
        bytes[1..9].copy_from_slice(&self.key.to_be_bytes());
        bytes[9..].copy_from_slice(self.id.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads what a client sent; a cursor of another list is refused.
    pub fn decode(text: &str, list: u8, field: &'static str) -> Result<Self, Fault> {
        let invalid = || {
            Fault::new(Code::Invalid, "CURSOR_INVALID", "This cursor is not of this list.")
                .in_korean("이 목록의 커서가 아닙니다.")
                .at(field)
        };
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid())?;
        let bytes: [u8; 25] = bytes.try_into().map_err(|_| invalid())?;
        if bytes[0] != list {
            return Err(invalid());
        }
        let (key, id) = bytes[1..].split_at(8);
        Ok(Self {
            key: i64::from_be_bytes(key.try_into().map_err(|_| invalid())?),
            id: Uuid::from_slice(id).map_err(|_| invalid())?,
        })
    }
}

/// Which end a page is counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// `first`, after the cursor.
    Forward,
    /// `last`, before the cursor.
    Backward,
}

/// A checked request for a page.
#[derive(Clone, Copy, Debug)]
pub struct PageSpec {
    /// Which end it is counted from.
    pub direction: Direction,
    /// 1 to [`MAX_PAGE`].
    pub limit: i32,
    /// Where it starts; exclusive.
    pub cursor: Option<Cursor>,
    list: u8,
}

/// What a page request carries, in the terms of the API.
#[derive(Clone, Copy, Debug, Default)]
pub struct PageArgs<'a> {
    /// Page size from the start.
    pub first: Option<i32>,
    /// Only what comes after this cursor.
    pub after: Option<&'a str>,
    /// Page size from the end.
    pub last: Option<i32>,
    /// Only what comes before this cursor.
    pub before: Option<&'a str>,
}

/// A page of rows with what Relay wants to know of it.
#[derive(Clone, Debug)]
pub struct PageOf<T> {
    /// The rows, in list order.
    pub rows: Vec<T>,
    /// One per row.
    pub cursors: Vec<String>,
    /// More rows follow.
    pub has_next_page: bool,
    /// More rows precede.
    pub has_previous_page: bool,
}

impl PageSpec {
    /// Checks a request against the rules of Relay's connections; `list` tags the list's cursors.
    pub fn try_new(args: PageArgs<'_>, list: u8) -> Result<Self, Fault> {
        let refuse = |field, message, korean| {
            Err(Fault::new(Code::Invalid, "PAGE_INVALID", message).in_korean(korean).at(field))
        };
        let (direction, limit, field) = match (args.first, args.last) {
            (Some(limit), None) => (Direction::Forward, limit, "first"),
            (None, Some(limit)) => (Direction::Backward, limit, "last"),
            _ => {
                return refuse(
                    "first",
                    "Give exactly one of first and last.",
                    "first와 last 중 하나만 주세요.",
                );
            }
        };
        if !(1..=MAX_PAGE).contains(&limit) {
            return refuse(field, "A page holds 1 to 100.", "한 쪽은 1에서 100까지입니다.");
        }
        let cursor = match (direction, args.after, args.before) {
            (Direction::Forward, after, None) => {
                after.map(|text| Cursor::decode(text, list, "after")).transpose()?
            }
            (Direction::Backward, None, before) => {
                before.map(|text| Cursor::decode(text, list, "before")).transpose()?
            }
            (Direction::Forward, _, Some(_)) => {
                return refuse("before", "before goes with last.", "before는 last와 함께 씁니다.");
            }
            (Direction::Backward, Some(_), _) => {
                return refuse("after", "after goes with first.", "after는 first와 함께 씁니다.");
            }
        };
        Ok(Self { direction, limit, cursor, list })
    }

    /// How many rows to fetch: one more than asked tells whether there are more.
    pub fn fetch(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// Makes the page from rows fetched in the order of travel (reversed when backward).
    pub fn page<T>(&self, mut rows: Vec<T>, cursor: impl Fn(&T) -> Cursor) -> PageOf<T> {
        let limit = usize::try_from(self.limit).unwrap_or_default();
        let more = rows.len() > limit;
        rows.truncate(limit);
        if self.direction == Direction::Backward {
            rows.reverse();
        }
        let cursors = rows.iter().map(|row| cursor(row).encode(self.list)).collect();
        let (has_next_page, has_previous_page) = match self.direction {
            Direction::Forward => (more, self.cursor.is_some()),
            Direction::Backward => (self.cursor.is_some(), more),
        };
        PageOf { rows, cursors, has_next_page, has_previous_page }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(first: Option<i32>, last: Option<i32>) -> Result<PageSpec, Fault> {
        PageSpec::try_new(PageArgs { first, last, ..PageArgs::default() }, 1)
    }

    #[test]
    fn a_page_has_one_size_within_bounds() {
        assert!(ask(Some(1), None).is_ok());
        assert!(ask(None, Some(100)).is_ok());
        for (first, last) in [(None, None), (Some(1), Some(1)), (Some(0), None), (None, Some(101))]
        {
            assert_eq!(ask(first, last).unwrap_err().reason(), "PAGE_INVALID");
        }
    }

    #[test]
    fn a_cursor_of_another_list_or_none_at_all_is_refused() {
        let cursor = Cursor { key: -7, id: Uuid::now_v7() };
        assert_eq!(Cursor::decode(&cursor.encode(3), 3, "after").ok(), Some(cursor));
        for text in [cursor.encode(4), String::new(), "%%".into(), "AAAA".into()] {
            assert_eq!(Cursor::decode(&text, 3, "after").unwrap_err().reason(), "CURSOR_INVALID");
        }
    }

    #[test]
    fn a_backward_page_comes_out_in_list_order() {
        let spec = ask(None, Some(2)).unwrap();
        let page = spec.page(vec![9_i64, 8, 7], |key| Cursor { key: *key, id: Uuid::nil() });
        assert_eq!(page.rows, [8, 9]);
        assert!(page.has_previous_page && !page.has_next_page);
    }
}
