//! Messages in the database: a place for each under the gathering's lock, and pages of many gatherings.

use std::collections::HashMap;

use moim_kit::id::{ChatMessageId, GatheringId, MemberId};
use moim_kit::page::PageSpec;
use moim_kit::{Fault, Timestamp};
use moim_storage::{Arg, Keyset, Tx, View, args, violates};

use super::Store;
use crate::fault::Reason;
use crate::model::{Card, Message};

macro_rules! select {
    ($tail:literal) => {
        concat!(
            "SELECT m.id, m.gathering_id, m.sequence, m.author_id, m.client_id, m.body, ",
            "m.sent_at_us, m.version, c.nickname, c.avatar_url ",
            "FROM message m JOIN card c ON c.member_id = m.author_id ",
            $tail
        )
    };
}

// From this write to the commit nobody else gets a place in this gathering, and a place that is not
// kept is given out again: so sequences have no gaps and become visible in their order.
const NEXT_SEQUENCE: &str = "
INSERT INTO chat (gathering_id, last_sequence) VALUES ($1, 1)
ON CONFLICT (gathering_id) DO UPDATE SET last_sequence = chat.last_sequence + 1
RETURNING last_sequence";
const NEWEST_SEQUENCE: &str = "SELECT CAST(COALESCE(MAX(sequence), 0) AS BIGINT) AS last FROM message WHERE gathering_id = $1";
const INSERT: &str = "
INSERT INTO message (id, gathering_id, sequence, author_id, client_id, body, sent_at_us, version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const UPDATE: &str =
    "UPDATE message SET body = $3, version = $2 WHERE id = $1 AND version + 1 = $2";
const LOCK: &str = "UPDATE message SET version = version WHERE id = $1";
const FIND: &str = select!("WHERE m.id = $1");
const FIND_MANY: &str = select!("WHERE m.id IN ({ids})");
const FIND_SENT: &str =
    select!("WHERE m.gathering_id = $1 AND m.author_id = $2 AND m.client_id = $3");
const LIST_AFTER: &str = select!(
    "WHERE m.gathering_id = $1 AND m.sequence > $2 AND m.sequence <= $3
     ORDER BY m.sequence LIMIT $4"
);

const OLDEST: Keyset = Keyset { key: "sequence", id: "gathering_id", descending: false };

#[derive(sqlx::FromRow)]
struct MessageRow {
    id: String,
    gathering_id: String,
    sequence: i64,
    author_id: String,
    client_id: String,
    body: Option<String>,
    sent_at_us: i64,
    version: i64,
    nickname: String,
    avatar_url: Option<String>,
}

impl TryFrom<MessageRow> for Message {
    type Error = Fault;

    fn try_from(row: MessageRow) -> Result<Self, Fault> {
        Ok(Self {
            id: row.id.parse().map_err(Fault::internal)?,
            gathering: row.gathering_id.parse().map_err(Fault::internal)?,
            sequence: row.sequence,
            author: Card {
                member: row.author_id.parse().map_err(Fault::internal)?,
                nickname: row.nickname,
                avatar_url: row.avatar_url,
            },
            client_id: row.client_id,
            body: row.body,
            sent_at: Timestamp::from_us(row.sent_at_us),
            version: row.version,
        })
    }
}

fn all(rows: Vec<MessageRow>) -> Result<Vec<Message>, Fault> {
    rows.into_iter().map(Message::try_from).collect()
}

impl Store {
    /// The place of the next message of a gathering, held until this transaction ends.
    pub async fn next_sequence(&self, tx: &mut Tx, gathering: GatheringId) -> Result<i64, Fault> {
        if self.careless {
            return Ok(self.last_sequence(&self.outbox.view(), gathering).await? + 1);
        }
        let row = tx.fetch_optional::<(i64,)>(NEXT_SEQUENCE, args![gathering]).await?;
        row.map(|(sequence,)| sequence).ok_or_else(|| Fault::internal("no place was given"))
    }

    /// Sequence of the newest message; 0 without any.
    pub async fn last_sequence(&self, view: &View, gathering: GatheringId) -> Result<i64, Fault> {
        let row = view.fetch_optional::<(i64,)>(NEWEST_SEQUENCE, args![gathering]).await?;
        Ok(row.unwrap_or_default().0)
    }

    pub async fn insert_message(&self, tx: &mut Tx, new: &Message) -> Result<(), Fault> {
        let args = args![
            new.id,
            new.gathering,
            new.sequence,
            new.author.member,
            &new.client_id,
            new.body.as_deref(),
            new.sent_at,
            new.version,
        ];
        let columns = "message.gathering_id, message.author_id, message.client_id";
        let twice = violates("client_id_reused", columns, Reason::ClientIdReused);
        tx.execute(INSERT, args).await.map_err(twice)?;
        Ok(())
    }

    /// Writes the next version of a locked message.
    pub async fn update_message(&self, tx: &mut Tx, new: &Message) -> Result<(), Fault> {
        if tx.execute(UPDATE, args![new.id, new.version, new.body.as_deref()]).await? != 1 {
            return Err(Fault::internal("a locked message changed"));
        }
        Ok(())
    }

    /// A message that nobody else changes until this transaction ends.
    pub async fn lock_message(&self, tx: &mut Tx, id: ChatMessageId) -> Result<Message, Fault> {
        tx.execute(LOCK, args![id]).await?;
        let row: Option<MessageRow> = tx.fetch_optional(FIND, args![id]).await?;
        row.ok_or(Reason::MessageNotFound)?.try_into()
    }

    /// What an author sent under a client id.
    pub async fn find_sent(
        &self,
        tx: &mut Tx,
        gathering: GatheringId,
        author: MemberId,
        client_id: &str,
    ) -> Result<Option<Message>, Fault> {
        let args = args![gathering, author, client_id];
        let row: Option<MessageRow> = tx.fetch_optional(FIND_SENT, args).await?;
        row.map(Message::try_from).transpose()
    }

    /// Messages by id, those that exist.
    pub async fn list_messages(
        &self,
        view: &View,
        ids: Vec<ChatMessageId>,
    ) -> Result<Vec<Message>, Fault> {
        let list = ids.into_iter().map(Arg::from).collect();
        all(view.fetch_in(FIND_MANY, vec![], list).await?)
    }

    /// The first messages after one sequence up to another, oldest first.
    pub async fn list_after(
        &self,
        view: &View,
        gathering: GatheringId,
        after: i64,
        last: i64,
        limit: i64,
    ) -> Result<Vec<Message>, Fault> {
        all(view.fetch_all(LIST_AFTER, args![gathering, after, last, limit]).await?)
    }

    /// One page of each gathering's messages; rows come in the order of travel, one more than asked
    /// where there are more.
    pub async fn list_messages_of(
        &self,
        view: &View,
        gatherings: impl IntoIterator<Item = GatheringId>,
        page: &PageSpec,
    ) -> Result<HashMap<GatheringId, Vec<Message>>, Fault> {
        let mut args = args![page.fetch()];
        let condition = OLDEST.condition(page, &mut args);
        let columns = select!("");
        let sql = format!(
            "{columns} JOIN (
                SELECT id, ROW_NUMBER() OVER (PARTITION BY gathering_id ORDER BY {order}) AS nth
                FROM message WHERE gathering_id IN ({{ids}}) AND {condition}
             ) AS ranked ON ranked.id = m.id
             WHERE ranked.nth <= $1 ORDER BY m.gathering_id, ranked.nth",
            order = OLDEST.order(page),
        );
        let list = gatherings.into_iter().map(Arg::from).collect();
        let mut lists: HashMap<_, Vec<_>> = HashMap::new();
        for message in all(view.fetch_in(&sql, args, list).await?)? {
            lists.entry(message.gathering).or_default().push(message);
        }
        Ok(lists)
    }
}
