//! Every way in turn, round after round, and what the tables say after each.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, ensure};
use futures::future::try_join_all;
use moim_kit::task::scoped;
use tokio::time::Instant;

use super::ground::Ground;
use super::{Burst, Decision, Strategy, Way};

/// What one way did in one round.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Claims decided each second.
    pub per_second: f64,
    /// Half of the claims took at most so long.
    pub p50_ms: f64,
    /// All but a hundredth did.
    pub p99_ms: f64,
    /// Tries beyond the first, over all claims.
    pub retries: u64,
    /// Seats given beyond those there are.
    pub oversold: i64,
}

/// All rounds of one way.
#[derive(Clone, Debug)]
pub struct Series {
    /// Which way.
    pub way: Way,
    /// In the order they were run.
    pub rounds: Vec<Measured>,
}

/// Runs so many rounds of a burst; nothing when a server is not installed. Fails when a way that is sound
/// gives away one seat too many or too few, and when one that is not is never caught.
pub async fn run(burst: Burst, rounds: usize) -> anyhow::Result<Option<Vec<Series>>> {
    let Some(mut ground) = Ground::open(burst.connections).await? else { return Ok(None) };
    // With a seat for everybody nothing can be oversold.
    let asked = Way::ALL.into_iter().filter(|way| way.is_sound() || burst.is_scarce());
    let mut all: Vec<Series> = asked.map(|way| Series { way, rounds: Vec::new() }).collect();
    for number in 0..=rounds {
        for offset in 0..all.len() {
            // Nobody always comes after the same neighbour.
            let at = (number + offset) % all.len();
            let series = &mut all[at];
            let measured = measure(&mut ground, series.way, burst).await;
            let measured = measured.with_context(|| series.way.name())?;
            // The first round counts nowhere: statements are prepared and files grow.
            if number > 0 {
                series.rounds.push(measured);
            }
        }
    }
    for series in all.iter().filter(|series| !series.way.is_sound()) {
        let oversold = series.rounds.iter().any(|round| round.oversold > 0);
        ensure!(oversold, "{} did not oversell, so the others prove nothing", series.way.name());
    }
    Ok(Some(all))
}

async fn measure(ground: &mut Ground, way: Way, burst: Burst) -> anyhow::Result<Measured> {
    ground.announce(burst).await?;
    let strategy = way.on(ground).await?;
    let claims = Arc::new(burst.claims());
    let next = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let connections = (0..burst.connections)
        .map(|_| scoped(connection(strategy.clone(), claims.clone(), next.clone())));
    let counted = try_join_all(connections).await?;
    let took = began.elapsed();

    let mut sum = Counted::default();
    for counted in counted {
        let counted = counted?;
        sum.waits_ms.extend(counted.waits_ms);
        sum.retries += counted.retries;
        sum.granted += counted.granted;
    }
    let kept = ground.kept().await?;
    let oversold = (kept.seated - i64::try_from(burst.seats)?).max(0);
    if way.is_sound() {
        let taken = i64::try_from(burst.taken())?;
        ensure!(
            (kept.seated, kept.going_count, sum.granted) == (taken, taken, taken),
            "{taken} seats were to be taken: {kept:?}, {} told so",
            sum.granted
        );
    }
    sum.waits_ms.sort_by(f64::total_cmp);
    let share = |percent: usize| sum.waits_ms[sum.waits_ms.len() * percent / 100];
    Ok(Measured {
        per_second: claims.len() as f64 / took.as_secs_f64(),
        p50_ms: share(50),
        p99_ms: share(99),
        retries: sum.retries,
        oversold,
    })
}

#[derive(Default)]
struct Counted {
    waits_ms: Vec<f64>,
    retries: u64,
    granted: i64,
}

/// Claims one after another until there are no more.
async fn connection(
    strategy: Arc<dyn Strategy>,
    claims: Arc<Vec<String>>,
    next: Arc<AtomicUsize>,
) -> anyhow::Result<Counted> {
    let mut counted = Counted::default();
    while let Some(member) = claims.get(next.fetch_add(1, Ordering::Relaxed)) {
        let asked = Instant::now();
        let claimed = strategy.claim(member).await?;
        counted.waits_ms.push(asked.elapsed().as_secs_f64() * 1_000.0);
        counted.retries += claimed.retries;
        counted.granted += i64::from(claimed.decision == Decision::Granted);
    }
    Ok(counted)
}
