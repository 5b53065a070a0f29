//! What writers were told was done, kept apart from the rooms under proof.

use std::collections::BTreeMap;
use std::fmt;

use sqlx::PgPool;

use crate::graph::uuid;

/// Acknowledged changes by sort, and what each thing was called last.
#[derive(Default)]
pub struct Ledger {
    sorts: BTreeMap<&'static str, u64>,
    /// Title or nickname by id; nothing for what was called off.
    called: BTreeMap<String, Option<String>>,
}

/// What owners keep, against what was acknowledged.
pub struct Kept {
    things: usize,
    lost: usize,
    otherwise: usize,
}

const OWNED: &str = "
SELECT id, title FROM gathering.gathering
UNION ALL SELECT id, nickname FROM member.member
UNION ALL SELECT id, CASE WHEN cancelled_at_us IS NULL THEN title END FROM schedule.schedule";

impl Ledger {
    /// Notes a change of a sort: create, update or delete.
    pub fn note(&mut self, sort: &'static str) {
        *self.sorts.entry(sort).or_default() += 1;
    }

    /// Notes what something of a global id is called now; nothing when it is called off.
    pub fn call(&mut self, id: &str, name: Option<&str>) {
        self.called.insert(uuid(id), name.map(str::to_owned));
    }

    /// Both together; writers share nothing.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        for (sort, count) in other.sorts {
            *self.sorts.entry(sort).or_default() += count;
        }
        self.called.extend(other.called);
        self
    }

    /// Such as `create 1, delete 2, update 3`.
    pub fn changes(&self) -> String {
        let sorts = self.sorts.iter().map(|(sort, count)| format!("{sort} {count}"));
        sorts.collect::<Vec<_>>().join(", ")
    }

    /// So many names of what can be found, from all over.
    pub fn names(&self, count: usize) -> Vec<&str> {
        let names: Vec<_> = self.called.values().filter_map(Option::as_deref).collect();
        let step = (names.len() / count).max(1);
        names.into_iter().step_by(step).take(count).collect()
    }

    /// Holds what owners keep against what they acknowledged.
    pub async fn compare(&self, pool: &PgPool) -> Kept {
        let rows: Vec<(String, Option<String>)> =
            sqlx::query_as(OWNED).fetch_all(pool).await.unwrap();
        let owned: BTreeMap<_, _> = rows.into_iter().collect();
        let lost = self.called.keys().filter(|id| !owned.contains_key(*id)).count();
        let differs = |(id, name): &(&String, &Option<String>)| {
            owned.get(*id).is_some_and(|owned| owned != *name)
        };
        let otherwise = self.called.iter().filter(differs).count();
        Kept { things: self.called.len(), lost, otherwise }
    }
}

impl Kept {
    /// All of it is there as it was acknowledged.
    pub fn is_whole(&self) -> bool {
        self.lost + self.otherwise == 0
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { things, lost, otherwise } = self;
        write!(
            f,
            "owners keep              {things} things: {lost} lost, {otherwise} otherwise than \
             acknowledged"
        )
    }
}
