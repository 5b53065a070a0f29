//! Whatever is sent, the answer is a coded refusal in the proper form, nothing is written, and the next
//! request is answered as ever.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at once")]

mod arguments;
mod credentials;
mod documents;
mod ids;
mod inputs;
mod keys;
mod queries;
mod requests;
#[path = "../matrix/scene.rs"]
#[allow(dead_code, reason = "the matrix needs more of it")]
mod scene;
mod searches;
mod seen;
mod slow;
#[path = "../matrix/snapshot.rs"]
mod snapshot;
mod states;
mod trial;
mod types;
mod wire;

use moim_e2e::{Platform, on_both_shapes};

use crate::scene::{Scene, assert_quiet};

/// The scene with a schedule that is over, and a review of it.
async fn past(platform: &Platform) -> Scene {
    let mut scene = Scene::set(platform).await;
    scene.end().await;
    scene
}

on_both_shapes! {
    async fn arguments_out_of_range_are_user_errors_with_a_path(platform: Platform) {
        arguments::try_all(&past(&platform).await).await;
        assert_quiet(&platform);
    }

    async fn ids_of_nothing_and_of_other_nouns_are_not_found(platform: Platform) {
        ids::try_all(&past(&platform).await).await;
        assert_quiet(&platform);
    }

    async fn what_the_present_state_or_role_forbids_is_a_user_error(platform: Platform) {
        let mut scene = past(&platform).await;
        scene.begin().await;
        states::try_all(&mut scene).await;
        assert_quiet(&platform);
    }

    async fn pages_cursors_ids_and_names_that_cannot_be_are_refused_or_not_found(platform: Platform) {
        let scene = past(&platform).await;
        queries::pages(&scene).await;
        queries::cursors(&scene).await;
        queries::lookups(&scene).await;
        queries::instants(&scene).await;
        queries::siblings(&scene).await;
        assert_quiet(&platform);
    }

    async fn whatever_is_searched_is_found_or_refused_with_a_code(platform: Platform) {
        searches::try_all(&Scene::set(&platform).await).await;
        assert_quiet(&platform);
    }

    async fn keys_that_cannot_be_kept_are_refused(platform: Platform) {
        keys::try_all(&Scene::set(&platform).await).await;
        assert_quiet(&platform);
    }
}

/// These never reach a room, so one shape tells all there is to tell.
#[tokio::test]
async fn values_of_another_type_are_one_coded_error() {
    let platform = Platform::one_process().await;
    types::try_all(&past(&platform).await).await;
    assert_quiet(&platform);
}
