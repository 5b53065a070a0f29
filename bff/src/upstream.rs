//! The rooms behind the endpoint, one client each.

use moim_kit::wire::Wire;
use moim_proto::chat::v1::chat_service_client::ChatServiceClient;
use moim_proto::gathering::v1::gathering_service_client::GatheringServiceClient;
use moim_proto::member::v1::member_service_client::MemberServiceClient;
use moim_proto::notification::v1::notification_service_client::NotificationServiceClient;
use moim_proto::payment::v1::payment_service_client::PaymentServiceClient;
use moim_proto::review::v1::review_service_client::ReviewServiceClient;
use moim_proto::schedule::v1::schedule_service_client::ScheduleServiceClient;
use moim_proto::search::v1::search_service_client::SearchServiceClient;

use crate::last_known::LastKnown;

/// A wire to every room, by its name.
#[derive(Clone, Debug)]
pub struct Wires {
    /// Accounts, sessions and profiles.
    pub member: Wire,
    /// Gatherings and memberships.
    pub gathering: Wire,
    /// Schedules and attendances.
    pub schedule: Wire,
    /// Reviews of schedules.
    pub review: Wire,
    /// Messages of gatherings.
    pub chat: Wire,
    /// Notifications of members.
    pub notification: Wire,
    /// Wallets and orders.
    pub payment: Wire,
    /// Finding gatherings, schedules and members.
    pub search: Wire,
}

/// How to reach every room; clones share the wires.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// Accounts, sessions and profiles.
    pub member: MemberServiceClient<Wire>,
    /// Gatherings and memberships.
    pub gathering: GatheringServiceClient<Wire>,
    /// Schedules and attendances.
    pub schedule: ScheduleServiceClient<Wire>,
    /// Reviews of schedules.
    pub review: ReviewServiceClient<Wire>,
    /// Messages of gatherings.
    pub chat: ChatServiceClient<Wire>,
    /// Notifications of members.
    pub notification: NotificationServiceClient<Wire>,
    /// Wallets and orders.
    pub payment: PaymentServiceClient<Wire>,
    /// Finding gatherings, schedules and members.
    pub search: SearchServiceClient<Wire>,
    /// What they answered last, where that may stand in.
    last_known: Option<LastKnown>,
}

impl Upstream {
    /// Clients over the given wires.
    pub fn new(wires: Wires) -> Self {
        Self {
            member: MemberServiceClient::new(wires.member),
            gathering: GatheringServiceClient::new(wires.gathering),
            schedule: ScheduleServiceClient::new(wires.schedule),
            review: ReviewServiceClient::new(wires.review),
            chat: ChatServiceClient::new(wires.chat),
            notification: NotificationServiceClient::new(wires.notification),
            payment: PaymentServiceClient::new(wires.payment),
            search: SearchServiceClient::new(wires.search),
            last_known: None,
        }
    }

    /// Answers of a room may stand in when it is silent.
    pub(crate) fn remembering(self, last_known: LastKnown) -> Self {
        Self { last_known: Some(last_known), ..self }
    }

    /// Nothing old may stand in: what is done or told goes by what is so now.
    pub(crate) fn forgetting(self) -> Self {
        Self { last_known: None, ..self }
    }

    /// What rooms answered last.
    pub(crate) fn last_known(&self) -> Option<&LastKnown> {
        self.last_known.as_ref()
    }
}
