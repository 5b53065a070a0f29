//! What happens right now: one stream from each room, shared by everyone who follows one of its topics.
//!
//! A reader adds its topic, asks the room once what it missed (which is also what authorises it), and
//! from then on reads at its own position what all readers of the topic share. A message costs no call.

mod follow;
mod hub;
mod reader;
mod source;
mod topic;

use futures::Stream;
use moim_kit::id::GatheringId;
use moim_kit::task::Tasks;
use moim_kit::wire::Wire;
use moim_kit::{Call, Fault};
use moim_proto::chat::v1::ChatMessage;
use moim_proto::notification::v1::Notification;

use crate::upstream::Upstream;
use hub::Hub;
use source::{Chat, Notifications};

pub use reader::Arrival;
pub use topic::RING;

/// How the logs of rooms are followed, for the house only.
#[derive(Clone)]
pub struct LiveWires {
    /// Of the chat room.
    pub chat: Wire,
    /// Of the notification room.
    pub notification: Wire,
    /// The house's secret, of visible ASCII characters.
    pub secret: std::sync::Arc<str>,
}

/// The rooms as they are followed; clones share the streams.
#[derive(Clone)]
pub struct Live {
    chat: Hub<Chat>,
    notification: Hub<Notifications>,
}

impl Live {
    /// Follows nothing until somebody reads; stops with the tasks.
    pub fn new(wires: LiveWires, upstream: &Upstream, tasks: &Tasks) -> Self {
        let LiveWires { chat, notification, secret } = wires;
        Self {
            chat: Hub::new(Chat(upstream.chat.clone()), chat, secret.clone(), tasks),
            notification: Hub::new(
                Notifications(upstream.notification.clone()),
                notification,
                secret,
                tasks,
            ),
        }
    }

    /// Messages of a gathering: first all after a cursor, then each as it is sent.
    pub async fn chat(
        &self,
        call: &Call,
        gathering: GatheringId,
        after: Option<String>,
    ) -> Result<impl Stream<Item = Result<Arrival<ChatMessage>, Fault>> + Send + use<>, Fault> {
        self.chat.read(call, gathering.uuid(), after).await
    }

    /// Notifications of whoever asks: first all after a cursor, then each as it is made.
    pub async fn notifications(
        &self,
        call: &Call,
        after: Option<String>,
    ) -> Result<impl Stream<Item = Result<Arrival<Notification>, Fault>> + Send + use<>, Fault>
    {
        let viewer = call.require_caller()?.member;
        self.notification.read(call, viewer.uuid(), after).await
    }

    /// Topics somebody follows right now.
    pub fn topics(&self) -> usize {
        self.chat.topics() + self.notification.topics()
    }
}
