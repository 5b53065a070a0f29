//! The rooms behind the endpoint, one client each.

use moim_kit::wire::Wire;
use moim_proto::gathering::v1::gathering_service_client::GatheringServiceClient;
use moim_proto::member::v1::member_service_client::MemberServiceClient;
use moim_proto::schedule::v1::schedule_service_client::ScheduleServiceClient;

/// How to reach every room; clones share the wires.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// Accounts, sessions and profiles.
    pub member: MemberServiceClient<Wire>,
    /// Gatherings and memberships.
    pub gathering: GatheringServiceClient<Wire>,
    /// Schedules and attendances.
    pub schedule: ScheduleServiceClient<Wire>,
}

impl Upstream {
    /// Clients over the given wires.
    pub fn new(member: Wire, gathering: Wire, schedule: Wire) -> Self {
        Self {
            member: MemberServiceClient::new(member),
            gathering: GatheringServiceClient::new(gathering),
            schedule: ScheduleServiceClient::new(schedule),
        }
    }
}
