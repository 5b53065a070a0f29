//! The table of fields of paid schedules, orders and wallets: a wallet is nobody's business but its owner's.

use crate::fields::See::{Data, Denied, Empty, Gone, Is, Null};
use crate::fields::{Group, See, ask, plain};
use crate::rows::EVERYONE;

const MEMBER_ONLY: [See; 4] = [Gone, Gone, Data, Gone];
/// The member and the host have put money into theirs.
const WITH_MONEY: [See; 4] = [Gone, Gone, Data, Data];
const SIGNED_IN: [See; 4] = [Gone, Data, Data, Data];
/// The host has too little to pay with; an outsider is told something else first, and the member pays.
const LACKING: [See; 4] = [Denied("UNAUTHENTICATED"), Gone, Gone, Data];

pub const GROUPS: &[Group] = &[
    Group {
        of: "Query",
        through: "{ <*> }",
        at: "",
        rows: &[
            ask("node", r#"node(id: "<order>") { id }"#, "", [Null, Null, Data, Null]),
            ask("node", r#"node(id: "<entry>") { id }"#, "", [Null, Null, Data, Null]),
            ask("nodes", r#"nodes(ids: ["<order>"]) { id }"#, "/0", [Null, Null, Data, Null]),
            ask("nodes", r#"nodes(ids: ["<entry>"]) { id }"#, "/0", [Null, Null, Data, Null]),
        ],
    },
    Group {
        of: "Schedule",
        through: r#"{ node(id: "<paid>") { ... on Schedule { <*> } } }"#,
        at: "/node",
        rows: &[
            plain("fee", EVERYONE),
            plain("refundableUntil", EVERYONE),
            plain("heldCount", EVERYONE),
            plain(
                "viewerOption",
                [Is("LOG_IN"), Is("JOIN_GATHERING"), Is("WITHDRAW"), Is("ATTEND")],
            ),
        ],
    },
    Group {
        of: "Attendance",
        through: r#"{ node(id: "<paidAttendance>") { ... on Attendance { <*> } } }"#,
        at: "/node",
        rows: &[
            plain("state", [Is("GOING"); 4]),
            plain("holdExpiresAt", [Null; 4]),
            ask("order", "order { id }", "", [Null, Null, Data, Null]),
        ],
    },
    Group {
        of: "Order",
        through: r#"{ node(id: "<order>") { ... on Order { <*> } } }"#,
        at: "/node",
        rows: &[
            plain("id", MEMBER_ONLY),
            ask("schedule", "schedule { title }", "/title", MEMBER_ONLY),
            plain("amount", MEMBER_ONLY),
            plain("state", [Gone, Gone, Is("CONFIRMED"), Gone]),
            plain("failureMessage", [Gone, Gone, Null, Gone]),
            plain("createdAt", MEMBER_ONLY),
            plain("updatedAt", MEMBER_ONLY),
        ],
    },
    Group {
        of: "Wallet",
        through: "{ viewer { wallet { <*> } } }",
        at: "/viewer/wallet",
        rows: &[
            plain("balance", SIGNED_IN),
            plain("held", SIGNED_IN),
            ask(
                "entries",
                "entries(first: 9) { edges { cursor } }",
                "/edges",
                [Gone, Empty, Data, Data],
            ),
        ],
    },
    Group {
        of: "WalletEntry",
        through: r#"{ node(id: "<entry>") { ... on WalletEntry { <*> } } }"#,
        at: "/node",
        rows: &[
            plain("id", MEMBER_ONLY),
            plain("kind", [Gone, Gone, Is("PAYMENT"), Gone]),
            plain("amount", MEMBER_ONLY),
            plain("balanceAfter", MEMBER_ONLY),
            ask("order", "order { id }", "/id", MEMBER_ONLY),
            plain("createdAt", MEMBER_ONLY),
        ],
    },
    Group {
        of: "WalletEntryConnection",
        through: "{ viewer { wallet { entries(first: 1) { <*> } } } }",
        at: "/viewer/wallet/entries",
        rows: &[
            ask("edges", "edges { cursor }", "", [Gone, Empty, Data, Data]),
            ask("pageInfo", "pageInfo { hasNextPage }", "/hasNextPage", SIGNED_IN),
        ],
    },
    Group {
        of: "WalletEntryEdge",
        through: "{ viewer { wallet { entries(first: 1) { edges { <*> } } } } }",
        at: "/viewer/wallet/entries/edges/0",
        rows: &[plain("cursor", WITH_MONEY), ask("node", "node { id }", "/id", WITH_MONEY)],
    },
    Group {
        of: "InsufficientBalanceError",
        through: r#"mutation {
            it: scheduleAttend(input: { scheduleId: "<payable>" }) @idempotent(key: "<fresh>") {
                userErrors { ... on InsufficientBalanceError { <*> } } } }"#,
        at: "/it/userErrors/0",
        rows: &[
            plain("code", LACKING),
            plain("message", LACKING),
            plain("path", [Denied("UNAUTHENTICATED"), Gone, Gone, Null]),
            plain("shortfall", LACKING),
        ],
    },
];
