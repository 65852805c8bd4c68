//! The clock that is moved by hand.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::sync::watch;

use crate::clock::Clock;

/// A clock that stands still until it is moved; clones are the same clock. Who [sleeps](Clock::sleep_until) by it wakes
/// when it is moved far enough, and never by itself.
///
/// ```
/// # use std::time::Duration;
/// # use proact::{clock::Clock as _, testkit::TestClock};
/// let clock = TestClock::at("2026-03-01T09:00:00Z");
/// clock.advance(Duration::from_secs(90));
/// assert_eq!(clock.now().to_string(), "2026-03-01T09:01:30Z");
/// ```
#[derive(Clone, Debug)]
pub struct TestClock {
    now: Arc<watch::Sender<Timestamp>>,
}

impl TestClock {
    /// A clock at a time written as RFC 3339.
    ///
    /// # Panics
    /// If `time` is not written so.
    #[must_use]
    pub fn at(time: &str) -> Self {
        Self::starting(time.parse().expect("a time such as 2026-03-01T09:00:00Z"))
    }

    /// A clock at a time.
    #[must_use]
    pub fn starting(time: Timestamp) -> Self {
        Self { now: Arc::new(watch::Sender::new(time)) }
    }

    /// Moves it forward.
    pub fn advance(&self, by: Duration) {
        self.now.send_modify(|now| *now += by);
    }

    /// Sets it, backward too.
    pub fn set(&self, time: Timestamp) {
        self.now.send_replace(time);
    }

    /// How many wait for a later time at the moment.
    #[must_use]
    pub fn sleepers(&self) -> usize {
        self.now.receiver_count()
    }
}

impl Default for TestClock {
    /// A Monday morning.
    fn default() -> Self {
        Self::at("2026-01-05T09:00:00Z")
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        *self.now.borrow()
    }

    fn sleep_until(&self, when: Timestamp) -> BoxFuture<'_, ()> {
        let mut time = self.now.subscribe();
        async move {
            // The sender lives in `self`, so the wait cannot end for want of one.
            let _ = time.wait_for(|now| *now >= when).await;
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sleepers_wake_when_their_time_has_come() {
        let clock = TestClock::default();
        let when = clock.now() + Duration::from_secs(10);
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep_until(when).await }
        });
        while clock.sleepers() == 0 {
            tokio::task::yield_now().await;
        }
        clock.advance(Duration::from_secs(9));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.advance(Duration::from_secs(1));
        sleeper.await.unwrap();
    }
}
