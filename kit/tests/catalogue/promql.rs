//! Which series an expression of Prometheus asks for, and which labels it goes by.

use std::collections::BTreeSet;

/// What an expression uses.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// Series, each with the labels it is chosen by.
    pub series: Vec<(String, BTreeSet<String>)>,
    /// Labels that sums are made by.
    pub by: BTreeSet<String>,
}

const LISTS: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];
const WORDS: [&str; 6] = ["and", "or", "unless", "bool", "offset", "inf"];

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn skip(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn takes(&mut self, sign: char) -> bool {
        self.skip();
        let taken = self.rest.strip_prefix(sign);
        self.rest = taken.unwrap_or(self.rest);
        taken.is_some()
    }

    /// A name, with `$` of a dashboard's variables in it.
    fn name(&mut self) -> Option<&'a str> {
        self.skip();
        let part = |it: char| it.is_ascii_alphanumeric() || matches!(it, '_' | ':' | '$');
        let length = self.rest.find(|it| !part(it)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(length);
        self.rest = rest;
        (!name.is_empty()).then_some(name)
    }

    /// A text in quotes; it must begin here.
    fn text(&mut self) {
        assert!(self.takes('"'), "no text at {:?}", self.rest);
        let mut escaped = false;
        let end = self.rest.find(|it| {
            let ends = it == '"' && !escaped;
            escaped = it == '\\' && !escaped;
            ends
        });
        self.rest = &self.rest[end.expect("a text ends") + 1..];
    }

    fn list(&mut self) -> BTreeSet<String> {
        let mut labels = BTreeSet::new();
        assert!(self.takes('('), "no list at {:?}", self.rest);
        while !self.takes(')') {
            labels.insert(self.name().expect("a label").to_owned());
            self.takes(',');
        }
        labels
    }

    fn matchers(&mut self) -> BTreeSet<String> {
        let mut labels = BTreeSet::new();
        if !self.takes('{') {
            return labels;
        }
        while !self.takes('}') {
            labels.insert(self.name().expect("a label").to_owned());
            self.skip();
            self.rest = self.rest.trim_start_matches(['=', '!', '~']);
            self.text();
            self.takes(',');
        }
        labels
    }
}

/// Takes an expression apart, as far as names go.
pub fn used(expression: &str) -> Used {
    let mut reader = Reader { rest: expression };
    let mut used = Used::default();
    loop {
        reader.skip();
        let Some(next) = reader.rest.chars().next() else { return used };
        if next == '"' {
            reader.text();
        } else if next == '[' {
            let end = reader.rest.find(']').expect("a range ends");
            reader.rest = &reader.rest[end + 1..];
        } else if next.is_ascii_digit() {
            reader.name();
        } else if let Some(name) = reader.name() {
            let is_called = reader.rest.trim_start().starts_with('(');
            if LISTS.contains(&name) {
                used.by.append(&mut reader.list());
            } else if !is_called && !WORDS.contains(&name) {
                used.series.push((name.to_owned(), reader.matchers()));
            }
        } else {
            reader.rest = &reader.rest[next.len_utf8()..];
        }
    }
}

#[test]
fn names_and_labels_are_found_wherever_they_stand() {
    let words = |words: &[&str]| words.iter().map(|it| (*it).to_owned()).collect();
    let found = used(
        "sum by (le, room) (rate(a_bucket{room=\"a, \\\"{b}\", code!~\"x|y\"}[$__rate_interval])) \
         / on (room) 2 * max_over_time(b[5m:1m]) > 1e3 and c",
    );
    let series = vec![
        ("a_bucket".to_owned(), words(&["room", "code"])),
        ("b".to_owned(), words(&[])),
        ("c".to_owned(), words(&[])),
    ];
    assert_eq!(found, Used { series, by: words(&["le", "room"]) });
}
