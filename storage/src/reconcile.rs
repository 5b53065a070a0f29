//! Comparing copies with their owners: what stayed behind is counted and mended, what died is tried again.

use std::collections::HashMap;
use std::time::Duration;

use moim_kit::Fault;
use moim_kit::bus::{Digest, Fact};

use crate::args;
use crate::args::Arg;
use crate::dead_letter;
use crate::inbox::{Arrival, code_of};
use crate::reader::Hearing;

/// Younger states may still be on their way.
const ON_ITS_WAY: Duration = Duration::from_secs(10);
const PAGE: u32 = 200;

const DIGEST: &str = "
SELECT SUBSTR(aggregate_id, 35) AS bucket, COUNT(*) AS aggregates, CAST(SUM(version) AS BIGINT) AS versions
FROM inbox WHERE noun = $1 GROUP BY SUBSTR(aggregate_id, 35)";
const LIST_VERSIONS: &str =
    "SELECT aggregate_id, version FROM inbox WHERE noun = $1 AND aggregate_id IN ({ids})";

/// Reconciles for as long as the house stands.
pub(crate) async fn run(hearing: Hearing) {
    loop {
        tokio::time::sleep(hearing.inbox.outbox.reconcile_every()).await;
        hearing.revive().await;
        match hearing.mend().await {
            Ok(0) => {}
            Ok(drift) => {
                tracing::warn!(drift, source = hearing.inbox.source, "copies were behind; mended");
            }
            Err(error) => {
                tracing::warn!(%error, "copies could not be compared; trying again later")
            }
        }
    }
}

impl Hearing {
    /// Tries dead letters once more.
    async fn revive(&self) {
        let inbox = &self.inbox;
        let dead = match dead_letter::list(inbox.outbox.db(), inbox.source).await {
            Ok(dead) => dead,
            Err(error) => {
                tracing::warn!(%error, "dead letters could not be read; trying again later");
                return;
            }
        };
        for fact in dead {
            let Err(trouble) = inbox.revive(&fact).await else { continue };
            let culprit = trouble.culprit.as_ref().unwrap_or(&fact);
            let code = code_of(&trouble.fault);
            if let Err(error) = inbox.bury(culprit, code, &trouble.fault, None).await {
                tracing::warn!(%error, "a dead letter could not be kept");
            }
        }
    }

    /// Applies the owner's newest states where the copies are behind; answers how many were.
    async fn mend(&self) -> Result<u64, Fault> {
        let mut drift = 0;
        for noun in self.inbox.copies.nouns() {
            let Some(theirs) = self.log.digest(noun).await? else { continue };
            let rows: Vec<(String, i64, i64)> =
                self.inbox.outbox.db().fetch_all(DIGEST, args![*noun]).await?;
            let own: HashMap<_, _> =
                rows.into_iter().map(|(bucket, count, sum)| (bucket, (count, sum))).collect();
            for Digest { bucket, count, sum } in theirs {
                if own.get(&bucket) != Some(&(count, sum)) {
                    drift += self.mend_bucket(noun, &bucket).await?;
                }
            }
        }
        Ok(drift)
    }

    async fn mend_bucket(&self, noun: &str, bucket: &str) -> Result<u64, Fault> {
        let (mut after, mut drift) = (None, 0);
        loop {
            let states = self.log.states(noun, bucket, after, PAGE).await?;
            let Some(last) = states.last() else { return Ok(drift) };
            after = Some(last.aggregate);
            let behind = self.behind(noun, states).await?;
            if behind.is_empty() {
                continue;
            }
            drift += u64::try_from(behind.len()).unwrap_or(u64::MAX);
            self.inbox.count(|catalogue| &catalogue.drift_found, behind.len());
            self.take(&behind).await;
            let left = self.behind(noun, facts(&behind)).await?.len();
            self.inbox.count(|catalogue| &catalogue.drift_mended, behind.len() - left);
        }
    }

    async fn behind(&self, noun: &str, states: Vec<Fact>) -> Result<Vec<Arrival>, Fault> {
        let ids: Vec<Arg> = states.iter().map(|fact| fact.aggregate.into()).collect();
        let db = self.inbox.outbox.db();
        let rows = db.fetch_in::<(String, i64)>(LIST_VERSIONS, args![noun], ids).await?;
        let own: HashMap<_, _> = rows.into_iter().collect();
        let settled = self.inbox.outbox.clock().now().before(ON_ITS_WAY);
        let version = |fact: &Fact| own.get(&fact.aggregate.to_string()).copied().unwrap_or(0);
        let behind = states.into_iter().filter(|it| it.version > version(it) && it.at < settled);
        let arrival =
            |fact: Fact| Arrival { position: None, subject: fact.subject(), content: Ok(fact) };
        Ok(behind.map(arrival).collect())
    }
}

fn facts(arrivals: &[Arrival]) -> Vec<Fact> {
    arrivals.iter().filter_map(|it| it.content.clone().ok()).collect()
}
