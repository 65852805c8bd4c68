//! Keys that are fetched, and kept.
//!
//! * Nothing is fetched before the first token needs it ([`warm_up`](KeySource::warm_up) does so earlier); a start needs no network.
//! * Keys younger than [`Timing::fresh_for`] are used. Older ones are used too, and fetched anew beside that. Those older than twice
//!   that (nobody came for a day) are fetched anew first. If that fails they are used all the same, for as long as it does: an
//!   issuer's outage is not ours.
//! * A key that is not known has them fetched anew, but not more often than [`Timing::unknown_every`], however many are asked for.
//! * One fetch is under way at a time; who needs its outcome waits for it. It goes on when they hang up.
//! * What failed is not tried again before [`Timing::retry_after`]. Until then, who needs it is told at once that it is unavailable.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use futures_util::future::{BoxFuture, FutureExt};
use jiff::Timestamp;
use tokio::sync::OwnedMutexGuard;
use url::Url;

use super::{KeySource, NoKey, SigningKey, fetch};
use crate::clock::Clock;
use crate::egress::{Guard, Refused};

/// When keys are fetched again.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timing {
    /// Keys that are older are fetched anew. Default 24 h, as Bot Framework's SDKs do.
    pub fresh_for: Duration,
    /// Unknown keys have them fetched anew at most this often. Anybody can name one, so this is also how long a stranger can keep a key
    /// that has just been made from being found. Default 5 min (Bot Framework's SDKs wait for 1 h).
    pub unknown_every: Duration,
    /// How long a failure stands before it is tried again. Default 10 s.
    pub retry_after: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            fresh_for: Duration::from_secs(24 * 3600),
            unknown_every: Duration::from_secs(5 * 60),
            retry_after: Duration::from_secs(10),
        }
    }
}

/// The keys behind a metadata document, fetched when they are needed. See the module's first lines for when.
#[derive(Debug)]
pub struct RemoteKeys {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    metadata: Url,
    guard: Guard,
    clock: Arc<dyn Clock>,
    timing: Timing,
    fetched: ArcSwapOption<Fetched>,
    /// Held while a fetch is under way.
    under_way: Arc<tokio::sync::Mutex<()>>,
    attempts: Mutex<Attempts>,
}

#[derive(Debug)]
struct Fetched {
    at: Timestamp,
    keys: Vec<Arc<SigningKey>>,
}

#[derive(Debug, Default)]
struct Attempts {
    failed: Option<Timestamp>,
    for_unknown: Option<Timestamp>,
}

/// Why keys are to be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    NoneOrOld,
    Unknown,
}

/// Why they were not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NotFetched {
    /// It was done for another unknown key not long ago.
    TooSoon,
    Failed,
}

impl RemoteKeys {
    /// The keys behind the metadata at `metadata`, fetched through `guard`, which must let it pass.
    ///
    /// # Errors
    /// The guard does not let this URL pass.
    pub fn new(metadata: &str, guard: Guard, clock: Arc<dyn Clock>, timing: Timing) -> Result<Self, Refused> {
        let inner = Inner {
            metadata: guard.check(metadata)?,
            guard: guard.without_tokens().with_max_response_bytes(fetch::MOST_BYTES),
            clock,
            timing,
            fetched: ArcSwapOption::empty(),
            under_way: Arc::default(),
            attempts: Mutex::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }
}

impl KeySource for RemoteKeys {
    fn key<'a>(&'a self, key_id: &'a str) -> BoxFuture<'a, Result<Arc<SigningKey>, NoKey>> {
        self.inner.key(key_id).boxed()
    }

    fn warm_up(&self) -> BoxFuture<'_, ()> {
        async move {
            let _ = self.inner.current().await;
        }
        .boxed()
    }
}

