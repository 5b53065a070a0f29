//! The one stream from a room: kept up while anyone reads, and taken up again where it broke off.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use moim_kit::trace::Trace;
use moim_kit::{Call, Fault};
use moim_proto::fact::v1::FollowRequest;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use tokio_stream::wrappers::ReceiverStream;
use uuid::Uuid;

use super::hub::Shared;
use super::source::Source;

const SECRET: &str = "moim-house-secret";
/// For a room to accept a stream.
const ACCEPTED_WITHIN: Duration = Duration::from_secs(5);
/// A stream is begun anew so often, so that it moves to where the room is by then.
const RENEWED_AFTER: Duration = Duration::from_secs(3_600);
/// Topics named in one message.
const TOPICS_AT_ONCE: usize = 1_000;
const REQUESTS: usize = 8;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// From here on an outage is long enough for readers to ask whether they still may.
const LONG_OUTAGE: Duration = Duration::from_secs(3);

/// Follows a room for as long as the house stands.
pub(super) async fn follow<S: Source>(shared: Arc<Shared<S>>) {
    let mut pause = FIRST_PAUSE;
    let mut broken: Option<Instant> = None;
    loop {
        let (position, topics) = shared.begin();
        if topics.is_empty() {
            (pause, broken) = (FIRST_PAUSE, None);
            shared.changes.notified().await;
            continue;
        }
        let mut stood = false;
        let ended = stream(&shared, position, topics, || {
            stood = true;
            if broken.take().is_some_and(|since| since.elapsed() >= LONG_OUTAGE) {
                shared.outages.send_modify(|outages| *outages += 1);
            }
        });
        if let Err(fault) = ended.await {
            tracing::warn!(error = %fault, room = S::NAME, "a live stream broke off; beginning it again");
            if stood {
                pause = FIRST_PAUSE;
            }
            broken.get_or_insert_with(Instant::now);
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// One stream from its begin to its end; well ended when nobody reads any more, the room's process goes, or it
/// is due for renewal.
async fn stream<S: Source>(
    shared: &Shared<S>,
    position: Option<i64>,
    topics: Vec<Uuid>,
    mut stands: impl FnMut(),
) -> Result<(), Fault> {
    let (requests, receiver) = mpsc::channel(REQUESTS);
    let mut pending: VecDeque<FollowRequest> = told(&topics, true).collect();
    if let Some(first) = pending.front_mut() {
        first.after_position = position;
    }
    let mut asked: HashSet<Uuid> = topics.into_iter().collect();
    let renewal = Instant::now() + RENEWED_AFTER;
    let call = Call::new(Trace::fresh(), renewal + ACCEPTED_WITHIN);
    let mut request = call.request(ReceiverStream::new(receiver));
    request.metadata_mut().insert(SECRET, shared.secret.parse().map_err(Fault::internal)?);
    let mut client = shared.client.clone();
    let accepted = timeout(ACCEPTED_WITHIN, client.follow(request)).await;
    let late = |_| Fault::unavailable("LIVE_UNAVAILABLE", "the room did not accept in time");
    let mut responses = accepted.map_err(late)??.into_inner();
    let mut stood = false;
    loop {
        tokio::select! {
            response = responses.message() => match response? {
                Some(response) => {
                    stood = true;
                    stands();
                    shared.take_in(response);
                }
                // That process of the room goes, and another takes over.
                None if stood => return Ok(()),
                None => return Err(Fault::unavailable("LIVE_UNAVAILABLE", "the room ended it")),
            },
            permit = requests.reserve(), if !pending.is_empty() => {
                let Ok(permit) = permit else {
                    return Err(Fault::unavailable("LIVE_UNAVAILABLE", "the room stopped listening"));
                };
                if let Some(request) = pending.pop_front() {
                    permit.send(request);
                }
            }
            () = shared.changes.notified() => {
                let (added, removed, none_left) = shared.take_changes(&mut asked);
                if none_left {
                    return Ok(());
                }
                pending.extend(told(&removed, false));
                pending.extend(told(&added, true));
            }
            () = tokio::time::sleep_until(renewal) => return Ok(()),
        }
    }
}

/// Topics that come or go, some in each message.
fn told(topics: &[Uuid], come: bool) -> impl Iterator<Item = FollowRequest> {
    topics.chunks(TOPICS_AT_ONCE).map(move |topics| {
        let topics = topics.iter().map(Uuid::to_string).collect();
        let (add_topics, remove_topics) = if come { (topics, vec![]) } else { (vec![], topics) };
        FollowRequest { after_position: None, add_topics, remove_topics }
    })
}
