//! The order of turns: those of one conversation one after the other, in the order they came; others beside.
//!
//! A conversation without a turn takes no memory.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::OwnedMutexGuard;

use crate::activity::ConversationKey;

/// tokio's mutex serves in the order of asking.
type Queue = Arc<tokio::sync::Mutex<()>>;

#[derive(Debug, Default)]
pub(super) struct TurnOrder {
    queues: Arc<Mutex<HashMap<ConversationKey, Queue>>>,
}

impl TurnOrder {
    /// Waits for a place among the conversation's turns. The place is asked for when this is *called*.
    pub(super) fn enter(&self, key: &ConversationKey) -> impl Future<Output = Place> + Send + use<> {
        let queue = Arc::clone(lock(&self.queues).entry(key.clone()).or_default());
        let mut place = Place { held: None, key: key.clone(), queues: Arc::clone(&self.queues) };
        let mut waiting = Box::pin(queue.lock_owned());
        // Polled once, so that it stands in the queue from now on.
        let at_once = futures_util::FutureExt::now_or_never(&mut waiting);
        async move {
            place.held = Some(match at_once {
                Some(held) => held,
                None => waiting.await,
            });
            place
        }
    }

    /// Waits for a place, but not longer than `most`.
    pub(super) async fn enter_within(&self, key: &ConversationKey, most: Duration) -> Option<Place> {
        tokio::time::timeout(most, self.enter(key)).await.ok()
    }
}

/// A place among a conversation's turns; the next one begins when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    held: Option<OwnedMutexGuard<()>>,
    key: ConversationKey,
    queues: Arc<Mutex<HashMap<ConversationKey, Queue>>>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut queues = lock(&self.queues);
        // Let go while the map is held: nobody can join a queue that is about to be forgotten.
        self.held = None;
        // One reference is the map's own: nobody holds or waits.
        if queues.get(&self.key).is_some_and(|queue| Arc::strong_count(queue) == 1) {
            queues.remove(&self.key);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &str) -> ConversationKey {
        ConversationKey::new("test", id).unwrap()
    }

    #[tokio::test]
    async fn places_are_given_in_the_order_of_asking() {
        let order = Arc::new(TurnOrder::default());
        let first = order.enter(&key("a")).await;
        let seen = Arc::new(Mutex::new(Vec::new()));
        let waiting: Vec<_> = (0..20)
            .map(|n| {
                let place = order.enter(&key("a"));
                let seen = Arc::clone(&seen);
                tokio::spawn(async move {
                    let _place = place.await;
                    tokio::task::yield_now().await;
                    seen.lock().unwrap().push(n);
                })
            })
            .collect();
        assert!(order.enter_within(&key("a"), Duration::from_millis(1)).await.is_none());
        drop(order.enter(&key("b")).await);
        drop(first);
        for task in waiting {
            task.await.unwrap();
        }
        assert_eq!(*seen.lock().unwrap(), (0..20).collect::<Vec<_>>());
        assert!(lock(&order.queues).is_empty(), "a conversation without a turn takes no memory");
    }

    #[tokio::test]
    async fn one_that_gives_up_waiting_leaves_nothing_behind() {
        let order = TurnOrder::default();
        let first = order.enter(&key("a")).await;
        drop(order.enter(&key("a")));
        drop(first);
        drop(order.enter(&key("a")).await);
        assert!(lock(&order.queues).is_empty());
    }
}
