//! One operation from its parameters to its reply, the same over HTTP and WebSocket.

use std::any::Any;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use async_graphql::{Executor, Request};
use futures::future::FutureExt;
use futures::stream::{BoxStream, StreamExt};
use http::HeaderMap;
use moim_kit::metrics::{self, Held};
use moim_kit::task::Tasks;
use moim_kit::trace::{InTrace as _, Kind, Span};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use super::Settings;
use super::answer::Reply;
use super::edge::{Admitted, Arrival, Asked, Edge, Outcome, Via};
use super::measured::Measured;
use super::params::Params;
use super::pass::Pass;
use super::places::Places;
use super::spans;
use super::types::Types;
use crate::guard::{EdgeCode, Guard, Inspected, Rejection};
use crate::loader::rounds;

/// Everything the endpoint's handlers share.
pub(super) struct Engine<X, E> {
    pub executor: X,
    pub edge: E,
    pub guard: Guard,
    pub types: Arc<Types>,
    pub settings: Settings,
    /// Requests that may run at once.
    pub running: Arc<Semaphore>,
    /// Sockets and streams that may be open at once.
    pub places: Places,
    pub tasks: Tasks,
}

/// Whoever sent a request.
#[derive(Clone, Copy)]
pub(super) struct Sender<'a> {
    pub headers: &'a HeaderMap,
    pub address: Option<IpAddr>,
    pub via: Via,
}

impl<'a> Sender<'a> {
    /// As the edge is told of it.
    pub(super) fn arrival(self, operation: Option<&'a Asked>) -> Arrival<'a> {
        Arrival { headers: self.headers, address: self.address, via: self.via, operation }
    }
}

/// An operation that may run now.
struct Ready {
    request: Request,
    admitted: Admitted,
    deadline: Instant,
}

impl<X: Executor, E: Edge> Engine<X, E> {
    /// What the guard thinks of an operation.
    pub(super) fn inspect(&self, params: &Params) -> Result<Inspected, Rejection> {
        spans::guarded(|| {
            let name = params.operation_name.as_deref();
            let document = self.settings.documents.find(&params.wanted)?;
            let mut inspected = self.guard.inspect(&document, name, &params.variables)?;
            inspected.listed = document.is_listed();
            self.settings.documents.keep(&document);
            Ok(inspected)
        })
    }

    /// Answers a query or mutation.
    pub(super) async fn answer(
        &self,
        params: Params,
        inspected: &Inspected,
        sender: Sender<'_>,
    ) -> Reply {
        let mut span = spans::operation(inspected, sender);
        let reply = self.execute(params, inspected, sender).within(span.trace()).await;
        spans::answered(&mut span, &reply);
        reply
    }

    async fn execute(&self, params: Params, inspected: &Inspected, sender: Sender<'_>) -> Reply {
        let read_at = params.read_at;
        let Ready { request, mut admitted, deadline } =
            match self.ready(params, inspected, sender).await {
                Ok(ready) => ready,
                Err(mut reply) => {
                    reply.measured = Measured::of(read_at, inspected, &reply, None);
                    return reply;
                }
            };
        let execution = AssertUnwindSafe(rounds(self.executor.execute(request))).catch_unwind();
        let mut reply = match timeout_at(deadline, execution).await {
            Ok(Ok(response)) => Reply::of(response, inspected, &self.types),
            Ok(Err(panic)) => defect(&*panic),
            Err(_) => Reply::from(Rejection::new(
                EdgeCode::DeadlineExceeded,
                "The operation took too long; what it did by then may stay done.",
            )),
        };
        if let Some(trace_id) = &admitted.trace_id {
            reply.trace(trace_id);
        }
        let mut waited = Duration::ZERO;
        if let Some(finish) = admitted.take_finish() {
            let mut outcome = Outcome {
                via: sender.via,
                failed: !reply.errors.is_empty(),
                headers: std::mem::take(&mut reply.headers),
                extensions: std::mem::take(&mut reply.extensions),
                waited: Duration::ZERO,
            };
            finish(&mut outcome);
            waited = outcome.waited;
            reply.headers = outcome.headers;
            reply.extensions = outcome.extensions;
        }
        reply.measured = Measured::of(read_at, inspected, &reply, Some(waited));
        reply
    }

    /// Follows a subscription, for as long as its pass is good; else why it was not let in.
    pub(super) async fn follow(
        &self,
        params: Params,
        inspected: &Inspected,
        sender: Sender<'_>,
    ) -> Result<(Pass, BoxStream<'static, Reply>), Reply> {
        let mut span = spans::operation(inspected, sender);
        let ready = self.ready(params, inspected, sender).within(span.trace()).await;
        let Ready { request, admitted, .. } =
            ready.inspect_err(|reply| spans::answered(&mut span, reply))?;
        let pass = admitted.pass();
        let stream = self.executor.execute_stream(request, None);
        let (inspected, types) = (inspected.clone(), Arc::clone(&self.types));
        let open = metrics::catalogue().map(|catalogue| Held::new(&catalogue.subscriptions, []));
        let replies = AssertUnwindSafe(rounds(stream).within(span.trace()))
            .catch_unwind()
            .map(move |event| {
                // Told once nobody follows any more.
                let _lasting = (&span, &open);
                let mut reply = match event {
                    Ok(response) => Reply::of(response, &inspected, &types),
                    Err(panic) => defect(&*panic),
                };
                if let Some(trace_id) = &admitted.trace_id {
                    reply.trace(trace_id);
                }
                reply
            })
            .boxed();
        Ok((pass, replies))
    }

    async fn ready(
        &self,
        params: Params,
        inspected: &Inspected,
        sender: Sender<'_>,
    ) -> Result<Ready, Reply> {
        let limit = match inspected.kind {
            OperationType::Mutation => self.settings.mutation_deadline,
            _ => self.settings.query_deadline,
        };
        let deadline = Instant::now() + limit;
        let asked = Asked {
            kind: inspected.kind,
            name: params.operation_name.clone(),
            cost: inspected.cost,
            attempts: inspected.attempts,
            deadline: (inspected.kind != OperationType::Subscription).then_some(deadline),
        };
        let gate = Span::here(Kind::Internal, "gate");
        let verdict = timeout_at(deadline, self.edge.admit(sender.arrival(Some(&asked)))).await;
        drop(gate);
        let mut admitted = match verdict {
            Ok(verdict) => verdict?,
            Err(_) => {
                return Err(Rejection::new(
                    EdgeCode::Unavailable,
                    "Who is asking cannot be told right now.",
                )
                .into());
            }
        };
        // Of the document the library is given what was parsed, and never asks for the text.
        let mut request = Request::new("").variables(params.variables);
        request.operation_name = params.operation_name;
        request.extensions = params.extensions;
        request.data = std::mem::take(&mut admitted.data);
        request.set_parsed_query(inspected.parsed());
        if !self.guard.limits().introspection {
            request = request.disable_introspection();
        }
        Ok(Ready { request, admitted, deadline })
    }
}

fn defect(panic: &(dyn Any + Send)) -> Reply {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(panic = text.unwrap_or("no message"), "an operation panicked");
    Rejection::new(EdgeCode::Internal, "Something went wrong.").into()
}

/// How long an operation of a kind may take.
pub(super) const QUERY_DEADLINE: Duration = Duration::from_secs(5);
/// Mutations wait for other rooms, so they get twice that.
pub(super) const MUTATION_DEADLINE: Duration = Duration::from_secs(10);
