//! A search from the words of a query to a page of hits, forgiving more while little is found.

use moim_kit::page::{Cursor, Direction, PageOf, PageSpec};
use moim_kit::{Fault, Timestamp};
use tantivy::query::{
    BooleanQuery, BoostQuery, DisjunctionMaxQuery, EmptyQuery, Occur, PhraseQuery, Query, TermQuery,
};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{Searcher, Term};

use crate::alive::{self, Weights};
use crate::analysis::{Analyzer, BEGIN, same};
use crate::counted;
use crate::fault::Reason;
use crate::highlight::Needles;
use crate::korean;
use crate::layout;
use crate::model::{self, DEEPEST, Filter, Hit, Kind};
use crate::query::{Level, Understood, understand};
use crate::ranking::{Best, Found};
use crate::schema::{Fields, WEIGHTS};
use crate::tokens::Stream;
use crate::tree::Node;
use crate::vocabulary::Vocabulary;

/// With fewer results than this a word may have been mistyped.
const FEW: usize = 3;
/// With fewer results than this the page is filled with what has most of the words.
const LITTLE: usize = 10;
/// What another alternative adds to the best one.
const TIE: f32 = 0.1;
/// Tag of the cursors of search results: the key is the score.
pub const RESULTS: u8 = 0x81;

/// One state of the index, to be searched.
pub struct Search<'a> {
    /// The state.
    pub searcher: &'a Searcher,
    /// Its fields.
    pub fields: &'a Fields,
    /// What it was made by.
    pub analyzer: &'a Analyzer,
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// What was typed.
    pub query: &'a str,
    /// All when empty.
    pub kinds: &'a [Kind],
    /// What else it must meet.
    pub filter: &'a Filter,
    /// Which page.
    pub page: &'a PageSpec,
    /// What is fresh is so as of now.
    pub now: Timestamp,
}

/// A page of what was found.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The page.
    pub page: PageOf<Hit>,
    /// How many there are in all.
    pub total: usize,
    /// What was searched instead, when that is something else.
    pub corrected: Option<String>,
    /// What it counts as among popular terms; nothing when that is not known.
    pub term: Option<String>,
}

/// One way to understand the query.
struct Attempt {
    name: &'static str,
    understood: Understood,
    level: Level,
    node: Node,
    corrected: Option<String>,
    found: Found,
}

/// A query on its way through the ways to understand it.
struct Trial<'a> {
    search: &'a Search<'a>,
    words: Vocabulary<'a>,
    ask: &'a Ask<'a>,
}

