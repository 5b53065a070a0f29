//! The proofs at a size that every run of the tests can afford.
#![allow(clippy::print_stderr, clippy::unwrap_used, reason = "what a proof found is worth seeing")]

use moim_proof::{burst, crowd, findable, replica, resume, saga, search, storm};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copies_equal_owners_and_each_notification_exists_once_after_a_storm() {
    let size = storm::Size { changes: 1_500, workers: 4, kills: 2, restarts: 2 };
    eprintln!("{}", storm::run(size).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_who_resumes_by_cursor_has_every_notification_in_order_once() {
    let size = resume::Size { notifications: 400, cuts: 5, kills: 1 };
    eprintln!("{}", resume::run(size).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_hears_every_message_while_some_stall() {
    let size = crowd::Size { idle: 100, room: 40, stalled: 5, messages: 5, rounds: 1 };
    eprintln!("{}", crowd::run(size).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_order_ends_whole_wherever_its_rooms_are_lost() {
    eprintln!("{}", saga::run(saga::Size::SMALL).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_paid_seat_is_sold_once_in_a_burst() {
    let size = burst::Size { people: 120, seats: 12, connections: 16 };
    eprintln!("{}", burst::run(size).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_search_room_holds_what_the_owners_have_wherever_it_is_lost() {
    let size = search::Size { changes: 900, writers: 6, blows: 14, owners: 2, restarts: 1 };
    eprintln!("{}", search::run(size).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_change_is_found() {
    let size = findable::Size { changes: 100, per_second: 20, one_in: 4 };
    eprintln!("{}", findable::run(size).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_is_shown_what_they_wrote_while_nothing_comes_to_the_replica() {
    let size = replica::Size { writes: 90, pairs: 2, pause_s: 3 };
    eprintln!("{}", replica::run(size).await);
}
