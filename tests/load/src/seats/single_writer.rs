//! One task that decides whatever claims have gathered, with one transaction for each batch.

use std::collections::HashSet;

use anyhow::Context as _;
use async_trait::async_trait;
use moim_kit::task::Tasks;
use tokio::sync::{mpsc, oneshot};

use super::ground::Database;
use super::{Claimed, Decision, Strategy};

const LOCK: &str = "SELECT going_count, capacity FROM seat_schedule WHERE id = $1";
const SEATED: &str =
    "SELECT member_id FROM seat_claim WHERE schedule_id = $1 AND member_id = ANY($2)";
const SIT: &str = "INSERT INTO seat_claim (schedule_id, member_id) SELECT $1, UNNEST($2)";
const TAKE: &str = "UPDATE seat_schedule SET going_count = $2, version = version + 1 WHERE id = $1";
/// Claims that wait to be decided; more have to wait to be asked.
const QUEUE: usize = 1_000;
const BATCH: usize = 128;

/// The end of the queue that claims are put in.
pub struct SingleWriter {
    queue: mpsc::Sender<Asked>,
    // Ends the writer with the round.
    _tasks: Ending,
}

struct Asked {
    member: String,
    answer: oneshot::Sender<Result<Decision, String>>,
}

struct Ending(Tasks);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.token().cancel();
    }
}

impl SingleWriter {
    pub fn start(database: Database) -> Self {
        let (queue, mut asked) = mpsc::channel(QUEUE);
        let tasks = Tasks::new();
        tasks.spawn("single writer", async move {
            let mut batch = Vec::with_capacity(BATCH);
            while asked.recv_many(&mut batch, BATCH).await > 0 {
                if let Err(error) = decide(&database, &mut batch).await {
                    for asked in batch.drain(..) {
                        let _ = asked.answer.send(Err(error.to_string()));
                    }
                }
            }
        });
        Self { queue, _tasks: Ending(tasks) }
    }
}

#[async_trait]
impl Strategy for SingleWriter {
    async fn claim(&self, member: &str) -> anyhow::Result<Claimed> {
        let (answer, answered) = oneshot::channel();
        self.queue
            .send(Asked { member: member.to_owned(), answer })
            .await
            .ok()
            .context("the writer is gone")?;
        let decided = answered.await.context("the writer is gone")?;
        Ok(Claimed::at_once(decided.map_err(anyhow::Error::msg)?))
    }
}

/// Decides a batch in the order it came and answers once it is committed.
async fn decide(
    Database { pool, schedule }: &Database,
    batch: &mut Vec<Asked>,
) -> anyhow::Result<()> {
    let members: Vec<String> = batch.iter().map(|asked| asked.member.clone()).collect();
    let mut tx = pool.begin().await?;
    let (going_count, capacity): (i64, i64) =
        sqlx::query_as(LOCK).bind(schedule.as_str()).fetch_one(&mut *tx).await?;
    let seated = sqlx::query_as(SEATED).bind(schedule.as_str()).bind(&members);
    let seated: Vec<(String,)> = seated.fetch_all(&mut *tx).await?;
    let mut seated: HashSet<String> = seated.into_iter().map(|(member,)| member).collect();
    let mut left = capacity - going_count;
    let mut granted = Vec::new();
    let decide = |member: String| {
        if seated.contains(&member) {
            return Decision::Already;
        }
        if left == 0 {
            return Decision::Full;
        }
        left -= 1;
        seated.insert(member.clone());
        granted.push(member);
        Decision::Granted
    };
    let decisions: Vec<Decision> = members.into_iter().map(decide).collect();
    if !granted.is_empty() {
        sqlx::query(SIT).bind(schedule.as_str()).bind(&granted).execute(&mut *tx).await?;
        sqlx::query(TAKE).bind(schedule.as_str()).bind(capacity - left).execute(&mut *tx).await?;
    }
    tx.commit().await?;
    for (asked, decision) in batch.drain(..).zip(decisions) {
        // Whoever has gone meanwhile keeps their seat.
        let _ = asked.answer.send(Ok(decision));
    }
    Ok(())
}
