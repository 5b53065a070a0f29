//! What the hub must know of a room: how to read its events, and how to ask what was missed.

use std::future::Future;

use moim_kit::id::MemberId;
use moim_kit::page::{CHAT_MESSAGES, NOTIFICATIONS};
use moim_kit::wire::Wire;
use moim_kit::{Call, Fault};
use moim_proto::chat::v1 as chat;
use moim_proto::chat::v1::chat_service_client::ChatServiceClient;
use moim_proto::fact::v1::{Fact, FactKind};
use moim_proto::notification::v1 as notification;
use moim_proto::notification::v1::notification_service_client::NotificationServiceClient;
use prost::Message;
use uuid::Uuid;

/// Something that happened on a topic.
#[derive(Debug)]
pub(super) enum Event<R> {
    /// A row came to the end of the list.
    Added { sequence: i64, row: R },
    /// A member may no longer read it.
    Departed(MemberId),
}

/// What a reader has missed.
pub(super) struct Missed<R> {
    pub rows: Vec<(i64, String, R)>,
    pub last_sequence: i64,
    pub more: bool,
}

/// A room with lists that are followed.
pub(super) trait Source: Clone + Send + Sync + 'static {
    type Row: Clone + Send + Sync + 'static;

    /// Its name in logs.
    const NAME: &'static str;
    /// Tag of its cursors.
    const CURSORS: u8;

    /// Reads an event; `None` for what adds nothing and ends nobody.
    fn read(fact: &Fact) -> Result<Option<Event<Self::Row>>, Fault>;

    /// Rows of a topic after a cursor; without one only where the list ends. Refuses who may not.
    fn resume(
        &self,
        call: &Call,
        topic: Uuid,
        after: Option<String>,
    ) -> impl Future<Output = Result<Missed<Self::Row>, Fault>> + Send;
}

fn decode<M: Message + Default>(fact: &Fact) -> Result<M, Fault> {
    M::decode(fact.payload.clone()).map_err(Fault::internal)
}

fn is_event(fact: &Fact) -> bool {
    fact.kind() == FactKind::Event
}

/// Messages by gathering.
#[derive(Clone)]
pub(super) struct Chat(pub ChatServiceClient<Wire>);

impl Source for Chat {
    type Row = chat::ChatMessage;

    const NAME: &'static str = "chat";
    const CURSORS: u8 = CHAT_MESSAGES;

    fn read(fact: &Fact) -> Result<Option<Event<Self::Row>>, Fault> {
        match fact.noun.as_str() {
            // Version 2 says that it was deleted.
            "chat_message" if is_event(fact) && fact.version == 1 => {
                let row = decode::<chat::ChatMessageEvent>(fact)?.message;
                let row = row.ok_or_else(|| Fault::internal("an event without its message"))?;
                Ok(Some(Event::Added { sequence: row.sequence, row }))
            }
            "chat_departure" if is_event(fact) => {
                let departure = decode::<chat::ChatDepartureEvent>(fact)?;
                Ok(Some(Event::Departed(departure.member_id.parse().map_err(Fault::internal)?)))
            }
            _ => Ok(None),
        }
    }

    async fn resume(
        &self,
        call: &Call,
        topic: Uuid,
        after: Option<String>,
    ) -> Result<Missed<Self::Row>, Fault> {
        let request = chat::ResumeRequest { gathering_id: topic.to_string(), after };
        let answer = self.0.clone().resume(call.request(request)).await?.into_inner();
        let rows = answer.messages.into_iter().zip(answer.cursors);
        Ok(Missed {
            rows: rows.map(|(row, cursor)| (row.sequence, cursor, row)).collect(),
            last_sequence: answer.last_sequence,
            more: answer.more,
        })
    }
}

/// Notifications by member.
#[derive(Clone)]
pub(super) struct Notifications(pub NotificationServiceClient<Wire>);

impl Source for Notifications {
    type Row = notification::Notification;

    const NAME: &'static str = "notification";
    const CURSORS: u8 = NOTIFICATIONS;

    fn read(fact: &Fact) -> Result<Option<Event<Self::Row>>, Fault> {
        if fact.noun != "notification" || !is_event(fact) {
            return Ok(None);
        }
        let row = decode::<notification::NotificationEvent>(fact)?.notification;
        let row = row.ok_or_else(|| Fault::internal("an event without its notification"))?;
        Ok(Some(Event::Added { sequence: row.sequence, row }))
    }

    async fn resume(
        &self,
        call: &Call,
        _: Uuid,
        after: Option<String>,
    ) -> Result<Missed<Self::Row>, Fault> {
        let request = call.request(notification::ResumeRequest { after });
        let answer = self.0.clone().resume(request).await?.into_inner();
        let rows = answer.notifications.into_iter().zip(answer.cursors);
        Ok(Missed {
            rows: rows.map(|(row, cursor)| (row.sequence, cursor, row)).collect(),
            last_sequence: answer.last_sequence,
            more: answer.more,
        })
    }
}
