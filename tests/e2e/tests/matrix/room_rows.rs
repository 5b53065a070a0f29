//! The table of fields of what rooms beside the gathering keep: reviews, messages, notifications.

use crate::fields::See::{Data, Gone, Null};
use crate::fields::{Group, See, ask, plain};
use crate::rows::{CONNECTION, EDGE, EVERYONE};

/// The member and the host.
const INSIDERS: [See; 4] = [Gone, Gone, Data, Data];
const MEMBER_ONLY: [See; 4] = [Gone, Gone, Data, Gone];
/// The member and the host have notifications of their own.
const NOTIFIED: [See; 4] = [Gone, Gone, Data, Data];

pub const GROUPS: &[Group] = &[
    Group {
        of: "Review",
        through: r#"{ node(id: "<review>") { ... on Review { <*> } } }"#,
        at: "/node",
        rows: &[
            plain("id", EVERYONE),
            ask("author", "author { id nickname }", "/nickname", EVERYONE),
            plain("rating", EVERYONE),
            plain("body", EVERYONE),
            plain("createdAt", EVERYONE),
            plain("updatedAt", EVERYONE),
            ask("schedule", "schedule { title }", "/title", EVERYONE),
        ],
    },
    Group {
        of: "ReviewConnection",
        through: r#"{ node(id: "<over>") { ... on Schedule { reviews(first: 1) { <*> } } } }"#,
        at: "/node/reviews",
        rows: CONNECTION,
    },
    Group {
        of: "ReviewEdge",
        through: r#"{ node(id: "<past>") {
            ... on Gathering { reviews(first: 1) { edges { <*> } } } } }"#,
        at: "/node/reviews/edges/0",
        rows: EDGE,
    },
    Group {
        of: "ChatMessage",
        through: r#"{ node(id: "<said>") { ... on ChatMessage { <*> } } }"#,
        at: "/node",
        rows: &[
            plain("id", INSIDERS),
            ask("author", "author { id }", "/id", INSIDERS),
            plain("body", INSIDERS),
            plain("sentAt", INSIDERS),
            plain("clientId", [Gone, Gone, Data, Null]),
            ask("gathering", "gathering { title }", "/title", INSIDERS),
        ],
    },
    Group {
        of: "ChatMessageConnection",
        through: r#"{ node(id: "<gathering>") { ... on Gathering { messages(last: 1) { <*> } } } }"#,
        at: "/node/messages",
        rows: &[
            ask("edges", "edges { cursor }", "", INSIDERS),
            ask("pageInfo", "pageInfo { hasNextPage }", "/hasNextPage", INSIDERS),
        ],
    },
    Group {
        of: "ChatMessageEdge",
        through: r#"{ node(id: "<gathering>") {
            ... on Gathering { messages(last: 1) { edges { <*> } } } } }"#,
        at: "/node/messages/edges/0",
        rows: &[plain("cursor", INSIDERS), ask("node", "node { id }", "/id", INSIDERS)],
    },
    Group {
        of: "Notification",
        through: r#"{ node(id: "<notification>") { ... on Notification { <*> } } }"#,
        at: "/node",
        rows: &[
            plain("id", MEMBER_ONLY),
            plain("kind", MEMBER_ONLY),
            plain("createdAt", MEMBER_ONLY),
            plain("readAt", [Gone, Gone, Null, Gone]),
            plain("text", MEMBER_ONLY),
            ask("subject", "subject { id }", "/id", MEMBER_ONLY),
        ],
    },
    Group {
        of: "NotificationConnection",
        through: "{ viewer { notifications(first: 1) { <*> } } }",
        at: "/viewer/notifications",
        rows: &[
            ask("edges", "edges { cursor }", "", [Gone, See::Empty, Data, Data]),
            ask("pageInfo", "pageInfo { hasNextPage }", "/hasNextPage", [Gone, Data, Data, Data]),
        ],
    },
    Group {
        of: "NotificationEdge",
        through: "{ viewer { notifications(first: 1) { edges { <*> } } } }",
        at: "/viewer/notifications/edges/0",
        rows: &[plain("cursor", NOTIFIED), ask("node", "node { id }", "/id", NOTIFIED)],
    },
];
