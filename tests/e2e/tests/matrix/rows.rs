//! The table of fields: what a stranger, an outsider, a member and the host see of each.

use crate::fields::See::{Data, Denied, Empty, Gone, Is, Null};
use crate::fields::{Group, See, ask, plain};

pub const EVERYONE: [See; 4] = [Data; 4];
const NOTHING: [See; 4] = [Null; 4];
/// The member and the host.
const INSIDERS: [See; 4] = [Null, Null, Data, Data];
const HOST_IN_LISTS: [See; 4] = [Empty, Empty, Empty, Data];
/// What only those who lead the gathering can look up.
const HOST_ONLY: [See; 4] = [Gone, Gone, Gone, Data];
const SIGNED_IN: [See; 4] = [Gone, Data, Data, Data];

pub const GROUPS: &[Group] = &[
    Group {
        of: "Query",
        through: "{ <*> }",
        at: "",
        rows: &[
            ask("node", r#"node(id: "<gathering>") { id }"#, "/id", EVERYONE),
            ask("node", r#"node(id: "<schedule>") { id }"#, "/id", EVERYONE),
            ask("node", r#"node(id: "<member>") { id }"#, "/id", EVERYONE),
            ask("node", r#"node(id: "<membership>") { id }"#, "/id", EVERYONE),
            ask("node", r#"node(id: "<attendance>") { id }"#, "/id", EVERYONE),
            ask("node", r#"node(id: "<applicant>") { id }"#, "", [Null, Null, Null, Data]),
            ask("node", r#"node(id: "<waiting>") { id }"#, "", [Null, Null, Null, Data]),
            ask("node", r#"node(id: "<viewer>") { id }"#, "", [Null, Null, Data, Null]),
            ask("nodes", r#"nodes(ids: ["<gathering>", "<schedule>"]) { id }"#, "/1", EVERYONE),
            ask("nodes", r#"nodes(ids: ["<applicant>"]) { id }"#, "/0", [Null, Null, Null, Data]),
            ask("viewer", "viewer { id }", "", [Null, Data, Data, Data]),
            ask("member", r#"member(by: { id: "<guest>" }) { id }"#, "/id", EVERYONE),
            ask("member", r#"member(by: { nickname: "guest" }) { id }"#, "/id", EVERYONE),
            ask("node", r#"node(id: "<review>") { id }"#, "/id", EVERYONE),
            ask("node", r#"node(id: "<said>") { id }"#, "", INSIDERS),
            ask("node", r#"node(id: "<notification>") { id }"#, "", [Null, Null, Data, Null]),
            ask("regions", "regions { id }", "", EVERYONE),
            ask("gatherings", "gatherings(first: 1) { edges { cursor } }", "/edges", EVERYONE),
            ask("rateLimit", "rateLimit { cost }", "/cost", EVERYONE),
        ],
    },
    Group {
        of: "RateLimit",
        through: "{ rateLimit { <*> } }",
        at: "/rateLimit",
        rows: &[
            plain("cost", EVERYONE),
            plain("limit", EVERYONE),
            plain("remaining", EVERYONE),
            plain("resetAt", EVERYONE),
        ],
    },
    Group {
        of: "Viewer",
        through: "{ viewer { <*> } }",
        at: "/viewer",
        rows: &[
            plain("id", SIGNED_IN),
            plain("email", SIGNED_IN),
            ask("member", "member { id bio }", "/id", SIGNED_IN),
            ask("memberships", "memberships(first: 1) { edges { cursor } }", "/edges", SIGNED_IN),
            ask(
                "attendances",
                "attendances(first: 1) { edges { cursor } }",
                "/edges",
                [Gone, Empty, Data, Data],
            ),
            ask(
                "notifications",
                "notifications(first: 1) { edges { cursor } }",
                "/edges",
                [Gone, Empty, Data, Data],
            ),
            plain("unreadNotificationCount", SIGNED_IN),
            ask("wallet", "wallet { balance }", "/balance", SIGNED_IN),
        ],
    },
    Group {
        of: "Viewer",
        through: r#"{ node(id: "<viewer>") { ... on Viewer { <*> } } }"#,
        at: "/node",
        rows: &[plain("email", [Gone, Gone, Data, Gone])],
    },
    Group {
        of: "Member",
        through: r#"{ member(by: { id: "<host>" }) { <*> } }"#,
        at: "/member",
        rows: MEMBER,
    },
    Group {
        of: "Member",
        through: r#"{ node(id: "<gathering>") { ... on Gathering { host { <*> } } } }"#,
        at: "/node/host",
        rows: MEMBER,
    },
    Group {
        of: "Gathering",
        through: r#"{ node(id: "<gathering>") { ... on Gathering { <*> } } }"#,
        at: "/node",
        rows: &[
            plain("id", EVERYONE),
            plain("title", EVERYONE),
            plain("description", EVERYONE),
            plain("category", EVERYONE),
            ask("region", "region { id name }", "/name", EVERYONE),
            plain("imageUrl", EVERYONE),
            plain("joinPolicy", EVERYONE),
            plain("status", EVERYONE),
            plain("capacity", EVERYONE),
            plain("memberCount", EVERYONE),
            ask("host", "host { id }", "/id", EVERYONE),
            plain("createdAt", EVERYONE),
            ask("viewerMembership", "viewerMembership { id }", "", INSIDERS),
            ask("members", "members(first: 9) { edges { cursor } }", "/edges", EVERYONE),
            ask(
                "members",
                "members(status: PENDING, first: 9) { edges { cursor } }",
                "/edges",
                HOST_IN_LISTS,
            ),
            ask("schedules", "schedules(first: 9) { edges { cursor } }", "/edges", EVERYONE),
            plain("rating", NOTHING),
            ask("reviews", "reviews(first: 9) { edges { cursor } }", "/edges", [Empty; 4]),
            ask("messages", "messages(last: 9) { edges { cursor } }", "", INSIDERS),
        ],
    },
    Group {
        of: "Gathering",
        through: r#"{ node(id: "<past>") { ... on Gathering { <*> } } }"#,
        at: "/node",
        rows: &[
            plain("rating", EVERYONE),
            ask("reviews", "reviews(first: 9) { edges { cursor } }", "/edges", EVERYONE),
        ],
    },
    Group {
        of: "Membership",
        through: r#"{ node(id: "<membership>") { ... on Membership { <*> } } }"#,
        at: "/node",
        rows: &[
            plain("id", EVERYONE),
            ask("member", "member { id }", "/id", EVERYONE),
            plain("role", EVERYONE),
            plain("status", EVERYONE),
            plain("message", NOTHING),
            plain("updatedAt", EVERYONE),
            ask("gathering", "gathering { title }", "/title", EVERYONE),
        ],
    },
    Group {
        of: "Membership",
        through: r#"{ node(id: "<applicant>") { ... on Membership { <*> } } }"#,
        at: "/node",
        rows: &[
            plain("status", HOST_ONLY),
            ask("member", "member { nickname }", "/nickname", HOST_ONLY),
            plain("message", HOST_ONLY),
        ],
    },
    Group {
        of: "Region",
        through: "{ regions { <*> } }",
        at: "/regions/0",
        rows: &[plain("id", EVERYONE), plain("name", EVERYONE)],
    },
    Group {
        of: "Schedule",
        through: r#"{ node(id: "<schedule>") { ... on Schedule { <*> } } }"#,
        at: "/node",
        rows: &[
            plain("id", EVERYONE),
            plain("title", EVERYONE),
            plain("description", EVERYONE),
            plain("place", EVERYONE),
            plain("startsAt", EVERYONE),
            plain("endsAt", EVERYONE),
            plain("timeZone", EVERYONE),
            plain("capacity", EVERYONE),
            plain("goingCount", EVERYONE),
            plain("heldCount", EVERYONE),
            plain("fee", EVERYONE),
            plain("refundableUntil", NOTHING),
            plain("waitlistCount", EVERYONE),
            plain("status", EVERYONE),
            plain(
                "viewerOption",
                [Is("LOG_IN"), Is("JOIN_GATHERING"), Is("WITHDRAW"), Is("WITHDRAW")],
            ),
            ask("viewerAttendance", "viewerAttendance { id }", "", INSIDERS),
            ask("gathering", "gathering { title }", "/title", EVERYONE),
            ask("attendances", "attendances(first: 9) { edges { cursor } }", "/edges", EVERYONE),
            ask(
                "attendances",
                "attendances(state: WAITLISTED, first: 9) { edges { cursor } }",
                "/edges",
                HOST_IN_LISTS,
            ),
            ask("reviews", "reviews(first: 9) { edges { cursor } }", "/edges", [Empty; 4]),
            plain("icsUrl", EVERYONE),
        ],
    },
    Group {
        of: "Attendance",
        through: r#"{ node(id: "<attendance>") { ... on Attendance { <*> } } }"#,
        at: "/node",
        rows: &[
            plain("id", EVERYONE),
            ask("member", "member { id }", "/id", EVERYONE),
            plain("state", EVERYONE),
            plain("waitlistPosition", NOTHING),
            plain("holdExpiresAt", NOTHING),
            ask("order", "order { id }", "", NOTHING),
            plain("updatedAt", EVERYONE),
            ask("schedule", "schedule { title }", "/title", EVERYONE),
        ],
    },
    Group {
        of: "Attendance",
        through: r#"{ node(id: "<waiting>") { ... on Attendance { <*> } } }"#,
        at: "/node",
        rows: &[
            ask("member", "member { nickname }", "/nickname", HOST_ONLY),
            plain("state", HOST_ONLY),
            plain("waitlistPosition", HOST_ONLY),
        ],
    },
    Group {
        of: "GatheringConnection",
        through: "{ gatherings(first: 1) { <*> } }",
        at: "/gatherings",
        rows: CONNECTION,
    },
    Group {
        of: "GatheringEdge",
        through: "{ gatherings(first: 1) { edges { <*> } } }",
        at: "/gatherings/edges/0",
        rows: EDGE,
    },
    Group {
        of: "PageInfo",
        through: "{ gatherings(first: 1) { pageInfo { <*> } } }",
        at: "/gatherings/pageInfo",
        rows: &[
            plain("hasNextPage", EVERYONE),
            plain("hasPreviousPage", EVERYONE),
            plain("startCursor", EVERYONE),
            plain("endCursor", EVERYONE),
        ],
    },
    Group {
        of: "MembershipConnection",
        through: r#"{ node(id: "<gathering>") { ... on Gathering { members(first: 1) { <*> } } } }"#,
        at: "/node/members",
        rows: CONNECTION,
    },
    Group {
        of: "MembershipEdge",
        through: r#"{ node(id: "<gathering>") {
            ... on Gathering { members(first: 1) { edges { <*> } } } } }"#,
        at: "/node/members/edges/0",
        rows: EDGE,
    },
    Group {
        of: "ScheduleConnection",
        through: r#"{ node(id: "<gathering>") { ... on Gathering { schedules(first: 1) { <*> } } } }"#,
        at: "/node/schedules",
        rows: CONNECTION,
    },
    Group {
        of: "ScheduleEdge",
        through: r#"{ node(id: "<gathering>") {
            ... on Gathering { schedules(first: 1) { edges { <*> } } } } }"#,
        at: "/node/schedules/edges/0",
        rows: EDGE,
    },
    Group {
        of: "AttendanceConnection",
        through: r#"{ node(id: "<schedule>") { ... on Schedule { attendances(first: 1) { <*> } } } }"#,
        at: "/node/attendances",
        rows: CONNECTION,
    },
    Group {
        of: "AttendanceEdge",
        through: r#"{ node(id: "<schedule>") {
            ... on Schedule { attendances(first: 1) { edges { <*> } } } } }"#,
        at: "/node/attendances/edges/0",
        rows: EDGE,
    },
    Group {
        of: "AuthTokens",
        through: r#"mutation { it: authLogIn(input: {
            email: "<guestEmail>", password: "<guestPassword>" }) { tokens { <*> } } }"#,
        at: "/it/tokens",
        rows: &[
            plain("accessToken", EVERYONE),
            plain("accessExpiresAt", EVERYONE),
            plain("refreshToken", EVERYONE),
            plain("refreshExpiresAt", EVERYONE),
        ],
    },
    Group {
        of: "BasicError",
        through: r#"mutation { it: authSignUp(input: { email: "", password: "", nickname: "" }) {
            userErrors { ... on BasicError { <*> } } } }"#,
        at: "/it/userErrors/0",
        rows: &[plain("code", EVERYONE), plain("message", EVERYONE), plain("path", EVERYONE)],
    },
    Group {
        of: "ScheduleOverlapError",
        through: r#"mutation {
            it: scheduleAttend(input: { scheduleId: "<overlapping>" }) @idempotent(key: "<fresh>") {
                userErrors { ... on ScheduleOverlapError { <*> } } } }"#,
        at: "/it/userErrors/0",
        rows: &[
            plain("code", OVERLAPPED),
            plain("message", OVERLAPPED),
            plain("path", [Denied("UNAUTHENTICATED"), Gone, Null, Null]),
            ask("overlapping", "overlapping { id }", "/id", OVERLAPPED),
        ],
    },
];

/// An outsider is told something else first.
const OVERLAPPED: [See; 4] = [Denied("UNAUTHENTICATED"), Gone, Data, Data];

const MEMBER: &[crate::fields::Row] = &[
    plain("id", EVERYONE),
    plain("nickname", EVERYONE),
    plain("avatarUrl", EVERYONE),
    plain("bio", EVERYONE),
    plain("joinedAt", EVERYONE),
    plain("viewerHasBlocked", EVERYONE),
];

pub const CONNECTION: &[crate::fields::Row] = &[
    ask("edges", "edges { cursor }", "", EVERYONE),
    ask("pageInfo", "pageInfo { hasNextPage }", "/hasNextPage", EVERYONE),
];

pub const EDGE: &[crate::fields::Row] =
    &[plain("cursor", EVERYONE), ask("node", "node { id }", "/id", EVERYONE)];
