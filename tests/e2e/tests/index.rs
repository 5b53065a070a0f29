//! The index of a search room that is lost while it writes, or that is damaged while nobody looks.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use moim_e2e::{Platform, Process, eventually, json};
use tokio::time::{Instant, sleep};

const END_WITHIN: Duration = Duration::from_secs(30);
const START_WITHIN: Duration = Duration::from_secs(60);
const SETTLE_WITHIN: Duration = Duration::from_secs(90);
const GOES_ON: &str = "the index goes on from the rows it has covered";
const IS_DAMAGED: &str = "an index cannot be used; it is made anew from the rows";

/// What the index of a data directory holds, as an operator is told; nothing while it cannot be read.
async fn list(directory: &Path, data: &str) -> BTreeSet<String> {
    let mut process = Process::start("list", directory, &["search", "list", "--data", data], &[]);
    process.end_within(END_WITHIN).await;
    let lines = process.stdout();
    let set: BTreeSet<_> = lines.lines().map(str::to_owned).collect();
    assert_eq!(set.len(), lines.lines().count(), "something stands there twice");
    set
}

/// Waits until a listing is as it should be.
async fn listed(directory: &Path, data: &str, is_so: impl Fn(&BTreeSet<String>) -> bool) {
    let due = Instant::now() + SETTLE_WITHIN;
    loop {
        let found = list(directory, data).await;
        if is_so(&found) {
            return;
        }
        assert!(Instant::now() < due, "{data}: {found:#?}");
        sleep(Duration::from_millis(50)).await;
    }
}

/// What a room has said once it went on so often from what it had.
async fn going_on(room: &Process, times: usize) -> String {
    eventually(async || {
        let said = room.stderr();
        match said.lines().filter(|it| it.contains(GOES_ON)).count() >= times {
            true => Ok(said),
            false => Err(said),
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_room_killed_while_it_indexes_goes_on_from_its_commit_and_ends_equal() {
    const GATHERINGS: usize = 150;
    const KILLS: usize = 4;
    let knobs = [
        ("MOIM_SEARCH__COMMIT_MS", "50"),
        ("MOIM_GATHERING__MAX_HOSTED", "1000"),
        // What the one that was killed had been told and had not settled comes again this soon.
        ("MOIM_BUS__REDELIVER_MS", "1000"),
    ];
    let Some(mut platform) = Platform::apart_with(&knobs).await else { return };
    let host = platform.sign_up("host").await;
    // Never killed.
    let _other = platform.another("search", "other-data");
    let directory = platform.directory().to_owned();
    let room = platform.room("search");
    let write = async {
        for number in 0..GATHERINGS {
            host.create_gathering(json!({ "title": format!("뜨개질 {number}") })).await;
        }
    };
    let kill = async {
        for round in 0..KILLS {
            // The start before has come to its index, part of it is committed, and more is on its way.
            going_on(room, round).await;
            listed(&directory, "data", |it| it.len() > round * GATHERINGS / (KILLS + 2)).await;
            room.kill();
            room.start_again();
        }
    };
    tokio::join!(write, kill);
    // The host as well.
    listed(&directory, "other-data", |it| it.len() == GATHERINGS + 1).await;
    let whole = list(&directory, "other-data").await;
    // The first time there is nothing to go on from; what is listed may be there before the last start has said so.
    let said = going_on(room, KILLS).await;
    let starts: Vec<_> = said.lines().filter(|it| it.contains(GOES_ON)).collect();
    assert_eq!(starts.len(), KILLS, "{said}");
    listed(&directory, "data", |it| *it == whole).await;
    for start in &starts {
        assert!(start.contains("searched="), "{start}");
        assert!(!start.contains("searched=0 built=0"), "it began anew: {start}");
    }
    assert_eq!(fs::read_to_string(directory.join("data/search/current")).unwrap(), "1");
    assert!(!said.contains(IS_DAMAGED), "{said}");
}

/// The files of the index that is searched.
fn parts(index: &Path) -> Vec<PathBuf> {
    let number = fs::read_to_string(index.join("current")).unwrap();
    let files = fs::read_dir(index.join(format!("index-{number}"))).unwrap();
    files.map(|it| it.unwrap().path()).collect()
}

fn ends_in(files: &[PathBuf], end: &str) -> PathBuf {
    files.iter().find(|it| it.to_str().unwrap().ends_with(end)).unwrap().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_index_is_made_anew_from_the_rows_with_a_warning() {
    let damages: [fn(&Path); 5] = [
        |index| {
            let part = ends_in(&parts(index), ".term");
            let half = fs::metadata(&part).unwrap().len() / 2;
            fs::File::options().write(true).open(&part).unwrap().set_len(half).unwrap();
        },
        |index| fs::remove_file(ends_in(&parts(index), ".store")).unwrap(),
        |index| fs::write(ends_in(&parts(index), "meta.json"), "").unwrap(),
        |index| parts(index).iter().for_each(|it| fs::remove_file(it).unwrap()),
        |index| fs::remove_dir_all(parts(index)[0].parent().unwrap()).unwrap(),
    ];
    let mut platform = Platform::one_process().await;
    let url = platform.url().to_owned();
    let directory = platform.directory().to_owned();
    let (index, host) = (directory.join("moim-data/search"), platform.sign_up("host").await);
    for number in 0..30 {
        host.create_gathering(json!({ "title": format!("뜨개질 {number}") })).await;
    }
    listed(&directory, "moim-data", |it| it.len() == 31).await;
    let whole = list(&directory, "moim-data").await;
    let process = &mut platform.processes[0];
    for (number, damage) in damages.into_iter().enumerate() {
        process.kill();
        damage(&index);
        process.start_again();
        process.ready_at(&url, START_WITHIN).await;
        listed(&directory, "moim-data", |it| *it == whole).await;
        let said = process.stderr();
        assert_eq!(said.matches(IS_DAMAGED).count(), number + 1, "damage {number}: {said}");
    }
    let found =
        host.data("{ search(query: \"뜨개질\", first: 5) { totalCount } }", json!({})).await;
    assert_eq!(found["search"]["totalCount"], 30);
}
