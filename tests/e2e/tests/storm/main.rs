//! What is left of the platform while parts of it are killed, frozen, slow, torn or shut, and how it heals.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests fail loudly, and print their figures"
)]

mod bus;
mod calls;
mod database;
mod herd;
mod load;
mod lost;
mod pairs;
mod scene;
mod services;
mod stop;
mod wide;

use moim_e2e::{Mode, Platform};

use crate::scene::Scene;

async fn each_with_every_fault(services: &[&'static str]) {
    let Some(mut scene) = Scene::set().await else { return };
    let rows = services::try_all(&mut scene, services).await;
    assert_eq!(rows.len(), services.len() * 6);
}

async fn every_pair_with(laters: &[&'static str], pairs: usize) {
    let Some(mut scene) = Scene::set().await else { return };
    assert_eq!(pairs::try_all(&mut scene, laters).await, pairs);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_of_members_or_gatherings_takes_its_own_fields_alone() {
    each_with_every_fault(&["member", "gathering"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_of_schedules_or_payment_takes_its_own_fields_alone() {
    each_with_every_fault(&["schedule", "payment"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_of_reviews_or_chat_takes_its_own_fields_alone() {
    each_with_every_fault(&["review", "chat"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_of_notifications_or_search_takes_its_own_fields_alone() {
    each_with_every_fault(&["notification", "search"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notifications_or_search_killed_together_with_any_other_take_their_own_fields_alone() {
    every_pair_with(&["notification", "search"], 6 + 7).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_other_two_killed_together_take_their_own_fields_alone() {
    every_pair_with(&["gathering", "schedule", "payment", "review", "chat"], 1 + 2 + 3 + 4 + 5)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_lost_after_the_commit_is_given_under_the_same_key_and_the_work_is_done_once() {
    let Some(mut scene) = Scene::set_with(&database::KNOBS).await else { return };
    lost::on_the_way_to_the_room(&mut scene).await;
    lost::on_the_way_to_the_database(&mut scene).await;
    lost::in_a_frozen_room(&mut scene).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_cut_now_and_then_are_asked_for_once_more_and_nobody_notices() {
    let Some(scene) = Scene::set_with(&lost::MANY_ASK).await else { return };
    lost::now_and_then(&scene).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_hears_nothing_or_is_not_heard_is_as_one_that_is_down() {
    let Some(mut scene) = Scene::set().await else { return };
    services::try_half_ways(&mut scene, "schedule").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_database_a_room_says_so_at_once_and_recovers_by_itself() {
    let Some(scene) = Scene::set_with(&database::KNOBS).await else { return };
    database::is_away(&scene).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_without_its_database_lives_and_is_not_ready() {
    let Some(platform) = Platform::twins_over_ways(&[]).await else { return };
    database::shows(&platform).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn claims_on_a_locked_table_are_turned_away_and_come_in_once_it_is_free() {
    let Some(scene) = Scene::set_with(&database::KNOBS).await else { return };
    database::is_locked(&scene).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_written_while_the_bus_was_away_is_told_once_it_is_back() {
    let Some(scene) = Scene::set().await else { return };
    bus::is_away(&scene, Mode::Refuse).await;
    bus::is_away(&scene, Mode::Hang).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_fails_is_asked_hardly_more_often_than_people_ask() {
    let Some(scene) = Scene::set_with(&calls::WITHOUT_BREAKER).await else { return };
    calls::fail(&scene).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_of_a_thousand_callers_find_out_whether_a_service_is_well_again() {
    let Some(scene) = Scene::set().await else { return };
    calls::probe(&scene).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_that_stops_under_load_loses_no_request() {
    let Some(mut platform) = Platform::apart().await else { return };
    stop::under_load(&mut platform).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_short_of_file_descriptors_lives_and_goes_on() {
    let Some(mut platform) = Platform::apart().await else { return };
    stop::without_descriptors(&mut platform).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_who_waited_for_a_service_do_not_bring_it_down_again() {
    let Some(mut scene) = Scene::set().await else { return };
    herd::after_a_thaw(&mut scene).await;
}
