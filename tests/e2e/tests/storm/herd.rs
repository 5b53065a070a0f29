//! Everybody at once after an outage: what comes back is not run over by those who waited.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::load::{Load, expect_no_wrong, slowest};
use crate::scene::{DEADLINE, SLACK, Scene};
use crate::wide::Verdict;

const PEOPLE: usize = 24;
const FROZEN: Duration = Duration::from_secs(6);
const CALM: Duration = Duration::from_secs(4);

/// Freezes two services under many people, thaws them, and expects no second outage.
pub async fn after_a_thaw(scene: &mut Scene) {
    let down = ["gathering", "schedule"];
    let load = Load::of(scene, PEOPLE, Duration::from_millis(1_000), &down);
    load.until(Instant::now(), &Verdict::Whole, PEOPLE).await;
    down.iter().for_each(|room| scene.platform.room(room).freeze());
    let frozen = Instant::now();
    load.until(frozen, &Verdict::Expected, PEOPLE).await;
    sleep(FROZEN.saturating_sub(frozen.elapsed())).await;
    down.iter().for_each(|room| scene.platform.room(room).thaw());
    let thawed = Instant::now();
    let whole = load.until(thawed, &Verdict::Whole, PEOPLE).await;
    let calm = Instant::now();
    sleep(CALM).await;
    let after = load.since(calm);
    let answers = load.stop().await;
    expect_no_wrong(&answers);
    let short = after.iter().filter(|answer| answer.verdict != Verdict::Whole).count();
    println!(
        "{PEOPLE} people, frozen for {FROZEN:?}: healed after {:?}, then {} answers, {short} short; slowest {:?}",
        whole.saturating_duration_since(thawed),
        after.len(),
        slowest(&answers)
    );
    assert_eq!(short, 0, "no second outage");
    assert!(slowest(&answers) < DEADLINE + SLACK);
}
