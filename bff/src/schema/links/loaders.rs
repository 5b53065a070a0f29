//! The loaders of one operation: a plain function from keys to values each, one batched call behind it.
//!
//! | loader | key | call |
//! | --- | --- | --- |
//! | member | member id | `MemberService/BatchGet` |
//! | gathering | gathering id | `GatheringService/BatchGet` |
//! | membership | membership id | `GatheringService/BatchGetMemberships` |
//! | memberships | gathering id and page | `GatheringService/BatchListMemberships` |
//! | schedule | schedule id | `ScheduleService/BatchGet` |
//! | schedules | gathering id and page | `ScheduleService/BatchList` |
//! | attendance | attendance id | `ScheduleService/BatchGetAttendances` |
//! | attendances | schedule id and page | `ScheduleService/BatchListAttendances` |
//! | review | review id | `ReviewService/BatchGet` |
//! | reviews_of_gathering | gathering id and page | `ReviewService/BatchListOfGatherings` |
//! | reviews_of_schedule | schedule id and page | `ReviewService/BatchListOfSchedules` |
//! | chat_message | message id | `ChatService/BatchGet` |
//! | chat_messages | gathering id and page | `ChatService/BatchList`; None for who is not in |
//! | notification | notification id | `NotificationService/BatchGet` |
//! | order | order id | `PaymentService/BatchGetOrders`; the viewer's own |
//! | wallet_entry | ledger line's id | `PaymentService/BatchGetEntries`; the viewer's own |

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::try_join_all;
use moim_kit::id::{
    AttendanceId, ChatMessageId, GatheringId, MemberId, MembershipId, NotificationId, OrderId,
    ReviewId, ScheduleId, WalletEntryId,
};
use moim_kit::{Call, Fault};
use moim_proto::{chat, gathering, member, notification, payment, review, schedule};

use crate::last_known::{Stale, or_last_known};
use crate::loader::Loader;
use crate::schema::chat::connection::ChatMessageConnection;
use crate::schema::chat::types::ChatMessage;
use crate::schema::connection::PageArgs;
use crate::schema::gathering::connection::MembershipConnection;
use crate::schema::gathering::types::{Gathering, Membership};
use crate::schema::gathering::{MembershipRole, MembershipStatus};
use crate::schema::member::types::Member;
use crate::schema::notification::types::Notification;
use crate::schema::payment::types::{Order, WalletEntry};
use crate::schema::review::connection::ReviewConnection;
use crate::schema::review::types::Review;
use crate::schema::schedule::AttendanceState;
use crate::schema::schedule::connection::{AttendanceConnection, ScheduleConnection};
use crate::schema::schedule::types::{Attendance, Schedule};
use crate::upstream::Upstream;

type ById<I, T> = Loader<I, Arc<T>, Fault>;
type Pages<P, A, T> = Loader<(P, A), Arc<T>, Fault>;

/// Which memberships of a gathering are wanted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MembershipArgs {
    pub status: MembershipStatus,
    pub role: Option<MembershipRole>,
    pub page: PageArgs,
}

/// Which schedules of a gathering are wanted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ScheduleArgs {
    pub from_us: Option<i64>,
    pub until_us: Option<i64>,
    pub page: PageArgs,
}

/// Which attendances of a schedule are wanted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AttendanceArgs {
    pub state: AttendanceState,
    pub page: PageArgs,
}

/// See the table above.
pub struct Loaders {
    pub member: ById<MemberId, Member>,
    pub gathering: ById<GatheringId, Gathering>,
    pub membership: ById<MembershipId, Membership>,
    pub memberships: Pages<GatheringId, MembershipArgs, MembershipConnection>,
    pub schedule: ById<ScheduleId, Schedule>,
    pub schedules: Pages<GatheringId, ScheduleArgs, ScheduleConnection>,
    pub attendance: ById<AttendanceId, Attendance>,
    pub attendances: Pages<ScheduleId, AttendanceArgs, AttendanceConnection>,
    pub review: ById<ReviewId, Review>,
    pub reviews_of_gathering: Pages<GatheringId, PageArgs, ReviewConnection>,
    pub reviews_of_schedule: Pages<ScheduleId, PageArgs, ReviewConnection>,
    pub chat_message: ById<ChatMessageId, ChatMessage>,
    pub chat_messages: Loader<(GatheringId, PageArgs), Option<Arc<ChatMessageConnection>>, Fault>,
    pub notification: ById<NotificationId, Notification>,
    pub order: ById<OrderId, Order>,
    pub wallet_entry: ById<WalletEntryId, WalletEntry>,
}

