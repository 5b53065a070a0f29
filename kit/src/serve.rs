//! The callee's side of a call: verifies the token, keeps the deadline, waits for what the caller has
//! seen, contains panics, keeps answers short enough for the wire, and hands the handler a [`Call`]. Answers of
//! calls that may have written tell how far the room's database is.

mod trim;

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use async_trait::async_trait;
use http::{Request, Response};
use tokio::time::{Instant, timeout_at};
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic::{Code, Status};
use tower::Service;
use tracing::Instrument as _;

use crate::bus::Log;
use crate::call::{Call, check_key, out_of_time, tell_position};
use crate::fault::Fault;
use crate::metrics::{self, calls};
use crate::seen::{Mark, Position};
use crate::task::{Ended, scoped};
use crate::token::Verifier;
use crate::trace::{self, InTrace as _};
use crate::wire::{self, Answer, BoxFuture, Class, Wire};

/// With less than this left no answer arrives in time, so that the work would be for nobody.
const FLOOR: Duration = Duration::from_millis(5);

/// Waits until a room's copies are as far as a client has seen.
#[async_trait]
pub trait Gate: Send + Sync {
    /// Returns once every mark that this room copies has arrived; bounded by the implementation.
    async fn arrived(&self, marks: &[Mark]) -> Result<(), Fault>;

    /// How far the room's database is by now; nothing where it is read only where it is written.
    async fn position(&self) -> Option<Position> {
        None
    }
}

/// The gate of a room that copies nothing.
#[derive(Clone, Copy, Debug)]
pub struct OpenGate;

#[async_trait]
impl Gate for OpenGate {
    async fn arrived(&self, _: &[Mark]) -> Result<(), Fault> {
        Ok(())
    }
}

/// A room that stands: how to call it, here or from elsewhere, and what it tells.
#[derive(Clone)]
pub struct Room {
    /// Its noun.
    pub name: &'static str,
    /// Its server without a socket.
    pub wire: Wire,
    /// Its server, to be put behind a socket.
    pub routes: Routes,
    /// What it has told.
    pub log: Arc<dyn Log>,
}

impl Room {
    /// Stands a guarded server up.
    pub fn new<S>(name: &'static str, server: Guarded<S>, log: Arc<dyn Log>) -> Self
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        Self { name, wire: wire::local(server.clone()), routes: Routes::new(server), log }
    }
}

/// A gRPC server that lets nothing through unchecked; the same next door and over the network.
#[derive(Clone)]
pub struct Guarded<S> {
    inner: S,
    verifier: Arc<Verifier>,
    gate: Arc<dyn Gate>,
}

impl<S> Guarded<S> {
    /// Puts the checks in front of a generated server.
    pub fn new(inner: S, verifier: Arc<Verifier>, gate: Arc<dyn Gate>) -> Self {
        Self { inner, verifier, gate }
    }
}

impl<S: NamedService> NamedService for Guarded<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<Request<Body>> for Guarded<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Answer>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let this = self.clone();
        let call = Call::from_headers(request.headers());
        let class = Class::of(request.uri().path());
        let call = if class == Class::Read { call.only_reading() } else { call };
        let path = request.uri().path().to_owned();
        let mut told = trace::rpc::call(call.trace(), trace::Kind::Server, &path);
        let call = call.in_trace(told.trace());
        let span = tracing::info_span!("rpc", path, trace_id = call.trace().trace_id());
        let deadline = call.deadline();
        if deadline < Instant::now() + FLOOR {
            let late = out_of_time().into_http();
            told.record(|it| trace::rpc::served(it, late.headers()));
            return Box::pin(async { Ok(late) });
        }
        // How long a stream lasts is its reader's choice.
        let measured = metrics::catalogue().filter(|_| class != Class::Stream);
        let began = metrics::now();
        let within = told.trace();
        let work = this.handle(call, request, class).within(within).instrument(span.clone());
        Box::pin(
            async move {
                // A task of its own: a panic stays here, and calls of one request run side by side. It ends with this
                // future, which is dropped once the caller has gone.
                let answer = match timeout_at(deadline, scoped(work)).await {
                    Ok(Ok(answer)) => answer,
                    Ok(Err(Ended::Cancelled)) => Status::unavailable("stopping").into_http(),
                    Ok(Err(panicked)) => {
                        let _entered = span.enter();
                        Status::from(Fault::internal(panicked)).into_http()
                    }
                    Err(_) => out_of_time().into_http(),
                };
                let answer = trim::trimmed(answer);
                told.record(|it| trace::rpc::served(it, answer.headers()));
                if let (Some(catalogue), Some(began)) = (measured, began) {
                    calls::answered(catalogue, &path, began.elapsed(), code(&answer));
                }
                Ok(answer)
            }
            .within(within),
        )
    }
}

impl<S> Guarded<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    async fn handle(
        self,
        mut call: Call,
        mut request: Request<Body>,
        class: Class,
    ) -> Response<Body> {
        let Self { mut inner, verifier, gate } = self;
        if let Err(fault) = admit(&verifier, &*gate, &mut call).await {
            return Status::from(fault).into_http();
        }
        request.extensions_mut().insert(call);
        let mut response = match inner.call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        // Whatever it says: a refusal rests on what was there, and a repetition on what was written the first time.
        if class == Class::Write
            && let Some(position) = gate.position().await
        {
            tell_position(response.headers_mut(), position);
        }
        response
    }
}

/// An answer that says nothing before its body has begun well.
fn code(answer: &Response<Body>) -> Code {
    let told = answer.headers().get(Status::GRPC_STATUS);
    told.map_or(Code::Ok, |code| Code::from_bytes(code.as_bytes()))
}

async fn admit(verifier: &Verifier, gate: &dyn Gate, call: &mut Call) -> Result<(), Fault> {
    if let Some(token) = call.token() {
        call.set_caller(Some(verifier.verify(&token).await?));
    }
    check_key(call.idempotency_key())?;
    if call.seen().is_empty() { Ok(()) } else { gate.arrived(call.seen().marks()).await }
}
