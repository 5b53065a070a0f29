//! A log written by a test: facts of another room, in any order, late or twice.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use moim_kit::bus::{Consumer, Entry, Fact, Kind, Log};
use moim_kit::{Clock, Fault};
use prost::Message;
use tokio::sync::Notify;
use uuid::Uuid;

/// Facts in the order they were pushed; while held back, readers see none of them.
#[derive(Default)]
pub struct ScriptedLog {
    entries: Mutex<Vec<Entry>>,
    held: AtomicBool,
    changed: Notify,
}

impl ScriptedLog {
    /// An empty log.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Tells a state.
    pub fn push(&self, noun: &str, aggregate: Uuid, version: i64, state: &impl Message) {
        self.push_as(Kind::State, noun, aggregate, version, state);
    }

    /// Tells an event.
    pub fn push_event(&self, noun: &str, aggregate: Uuid, version: i64, event: &impl Message) {
        self.push_as(Kind::Event, noun, aggregate, version, event);
    }

    fn push_as(
        &self,
        kind: Kind,
        noun: &str,
        aggregate: Uuid,
        version: i64,
        message: &impl Message,
    ) {
        let mut entries = self.entries.lock().unwrap();
        let position = i64::try_from(entries.len()).unwrap() + 1;
        entries.push(Entry {
            position,
            fact: Fact {
                id: Uuid::now_v7(),
                kind,
                topic: None,
                noun: noun.to_owned(),
                aggregate,
                version,
                payload: message.encode_to_vec().into(),
                trace: String::new(),
                at: Clock::system().now(),
            },
        });
        self.changed.notify_waiters();
    }

    /// Makes the bus slow: nothing arrives until it is released.
    pub fn hold(&self) {
        self.held.store(true, Ordering::SeqCst);
    }

    /// Lets everything arrive.
    pub fn release(&self) {
        self.held.store(false, Ordering::SeqCst);
        self.changed.notify_waiters();
    }
}

#[async_trait]
impl Log for ScriptedLog {
    async fn read(&self, position: i64, limit: u32) -> Result<Vec<Entry>, Fault> {
        if self.held.load(Ordering::SeqCst) {
            return Ok(Vec::new());
        }
        let entries = self.entries.lock().unwrap();
        let limit = usize::try_from(limit).unwrap();
        Ok(entries.iter().filter(|entry| entry.position > position).take(limit).cloned().collect())
    }

    async fn wait(&self, _: i64, at_most: Duration) -> Result<(), Fault> {
        let soon = at_most.min(Duration::from_millis(20));
        let _ = tokio::time::timeout(soon, self.changed.notified()).await;
        Ok(())
    }

    async fn lag(&self, _: &Consumer, position: i64) -> Result<Option<u64>, Fault> {
        let told = i64::try_from(self.entries.lock().unwrap().len()).unwrap();
        Ok(Some(u64::try_from(told - position).unwrap()))
    }
}