/// A loader by id: one call for all ids, the answer's rows matched by their own id.
macro_rules! by_id {
    ($call:expr, $client:expr, $rpc:ident(|$ids:ident| $request:expr) -> $rows:ident) => {{
        let (call, client) = ($call.clone(), $client.clone());
        loader(move |ids: Vec<_>| {
            let (call, mut client) = (call.clone(), client.clone());
            async move {
                let $ids = ids.iter().map(ToString::to_string).collect();
                let answer = client.$rpc(call.request($request)).await?;
                let rows = answer.into_inner().$rows.into_iter();
                rows.map(|row| {
                    Ok((row.id.parse().map_err(Fault::internal)?, Arc::new(row.try_into()?)))
                })
                .collect::<Result<HashMap<_, _>, Fault>>()
            }
        })
    }};
}

/// A loader by id of what everybody is shown alike: as it was known last, when the room is silent.
macro_rules! public_by_id {
    ($call:expr, $upstream:expr, $stale:expr, $room:ident, |$ids:ident| $request:expr, $rows:ident,
        $shown:ident) => {{
        let (call, client, stale) = ($call.clone(), $upstream.$room.clone(), $stale.clone());
        let last = $upstream.last_known().cloned();
        let load = move |ids: Vec<_>| {
            let (call, mut client, stale) = (call.clone(), client.clone(), stale.clone());
            let (last, names) =
                (last.clone(), ids.iter().map(ToString::to_string).collect::<Vec<_>>());
            async move {
                let $ids = names.clone();
                let answer = client.batch_get(call.request($request)).await;
                let rows = answer.map(|answer| answer.into_inner().$rows).map_err(Fault::from);
                or_last_known(rows, &names, last.as_ref(), &stale, |row, silence| {
                    let id = row.id.parse().map_err(Fault::internal)?;
                    let shown = match silence {
                        Some(silence) => $shown::last_known(row, silence)?,
                        None => row.try_into()?,
                    };
                    Ok((id, Arc::new(shown)))
                })
                .await
            }
            .boxed()
        };
        Loader::partial(load, || Fault::internal("a loader panicked"))
    }};
}

/// A loader of pages: one call for all parents asked for with the same arguments.
macro_rules! pages {
    ($call:expr, $client:expr, $rpc:ident(|$parents:ident, $args:ident: $type:ty| $request:expr)
        -> $connection:ident($rows:ident)) => {
        pages!($call, $client, $rpc(|$parents, $args: $type| $request) -> |list| {
            Arc::new($connection::try_new(list.$rows, list.page)?)
        })
    };
    ($call:expr, $client:expr, $rpc:ident(|$parents:ident, $args:ident: $type:ty| $request:expr)
        -> |$list:ident| $page:expr) => {{
        let (call, client) = ($call.clone(), $client.clone());
        loader(move |keys: Vec<(_, $type)>| {
            let calls = by_args(keys).into_iter().map(|($args, parents)| {
                let (call, mut client) = (call.clone(), client.clone());
                async move {
                    let $parents = parents.iter().map(ToString::to_string).collect();
                    let answer = client.$rpc(call.request($request)).await?;
                    let lists = answer.into_inner().lists;
                    parents
                        .into_iter()
                        .zip(lists)
                        .map(|(parent, $list)| Ok(((parent, $args.clone()), $page)))
                        .collect::<Result<Vec<_>, Fault>>()
                }
            });
            let calls = try_join_all(calls);
            async move { Ok(calls.await?.into_iter().flatten().collect()) }
        })
    }};
}

