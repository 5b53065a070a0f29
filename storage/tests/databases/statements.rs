//! One text of SQL on both databases: values of every kind, lists, and refusals by name.

use moim_kit::{Code, Fault};
use moim_storage::{Arg, args, violates};
use moim_testbed::on_both_databases;
use uuid::Uuid;

use crate::note::stand;

const INSERT: &str = "INSERT INTO note (id, sort_key, title, version) VALUES ($1, 0, $2, 1)";
const INSERT_KIND: &str =
    "INSERT INTO kind (id, words, number, truth, bytes) VALUES ($1, $2, $3, $4, $5)";

#[derive(Debug, PartialEq, Eq, sqlx::FromRow)]
struct Kind {
    words: Option<String>,
    number: Option<i64>,
    truth: Option<bool>,
    bytes: Option<Vec<u8>>,
}

fn refusal(reason: &'static str) -> Fault {
    Fault::new(Code::Invalid, reason, "Refused.")
}

on_both_databases! {
    async fn values_of_every_kind_come_back_as_they_went(bed: Bed) {
        let ground = stand(&bed).await;
        let mut tx = ground.outbox.begin().await.unwrap();
        let full = args!["full", "모임 '); --", i64::MIN, true, vec![0_u8, 255]];
        tx.execute(INSERT_KIND, full).await.unwrap();
        let (words, number, truth): (Option<String>, Option<i64>, Option<bool>) =
            (None, None, None);
        let empty = args!["empty", words, number, truth, Vec::new()];
        tx.execute(INSERT_KIND, empty).await.unwrap();
        tx.commit().await.unwrap();
        let rows = "SELECT words, number, truth, bytes FROM kind ORDER BY id";
        let rows: Vec<Kind> = ground.db.fetch_all(rows, args![]).await.unwrap();
        let (words, bytes) = (Some("모임 '); --".to_owned()), Some(vec![0, 255]));
        let full = Kind { words, number: Some(i64::MIN), truth: Some(true), bytes };
        let empty = Kind { words: None, number: None, truth: None, bytes: Some(Vec::new()) };
        assert_eq!(rows, [empty, full]);
    }

    async fn a_list_of_any_length_finds_just_what_it_names(bed: Bed) {
        const FIND: &str =
            "SELECT id FROM note WHERE title <> $1 AND id IN ({ids}) ORDER BY id";
        let ground = stand(&bed).await;
        let mut ids: Vec<String> = Vec::new();
        let mut tx = ground.outbox.begin().await.unwrap();
        for n in 0..200 {
            ids.push(Uuid::now_v7().to_string());
            tx.execute(INSERT, args![&ids[n], format!("note {n}")]).await.unwrap();
        }
        tx.commit().await.unwrap();
        ids.sort();
        for length in [0, 1, 2, 3, 127, 128, 129, 200] {
            let wanted = &ids[..length];
            let mut list: Vec<Arg> = wanted.iter().map(Arg::from).collect();
            list.extend(wanted.first().map(Arg::from));
            let rows: Vec<(String,)> = ground.db.fetch_in(FIND, args![""], list).await.unwrap();
            let rows: Vec<_> = rows.into_iter().map(|(id,)| id).collect();
            assert_eq!(rows, wanted, "a list of {length} and its first once more");
        }
    }

    async fn a_refusal_by_a_constraint_is_known_by_its_name(bed: Bed) {
        let ground = stand(&bed).await;
        let insert = async |title: &str| {
            let mut tx = ground.outbox.begin().await.unwrap();
            let inserted = tx.execute(INSERT, args![Uuid::now_v7(), title]).await;
            tx.commit().await.unwrap();
            inserted.map(|_| ())
        };
        insert("a").await.unwrap();
        let taken = violates("note_title_unique", "note.title", refusal("TITLE_TAKEN"));
        let empty = violates("note_title_not_empty", "", refusal("TITLE_EMPTY"));
        assert_eq!(taken(insert("a").await.unwrap_err()).reason(), "TITLE_TAKEN");
        assert_eq!(empty(insert("").await.unwrap_err()).reason(), "TITLE_EMPTY");
        let other = violates("note_title_unique", "note.title", refusal("TITLE_TAKEN"));
        let fault = other(insert("").await.unwrap_err());
        assert_eq!(fault.code(), Code::Internal, "another refusal stays a defect: {fault}");
    }
}
