//! A small balancer: looks at `/readyz` of every endpoint, and sends only to those that are ready.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::sleep;

/// Several times within the shortest drain.
const LOOK_EVERY: Duration = Duration::from_millis(50);
const LOOK_WITHIN: Duration = Duration::from_millis(500);

/// Endpoints, and which of them may be sent work.
pub struct Balancer {
    ends: Vec<End>,
    next: AtomicUsize,
}

struct End {
    url: String,
    ready: AtomicBool,
}

impl Balancer {
    /// All ready to begin with.
    pub fn new(urls: impl IntoIterator<Item = String>) -> Self {
        let end = |url| End { url, ready: AtomicBool::new(true) };
        Self { ends: urls.into_iter().map(end).collect(), next: AtomicUsize::new(0) }
    }

    /// The next that is ready; when none is, the next.
    pub fn pick(&self) -> &str {
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        let turn = || (0..self.ends.len()).map(|step| &self.ends[(first + step) % self.ends.len()]);
        let ready = turn().find(|end| end.ready.load(Ordering::Relaxed));
        &ready.or_else(|| turn().next()).unwrap().url
    }

    /// Takes one out at once: it could not be reached.
    pub fn unreachable(&self, url: &str) {
        let found = self.ends.iter().filter(|end| end.url == url);
        found.for_each(|end| end.ready.store(false, Ordering::Relaxed));
    }

    /// Looks again and again.
    pub async fn watch(&self) {
        let http = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
        loop {
            for end in &self.ends {
                let asked = http.get(format!("{}/readyz", end.url)).timeout(LOOK_WITHIN).send();
                let ready = asked.await.is_ok_and(|it| it.status().is_success());
                end.ready.store(ready, Ordering::Relaxed);
            }
            sleep(LOOK_EVERY).await;
        }
    }
}