impl Loaders {
    /// Loaders that have loaded nothing yet, calling on behalf of `call`, and noting what they know from before only.
    pub(crate) fn new(call: &Call, upstream: &Upstream, stale: &Stale) -> Self {
        Self {
            member: public_by_id!(
                call,
                upstream,
                stale,
                member,
                |ids| member::v1::BatchGetRequest { ids },
                members,
                Member
            ),
            gathering: public_by_id!(
                call,
                upstream,
                stale,
                gathering,
                |ids| gathering::v1::BatchGetRequest { ids },
                gatherings,
                Gathering
            ),
            membership: by_id!(call, upstream.gathering,
                batch_get_memberships(|ids| gathering::v1::BatchGetMembershipsRequest { ids }) -> memberships),
            memberships: pages!(call, upstream.gathering,
                batch_list_memberships(|gathering_ids, args: MembershipArgs| gathering::v1::BatchListMembershipsRequest {
                    gathering_ids,
                    status: args.status.into_proto(),
                    role: args.role.map(MembershipRole::into_proto),
                    page: Some(args.page.clone().into()),
                }) -> MembershipConnection(memberships)),
            schedule: by_id!(call, upstream.schedule,
                batch_get(|ids| schedule::v1::BatchGetRequest { ids }) -> schedules),
            schedules: pages!(call, upstream.schedule,
                batch_list(|gathering_ids, args: ScheduleArgs| schedule::v1::BatchListRequest {
                    gathering_ids,
                    from_us: args.from_us,
                    until_us: args.until_us,
                    page: Some(args.page.clone().into()),
                }) -> ScheduleConnection(schedules)),
            attendance: by_id!(call, upstream.schedule,
                batch_get_attendances(|ids| schedule::v1::BatchGetAttendancesRequest { ids }) -> attendances),
            attendances: pages!(call, upstream.schedule,
                batch_list_attendances(|schedule_ids, args: AttendanceArgs| schedule::v1::BatchListAttendancesRequest {
                    schedule_ids,
                    state: args.state.into_proto(),
                    page: Some(args.page.clone().into()),
                }) -> AttendanceConnection(attendances)),
            review: by_id!(call, upstream.review,
                batch_get(|ids| review::v1::BatchGetRequest { ids }) -> reviews),
            reviews_of_gathering: pages!(call, upstream.review,
                batch_list_of_gatherings(|gathering_ids, args: PageArgs| review::v1::BatchListOfGatheringsRequest {
                    gathering_ids,
                    page: Some(args.clone().into()),
                }) -> ReviewConnection(reviews)),
            reviews_of_schedule: pages!(call, upstream.review,
                batch_list_of_schedules(|schedule_ids, args: PageArgs| review::v1::BatchListOfSchedulesRequest {
                    schedule_ids,
                    page: Some(args.clone().into()),
                }) -> ReviewConnection(reviews)),
            chat_message: by_id!(call, upstream.chat,
                batch_get(|ids| chat::v1::BatchGetRequest { ids }) -> messages),
            chat_messages: pages!(call, upstream.chat,
            batch_list(|gathering_ids, args: PageArgs| chat::v1::BatchListRequest {
                gathering_ids,
                page: Some(args.clone().into()),
            }) -> |list| if list.visible {
                Some(Arc::new(ChatMessageConnection::try_new(list.messages, list.page)?))
            } else {
                None
            }),
            notification: by_id!(call, upstream.notification,
                batch_get(|ids| notification::v1::BatchGetRequest { ids }) -> notifications),
            order: by_id!(call, upstream.payment,
                batch_get_orders(|ids| payment::v1::BatchGetOrdersRequest { ids }) -> orders),
            wallet_entry: by_id!(call, upstream.payment,
                batch_get_entries(|ids| payment::v1::BatchGetEntriesRequest { ids }) -> entries),
        }
    }
}

fn loader<K, V, F>(load: impl Fn(Vec<K>) -> F + Send + Sync + 'static) -> Loader<K, V, Fault>
where
    K: Clone + Eq + Hash + Send + Sync + Unpin + 'static,
    V: Clone + Send + Sync + 'static,
    F: Future<Output = Result<HashMap<K, V>, Fault>> + Send + 'static,
{
    Loader::new(move |keys| load(keys).boxed(), || Fault::internal("a loader panicked"))
}

fn by_args<P, A: Eq + Hash>(keys: Vec<(P, A)>) -> HashMap<A, Vec<P>> {
    let mut parents: HashMap<A, Vec<P>> = HashMap::new();
    for (parent, args) in keys {
        parents.entry(args).or_default().push(parent);
    }
    parents
}
