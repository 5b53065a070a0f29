//! Ways to give away seats: the sound ones give away what there is, and those that are not are caught.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

use moim_load::seats::{Burst, Way, rounds, tables};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_sound_sells_every_seat_once_and_what_is_not_oversells() {
    let burst = Burst { claimants: 60, seats: 15, connections: 16, impatient: 5 };
    let Some(series) = rounds::run(burst, 1).await.unwrap() else { return };
    for each in &series {
        let oversold = each.rounds.iter().map(|round| round.oversold).sum::<i64>();
        assert_eq!(oversold == 0, each.way.is_sound(), "{:?}: {oversold}", each.way);
    }
    let table = tables::of(burst, &series, true);
    for way in Way::ALL {
        assert!(table.contains(way.name()), "{table}");
    }
}
