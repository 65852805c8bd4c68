//! Keys that this process puts there itself.

use std::sync::Arc;

use arc_swap::ArcSwap;
use futures_util::future::{BoxFuture, FutureExt, ready};

use super::{KeySource, NoKey, SigningKey};

/// Keys that are known without asking anyone: those of a channel of one's own. They can be [replaced](Self::replace) at any time.
#[derive(Debug, Default)]
pub struct FixedKeys(ArcSwap<Vec<Arc<SigningKey>>>);

impl FixedKeys {
    /// These keys.
    #[must_use]
    pub fn new(keys: impl IntoIterator<Item = SigningKey>) -> Self {
        let fixed = Self::default();
        fixed.replace(keys);
        fixed
    }

    /// From now on these keys: what is not among them opens nothing any more. To rotate, keep the old one beside the new one for as long
    /// as its last token is valid.
    pub fn replace(&self, keys: impl IntoIterator<Item = SigningKey>) {
        self.0.store(Arc::new(keys.into_iter().map(Arc::new).collect()));
    }
}

impl KeySource for FixedKeys {
    fn key<'a>(&'a self, key_id: &'a str) -> BoxFuture<'a, Result<Arc<SigningKey>, NoKey>> {
        let found = self.0.load().iter().find(|key| key.id() == key_id).map(Arc::clone);
        ready(found.ok_or(NoKey::Unknown)).boxed()
    }
}
