//! The order of turns: those of one conversation one after the other, in the order they came; others beside.
//!
//! A place is asked for when [`TurnOrder::enter`] is *called*, and given when the one before it is let go. One that is not wanted
//! any more is passed over, also when it was given in that very moment. A conversation without a turn takes no memory.

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::oneshot;

use crate::activity::ConversationKey;

/// Turns of different conversations meet in one of these many maps, for the time of a look-up.
const SHARDS: usize = 16;

/// Who waits, for each conversation that has a turn. The one that has the place is not in it.
type Waiting = HashMap<ConversationKey, VecDeque<oneshot::Sender<Place>>>;

#[derive(Debug)]
pub(crate) struct TurnOrder {
    shards: [Arc<Mutex<Waiting>>; SHARDS],
    hasher: RandomState,
}

/// A place that was asked for.
#[derive(Debug)]
#[must_use]
pub(crate) enum Asked {
    Free(Place),
    After(oneshot::Receiver<Place>),
}

/// A place among a conversation's turns; the next one begins when it is dropped.
#[derive(Debug)]
#[must_use]
pub(crate) struct Place {
    /// `None` once it was passed on.
    held: Option<(Arc<Mutex<Waiting>>, ConversationKey)>,
}

impl TurnOrder {
    pub(crate) fn new() -> Self {
        Self { shards: Default::default(), hasher: RandomState::new() }
    }

    fn shard(&self, key: &ConversationKey) -> &Arc<Mutex<Waiting>> {
        // The remainder of a division by their number is always an index of a shard.
        &self.shards[(self.hasher.hash_one(key) % SHARDS as u64) as usize]
    }

    /// Asks for a place among the conversation's turns.
    pub(crate) fn enter(&self, key: &ConversationKey) -> Asked {
        let shard = self.shard(key);
        let mut waiting = lock(shard);
        match waiting.entry(key.clone()) {
            Entry::Vacant(entry) => {
                entry.insert(VecDeque::new());
                Asked::Free(Place { held: Some((Arc::clone(shard), key.clone())) })
            }
            Entry::Occupied(entry) => {
                let (sender, receiver) = oneshot::channel();
                let queue = entry.into_mut();
                // Those that gave up behind a turn without end would pile up.
                while queue.back().is_some_and(oneshot::Sender::is_closed) {
                    queue.pop_back();
                }
                queue.push_back(sender);
                Asked::After(receiver)
            }
        }
    }
}

impl Asked {
    /// Waits until the place is given, but not longer than `most`.
    pub(crate) async fn wait_within(self, most: Duration) -> Option<Place> {
        match self {
            Self::Free(place) => Some(place),
            asked @ Self::After(_) => tokio::time::timeout(most, asked.wait()).await.ok(),
        }
    }

    /// Waits until the place is given.
    pub(crate) async fn wait(self) -> Place {
        match self {
            Self::Free(place) => place,
            // A sender is dropped unused only with the whole adapter; then there is no order left to keep.
            Self::After(place) => place.await.unwrap_or(Place { held: None }),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some((shard, key)) = self.held.take() else { return };
        loop {
            let mut waiting = lock(&shard);
            let Some(next) = waiting.get_mut(&key).and_then(VecDeque::pop_front) else {
                waiting.remove(&key);
                return;
            };
            // Given without the lock: a place that comes back is dropped, and would ask for it.
            drop(waiting);
            let place = Self { held: Some((Arc::clone(&shard), key.clone())) };
            match next.send(place) {
                Ok(()) => return,
                // Not wanted any more: the next one, then.
                Err(mut place) => place.held = None,
            }
        }
    }
}

fn lock(shard: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &str) -> ConversationKey {
        ConversationKey::new("test", id).unwrap()
    }

    impl TurnOrder {
        fn is_empty(&self) -> bool {
            self.shards.iter().all(|shard| lock(shard).is_empty())
        }
    }

    #[tokio::test]
    async fn places_are_given_in_the_order_of_asking() {
        let order = TurnOrder::new();
        let first = order.enter(&key("a")).wait().await;
        let seen = Arc::new(Mutex::new(Vec::new()));
        let waiting: Vec<_> = (0..20)
            .map(|n| {
                let place = order.enter(&key("a"));
                let seen = Arc::clone(&seen);
                tokio::spawn(async move {
                    let _place = place.wait().await;
                    tokio::task::yield_now().await;
                    seen.lock().unwrap().push(n);
                })
            })
            .collect();
        assert!(matches!(order.enter(&key("b")), Asked::Free(_)), "other conversations do not notice");
        drop(first);
        for task in waiting {
            task.await.unwrap();
        }
        assert_eq!(*seen.lock().unwrap(), (0..20).collect::<Vec<_>>());
        assert!(order.is_empty(), "a conversation without a turn takes no memory");
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_gives_up_waiting_is_passed_over() {
        let order = TurnOrder::new();
        let first = order.enter(&key("a")).wait().await;
        let gone = order.enter(&key("a"));
        let last = order.enter(&key("a"));
        assert!(order.enter(&key("a")).wait_within(Duration::from_secs(60)).await.is_none());
        drop(gone);
        drop(first);
        let last = last.wait().await;
        drop(last);
        assert!(order.is_empty());
    }

    #[tokio::test]
    async fn a_place_that_nobody_takes_up_is_passed_on() {
        let order = TurnOrder::new();
        drop(order.enter(&key("a")));
        assert!(order.is_empty());
        let first = order.enter(&key("a")).wait().await;
        let (given, last) = (order.enter(&key("a")), order.enter(&key("a")));
        drop(first);
        // It has the place by now, and never looked.
        drop(given);
        drop(last.wait().await);
        assert!(order.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_without_end_collects_nobody_who_gave_up() {
        let order = TurnOrder::new();
        let _endless = order.enter(&key("a")).wait().await;
        for _ in 0..100 {
            assert!(order.enter(&key("a")).wait_within(Duration::from_secs(60)).await.is_none());
        }
        assert_eq!(lock(order.shard(&key("a")))[&key("a")].len(), 1);
    }

    #[test]
    fn under_many_threads_one_at_a_time_and_nothing_left() {
        let order = TurnOrder::new();
        let inside = std::sync::atomic::AtomicU32::new(0);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let (order, inside, runtime) = (&order, &inside, &runtime);
                scope.spawn(move || {
                    for n in 0..500 {
                        let asked = order.enter(&key("a"));
                        if (n + thread) % 3 == 0 {
                            drop(asked);
                            continue;
                        }
                        let place = runtime.block_on(asked.wait());
                        assert_eq!(inside.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0);
                        inside.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                        drop(place);
                    }
                });
            }
        });
        assert!(order.is_empty());
    }
}
