//! One span of a trace: what it was, how long it took and how it ended; nothing at all while nobody collects spans.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use arc_swap::ArcSwapOption;
use opentelemetry::trace::{
    Event, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{InstrumentationScope, KeyValue, Value};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use tokio::time::Instant;

use super::{Trace, current};
use crate::clock::wall;

/// Takes what is told of spans; must not wait.
type Collector = Box<dyn Fn(SpanData) + Send + Sync>;

static COLLECTOR: ArcSwapOption<Collector> = ArcSwapOption::const_empty();
/// Traces begun here are sent when the lower half of their id, halved, is below; 0 while nobody collects.
static SENT_BELOW: AtomicU64 = AtomicU64::new(0);

/// Has spans collected from now on, and a share of the traces begun here.
pub(crate) fn collect(ratio: f64, collector: impl Fn(SpanData) + Send + Sync + 'static) {
    COLLECTOR.store(Some(std::sync::Arc::new(Box::new(collector))));
    let share = ratio.clamp(0.0, 1.0) * (1_u64 << 63) as f64;
    SENT_BELOW.store(share as u64, Ordering::Relaxed);
}

/// Has no spans collected any more.
pub(crate) fn collect_nothing() {
    SENT_BELOW.store(0, Ordering::Relaxed);
    COLLECTOR.store(None);
}

fn is_collecting() -> bool {
    COLLECTOR.load().is_some()
}

/// Something that takes time within a trace; told when it is dropped, if anybody collects it.
#[derive(Debug)]
pub struct Span {
    trace: Trace,
    recorded: Option<Box<Recorded>>,
}

/// What will be told of a span.
#[derive(Debug)]
pub struct Recorded {
    /// 0 for the first of a trace.
    parent: u64,
    is_remote: bool,
    kind: SpanKind,
    name: Cow<'static, str>,
    start: SystemTime,
    began: Instant,
    attributes: Vec<KeyValue>,
    events: Vec<Event>,
    status: Status,
}

impl Span {
    /// The first span of a trace that begins here; whether it is sent is drawn.
    pub fn root(kind: SpanKind, name: &'static str) -> Self {
        let mut trace = Trace::fresh();
        // As the sampler by ratio of the OpenTelemetry specification does, so that all agree on an id.
        trace.sampled = (trace.trace_id as u64) >> 1 < SENT_BELOW.load(Ordering::Relaxed);
        let recorded = trace.sampled.then(|| Recorded::new(0, kind, name));
        Self { trace, recorded }
    }

    /// A span that this trace causes.
    pub fn of(parent: Trace, kind: SpanKind, name: &'static str) -> Self {
        if parent.sampled && is_collecting() {
            let recorded = Some(Recorded::new(parent.span_id, kind, name));
            return Self { trace: parent.child(), recorded };
        }
        // Who serves has an id of its own for the logs. A trace that others send must not point at a span which
        // nobody tells.
        let trace = match kind {
            SpanKind::Server if !parent.sampled => parent.child(),
            _ => parent,
        };
        Self { trace, recorded: None }
    }

    /// A span that another process causes, by its `traceparent`; the first of a trace when there is none.
    pub fn continued(traceparent: Option<&str>, kind: SpanKind, name: &'static str) -> Self {
        match traceparent.and_then(|text| text.parse().ok()) {
            Some(parent) => Self::of(parent, kind, name),
            None => Self::root(kind, name),
        }
    }

    /// A span of what runs here now; nothing when that belongs to no trace that is sent.
    pub fn here(kind: SpanKind, name: &'static str) -> Option<Self> {
        let parent = current().filter(|trace| trace.sampled)?;
        Some(Self::of(parent, kind, name)).filter(|span| span.recorded.is_some())
    }

    /// A span that something causes: what runs here now when it does so for the same trace, else the span it names.
    pub fn caused(by: Trace, kind: SpanKind, name: &'static str) -> Self {
        let here = current().filter(|here| here.sampled && here.trace_id == by.trace_id);
        Self::of(here.unwrap_or(by), kind, name)
    }

    /// The trace for what it causes in turn.
    pub fn trace(&self) -> Trace {
        self.trace
    }

    /// True when it will be told.
    pub fn is_recorded(&self) -> bool {
        self.recorded.is_some()
    }

    /// Adds to what will be told, if anything is.
    pub fn record(&mut self, tell: impl FnOnce(&mut Recorded)) {
        if let Some(recorded) = &mut self.recorded {
            tell(recorded);
        }
    }

    /// Takes it back: it never was.
    pub fn discard(mut self) {
        self.recorded = None;
    }
}

impl Recorded {
    fn new(parent: u64, kind: SpanKind, name: &'static str) -> Box<Self> {
        let is_remote = matches!(kind, SpanKind::Server | SpanKind::Consumer);
        Box::new(Self {
            parent,
            is_remote,
            kind,
            name: Cow::Borrowed(name),
            start: wall(),
            began: Instant::now(),
            attributes: Vec::new(),
            events: Vec::new(),
            status: Status::Unset,
        })
    }

    /// Names it: one of few names, whatever people send.
    pub fn name(&mut self, name: impl Into<Cow<'static, str>>) {
        self.name = name.into();
    }

    /// Tells one thing of it, under a name of the semantic conventions where they have one; never a secret, and
    /// nothing that people wrote.
    pub fn set(&mut self, key: &'static str, value: impl Into<Value>) {
        self.attributes.push(KeyValue::new(key, value));
    }

    /// Tells of something that happened meanwhile.
    pub fn event(&mut self, name: &'static str, attributes: Vec<KeyValue>) {
        self.events.push(Event::new(name, wall(), attributes, 0));
    }

    /// It failed, in a way of this name.
    pub fn fail(&mut self, error_type: impl Into<Value>) {
        self.set("error.type", error_type);
        self.status = Status::error("");
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        let Some(recorded) = self.recorded.take() else { return };
        if let Some(collector) = &*COLLECTOR.load() {
            collector(recorded.told(self.trace));
        }
    }
}

fn context(trace: Trace) -> SpanContext {
    let (trace_id, span_id) = (TraceId::from(trace.trace_id), SpanId::from(trace.span_id));
    SpanContext::new(trace_id, span_id, TraceFlags::SAMPLED, false, TraceState::default())
}

impl Recorded {
    fn told(self, trace: Trace) -> SpanData {
        let mut events = SpanEvents::default();
        events.events = self.events;
        SpanData {
            span_context: context(trace),
            parent_span_id: SpanId::from(self.parent),
            parent_span_is_remote: self.is_remote && self.parent != 0,
            span_kind: self.kind,
            name: self.name,
            start_time: self.start,
            // A system clock that is set meanwhile must not make it end before it began.
            end_time: self.start + self.began.elapsed(),
            attributes: self.attributes,
            dropped_attributes_count: 0,
            events,
            links: SpanLinks::default(),
            status: self.status,
            instrumentation_scope: InstrumentationScope::builder("moim")
                .with_version(env!("CARGO_PKG_VERSION"))
                .build(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parking_lot::Mutex;

    use super::*;
    use crate::trace::InTrace as _;

    /// One test, for there is one collector in a process.
    #[tokio::test]
    async fn spans_are_told_with_their_causes_while_somebody_collects_them() {
        let silent = Span::root(SpanKind::Server, "silent");
        assert!(!silent.is_recorded() && !silent.trace().is_sampled());
        let sent: Trace =
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().unwrap();
        let passed = Span::of(sent, SpanKind::Server, "passed").trace();
        assert_eq!(passed, sent, "what others send must not point at a span that nobody tells");

        let told = Arc::<Mutex<Vec<SpanData>>>::default();
        let keep = told.clone();
        collect(1.0, move |span| keep.lock().push(span));
        let mut edge = Span::root(SpanKind::Server, "edge");
        edge.record(|it| it.set("key", "value"));
        let inner = async {
            let mut statement = Span::here(SpanKind::Client, "statement").unwrap();
            statement.record(|it| it.fail("23505"));
            drop(statement);
            Span::caused(edge.trace(), SpanKind::Producer, "told").discard();
            Span::here(SpanKind::Internal, "quiet").filter(|_| false);
        };
        inner.within(edge.trace()).await;
        async { assert!(Span::here(SpanKind::Client, "unsent").is_none()) }
            .within(edge.trace().unsent())
            .await;
        assert!(Span::here(SpanKind::Client, "nowhere").is_none());
        let trace = edge.trace();
        drop(edge);
        drop(Span::of(sent, SpanKind::Server, "continued"));
        collect_nothing();
        drop(Span::of(sent, SpanKind::Server, "too late"));
        assert!(!Span::root(SpanKind::Server, "too late").is_recorded());

        let told = told.lock();
        let names: Vec<_> = told.iter().map(|span| span.name.as_ref()).collect();
        assert_eq!(names, ["statement", "quiet", "edge", "continued"]);
        assert_eq!(told[0].parent_span_id.to_string(), trace.span_id());
        assert_eq!(told[0].span_context.trace_id().to_string(), trace.trace_id());
        assert!(matches!(told[0].status, Status::Error { .. }));
        assert_eq!(told[2].parent_span_id, SpanId::INVALID);
        assert_eq!(told[2].attributes, [KeyValue::new("key", "value")]);
        assert!(
            told[3].parent_span_is_remote
                && told[3].parent_span_id.to_string() == "00f067aa0ba902b7"
        );
        drop(told);
        for (ratio, share) in [(0.0, 0..=0), (0.5, 300..=700), (1.0, 1_000..=1_000)] {
            collect(ratio, drop);
            let roots = (0..1_000).map(|_| Span::root(SpanKind::Internal, "drawn"));
            let many = roots.filter(Span::is_recorded).count();
            assert!(share.contains(&many), "{many} of 1,000 at {ratio}");
        }
        collect_nothing();
    }
}
