//! A trace as a tree: whole or not, who caused whom, and how it is shown when a test fails.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use moim_e2e::{Collector, Told};
use tokio::time::{Instant, sleep};

/// Rooms tell their spans a little later than they end.
const TOLD_WITHIN: Duration = Duration::from_secs(60);

/// The spans of one trace.
pub struct Tree(Vec<Told>);

impl Tree {
    /// Waits until a trace stands as one tree in which all these chains are found; each is written as
    /// `service name`, from a cause to its effect.
    pub async fn grown(collector: &Collector, trace_id: &str, chains: &[&[&str]]) -> Self {
        let due = Instant::now() + TOLD_WITHIN;
        loop {
            let tree = Self(collector.trace(trace_id));
            let missing: Vec<_> = chains.iter().filter(|chain| !tree.has(chain)).collect();
            let broken = tree.broken();
            if missing.is_empty() && broken.is_empty() {
                return tree;
            }
            assert!(
                Instant::now() < due,
                "trace {trace_id} lacks {missing:#?}, and {broken:#?}, in\n{}",
                tree.shown()
            );
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// The only span that nobody caused.
    pub fn root(&self) -> &Told {
        self.0.iter().find(|span| span.parent_id.is_empty()).unwrap()
    }

    /// Every span.
    pub fn spans(&self) -> &[Told] {
        &self.0
    }

    /// Why it is no tree.
    fn broken(&self) -> Vec<String> {
        let mut found = Vec::new();
        let ids: BTreeSet<_> = self.0.iter().map(|span| &span.span_id).collect();
        if ids.len() != self.0.len() {
            found.push("two spans have one id".to_owned());
        }
        let roots: Vec<_> = self.0.iter().filter(|it| it.parent_id.is_empty()).collect();
        if roots.len() != 1 {
            found
                .push(format!("roots: {:?}", roots.iter().map(|it| label(it)).collect::<Vec<_>>()));
        }
        let orphans =
            self.0.iter().filter(|it| !it.parent_id.is_empty() && !ids.contains(&it.parent_id));
        found.extend(orphans.map(|span| format!("{} has no parent", label(span))));
        found
    }

    /// True when somewhere each of these caused the next one directly.
    fn has(&self, chain: &[&str]) -> bool {
        let Some((first, rest)) = chain.split_first() else { return true };
        self.0.iter().filter(|span| label(span) == *first).any(|span| self.leads(span, rest))
    }

    fn leads(&self, from: &Told, chain: &[&str]) -> bool {
        let Some((next, rest)) = chain.split_first() else { return true };
        let caused = self.0.iter().filter(|span| span.parent_id == from.span_id);
        caused.filter(|span| label(span) == *next).any(|span| self.leads(span, rest))
    }

    /// By depth, in the order of their begin, with repetitions among siblings counted.
    pub fn shown(&self) -> String {
        let mut out = String::new();
        let known: BTreeSet<_> = self.0.iter().map(|it| &it.span_id).collect();
        let tops = self.0.iter().filter(|it| !known.contains(&it.parent_id)).collect();
        self.show(tops, 0, &mut out);
        out
    }

    fn show(&self, mut siblings: Vec<&Told>, depth: usize, out: &mut String) {
        siblings.sort_by_key(|span| span.start);
        let mut order = Vec::new();
        let mut folded: BTreeMap<String, Vec<&Told>> = BTreeMap::new();
        for span in siblings {
            let label = label(span);
            if !folded.contains_key(&label) {
                order.push(label.clone());
            }
            folded.entry(label).or_default().push(span);
        }
        for label in order {
            let spans = &folded[&label];
            let times = if spans.len() > 1 { format!(" x{}", spans.len()) } else { String::new() };
            let _ = writeln!(out, "{}{label}{times}", "  ".repeat(depth));
            let caused = |it: &&Told| spans.iter().any(|span| span.span_id == it.parent_id);
            self.show(self.0.iter().filter(caused).collect(), depth + 1, out);
        }
    }
}

/// A span with its room.
pub fn label(span: &Told) -> String {
    format!("{} {}", span.service, span.name)
}
