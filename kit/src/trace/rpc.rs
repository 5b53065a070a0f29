//! Spans of calls between rooms, by the semantic conventions for gRPC.

use http::HeaderMap;
use opentelemetry::trace::SpanKind;
use tonic::{Code, Status};

use super::{Recorded, Span, Trace};
use crate::metrics::label::{blames_the_server, grpc_code};

/// A call, at whoever makes it or at whoever serves it.
pub(crate) fn call(parent: Trace, kind: SpanKind, path: &str) -> Span {
    let mut span = Span::of(parent, kind, "rpc");
    span.record(|it| {
        let method = path.trim_start_matches('/').to_owned();
        it.name(method.clone());
        it.set("rpc.system.name", "grpc");
        it.set("rpc.method", method);
    });
    span
}

/// How a call ended for who made it: any status but OK is a failure.
pub(crate) fn answered(it: &mut Recorded, failure: Option<&Status>) {
    let code = failure.map_or(Code::Ok, Status::code);
    it.set("rpc.response.status_code", grpc_code(code));
    if code != Code::Ok {
        it.fail(grpc_code(code));
    }
}

/// How a call ended for who served it, by the head of the answer: what its caller did wrong is no failure here.
pub(crate) fn served(it: &mut Recorded, head: &HeaderMap) {
    let code = Status::from_header_map(head).map_or(Code::Ok, |status| status.code());
    it.set("rpc.response.status_code", grpc_code(code));
    if blames_the_server(code) {
        it.fail(grpc_code(code));
    }
}
