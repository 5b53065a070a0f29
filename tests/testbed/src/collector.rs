//! A collector of spans, as an operator would run one: takes them by OTLP over gRPC and keeps them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use moim_kit::task::Tasks;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

/// Takes spans from whoever sends some; gone when it is dropped.
pub struct Collector {
    address: SocketAddr,
    kept: Arc<Mutex<Vec<Told>>>,
    tasks: Tasks,
}

/// A span as it was sent.
#[derive(Clone, Debug)]
pub struct Told {
    /// `service.name` of who sent it.
    pub service: String,
    /// All that its sender told of itself.
    pub resource: BTreeMap<String, String>,
    /// 32 hexadecimal digits.
    pub trace_id: String,
    /// 16 hexadecimal digits.
    pub span_id: String,
    /// The same of the span that caused it; empty for the first.
    pub parent_id: String,
    /// Its name.
    pub name: String,
    /// Server, client, producer, consumer or internal.
    pub kind: SpanKind,
    /// What it tells of itself.
    pub attributes: BTreeMap<String, String>,
    /// Names of what happened meanwhile.
    pub events: Vec<String>,
    /// Nanoseconds from 1970 on.
    pub start: u64,
    /// The same.
    pub end: u64,
}

impl Collector {
    /// Listens on a port of its own.
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let kept = Arc::<Mutex<Vec<Told>>>::default();
        let server = Server::builder().add_service(TraceServiceServer::new(Taker(kept.clone())));
        let tasks = Tasks::new();
        let stopped = tasks.token().cancelled_owned();
        tasks.spawn("collector", async move {
            let incoming = TcpIncoming::from(listener);
            server.serve_with_incoming_shutdown(incoming, stopped).await.unwrap();
        });
        Self { address, kept, tasks }
    }

    /// Where it listens, such as `http://127.0.0.1:4317`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Everything it was sent so far.
    pub fn all(&self) -> Vec<Told> {
        self.kept.lock().unwrap().clone()
    }

    /// What it was sent of one trace.
    pub fn trace(&self, trace_id: &str) -> Vec<Told> {
        self.all().into_iter().filter(|span| span.trace_id == trace_id).collect()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.tasks.token().cancel();
    }
}

struct Taker(Arc<Mutex<Vec<Told>>>);

#[tonic::async_trait]
impl TraceService for Taker {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let mut kept = self.0.lock().unwrap();
        for of_resource in request.into_inner().resource_spans {
            let resource = of_resource.resource.unwrap_or_default();
            let resource = texts(resource.attributes);
            let spans = of_resource.scope_spans.into_iter().flat_map(|of_scope| of_scope.spans);
            kept.extend(spans.map(|span| told(&resource, span)));
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

fn told(resource: &BTreeMap<String, String>, span: Span) -> Told {
    Told {
        service: resource.get("service.name").cloned().unwrap_or_default(),
        resource: resource.clone(),
        trace_id: hex(&span.trace_id),
        span_id: hex(&span.span_id),
        parent_id: hex(&span.parent_span_id),
        kind: span.kind(),
        name: span.name,
        attributes: texts(span.attributes),
        events: span.events.into_iter().map(|event| event.name).collect(),
        start: span.start_time_unix_nano,
        end: span.end_time_unix_nano,
    }
}

fn texts(attributes: Vec<KeyValue>) -> BTreeMap<String, String> {
    attributes.into_iter().map(|it| (it.key, text(it.value))).collect()
}

fn text(value: Option<AnyValue>) -> String {
    match value.and_then(|any| any.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::BoolValue(truth)) => truth.to_string(),
        other => format!("{other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
