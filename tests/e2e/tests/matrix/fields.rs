//! Asking for a field as everybody, and comparing what they see with the table.

use moim_e2e::{Client, Value, error_codes, json};

use crate::scene::{ROLES, Scene};
use crate::{money_rows, room_rows, rows, search_rows};

/// What somebody sees of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum See {
    /// Something.
    Data,
    /// Just this.
    Is(&'static str),
    /// Null, without any error.
    Null,
    /// A list with nothing in it.
    Empty,
    /// Not even the object that has the field.
    Gone,
    /// One error with this code.
    Denied(&'static str),
}

/// Fields of one type, reached in one way.
pub struct Group {
    /// Name of the type.
    pub of: &'static str,
    /// How to reach one; `<*>` stands where the fields do.
    pub through: &'static str,
    /// Where it then is.
    pub at: &'static str,
    pub rows: &'static [Row],
}

/// One field as everybody sees it.
pub struct Row {
    pub field: &'static str,
    /// The field with arguments and what is selected below it.
    pub ask: &'static str,
    /// Where the value is, below the object.
    pub at: &'static str,
    /// In the order of [`ROLES`].
    pub seen: [See; 4],
}

/// A field that needs nothing below it.
pub const fn plain(field: &'static str, seen: [See; 4]) -> Row {
    Row { field, ask: field, at: "", seen }
}

/// A field asked for in some way; `at` tells where in its value to look.
pub const fn ask(field: &'static str, ask: &'static str, at: &'static str, seen: [See; 4]) -> Row {
    Row { field, ask, at, seen }
}

/// The whole table.
pub fn groups() -> impl Iterator<Item = &'static Group> {
    let beside = room_rows::GROUPS.iter().chain(money_rows::GROUPS);
    rows::GROUPS.iter().chain(beside).chain(search_rows::GROUPS)
}

/// Asks for every row of the table in every role; fails naming all that differ.
pub async fn try_all(scene: &Scene) {
    let mut wrong = Vec::new();
    for group in groups() {
        for row in group.rows {
            for (role, expected) in ROLES.into_iter().zip(row.seen) {
                let query = scene.fill(&group.through.replace("<*>", row.ask));
                let body = scene.cast.client(role).graphql(&query, json!({})).await;
                if let Err(why) = check(&body, group, row, expected) {
                    wrong.push(format!("{}.{} as {role:?}: {why}", group.of, row.ask));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} answers differ:\n{}", wrong.len(), wrong.join("\n"));
}

fn check(body: &Value, group: &Group, row: &Row, expected: See) -> Result<(), String> {
    let errors = error_codes(body);
    let fail = |what: &str| Err(format!("expected {expected:?}, {what}: {body}"));
    if let See::Denied(code) = expected {
        return if errors == [code] { Ok(()) } else { fail("other errors") };
    }
    if !errors.is_empty() {
        return fail("errors");
    }
    let object = body["data"].pointer(group.at).unwrap_or(&Value::Null);
    let there = object.as_object().is_some_and(|fields| !fields.is_empty());
    if expected == See::Gone {
        return if there { fail("it is there") } else { Ok(()) };
    }
    let Some(mut value) = object.get(row.field) else { return fail("no such key") };
    if !row.at.is_empty() {
        value = value.pointer(row.at).unwrap_or(&Value::Null);
    }
    let as_expected = match expected {
        See::Data => !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty()),
        See::Is(word) => value == word,
        See::Null => value.is_null(),
        See::Empty => value.as_array().is_some_and(Vec::is_empty),
        See::Gone | See::Denied(_) => false,
    };
    if as_expected { Ok(()) } else { fail("another value") }
}

/// Asks for one field by a query of its own; what the whole answer was.
pub async fn asked(client: &Client, scene: &Scene, query: &str) -> Value {
    client.graphql(&scene.fill(query), json!({})).await
}
