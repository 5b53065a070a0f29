//! What a stranger reads first: where the console is, whom to sign in as, and what to try.

use chrono::{DateTime, SecondsFormat, Utc};
use moim_kit::Timestamp;

use crate::town::{ACCOUNTS, PASSWORD};

/// The text printed once the endpoint answers.
pub fn text(url: &str, development: bool, has_town: bool, now: Timestamp) -> String {
    let mut text = format!("\nmoim answers at {url}/graphql (HTTP and WebSocket)\n");
    if development {
        text += &format!("console        {url}/\n");
    }
    if has_town {
        text += "\nSign in with\n";
        for (email, who) in ACCOUNTS {
            text += &format!("  {email}   {PASSWORD}   ({who})\n");
        }
        text += &QUERIES.replace("NOW", &instant(now));
    }
    text += "\nCtrl-C stops it.\n";
    text
}

const QUERIES: &str = r#"
Try
  1. Who meets near you, and when next
     { gatherings(first: 5, sort: POPULAR) { edges { node { title region { name } memberCount host { nickname } schedules(from: "NOW", first: 2) { edges { node { title startsAt goingCount capacity } } } } } } }
  2. Sign in, and send the token as the header  Authorization: Bearer <accessToken>
     mutation { authLogIn(input: { email: "member@moim.town", password: "moim-town" }) { tokens { accessToken } viewer { member { nickname } } userErrors { message } } }
  3. Your places, once signed in
     { viewer { memberships(first: 10) { edges { node { role gathering { title } } } } attendances(from: "NOW", first: 10) { edges { node { state waitlistPosition schedule { title startsAt } } } } } }
  4. Find what you mean, also when your fingers slip (ㄷㅅ, ehrtj)
     { search(query: "한강 산책", first: 5) { totalCount correctedQuery edges { highlights { field text } node { __typename ... on Gathering { title } ... on Schedule { title startsAt } ... on Member { nickname } } } } popularSearches(first: 5) { term } }
  5. What you can spend, and where it came from; pay for a schedule with a fee by scheduleAttend
     { viewer { wallet { balance held entries(first: 5) { edges { node { kind amount order { state schedule { title } } } } } } } }
"#;

fn instant(now: Timestamp) -> String {
    DateTime::<Utc>::from_timestamp_micros(now.us())
        .unwrap_or_default()
        .to_rfc3339_opts(SecondsFormat::Secs, true)
}
