//! Of many that want the same thing at the same time, one fetches it and the others wait for what it brings.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync, time::timeout};

/// Whoever has waited so long fetches the thing itself: one that hangs holds nobody up for ever.
const WAITS: Duration = Duration::from_secs(2);

type Flight<V> = Arc<sync::Mutex<Option<V>>>;

/// The flights under way, by what they fetch. A flight that fails or is given up leaves its seat to the next who waits.
pub(crate) struct Flights<K, V>(Mutex<HashMap<K, Flight<V>>>);

/// How a thing was come by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Brought {
    /// Fetched by this caller.
    Fetched,
    /// Fetched by another, who was under way already.
    Shared,
}

impl<K: Hash + Eq + Clone, V: Clone> Flights<K, V> {
    pub(crate) fn new() -> Self {
        Self(Mutex::default())
    }

    /// What `fetch` brings for `key`, fetched here or by another at the same time. The key must name the state that is
    /// good enough (an epoch), so that nobody who comes after a change is given what was fetched before it. `look` says
    /// whether it has been brought since the caller looked; it must find what `fetch` has kept.
    ///
    /// # Errors
    /// Those of `fetch`; the next who waits then tries by himself.
    pub(crate) async fn join<E>(
        &self,
        key: K,
        look: impl FnOnce() -> Option<V>,
        fetch: impl Future<Output = Result<V, E>>,
    ) -> Result<(V, Brought), E> {
        let seat = self.board(key);
        let Ok(mut brought) = timeout(WAITS, seat.flight.lock()).await else {
            return fetch.await.map(|value| (value, Brought::Fetched));
        };
        if let Some(value) = brought.as_ref() {
            return Ok((value.clone(), Brought::Shared));
        }
        if let Some(value) = look() {
            return Ok((value, Brought::Shared));
        }
        let value = fetch.await?;
        *brought = Some(value.clone());
        // Whoever comes from now on looks into the cache again, and not at this flight.
        seat.close();
        Ok((value, Brought::Fetched))
    }

    fn board(&self, key: K) -> Seat<'_, K, V> {
        let flight = Arc::clone(self.open().entry(key.clone()).or_default());
        Seat { flights: self, key, flight }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<K, Flight<V>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in a flight; the last one to leave takes the flight off the list.
struct Seat<'a, K: Hash + Eq + Clone, V: Clone> {
    flights: &'a Flights<K, V>,
    key: K,
    flight: Flight<V>,
}

impl<K: Hash + Eq + Clone, V: Clone> Seat<'_, K, V> {
    fn close(&self) {
        let mut open = self.flights.open();
        if open.get(&self.key).is_some_and(|listed| Arc::ptr_eq(listed, &self.flight)) {
            open.remove(&self.key);
        }
    }
}

impl<K: Hash + Eq + Clone, V: Clone> Drop for Seat<'_, K, V> {
    fn drop(&mut self) {
        let mut open = self.flights.open();
        // Exchanged under the lock, so that two who leave at once do not both take the other for still there.
        drop(std::mem::take(&mut self.flight));
        if open.get(&self.key).is_some_and(|listed| Arc::strong_count(listed) == 1) {
            open.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures::future::{join_all, pending};
    use tokio::task::yield_now;

    use super::*;

    fn nothing() -> Option<u8> {
        None
    }

    // CAT-4
    #[tokio::test]
    async fn a_hundred_at_once_fetch_one_time_and_nothing_is_left_on_the_list() {
        let (flights, fetched) = (Flights::<u8, u8>::new(), AtomicU32::new(0));
        let fetch = || async {
            fetched.fetch_add(1, Ordering::Relaxed);
            yield_now().await;
            Ok::<u8, ()>(7)
        };
        let brought = join_all((0..100).map(|_| flights.join(1, nothing, fetch()))).await;
        assert!(brought.iter().all(|one| one.is_ok_and(|(value, _)| value == 7)));
        assert_eq!(fetched.load(Ordering::Relaxed), 1);
        assert_eq!(brought.iter().filter(|one| one.is_ok_and(|(_, how)| how == Brought::Fetched)).count(), 1);
        assert!(flights.open().is_empty());
    }

    #[tokio::test]
    async fn when_the_first_fails_the_next_tries_and_other_keys_do_not_wait() {
        let (flights, tries) = (Flights::<u8, u8>::new(), AtomicU32::new(0));
        let fetch = || async {
            let first = tries.fetch_add(1, Ordering::Relaxed) == 0;
            yield_now().await;
            if first { Err("broken") } else { Ok(7) }
        };
        let brought = join_all((0..5).map(|_| flights.join(1, nothing, fetch()))).await;
        assert_eq!(brought.iter().filter(|one| one.is_err()).count(), 1);
        assert_eq!(tries.load(Ordering::Relaxed), 2);
        assert!(flights.open().is_empty());
    }

    #[tokio::test]
    async fn one_who_gives_up_leaves_his_seat_to_the_next() {
        let flights = Flights::<u8, u8>::new();
        let mut stuck = Box::pin(flights.join(1, nothing, pending::<Result<u8, ()>>()));
        assert!(futures::poll!(&mut stuck).is_pending());
        let mut next = Box::pin(flights.join(1, nothing, async { Ok::<u8, ()>(7) }));
        assert!(futures::poll!(&mut next).is_pending());
        drop(stuck);
        assert_eq!(next.await, Ok((7, Brought::Fetched)));
        assert!(flights.open().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_has_waited_long_enough_fetches_by_himself() {
        let flights = Flights::<u8, u8>::new();
        let mut stuck = Box::pin(flights.join(1, nothing, pending::<Result<u8, ()>>()));
        assert!(futures::poll!(&mut stuck).is_pending());
        assert_eq!(flights.join(1, nothing, async { Ok::<u8, ()>(7) }).await, Ok((7, Brought::Fetched)));
        drop(stuck);
        assert!(flights.open().is_empty());
    }
}
