//! Every instrument there is, declared once: what measures, what a test lists and what `docs/metrics.md` tells.

use opentelemetry::metrics::{Counter, Gauge, Histogram, Meter, UpDownCounter};

use super::instrument::{Instrument, Made};
use super::label::{
    CACHE, CLASS, CONNECTION_STATE, DB_ERROR, DB_OPERATION, DB_SYSTEM, DEATH, EDGE_CODE, FOUND,
    HTTP_ERROR, HTTP_METHOD, HTTP_STATUS, MESSAGING_ERROR, MESSAGING_OPERATION, MESSAGING_SYSTEM,
    OPERATION, OPERATION_NAME, ORDER_END, OUTCOME, PASSED_OVER, POOL, ROOM, ROUTE, RPC_ERROR,
    RPC_METHOD, RPC_STATUS, RPC_SYSTEM, SCHEME, SEAT_MOVE, SOURCE, WHY,
};
use super::watched::Watched;

/// Of requests and calls, in seconds, as the conventions advise.
const CALLS: &[f64] =
    &[0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
/// Of statements, the same.
const STATEMENTS: &[f64] = &[0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0];
/// Of the endpoint's own work, which is short.
const OWN_WORK: &[f64] =
    &[0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0];
/// Of keys in a batch, of which there are at most 200.
const KEYS: &[f64] = &[1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0];

macro_rules! catalogue {
    ($($(#[doc = $doc:literal])+ $field:ident: $made:ty = $name:literal in $unit:literal,
        [$($label:ident),*] $(by $buckets:ident)?;)*) => {
        /// Everything that is measured; one for all rooms of a process, told apart by the label `room`.
        #[derive(Debug)]
        pub struct Catalogue { $($(#[doc = $doc])+ pub $field: $made,)* }

        /// Everything that is measured, as data, in the order of the page that tells of it.
        pub static INSTRUMENTS: &[&Instrument] = &[$(&declared::$field,)*];

        #[allow(non_upper_case_globals, reason = "each goes by the name of its field")]
        mod declared {
            use super::*;

            $(pub(super) static $field: Instrument = Instrument {
                name: $name,
                kind: <$made as Made>::KIND,
                unit: $unit,
                about: concat!($($doc),+).trim_ascii(),
                labels: &[$($label),*],
                buckets: catalogue!(@ $($buckets)?),
            };)*
        }

        impl Catalogue {
            pub(super) fn new(meter: &Meter) -> Self {
                Self { $($field: <$made>::made(meter, &declared::$field),)* }
            }
        }
    };
    (@) => { &[] };
    (@ $buckets:ident) => { $buckets };
}

catalogue! {
    /// Requests to the endpoint, to the head of the answer.
    http_requests: Histogram<f64> = "http.server.request.duration" in "s",
        [HTTP_METHOD, SCHEME, ROUTE, HTTP_STATUS, HTTP_ERROR] by CALLS;
    /// Requests to the endpoint that are being answered.
    http_active: UpDownCounter<i64> = "http.server.active_requests" in "{request}",
        [HTTP_METHOD, SCHEME];
    /// Queries and mutations, from when they were read to when their answer was written.
    operations: Histogram<f64> = "graphql.operation.duration" in "s",
        [OPERATION, OPERATION_NAME, OUTCOME] by CALLS;
    /// Of a query or mutation the time in which no call to a room was in flight.
    overhead: Histogram<f64> = "moim.overhead" in "s", [OPERATION] by OWN_WORK;
    /// Requests that the edge did not answer or gave up, by the code they were told.
    requests_refused: Counter<u64> = "moim.requests.refused" in "{request}", [EDGE_CODE];
    /// Keys of one call of a loader.
    batch_size: Histogram<f64> = "moim.loader.batch_size" in "{key}", [] by KEYS;
    /// Keys that were looked for among held values (near) and among what rooms answered last.
    cache_reads: Counter<u64> = "moim.cache.reads" in "{key}", [CACHE, FOUND];
    /// Answers that show a room's things as they were, since it is silent.
    answers_stale: Counter<u64> = "moim.answers.stale" in "{answer}", [ROOM];
    /// Sockets and event streams that clients hold open.
    sockets: Watched = "moim.sockets.open" in "{socket}", [];
    /// Subscriptions under way.
    subscriptions: UpDownCounter<i64> = "moim.subscriptions.open" in "{subscription}", [];
    /// Topics of a room that somebody follows through this endpoint.
    live_topics: Watched = "moim.live.topics" in "{topic}", [ROOM];
    /// Readers of those topics.
    live_viewers: Watched = "moim.live.viewers" in "{viewer}", [ROOM];

    /// Attempts of calls to rooms on behalf of people; a stream is none.
    rpc_client: Histogram<f64> = "rpc.client.call.duration" in "s",
        [RPC_SYSTEM, RPC_METHOD, RPC_STATUS, RPC_ERROR, ROOM] by CALLS;
    /// Calls to rooms as the room sees them; a stream is none.
    rpc_server: Histogram<f64> = "rpc.server.call.duration" in "s",
        [RPC_SYSTEM, RPC_METHOD, RPC_STATUS, RPC_ERROR, ROOM] by CALLS;
    /// What the breaker before a room does: 0 closed, 1 half-open, 2 open.
    breaker: Gauge<u64> = "moim.breaker.state" in "", [ROOM, CLASS];
    /// Calls not made because the breaker is not closed.
    calls_refused: Counter<u64> = "moim.calls.refused" in "{call}", [ROOM, CLASS];
    /// Calls not made because too many were in flight.
    calls_shed: Counter<u64> = "moim.calls.shed" in "{call}", [ROOM, CLASS];
    /// Calls made again.
    calls_repeated: Counter<u64> = "moim.calls.repeated" in "{call}", [ROOM, CLASS];
    /// Calls that shared the answer to another.
    calls_shared: Counter<u64> = "moim.calls.shared" in "{call}", [ROOM, CLASS];
    /// Calls to a room that may still be made again.
    retry_budget: Watched = "moim.retry.budget" in "{call}", [ROOM];
    /// Places for calls to a room at once, as many as it has shown to bear.
    places: Watched = "moim.bulkhead.places" in "{call}", [ROOM, CLASS];
    /// Places that are taken.
    in_flight: Watched = "moim.bulkhead.in_flight" in "{call}", [ROOM, CLASS];
    /// Times that a process of a room was put aside by its callers.
    ejected: Counter<u64> = "moim.addresses.ejected" in "{address}", [ROOM];
    /// Connections and calls turned away at a room's socket, by what was too much.
    turned_away: Counter<u64> = "moim.turned_away" in "{call}", [ROOM, WHY];
    /// Connections between rooms refused for what was shown.
    certificates_refused: Counter<u64> = "moim.certificates.refused" in "{connection}", [];
    /// Seconds until the certificate shown to other rooms ends.
    certificate_left: Gauge<u64> = "moim.certificate.left_s" in "", [];

    /// Statements of rooms, with the wait for a connection where they stand alone.
    statements: Histogram<f64> = "db.client.operation.duration" in "s",
        [DB_SYSTEM, DB_OPERATION, DB_ERROR, ROOM] by STATEMENTS;
    /// Calls answered from a replica of the room's database.
    replica_reads: Counter<u64> = "moim.replica.reads" in "{call}", [ROOM];
    /// Calls that a replica could have answered and the primary did, by why.
    primary_reads: Counter<u64> = "moim.primary.reads" in "{call}", [ROOM, PASSED_OVER];
    /// Connections of a room to its database.
    connections: Watched = "db.client.connection.count" in "{connection}",
        [POOL, CONNECTION_STATE];
    /// Most connections that a room may have.
    connections_most: Watched = "db.client.connection.max" in "{connection}", [POOL];
    /// Whether Redis answers this process: 1 or 0; nothing where none is configured.
    shared_up: Gauge<u64> = "moim.redis.up" in "", [];
    /// Calls that went on without Redis.
    shared_lost: Counter<u64> = "moim.redis.lost" in "{call}", [];

    /// Batches of facts told to the broker, until it has acknowledged them.
    published: Histogram<f64> = "messaging.client.operation.duration" in "s",
        [MESSAGING_SYSTEM, MESSAGING_OPERATION, MESSAGING_ERROR, ROOM] by CALLS;
    /// Batches of facts taken in from another room, until they are committed.
    processed: Histogram<f64> = "messaging.process.duration" in "s",
        [MESSAGING_SYSTEM, MESSAGING_OPERATION, MESSAGING_ERROR, ROOM, SOURCE] by CALLS;
    /// Facts given a position in their room's log.
    told: Counter<u64> = "moim.facts.told" in "{fact}", [ROOM];
    /// Facts that the broker acknowledged.
    carried: Counter<u64> = "moim.facts.carried" in "{fact}", [ROOM];
    /// Facts taken in from another room, repetitions too.
    taken: Counter<u64> = "moim.facts.taken" in "{fact}", [ROOM, SOURCE];
    /// Facts put aside because they always failed, and messages that are none.
    buried: Counter<u64> = "moim.facts.buried" in "{fact}", [ROOM, SOURCE];
    /// Facts that wait for a position.
    unpublished: Gauge<u64> = "moim.outbox.unpublished" in "{fact}", [ROOM];
    /// Facts with a position that wait for the broker.
    uncarried: Gauge<u64> = "moim.outbox.uncarried" in "{fact}", [ROOM];
    /// Facts of another room that were not taken in yet.
    lag: Gauge<u64> = "moim.consumer.lag" in "{fact}", [ROOM, SOURCE];
    /// Dead letters there are.
    dead_letters: Gauge<u64> = "moim.dead_letters" in "{fact}", [ROOM, SOURCE, DEATH];
    /// Events that wait for a state or behind a dead letter.
    parked: Gauge<u64> = "moim.events.parked" in "{fact}", [ROOM, SOURCE];
    /// Copies found behind their owner.
    drift_found: Counter<u64> = "moim.drift.found" in "{copy}", [ROOM, SOURCE];
    /// Copies brought up to their owner.
    drift_mended: Counter<u64> = "moim.drift.mended" in "{copy}", [ROOM, SOURCE];

    /// Seats, by what became of them; counted with the commit.
    seats: Counter<u64> = "moim.seats" in "{seat}", [SEAT_MOVE];
    /// Orders that came to their end, by which.
    orders_ended: Counter<u64> = "moim.orders.ended" in "{order}", [ORDER_END];
    /// Accounts of a ledger that are not as their entries say.
    ledger_breaches: Gauge<u64> = "moim.ledger.breaches" in "{account}", [ROOM];
}
