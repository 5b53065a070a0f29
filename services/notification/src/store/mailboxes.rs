//! Putting notices into mailboxes: numbers without gaps, each cause once, a few statements for a thousand.

use std::collections::{BTreeMap, BTreeSet};

use moim_kit::id::{MemberId, NotificationId};
use moim_kit::{Fault, Timestamp};
use moim_storage::{Arg, Tx, View, args};

use super::{Store, own_id};
use crate::model::{Extent, Notice, Notification};

// Rows are inserted, and so locked, in the order of their ids: two audiences never wait for each other in a circle.
const NUMBER: &str = "
INSERT INTO mailbox (member_id, last_sequence, unread_count, swept_up_to) VALUES {rows}
ON CONFLICT (member_id) DO UPDATE
SET last_sequence = mailbox.last_sequence + 1, unread_count = mailbox.unread_count + 1
RETURNING member_id, last_sequence";
const INSERT: &str = "
INSERT INTO notification (cause, kind, text, korean_text, subject_noun, subject_id, created_at_us,
    id, member_id, sequence) VALUES {rows}
ON CONFLICT (member_id, cause) DO NOTHING RETURNING member_id";
const TAKE_BACK: &str = "
UPDATE mailbox SET last_sequence = last_sequence - 1, unread_count = unread_count - 1
WHERE member_id IN ({ids}) RETURNING member_id";
const FIND: &str =
    "SELECT last_sequence, swept_up_to, unread_count FROM mailbox WHERE member_id = $1";
const LOCK: &str = "
UPDATE mailbox SET swept_up_to = swept_up_to WHERE member_id = $1
RETURNING last_sequence, swept_up_to, unread_count";
const READ_UP_TO: &str = "
UPDATE notification SET read_at_us = $3
WHERE member_id = $1 AND sequence <= $2 AND read_at_us IS NULL";
const SET_UNREAD: &str = "UPDATE mailbox SET unread_count = $2 WHERE member_id = $1";
const LIST_STALE: &str = "
SELECT DISTINCT member_id FROM notification WHERE created_at_us < $1 AND member_id > $2
ORDER BY member_id LIMIT 100";
const FIRST_KEPT: &str = "
SELECT MIN(sequence) FROM notification WHERE member_id = $1 AND created_at_us >= $2";
const DELETE_UP_TO: &str = "DELETE FROM notification WHERE member_id = $1 AND sequence <= $2";
const SET_SWEPT: &str = "
UPDATE mailbox SET swept_up_to = $2, unread_count = (
    SELECT COUNT(*) FROM notification
    WHERE notification.member_id = $1 AND notification.read_at_us IS NULL)
WHERE member_id = $1";

/// Rows of one statement; sizes are powers of two, so that few distinct texts are prepared.
const LARGEST_CHUNK: usize = 512;

impl Store {
    /// Delivers a notice to each of its audience who has not got it for this cause; the mailboxes
    /// stay locked until the transaction ends, so that numbers are given in the order of commits.
    pub async fn deliver(
        &self,
        tx: &mut Tx,
        notice: &Notice,
        cause: &str,
        at: Timestamp,
    ) -> Result<Vec<Notification>, Fault> {
        let mut numbers: BTreeMap<MemberId, i64> = BTreeMap::new();
        let audience: Vec<_> = notice.audience.iter().copied().collect();
        for chunk in chunks(&audience) {
            let rows = places(chunk.len(), |row| format!("(${row}, 1, 1, 0)"));
            let args = chunk.iter().map(|member| Arg::from(*member)).collect();
            let sql = NUMBER.replace("{rows}", &rows);
            for (member, number) in tx.fetch_all::<(String, i64)>(&sql, args).await? {
                numbers.insert(own_id(&member)?, number);
            }
        }
        let new = numbers.iter().map(|(member, sequence)| Notification {
            id: NotificationId::fresh(),
            member: *member,
            sequence: *sequence,
            kind: notice.kind,
            text: notice.text.clone(),
            korean_text: notice.korean_text.clone(),
            subject: notice.subject.clone(),
            created_at: at,
            read_at: None,
        });
        let new: Vec<_> = new.collect();
        let mut delivered: BTreeSet<MemberId> = BTreeSet::new();
        for chunk in chunks(&new) {
            for (member,) in insert(tx, chunk, notice, cause, at).await? {
                delivered.insert(own_id(&member)?);
            }
        }
        // Nobody else saw these numbers: the mailboxes are locked.
        let twice = audience.iter().filter(|member| !delivered.contains(member));
        let twice: Vec<_> = twice.map(|member| Arg::from(*member)).collect();
        tx.fetch_in::<(String,)>(TAKE_BACK, vec![], twice).await?;
        Ok(new.into_iter().filter(|one| delivered.contains(&one.member)).collect())
    }

