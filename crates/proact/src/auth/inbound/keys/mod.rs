//! Signing keys: where they come from, and when they are asked for again.
//!
//! An issuer asks its [`KeySource`] for the key that a token names. [`RemoteKeys`] are fetched (metadata, then the key set that it names) and
//! kept; [`FixedKeys`] are put there by this process. A key that is not RSA, or not for signatures, is none.

mod fetch;
mod fixed;
mod jwks;
mod key;
mod remote;

use std::fmt::Debug;
use std::sync::Arc;

pub use fixed::FixedKeys;
use futures_util::future::{BoxFuture, FutureExt, ready};
pub(crate) use jwks::parse as parse_key_set;
pub use key::{NotAKey, SigningKey};
pub use remote::{RemoteKeys, Timing};

/// Why there is no such key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoKey {
    /// The issuer does not have it.
    #[error("the issuer has no such key")]
    Unknown,
    /// It is not known, and whether the issuer has it cannot be asked at the moment.
    #[error("the issuer's keys cannot be fetched")]
    Unavailable,
}

/// Where an issuer's keys are.
pub trait KeySource: Debug + Send + Sync + 'static {
    /// The key of this id.
    ///
    /// # Errors
    /// [`NoKey`].
    fn key<'a>(&'a self, key_id: &'a str) -> BoxFuture<'a, Result<Arc<SigningKey>, NoKey>>;

    /// Gets ready, so that the first who asks does not wait. The default has nothing to do.
    fn warm_up(&self) -> BoxFuture<'_, ()> {
        ready(()).boxed()
    }
}
