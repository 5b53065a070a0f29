//! From a member to what only the member service knows, and from the viewer to what is theirs.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, Result};
use moim_kit::Fault;
use moim_proto::gathering::v1::ListViewerMembershipsRequest;
use moim_proto::notification::v1::{CountUnreadRequest, ListRequest};
use moim_proto::payment::v1::GetWalletRequest;
use moim_proto::schedule::v1::ListViewerAttendancesRequest;

use crate::schema::connection::PageArgs;
use crate::schema::directive::SemanticNonNull;
use crate::schema::gathering::MembershipStatus;
use crate::schema::gathering::connection::MembershipConnection;
use crate::schema::member::SERVICE;
use crate::schema::member::types::{Member, Profile, Viewer};
use crate::schema::notification::connection::NotificationConnection;
use crate::schema::payment::types::Wallet;
use crate::schema::scalar::DateTime;
use crate::schema::schedule::connection::AttendanceConnection;
use crate::schema::scope::Scope;
use crate::schema::{gathering, notification, payment, schedule};

#[ComplexObject]
impl Member {
    /// What the member says about themself; null when nothing.
    async fn bio(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(self.profile(ctx).await?.bio.clone())
    }

    /// When the account was opened.
    #[graphql(directive = SemanticNonNull::apply())]
    async fn joined_at(&self, ctx: &Context<'_>) -> Result<Option<DateTime>> {
        Ok(Some(self.profile(ctx).await?.joined_at))
    }

    /// True when the viewer hides this member.
    #[graphql(directive = SemanticNonNull::apply())]
    async fn viewer_has_blocked(&self, ctx: &Context<'_>) -> Result<Option<bool>> {
        let known = self.profile(ctx).await?.viewer_has_blocked.clone();
        known.map(Some).map_err(Scope::of(ctx)?.fail(SERVICE))
    }
}

impl Member {
    async fn profile(&self, ctx: &Context<'_>) -> Result<Arc<Profile>> {
        if let Some(profile) = &self.profile {
            return Ok(profile.clone());
        }
        let scope = Scope::of(ctx)?;
        let member = scope.loaders().member.load(self.member_id).await;
        member
            .and_then(|member| {
                member
                    .and_then(|member| member.profile.clone())
                    .ok_or_else(|| Fault::internal("a card has no member"))
            })
            .map_err(scope.fail(SERVICE))
    }
}

#[ComplexObject]
impl Viewer {
    /// Gatherings the viewer belongs to or asked to join, newest change first.
    #[allow(clippy::too_many_arguments, reason = "they are the field's arguments")]
    #[graphql(directive = SemanticNonNull::apply())]
    async fn memberships(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those in this state.")] status: Option<MembershipStatus>,
        #[graphql(desc = "Page size from the start, 1 to 100; this or last.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "Page size from the end, 1 to 100; this or first.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Result<Option<MembershipConnection>> {
        let scope = Scope::of(ctx)?;
        let request = scope.call().request(ListViewerMembershipsRequest {
            status: status.map(MembershipStatus::into_proto),
            page: Some(PageArgs { first, after, last, before }.into()),
        });
        let answer = scope.upstream().gathering.list_viewer_memberships(request).await;
        let page = answer.map_err(Fault::from).and_then(|answer| {
            let answer = answer.into_inner();
            MembershipConnection::try_new(answer.memberships, answer.page)
        });
        page.map(Some).map_err(scope.fail(gathering::SERVICE))
    }

    /// Schedules the viewer goes or waits for, soonest first.
    #[allow(clippy::too_many_arguments, reason = "they are the field's arguments")]
    #[graphql(directive = SemanticNonNull::apply())]
    async fn attendances(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only schedules that end after this instant.")] from: Option<DateTime>,
        #[graphql(desc = "Only schedules that start before this instant.")] until: Option<DateTime>,
        #[graphql(desc = "Page size from the start, 1 to 100; this or last.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "Page size from the end, 1 to 100; this or first.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Result<Option<AttendanceConnection>> {
        let scope = Scope::of(ctx)?;
        let request = scope.call().request(ListViewerAttendancesRequest {
            from_us: from.map(DateTime::us),
            until_us: until.map(DateTime::us),
            page: Some(PageArgs { first, after, last, before }.into()),
        });
        let answer = scope.upstream().schedule.list_viewer_attendances(request).await;
        let page = answer.map_err(Fault::from).and_then(|answer| {
            let answer = answer.into_inner();
            AttendanceConnection::try_new(answer.attendances, answer.page)
        });
        page.map(Some).map_err(scope.fail(schedule::SERVICE))
    }

    /// Newest first; follow new ones with notificationAdded(after: startCursor).
    #[allow(clippy::too_many_arguments, reason = "they are the field's arguments")]
    #[graphql(directive = SemanticNonNull::apply())]
    async fn notifications(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those not read yet.", default = false)] unread_only: bool,
        #[graphql(desc = "Page size from the start, 1 to 100; this or last.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "Page size from the end, 1 to 100; this or first.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Result<Option<NotificationConnection>> {
        let scope = Scope::of(ctx)?;
        let page = Some(PageArgs { first, after, last, before }.into());
        let request = scope.call().request(ListRequest { unread_only, page });
        let answer = scope.upstream().notification.list(request).await;
        let page = answer.map_err(Fault::from).and_then(|answer| {
            let answer = answer.into_inner();
            NotificationConnection::try_new(answer.notifications, answer.page)
        });
        page.map(Some).map_err(scope.fail(notification::SERVICE))
    }

    /// How many notifications are not read yet.
    #[graphql(directive = SemanticNonNull::apply())]
    async fn unread_notification_count(&self, ctx: &Context<'_>) -> Result<Option<i32>> {
        let scope = Scope::of(ctx)?;
        let request = scope.call().request(CountUnreadRequest {});
        let answer = scope.upstream().notification.count_unread(request).await;
        let count = answer.map(|answer| Some(answer.into_inner().count)).map_err(Fault::from);
        count.map_err(scope.fail(notification::SERVICE))
    }

    /// Money the viewer pays seats with.
    #[graphql(directive = SemanticNonNull::apply())]
    async fn wallet(&self, ctx: &Context<'_>) -> Result<Option<Wallet>> {
        if self.wallet.is_some() {
            return Ok(self.wallet);
        }
        let scope = Scope::of(ctx)?;
        let request = scope.call().request(GetWalletRequest {});
        let answer = scope.upstream().payment.get_wallet(request).await;
        let wallet = answer.map_err(Fault::from).and_then(|it| it.into_inner().wallet.try_into());
        wallet.map(Some).map_err(scope.fail(payment::SERVICE))
    }
}
