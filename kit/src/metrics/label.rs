//! The labels that instruments may carry, each with the closed set its values come from.

use tonic::Code;

/// A key, and what may stand behind it.
#[derive(Clone, Copy, Debug)]
pub struct Label {
    /// As OpenTelemetry spells it; Prometheus has `_` for `.`.
    pub key: &'static str,
    /// What it may be.
    pub values: Values,
}

/// A set that no request adds to.
#[derive(Clone, Copy, Debug)]
pub enum Values {
    /// These words.
    These(&'static [&'static str]),
    /// What the house has of something, in words.
    Of(&'static str),
}

impl Label {
    /// As Prometheus spells the key.
    pub fn prometheus(&self) -> String {
        self.key.replace('.', "_")
    }
}

/// For a value that is none of the set.
pub const OTHER: &str = "_OTHER";

const fn these(key: &'static str, values: &'static [&'static str]) -> Label {
    Label { key, values: Values::These(values) }
}

const fn of(key: &'static str, what: &'static str) -> Label {
    Label { key, values: Values::Of(what) }
}

pub(super) const ROOM: Label = of("room", "rooms");
pub(super) const SOURCE: Label = of("source", "rooms");
pub(super) const CLASS: Label = these("class", &["read", "write"]);
pub(super) const DEATH: Label = these("code", &DEATHS);
pub(super) const WHY: Label =
    these("why", &["caller", "calls", "calls_of_one", "connections", "handshake"]);

pub(super) const PASSED_OVER: Label =
    these("why", &["starting", "down", "promoted", "diverged", "behind", "unseen", "failed"]);

pub(super) const HTTP_METHOD: Label = these("http.request.method", &HTTP_METHODS);
pub(super) const SCHEME: Label = these("url.scheme", &["http"]);
pub(super) const ROUTE: Label = of("http.route", "routes of the endpoint");
pub(super) const HTTP_STATUS: Label = of("http.response.status_code", "statuses");
pub(super) const HTTP_ERROR: Label = of("error.type", "statuses from 500 on");

pub(super) const OPERATION: Label =
    these("graphql.operation.type", &["query", "mutation", "subscription"]);
pub(super) const OPERATION_NAME: Label =
    of("graphql.operation.name", "operations of listed documents");
pub(super) const OUTCOME: Label = these("outcome", &["ok", "partial", "failed", "refused", "late"]);
pub(super) const EDGE_CODE: Label = of("code", "codes of the request (codes.md)");

pub(super) const RPC_SYSTEM: Label = these("rpc.system.name", &["grpc"]);
pub(super) const RPC_METHOD: Label = of("rpc.method", "methods of the contracts, or `_OTHER`");
pub(super) const RPC_STATUS: Label = these("rpc.response.status_code", &GRPC_CODES);
pub(super) const RPC_ERROR: Label = these("error.type", GRPC_CODES.split_at(1).1);

pub(super) const DB_SYSTEM: Label = these("db.system.name", &["postgresql", "sqlite"]);
pub(super) const DB_OPERATION: Label = these("db.operation.name", &DB_OPERATIONS);
pub(super) const DB_ERROR: Label =
    these("error.type", &["CONFLICT", "UNAVAILABLE", "CONSTRAINT", OTHER]);
pub(super) const POOL: Label = of("db.client.connection.pool.name", "rooms");
pub(super) const CONNECTION_STATE: Label = these("db.client.connection.state", &["idle", "used"]);

pub(super) const MESSAGING_SYSTEM: Label = these("messaging.system", &["nats", "outbox"]);
pub(super) const MESSAGING_OPERATION: Label =
    these("messaging.operation.name", &["publish", "process"]);
pub(super) const MESSAGING_ERROR: Label = these("error.type", &[OTHER]);

pub(super) const CACHE: Label = these("cache", &["near", "last_known"]);
pub(super) const FOUND: Label = these("found", &["hit", "miss"]);
pub(super) const SEAT_MOVE: Label = these(
    "move",
    &["claimed", "held", "waitlisted", "sold_out", "granted", "expired", "promoted", "given_up"],
);
pub(super) const ORDER_END: Label = these("state", &["CONFIRMED", "RELEASED", "REFUNDED"]);

/// Why facts are put aside.
pub const DEATHS: [&str; 5] =
    ["FACT_FAILED", "FACT_ANCIENT", "FACT_UNDECODABLE", "FACT_FOREIGN", OTHER];

/// Methods that HTTP knows by name.
pub const HTTP_METHODS: [&str; 10] =
    ["GET", "POST", "OPTIONS", "HEAD", "PUT", "DELETE", "PATCH", "CONNECT", "TRACE", OTHER];

/// First words of statements.
pub const DB_OPERATIONS: [&str; 8] =
    ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "BEGIN", "COMMIT", OTHER];

/// How calls end, in the order of their numbers.
pub const GRPC_CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// Name of a code.
pub fn grpc_code(code: Code) -> &'static str {
    GRPC_CODES.get(code as usize).copied().unwrap_or("UNKNOWN")
}

/// Whether an answer is an error of whoever gave it, by the semantic conventions of gRPC.
pub const fn blames_the_server(code: Code) -> bool {
    matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    )
}

/// The word of a set that is this one, or [`OTHER`]; what comes from outside is never a value itself.
pub fn one_of(set: &'static [&'static str], word: &str) -> &'static str {
    set.iter().find(|it| **it == word).copied().unwrap_or(OTHER)
}
