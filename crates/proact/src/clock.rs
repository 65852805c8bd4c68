//! The time that the library goes by.
//!
//! Everything that compares or stores a time asks a [`Clock`], so that tests can move it. Time spans of the network
//! (timeouts, keep-alive) are the network's own and do not ask it.

use std::fmt::Debug;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use jiff::Timestamp;

/// Where the current time comes from, and how to wait for a later one.
pub trait Clock: Send + Sync + Debug {
    /// The current time.
    fn now(&self) -> Timestamp;

    /// Waits until [`now`](Self::now) is at `when` or later; returns at once if it is.
    ///
    /// The provided way sleeps in real time and looks at the clock again at least every half minute, so that a wall
    /// clock that is set or a machine that slept is noticed.
    fn sleep_until(&self, when: Timestamp) -> BoxFuture<'_, ()> {
        async move {
            loop {
                let left = when.duration_since(self.now());
                if !left.is_positive() {
                    return;
                }
                tokio::time::sleep(left.unsigned_abs().min(Duration::from_secs(30))).await;
            }
        }
        .boxed()
    }
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waits_for_what_is_to_come_and_not_for_what_was() {
        #[derive(Debug)]
        struct Tokio(Timestamp, tokio::time::Instant);
        impl Clock for Tokio {
            fn now(&self) -> Timestamp {
                self.0 + self.1.elapsed()
            }
        }
        let clock = Tokio(Timestamp::UNIX_EPOCH, tokio::time::Instant::now());
        let later = clock.now() + Duration::from_secs(100);
        clock.sleep_until(Timestamp::UNIX_EPOCH).await;
        assert!(clock.now() < later);
        clock.sleep_until(later).await;
        assert!(clock.now() >= later);
    }
}
