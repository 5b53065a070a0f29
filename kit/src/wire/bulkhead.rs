//! Places for calls to one room: so many at once, a few more wait briefly, the rest is turned away.
//!
//! How many adapts by additive increase and multiplicative decrease. Gradients of latency were passed over:
//! methods of one room take differently long by nature, so a change of the mix would look like a queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use super::class::Class;
use super::config::Config;
use crate::metrics;

/// One sign of overload cuts the limit; those that follow at once are the same one.
const CUT_EVERY: Duration = Duration::from_millis(100);
const CUT: f64 = 0.9;

#[derive(Debug)]
pub(super) struct Bulkhead {
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    queue: usize,
    queue_wait: Duration,
    least: f64,
    most: f64,
    limit: Mutex<Limit>,
    /// Places that vanish when they are left, because the limit fell below those taken.
    debt: AtomicUsize,
}

#[derive(Debug)]
struct Limit {
    places: f64,
    last_cut: Instant,
}

/// No place came free in time.
#[derive(Debug)]
pub(super) struct Shed;

/// A place that a call holds.
#[derive(Debug)]
pub(super) struct Place {
    permit: Option<OwnedSemaphorePermit>,
    bulkhead: Arc<Bulkhead>,
}

impl Bulkhead {
    pub(super) fn new(room: &'static str, config: &Config, class: Class) -> Arc<Self> {
        let (queue, queue_wait) = config.queue(class);
        let least = config.in_flight_least.max(1);
        let most = config.in_flight_most.max(least);
        let start = config.in_flight.clamp(least, most);
        let bulkhead = Arc::new(Self {
            places: Arc::new(Semaphore::new(start)),
            waiting: AtomicUsize::new(0),
            queue,
            queue_wait,
            least: least as f64,
            most: most as f64,
            limit: Mutex::new(Limit { places: start as f64, last_cut: Instant::now() }),
            debt: AtomicUsize::new(0),
        });
        if let Some(catalogue) = metrics::catalogue() {
            let labels = metrics::calling(room, class.name());
            catalogue.places.watch(&bulkhead, &labels, Self::limit);
            catalogue.in_flight.watch(&bulkhead, &labels, Self::in_flight);
        }
        bulkhead
    }

    /// A place, at once or after a short wait.
    pub(super) async fn enter(self: &Arc<Self>, due: Instant) -> Result<Place, Shed> {
        let permit = match self.places.clone().try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => self.wait(due).await?,
        };
        Ok(Place { permit: Some(permit), bulkhead: self.clone() })
    }

    async fn wait(&self, due: Instant) -> Result<OwnedSemaphorePermit, Shed> {
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let _left = Left(&self.waiting);
        if before >= self.queue {
            return Err(Shed);
        }
        let due = due.min(Instant::now() + self.queue_wait);
        match timeout_at(due, self.places.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(Shed),
        }
    }

    /// One more every so many good calls, while the places are needed.
    fn grow(&self) {
        let mut limit = self.limit.lock();
        let free = self.places.available_permits() as f64;
        if limit.places >= self.most || free * 2.0 > limit.places {
            return;
        }
        let before = limit.places.floor();
        limit.places = (limit.places + 1.0 / limit.places).min(self.most);
        if limit.places.floor() > before && !self.pay() {
            self.places.add_permits(1);
        }
    }

    fn cut(&self) {
        let mut limit = self.limit.lock();
        let now = Instant::now();
        if limit.places <= self.least || now < limit.last_cut + CUT_EVERY {
            return;
        }
        limit.last_cut = now;
        let before = limit.places.floor();
        limit.places = (limit.places * CUT).max(self.least);
        // Both are small and whole.
        let gone = (before - limit.places.floor()) as usize;
        let taken_away = self.places.forget_permits(gone);
        self.debt.fetch_add(gone - taken_away, Ordering::Relaxed);
    }

    /// True when a place was owed and is paid now.
    fn pay(&self) -> bool {
        let less = |debt: usize| debt.checked_sub(1);
        self.debt.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }

    /// Places there are.
    fn limit(&self) -> usize {
        // Small and positive.
        self.limit.lock().places as usize
    }

    /// Places that are taken, also those that vanish when they are left.
    fn in_flight(&self) -> usize {
        let (limit, free) = (self.limit(), self.places.available_permits());
        (limit + self.debt.load(Ordering::Relaxed)).saturating_sub(free)
    }
}

