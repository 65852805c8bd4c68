//! What is saved with a turn.

use std::{fmt::Debug, sync::Arc};

use futures_util::future::BoxFuture;

use super::BotError;
use crate::state::{CommitScope, StateChange, StateSaved};

/// Something that a turn has cached and that is saved after its handler: bot state.
pub trait AtTurnEnd: Debug + Send + Sync {
    /// What it commits together with, if it can.
    fn commit_scope(&self) -> Option<CommitScope>;

    /// What is to be saved; nothing when nothing changed.
    fn changes(&self) -> Vec<StateChange>;

    /// The changes were saved.
    fn saved(&self, saved: &[StateSaved]);

    /// After a conflict: reads what is stored under `keys` again and puts this turn's changes onto it. Fails when somebody else changed
    /// the same.
    fn rebase<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<(), BotError>>;

    /// Saves by itself, when it cannot share a commit.
    fn save_alone(&self) -> BoxFuture<'_, Result<(), BotError>>;
}

/// What is saved in one commit with a turn's record.
#[derive(Debug, Default)]
pub struct StateToSave(pub(crate) Vec<Arc<dyn AtTurnEnd>>);

impl StateToSave {
    /// Everything that changed.
    #[must_use]
    pub fn changes(&self) -> Vec<StateChange> {
        self.0.iter().flat_map(|end| end.changes()).collect()
    }

    /// After a conflict about `keys`; see [`AtTurnEnd::rebase`].
    ///
    /// # Errors
    /// When somebody else changed the same, or cannot be asked.
    pub async fn rebase(&self, keys: &[String]) -> Result<(), BotError> {
        for end in &self.0 {
            let own: Vec<String> =
                end.changes().into_iter().map(|change| change.key).filter(|key| keys.contains(key)).collect();
            if !own.is_empty() {
                end.rebase(&own).await?;
            }
        }
        Ok(())
    }

    /// Everything was saved.
    pub fn saved(&self, saved: &[StateSaved]) {
        self.0.iter().for_each(|end| end.saved(saved));
    }
}
