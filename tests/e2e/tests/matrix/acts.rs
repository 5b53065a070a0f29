//! The table of mutations: what comes of each for a stranger, an outsider, a member and the host.

use crate::mutations::Does::{Done, Refused};
use crate::mutations::{Act, Does};

const SIGN_IN: Does = Does::SignIn;
const EVERYONE: [Does; 4] = [Done; 4];
const SIGNED_IN: [Does; 4] = [SIGN_IN, Done, Done, Done];
/// What one may do who leads the gathering; the gathering room says the same to all others.
const LEADERS: [Does; 4] = [SIGN_IN, Refused("FORBIDDEN"), Refused("FORBIDDEN"), Done];
/// The same in the schedule room, which tells outsiders to join first.
const LEADERS_AFTER_JOINING: [Does; 4] =
    [SIGN_IN, Refused("NOT_A_MEMBER"), Refused("FORBIDDEN"), Done];

pub const ACTS: &[Act] = &[
    Act {
        mutation: "authSignUp",
        input: r#"{ email: "<fresh>@example.com", password: "long enough", nickname: "<nickname>" }"#,
        payload: &["tokens", "viewer"],
        does: EVERYONE,
    },
    Act {
        mutation: "authLogIn",
        input: r#"{ email: "<guestEmail>", password: "<guestPassword>" }"#,
        payload: &["tokens", "viewer"],
        does: EVERYONE,
    },
    Act {
        mutation: "authRefresh",
        input: r#"{ refreshToken: "<refreshToken>" }"#,
        payload: &["tokens"],
        does: EVERYONE,
    },
    Act { mutation: "authLogOut", input: "{ everywhere: false }", payload: &[], does: SIGNED_IN },
    Act {
        mutation: "memberUpdate",
        input: r#"{ bio: "<fresh>" }"#,
        payload: &["member"],
        does: SIGNED_IN,
    },
    Act {
        mutation: "memberSetBlocked",
        input: r#"{ memberId: "<guest>", blocked: true }"#,
        payload: &["member"],
        does: SIGNED_IN,
    },
    Act {
        mutation: "gatheringCreate",
        input: r#"{ title: "새 모임", description: "처음 시작해요.", category: BOOKS,
            regionId: "<region>", capacity: 5 }"#,
        payload: &["gathering"],
        does: SIGNED_IN,
    },
    Act {
        mutation: "gatheringUpdate",
        input: r#"{ gatheringId: "<gathering>", title: "<title>" }"#,
        payload: &["gathering"],
        does: LEADERS,
    },
    Act {
        mutation: "gatheringJoin",
        input: r#"{ gatheringId: "<gathering>" }"#,
        payload: &["membership"],
        does: [SIGN_IN, Done, Refused("ALREADY_EXISTS"), Refused("ALREADY_EXISTS")],
    },
    Act {
        mutation: "gatheringLeave",
        input: r#"{ gatheringId: "<gathering>" }"#,
        payload: &["membership"],
        does: [SIGN_IN, Refused("NOT_A_MEMBER"), Done, Refused("WRONG_STATE")],
    },
    Act {
        mutation: "membershipDecide",
        input: r#"{ membershipId: "<applicant>", approve: true }"#,
        payload: &["membership"],
        // Whoever may not see a request cannot tell it from none.
        does: [SIGN_IN, Refused("NOT_FOUND"), Refused("NOT_FOUND"), Done],
    },
    Act {
        mutation: "membershipSetRole",
        input: r#"{ membershipId: "<guestMembership>", role: MANAGER }"#,
        payload: &["membership"],
        does: LEADERS,
    },
    Act {
        mutation: "membershipRemove",
        input: r#"{ membershipId: "<guestMembership>", ban: true }"#,
        payload: &["membership"],
        does: LEADERS,
    },
    Act {
        mutation: "scheduleCreate",
        input: r#"{ gatheringId: "<gathering>", title: "첫 만남", description: "인사해요.",
            place: "시청 앞", startsAt: "<soon>", endsAt: "<later>", capacity: 3 }"#,
        payload: &["schedule"],
        does: LEADERS_AFTER_JOINING,
    },
    Act {
        mutation: "scheduleUpdate",
        input: r#"{ scheduleId: "<schedule>", place: "<title>" }"#,
        payload: &["schedule"],
        does: LEADERS_AFTER_JOINING,
    },
    Act {
        mutation: "scheduleCancel",
        input: r#"{ scheduleId: "<schedule>", reason: "비가 와요." }"#,
        payload: &["schedule"],
        does: LEADERS_AFTER_JOINING,
    },
    Act {
        mutation: "scheduleAttend",
        input: r#"{ scheduleId: "<free>" }"#,
        payload: &["attendance"],
        does: [SIGN_IN, Refused("NOT_A_MEMBER"), Done, Done],
    },
    Act {
        mutation: "scheduleAttend",
        input: r#"{ scheduleId: "<payable>" }"#,
        payload: &["attendance"],
        // Only the member has the money for it.
        does: [SIGN_IN, Refused("NOT_A_MEMBER"), Done, Refused("INSUFFICIENT_BALANCE")],
    },
    Act {
        mutation: "walletTopUp",
        input: "{ amount: 10000 }",
        payload: &["viewer"],
        does: SIGNED_IN,
    },
    Act {
        mutation: "scheduleWithdraw",
        input: r#"{ scheduleId: "<schedule>" }"#,
        payload: &["attendance"],
        does: [SIGN_IN, Refused("WRONG_STATE"), Done, Done],
    },
    Act {
        mutation: "attendanceRecord",
        input: r#"{ attendanceId: "<begunAttendance>", attended: true }"#,
        payload: &["attendance"],
        does: LEADERS_AFTER_JOINING,
    },
    Act {
        mutation: "reviewWrite",
        input: r#"{ scheduleId: "<over>", rating: 5, body: "<title>" }"#,
        payload: &["review"],
        // Only the member was there.
        does: [SIGN_IN, Refused("WRONG_STATE"), Done, Refused("WRONG_STATE")],
    },
    Act {
        mutation: "reviewDelete",
        input: r#"{ reviewId: "<review>" }"#,
        payload: &["deletedId"],
        // The member wrote it.
        does: [SIGN_IN, Refused("FORBIDDEN"), Done, Refused("FORBIDDEN")],
    },
    Act {
        mutation: "chatMessageSend",
        input: r#"{ gatheringId: "<gathering>", body: "<title>", clientId: "<fresh>" }"#,
        payload: &["edge"],
        does: [SIGN_IN, Refused("NOT_A_MEMBER"), Done, Done],
    },
    Act {
        mutation: "chatMessageDelete",
        input: r#"{ messageId: "<answered>" }"#,
        payload: &["message"],
        // The guest said it; outsiders do not even know of it.
        does: [SIGN_IN, Refused("NOT_FOUND"), Refused("FORBIDDEN"), Done],
    },
    Act {
        mutation: "chatMessageDelete",
        input: r#"{ messageId: "<said>" }"#,
        payload: &["message"],
        does: [SIGN_IN, Refused("NOT_FOUND"), Done, Done],
    },
    Act {
        mutation: "notificationMarkRead",
        input: r#"{ upToId: "<notification>" }"#,
        payload: &["viewer"],
        does: [SIGN_IN, Refused("NOT_FOUND"), Done, Refused("NOT_FOUND")],
    },
];
