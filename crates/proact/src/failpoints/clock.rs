//! The machine's clock, off by as much as somebody says.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use crate::clock::{Clock, SystemClock};

/// The variable that names the file.
const VARIABLE: &str = "PROACT_CLOCK_OFFSET_FILE";

/// How often the file is read.
const EVERY: Duration = Duration::from_millis(10);

/// The machine's clock, off by the milliseconds that a file says, which may be negative and may change at any time: then the
/// time is stepped, as by an administrator. A file that is missing or says no number leaves the time as it is.
#[derive(Debug)]
pub struct SteppedClock {
    offset: watch::Receiver<SignedDuration>,
}

impl SteppedClock {
    /// By the file that `PROACT_CLOCK_OFFSET_FILE` names; the machine's clock when there is no such variable.
    #[must_use]
    pub fn from_environment() -> Arc<dyn Clock> {
        match std::env::var_os(VARIABLE) {
            Some(file) => Arc::new(Self::by(file.into())),
            None => Arc::new(SystemClock),
        }
    }

    /// By `file`.
    ///
    /// # Panics
    /// If no thread can be started that reads it.
    #[must_use]
    pub fn by(file: PathBuf) -> Self {
        let (tell, offset) = watch::channel(read(&file).unwrap_or_default());
        let watching = move || {
            while !tell.is_closed() {
                thread::sleep(EVERY);
                if let Some(now) = read(&file) {
                    tell.send_if_modified(|offset| std::mem::replace(offset, now) != now);
                }
            }
        };
        thread::Builder::new().name("clock-offset".to_owned()).spawn(watching).expect("a thread");
        Self { offset }
    }
}

fn read(file: &Path) -> Option<SignedDuration> {
    std::fs::read_to_string(file).ok()?.trim().parse().ok().map(SignedDuration::from_millis)
}

impl Clock for SteppedClock {
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        now.checked_add(*self.offset.borrow()).unwrap_or(now)
    }

    fn sleep_until(&self, when: Timestamp) -> BoxFuture<'_, ()> {
        let mut offset = self.offset.clone();
        async move {
            loop {
                offset.borrow_and_update();
                let left = when.duration_since(self.now());
                if !left.is_positive() {
                    return;
                }
                tokio::select! {
                    () = tokio::time::sleep(left.unsigned_abs()) => {}
                    Ok(()) = offset.changed() => {}
                }
            }
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_step_is_seen_and_wakes_who_sleeps() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("offset");
        let clock = SteppedClock::by(file.clone());
        let before = clock.now();
        let when = before + Duration::from_secs(3000);
        let write = std::thread::spawn({
            let file = file.clone();
            move || std::fs::write(file, "3600000").unwrap()
        });
        clock.sleep_until(when).await;
        assert!(clock.now() >= when);
        write.join().unwrap();
        std::fs::write(&file, "-3600000\n").unwrap();
        let mut offset = clock.offset.clone();
        offset.wait_for(|offset| offset.is_negative()).await.unwrap();
        assert!(clock.now() < before);
        std::fs::write(&file, "nonsense").unwrap();
        std::thread::sleep(EVERY * 3);
        assert!(clock.now() < before, "what says no number changes nothing");
    }
}
