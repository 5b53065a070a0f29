//! A PostgreSQL that speaks TLS.

use std::path::Path;

use moim_storage::{Config, args};
use moim_testbed::{Bed, Secured, secured};

use crate::note::open;

/// Whether a room of a URL speaks to its database by TLS; `None` when it cannot speak to it.
async fn is_secured(server: &Secured, more: &str) -> Option<bool> {
    let bed = Bed::sqlite();
    let url = server.database().await + more;
    let storage = Config { url, acquire_timeout_ms: 2_000, ..Config::default() };
    let ground = open(&bed, &storage).await.ok()?;
    let asked = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    Some(ground.db.fetch_optional::<(bool,)>(asked, args![]).await.unwrap().unwrap().0)
}

fn verified_by(authority: &Path) -> String {
    format!("?sslmode=verify-full&sslrootcert={}", authority.display())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_speaks_tls_is_spoken_to_by_it() {
    let Some(server) = secured().await else { return };
    assert_eq!(is_secured(&server, "").await, Some(true));
    assert_eq!(is_secured(&server, "?sslmode=require").await, Some(true));
    assert_eq!(is_secured(&server, "?sslmode=disable").await, Some(false));
    assert_eq!(is_secured(&server, &verified_by(server.authority())).await, Some(true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_somebody_else_vouches_for_is_not_spoken_to() {
    let (Some(server), Some(other)) = (secured().await, secured().await) else { return };
    assert_eq!(is_secured(&server, &verified_by(other.authority())).await, None);
    // Its own name is another than the one it was reached by.
    let elsewhere = server.database().await.replace("127.0.0.1", "localhost");
    let url = elsewhere + &verified_by(server.authority());
    let storage = Config { url, acquire_timeout_ms: 2_000, ..Config::default() };
    assert!(open(&Bed::sqlite(), &storage).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_that_must_have_tls_speaks_to_no_database_without() {
    let Some(url) = moim_testbed::database().await else { return };
    let storage =
        Config { url: url + "?sslmode=require", acquire_timeout_ms: 2_000, ..Config::default() };
    assert!(open(&Bed::sqlite(), &storage).await.is_err());
}
