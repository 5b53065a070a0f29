//! Texts, numbers, addresses and times out of range: each is refused for itself.

use std::collections::BTreeSet;

use moim_e2e::{Value, in_hours, json};

use crate::inputs::{self, spoilt};
use crate::scene::Scene;
use crate::trial::{Refusal, Trial};

/// One argument, what it does not take, and what is said about it.
struct Bad {
    mutation: &'static str,
    field: &'static str,
    values: fn() -> Vec<Value>,
    code: &'static str,
    /// The path names the field; false where telling would tell too much.
    named: bool,
}

const fn bad(mutation: &'static str, field: &'static str, values: fn() -> Vec<Value>) -> Bad {
    Bad { mutation, field, values, code: "INVALID", named: true }
}

const fn hushed(
    mutation: &'static str,
    field: &'static str,
    values: fn() -> Vec<Value>,
    code: &'static str,
) -> Bad {
    Bad { mutation, field, values, code, named: false }
}

const TABLE: &[Bad] = &[
    bad("authSignUp", "email", emails),
    bad("authSignUp", "password", passwords),
    bad("authSignUp", "nickname", nicknames),
    hushed("authLogIn", "email", emails, "BAD_CREDENTIALS"),
    hushed("authLogIn", "password", passwords, "BAD_CREDENTIALS"),
    hushed("authRefresh", "refreshToken", refresh_tokens, "SESSION_REVOKED"),
    bad("memberUpdate", "nickname", nicknames),
    bad("memberUpdate", "avatarUrl", addresses),
    bad("memberUpdate", "bio", || prose(500)),
    bad("gatheringCreate", "title", titles),
    bad("gatheringCreate", "description", descriptions),
    bad("gatheringCreate", "capacity", || numbers(2)),
    bad("gatheringCreate", "imageUrl", addresses),
    bad("gatheringUpdate", "title", titles),
    bad("gatheringUpdate", "description", descriptions),
    bad("gatheringUpdate", "capacity", || numbers(2)),
    bad("gatheringUpdate", "imageUrl", addresses),
    bad("gatheringJoin", "message", || prose(500)),
    bad("scheduleCreate", "title", titles),
    bad("scheduleCreate", "description", descriptions),
    bad("scheduleCreate", "place", places),
    bad("scheduleCreate", "startsAt", past),
    bad("scheduleCreate", "endsAt", ends),
    bad("scheduleCreate", "timeZone", zones),
    bad("scheduleCreate", "capacity", || numbers(1)),
    bad("scheduleCreate", "fee", fees),
    bad("scheduleCreate", "refundableUntil", beyond_the_start),
    bad("scheduleUpdate", "title", titles),
    bad("scheduleUpdate", "description", descriptions),
    bad("scheduleUpdate", "place", places),
    bad("scheduleUpdate", "startsAt", past),
    bad("scheduleUpdate", "endsAt", ends),
    bad("scheduleUpdate", "capacity", || numbers(1)),
    bad("scheduleUpdate", "fee", fees),
    bad("scheduleUpdate", "refundableUntil", beyond_the_start),
    bad("scheduleCancel", "reason", reasons),
    bad("reviewWrite", "rating", ratings),
    bad("reviewWrite", "body", descriptions),
    bad("chatMessageSend", "body", descriptions),
    bad("walletTopUp", "amount", amounts),
    bad("walletTopUp", "paymentKey", payment_keys),
];

/// Sends every value of the table; fails naming those not refused as told.
pub async fn try_all(scene: &Scene) {
    let mut trial = Trial::begin(scene).await;
    for row in TABLE {
        for value in (row.values)() {
            let (role, input) = spoilt(scene, row.mutation, row.field, value);
            let by = Refusal::User(row.code, row.named.then(|| row.field.to_owned()));
            trial.refused(scene.cast.client(role), row.mutation, input, by).await;
        }
    }
    trial.end(200).await;
    compare(scene).await;
}

/// Fails naming arguments with a range that the table says nothing about.
async fn compare(scene: &Scene) {
    let ranged = |of: &str| matches!(of, "String" | "Int" | "DateTime" | "URL");
    let fields = inputs::fields(&scene.cast.stranger).await;
    let known: BTreeSet<_> = fields
        .into_iter()
        .filter(|field| ranged(&field.of))
        .map(|field| format!("{}.{}", field.mutation, field.name))
        .collect();
    let tried = TABLE.iter().map(|row| format!("{}.{}", row.mutation, row.field)).collect();
    assert_eq!(known, tried, "every argument with a range has a row, and no other");
}

fn texts(texts: impl IntoIterator<Item = String>) -> Vec<Value> {
    texts.into_iter().map(Value::from).collect()
}