    /// How far a member's numbers go.
    pub async fn extent(&self, view: &View, member: MemberId) -> Result<Extent, Fault> {
        let found = view.fetch_optional(FIND, args![member]).await?;
        Ok(extent(found))
    }

    /// Marks everything of a member up to a number as read; answers how many are unread now.
    pub async fn read_up_to(
        &self,
        tx: &mut Tx,
        member: MemberId,
        sequence: i64,
        now: Timestamp,
    ) -> Result<i64, Fault> {
        let before = extent(tx.fetch_optional(LOCK, args![member]).await?).unread;
        let read = tx.execute(READ_UP_TO, args![member, sequence, now]).await?;
        let unread = before.saturating_sub(i64::try_from(read).map_err(Fault::internal)?);
        if read > 0 {
            tx.execute(SET_UNREAD, args![member, unread]).await?;
        }
        Ok(unread)
    }

    /// Members after `last` who have something older than `before`, by id.
    pub async fn list_stale(
        &self,
        before: Timestamp,
        last: Option<MemberId>,
    ) -> Result<Vec<MemberId>, Fault> {
        let last = last.map(|member| member.to_string()).unwrap_or_default();
        let rows: Vec<(String,)> =
            self.outbox.db().fetch_all(LIST_STALE, args![before, last]).await?;
        rows.iter().map(|(member,)| own_id(member)).collect()
    }

    /// Forgets the oldest of a member, up to the first that is not older than `before`, and
    /// remembers how far.
    pub async fn forget(&self, member: MemberId, before: Timestamp) -> Result<(), Fault> {
        let mut tx = self.begin().await?;
        let extent = extent(tx.fetch_optional(LOCK, args![member]).await?);
        let first = tx.fetch_optional::<(Option<i64>,)>(FIRST_KEPT, args![member, before]).await?;
        let up_to = first.and_then(|(first,)| first).map_or(extent.last, |first| first - 1);
        if up_to > extent.swept_up_to {
            tx.execute(DELETE_UP_TO, args![member, up_to]).await?;
            tx.execute(SET_SWEPT, args![member, up_to]).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

fn extent(row: Option<(i64, i64, i64)>) -> Extent {
    let (last, swept_up_to, unread) = row.unwrap_or_default();
    Extent { last, swept_up_to, unread }
}

async fn insert(
    tx: &mut Tx,
    chunk: &[Notification],
    notice: &Notice,
    cause: &str,
    at: Timestamp,
) -> Result<Vec<(String,)>, Fault> {
    let mut args = args![
        cause,
        notice.kind.word(),
        &notice.text,
        &notice.korean_text,
        &notice.subject.noun,
        notice.subject.id,
        at,
    ];
    let shared = args.len();
    for one in chunk {
        args.extend(args![one.id, one.member, one.sequence]);
    }
    let rows = places(chunk.len(), |row| {
        let first = shared + 3 * (row - 1) + 1;
        format!("($1, $2, $3, $4, $5, $6, $7, ${first}, ${}, ${})", first + 1, first + 2)
    });
    Ok(tx.fetch_all(&INSERT.replace("{rows}", &rows), args).await?)
}

/// The rows of a multi-row insert, counted from one.
fn places(count: usize, row: impl Fn(usize) -> String) -> String {
    (1..=count).map(row).collect::<Vec<_>>().join(", ")
}

fn chunks<T>(mut rest: &[T]) -> Vec<&[T]> {
    let mut found = Vec::new();
    while !rest.is_empty() {
        let largest = 1 << rest.len().ilog2();
        let (chunk, others) = rest.split_at(LARGEST_CHUNK.min(largest));
        found.push(chunk);
        rest = others;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_come_in_a_handful_of_chunks() {
        let all: Vec<_> = (0..1_000).collect();
        let sizes: Vec<_> = chunks(&all).iter().map(|chunk| chunk.len()).collect();
        assert_eq!(sizes, [512, 256, 128, 64, 32, 8]);
        assert!(chunks::<i32>(&[]).is_empty());
    }
}
