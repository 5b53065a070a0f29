//! What the tests of replicas stand on: a replica that can be paused, killed and promoted.

use moim_testbed::{Replicated, replicated};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

async fn run(url: &str, sql: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::query(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
}

async fn rows(url: &str) -> i64 {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::query_scalar("SELECT COUNT(*) FROM t").fetch_one(&mut connection).await.unwrap()
}

async fn write(pair: &Replicated, url: &str) {
    run(url, "INSERT INTO t VALUES (1)").await;
    pair.caught_up().await;
}

#[tokio::test]
async fn a_replica_shows_nothing_new_while_it_is_paused_and_all_of_it_afterwards() {
    let Some(mut pair) = replicated().await else { return };
    let (url, replica) = pair.database().await;
    run(&url, "CREATE TABLE t (n BIGINT)").await;
    write(&pair, &url).await;
    assert_eq!(rows(&replica).await, 1);

    pair.pause_replay().await;
    run(&url, "INSERT INTO t VALUES (2)").await;
    assert_eq!((rows(&url).await, rows(&replica).await), (2, 1));
    pair.resume_replay().await;
    pair.caught_up().await;
    assert_eq!(rows(&replica).await, 2);

    pair.kill_replica();
    assert!(PgConnection::connect(&replica).await.is_err());
    run(&url, "INSERT INTO t VALUES (3)").await;
    pair.start_replica().await;
    pair.caught_up().await;
    assert_eq!(rows(&replica).await, 3);

    pair.kill_primary();
    assert_eq!(rows(&replica).await, 3);
    pair.start_primary().await;
    write(&pair, &url).await;
    assert_eq!(rows(&replica).await, 4);

    pair.promote_replica().await;
    run(&replica, "INSERT INTO t VALUES (5)").await;
}
