//! A log that is handed out before the room it belongs to stands.
//!
//! Rooms may hear each other although one of them opens first: it is given such a log, which is
//! filled once the other stands. Until then it has nothing to read.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use moim_kit::bus::{Consumer, Digest, Entry, Fact, Feed, Log};
use moim_kit::{Code, Fault};
use tokio::sync::SetOnce;
use uuid::Uuid;

/// Rooms open in seconds; whoever would rather have a broker's feed than read is told to try again then.
const OPENS_WITHIN: Duration = Duration::from_secs(30);

/// Stands in for a log that comes later.
#[derive(Default)]
pub struct LateLog {
    log: SetOnce<Arc<dyn Log>>,
}

impl LateLog {
    /// From now on this log is read; a second one is not taken.
    pub fn fill(&self, log: Arc<dyn Log>) {
        if self.log.set(log).is_err() {
            tracing::error!("a log that stands was to be filled again");
        }
    }
}

#[async_trait]
impl Log for LateLog {
    async fn read(&self, position: i64, limit: u32) -> Result<Vec<Entry>, Fault> {
        match self.log.get() {
            Some(log) => log.read(position, limit).await,
            None => Ok(Vec::new()),
        }
    }

    async fn wait(&self, position: i64, at_most: Duration) -> Result<(), Fault> {
        if let Some(log) = self.log.get() {
            return log.wait(position, at_most).await;
        }
        // Once it is filled there may be something newer, which the next read finds.
        let _ = tokio::time::timeout(at_most, self.log.wait()).await;
        Ok(())
    }

    /// Waits for the log: only that knows whether there is a broker, and whoever heard that there is none
    /// would never ask again.
    async fn feed(&self, consumer: &Consumer) -> Result<Option<Box<dyn Feed>>, Fault> {
        match tokio::time::timeout(OPENS_WITHIN, self.log.wait()).await {
            Ok(log) => log.feed(consumer).await,
            Err(_) => Err(Fault::new(Code::Unavailable, "NOT_OPEN", "The room is still opening.")
                .in_korean("아직 준비하는 중입니다. 잠시 후 다시 시도해 주세요.")),
        }
    }

    async fn digest(&self, noun: &str) -> Result<Option<Vec<Digest>>, Fault> {
        match self.log.get() {
            Some(log) => log.digest(noun).await,
            None => Ok(None),
        }
    }

    async fn lag(&self, consumer: &Consumer, position: i64) -> Result<Option<u64>, Fault> {
        match self.log.get() {
            Some(log) => log.lag(consumer, position).await,
            None => Ok(None),
        }
    }

    async fn states(
        &self,
        noun: &str,
        bucket: &str,
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<Fact>, Fault> {
        match self.log.get() {
            Some(log) => log.states(noun, bucket, after, limit).await,
            None => Ok(Vec::new()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail loudly")]
mod tests {
    use std::sync::Mutex;

    use moim_kit::Timestamp;
    use moim_kit::bus::Kind;

    use super::*;

    const LONG: Duration = Duration::from_secs(3_600);
    /// Far more than a wake-up takes, and far less than what was to be waited for.
    const SOON: Duration = Duration::from_secs(20);

    /// One entry, no broker, and what it was asked.
    #[derive(Default)]
    struct Standing {
        asked: Mutex<Vec<String>>,
    }

    impl Standing {
        fn note(&self, question: String) {
            self.asked.lock().unwrap().push(question);
        }
    }

    #[async_trait]
    impl Log for Standing {
        async fn read(&self, position: i64, limit: u32) -> Result<Vec<Entry>, Fault> {
            self.note(format!("read {position} {limit}"));
            Ok(vec![Entry { position: 1, fact: fact() }])
        }

        async fn wait(&self, position: i64, at_most: Duration) -> Result<(), Fault> {
            self.note(format!("wait {position} {at_most:?}"));
            Err(away())
        }

        async fn feed(&self, consumer: &Consumer) -> Result<Option<Box<dyn Feed>>, Fault> {
            self.note(format!("feed {}", consumer.name()));
            Err(away())
        }

        async fn digest(&self, noun: &str) -> Result<Option<Vec<Digest>>, Fault> {
            self.note(format!("digest {noun}"));
            Ok(Some(vec![Digest { bucket: "7f".to_owned(), count: 1, sum: 1 }]))
        }

        async fn lag(&self, consumer: &Consumer, position: i64) -> Result<Option<u64>, Fault> {
            self.note(format!("lag {} {position}", consumer.name()));
            Ok(Some(3))
        }

        async fn states(
            &self,
            noun: &str,
            bucket: &str,
            after: Option<Uuid>,
            limit: u32,
        ) -> Result<Vec<Fact>, Fault> {
            self.note(format!("states {noun} {bucket} {} {limit}", after.is_some()));
            Ok(vec![fact()])
        }
    }

    fn away() -> Fault {
        Fault::new(Code::Unavailable, "AWAY", "Nobody is there.")
    }

    fn fact() -> Fact {
        Fact {
            id: Uuid::nil(),
            kind: Kind::State,
            noun: "rating".to_owned(),
            aggregate: Uuid::nil(),
            version: 1,
            payload: Vec::new().into(),
            trace: String::new(),
            at: Timestamp::from_us(1),
            topic: None,
        }
    }

    #[tokio::test]
    async fn before_it_is_filled_it_is_empty_and_waits_no_longer_than_asked() {
        let late = LateLog::default();
        assert_eq!(late.read(0, 10).await.unwrap(), []);
        late.wait(0, Duration::from_millis(10)).await.unwrap();
        assert_eq!(late.digest("rating").await.unwrap(), None);
        assert_eq!(late.lag(&Consumer::room("gathering"), 0).await.unwrap(), None);
        assert_eq!(late.states("rating", "7f", None, 10).await.unwrap(), []);
    }

    #[tokio::test]
    async fn whoever_waits_is_woken_when_it_is_filled() {
        let late = LateLog::default();
        let fill = async { late.fill(Arc::new(Standing::default())) };
        let gathering = Consumer::room("gathering");
        let all = async { tokio::join!(late.wait(0, LONG), late.feed(&gathering), fill) };
        let (waited, fed, ()) = tokio::time::timeout(SOON, all).await.unwrap();
        waited.unwrap();
        assert_eq!(fed.err().map(|fault| fault.reason().to_owned()).as_deref(), Some("AWAY"));
        assert_eq!(late.read(0, 10).await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn once_filled_it_hands_everything_on_and_keeps_to_the_first() {
        let (late, standing) = (LateLog::default(), Arc::new(Standing::default()));
        late.fill(standing.clone());
        late.fill(Arc::new(Standing::default()));
        assert_eq!(late.read(7, 20).await.unwrap().len(), 1);
        assert_eq!(late.wait(8, LONG).await.unwrap_err().reason(), "AWAY");
        assert!(late.feed(&Consumer::room("gathering")).await.is_err());
        assert_eq!(late.digest("rating").await.unwrap().unwrap().len(), 1);
        assert_eq!(late.lag(&Consumer::room("gathering"), 5).await.unwrap(), Some(3));
        let after = Some(Uuid::nil());
        assert_eq!(late.states("rating", "7f", after, 9).await.unwrap(), [fact()]);
        let asked = [
            "read 7 20",
            "wait 8 3600s",
            "feed gathering",
            "digest rating",
            "lag gathering 5",
            "states rating 7f true 9",
        ];
        assert_eq!(*standing.asked.lock().unwrap(), asked);
    }
}
