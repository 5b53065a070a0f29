//! Good inputs at the wrong moment or by the wrong person.

use moim_e2e::{Client, Value, expect_data, in_hours, json};

use crate::scene::Scene;
use crate::trial::{Refusal, Trial, operation};

#[derive(Clone, Copy, Debug)]
enum Who {
    Stranger,
    Outsider,
    Member,
    Guest,
    Applicant,
    Host,
}
use Who::{Applicant, Guest, Host, Member, Outsider, Stranger};

/// Somebody does something: JSON with names in it.
struct Step(Who, &'static str, &'static str);

/// What is done first, in a fresh scene, what is then tried, and what is said to it.
struct Case {
    first: &'static [Step],
    then: Step,
    code: &'static str,
    field: Option<&'static str>,
}

const fn case(first: &'static [Step], then: Step, code: &'static str) -> Case {
    Case { first, then, code, field: None }
}

const fn about(
    first: &'static [Step],
    then: Step,
    code: &'static str,
    field: &'static str,
) -> Case {
    Case { first, then, code, field: Some(field) }
}

const UPDATE: &str = "gatheringUpdate";
const JOIN: &str = "gatheringJoin";
const DECIDE: &str = "membershipDecide";
const SET_ROLE: &str = "membershipSetRole";
const REMOVE: &str = "membershipRemove";
const ATTEND: &str = "scheduleAttend";
const WITHDRAW: &str = "scheduleWithdraw";
const SAY: &str = "chatMessageSend";
const UNSAY: &str = "chatMessageDelete";
const REVIEW: &str = "reviewWrite";
const UNREVIEW: &str = "reviewDelete";

const GATHERING: &str = r#"{ "gatheringId": "<gathering>" }"#;
const FULL: &str = r#"{ "gatheringId": "<gathering>", "capacity": 3 }"#;
const OPEN: &str = r#"{ "gatheringId": "<gathering>", "joinPolicy": "OPEN" }"#;
const CLOSED: &str = r#"{ "gatheringId": "<gathering>", "closed": true }"#;
const APPROVE: &str = r#"{ "membershipId": "<applicant>", "approve": true }"#;
const REJECT: &str = r#"{ "membershipId": "<applicant>", "approve": false }"#;
const BAN_GUEST: &str = r#"{ "membershipId": "<guestMembership>", "ban": true }"#;
const REMOVE_GUEST: &str = r#"{ "membershipId": "<guestMembership>", "ban": false }"#;
const PROMOTE_GUEST: &str = r#"{ "membershipId": "<guestMembership>", "role": "MANAGER" }"#;
const CANCEL: &str = r#"{ "scheduleId": "<schedule>", "reason": "비가 와요." }"#;
const SCHEDULE: &str = r#"{ "scheduleId": "<schedule>" }"#;
const FREE: &str = r#"{ "scheduleId": "<free>", "allowOverlap": true }"#;
const HELLO: &str = r#"{ "gatheringId": "<gathering>", "clientId": "hello", "body": "안녕" }"#;
const OPINION: &str = r#"{ "scheduleId": "<over>", "rating": 5, "body": "좋았어요." }"#;
const OWN_REVIEW: &str = r#"{ "reviewId": "<review>" }"#;

