//! A good input for every mutation, to be spoilt in one place at a time.

use moim_e2e::{Client, Value, json};

use crate::scene::{Role, Scene, text};

/// A mutation, who may do it, and what they send: JSON with names in it.
struct Good(&'static str, Role, &'static str);

const GOOD: &[Good] = &[
    Good(
        "authSignUp",
        Role::Stranger,
        r#"{ "email": "<fresh>@example.com", "password": "long enough", "nickname": "newcomer" }"#,
    ),
    Good(
        "authLogIn",
        Role::Stranger,
        r#"{ "email": "<guestEmail>", "password": "<guestPassword>" }"#,
    ),
    Good("authRefresh", Role::Stranger, r#"{ "refreshToken": "" }"#),
    Good("authLogOut", Role::Member, r#"{ "everywhere": false }"#),
    Good(
        "memberUpdate",
        Role::Member,
        r#"{ "nickname": "renamed", "avatarUrl": "https://img.example/a.png", "bio": "안녕하세요" }"#,
    ),
    Good("memberSetBlocked", Role::Member, r#"{ "memberId": "<guest>", "blocked": true }"#),
    Good(
        "gatheringCreate",
        Role::Host,
        r#"{ "title": "새 모임", "description": "처음 시작해요.", "category": "BOOKS",
            "regionId": "<region>", "capacity": 9, "joinPolicy": "OPEN",
            "imageUrl": "https://img.example/b.png" }"#,
    ),
    Good(
        "gatheringUpdate",
        Role::Host,
        r#"{ "gatheringId": "<gathering>", "title": "다른 이름", "description": "달라졌어요.",
            "category": "MUSIC", "regionId": "<region>", "capacity": 9, "joinPolicy": "OPEN",
            "imageUrl": "https://img.example/c.png", "closed": true }"#,
    ),
    Good(
        "gatheringJoin",
        Role::Outsider,
        r#"{ "gatheringId": "<gathering>", "message": "저도요." }"#,
    ),
    Good("gatheringLeave", Role::Member, r#"{ "gatheringId": "<gathering>" }"#),
    Good("membershipDecide", Role::Host, r#"{ "membershipId": "<applicant>", "approve": true }"#),
    Good(
        "membershipSetRole",
        Role::Host,
        r#"{ "membershipId": "<guestMembership>", "role": "MANAGER" }"#,
    ),
    Good("membershipRemove", Role::Host, r#"{ "membershipId": "<guestMembership>", "ban": true }"#),
    Good(
        "scheduleCreate",
        Role::Host,
        r#"{ "gatheringId": "<gathering>", "title": "첫 만남", "description": "인사해요.",
            "place": "시청 앞", "startsAt": "<soon>", "endsAt": "<later>",
            "timeZone": "Asia/Seoul", "capacity": 3, "fee": 12000,
            "refundableUntil": "<sooner>" }"#,
    ),
    Good(
        "scheduleUpdate",
        Role::Host,
        r#"{ "scheduleId": "<schedule>", "title": "다음 만남", "description": "또 만나요.",
            "place": "시청 뒤", "startsAt": "<soon>", "endsAt": "<later>", "capacity": 9,
            "fee": 12000, "refundableUntil": "<sooner>", "closed": true }"#,
    ),
    Good("scheduleCancel", Role::Host, r#"{ "scheduleId": "<schedule>", "reason": "비가 와요." }"#),
    Good(
        "scheduleAttend",
        Role::Member,
        r#"{ "scheduleId": "<free>", "joinWaitlist": true, "autoPay": true, "allowOverlap": true }"#,
    ),
    Good("scheduleWithdraw", Role::Member, r#"{ "scheduleId": "<schedule>" }"#),
    Good("attendanceRecord", Role::Host, r#"{ "attendanceId": "<attendance>", "attended": true }"#),
    Good(
        "reviewWrite",
        Role::Member,
        r#"{ "scheduleId": "<over>", "rating": 5, "body": "또 가고 싶어요." }"#,
    ),
    Good("reviewDelete", Role::Member, r#"{ "reviewId": "<review>" }"#),
    Good(
        "chatMessageSend",
        Role::Member,
        r#"{ "gatheringId": "<gathering>", "body": "안녕하세요", "clientId": "<fresh>" }"#,
    ),
    Good("chatMessageDelete", Role::Member, r#"{ "messageId": "<said>" }"#),
    Good("walletTopUp", Role::Host, r#"{ "amount": 10000 }"#),
    Good("notificationMarkRead", Role::Member, r#"{ "upToId": "<notification>" }"#),
];

/// Who may do a mutation, and what they send.
pub fn good(scene: &Scene, mutation: &str) -> (Role, Value) {
    let found = GOOD.iter().find(|good| good.0 == mutation);
    let Good(_, role, input) = found.unwrap_or_else(|| panic!("{mutation} has no good input"));
    (*role, serde_json::from_str(&scene.fill(input)).unwrap())
}

/// The good input with one field replaced.
pub fn spoilt(scene: &Scene, mutation: &str, field: &str, value: Value) -> (Role, Value) {
    let (role, mut input) = good(scene, mutation);
    input[field] = value;
    (role, input)
}

/// One field of a mutation's input, as the schema tells it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Field {
    pub mutation: String,
    pub name: String,
    /// Name of its type, such as `String`; what kind of type that is.
    pub of: String,
    pub kind: String,
    pub required: bool,
    pub has_default: bool,
}

/// Every field of every mutation's input, as the running endpoint tells them.
pub async fn fields(client: &Client) -> Vec<Field> {
    let data = client.data(INPUTS, json!({})).await;
    let mut fields = Vec::new();
    for mutation in data["__schema"]["mutationType"]["fields"].as_array().unwrap() {
        for field in mutation["args"][0]["type"]["ofType"]["inputFields"].as_array().unwrap() {
            let required = field["type"]["kind"] == "NON_NULL";
            let of = if required { &field["type"]["ofType"] } else { &field["type"] };
            fields.push(Field {
                mutation: text(&mutation["name"]),
                name: text(&field["name"]),
                of: text(&of["name"]),
                kind: text(&of["kind"]),
                required,
                has_default: !field["defaultValue"].is_null(),
            });
        }
    }
    assert!(fields.len() > 30, "introspection told of {fields:?}");
    fields
}

const INPUTS: &str =
    "{ __schema { mutationType { fields { name args { type { ofType { inputFields {
  name defaultValue type { kind name ofType { kind name } } } } } } } } } }";
