//! From a schedule to its gathering, attendances, reviews and calendar, and from an attendance to its schedule and
//! its order.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, Result};
use moim_kit::Fault;

use super::loaders::AttendanceArgs;
use crate::schema::connection::PageArgs;
use crate::schema::directive::SemanticNonNull;
use crate::schema::gathering::types::Gathering;
use crate::schema::payment::types::Order;
use crate::schema::review::connection::ReviewConnection;
use crate::schema::scalar::Url;
use crate::schema::schedule::connection::AttendanceConnection;
use crate::schema::schedule::types::{Attendance, Schedule};
use crate::schema::schedule::{AttendanceState, SERVICE};
use crate::schema::scope::Scope;
use crate::schema::{gathering, payment, review};

#[ComplexObject]
impl Schedule {
    /// Whose meetup it is.
    #[graphql(directive = SemanticNonNull::apply())]
    async fn gathering(&self, ctx: &Context<'_>) -> Result<Option<Arc<Gathering>>> {
        let scope = Scope::of(ctx)?;
        let gathering = scope.loaders().gathering.load(self.gathering_id).await;
        gathering
            .and_then(|found| found.ok_or_else(|| Fault::internal("a schedule has no gathering")))
            .map(Some)
            .map_err(scope.fail(gathering::SERVICE))
    }

    /// Who goes, waits, or came, in one state at a time; states but GOING and ATTENDED are for the host and managers.
    #[allow(clippy::too_many_arguments, reason = "they are the field's arguments")]
    #[graphql(directive = SemanticNonNull::apply())]
    async fn attendances(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those in this state.", default_with = "AttendanceState::Going")]
        state: AttendanceState,
        #[graphql(desc = "Page size from the start, 1 to 100; this or last.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "Page size from the end, 1 to 100; this or first.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Result<Option<Arc<AttendanceConnection>>> {
        let scope = Scope::of(ctx)?;
        let args = AttendanceArgs { state, page: PageArgs { first, after, last, before } };
        let page = scope.loaders().attendances.load((self.schedule_id, args)).await;
        page.map_err(scope.fail(SERVICE))
    }

    /// What attendees thought of it, newest first.
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
        let page = scope.loaders().reviews_of_schedule.load((self.schedule_id, args)).await;
        page.map_err(scope.fail(review::SERVICE))
    }

    /// Calendar file (ICS) of this schedule, behind a signed link.
    async fn ics_url(&self, ctx: &Context<'_>) -> Result<Url> {
        Ok(Url(format!("{}{}", Scope::of(ctx)?.public_url(), self.ics_path)))
    }
}

#[ComplexObject]
impl Attendance {
    /// Where the member goes or waits.
    async fn schedule(&self, ctx: &Context<'_>) -> Result<Arc<Schedule>> {
        let scope = Scope::of(ctx)?;
        let schedule = scope.loaders().schedule.load(self.schedule_id).await;
        schedule
            .and_then(|found| found.ok_or_else(|| Fault::internal("an attendance has no schedule")))
            .map_err(scope.fail(SERVICE))
    }

    /// The payment; null when there is none, and for everybody but the member.
    async fn order(&self, ctx: &Context<'_>) -> Result<Option<Arc<Order>>> {
        let Some(order_id) = self.order_id else { return Ok(None) };
        let scope = Scope::of(ctx)?;
        let order = scope.loaders().order.load(order_id).await;
        order.map_err(scope.fail(payment::SERVICE))
    }
}
