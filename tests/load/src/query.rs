//! What is asked, through GraphQL and by hand.

use http::Method;
use serde_json::json;

/// A question that both sides answer with the same bytes.
#[derive(Debug)]
pub struct Query {
    /// Short, for tables and arguments.
    pub name: &'static str,
    /// What it asks for, and the calls that makes.
    pub about: &'static str,
    document: &'static str,
    nickname: Option<&'static str>,
    by_hand: &'static str,
}

/// One entity, the list of the hops table, and four levels.
pub const QUERIES: [Query; 3] = [
    Query {
        name: "entity",
        about: "one member by nickname: 1 call",
        document: "query Member($nickname: String!) { member(by: { nickname: $nickname }) \
                   { id nickname avatarUrl bio joinedAt } }",
        nickname: Some("한강지기"),
        by_hand: "/member?nickname=%ED%95%9C%EA%B0%95%EC%A7%80%EA%B8%B0",
    },
    Query {
        name: "list",
        about: "20 gatherings with their host's bio and 3 schedules each: 3 calls",
        document: "{ gatherings(first:20){ edges { node { title host { id nickname bio } \
                   schedules(first:3){ edges { node { title goingCount } } } } } } }",
        nickname: None,
        by_hand: "/list?first=20",
    },
    Query {
        name: "levels",
        about: "10 gatherings, 3 schedules each, 5 who came to each, their bio: 4 calls, one after another",
        document: "{ gatherings(first: 10, sort: POPULAR) { edges { node { title \
                   schedules(first: 3) { edges { node { title startsAt \
                   attendances(state: ATTENDED, first: 5) { edges { node { state \
                   member { nickname bio } } } } } } } } } } }",
        nickname: None,
        by_hand: "/levels?first=10",
    },
];

/// A request before it is sent: method, path and body.
pub(crate) type Asked = (Method, String, String);

impl Query {
    /// As a client of the endpoint asks.
    pub(crate) fn through_graphql(&self) -> Asked {
        let mut body = json!({ "query": self.document });
        if let Some(nickname) = self.nickname {
            body["variables"] = json!({ "nickname": nickname });
        }
        (Method::POST, "/graphql".to_owned(), body.to_string())
    }

    /// As a client of the endpoint written by hand asks.
    pub(crate) fn by_hand(&self) -> Asked {
        (Method::GET, self.by_hand.to_owned(), String::new())
    }
}
