//! Keys for the API: who has one may do what its [`Scope`] says, and nothing else, until it expires or is revoked.
//!
//! * A key is `proact_`, its id, an underscore and 256 random bits; it is shown once, when it is made. The store has its SHA-256. A slow
//!   hash (argon2, bcrypt) makes *guessing* dear, which is for what people choose: of 2²⁵⁶ there is nothing to guess, and each request
//!   would pay for it.
//! * All that are good are held in memory, so that a check reads nothing. A key that is made, or revoked, is so when
//!   [`create`](Keys::create), or [`revoke`](Keys::revoke), returns: for every request from then on, also after a crash.
//! * A check compares digests in constant time. That an id exists is no secret: it stands in logs.
//! * A restore of a backup brings no revoked key back, as long as the data of before could be read.

mod carry;
mod rows;
mod scope;
mod secret;

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

pub(crate) use carry::Revoked;
use jiff::Timestamp;
pub use rows::{KeyInfo, KeyMark, NewKey};
pub use scope::{Scope, ScopeError, Verb};
pub use secret::ApiKey;

use crate::{
    proactive::Page,
    store::{self, Store},
};

/// How often what stays open, such as a stream, asks whether the key or the session that opened it still holds: it ends at most so much later.
pub const ASKED_EVERY: Duration = Duration::from_secs(2);

/// How exactly the time of the last use is kept: a key that is used all the time costs a write in so many milliseconds.
const USED_EVERY: i64 = 600_000;

/// The keys of a store. Cheap to clone; every clone knows the same.
#[derive(Clone)]
pub struct Keys {
    store: Store,
    good: Arc<Good>,
}

/// Those that are neither revoked nor were expired when they were read, by id.
#[derive(Default)]
struct Good(RwLock<HashMap<String, Arc<Known>>>);

struct Known {
    grant: Grant,
    digest: [u8; 32],
    used_at: AtomicI64,
}

/// What a key that was presented permits.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Grant {
    /// The key's id.
    pub id: Arc<str>,
    /// What it permits.
    pub scope: Arc<Scope>,
    expires_at: Option<Timestamp>,
}

/// What became of a wish to revoke a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum RevokedKey {
    /// It opens nothing any more, by this or by an earlier wish.
    Done,
    /// There is no such key.
    NotFound,
}

impl Good {
    fn get(&self, id: &str) -> Option<Arc<Known>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    fn put(&self, known: Known) {
        let id = known.grant.id.to_string();
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(id, Arc::new(known));
    }

    fn remove(&self, id: &str) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}

impl Keys {
    /// The keys in `store`.
    ///
    /// # Errors
    /// What the store says.
    pub async fn open(store: Store) -> Result<Self, store::Error> {
        let good = Arc::new(Good::default());
        for known in store.read(rows::Unrevoked).await? {
            good.put(known);
        }
        Ok(Self { store, good })
    }

    /// What `presented` permits; `None` when it is no key, or one that is unknown, revoked or expired.
    #[must_use]
    pub fn check(&self, presented: &str) -> Option<Grant> {
        let key = ApiKey::parse(presented)?;
        let known = self.good.get(key.id())?;
        if !key.is(&known.digest) {
            return None;
        }
        let now = self.store.clock().now();
        if known.grant.is_expired(now) {
            return None;
        }
        self.used(&known, now.as_millisecond());
        Some(known.grant.clone())
    }

    /// What the key with this id permits at this moment; `None` when it opens nothing any more. For what was opened with it and lives on.
    #[must_use]
    pub fn of_id(&self, id: &str) -> Option<Grant> {
        let known = self.good.get(id)?;
        (!known.grant.is_expired(self.store.clock().now())).then(|| known.grant.clone())
    }

    /// Makes a key. It is shown here and never again.
    ///
    /// # Errors
    /// What the store says.
    pub async fn create(&self, new: NewKey) -> Result<(ApiKey, KeyInfo), store::Error> {
        let key = ApiKey::new();
        let command =
            rows::Create { id: key.id().to_owned(), digest: key.digest(), new, good: Arc::clone(&self.good) };
        Ok((key, self.store.commit(command).await?))
    }

    /// All keys, the newest first, those that open nothing any more among them.
    ///
    /// # Errors
    /// What the store says.
    pub async fn list(&self) -> Result<Vec<KeyInfo>, store::Error> {
        self.store.read(rows::All).await
    }

    /// A page of them after `after`, `limit` at most; the newest first.
    ///
    /// # Errors
    /// What the store says.
    pub async fn page(
        &self,
        after: Option<KeyMark>,
        limit: u32,
    ) -> Result<Page<KeyInfo, KeyMark>, store::Error> {
        self.store.read(rows::Listed { after, limit }).await
    }

    /// Revokes a key: when this returns it opens nothing any more.
    ///
    /// # Errors
    /// What the store says.
    pub async fn revoke(&self, id: &str) -> Result<RevokedKey, store::Error> {
        self.store.commit(rows::Revoke { id: id.to_owned(), good: Arc::clone(&self.good) }).await
    }

    /// Notes that a key was used, now and then, with nobody waiting for it.
    fn used(&self, known: &Known, now: i64) {
        let before = known.used_at.load(Ordering::Relaxed);
        let again = now < before.saturating_add(USED_EVERY);
        if again || known.used_at.compare_exchange(before, now, Ordering::Relaxed, Ordering::Relaxed).is_err()
        {
            return;
        }
        if let Err(error) = self.store.commit_later(rows::Used { id: known.grant.id.to_string(), at: now }) {
            tracing::debug!(%error, key = %known.grant.id, "cannot note that a key was used");
        }
    }
}

impl Grant {
    /// Whether it permits this.
    #[must_use]
    pub fn permits(&self, verb: Verb) -> bool {
        self.scope.verbs.contains(&verb)
    }

    fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}
