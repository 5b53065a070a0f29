//! Who may see and do what: every field and every mutation, as a stranger, an outsider, a member and the host.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at once")]

mod acts;
mod coverage;
mod fields;
mod foreign;
mod ids;
mod live;
mod money_rows;
mod mutations;
mod room_rows;
mod rows;
mod scene;
mod search_rows;
mod snapshot;

use moim_e2e::{Platform, on_both_shapes};

use crate::scene::{Scene, assert_quiet};

on_both_shapes! {
    async fn every_field_answers_as_the_table_says(platform: Platform) {
        let mut scene = Scene::set(&platform).await;
        scene.end().await;
        fields::try_all(&scene).await;
        assert_quiet(&platform);
    }

    async fn every_mutation_answers_as_the_table_says(platform: Platform) {
        let mut scene = Scene::set(&platform).await;
        scene.begin().await;
        scene.end().await;
        mutations::try_all(&mut scene).await;
        assert_quiet(&platform);
    }

    async fn every_subscription_answers_as_the_table_says(platform: Platform) {
        let scene = Scene::set(&platform).await;
        live::try_all(&scene).await;
        assert_quiet(&platform);
    }

    async fn ids_of_other_peoples_things_tell_and_change_nothing(platform: Platform) {
        let mut scene = Scene::set(&platform).await;
        scene.begin().await;
        scene.end().await;
        foreign::try_all(&scene).await;
        ids::try_all(&scene).await;
        assert_quiet(&platform);
    }
}

#[tokio::test]
async fn every_field_and_mutation_stands_in_the_table() {
    let platform = Platform::one_process().await;
    coverage::compare(&platform.client()).await;
}
