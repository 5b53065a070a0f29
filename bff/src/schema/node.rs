//! Anything with a global id, found by it.

use std::sync::Arc;

use async_graphql::{Context, Error, ID, Interface, Object, Result};
use futures::future::join_all;
use moim_kit::{Code, Fault};

use super::chat::types::ChatMessage;
use super::gathering::types::{Gathering, Membership};
use super::global_id::Global;
use super::member::find_viewer;
use super::member::types::{Member, Viewer};
use super::notification::types::Notification;
use super::payment::types::{Order, WalletEntry};
use super::review::types::Review;
use super::schedule::types::{Attendance, Schedule};
use super::scope::Scope;
use super::{chat, gathering, member, notification, payment, review, schedule};

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
    Review(Arc<Review>),
    ChatMessage(Arc<ChatMessage>),
    Notification(Arc<Notification>),
    Order(Arc<Order>),
    WalletEntry(Arc<WalletEntry>),
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
    match Global::decode(id) {
        Some(global) => load(Scope::of(ctx)?, global).await,
        None => Ok(None),
    }
}

/// Loads the node of one noun, wherever it is.
macro_rules! node {
    ($scope:ident, $loader:ident($id:ident) of $service:expr => $node:ident) => {
        $scope.loaders().$loader.load($id).await.map_err($scope.fail($service))?.map(Node::$node)
    };
}

/// What a global id names, as the viewer sees it.
pub async fn load(scope: &Scope, global: Global) -> Result<Option<Node>> {
    Ok(match global {
        Global::Member(id) => node!(scope, member(id) of member::SERVICE => Member),
        Global::Viewer(id) if scope.call().viewer() == Some(id) => {
            find_viewer(scope).await?.map(|viewer| Node::Viewer(Arc::new(viewer)))
        }
        Global::Viewer(_) => None,
        Global::Gathering(id) => node!(scope, gathering(id) of gathering::SERVICE => Gathering),
        Global::Membership(id) => node!(scope, membership(id) of gathering::SERVICE => Membership),
        Global::Schedule(id) => node!(scope, schedule(id) of schedule::SERVICE => Schedule),
        Global::Attendance(id) => node!(scope, attendance(id) of schedule::SERVICE => Attendance),
        Global::Review(id) => node!(scope, review(id) of review::SERVICE => Review),
        // These are for people who signed in; nobody else is told whether there is such a thing.
        Global::ChatMessage(_)
        | Global::Notification(_)
        | Global::Order(_)
        | Global::WalletEntry(_)
            if scope.call().viewer().is_none() =>
        {
            None
        }
        Global::ChatMessage(id) => node!(scope, chat_message(id) of chat::SERVICE => ChatMessage),
        Global::Notification(id) => {
            node!(scope, notification(id) of notification::SERVICE => Notification)
        }
        Global::Order(id) => node!(scope, order(id) of payment::SERVICE => Order),
        Global::WalletEntry(id) => {
            node!(scope, wallet_entry(id) of payment::SERVICE => WalletEntry)
        }
    })
}
