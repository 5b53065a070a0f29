//! Doing every mutation as everybody, and comparing what comes of it with the table.

use moim_e2e::{Client, Value, error_codes, json};

use crate::acts::ACTS;
use crate::scene::{ROLES, Role, Scene};

/// What comes of a mutation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    /// It is done: every field of the payload is there, and no user error.
    Done,
    /// One user error with this code, and nothing else in the payload.
    Refused(&'static str),
    /// One error at the top: signing in is needed first.
    SignIn,
}

/// One mutation as everybody does it.
pub struct Act {
    pub mutation: &'static str,
    /// A GraphQL literal.
    pub input: &'static str,
    /// Fields of the payload besides `userErrors`; each is an object, or an id.
    pub payload: &'static [&'static str],
    /// In the order of [`ROLES`].
    pub does: [Does; 4],
}

/// Tries every row of the table in every role; fails naming all that differ.
pub async fn try_all(scene: &mut Scene) {
    let mut wrong = Vec::new();
    for act in ACTS {
        for (role, expected) in ROLES.into_iter().zip(act.does) {
            let (client, query) = prepare(scene, act, role).await;
            let body = client.graphql(&query, json!({})).await;
            if let Err(why) = check(&body, act, expected) {
                wrong.push(format!("{} as {role:?}: {why}", act.mutation));
            }
            // Whoever comes next finds everything as it was.
            if expected == Does::Done && !act.mutation.starts_with("auth") {
                scene.reset().await;
            }
        }
    }
    assert!(wrong.is_empty(), "{} mutations differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// Who sends it, and the operation, with the names filled in that only this row has.
async fn prepare(scene: &Scene, act: &Act, role: Role) -> (Client, String) {
    let mut client = scene.cast.client(role).clone();
    let mut input = act.input.to_owned();
    match act.mutation {
        "authRefresh" => {
            let token = scene.cast.guest.log_in().await.refresh_token;
            input = input.replace("<refreshToken>", &token);
        }
        "authLogOut" => {
            // The session that ends is one of its own.
            if let Some(person) = scene.cast.person(role) {
                client = person.log_in().await.client;
            }
        }
        _ => {}
    }
    let unique = scene.fill("<fresh>");
    input = input.replace("<nickname>", &unique[12..]).replace("<title>", &unique);
    (client, scene.fill(&operation(act, &input)))
}

/// The mutation under a fresh key, with its whole payload.
pub fn operation(act: &Act, input: &str) -> String {
    let Act { mutation, payload, .. } = act;
    let fields: String = payload.iter().map(|field| selected(field)).collect();
    format!(
        r#"mutation {{ it: {mutation}(input: {input}) @idempotent(key: "<fresh>") {{
            {fields}userErrors {{ code message path }} }} }}"#
    )
}

fn selected(field: &str) -> String {
    if field.ends_with("Id") { format!("{field} ") } else { format!("{field} {{ __typename }} ") }
}

fn check(body: &Value, act: &Act, expected: Does) -> Result<(), String> {
    let errors = error_codes(body);
    let payload = &body["data"]["it"];
    let codes: Vec<&str> = payload["userErrors"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|error| error["code"].as_str().unwrap_or_default())
        .collect();
    let all = |present: bool| act.payload.iter().all(|field| payload[field].is_null() != present);
    let as_expected = match expected {
        Does::Done => errors.is_empty() && payload.is_object() && codes.is_empty() && all(true),
        Does::Refused(code) => errors.is_empty() && codes == [code] && all(false),
        Does::SignIn => errors == ["UNAUTHENTICATED"] && payload.is_null(),
    };
    if as_expected { Ok(()) } else { Err(format!("expected {expected:?}: {body}")) }
}
