//! Which of what was found comes first: how well it matches, and a little for being open, fresh and lively.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use moim_kit::Timestamp;
use moim_kit::page::{Direction, PageSpec};
use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::Column;
use tantivy::{DocAddress, DocId, Score, SegmentOrdinal, SegmentReader};
use uuid::Uuid;

use crate::model::{Filter, Kind, Openness};
use crate::schema::{column, region_number};

const DAY_US: i64 = 86_400_000_000;
/// Steps of a score of one.
const STEPS: f32 = 1_000.0;
const FRESH: f32 = 0.10;
const LIVELY: f32 = 0.08;

/// What a document is ranked by beside its text.
#[derive(Clone, Copy, Debug)]
pub struct Traits {
    pub openness: Openness,
    pub size: i64,
    /// When it came to be; of a schedule when it starts.
    pub fresh_us: i64,
    pub ends_us: Option<i64>,
}

/// What the match of a kind is multiplied by: a nickname is short, and matches like a title of few words, while most
/// look for something to go to.
fn of_kind(kind: Kind) -> f32 {
    match kind {
        Kind::Gathering | Kind::Schedule => 1.0,
        Kind::Member => 0.35,
    }
}

/// What the match is multiplied by, at most by half either way.
#[expect(clippy::cast_precision_loss, reason = "days and heads are few")]
pub fn factor(traits: Traits, today: i64) -> f32 {
    let open = match traits.openness {
        Openness::Open => 1.0,
        Openness::Full => 0.95,
        Openness::Closed => 0.8,
    };
    let days = ((today - traits.fresh_us) as f32 / DAY_US as f32).abs();
    let fresh = 1.0 + FRESH / (1.0 + days / 60.0);
    let lively = 1.0 + LIVELY * (traits.size.clamp(0, 1_000) as f32).ln_1p() / 7.0;
    let over = traits.ends_us.is_some_and(|ends| ends < today);
    open * fresh * lively * if over { 0.75 } else { 1.0 }
}

/// The day of an instant: what is ranked by time stays in its order until midnight.
pub fn day(now: Timestamp) -> i64 {
    now.us().div_euclid(DAY_US) * DAY_US
}

#[expect(clippy::cast_possible_truncation, reason = "rounded, and small")]
fn steps(score: f32) -> i64 {
    (score * STEPS).round() as i64
}

/// Something found: what it is, how well it matches, and where it stands.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub score: i64,
    pub id: Uuid,
    pub kind: Kind,
    pub address: DocAddress,
    /// How well the text matches.
    pub text: f32,
    /// What that is multiplied by.
    pub factor: f32,
}

/// Better is greater: by score, then by id.
type Place = (i64, Reverse<Uuid>);

impl Row {
    fn place(&self) -> Place {
        (self.score, Reverse(self.id))
    }
}

/// What a page is made of.
#[derive(Clone, Debug, Default)]
pub struct Found {
    pub total: usize,
    /// How many stand before the first row in the direction of travel from the best on.
    pub before: usize,
    /// In the order of travel.
    pub rows: Vec<Row>,
}

/// Collects one page of the best.
pub struct Best {
    pub kinds: Vec<Kind>,
    pub filter: Filter,
    pub today: i64,
    /// Where to start from.
    pub after: Option<Place>,
    pub forward: bool,
    pub limit: usize,
}

impl Best {
    pub fn new(kinds: &[Kind], filter: &Filter, now: Timestamp, page: &PageSpec) -> Self {
        Self {
            kinds: kinds.to_vec(),
            filter: filter.clone(),
            today: day(now),
            after: page.cursor.map(|it| (it.key, Reverse(it.id))),
            forward: page.direction == Direction::Forward,
            limit: usize::try_from(page.fetch()).unwrap_or(1),
        }
    }
}

impl Collector for Best {
    type Fruit = Found;
    type Child = BestOfSegment;

    fn for_segment(
        &self,
        segment: SegmentOrdinal,
        reader: &SegmentReader,
    ) -> tantivy::Result<BestOfSegment> {
        Ok(BestOfSegment {
            segment,
            columns: Columns::open(reader)?,
            kinds: self.kinds.clone(),
            filter: Checked::new(&self.filter),
            today: self.today,
            after: self.after,
            kept: Kept { forward: self.forward, limit: self.limit, heap: BinaryHeap::new() },
            total: 0,
            before: 0,
        })
    }

    fn requires_scoring(&self) -> bool {
        true
    }

    fn merge_fruits(&self, all: Vec<Found>) -> tantivy::Result<Found> {
        let mut found = Found::default();
        for each in all {
            found.total += each.total;
            found.before += each.before;
            found.rows.extend(each.rows);
        }
        let forward = self.forward;
        found.rows.sort_by(|one, other| match forward {
            true => other.place().cmp(&one.place()),
            false => one.place().cmp(&other.place()),
        });
        found.rows.truncate(self.limit);
        if !forward {
            found.before = found.before.saturating_sub(found.rows.len());
        }
        Ok(found)
    }
}

struct Columns {
    kind: Column<u64>,
    id_high: Column<u64>,
    id_low: Column<u64>,
    category: Column<u64>,
    region: Column<u64>,
    starts: Column<i64>,
    ends: Column<i64>,
    fee: Column<i64>,
    openness: Column<u64>,
    size: Column<i64>,
    fresh: Column<i64>,
}

