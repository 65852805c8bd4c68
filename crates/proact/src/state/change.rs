//! What is to be written to a storage, and what came of it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One key's change.
#[derive(Clone, Debug, PartialEq)]
pub struct StateChange {
    /// The key.
    pub key: String,
    /// The new value, or `None` to delete the key.
    pub value: Option<Value>,
    /// What must be stored under the key for the change to be made.
    pub expect: Expect,
}

impl StateChange {
    /// Puts a value under a key.
    #[must_use]
    pub fn put(key: impl Into<String>, value: Value, expect: Expect) -> Self {
        Self { key: key.into(), value: Some(value), expect }
    }

    /// Deletes a key.
    #[must_use]
    pub fn delete(key: impl Into<String>, expect: Expect) -> Self {
        Self { key: key.into(), value: None, expect }
    }
}

/// What must be stored under a key for a change to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Anything or nothing: the last writer wins.
    Any,
    /// Nothing.
    Absent,
    /// The item with this ETag. `*` is the same as [`Any`](Self::Any); an empty one is an error.
    ETag(String),
}

impl Expect {
    /// Whether it holds for what is stored: an item's ETag, or nothing.
    #[must_use]
    pub fn holds(&self, stored: Option<&str>) -> bool {
        match self {
            Self::Any => true,
            Self::Absent => stored.is_none(),
            Self::ETag(etag) => etag == "*" || stored == Some(etag),
        }
    }
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateSaved {
    /// The key.
    pub key: String,
    /// The item's new ETag, or `None` if the key was deleted.
    pub etag: Option<String>,
}

/// Stands for whatever commits together: state whose storage has the same scope as the turn's record is saved with it in
/// one commit. Equal to its clones and to nothing else.
#[derive(Clone, Debug)]
pub struct CommitScope(Arc<Scope>);

/// Not empty, so that no two of them can share an address.
#[derive(Debug)]
struct Scope(#[expect(dead_code, reason = "it is there to take up room")] u8);

impl CommitScope {
    /// A new scope.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Scope(0)))
    }
}

impl Default for CommitScope {
    fn default() -> Self {
        Self::new()
    }
}

impl PartialEq for CommitScope {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for CommitScope {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_equals_its_clones_only() {
        let scope = CommitScope::new();
        assert_eq!(scope, scope.clone());
        assert_ne!(scope, CommitScope::new());
    }
}
