//! Bringing a database up to date: again, and by several processes at once.

use std::time::Duration;

use futures::future::{join, try_join_all};
use moim_storage::{Config, Db, migrate, wait_migrated};
use moim_testbed::on_both_databases;
use uuid::Uuid;

use crate::note::{MIGRATIONS, bump, number, open, patient, stand};

const APPLIED: &str = "SELECT COUNT(*) FROM _sqlx_migrations";

on_both_databases! {
    async fn migrating_again_changes_nothing(bed: Bed) {
        let ground = stand(&bed).await;
        let mut tx = ground.outbox.begin().await.unwrap();
        bump(&mut tx, Uuid::now_v7(), &ground).await.unwrap();
        tx.commit().await.unwrap();
        let applied = number(&ground, APPLIED).await;
        migrate(&ground.db, &MIGRATIONS).await.unwrap();
        let again = stand(&bed).await;
        assert_eq!(number(&again, APPLIED).await, applied);
        assert_eq!(number(&again, "SELECT COUNT(*) FROM note").await, 1);
    }

    async fn processes_that_start_at_once_wait_for_each_other(bed: Bed) {
        // However little patience with locks the room has otherwise.
        let storage = Config { lock_timeout_ms: 1, max_connections: 2, ..patient(&bed) };
        let grounds = try_join_all((0..4).map(|_| open(&bed, &storage))).await.unwrap();
        let expected = MIGRATIONS.iter().count() + moim_storage::MIGRATIONS.iter().count();
        for ground in &grounds {
            assert_eq!(number(ground, APPLIED).await, i64::try_from(expected).unwrap());
            ground.db.ping().await.unwrap();
        }
    }

    async fn a_room_waits_until_somebody_else_has_migrated(bed: Bed) {
        let db = Db::open(&bed.storage, bed.data(), "note").await.unwrap();
        let (soon, later) = (Duration::ZERO, Duration::from_secs(60));
        let fault = wait_migrated(&db, &MIGRATIONS, soon).await.unwrap_err();
        assert_eq!(fault.reason(), "SCHEMA_BEHIND");
        let (waited, migrated) =
            join(wait_migrated(&db, &MIGRATIONS, later), migrate(&db, &MIGRATIONS)).await;
        waited.unwrap();
        migrated.unwrap();
        wait_migrated(&db, &MIGRATIONS, soon).await.unwrap();
    }

    async fn patience_with_locks_is_as_configured_after_migrating(bed: Bed) {
        let storage = Config { lock_timeout_ms: 1_234, max_connections: 1, ..patient(&bed) };
        let ground = open(&bed, &storage).await.unwrap();
        if let Db::Postgres(..) = ground.db {
            const KNOB: &str =
                "SELECT CAST(setting AS BIGINT) FROM pg_settings WHERE name = 'lock_timeout'";
            assert_eq!(number(&ground, KNOB).await, 1_234);
        }
    }
}