impl Inner {
    async fn key(self: &Arc<Self>, key_id: &str) -> Result<Arc<SigningKey>, NoKey> {
        let current = self.current().await.ok_or(NoKey::Unavailable)?;
        if let Some(key) = current.key(key_id) {
            return Ok(key);
        }
        match self.refresh(Some(&current), Why::Unknown).await {
            Ok(newer) => newer.key(key_id).ok_or(NoKey::Unknown),
            Err(NotFetched::TooSoon) => Err(NoKey::Unknown),
            Err(NotFetched::Failed) => Err(NoKey::Unavailable),
        }
    }

    /// The keys to go by, if there are any.
    async fn current(self: &Arc<Self>) -> Option<Arc<Fetched>> {
        let Some(kept) = self.fetched.load_full() else {
            return self.refresh(None, Why::NoneOrOld).await.ok();
        };
        let age = self.clock.now().duration_since(kept.at).unsigned_abs();
        if age >= self.timing.fresh_for.saturating_mul(2) && self.attempts().failed.is_none() {
            return Some(self.refresh(Some(&kept), Why::NoneOrOld).await.unwrap_or(kept));
        }
        if age >= self.timing.fresh_for
            && self.may_try(Some(&kept), Why::NoneOrOld).is_ok()
            && let Ok(under_way) = Arc::clone(&self.under_way).try_lock_owned()
        {
            tokio::spawn(Arc::clone(self).fetch(under_way, Why::NoneOrOld));
        }
        Some(kept)
    }

    /// Newer keys than `than`: those that somebody else has fetched meanwhile, or fetched now.
    async fn refresh(
        self: &Arc<Self>,
        than: Option<&Arc<Fetched>>,
        why: Why,
    ) -> Result<Arc<Fetched>, NotFetched> {
        // Most are refused here, without waiting for one another.
        self.may_try(than, why)?;
        let under_way = Arc::clone(&self.under_way).lock_owned().await;
        let newer = self.fetched.load_full().filter(|now| than.is_none_or(|than| !Arc::ptr_eq(now, than)));
        if let Some(newer) = newer {
            return Ok(newer);
        }
        self.may_try(than, why)?;
        // In a task of its own, so that a client that hangs up does not have the next one begin anew.
        tokio::spawn(Arc::clone(self).fetch(under_way, why)).await.unwrap_or(Err(NotFetched::Failed))
    }

    fn may_try(&self, kept: Option<&Arc<Fetched>>, why: Why) -> Result<(), NotFetched> {
        let (attempts, now) = (self.attempts(), self.clock.now());
        // Also when the clock was set back meanwhile: never for ever.
        let within = |since: Option<Timestamp>, span: Duration| {
            since.is_some_and(|since| now.duration_since(since).unsigned_abs() < span)
        };
        if within(attempts.failed, self.timing.retry_after) {
            return Err(NotFetched::Failed);
        }
        if why == Why::Unknown && kept.is_some() && within(attempts.for_unknown, self.timing.unknown_every) {
            return Err(NotFetched::TooSoon);
        }
        Ok(())
    }

    async fn fetch(
        self: Arc<Self>,
        _under_way: OwnedMutexGuard<()>,
        why: Why,
    ) -> Result<Arc<Fetched>, NotFetched> {
        let result = fetch::keys(&self.guard, &self.metadata).await;
        let at = self.clock.now();
        match result {
            Ok(keys) => {
                let fetched = Arc::new(Fetched { at, keys: keys.into_iter().map(Arc::new).collect() });
                self.fetched.store(Some(Arc::clone(&fetched)));
                let mut attempts = self.attempts();
                attempts.failed = None;
                if why == Why::Unknown {
                    attempts.for_unknown = Some(at);
                }
                Ok(fetched)
            }
            Err(why) => {
                let (from, kept) = (self.metadata.as_str(), self.fetched.load().is_some());
                tracing::warn!(from, kept, why, "signing keys cannot be fetched");
                self.attempts().failed = Some(at);
                Err(NotFetched::Failed)
            }
        }
    }

    fn attempts(&self) -> MutexGuard<'_, Attempts> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fetched {
    fn key(&self, key_id: &str) -> Option<Arc<SigningKey>> {
        self.keys.iter().find(|key| key.id() == key_id).map(Arc::clone)
    }
}