const CASES: &[Case] = &[
    about(
        &[],
        Step(Host, UPDATE, r#"{ "gatheringId": "<gathering>", "capacity": 2 }"#),
        "INVALID",
        "capacity",
    ),
    case(&[], Step(Member, UPDATE, CLOSED), "FORBIDDEN"),
    case(&[Step(Host, UPDATE, CLOSED)], Step(Outsider, JOIN, GATHERING), "WRONG_STATE"),
    case(
        &[Step(Host, UPDATE, FULL), Step(Host, UPDATE, OPEN)],
        Step(Outsider, JOIN, GATHERING),
        "FULL",
    ),
    case(&[Step(Host, REMOVE, BAN_GUEST)], Step(Guest, JOIN, GATHERING), "BANNED"),
    case(&[], Step(Member, JOIN, GATHERING), "ALREADY_EXISTS"),
    case(&[], Step(Applicant, JOIN, GATHERING), "ALREADY_EXISTS"),
    case(&[], Step(Host, "gatheringLeave", GATHERING), "WRONG_STATE"),
    case(&[], Step(Outsider, "gatheringLeave", GATHERING), "NOT_A_MEMBER"),
    case(
        &[Step(Member, "gatheringLeave", GATHERING)],
        Step(Member, "gatheringLeave", GATHERING),
        "NOT_A_MEMBER",
    ),
    case(&[Step(Member, "gatheringLeave", GATHERING)], Step(Member, ATTEND, FREE), "NOT_A_MEMBER"),
    case(&[], Step(Applicant, DECIDE, APPROVE), "FORBIDDEN"),
    case(&[Step(Host, DECIDE, REJECT)], Step(Host, DECIDE, APPROVE), "WRONG_STATE"),
    case(
        &[],
        Step(Host, DECIDE, r#"{ "membershipId": "<membership>", "approve": false }"#),
        "WRONG_STATE",
    ),
    case(&[Step(Host, UPDATE, FULL)], Step(Host, DECIDE, APPROVE), "FULL"),
    case(
        &[],
        Step(Host, SET_ROLE, r#"{ "membershipId": "<applicant>", "role": "MANAGER" }"#),
        "WRONG_STATE",
    ),
    case(
        &[],
        Step(Host, SET_ROLE, r#"{ "membershipId": "<hostMembership>", "role": "MEMBER" }"#),
        "WRONG_STATE",
    ),
    case(
        &[Step(Host, SET_ROLE, PROMOTE_GUEST)],
        Step(Guest, SET_ROLE, r#"{ "membershipId": "<membership>", "role": "MANAGER" }"#),
        "FORBIDDEN",
    ),
    case(
        &[Step(Host, SET_ROLE, PROMOTE_GUEST)],
        Step(Guest, REMOVE, r#"{ "membershipId": "<hostMembership>" }"#),
        "FORBIDDEN",
    ),
    case(&[], Step(Host, REMOVE, r#"{ "membershipId": "<hostMembership>" }"#), "FORBIDDEN"),
    case(&[], Step(Member, REMOVE, r#"{ "membershipId": "<membership>" }"#), "FORBIDDEN"),
    case(&[Step(Host, REMOVE, REMOVE_GUEST)], Step(Host, REMOVE, REMOVE_GUEST), "WRONG_STATE"),
    case(&[Step(Host, REMOVE, BAN_GUEST)], Step(Host, REMOVE, BAN_GUEST), "WRONG_STATE"),
    case(
        &[Step(Host, "scheduleCancel", CANCEL)],
        Step(Host, "scheduleCancel", CANCEL),
        "WRONG_STATE",
    ),
    case(
        &[Step(Host, "scheduleCancel", CANCEL)],
        Step(Host, "scheduleUpdate", r#"{ "scheduleId": "<schedule>", "place": "어디" }"#),
        "WRONG_STATE",
    ),
    case(&[Step(Host, "scheduleCancel", CANCEL)], Step(Member, WITHDRAW, SCHEDULE), "WRONG_STATE"),
    case(
        &[Step(Host, "scheduleCancel", r#"{ "scheduleId": "<free>", "reason": "비" }"#)],
        Step(Member, ATTEND, FREE),
        "WRONG_STATE",
    ),
    about(
        &[],
        Step(Host, "scheduleUpdate", r#"{ "scheduleId": "<schedule>", "capacity": 1 }"#),
        "INVALID",
        "capacity",
    ),
    case(
        &[Step(Host, "scheduleUpdate", r#"{ "scheduleId": "<free>", "closed": true }"#)],
        Step(Member, ATTEND, FREE),
        "WRONG_STATE",
    ),
    case(
        &[],
        Step(Member, ATTEND, r#"{ "scheduleId": "<schedule>", "allowOverlap": true }"#),
        "ALREADY_EXISTS",
    ),
    case(
        &[],
        Step(Guest, ATTEND, r#"{ "scheduleId": "<schedule>", "allowOverlap": true }"#),
        "ALREADY_EXISTS",
    ),
    case(
        &[Step(Host, DECIDE, APPROVE)],
        Step(Applicant, ATTEND, r#"{ "scheduleId": "<schedule>", "joinWaitlist": false }"#),
        "FULL",
    ),
    case(&[], Step(Member, ATTEND, r#"{ "scheduleId": "<overlapping>" }"#), "OVERLAPS"),
    case(&[], Step(Applicant, ATTEND, FREE), "NOT_A_MEMBER"),
    case(&[], Step(Host, ATTEND, r#"{ "scheduleId": "<payable>" }"#), "INSUFFICIENT_BALANCE"),
    case(&[], Step(Member, ATTEND, r#"{ "scheduleId": "<paid>" }"#), "ALREADY_EXISTS"),
    about(
        &[],
        Step(Host, "scheduleUpdate", r#"{ "scheduleId": "<paid>", "fee": 5000 }"#),
        "WRONG_STATE",
        "fee",
    ),
    about(
        &[],
        Step(
            Host,
            "scheduleUpdate",
            r#"{ "scheduleId": "<paid>", "refundableUntil": "<sooner>" }"#,
        ),
        "WRONG_STATE",
        "refundableUntil",
    ),
    case(&[Step(Member, WITHDRAW, SCHEDULE)], Step(Member, WITHDRAW, SCHEDULE), "WRONG_STATE"),
    case(&[], Step(Member, WITHDRAW, r#"{ "scheduleId": "<free>" }"#), "WRONG_STATE"),
    case(
        &[],
        Step(Host, "attendanceRecord", r#"{ "attendanceId": "<attendance>", "attended": true }"#),
        "WRONG_STATE",
    ),
    case(
        &[],
        Step(Host, "attendanceRecord", r#"{ "attendanceId": "<begunWaiting>", "attended": true }"#),
        "WRONG_STATE",
    ),
    case(
        &[],
        Step(
            Member,
            "attendanceRecord",
            r#"{ "attendanceId": "<begunAttendance>", "attended": true }"#,
        ),
        "FORBIDDEN",
    ),
    case(&[], Step(Member, WITHDRAW, r#"{ "scheduleId": "<begun>" }"#), "WRONG_STATE"),
    case(
        &[],
        Step(Host, ATTEND, r#"{ "scheduleId": "<begun>", "allowOverlap": true }"#),
        "WRONG_STATE",
    ),
    case(
        &[],
        Step(
            Host,
            "scheduleUpdate",
            r#"{ "scheduleId": "<begun>", "startsAt": "<soon>", "endsAt": "<later>" }"#,
        ),
        "WRONG_STATE",
    ),
    case(&[Step(Member, "gatheringLeave", GATHERING)], Step(Member, SAY, HELLO), "NOT_A_MEMBER"),
    case(&[Step(Host, REMOVE, BAN_GUEST)], Step(Guest, SAY, HELLO), "NOT_A_MEMBER"),
    case(&[], Step(Applicant, SAY, HELLO), "NOT_A_MEMBER"),
    about(
        &[Step(Member, SAY, HELLO)],
        Step(
            Member,
            SAY,
            r#"{ "gatheringId": "<gathering>", "clientId": "hello", "body": "다른 말" }"#,
        ),
        "IDEMPOTENCY_KEY_REUSED",
        "clientId",
    ),
    case(&[], Step(Member, UNSAY, r#"{ "messageId": "<answered>" }"#), "FORBIDDEN"),
    about(
        &[Step(Member, "gatheringLeave", GATHERING)],
        Step(Member, UNSAY, r#"{ "messageId": "<said>" }"#),
        "NOT_FOUND",
        "messageId",
    ),
    case(
        &[],
        Step(Member, REVIEW, r#"{ "scheduleId": "<schedule>", "rating": 5, "body": "벌써" }"#),
        "WRONG_STATE",
    ),
    case(&[], Step(Host, REVIEW, OPINION), "WRONG_STATE"),
    case(&[], Step(Outsider, REVIEW, OPINION), "WRONG_STATE"),
    case(&[], Step(Guest, UNREVIEW, OWN_REVIEW), "FORBIDDEN"),
    about(
        &[Step(Member, UNREVIEW, OWN_REVIEW)],
        Step(Member, UNREVIEW, OWN_REVIEW),
        "NOT_FOUND",
        "reviewId",
    ),
    about(
        &[],
        Step(Guest, "notificationMarkRead", r#"{ "upToId": "<notification>" }"#),
        "NOT_FOUND",
        "upToId",
    ),
    about(
        &[],
        Step(Member, "memberSetBlocked", r#"{ "memberId": "<member>", "blocked": true }"#),
        "INVALID",
        "memberId",
    ),
    about(
        &[],
        Step(Member, "memberUpdate", r#"{ "nickname": "GUEST" }"#),
        "ALREADY_EXISTS",
        "nickname",
    ),
    about(
        &[],
        Step(
            Stranger,
            "authSignUp",
            r#"{ "email": "<guestEmail>", "password": "long enough", "nickname": "unheard" }"#,
        ),
        "ALREADY_EXISTS",
        "email",
    ),
    about(
        &[],
        Step(
            Stranger,
            "authSignUp",
            r#"{ "email": "<fresh>@example.com", "password": "long enough", "nickname": "gUeSt" }"#,
        ),
        "ALREADY_EXISTS",
        "nickname",
    ),
    case(
        &[],
        Step(Stranger, "authLogIn", r#"{ "email": "<guestEmail>", "password": "not this one" }"#),
        "BAD_CREDENTIALS",
    ),
    case(
        &[],
        Step(
            Stranger,
            "authLogIn",
            r#"{ "email": "<fresh>@example.com", "password": "not this one" }"#,
        ),
        "BAD_CREDENTIALS",
    ),
];

/// Plays every case in a scene of its own; fails naming those not refused as told.
pub async fn try_all(scene: &mut Scene) {
    let mut touched = false;
    for case in CASES {
        if touched {
            scene.reset().await;
        }
        touched = !case.first.is_empty();
        for Step(who, mutation, input) in case.first {
            let variables = json!({ "input": filled(scene, input), "key": scene.fill("<fresh>") });
            expect_data(&client(scene, *who).graphql(&operation(mutation), variables).await);
        }
        let mut trial = Trial::begin(scene).await;
        let Step(who, mutation, input) = &case.then;
        let by = Refusal::User(case.code, case.field.map(str::to_owned));
        trial.refused(client(scene, *who), mutation, filled(scene, input), by).await;
        trial.end(1).await;
    }
    too_far_ahead(scene).await;
    without_a_token(scene).await;
}

/// Both ends move, or the length of it would be what is wrong.
async fn too_far_ahead(scene: &Scene) {
    let mut trial = Trial::begin(scene).await;
    for days in [732, 3_650, 300_000] {
        let (starts, ends) = (in_hours(24 * days), in_hours(24 * days + 1));
        for mutation in ["scheduleCreate", "scheduleUpdate"] {
            let (role, mut input) = crate::inputs::good(scene, mutation);
            input["startsAt"] = json!(starts);
            input["endsAt"] = json!(ends);
            let by = Refusal::User("INVALID", Some("startsAt".to_owned()));
            trial.refused(scene.cast.client(role), mutation, input, by).await;
        }
    }
    trial.end(6).await;
}

/// Everything but signing in needs somebody who is signed in.
async fn without_a_token(scene: &Scene) {
    let mut trial = Trial::begin(scene).await;
    let fields = crate::inputs::fields(&scene.cast.stranger).await;
    let mut mutations: Vec<_> = fields.into_iter().map(|field| field.mutation).collect();
    mutations.dedup();
    for mutation in mutations {
        let (role, input) = crate::inputs::good(scene, &mutation);
        if role != crate::scene::Role::Stranger {
            let by = Refusal::Top(&["UNAUTHENTICATED"]);
            trial.refused(&scene.cast.stranger, &mutation, input, by).await;
        }
    }
    trial.end(16).await;
}

fn client(scene: &Scene, who: Who) -> &Client {
    let cast = &scene.cast;
    match who {
        Stranger => &cast.stranger,
        Outsider => &cast.outsider,
        Member => &cast.member,
        Guest => &cast.guest,
        Applicant => &cast.applicant,
        Host => &cast.host,
    }
}

fn filled(scene: &Scene, input: &str) -> Value {
    scene.fill(input).parse().unwrap()
}