impl Place {
    /// Leaves the place and learns from how the call went.
    pub(super) fn leave(self, is_overload: bool) {
        if is_overload {
            self.bulkhead.cut();
        } else {
            self.bulkhead.grow();
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(permit) = self.permit.take()
            && self.bulkhead.pay()
        {
            permit.forget();
        }
    }
}

struct Left<'a>(&'a AtomicUsize);

impl Drop for Left<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use futures::future::join_all;

    use super::*;

    fn bulkhead(in_flight: usize, queue: usize) -> Arc<Bulkhead> {
        let (in_flight_least, in_flight_most) = (2, 16);
        let config =
            Config { in_flight, in_flight_least, in_flight_most, queue, ..Config::default() };
        Bulkhead::new("test", &config, Class::Read)
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(5)
    }

    #[tokio::test(start_paused = true)]
    async fn so_many_are_in_a_few_wait_and_the_rest_is_turned_away() {
        let bulkhead = bulkhead(4, 3);
        let mut inside = Vec::new();
        for _ in 0..4 {
            inside.push(bulkhead.enter(soon()).await.unwrap());
        }
        let began = Instant::now();
        let tries = join_all((0..10).map(|_| bulkhead.enter(soon()))).await;
        assert!(tries.iter().all(Result::is_err));
        assert_eq!(began.elapsed().as_millis(), 50, "nobody waits for longer");
        assert_eq!((bulkhead.limit(), bulkhead.in_flight()), (4, 4));
        let (waiter, ()) = tokio::join!(bulkhead.enter(soon()), async { drop(inside.pop()) });
        assert!(waiter.is_ok(), "who waits gets the place that comes free");
        assert_eq!(bulkhead.waiting.load(Ordering::Relaxed), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_ends_with_the_time_of_the_call() {
        let bulkhead = bulkhead(2, 3);
        let _inside =
            [bulkhead.enter(soon()).await.unwrap(), bulkhead.enter(soon()).await.unwrap()];
        let began = Instant::now();
        assert!(bulkhead.enter(began + Duration::from_millis(7)).await.is_err());
        assert_eq!(began.elapsed().as_millis(), 7);
    }

    #[tokio::test(start_paused = true)]
    async fn the_limit_follows_how_calls_go_and_stays_within_its_bounds() {
        let bulkhead = bulkhead(8, 0);
        let fill = async || {
            let mut inside = Vec::new();
            while let Ok(place) = bulkhead.enter(soon()).await {
                inside.push(place);
            }
            inside
        };
        for _ in 0..40 {
            let inside = fill().await;
            assert_eq!(inside.len(), bulkhead.limit());
            inside.into_iter().for_each(|place| place.leave(false));
        }
        assert_eq!(bulkhead.limit(), 16);
        for _ in 0..40 {
            tokio::time::advance(CUT_EVERY).await;
            let inside = fill().await;
            assert_eq!(inside.len(), bulkhead.limit());
            inside.into_iter().for_each(|place| place.leave(true));
        }
        assert_eq!(bulkhead.limit(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn one_bad_moment_is_one_cut() {
        let bulkhead = bulkhead(16, 0);
        tokio::time::advance(CUT_EVERY).await;
        for _ in 0..10 {
            bulkhead.enter(soon()).await.unwrap().leave(true);
        }
        assert_eq!(bulkhead.limit(), 14);
    }
}
