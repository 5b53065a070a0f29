//! Copies held against their owners, row by row, straight in the databases.

use std::fmt;

use sqlx::{AssertSqlSafe, PgPool};

/// How a copy compares with what it is a copy of.
pub struct Copy {
    name: String,
    rows: i64,
    /// Rows that are missing, too many or not the same.
    pub differing: i64,
}

/// Owner's rows and the copy's, both as the same columns.
const CONTENTS: &[(&str, &str, &str)] = &[
    (
        "member cards in gathering",
        "SELECT id, version, nickname, avatar_url FROM member.member",
        "SELECT member_id, version, nickname, avatar_url FROM gathering.card",
    ),
    (
        "member cards in schedule",
        "SELECT id, version, nickname, avatar_url FROM member.member",
        "SELECT member_id, version, nickname, avatar_url FROM schedule.card",
    ),
    (
        "member cards in review",
        "SELECT id, version, nickname, avatar_url FROM member.member",
        "SELECT member_id, version, nickname, avatar_url FROM review.card",
    ),
    (
        "member cards in chat",
        "SELECT id, version, nickname, avatar_url FROM member.member",
        "SELECT member_id, version, nickname, avatar_url FROM chat.card",
    ),
    (
        "gatherings in schedule",
        "SELECT id, version, title FROM gathering.gathering",
        "SELECT id, version, title FROM schedule.gathering_copy",
    ),
    (
        "rosters in schedule",
        "SELECT gathering_id, member_id, version, role, status FROM gathering.membership",
        "SELECT gathering_id, member_id, version, role, status FROM schedule.roster",
    ),
    (
        "rosters in chat",
        "SELECT gathering_id, member_id, version, role, status FROM gathering.membership",
        "SELECT gathering_id, member_id, version, role, status FROM chat.roster",
    ),
];

/// A room that copies a noun of another: what it noted as taken in, against what was told last.
const NOTED: &[(&str, &str, &str)] = &[
    ("gathering", "member", "member"),
    ("gathering", "review", "rating"),
    ("schedule", "member", "member"),
    ("schedule", "gathering", "gathering"),
    ("schedule", "gathering", "membership"),
    ("review", "member", "member"),
    ("review", "schedule", "schedule"),
    ("review", "schedule", "attendance"),
    ("chat", "member", "member"),
    ("chat", "gathering", "membership"),
    ("notification", "schedule", "schedule"),
    ("notification", "schedule", "attendance"),
];

/// Every copy there is.
pub async fn copies(pool: &PgPool) -> Vec<Copy> {
    let mut found = Vec::new();
    for (name, owner, copy) in CONTENTS {
        found.push(difference(pool, (*name).to_owned(), owner, copy).await);
    }
    for (copier, owner, noun) in NOTED {
        let told = format!(
            "SELECT aggregate_id, MAX(version) FROM {owner}.outbox \
             WHERE noun = '{noun}' AND kind = 'state' GROUP BY aggregate_id"
        );
        let noted =
            format!("SELECT aggregate_id, version FROM {copier}.inbox WHERE noun = '{noun}'");
        let name = format!("versions of {noun} in {copier}");
        found.push(difference(pool, name, &told, &noted).await);
    }
    found
}

async fn difference(pool: &PgPool, name: String, owner: &str, copy: &str) -> Copy {
    let count = |sql: String| async move {
        let (count,): (i64,) = sqlx::query_as(AssertSqlSafe(sql)).fetch_one(pool).await.unwrap();
        count
    };
    let rows = count(format!("SELECT COUNT(*) FROM ({copy}) AS rows")).await;
    let missing = count(format!("SELECT COUNT(*) FROM ({owner} EXCEPT {copy}) AS missing")).await;
    let surplus = count(format!("SELECT COUNT(*) FROM ({copy} EXCEPT {owner}) AS surplus")).await;
    Copy { name, rows, differing: missing + surplus }
}

impl fmt::Display for Copy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<34} {:>7} rows, {} differ", self.name, self.rows, self.differing)
    }
}
