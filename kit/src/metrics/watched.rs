//! Numbers that stand somewhere already, and are read only when somebody asks.

use std::fmt;
use std::sync::{Arc, Weak};

use opentelemetry::KeyValue;
use parking_lot::Mutex;

type Read = Box<dyn Fn() -> Option<i64> + Send + Sync>;

/// A number that is the sum of what is watched under the same labels; clones are one.
#[derive(Clone, Default)]
pub struct Watched(Arc<Mutex<Vec<Watcher>>>);

struct Watcher {
    labels: Vec<KeyValue>,
    read: Read,
}

impl Watched {
    /// Has a number of something read for as long as that lives; the reading must be quick.
    pub fn watch<T: Send + Sync + 'static>(
        &self,
        of: &Arc<T>,
        labels: &[KeyValue],
        read: impl Fn(&T) -> usize + Send + Sync + 'static,
    ) {
        let of: Weak<T> = Arc::downgrade(of);
        self.watch_while(labels, move || Some(read(&*of.upgrade()?)));
    }

    /// Has a number read until there is none any more; the reading must be quick.
    pub fn watch_while(
        &self,
        labels: &[KeyValue],
        read: impl Fn() -> Option<usize> + Send + Sync + 'static,
    ) {
        let read = move || Some(i64::try_from(read()?).unwrap_or(i64::MAX));
        self.0.lock().push(Watcher { labels: labels.to_vec(), read: Box::new(read) });
    }

    /// What there is to tell now; what is gone is forgotten.
    pub(super) fn read(&self) -> Vec<(Vec<KeyValue>, i64)> {
        let mut sums: Vec<(Vec<KeyValue>, i64)> = Vec::new();
        self.0.lock().retain(|watcher| {
            let Some(number) = (watcher.read)() else { return false };
            match sums.iter_mut().find(|(labels, _)| *labels == watcher.labels) {
                Some((_, sum)) => *sum += number,
                None => sums.push((watcher.labels.clone(), number)),
            }
            true
        });
        sums
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Watched").field(&self.0.lock().len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_the_same_labels_is_one_number_and_what_is_gone_is_none() {
        let watched = Watched::default();
        let (one, other) = (Arc::new(2), Arc::new(3));
        let labels = [KeyValue::new("room", "member")];
        watched.watch(&one, &labels, |number| *number);
        watched.watch(&other, &labels, |number| *number);
        assert_eq!(watched.read(), [(labels.to_vec(), 5)]);
        drop(other);
        assert_eq!(watched.read(), [(labels.to_vec(), 2)]);
        drop(one);
        assert!(watched.read().is_empty());
    }
}
