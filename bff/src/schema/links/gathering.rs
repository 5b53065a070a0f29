//! From a gathering to its members, schedules, reviews and chat, and from a membership to its gathering.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, Result};
use moim_kit::Fault;

use super::loaders::{MembershipArgs, ScheduleArgs};
use crate::schema::chat::connection::ChatMessageConnection;
use crate::schema::connection::PageArgs;
use crate::schema::directive::SemanticNonNull;
use crate::schema::gathering::connection::MembershipConnection;
use crate::schema::gathering::types::{Gathering, Membership};
use crate::schema::gathering::{MembershipRole, MembershipStatus, SERVICE};
use crate::schema::review::connection::ReviewConnection;
use crate::schema::scalar::DateTime;
use crate::schema::schedule::connection::ScheduleConnection;
use crate::schema::scope::Scope;
use crate::schema::{chat, review, schedule};

#[ComplexObject]
impl Gathering {
    /// The viewer's own membership, in any status; null when there is none.
    async fn viewer_membership(&self, ctx: &Context<'_>) -> Result<Option<Membership>> {
        self.viewer_membership.clone().map_err(Scope::of(ctx)?.fail(SERVICE))
    }

    /// Its members, in one state at a time; those not ACTIVE are for the host and managers.
    #[allow(clippy::too_many_arguments, reason = "they are the field's arguments")]
    #[graphql(directive = SemanticNonNull::apply())]
    async fn members(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those in this state.", default_with = "MembershipStatus::Active")]
        status: MembershipStatus,
        #[graphql(desc = "Only those with this role.")] role: Option<MembershipRole>,
        #[graphql(desc = "Page size from the start, 1 to 100; this or last.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "Page size from the end, 1 to 100; this or first.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Result<Option<Arc<MembershipConnection>>> {
        let scope = Scope::of(ctx)?;
        let args = MembershipArgs { status, role, page: PageArgs { first, after, last, before } };
        let page = scope.loaders().memberships.load((self.gathering_id, args)).await;
        page.map_err(scope.fail(SERVICE))
    }

    /// Its meetups, soonest first.
    #[allow(clippy::too_many_arguments, reason = "they are the field's arguments")]
    #[graphql(directive = SemanticNonNull::apply())]
    async fn schedules(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those that end after this instant.")] from: Option<DateTime>,
        #[graphql(desc = "Only those that start before this instant.")] until: Option<DateTime>,
        #[graphql(desc = "Page size from the start, 1 to 100; this or last.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "Page size from the end, 1 to 100; this or first.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Result<Option<Arc<ScheduleConnection>>> {
        let scope = Scope::of(ctx)?;
        let args = ScheduleArgs {
            from_us: from.map(DateTime::us),
            until_us: until.map(DateTime::us),
            page: PageArgs { first, after, last, before },
        };
        let page = scope.loaders().schedules.load((self.gathering_id, args)).await;
        page.map_err(scope.fail(schedule::SERVICE))
    }

    /// What attendees thought of its schedules, newest first.
    #[graphql(directive = SemanticNonNull::apply())]
    async fn reviews(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Page size from the start, 1 to 100; this or last.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "Page size from the end, 1 to 100; this or first.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Result<Option<Arc<ReviewConnection>>> {
        let scope = Scope::of(ctx)?;
        let args = PageArgs { first, after, last, before };
        let page = scope.loaders().reviews_of_gathering.load((self.gathering_id, args)).await;
        page.map_err(scope.fail(review::SERVICE))
    }

    /// Members only. Oldest first: read the latest page with last, older ones with before.
    async fn messages(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Page size from the start, 1 to 100; this or last.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "Page size from the end, 1 to 100; this or first.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Result<Option<Arc<ChatMessageConnection>>> {
        let scope = Scope::of(ctx)?;
        if scope.call().viewer().is_none() {
            return Ok(None);
        }
        let args = PageArgs { first, after, last, before };
        let page = scope.loaders().chat_messages.load((self.gathering_id, args)).await;
        page.map(Option::flatten).map_err(scope.fail(chat::SERVICE))
    }
}

#[ComplexObject]
impl Membership {
    /// Where it holds.
    async fn gathering(&self, ctx: &Context<'_>) -> Result<Arc<Gathering>> {
        let scope = Scope::of(ctx)?;
        let gathering = scope.loaders().gathering.load(self.gathering_id).await;
        gathering
            .and_then(|found| found.ok_or_else(|| Fault::internal("a membership has no gathering")))
            .map_err(scope.fail(SERVICE))
    }
}
