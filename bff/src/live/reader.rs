//! One reader of a topic: first what it missed, then what comes, in order, each once.

use std::collections::VecDeque;
use std::time::Duration;

use futures::Stream;
use moim_kit::id::MemberId;
use moim_kit::page::Cursor;
use moim_kit::{Call, Code, Fault};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};
use uuid::Uuid;

use super::hub::{Hub, Seat};
use super::source::{Event, Missed, Source};
use super::topic::At;

/// For one question to the room.
const ASKED_WITHIN: Duration = Duration::from_secs(5);
/// How often a reader asks whether it still may, should a departure never be told.
const CHECKED_EVERY: Duration = Duration::from_secs(30);
/// Questions that failed are put again so soon, and so often before the reader gives up.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
const TRIES: u32 = 10;
/// The same of whoever comes, who is told nothing before the first answer.
const FIRST_TRIES: u32 = 6;

/// A row and its place in the list.
#[derive(Clone, Debug)]
pub struct Arrival<R> {
    /// Where a reader goes on after it.
    pub cursor: String,
    /// As the service spells it.
    pub row: R,
}

struct Reader<S: Source> {
    hub: Hub<S>,
    seat: Seat<S>,
    topic_id: Uuid,
    call: Call,
    viewer: Option<MemberId>,
    /// Sequence of what was delivered last.
    last: i64,
    /// Position in the topic's ring.
    position: u64,
    /// Fetched, not yet delivered.
    backlog: VecDeque<(i64, Arrival<S::Row>)>,
    /// The room has rows after the last that did not come by the ring.
    behind: bool,
    /// It has reached the live end once, so that falling behind is its own doing.
    live: bool,
    check_at: Instant,
    outages: watch::Receiver<u64>,
}

impl<S: Source> Hub<S> {
    /// Rows of a topic after a cursor, or from now on. Refuses at once whoever may not read it.
    pub(super) async fn read(
        &self,
        call: &Call,
        topic_id: Uuid,
        after: Option<String>,
    ) -> Result<impl Stream<Item = Result<Arrival<S::Row>, Fault>> + Send + use<S>, Fault> {
        let outages = self.shared().outages.subscribe();
        let seat = self.sit_down(topic_id).await?;
        let mut reader = Reader {
            hub: self.clone(),
            position: seat.topic.next(),
            seat,
            topic_id,
            call: call.clone(),
            viewer: call.viewer(),
            last: 0,
            backlog: VecDeque::new(),
            behind: false,
            live: false,
            check_at: next_check(),
            outages,
        };
        // The first question is this call's own: it waits for what the client has seen.
        let source = &self.shared().source;
        let mut outage = Outage::of(FIRST_TRIES);
        let missed = loop {
            match source.resume(&call.afresh(soon()), topic_id, after.clone()).await {
                Ok(missed) => break missed,
                Err(fault) => outage.sit_out(fault).await?,
            }
        };
        match after {
            Some(cursor) => {
                reader.last = Cursor::decode(&cursor, S::CURSORS, "after")?.key;
                reader.keep(missed);
            }
            None => reader.last = missed.last_sequence,
        }
        Ok(futures::stream::unfold(Some(reader), |reader| async {
            let mut reader = reader?;
            let arrived = reader.next().await;
            let rest = arrived.is_ok().then_some(reader);
            Some((arrived, rest))
        }))
    }
}

impl<S: Source> Reader<S> {
    async fn next(&mut self) -> Result<Arrival<S::Row>, Fault> {
        loop {
            // A reader that finds something each time must still let others have their turn.
            tokio::task::coop::consume_budget().await;
            if let Some((sequence, arrival)) = self.backlog.pop_front() {
                self.last = sequence;
                return Ok(arrival);
            }
            if self.behind {
                self.catch_up().await?;
                continue;
            }
            match self.seat.topic.at(self.position) {
                At::Event(event) => {
                    self.position += 1;
                    if let Some(arrival) = self.take(&event)? {
                        return Ok(arrival);
                    }
                }
                At::Gone if self.live => return Err(too_slow()),
                // While it caught up more came than a ring holds: there is more to catch up with.
                At::Gone => self.behind = true,
                At::End => {
                    self.live = true;
                    self.wait().await?;
                }
            }
        }
    }

