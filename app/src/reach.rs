//! Waiting, at the start of a process, for the rooms in other processes.

use std::time::Duration;

use anyhow::bail;
use moim_kit::Call;
use moim_kit::trace::Trace;
use moim_kit::wire::Wire;
use tokio::time::Instant;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

const TRY_EVERY: Duration = Duration::from_millis(200);
const ONE_TRY: Duration = Duration::from_secs(1);

/// Returns once a room answers; after `patience` the process cannot start.
pub async fn wait_for(
    room: &'static str,
    address: &str,
    wire: Wire,
    patience: Duration,
) -> anyhow::Result<()> {
    let due = Instant::now() + patience;
    let mut client = HealthClient::new(wire);
    loop {
        let call = Call::new(Trace::fresh(), Instant::now() + ONE_TRY);
        let asked = client.check(call.request(HealthCheckRequest::default())).await;
        let Err(status) = asked else { return Ok(()) };
        if Instant::now() >= due {
            bail!(
                "the {room} room is not reachable at {address} ({}); start it first or correct \
                 rooms.{room}.address",
                status.message()
            );
        }
        tokio::time::sleep(TRY_EVERY).await;
    }
}
