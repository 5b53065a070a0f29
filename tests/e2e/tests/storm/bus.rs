//! The bus is gone for a while: people go on writing, and what they did is told afterwards, once and in order.

use std::time::Duration;

use moim_e2e::{Mode, Socket, Value, eventually, in_hours, json};
use tokio::time::sleep;

use crate::scene::Scene;

const FOLLOW: &str = "subscription { notificationAdded {
  cursor node { kind subject { ... on Schedule { title } } } } }";
const BELL: &str = "{ viewer { notifications(first: 50) { edges { node { kind subject { ... on Schedule { title } } } } } } }";
const WRITES: usize = 10;
const AWAY: Duration = Duration::from_secs(4);

/// Announces schedules while nothing passes the bus, and expects them all to be told.
pub async fn is_away(scene: &Scene, mode: Mode) {
    let viewer = &scene.viewer;
    let mut socket = Socket::of(viewer).await.unwrap();
    socket.subscribe("bell", FOLLOW, json!({})).await.unwrap();
    scene.platform.way("bus").set(mode.clone());
    let mut titles = Vec::new();
    for number in 0..WRITES {
        let title = format!("{mode:?} {number}");
        let times = json!({ "title": title, "startsAt": in_hours(24 * 40), "endsAt": in_hours(24 * 40 + 1) });
        scene.host.create_schedule(&scene.gathering, times).await;
        titles.push(title);
    }
    sleep(AWAY).await;
    scene.platform.way("bus").set(Mode::Pass);

    let ours = |data: &Value| {
        let edges = data["viewer"]["notifications"]["edges"].as_array().unwrap();
        let mut found: Vec<_> = edges
            .iter()
            .filter_map(|edge| edge["node"]["subject"]["title"].as_str())
            .filter(|title| titles.iter().any(|it| it == title))
            .map(str::to_owned)
            .collect();
        found.sort();
        found
    };
    eventually(async || {
        let found = ours(&viewer.data(BELL, json!({})).await);
        if found == titles { Ok(()) } else { Err(found) }
    })
    .await;
    let mut heard = Vec::new();
    while heard.len() < WRITES {
        let event = socket.event().await;
        let title = event["notificationAdded"]["node"]["subject"]["title"].as_str();
        heard.extend(title.filter(|title| titles.iter().any(|it| it == title)).map(str::to_owned));
    }
    heard.sort();
    assert_eq!(heard, titles, "live, each once");
}