    fn take(&mut self, event: &Event<S::Row>) -> Result<Option<Arrival<S::Row>>, Fault> {
        match event {
            Event::Departed(member) if Some(*member) == self.viewer => Err(departed()),
            Event::Departed(_) => Ok(None),
            Event::Added { sequence, .. } if *sequence <= self.last => Ok(None),
            Event::Added { sequence, row } if *sequence == self.last + 1 => {
                self.last = *sequence;
                Ok(Some(Arrival { cursor: self.cursor(), row: row.clone() }))
            }
            Event::Added { .. } => {
                self.behind = true;
                Ok(None)
            }
        }
    }

    /// Returns when something came, or it was found that the reader still may.
    async fn wait(&mut self) -> Result<(), Fault> {
        tokio::select! {
            () = self.seat.topic.reached(self.position) => return Ok(()),
            () = sleep_until(self.check_at) => {}
            // The hub, which tells of outages, is held here.
            _ = self.outages.changed() => {}
        }
        self.check_at = next_check();
        match self.ask(None).await {
            Ok(missed) => self.behind = missed.last_sequence > self.last,
            Err(fault) if fault.code().is_retryable() => {}
            Err(fault) => return Err(fault),
        }
        Ok(())
    }

    /// Fetches a page of what did not come by the ring.
    async fn catch_up(&mut self) -> Result<(), Fault> {
        let mut outage = Outage::of(TRIES);
        loop {
            // What is in the ring by now is in the room's answer too, so the ring counts from here.
            let position = self.seat.topic.next();
            match self.ask(Some(self.cursor())).await {
                Ok(missed) => {
                    self.position = position;
                    self.keep(missed);
                    return Ok(());
                }
                Err(fault) => outage.sit_out(fault).await?,
            }
        }
    }

    fn keep(&mut self, missed: Missed<S::Row>) {
        self.behind = missed.more && !missed.rows.is_empty();
        let last = self.last;
        let rows = missed.rows.into_iter().filter(|(sequence, ..)| *sequence > last);
        self.backlog
            .extend(rows.map(|(sequence, cursor, row)| (sequence, Arrival { cursor, row })));
    }

    async fn ask(&self, after: Option<String>) -> Result<Missed<S::Row>, Fault> {
        let call = self.call.afresh(soon());
        self.hub.shared().source.resume(&call, self.topic_id, after).await
    }

    /// The place of what was delivered last, spelled as the room does.
    fn cursor(&self) -> String {
        Cursor { key: self.last, id: self.topic_id }.encode(S::CURSORS)
    }
}

/// Short outages of the room are sat out; not by all for the same time.
struct Outage {
    pause: Duration,
    tries: u32,
}

impl Outage {
    fn of(tries: u32) -> Self {
        Self { pause: FIRST_PAUSE, tries }
    }

    /// Returns when the question that failed may be put again, or why it should not be.
    async fn sit_out(&mut self, fault: Fault) -> Result<(), Fault> {
        self.tries -= 1;
        if self.tries == 0 || !fault.code().is_retryable() {
            return Err(fault);
        }
        sleep(self.pause - self.pause / 2 * random() / 256).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Ok(())
    }
}

fn soon() -> Instant {
    Instant::now() + ASKED_WITHIN
}

/// Spread over a quarter, so that readers who began together do not all ask together.
fn next_check() -> Instant {
    Instant::now() + CHECKED_EVERY - CHECKED_EVERY / 4 * random() / 256
}

/// From 0 to 255.
fn random() -> u32 {
    u32::from(Uuid::new_v4().as_bytes()[0])
}

fn too_slow() -> Fault {
    Fault::new(
        Code::RateLimited,
        "SLOW_CONSUMER",
        "You read more slowly than is written; go on from your last cursor.",
    )
    .in_korean("읽는 속도가 너무 느립니다. 마지막 커서부터 다시 이어 주세요.")
}

fn departed() -> Fault {
    Fault::new(Code::Forbidden, "NO_LONGER_A_MEMBER", "You are no longer in this gathering.")
        .in_korean("이제 이 모임의 멤버가 아닙니다.")
}
