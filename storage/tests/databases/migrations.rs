//! Bringing a database up to date: again, and by several processes at once.

use futures::future::try_join_all;
use moim_storage::{Config, Db, Ground, migrate};
use moim_testbed::{Bed, on_both_databases};

use crate::note::{MIGRATIONS, number};

const APPLIED: &str = "SELECT COUNT(*) FROM _sqlx_migrations";

async fn open(bed: &Bed, storage: &Config) -> Result<Ground, moim_kit::Fault> {
    let house = (bed.clock.clone(), bed.tasks.clone(), bed.verifier.clone());
    Ground::open(storage, bed.data(), "note", &MIGRATIONS, house).await
}

on_both_databases! {
    async fn migrating_again_changes_nothing(bed: Bed) {
        let ground = bed.ground("note", &MIGRATIONS).await;
        let mut tx = ground.outbox.begin().await.unwrap();
        crate::note::bump(&mut tx, uuid::Uuid::now_v7(), &ground).await.unwrap();
        tx.commit().await.unwrap();
        let applied = number(&ground, APPLIED).await;
        migrate(&ground.db, &MIGRATIONS).await.unwrap();
        let again = bed.ground("note", &MIGRATIONS).await;
        assert_eq!(number(&again, APPLIED).await, applied);
        assert_eq!(number(&again, "SELECT COUNT(*) FROM note").await, 1);
    }

    async fn processes_that_start_at_once_wait_for_each_other(bed: Bed) {
        // However little patience with locks the room has otherwise.
        let storage = Config { lock_timeout_ms: 1, max_connections: 2, ..bed.storage.clone() };
        let grounds = try_join_all((0..8).map(|_| open(&bed, &storage))).await.unwrap();
        let expected = MIGRATIONS.iter().count() + moim_storage::MIGRATIONS.iter().count();
        for ground in &grounds {
            assert_eq!(number(ground, APPLIED).await, i64::try_from(expected).unwrap());
            ground.db.ping().await.unwrap();
        }
    }

    async fn patience_with_locks_is_as_configured_after_migrating(bed: Bed) {
        let storage = Config { lock_timeout_ms: 1_234, max_connections: 1, ..bed.storage.clone() };
        let ground = open(&bed, &storage).await.unwrap();
        if let Db::Postgres(_) = ground.db {
            const KNOB: &str =
                "SELECT CAST(setting AS BIGINT) FROM pg_settings WHERE name = 'lock_timeout'";
            assert_eq!(number(&ground, KNOB).await, 1_234);
        }
    }
}
