//! Entry points for writing members and sessions.

use async_graphql::{Context, Object, Result, SimpleObject};
use moim_kit::Fault;
use moim_proto::member::v1::{
    LogInRequest, LogOutRequest, RefreshRequest, SetBlockedRequest, SignUpRequest, UpdateRequest,
};

use super::SERVICE;
use super::input::{
    AuthLogInInput, AuthLogOutInput, AuthRefreshInput, AuthSignUpInput, MemberSetBlockedInput,
    MemberUpdateInput, clearable,
};
use super::types::{AuthTokens, Member, Viewer};
use crate::schema::error::{UserError, payload};
use crate::schema::global_id;
use crate::schema::scope::Scope;

/// Writes of the member service.
#[derive(Default)]
pub struct MemberMutation;

#[Object]
impl MemberMutation {
    /// Opens an account and a session.
    async fn auth_sign_up(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: AuthSignUpInput,
    ) -> Result<Option<AuthSignUpPayload>> {
        let scope = Scope::of(ctx)?;
        let AuthSignUpInput { email, password, nickname } = input;
        let outcome = async {
            let message = SignUpRequest { email, password, nickname };
            let request = scope.keyed(ctx)?.request(message);
            let answer = scope.upstream().member.sign_up(request).await?.into_inner();
            Ok((answer.tokens.try_into()?, answer.account.try_into()?))
        };
        let (tokens, viewer, user_errors) = opened(scope, outcome.await)?;
        Ok(Some(AuthSignUpPayload { tokens, viewer, user_errors }))
    }

    /// Opens a session.
    async fn auth_log_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: AuthLogInInput,
    ) -> Result<Option<AuthLogInPayload>> {
        let scope = Scope::of(ctx)?;
        let AuthLogInInput { email, password } = input;
        let request = scope.call().request(LogInRequest { email, password });
        let answer = scope.upstream().member.log_in(request).await;
        let outcome = answer.map_err(Fault::from).and_then(|answer| {
            let answer = answer.into_inner();
            Ok((answer.tokens.try_into()?, answer.account.try_into()?))
        });
        let (tokens, viewer, user_errors) = opened(scope, outcome)?;
        Ok(Some(AuthLogInPayload { tokens, viewer, user_errors }))
    }

    /// Trades a refresh token for a new pair; each works once. Reuse outside a short grace revokes the whole session.
    async fn auth_refresh(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: AuthRefreshInput,
    ) -> Result<Option<AuthRefreshPayload>> {
        let scope = Scope::of(ctx)?;
        let request = scope.call().request(RefreshRequest { refresh_token: input.refresh_token });
        let answer = scope.upstream().member.refresh(request).await;
        let tokens = answer.map_err(Fault::from).and_then(|it| it.into_inner().tokens.try_into());
        AuthRefreshPayload::new(scope, SERVICE, tokens)
    }

    /// Revokes this session, or all; its access tokens stop working within a second.
    async fn auth_log_out(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: AuthLogOutInput,
    ) -> Result<Option<AuthLogOutPayload>> {
        let scope = Scope::of(ctx)?;
        let request = scope.call().request(LogOutRequest { everywhere: input.everywhere });
        let answer = scope.upstream().member.log_out(request).await;
        let user_errors = match answer.map_err(Fault::from) {
            Ok(_) => Vec::new(),
            Err(fault) => {
                vec![UserError::try_new(scope, fault).map_err(scope.fail(SERVICE))?.into()]
            }
        };
        Ok(Some(AuthLogOutPayload { user_errors }))
    }

    /// Changes the viewer's profile; the card reaches other domains within seconds.
    async fn member_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: MemberUpdateInput,
    ) -> Result<Option<MemberUpdatePayload>> {
        let scope = Scope::of(ctx)?;
        let message = UpdateRequest {
            nickname: input.nickname,
            avatar_url: clearable(input.avatar_url, |url| url.0),
            bio: clearable(input.bio, |bio| bio),
        };
        let member = async {
            let request = scope.keyed(ctx)?.request(message);
            scope.upstream().member.update(request).await?.into_inner().member.try_into()
        };
        MemberUpdatePayload::new(scope, SERVICE, member.await)
    }

    /// Hides or shows a member to the viewer.
    async fn member_set_blocked(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: MemberSetBlockedInput,
    ) -> Result<Option<MemberSetBlockedPayload>> {
        let scope = Scope::of(ctx)?;
        let message = SetBlockedRequest {
            member_id: global_id::decode::<moim_kit::id::Member>(&input.member_id),
            blocked: input.blocked,
        };
        let member = async {
            let request = scope.keyed(ctx)?.request(message);
            scope.upstream().member.set_blocked(request).await?.into_inner().member.try_into()
        };
        MemberSetBlockedPayload::new(scope, SERVICE, member.await)
    }
}

payload! {
    AuthRefreshPayload(tokens: AuthTokens) of "authRefresh", "The new pair";
    MemberUpdatePayload(member: Member) of "memberUpdate", "The viewer as everybody sees them now";
    MemberSetBlockedPayload(member: Member) of "memberSetBlocked", "The member hidden or shown";
}

/// Result of authSignUp.
#[derive(SimpleObject)]
pub struct AuthSignUpPayload {
    /// Tokens of the new session; null on failure.
    tokens: Option<AuthTokens>,
    /// The new member; null on failure.
    viewer: Option<Viewer>,
    /// Why it failed; empty on success.
    user_errors: Vec<UserError>,
}

/// Result of authLogIn.
#[derive(SimpleObject)]
pub struct AuthLogInPayload {
    /// Tokens of the new session; null on failure.
    tokens: Option<AuthTokens>,
    /// Who logged in; null on failure.
    viewer: Option<Viewer>,
    /// Why it failed; empty on success.
    user_errors: Vec<UserError>,
}

/// Result of authLogOut.
#[derive(SimpleObject)]
pub struct AuthLogOutPayload {
    /// Why it failed; empty on success.
    user_errors: Vec<UserError>,
}

type Opened = (Option<AuthTokens>, Option<Viewer>, Vec<UserError>);

fn opened(scope: &Scope, outcome: Result<(AuthTokens, Viewer), Fault>) -> Result<Opened> {
    match outcome {
        Ok((tokens, viewer)) => Ok((Some(tokens), Some(viewer), Vec::new())),
        Err(fault) => {
            let error = UserError::try_new(scope, fault).map_err(scope.fail(SERVICE))?;
            Ok((None, None, vec![error.into()]))
        }
    }
}