/// Text of one line and at least `least` characters.
fn lines(least: usize, most: usize) -> Vec<Value> {
    let mut all =
        vec![" ".repeat(50), "가".repeat(least - 1), format!(" {} ", "가".repeat(least - 1))];
    all.extend(["가".repeat(most + 1), "a".repeat(20_000)]);
    all.extend(controls().into_iter().chain(["두\n줄".to_owned(), "두\r\n줄".to_owned()]));
    texts(all)
}

/// Text of several lines; nothing at all may be fine.
fn prose(most: usize) -> Vec<Value> {
    texts(controls().into_iter().chain(["가".repeat(most + 1), "a".repeat(20_000)]))
}

fn controls() -> Vec<String> {
    ['\0', '\u{7}', '\u{1b}', '\u{7f}', '\u{9b}'].map(|odd| format!("앞{odd}뒤")).to_vec()
}

fn titles() -> Vec<Value> {
    lines(2, 60)
}

fn places() -> Vec<Value> {
    lines(1, 100)
}

fn descriptions() -> Vec<Value> {
    [prose(2_000), texts(["".into(), " \n\n ".into()])].concat()
}

fn reasons() -> Vec<Value> {
    [prose(500), texts(["".into(), " \n ".into()])].concat()
}

fn numbers(least: i32) -> Vec<Value> {
    [i32::MIN, -1, 0, least - 1, 1_001, i32::MAX].into_iter().map(Value::from).collect()
}

fn fees() -> Vec<Value> {
    [i32::MIN, -1, 1_000_001, i32::MAX].into_iter().map(Value::from).collect()
}

/// What no wallet may hold, and what is no amount at all.
fn amounts() -> Vec<Value> {
    [i32::MIN, -10_000, -1, 0, 1_000_000_000, i32::MAX].into_iter().map(Value::from).collect()
}

fn payment_keys() -> Vec<Value> {
    let all = [" ", "두 낱말", "a b", "a\0b", "a\nb", "\u{7f}"].map(str::to_owned);
    texts(all.into_iter().chain(["k".repeat(201), "k".repeat(20_000)]))
}

fn ratings() -> Vec<Value> {
    [i32::MIN, -1, 0, 6, i32::MAX].into_iter().map(Value::from).collect()
}

fn emails() -> Vec<Value> {
    let long = format!("{}@{}example.com", "a".repeat(64), "b.".repeat(100));
    let all =
        ["", " ", "@", "a", "a@b", "a b@c.kr", "a@b@c.kr", "a\0@b.kr", "a@b.kr\0", "<a@b.kr>"];
    texts(all.map(str::to_owned).into_iter().chain([long, "가@나.kr".into(), "a".repeat(20_000)]))
}

fn passwords() -> Vec<Value> {
    texts(["".into(), "7 signs".into(), "a".repeat(129), "가".repeat(20_000)])
}

fn nicknames() -> Vec<Value> {
    let all =
        ["", " ", "가", "두 낱말", "느낌표!", "a\0b", "a\u{200b}b", "\u{3164}\u{3164}", "🙂🙂"];
    texts(all.map(str::to_owned).into_iter().chain(["가".repeat(21), "a".repeat(20_000)]))
}

fn refresh_tokens() -> Vec<Value> {
    let all = ["", "\0", "한글", "a.b.c"].map(str::to_owned);
    texts(all.into_iter().chain(["A".repeat(43), "A".repeat(20_000)]))
}

fn addresses() -> Vec<Value> {
    let plain = [
        "http://img.example/a.png",
        "ftp://img.example/a.png",
        "javascript:alert(1)",
        "data:text/html,a",
        "https://me:secret@img.example/a.png",
        "file:///etc/passwd",
    ];
    let long = format!("https://img.example/{}", "a".repeat(2_048));
    texts(plain.map(str::to_owned).into_iter().chain([long]))
}

fn past() -> Vec<Value> {
    texts([in_hours(-1), in_hours(-24 * 20)])
}

fn beyond_the_start() -> Vec<Value> {
    texts([in_hours(49), "9999-12-31T23:59:59Z".into()])
}

fn ends() -> Vec<Value> {
    let ancient = ["0000-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "2001-02-03T04:05:06+09:00"];
    let mut all = ancient.map(str::to_owned).to_vec();
    all.extend([in_hours(47), in_hours(48 + 24 * 31), "9999-12-31T23:59:59Z".into()]);
    texts(all)
}

fn zones() -> Vec<Value> {
    let all = ["", " ", "Seoul", "Asia/Nowhere", "+09:00", "Asia/Seoul\0", "../etc", "KST "];
    [texts(all.map(str::to_owned)), vec![json!("a".repeat(20_000))]].concat()
}
