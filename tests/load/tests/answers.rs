//! The floor is a fair one: by hand and through GraphQL, over the rooms and over memory, the same bytes.

use moim_load::{QUERIES, Site};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_door_answers_the_same_bytes() {
    let data = tempfile::tempdir().unwrap();
    Site::fill(data.path()).await.unwrap();
    let site = Site::open(data.path()).await.unwrap();
    for query in &QUERIES {
        // An empty answer would be the same everywhere too.
        let bytes = site.answer(query).await.unwrap().len();
        assert!(bytes > 200, "{}: {bytes}", query.name);
        assert_eq!(site.answer(query).await.unwrap().len(), bytes, "asked again");
    }
    site.close().await;
}
