//! Anything with a global id, found by it.

use std::sync::Arc;

use async_graphql::{Context, Error, ID, Interface, Object, Result};
use futures::future::join_all;
use moim_kit::{Code, Fault};

use super::gathering::types::{Gathering, Membership};
use super::global_id::Global;
use super::member::find_viewer;
use super::member::types::{Member, Viewer};
use super::schedule::types::{Attendance, Schedule};
use super::scope::Scope;
use super::{gathering, member, schedule};

/// Anything with a global id.
#[derive(Interface, Clone)]
#[graphql(field(name = "id", ty = "&ID", desc = "Opaque, unique over all types, never reused."))]
pub enum Node {
    Member(Arc<Member>),
    Viewer(Arc<Viewer>),
    Gathering(Arc<Gathering>),
    Membership(Arc<Membership>),
    Schedule(Arc<Schedule>),
    Attendance(Arc<Attendance>),
}

/// Most ids that may be asked for at once.
const MAX_IDS: usize = 100;

/// Reads by global id.
#[derive(Default)]
pub struct NodeQuery;

#[Object]
impl NodeQuery {
    /// Any entity by id; null when it does not exist or the viewer may not see it.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] id: ID,
    ) -> Result<Option<Node>> {
        find(ctx, &id).await
    }

    /// Several entities by id, in the order asked, null where missing. At most 100.
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones.")] ids: Vec<ID>,
    ) -> Result<Vec<Option<Node>>> {
        if ids.len() > MAX_IDS {
            let scope = Scope::of(ctx)?;
            let fault = Fault::new(Code::Invalid, "TOO_MANY_IDS", "At most 100 ids at once.")
                .in_korean("한 번에 100개까지 조회할 수 있습니다.")
                .at("ids");
            return Err(scope.fail("bff")(fault));
        }
        let found = join_all(ids.iter().map(|id| find(ctx, id))).await;
        // One failing service takes its own nodes with it, each with an error of its own.
        Ok(found
            .into_iter()
            .enumerate()
            .map(|(index, node)| {
                node.unwrap_or_else(|error| {
                    ctx.add_error(at_index(ctx, error, index));
                    None
                })
            })
            .collect())
    }
}

fn at_index(ctx: &Context<'_>, error: Error, index: usize) -> async_graphql::ServerError {
    let mut error = ctx.set_error_path(error.into_server_error(ctx.item.pos));
    error.path.push(async_graphql::PathSegment::Index(index));
    error
}

async fn find(ctx: &Context<'_>, id: &ID) -> Result<Option<Node>> {
    let scope = Scope::of(ctx)?;
    let loaders = scope.loaders();
    let Some(global) = Global::decode(id) else { return Ok(None) };
    Ok(match global {
        Global::Member(id) => {
            loaders.member.load(id).await.map_err(scope.fail(member::SERVICE))?.map(Node::Member)
        }
        Global::Viewer(id) if scope.call().viewer() == Some(id) => {
            find_viewer(scope).await?.map(|viewer| Node::Viewer(Arc::new(viewer)))
        }
        Global::Viewer(_) => None,
        Global::Gathering(id) => loaders
            .gathering
            .load(id)
            .await
            .map_err(scope.fail(gathering::SERVICE))?
            .map(Node::Gathering),
        Global::Membership(id) => loaders
            .membership
            .load(id)
            .await
            .map_err(scope.fail(gathering::SERVICE))?
            .map(Node::Membership),
        Global::Schedule(id) => loaders
            .schedule
            .load(id)
            .await
            .map_err(scope.fail(schedule::SERVICE))?
            .map(Node::Schedule),
        Global::Attendance(id) => loaders
            .attendance
            .load(id)
            .await
            .map_err(scope.fail(schedule::SERVICE))?
            .map(Node::Attendance),
    })
}
