//! Reading chats: pages of many gatherings in one query, and what a live reader has missed.

use std::collections::HashMap;

use moim_kit::id::{ChatMessageId, GatheringId};
use moim_kit::page::{Cursor, Direction, MAX_PAGE, PageSpec};
use moim_kit::{Call, Fault};
use moim_proto::chat::v1 as proto;
use moim_proto::page::v1::Page;
use moim_storage::View;
use tonic::Response;

use super::Server;
use crate::convert;
use crate::fault::Reason;
use crate::model::{self, Message, Role};

const MOST_IDS: usize = 200;

impl Server {
    pub(super) async fn get_messages(
        &self,
        call: &Call,
        request: proto::BatchGetRequest,
    ) -> Result<Response<proto::BatchGetResponse>, Fault> {
        require_few(&request.ids)?;
        // What is no id names nothing.
        let ids: Vec<ChatMessageId> = request.ids.iter().filter_map(|id| id.parse().ok()).collect();
        let view = self.reads.of(call).await;
        let found = self.store.list_messages(&view, ids).await?;
        let roles = self.roles(&view, call, found.iter().map(|message| message.gathering)).await?;
        let messages = found
            .iter()
            .filter(|message| roles.contains_key(&message.gathering))
            .map(|message| convert::message(message, call.viewer()))
            .collect();
        Ok(Response::new(proto::BatchGetResponse { messages }))
    }

    pub(super) async fn list_messages(
        &self,
        call: &Call,
        request: proto::BatchListRequest,
    ) -> Result<Response<proto::BatchListResponse>, Fault> {
        require_few(&request.gathering_ids)?;
        let parse = |id: &String| GatheringId::parse(id, "gatheringIds");
        let asked: Vec<_> = request.gathering_ids.iter().map(parse).collect::<Result<_, _>>()?;
        let page = convert::page_spec(request.page.as_ref())?;
        require_own_cursor(&page, &asked)?;
        let view = self.reads.of(call).await;
        let roles = self.roles(&view, call, asked.iter().copied()).await?;
        let found = self.store.list_messages_of(&view, roles.keys().copied(), &page).await?;
        let lists = asked
            .iter()
            .map(|id| {
                if !roles.contains_key(id) {
                    let page = Some(Page::default());
                    return proto::ChatMessageList { page, ..proto::ChatMessageList::default() };
                }
                let rows = found.get(id).cloned().unwrap_or_default();
                let page = page.page(rows, convert::place);
                let shown = |message: &Message| convert::message(message, call.viewer());
                proto::ChatMessageList {
                    visible: true,
                    messages: page.rows.iter().map(shown).collect(),
                    page: Some(Page {
                        has_next_page: page.has_next_page,
                        has_previous_page: page.has_previous_page,
                        cursors: page.cursors,
                    }),
                }
            })
            .collect();
        Ok(Response::new(proto::BatchListResponse { lists }))
    }

    pub(super) async fn catch_up(
        &self,
        call: &Call,
        request: proto::ResumeRequest,
    ) -> Result<Response<proto::ResumeResponse>, Fault> {
        let caller = call.require_caller()?;
        let gathering = GatheringId::parse(&request.gathering_id, "gatheringId")?;
        // Who follows must miss nothing that was told before it took its seat.
        let view = self.reads.primary();
        if !self.roles(&view, call, [gathering]).await?.contains_key(&gathering) {
            return Err(Reason::NotAMember.into());
        }
        let last_sequence = self.store.last_sequence(&view, gathering).await?;
        let Some(after) = &request.after else {
            return Ok(Response::new(proto::ResumeResponse {
                last_sequence,
                ..proto::ResumeResponse::default()
            }));
        };
        let cursor = Cursor::decode(after, convert::LIST, "after")?;
        if cursor.id != gathering.uuid() {
            return Err(Reason::CursorInvalid.into());
        }
        let after = model::resumable(cursor.key, last_sequence, self.resume_limit)?;
        let limit = i64::from(MAX_PAGE);
        let messages = self.store.list_after(&view, gathering, after, last_sequence, limit).await?;
        let reached = messages.last().map_or(last_sequence, |message| message.sequence);
        Ok(Response::new(proto::ResumeResponse {
            cursors: messages.iter().map(|it| convert::place(it).encode(convert::LIST)).collect(),
            messages: messages
                .iter()
                .map(|message| convert::message(message, Some(caller.member)))
                .collect(),
            last_sequence,
            more: reached < last_sequence,
        }))
    }

    /// The caller's roles in gatherings; none when anonymous.
    async fn roles(
        &self,
        view: &View,
        call: &Call,
        gatherings: impl IntoIterator<Item = GatheringId>,
    ) -> Result<HashMap<GatheringId, Role>, Fault> {
        match call.viewer() {
            Some(member) => self.store.list_roles(view, member, gatherings).await,
            None => Ok(HashMap::new()),
        }
    }
}

/// A cursor goes with one gathering, the one it was given out for.
fn require_own_cursor(page: &PageSpec, asked: &[GatheringId]) -> Result<(), Fault> {
    let Some(cursor) = page.cursor else { return Ok(()) };
    let field = if page.direction == Direction::Forward { "after" } else { "before" };
    match asked {
        [only] if only.uuid() == cursor.id => Ok(()),
        [_] => Err(Fault::from(Reason::CursorInvalid).at(field)),
        _ => Err(Fault::from(Reason::CursorNeedsOne).at(field)),
    }
}

fn require_few(ids: &[String]) -> Result<(), Reason> {
    if ids.len() > MOST_IDS { Err(Reason::TooManyIds) } else { Ok(()) }
}