impl Columns {
    fn open(reader: &SegmentReader) -> tantivy::Result<Self> {
        let fast = reader.fast_fields();
        Ok(Self {
            kind: fast.u64(column::KIND)?,
            id_high: fast.u64(column::ID_HIGH)?,
            id_low: fast.u64(column::ID_LOW)?,
            category: fast.u64(column::CATEGORY)?,
            region: fast.u64(column::REGION)?,
            starts: fast.i64(column::STARTS)?,
            ends: fast.i64(column::ENDS)?,
            fee: fast.i64(column::FEE)?,
            openness: fast.u64(column::OPENNESS)?,
            size: fast.i64(column::SIZE)?,
            fresh: fast.i64(column::FRESH)?,
        })
    }
}

/// A filter in the terms of the columns.
#[derive(Default)]
struct Checked {
    category: Option<u64>,
    region: Option<u64>,
    from: Option<i64>,
    until: Option<i64>,
    fee: Option<i64>,
}

impl Checked {
    fn new(filter: &Filter) -> Self {
        Self {
            category: filter.category.map(|it| u64::try_from(it).unwrap_or(u64::MAX)),
            region: filter.region_code.as_deref().map(|it| region_number(it).unwrap_or(u64::MAX)),
            from: filter.starts_from.map(Timestamp::us),
            until: filter.starts_until.map(Timestamp::us),
            fee: filter.max_fee_krw,
        }
    }

    fn passes(&self, columns: &Columns, doc: DocId, kind: Kind) -> bool {
        let placed = kind != Kind::Member;
        let timed = kind == Kind::Schedule;
        let same = |wanted: Option<u64>, column: &Column<u64>| {
            !placed || wanted.is_none_or(|it| column.first(doc) == Some(it))
        };
        same(self.category, &columns.category)
            && same(self.region, &columns.region)
            && (!timed
                || self.from.is_none_or(|it| columns.ends.first(doc).is_some_and(|ends| ends > it))
                    && self
                        .until
                        .is_none_or(|it| columns.starts.first(doc).is_some_and(|at| at < it))
                    && self.fee.is_none_or(|it| columns.fee.first(doc).unwrap_or(0) <= it))
    }
}

/// The best of one segment.
pub struct BestOfSegment {
    segment: SegmentOrdinal,
    columns: Columns,
    kinds: Vec<Kind>,
    filter: Checked,
    today: i64,
    after: Option<Place>,
    kept: Kept,
    total: usize,
    before: usize,
}

impl SegmentCollector for BestOfSegment {
    type Fruit = Found;

    fn collect(&mut self, doc: DocId, score: Score) {
        let columns = &self.columns;
        let Some(kind) = columns.kind.first(doc).and_then(Kind::from_number) else { return };
        if !self.kinds.contains(&kind) || !self.filter.passes(columns, doc, kind) {
            return;
        }
        self.total += 1;
        let traits = Traits {
            openness: Openness::from_number(columns.openness.first(doc).unwrap_or(0)),
            size: columns.size.first(doc).unwrap_or(0),
            fresh_us: columns.fresh.first(doc).unwrap_or(0),
            ends_us: columns.ends.first(doc),
        };
        let factor = factor(traits, self.today) * of_kind(kind);
        let high = columns.id_high.first(doc).unwrap_or(0);
        let id = Uuid::from_u64_pair(high, columns.id_low.first(doc).unwrap_or(0));
        let score_steps = steps(score * factor);
        let address = DocAddress::new(self.segment, doc);
        let row = Row { score: score_steps, id, kind, address, text: score, factor };
        let place = row.place();
        let behind = match (self.after, self.kept.forward) {
            (None, _) => true,
            (Some(after), true) => place < after,
            (Some(after), false) => place > after,
        };
        // From the best on: what stands before the page, or, backward, before the cursor.
        self.before += usize::from(behind != self.kept.forward);
        if behind {
            self.kept.keep(row);
        }
    }

    fn harvest(self) -> Found {
        let rows = self.kept.heap.into_iter().map(|it| it.1).collect();
        Found { total: self.total, before: self.before, rows }
    }
}

/// As many rows as a page wants; the first to go stands on top.
struct Kept {
    forward: bool,
    limit: usize,
    heap: BinaryHeap<Leaving>,
}

/// A row among those kept: the greatest is the first to go.
struct Leaving(bool, Row);

impl Kept {
    fn keep(&mut self, row: Row) {
        self.heap.push(Leaving(self.forward, row));
        if self.heap.len() > self.limit {
            self.heap.pop();
        }
    }
}

impl Ord for Leaving {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let order = self.1.place().cmp(&other.1.place());
        if self.0 { order.reverse() } else { order }
    }
}

impl PartialOrd for Leaving {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Leaving {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Leaving {}

#[cfg(test)]
mod tests {
    use super::*;

    fn traits(openness: Openness, size: i64, days: i64) -> Traits {
        let fresh_us = -days * DAY_US;
        Traits { openness, size, fresh_us, ends_us: None }
    }

    #[test]
    fn open_fresh_and_lively_come_a_little_earlier() {
        let plain = factor(traits(Openness::Open, 10, 100), 0);
        assert!(factor(traits(Openness::Full, 10, 100), 0) < plain);
        assert!(factor(traits(Openness::Open, 500, 100), 0) > plain);
        assert!(factor(traits(Openness::Open, 10, 0), 0) > plain);
        for openness in [Openness::Open, Openness::Full, Openness::Closed] {
            for (size, days) in [(0, 0), (i64::MAX, 0), (-1, 90_000)] {
                let factor = factor(traits(openness, size, days), 0);
                assert!((0.5..=1.5).contains(&factor), "{factor}");
            }
        }
    }
}
