//! Every two services killed at once: the fields of both are null, and everything else is as ever.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::scene::{DEADLINE, SLACK, Scene};
use crate::wide::{SERVICES, Verdict};

const WITHIN: Duration = Duration::from_secs(30);
/// Answers in a row that show a state.
const IN_A_ROW: usize = 3;

/// Kills each pair of one of these and one before it in the list; answers how many there were.
pub async fn try_all(scene: &mut Scene, laters: &[&'static str]) -> usize {
    let mut pairs = 0;
    // A room waits at its start for those before it in the list, so the one that stays dead is the later one.
    for (nth, later) in SERVICES.iter().enumerate().rev().filter(|(_, it)| laters.contains(it)) {
        scene.platform.room(later).kill();
        until(scene, &[later], &[later]).await;
        for earlier in &SERVICES[..nth] {
            let both = [*earlier, *later];
            scene.platform.room(earlier).kill();
            until(scene, &both, &both).await;
            scene.platform.room(earlier).start_again();
            until(scene, &both, &[later]).await;
            pairs += 1;
        }
        scene.platform.room(later).start_again();
        until(scene, &[later], &[]).await;
    }
    pairs
}

/// Waits until the answers are as they should be with these down; meanwhile nothing is null but what depends on
/// those that may be down.
async fn until(scene: &Scene, may: &[&'static str], down: &[&'static str]) {
    let (due, mut run) = (Instant::now() + WITHIN, 0);
    let wanted = if down.is_empty() { Verdict::Whole } else { Verdict::Expected };
    while run < IN_A_ROW {
        let (body, took) = scene.ask().await;
        let loosely = scene.healthy.judge(&body, may);
        assert!(!matches!(loosely, Verdict::Wrong(_)), "without {may:?}: {loosely:#?}");
        assert!(took < DEADLINE + SLACK, "without {may:?} somebody waited {took:?}");
        let verdict = scene.healthy.judge(&body, down);
        run = if verdict == wanted { run + 1 } else { 0 };
        assert!(Instant::now() < due, "without {down:?}: {verdict:#?}");
        if run == 0 {
            sleep(Duration::from_millis(50)).await;
        }
    }
}