impl Trial<'_> {
    /// The first way to understand the query that finds enough, or else the one that finds most.
    fn best(&self) -> Result<Attempt, Fault> {
        let text = model::query(self.ask.query)?;
        let analyzer = self.search.analyzer;
        let typed = understand(analyzer, text);
        if typed.slots.is_empty() {
            return Err(Reason::QueryInvalid.into());
        }
        let strict = self.all("as typed", &typed, Level::Strict, None)?;
        if strict.found.total >= LITTLE {
            return Ok(strict);
        }
        let others = self.on_the_other_layout(text, &typed, strict.found.total);
        for (understood, other) in &others {
            let swapped =
                self.all("on the other layout", understood, Level::Strict, Some(other))?;
            // Consonants alone may be initials as well as a word that was typed blindly.
            if swapped.found.total > strict.found.total {
                return self.or_the_kind_of_thing(understood, swapped, Some(other));
            }
        }
        let near = match strict.found.total < FEW {
            true => self.all("with near words", &typed, Level::Unknown, None)?,
            false => strict,
        };
        let near = self.or_the_kind_of_thing(&typed, near, None)?;
        if near.found.total >= LITTLE {
            return Ok(near);
        }
        for (understood, text) in others.iter().filter(|_| near.found.total == 0) {
            let name = "on the other layout, with near words";
            let swapped = self.all(name, understood, Level::Unknown, Some(text))?;
            if swapped.found.total > 0 {
                return Ok(swapped);
            }
        }
        let mut best = near;
        for (name, one) in [("most words", false), ("some words", true)] {
            if one && best.found.total > 0 {
                break;
            }
            if let Some(some) = self.most(name, &typed, Level::UnknownWide, one)?
                && some.found.total > best.found.total
            {
                best = Attempt { corrected: best.corrected.or(some.corrected), ..some };
            }
        }
        // Behind a filter, nothing may well be all there is.
        let whole = *self.ask.filter == Filter::default();
        if best.found.total == 0 && whole {
            let every = self.all("with every word doubted", &typed, Level::Every, None)?;
            if every.found.total > 0 {
                best = every;
            }
        }
        Ok(best)
    }

    /// Where there is little of what was meant, also what is of its kind.
    fn or_the_kind_of_thing(
        &self,
        understood: &Understood,
        near: Attempt,
        instead: Option<&str>,
    ) -> Result<Attempt, Fault> {
        if near.found.total >= LITTLE || !understood.is_narrow(&self.words) {
            return Ok(near);
        }
        let level = if near.level.doubts() { Level::UnknownWide } else { Level::Wide };
        let wide = self.all("with the kind of thing", understood, level, instead)?;
        Ok(if wide.found.total > near.found.total { wide } else { near })
    }

    /// What was typed, read on the other layout: as a whole, or only the words that stand nowhere.
    fn on_the_other_layout(
        &self,
        text: &str,
        typed: &Understood,
        found: usize,
    ) -> Vec<(Understood, String)> {
        let analyzer = self.search.analyzer;
        let whole = layout::to_hangul(text).or_else(|| layout::to_latin(text));
        let whole = whole.map(|it| (understand(analyzer, &it), it));
        if found > 0 {
            // Something that is found is left alone, but for letters that are a word on the other layout.
            let loose = text.contains(korean::is_letter);
            return whole.filter(|(it, _)| loose && it.is_given(analyzer)).into_iter().collect();
        }
        let parts = typed.relaid(&self.words).filter(|it| {
            typed.slots.len() > 1 && whole.as_ref().is_none_or(|(_, whole)| whole != it)
        });
        let parts = parts.map(|it| (understand(analyzer, &it), it));
        whole.into_iter().chain(parts).filter(|(it, _)| !it.slots.is_empty()).collect()
    }

    fn all(
        &self,
        name: &'static str,
        understood: &Understood,
        level: Level,
        instead: Option<&str>,
    ) -> Result<Attempt, Fault> {
        let node = understood.all(&self.words, level);
        self.run(name, understood, level, instead, node)
    }

    /// What finds all words stands before what finds most of them.
    fn most(
        &self,
        name: &'static str,
        understood: &Understood,
        level: Level,
        one: bool,
    ) -> Result<Option<Attempt>, Fault> {
        let Some(node) = understood.most(&self.words, level, one) else { return Ok(None) };
        self.run(name, understood, level, None, node).map(Some)
    }

    fn run(
        &self,
        name: &'static str,
        understood: &Understood,
        level: Level,
        instead: Option<&str>,
        node: Node,
    ) -> Result<Attempt, Fault> {
        let (search, ask) = (self.search, self.ask);
        let query = search.compile(&node);
        let kinds = if ask.kinds.is_empty() { &Kind::ALL[..] } else { ask.kinds };
        let best = Best::new(kinds, ask.filter, ask.now, ask.page);
        let (searcher, weights) = (search.searcher, Weights::new(search.searcher, search.fields));
        let found = searcher.search_with_statistics_provider(&*query, &best, &weights);
        let found = found.map_err(Fault::internal)?;
        let near = understood.corrected(&self.words, level);
        let corrected = near.or_else(|| instead.map(str::to_owned));
        let corrected = corrected.filter(|it| found.total > 0 && !same(it, ask.query));
        Ok(Attempt { name, understood: understood.clone(), level, node, corrected, found })
    }
}

