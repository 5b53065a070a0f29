//! Votes: one for each voter, entry and window; a board keeps its best.

use std::time::Duration;

use moim_kit::shared::{Shared, Vote};
use tokio::time::sleep;

use crate::on_both_halves;

const LONG: Duration = Duration::from_secs(600);

fn vote<'a>(entry: &'a str, voter: &'a str) -> Vote<'a> {
    Vote {
        board: "hobbies",
        entry,
        voter,
        window: 1,
        window_ends_in: LONG,
        weight: 1.0,
        most_entries: 3,
    }
}

/// One vote, so that there is a board.
pub async fn cast_one(shared: &dyn Shared) {
    assert!(shared.vote(vote("등산", "ann")).await.unwrap());
}

async fn names(shared: &dyn Shared, count: usize) -> Vec<String> {
    let best = shared.best("hobbies", count).await.unwrap();
    best.into_iter().map(|(entry, _)| entry).collect()
}

on_both_halves! {
    async fn a_voter_counts_once_in_a_window(shared) {
        assert!(shared.vote(vote("등산", "ann")).await.unwrap());
        assert!(!shared.vote(vote("등산", "ann")).await.unwrap());
        assert!(shared.vote(vote("등산", "bob")).await.unwrap());
        assert!(shared.vote(vote("독서", "ann")).await.unwrap(), "another entry is another vote");
        assert!(shared.vote(Vote { window: 2, ..vote("등산", "ann") }).await.unwrap());
        assert!(!shared.vote(vote("등산", "ann")).await.unwrap(), "the window before still counts");
        let best = shared.best("hobbies", 5).await.unwrap();
        assert_eq!(best, [("등산".to_owned(), 3.0), ("독서".to_owned(), 1.0)]);
    }

    async fn voters_are_forgotten_when_their_window_ends(shared) {
        let short = Vote { window_ends_in: Duration::from_millis(20), ..vote("등산", "ann") };
        assert!(shared.vote(short).await.unwrap());
        sleep(Duration::from_millis(60)).await;
        assert!(shared.vote(short).await.unwrap());
    }

    async fn equal_scores_are_ordered_by_name(shared) {
        for entry in ["c", "a", "b"] {
            assert!(shared.vote(vote(entry, "ann")).await.unwrap());
        }
        assert_eq!(names(&*shared, 5).await, ["a", "b", "c"]);
        assert_eq!(names(&*shared, 2).await, ["a", "b"]);
        assert!(names(&*shared, 0).await.is_empty());
    }

    async fn a_full_board_lets_go_of_its_lowest(shared) {
        for (entry, weight) in [("a", 4.0), ("b", 2.5), ("c", 2.5), ("d", 3.0)] {
            assert!(shared.vote(Vote { weight, ..vote(entry, "ann") }).await.unwrap());
        }
        assert_eq!(names(&*shared, 5).await, ["a", "d", "b"]);
    }

    async fn boards_are_apart(shared) {
        assert!(shared.vote(vote("a", "ann")).await.unwrap());
        assert!(shared.vote(Vote { board: "places", ..vote("b", "ann") }).await.unwrap());
        assert_eq!(names(&*shared, 5).await, ["a"]);
        assert!(shared.best("nowhere", 5).await.unwrap().is_empty());
    }
}
