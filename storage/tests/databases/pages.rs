//! Pages by key: going through a list either way visits every row once, rows with equal keys too.

use moim_kit::page::{Cursor, PageArgs, PageSpec};
use moim_storage::{Ground, Keyset, args};
use moim_testbed::on_both_databases;
use uuid::Uuid;

use crate::note::stand;

const LIST: u8 = 1;
const INSERT: &str = "INSERT INTO note (id, sort_key, title, version) VALUES ($1, $2, $3, 1)";

/// Keys at the ends of their range, and each several times.
const KEYS: [i64; 6] = [i64::MIN, -1, 0, 1, 5, i64::MAX];
const ROWS_OF_A_KEY: usize = 4;

async fn fill(ground: &Ground) -> Vec<(i64, Uuid)> {
    let mut rows = Vec::new();
    let mut tx = ground.outbox.begin().await.unwrap();
    for (n, key) in KEYS.iter().cycle().take(KEYS.len() * ROWS_OF_A_KEY).enumerate() {
        let id = Uuid::now_v7();
        tx.execute(INSERT, args![id, *key, format!("note {n}")]).await.unwrap();
        rows.push((*key, id));
    }
    tx.commit().await.unwrap();
    rows.sort_unstable();
    rows
}

/// One page: its rows, the cursors of its ends, and whether there is more before and after it.
struct Page {
    rows: Vec<(i64, Uuid)>,
    ends: (String, String),
    more: (bool, bool),
}

async fn page(ground: &Ground, keyset: Keyset, asked: PageArgs<'_>) -> Page {
    let spec = PageSpec::try_new(asked, LIST).unwrap();
    let mut values = args![""];
    let condition = keyset.condition(&spec, &mut values);
    values.push(spec.fetch().into());
    let sql = format!(
        "SELECT sort_key, id FROM note WHERE title <> $1 AND {condition} ORDER BY {} LIMIT ${}",
        keyset.order(&spec),
        values.len(),
    );
    let rows: Vec<(i64, String)> = ground.db.fetch_all(&sql, values).await.unwrap();
    let rows: Vec<_> = rows.into_iter().map(|(key, id)| (key, id.parse().unwrap())).collect();
    let page = spec.page(rows, |(key, id)| Cursor { key: *key, id: *id });
    Page {
        ends: (page.cursors[0].clone(), page.cursors[page.cursors.len() - 1].clone()),
        more: (page.has_previous_page, page.has_next_page),
        rows: page.rows,
    }
}

async fn forwards(ground: &Ground, keyset: Keyset, size: i32) -> Vec<(i64, Uuid)> {
    let mut visited = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let asked = PageArgs { first: Some(size), after: after.as_deref(), ..PageArgs::default() };
        let page = page(ground, keyset, asked).await;
        assert_eq!(page.more.0, after.is_some());
        visited.extend(page.rows);
        if !page.more.1 {
            return visited;
        }
        after = Some(page.ends.1);
    }
}

async fn backwards(ground: &Ground, keyset: Keyset, size: i32) -> Vec<(i64, Uuid)> {
    let mut visited = Vec::new();
    let mut before: Option<String> = None;
    loop {
        let asked = PageArgs { last: Some(size), before: before.as_deref(), ..PageArgs::default() };
        let page = page(ground, keyset, asked).await;
        assert_eq!(page.more.1, before.is_some());
        visited.splice(0..0, page.rows);
        if !page.more.0 {
            return visited;
        }
        before = Some(page.ends.0);
    }
}

on_both_databases! {
    async fn pages_visit_every_row_once_both_ways_in_both_orders(bed: Bed) {
        let ground = stand(&bed).await;
        let rising = fill(&ground).await;
        let falling: Vec<_> = rising.iter().rev().copied().collect();
        for (descending, expected) in [(false, rising), (true, falling)] {
            let keyset = Keyset { key: "sort_key", id: "id", descending };
            for size in [1, 3, 4, 24, 100] {
                assert_eq!(forwards(&ground, keyset, size).await, expected, "first: {size}");
                assert_eq!(backwards(&ground, keyset, size).await, expected, "last: {size}");
            }
        }
    }
}
