//! What the storm's people did and whom each act concerned, kept apart from the rooms under proof.

use std::collections::BTreeMap;
use std::fmt;

use sqlx::PgPool;

use crate::graph::uuid;

/// Member, kind and subject of a notification.
type About = (String, String, String);

/// Acknowledged changes by sort, and how often each notification must exist.
#[derive(Default)]
pub struct Ledger {
    sorts: BTreeMap<&'static str, u64>,
    expected: BTreeMap<About, i64>,
}

/// What the platform told its members, against the ledger.
pub struct Told {
    expected: i64,
    found: i64,
    missing: i64,
    surplus: i64,
    /// Two of one cause for one member.
    doubled: i64,
    /// Members whose numbers have a gap.
    gaps: i64,
}

const FOUND: &str = "
SELECT member_id, kind, subject_id, COUNT(*) FROM notification.notification
WHERE kind <> 'SCHEDULE_REMINDER' GROUP BY member_id, kind, subject_id";
const DOUBLED: &str = "
SELECT CAST(COALESCE(SUM(surplus), 0) AS BIGINT) FROM (
  SELECT COUNT(*) - 1 AS surplus FROM notification.notification
  GROUP BY member_id, cause HAVING COUNT(*) > 1) AS doubled";
const GAPS: &str = "
SELECT COUNT(*) FROM (
  SELECT member_id FROM notification.notification GROUP BY member_id
  HAVING COUNT(*) <> MAX(sequence)) AS gaps";

impl Ledger {
    /// Notes a change of a sort: create, update or delete.
    pub fn note(&mut self, sort: &'static str) {
        *self.sorts.entry(sort).or_default() += 1;
    }

    /// Notes that a member must be told once more.
    pub fn expect(&mut self, member: &str, kind: &str, subject: &str) {
        let about = (uuid(member), kind.to_owned(), uuid(subject));
        *self.expected.entry(about).or_default() += 1;
    }

    /// Both together.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        for (sort, count) in other.sorts {
            *self.sorts.entry(sort).or_default() += count;
        }
        for (about, count) in other.expected {
            *self.expected.entry(about).or_default() += count;
        }
        self
    }

    /// Such as `create 1, delete 2, update 3`.
    pub fn changes(&self) -> String {
        let sorts = self.sorts.iter().map(|(sort, count)| format!("{sort} {count}"));
        sorts.collect::<Vec<_>>().join(", ")
    }

    /// Holds what the platform told against what it should have.
    pub async fn compare(&self, pool: &PgPool) -> Told {
        let rows: Vec<(String, String, String, i64)> =
            sqlx::query_as(FOUND).fetch_all(pool).await.unwrap();
        let found: BTreeMap<About, i64> = rows
            .into_iter()
            .map(|(member, kind, subject, count)| ((member, kind, subject), count))
            .collect();
        let short = |of: &BTreeMap<About, i64>, other: &BTreeMap<About, i64>| -> i64 {
            let lacks = |(about, count): (&About, &i64)| {
                (count - other.get(about).copied().unwrap_or_default()).max(0)
            };
            of.iter().map(lacks).sum()
        };
        let (doubled,): (i64,) = sqlx::query_as(DOUBLED).fetch_one(pool).await.unwrap();
        let (gaps,): (i64,) = sqlx::query_as(GAPS).fetch_one(pool).await.unwrap();
        Told {
            expected: self.expected.values().sum(),
            found: found.values().sum(),
            missing: short(&self.expected, &found),
            surplus: short(&found, &self.expected),
            doubled,
            gaps,
        }
    }
}

impl Told {
    /// Nothing is missing and nothing too much.
    pub fn is_exact(&self) -> bool {
        self.missing + self.surplus + self.doubled + self.gaps == 0
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { expected, found, missing, surplus, doubled, gaps } = self;
        write!(
            f,
            "notifications            {found} of {expected}: missing {missing}, surplus {surplus}, \
             doubled {doubled}, gaps in numbers {gaps}"
        )
    }
}
