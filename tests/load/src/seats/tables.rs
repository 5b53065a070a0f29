//! What the rounds came to, as a table.

use super::rounds::{Measured, Series};
use super::{Burst, Way};
use crate::figures::Spread;
use crate::tables::Table;

/// The table of one burst, under a line that says what it was.
pub fn of(burst: Burst, series: &[Series], markdown: bool) -> String {
    let Burst { claimants, seats, connections, impatient } = burst;
    let heads =
        ["decided by", "claims/s", "p50 ms", "p99 ms", "retries per burst", "oversold per burst"];
    let mut table = Table::new(heads);
    for each in series {
        let spread = |figure: fn(&Measured) -> f64| Spread::of(each.rounds.iter().map(figure));
        let rate = spread(|it| it.per_second);
        table.row([
            each.way.name().to_owned(),
            format!("{:.0} ({:.0} to {:.0})", rate.median, rate.least, rate.most),
            format!("{:.1}", spread(|it| it.p50_ms).median),
            format!("{:.1}", spread(|it| it.p99_ms).median),
            format!("{:.0}", spread(|it| it.retries as f64).median),
            oversold(each.way, spread(|it| it.oversold as f64)),
        ]);
    }
    let table = if markdown { table.markdown() } else { table.aligned() };
    format!(
        "{claimants} claimants, every {impatient}th of them twice, {seats} seats, {connections} connections:\n\n{table}"
    )
}

fn oversold(way: Way, spread: Spread) -> String {
    if way.is_sound() {
        return format!("{:.0}", spread.most);
    }
    format!("{:.0} ({:.0} to {:.0})", spread.median, spread.least, spread.most)
}
