//! Durations of calls between rooms, by the methods of the contracts and by nothing that a caller can make up.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::Histogram;
use tonic::Code;

use super::label::{OTHER, blames_the_server, grpc_code};
use super::{Catalogue, catalogue};

static METHODS: OnceLock<HashMap<&'static str, Method>> = OnceLock::new();

/// Labels of a method, made once.
#[derive(Debug)]
struct Method {
    room: &'static str,
    /// Of a call that ended well.
    well: [KeyValue; 4],
}

impl Method {
    fn new(name: &'static str, room: &'static str) -> Self {
        let well = [
            KeyValue::new("rpc.system.name", "grpc"),
            KeyValue::new("rpc.method", name),
            KeyValue::new("room", room),
            KeyValue::new("rpc.response.status_code", grpc_code(Code::Ok)),
        ];
        Self { room, well }
    }

    fn of(path: &str) -> &'static Self {
        static UNKNOWN: OnceLock<Method> = OnceLock::new();
        let known = METHODS.get().and_then(|methods| methods.get(path));
        known.unwrap_or_else(|| UNKNOWN.get_or_init(|| Self::new(OTHER, OTHER)))
    }
}

/// Tells which methods there are, as `/package.Service/Method`; all others are told as one.
pub fn know(paths: &'static [&'static str]) {
    METHODS.get_or_init(|| {
        let known = paths.iter().map(|path| {
            let name = path.trim_start_matches('/');
            // Packages are called `moim.<room>.v1`.
            let room = name.split('.').nth(1).unwrap_or(OTHER);
            (*path, Method::new(name, room))
        });
        known.collect()
    });
}

/// The room that a path leads to, as far as its contract tells.
pub fn room_of(path: &str) -> &'static str {
    Method::of(path).room
}

/// A room was asked, and this became of it.
pub(crate) fn asked(path: &str, took: Duration, code: Code) {
    if let Some(catalogue) = catalogue() {
        record(&catalogue.rpc_client, path, took, code, code != Code::Ok);
    }
}

/// A room was asked here, and this became of it; what people cannot do is no error of the room.
pub(crate) fn answered(catalogue: &Catalogue, path: &str, took: Duration, code: Code) {
    record(&catalogue.rpc_server, path, took, code, blames_the_server(code));
}

fn record(of: &Histogram<f64>, path: &str, took: Duration, code: Code, failed: bool) {
    let (method, took) = (Method::of(path), took.as_secs_f64());
    if code == Code::Ok {
        return of.record(took, &method.well);
    }
    let word = grpc_code(code);
    let [system, name, room, _] = method.well.clone();
    let status = KeyValue::new("rpc.response.status_code", word);
    if failed {
        of.record(took, &[system, name, room, status, KeyValue::new("error.type", word)]);
    } else {
        of.record(took, &[system, name, room, status]);
    }
}
