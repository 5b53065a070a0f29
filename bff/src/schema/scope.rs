//! What one operation carries: who asks, how to reach the rooms, and its loaders.

use std::sync::Arc;

use async_graphql::{Context, Error};
use moim_kit::call::check_key;
use moim_kit::{Call, Fault};
use parking_lot::Mutex;
use tokio::time::Instant;

use super::directive::idempotency_key;
use super::error::coded;
use super::links::Loaders;
use crate::last_known::Stale;
use crate::upstream::Upstream;

/// The scope of one operation; clones share its loaders.
#[derive(Clone)]
pub struct Scope {
    inner: Arc<Inner>,
}

struct Inner {
    call: Call,
    korean: bool,
    public_url: Arc<str>,
    upstream: Upstream,
    stale: Stale,
    /// Made with the first use: what only waits, as a subscription does between events, has none.
    loaders: Mutex<Option<Arc<Loaders>>>,
}

impl Scope {
    /// Starts an operation with empty loaders.
    pub fn new(call: Call, korean: bool, public_url: Arc<str>, upstream: Upstream) -> Self {
        let loaders = Mutex::default();
        let stale = Stale::default();
        Self { inner: Arc::new(Inner { call, korean, public_url, upstream, stale, loaders }) }
    }

    /// A scope of its own for one event of a subscription, which may last for hours: nothing that was
    /// loaded for an earlier event is shown again, and the deadline is its own. What an event is about may not
    /// have come to any replica yet.
    pub fn afresh(&self, deadline: Instant) -> Self {
        let Inner { call, korean, public_url, upstream, .. } = &*self.inner;
        let call = call.afresh(deadline).wanting_all();
        Self::new(call, *korean, public_url.clone(), upstream.clone())
    }

    /// The scope of the operation a field belongs to.
    pub fn of<'a>(ctx: &Context<'a>) -> Result<&'a Self, Error> {
        ctx.data::<Self>()
    }

    /// What travels with every call of this operation.
    pub fn call(&self) -> &Call {
        &self.inner.call
    }

    /// The same under the idempotency key of the mutation being resolved, for which what was loaded before it may
    /// no longer be so.
    pub fn keyed(&self, ctx: &Context<'_>) -> Result<Call, Fault> {
        let key = idempotency_key(ctx);
        check_key(key.as_deref())?;
        // One mutation follows the other (GraphQL, section 6.2.2), so nobody waits for a loader now.
        *self.inner.loaders.lock() = None;
        Ok(self.call().clone().keyed(key.as_deref()))
    }

    /// True when people who asked read Korean.
    pub fn korean(&self) -> bool {
        self.inner.korean
    }

    /// Address of the endpoint as clients know it, without a slash at its end.
    pub fn public_url(&self) -> &Arc<str> {
        &self.inner.public_url
    }

    /// Clients of the rooms.
    pub fn upstream(&self) -> Upstream {
        self.inner.upstream.clone()
    }

    /// Which answers are known from before only.
    pub(crate) fn stale(&self) -> &Stale {
        &self.inner.stale
    }

    /// The loaders behind every link.
    pub fn loaders(&self) -> Arc<Loaders> {
        let Inner { call, upstream, stale, loaders, .. } = &*self.inner;
        let made = || Arc::new(Loaders::new(call, upstream, stale));
        loaders.lock().get_or_insert_with(made).clone()
    }

    /// Turns a service's failure into a coded error.
    pub fn fail(&self, service: &'static str) -> impl FnOnce(Fault) -> Error {
        move |fault| coded(self, service, fault)
    }
}
