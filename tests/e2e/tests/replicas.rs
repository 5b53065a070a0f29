//! A room that keeps everything in each of its processes: none is told only a part, also not by a bus.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

use std::time::Duration;

use moim_e2e::{Platform, Process, eventually, json};

const END_WITHIN: Duration = Duration::from_secs(15);

/// How many gatherings the index in a directory finds, as an operator is told.
async fn found(platform: &Platform, data: &str) -> String {
    let arguments = ["search", "explain", "뜨개질", "--data", data];
    let mut process = Process::start("explain", platform.directory(), &arguments, &[]);
    process.end_within(END_WITHIN).await;
    let said = process.stdout();
    said.lines().find(|line| line.starts_with("found: ")).unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_search_room_finds_everything_also_what_was_told_while_it_was_away() {
    let Some(platform) = Platform::apart().await else { return };
    let host = platform.sign_up("host").await;
    let start = async |count: usize| {
        for number in 0..count {
            host.create_gathering(json!({ "title": format!("뜨개질 {number}") })).await;
        }
    };
    let all_find = async |count: usize| {
        for data in ["data", "other-data"] {
            eventually(async || {
                let found = found(&platform, data).await;
                if found == format!("found: {count}") { Ok(()) } else { Err((data, found)) }
            })
            .await;
        }
    };
    start(3).await;
    let mut other = platform.another("search", "other-data");
    all_find(3).await;
    start(5).await;
    all_find(8).await;
    other.kill();
    start(4).await;
    other.start_again();
    all_find(12).await;
}
