//! The figures as tables, for a terminal or for a document.

use std::fmt::Write as _;

use crate::figures::Spread;
use crate::rounds::{Measured, Series};
use crate::site::{Backing, Side};

/// All tables of a run.
pub fn of(series: &[Series], markdown: bool) -> String {
    let mut text = String::new();
    for table in [ratios(series), absolute(series)] {
        text.push_str(&if markdown { table.markdown() } else { table.aligned() });
        text.push('\n');
    }
    text
}

fn ratios(series: &[Series]) -> Table {
    let mut table =
        Table::new(["query", "behind the edge", "CPU per request", "p50", "requests/s"]);
    let closed = |each: &&Series| each.rate.is_none();
    for each in series.iter().filter(closed) {
        let at_rate = series.iter().find(|other| {
            other.rate.is_some()
                && other.query.name == each.query.name
                && other.backing == each.backing
        });
        let p50 = at_rate.unwrap_or(each);
        table.row([
            each.query.name.to_owned(),
            behind(each.backing).to_owned(),
            ratio(Spread::of_ratios(&each.rounds, |it| it.cpu_s_per_1000)),
            ratio(Spread::of_ratios(&p50.rounds, |it| it.tally.p50_ms)),
            ratio(Spread::of_ratios(&each.rounds, |it| it.tally.per_second)),
        ]);
    }
    table
}

fn absolute(series: &[Series]) -> Table {
    let mut table = Table::new([
        "query",
        "behind the edge",
        "loop",
        "side",
        "requests/s",
        "p50 ms",
        "p99 ms",
        "CPU s per 1,000",
        "RSS MiB",
        "others' CPU",
    ]);
    for each in series {
        for side in [Side::Graphql, Side::Floor] {
            let median =
                |figure: fn(&Measured) -> f64| Spread::of(each.of(side).map(figure)).median;
            table.row([
                each.query.name.to_owned(),
                behind(each.backing).to_owned(),
                each.rate.map_or("closed".to_owned(), |_| "open".to_owned()),
                name(side).to_owned(),
                format!("{:.0}", median(|it| it.tally.per_second)),
                format!("{:.2}", median(|it| it.tally.p50_ms)),
                format!("{:.2}", median(|it| it.tally.p99_ms)),
                format!("{:.3}", median(|it| it.cpu_s_per_1000)),
                format!("{:.0}", median(|it| it.memory_mib)),
                format!("{:.0} %", 100.0 * median(|it| it.others)),
            ]);
        }
    }
    table
}

fn behind(backing: Backing) -> &'static str {
    match backing {
        Backing::Rooms => "rooms",
        Backing::Memory => "memory",
    }
}

fn name(side: Side) -> &'static str {
    match side {
        Side::Graphql => "GraphQL",
        Side::Floor => "floor",
    }
}

fn ratio(spread: Spread) -> String {
    format!("{:.2} ({:.2} to {:.2})", spread.median, spread.least, spread.most)
}

/// Rows under heads.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new<const N: usize>(heads: [&str; N]) -> Self {
        Self { rows: vec![heads.map(str::to_owned).to_vec()] }
    }

    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.to_vec());
    }

    pub fn markdown(&self) -> String {
        let mut text = String::new();
        for (index, row) in self.rows.iter().enumerate() {
            let _ = writeln!(text, "| {} |", row.join(" | "));
            if index == 0 {
                let _ = writeln!(text, "|{}", " --- |".repeat(row.len()));
            }
        }
        text
    }

    pub fn aligned(&self) -> String {
        let columns = self.rows.first().map_or(0, Vec::len);
        let widths: Vec<usize> = (0..columns)
            .map(|at| self.rows.iter().filter_map(|row| row.get(at)).map(String::len).max())
            .map(Option::unwrap_or_default)
            .collect();
        let mut text = String::new();
        for row in &self.rows {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
            let _ = writeln!(text, "{}", cells.collect::<Vec<_>>().join("  ").trim_end());
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_written_for_both_readers() {
        let mut table = Table::new(["a", "bc"]);
        table.row(["def".to_owned(), "1".to_owned()]);
        assert_eq!(table.markdown(), "| a | bc |\n| --- | --- |\n| def | 1 |\n");
        assert_eq!(table.aligned(), "a    bc\ndef  1\n");
    }
}
