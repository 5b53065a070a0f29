//! The host of one gathering with the ids of another: refused, or answered as if nothing had that id.

use std::collections::BTreeSet;

use moim_e2e::{Client, Value, json};

use crate::fields::asked;
use crate::scene::{Scene, missing, text};
use crate::snapshot::snapshot;

/// What is said about an id of somebody else's thing.
#[derive(Debug)]
enum Said {
    /// That one may not.
    Forbidden(&'static str),
    /// What is true of everybody who is not in it; the thing itself is public.
    Public(&'static str),
    /// Just what is said about an id that nothing has.
    AsMissing,
    /// The same, in other words than that there is no such thing.
    AlikeOfNothing(&'static str),
}

/// One argument that takes an id.
struct Case {
    mutation: &'static str,
    field: &'static str,
    /// What stands beside the id.
    beside: &'static str,
    /// Whose id is given.
    id: &'static str,
    said: Said,
}

const fn case(
    mutation: &'static str,
    field: &'static str,
    beside: &'static str,
    id: &'static str,
    said: Said,
) -> Case {
    Case { mutation, field, beside, id, said }
}

const TIMES: &str = r#"title: "ab", description: "a", place: "a", capacity: 1,
    startsAt: "<soon>", endsAt: "<later>""#;

const CASES: &[Case] = &[
    case(
        "gatheringUpdate",
        "gatheringId",
        "closed: true",
        "gathering",
        Said::Forbidden("FORBIDDEN"),
    ),
    case("gatheringLeave", "gatheringId", "", "gathering", Said::Forbidden("NOT_A_MEMBER")),
    case("membershipDecide", "membershipId", "approve: true", "applicant", Said::AsMissing),
    case(
        "membershipSetRole",
        "membershipId",
        "role: HOST",
        "guestMembership",
        Said::Forbidden("FORBIDDEN"),
    ),
    case("membershipRemove", "membershipId", "", "guestMembership", Said::Forbidden("FORBIDDEN")),
    case("membershipRemove", "membershipId", "", "hostMembership", Said::Forbidden("FORBIDDEN")),
    case("scheduleCreate", "gatheringId", TIMES, "gathering", Said::Forbidden("NOT_A_MEMBER")),
    case(
        "scheduleUpdate",
        "scheduleId",
        "capacity: 9",
        "schedule",
        Said::Forbidden("NOT_A_MEMBER"),
    ),
    case(
        "scheduleCancel",
        "scheduleId",
        r#"reason: "a""#,
        "schedule",
        Said::Forbidden("NOT_A_MEMBER"),
    ),
    case("scheduleAttend", "scheduleId", "", "free", Said::Forbidden("NOT_A_MEMBER")),
    case("scheduleWithdraw", "scheduleId", "", "schedule", Said::Public("WRONG_STATE")),
    case(
        "attendanceRecord",
        "attendanceId",
        "attended: true",
        "begunAttendance",
        Said::Forbidden("NOT_A_MEMBER"),
    ),
    case("attendanceRecord", "attendanceId", "attended: true", "begunWaiting", Said::AsMissing),
    case(
        "reviewWrite",
        "scheduleId",
        r#"rating: 5, body: "a""#,
        "over",
        Said::Public("WRONG_STATE"),
    ),
    case("reviewDelete", "reviewId", "", "review", Said::Forbidden("FORBIDDEN")),
    case(
        "chatMessageSend",
        "gatheringId",
        r#"body: "a", clientId: "a""#,
        "gathering",
        // The chat room knows of gatherings by their members alone.
        Said::AlikeOfNothing("NOT_A_MEMBER"),
    ),
    case("chatMessageDelete", "messageId", "", "said", Said::AsMissing),
    case("notificationMarkRead", "upToId", "", "notification", Said::AsMissing),
];

/// Arguments that take ids of what belongs to nobody, or that everybody may name.
const OPEN_TO_ALL: &[&str] = &[
    // The sender's own.
    "chatMessageSend.clientId",
    "gatheringCreate.regionId",
    "gatheringJoin.gatheringId",
    "gatheringUpdate.regionId",
    "memberSetBlocked.memberId",
];

/// Tries every id argument as the outsider; fails naming all that tell or change something.
pub async fn try_all(scene: &Scene) {
    let outsider = &scene.cast.outsider.client;
    let before = snapshot(&scene.cast.host, scene).await;
    let mut wrong = Vec::new();
    for case in CASES {
        let id = scene.id(case.id);
        let theirs = told(outsider, scene, case, id).await;
        let nobodys = told(outsider, scene, case, &missing(id)).await;
        let as_expected = match case.said {
            Said::Forbidden(code) | Said::Public(code) => theirs[0]["code"] == code,
            Said::AsMissing | Said::AlikeOfNothing(_) => theirs == nobodys,
        };
        let of_nothing = match case.said {
            Said::AlikeOfNothing(code) => code,
            _ => "NOT_FOUND",
        };
        if !as_expected || nobodys[0]["code"] != of_nothing {
            let Case { mutation, said, .. } = case;
            wrong
                .push(format!("{mutation}: expected {said:?}: {theirs}, and of nothing {nobodys}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(snapshot(&scene.cast.host, scene).await, before, "something was changed");
    compare(outsider).await;
}

/// The user errors about an id.
async fn told(client: &Client, scene: &Scene, case: &Case, id: &str) -> Value {
    let Case { mutation, field, beside, .. } = case;
    let query = format!(
        r#"mutation {{ it: {mutation}(input: {{ {field}: "{id}" {beside} }})
            @idempotent(key: "<fresh>") {{ userErrors {{ code message path }} }} }}"#
    );
    let body = asked(client, scene, &query).await;
    body["data"]["it"]["userErrors"].clone()
}

/// Fails naming the arguments of type `ID` that no case is about.
async fn compare(client: &Client) {
    let data = client.data(INPUTS, json!({})).await;
    let mut known = BTreeSet::new();
    for mutation in data["__schema"]["mutationType"]["fields"].as_array().unwrap() {
        let input = &mutation["args"][0]["type"]["ofType"];
        for field in input["inputFields"].as_array().unwrap() {
            let of = &field["type"];
            if of["name"] == "ID" || of["ofType"]["name"] == "ID" {
                known.insert(format!("{}.{}", text(&mutation["name"]), text(&field["name"])));
            }
        }
    }
    let cases = CASES.iter().map(|case| format!("{}.{}", case.mutation, case.field));
    let tried = cases.chain(OPEN_TO_ALL.iter().map(|name| (*name).to_owned())).collect();
    assert_eq!(known, tried, "every argument that takes an id is tried with somebody else's");
}

const INPUTS: &str = "{ __schema { mutationType { fields { name
  args { type { ofType { inputFields { name type { name ofType { name } } } } } } } } } }";
