//! Entry points for reading members.

use async_graphql::{Context, Object, Result};
use moim_kit::{Code, Fault};
use moim_proto::member::v1::get_request::By;
use moim_proto::member::v1::{GetAccountRequest, GetRequest};

use super::SERVICE;
use super::input::MemberLookup;
use super::types::{Member, Viewer};
use crate::schema::global_id;
use crate::schema::scope::Scope;

/// Reads of the member service.
#[derive(Default)]
pub struct MemberQuery;

#[Object]
impl MemberQuery {
    /// The signed-in person; null when anonymous.
    async fn viewer(&self, ctx: &Context<'_>) -> Result<Option<Viewer>> {
        find_viewer(Scope::of(ctx)?).await
    }

    /// One member by id or by unique nickname.
    async fn member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How to find the member.")] by: MemberLookup,
    ) -> Result<Option<Member>> {
        let scope = Scope::of(ctx)?;
        let by = match by {
            MemberLookup::Id(id) => By::Id(global_id::decode::<moim_kit::id::Member>(&id)),
            MemberLookup::Nickname(nickname) => By::Nickname(nickname),
        };
        let request = scope.call().request(GetRequest { by: Some(by) });
        let answer = scope.upstream().member.get(request).await;
        match answer.map_err(Fault::from).and_then(|it| it.into_inner().member.try_into()) {
            Ok(member) => Ok(Some(member)),
            Err(fault) if fault.code() == Code::NotFound => Ok(None),
            Err(fault) => Err(scope.fail(SERVICE)(fault)),
        }
    }
}

/// The account of whoever asks.
pub async fn find_viewer(scope: &Scope) -> Result<Option<Viewer>> {
    if scope.call().viewer().is_none() {
        return Ok(None);
    }
    let request = scope.call().request(GetAccountRequest {});
    let answer = scope.upstream().member.get_account(request).await;
    let account = answer.map_err(Fault::from).and_then(|it| it.into_inner().account.try_into());
    account.map(Some).map_err(scope.fail(SERVICE))
}
