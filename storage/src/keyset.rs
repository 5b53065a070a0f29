//! Pages by key: the part of a query that starts after a cursor and goes in the right direction.

use moim_kit::page::{Direction, PageSpec};

use crate::args::Arg;

/// What a list is sorted by.
#[derive(Clone, Copy, Debug)]
pub struct Keyset {
    /// Sort expression, a BIGINT.
    pub key: &'static str,
    /// Breaks ties, TEXT.
    pub id: &'static str,
    /// Highest key first.
    pub descending: bool,
}

impl Keyset {
    /// The condition on the cursor (`TRUE` without one), appending its values to `args`.
    pub fn condition(&self, page: &PageSpec, args: &mut Vec<Arg>) -> String {
        let Some(cursor) = page.cursor else { return "TRUE".to_owned() };
        args.push(cursor.key.into());
        args.push(cursor.id.into());
        let sign = if self.runs_down(page) { "<" } else { ">" };
        let (key, id) = (self.key, self.id);
        format!("({key}, {id}) {sign} (${}, ${})", args.len() - 1, args.len())
    }

    /// The order of travel; a backward page is turned round by [`PageSpec::page`].
    pub fn order(&self, page: &PageSpec) -> String {
        let way = if self.runs_down(page) { "DESC" } else { "ASC" };
        format!("{} {way}, {} {way}", self.key, self.id)
    }

    fn runs_down(&self, page: &PageSpec) -> bool {
        self.descending != (page.direction == Direction::Backward)
    }
}

#[cfg(test)]
mod tests {
    use moim_kit::page::{Cursor, PageArgs};
    use uuid::Uuid;

    use super::*;

    const SOONEST: Keyset = Keyset { key: "starts_at_us", id: "id", descending: false };

    #[test]
    fn a_backward_page_travels_the_other_way() {
        let cursor = Cursor { key: 5, id: Uuid::nil() }.encode(1);
        let args = PageArgs { last: Some(2), before: Some(&cursor), ..PageArgs::default() };
        let page = PageSpec::try_new(args, 1).unwrap();
        let mut values = vec![Arg::from("x")];
        assert_eq!(SOONEST.condition(&page, &mut values), "(starts_at_us, id) < ($2, $3)");
        assert_eq!(SOONEST.order(&page), "starts_at_us DESC, id DESC");
        assert_eq!(values.len(), 3);
    }
}
