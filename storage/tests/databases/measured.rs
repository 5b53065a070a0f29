//! Statements are measured by room and first word, and what a transaction counts is counted with its commit.

use moim_kit::metrics::{self, KeyValue};
use moim_testbed::on_both_databases;
use uuid::Uuid;

use crate::note::{begin, bump, stand};

/// The line of the page with all of these in it, or nothing.
fn line(parts: &[&str]) -> Option<String> {
    let page = metrics::text().unwrap();
    let found = page.lines().find(|line| parts.iter().all(|part| line.contains(part)));
    found.map(str::to_owned)
}

on_both_databases! {
    async fn what_is_counted_in_a_transaction_is_counted_with_its_commit(bed: Bed) {
        metrics::open().unwrap();
        let ground = stand(&bed).await;
        let count = async |commits: bool| {
            let mut tx = begin(&ground).await;
            bump(&mut tx, Uuid::now_v7(), &ground).await.unwrap();
            tx.count(|catalogue| catalogue.seats.add(1, &[KeyValue::new("move", "claimed")]));
            if commits {
                tx.commit().await.unwrap();
            }
        };
        count(false).await;
        assert_eq!(line(&["moim_seats_total{"]), None);
        count(true).await;
        assert_eq!(line(&["moim_seats_total{"]).unwrap(), "moim_seats_total{move=\"claimed\"} 1");
    }

    async fn statements_and_connections_are_told_by_room(bed: Bed) {
        metrics::open().unwrap();
        let ground = stand(&bed).await;
        let mut tx = begin(&ground).await;
        bump(&mut tx, Uuid::now_v7(), &ground).await.unwrap();
        tx.commit().await.unwrap();
        ground.db.ping().await.unwrap();
        for word in ["SELECT", "INSERT", "BEGIN", "COMMIT"] {
            let word = format!("db_operation_name=\"{word}\"");
            let parts = ["db_client_operation_duration_seconds_count", &word, "room=\"note\""];
            assert!(line(&parts).is_some(), "{word}: {}", metrics::text().unwrap());
        }
        assert!(ground.db.fetch_all::<(i64,)>("SELECT nothing", vec![]).await.is_err());
        let parts = ["db_client_operation_duration_seconds_count", "error_type=\"_OTHER\""];
        assert!(line(&parts).is_some(), "{}", metrics::text().unwrap());
        let most = ["db_client_connection_max", "pool_name=\"note\""];
        assert!(line(&most).is_some());
        ground.tasks.stop(std::time::Duration::from_secs(10)).await;
        ground.db.close().await;
        assert_eq!(line(&most), None, "a pool that is closed has none");
    }
}