impl Search<'_> {
    /// A page of the best.
    pub fn find(&self, ask: &Ask<'_>) -> Result<Answer, Fault> {
        let attempt = self.attempt(ask)?;
        let Found { total, before, mut rows } = attempt.found;
        if before >= DEEPEST && ask.page.cursor.is_some() {
            return Err(Reason::PageTooDeep.into());
        }
        if ask.page.direction == Direction::Forward {
            rows.truncate(DEEPEST - before.min(DEEPEST));
        }
        let needles = Needles::new(&attempt.node);
        let (unfinished, typed) = (attempt.understood.is_unfinished(), attempt.understood.typed());
        let mut names = Vec::new();
        let mut page = ask.page.page(rows, |row| Cursor { key: row.score, id: row.id });
        let mut hits = Vec::with_capacity(page.rows.len());
        for row in std::mem::take(&mut page.rows) {
            let document = self.searcher.doc(row.address).map_err(Fault::internal)?;
            let stored = self.fields.stored(&document);
            let (title, text) = match row.kind {
                Kind::Member => ("nickname", "bio"),
                Kind::Gathering | Kind::Schedule => ("title", "description"),
            };
            if unfinished {
                let texts = [stored.title.as_str(), &stored.text];
                names.push(counted::name(self.analyzer, &typed, texts));
            }
            let parts = [(title, &stored.title), (text, &stored.text), ("place", &stored.place)];
            let highlights =
                parts.iter().filter_map(|(field, text)| needles.find(self.analyzer, field, text));
            let highlights = highlights.collect();
            hits.push(Hit { kind: row.kind, id: row.id, score: row.score, highlights });
        }
        let PageOf { cursors, has_next_page, has_previous_page, .. } = page;
        let page = PageOf { rows: hits, cursors, has_next_page, has_previous_page };
        let term = match () {
            () if total == 0 => None,
            () if unfinished => counted::by_what_was_found(&names),
            () if !attempt.understood.stands(&self.vocabulary(), attempt.level) => None,
            () => Some(attempt.corrected.as_deref().unwrap_or(ask.query).to_owned()),
        };
        Ok(Answer { page, total, corrected: attempt.corrected, term })
    }

    /// How the query was understood, and why the first results stand where they do.
    pub fn explain(&self, ask: &Ask<'_>) -> Result<String, Fault> {
        use std::fmt::Write as _;
        let attempt = self.attempt(ask)?;
        let mut out = format!("searched: {}\n", attempt.name);
        if let Some(corrected) = &attempt.corrected {
            let _ = writeln!(out, "corrected: {corrected}");
        }
        out.push_str(&attempt.understood.explain(&self.vocabulary(), attempt.level));
        let _ = writeln!(out, "found: {}", attempt.found.total);
        for row in attempt.found.rows {
            let document = self.searcher.doc(row.address).map_err(Fault::internal)?;
            let title = self.fields.stored(&document).title;
            let (kind, id) = (row.kind.name(), row.id);
            let (score, text, factor) = (row.score, row.text, row.factor);
            let _ = writeln!(out, "{score:>8} = {text:.3} x {factor:.3}  {kind} {id} {title}");
        }
        Ok(out)
    }

    fn vocabulary(&self) -> Vocabulary<'_> {
        Vocabulary::new(self.searcher, self.fields, self.analyzer)
    }

    fn attempt(&self, ask: &Ask<'_>) -> Result<Attempt, Fault> {
        Trial { search: self, words: self.vocabulary(), ask }.best()
    }

    fn compile(&self, node: &Node) -> Box<dyn Query> {
        match node {
            Node::Best(all) => {
                let mut flat = Vec::new();
                all.iter().for_each(|it| self.flatten(it, &mut flat));
                best_of(flat)
            }
            Node::Term { .. } | Node::Run { .. } => {
                let mut flat = Vec::new();
                self.flatten(node, &mut flat);
                best_of(flat)
            }
            Node::All { must, should, boost } => {
                let must = must.iter().map(|it| (Occur::Must, self.compile(it)));
                let should = should.iter().map(|it| (Occur::Should, self.compile(it)));
                let mut all: Vec<_> = must.chain(should).collect();
                match all.pop() {
                    Some((_, only)) if all.is_empty() => boosted(only, *boost),
                    Some(last) => {
                        all.push(last);
                        boosted(Box::new(BooleanQuery::new(all)), *boost)
                    }
                    None => Box::new(EmptyQuery),
                }
            }
            Node::Some { of, at_least } => {
                let of = of.iter().map(|it| (Occur::Should, self.compile(it))).collect();
                Box::new(BooleanQuery::with_minimum_required_clauses(of, *at_least))
            }
        }
    }

    /// A leaf in every part of a document, each by its weight.
    fn flatten(&self, node: &Node, out: &mut Vec<Box<dyn Query>>) {
        match node {
            Node::Term { stream, text, boost } => {
                let fields = match stream {
                    Stream::Initials => self.fields.initials,
                    Stream::Word | Stream::Pair | Stream::Typed => self.fields.words,
                };
                for (field, weight) in fields.into_iter().zip(WEIGHTS) {
                    out.extend(self.term(field, text, boost * weight));
                }
            }
            Node::Run { letters, begins, boost } => {
                let begin = begins.then_some(BEGIN);
                let letters: Vec<char> = begin.into_iter().chain(letters.chars()).collect();
                let pairs: Vec<String> = letters.windows(2).map(|it| it.iter().collect()).collect();
                for (field, weight) in self.fields.pairs.into_iter().zip(WEIGHTS) {
                    out.extend(self.run_of(field, &pairs, boost * weight));
                }
            }
            other => out.push(self.compile(other)),
        }
    }

    fn term(&self, field: Field, text: &str, boost: f32) -> Option<Box<dyn Query>> {
        let term = Term::from_field_text(field, text);
        // What stands nowhere costs nothing.
        if !alive::stands(self.searcher, &term) {
            return None;
        }
        Some(boosted(Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs)), boost))
    }

    fn run_of(&self, field: Field, pairs: &[String], boost: f32) -> Option<Box<dyn Query>> {
        let terms: Vec<Term> = pairs.iter().map(|it| Term::from_field_text(field, it)).collect();
        if !terms.iter().all(|it| alive::stands(self.searcher, it)) {
            return None;
        }
        match terms.as_slice() {
            [] => None,
            [_] => self.term(field, &pairs[0], boost),
            _ => Some(boosted(Box::new(PhraseQuery::new(terms)), boost)),
        }
    }
}

fn best_of(mut all: Vec<Box<dyn Query>>) -> Box<dyn Query> {
    match all.pop() {
        None => Box::new(EmptyQuery),
        Some(only) if all.is_empty() => only,
        Some(last) => {
            all.push(last);
            Box::new(DisjunctionMaxQuery::with_tie_breaker(all, TIE))
        }
    }
}

fn boosted(query: Box<dyn Query>, boost: f32) -> Box<dyn Query> {
    if (boost - 1.0).abs() < f32::EPSILON { query } else { Box::new(BoostQuery::new(query, boost)) }
}
