//! The time after which a test counts as stuck: real time, whatever tokio's clock says.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

/// What `wanted` comes to, or `None` if it does not within `limit`.
pub(super) async fn within<F: Future>(limit: Duration, wanted: F) -> Option<F::Output> {
    let mut wanted = std::pin::pin!(wanted);
    // Most of what is wanted is there already, and costs no thread.
    if let Some(there) = futures_util::FutureExt::now_or_never(wanted.as_mut()) {
        return Some(there);
    }
    let (over, is_over) = oneshot::channel::<()>();
    let (cancel, cancelled) = channel::<()>();
    let clock = thread::spawn(move || {
        if cancelled.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
            let _ = over.send(());
        }
    });
    let result = tokio::select! {
        there = wanted => Some(there),
        _ = is_over => None,
    };
    drop(cancel);
    let _ = clock.join();
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_is_real_time_that_ends_it() {
        let an_hour = tokio::time::sleep(Duration::from_secs(3600));
        assert_eq!(within(Duration::from_secs(60), an_hour).await, Some(()), "tokio's clock jumps here");
        let never = std::future::pending::<()>();
        assert_eq!(within(Duration::from_millis(1), never).await, None);
        assert_eq!(within(Duration::ZERO, async { 5 }).await, Some(5));
    }
}
