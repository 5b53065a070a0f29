//! Paid orders while the rooms that run them are killed at every step, stopped, cut off and told things
//! twice: each must end with seat and money, or with both whole, in time.

mod episode;
mod stage;
mod step;
mod top_ups;
mod trouble;

use std::fmt::Write as _;
use std::time::Duration;

use clap::Args;
use tokio::time::Instant;

use episode::Outcome;
use stage::Stage;
use step::{POINTS, Point, STEPS, Step};
use trouble::TROUBLES;

/// A seat is held so long while its price is taken: for the lease of a killed carrier, and as much again.
const HOLD: Duration = Duration::from_secs(6);
/// The payment waits so much longer for the word of the schedule room.
const SILENCE: Duration = Duration::from_secs(3);
/// What an order may take; twice that is the promise.
const LIMIT: Duration = HOLD.saturating_add(SILENCE);

/// How much is ordered, and how often somebody dies of it.
#[derive(Args, Clone, Copy, Debug)]
pub struct Size {
    /// Orders in each combination of step and point.
    #[arg(long, default_value_t = 50)]
    pub orders: usize,
    /// How often the room is killed in each.
    #[arg(long, default_value_t = 3)]
    pub kills: u64,
    /// A few combinations only.
    #[arg(long)]
    pub small: bool,
}

impl Size {
    /// For every run of the tests.
    pub const SMALL: Self = Self { orders: 5, kills: 1, small: true };
}

const FEW: [(&str, Point); 4] = [
    ("order 2 MONEY_HELD", Point::AfterCommit),
    ("seat 2 GRANTED", Point::BeforeAck),
    ("order 3 CONFIRMED", Point::BeforeCommit),
    ("order 5 REFUNDED", Point::AfterPublish),
];

fn combinations(small: bool) -> Vec<(Step, Point)> {
    let all = STEPS.into_iter().flat_map(|step| POINTS.map(|point| (step, point)));
    all.filter(|(step, point)| !small || FEW.contains(&(step.name, *point))).collect()
}

/// Runs it and answers its figures; panics when an order ends in neither way, late, or never.
pub async fn run(size: Size) -> String {
    let size = if size.small { Size::SMALL } else { size };
    let mut stage = Stage::set(size.orders).await;
    let began = Instant::now();
    let mut rows = Vec::new();
    for (step, point) in combinations(size.small) {
        let outcome = stage.lose_at(step, point, size.kills).await;
        eprintln!("{:>5.0} s  {}, {}: {outcome}", began.elapsed().as_secs_f64(), step.name, point);
        rows.push((step, point, outcome));
    }
    let mut troubles = Vec::new();
    for trouble in TROUBLES.into_iter().filter(|it| !size.small || it.is_for_every_run()) {
        let outcome = stage.meet(trouble).await;
        eprintln!("{:>5.0} s  {}: {outcome}", began.elapsed().as_secs_f64(), trouble.name());
        troubles.push((trouble.name(), outcome));
    }
    let top_ups = stage.top_up_oddly().await;
    let mut report = table(&rows, &troubles);
    writeln!(report, "\ntop-ups                  {top_ups}").unwrap();
    writeln!(report, "{}", stage.story().await).unwrap();
    writeln!(report, "took                     {:.0} s", began.elapsed().as_secs_f64()).unwrap();
    // What nobody died of proves nothing; a state that was overtaken may never be delivered.
    let untouched = |(step, point, outcome): &&(Step, Point, Outcome)| {
        outcome.kills == 0 && !(*point == Point::BeforeAck && step.may_be_overtaken)
    };
    let untouched: Vec<_> = rows.iter().filter(untouched).map(|it| (it.0.name, it.1)).collect();
    assert!(untouched.is_empty(), "nobody was killed at {untouched:?}\n{report}");
    report
}

fn table(rows: &[(Step, Point, Outcome)], troubles: &[(&str, Outcome)]) -> String {
    let mut table = String::new();
    let heads = Outcome::HEADS;
    writeln!(table, "| step | killed | {heads} |").unwrap();
    writeln!(table, "|{}", " --- |".repeat(2 + heads.split('|').count())).unwrap();
    for (step, point, outcome) in rows {
        writeln!(table, "| {} | {point} | {} |", step.name, outcome.cells()).unwrap();
    }
    let mut total = Outcome::default();
    rows.iter().for_each(|(_, _, outcome)| total.add(outcome));
    writeln!(table, "| all | | {} |", total.cells()).unwrap();
    writeln!(table, "\n| trouble | {heads} |").unwrap();
    writeln!(table, "|{}", " --- |".repeat(1 + heads.split('|').count())).unwrap();
    for (name, outcome) in troubles {
        writeln!(table, "| {name} | {} |", outcome.cells()).unwrap();
    }
    table
}
