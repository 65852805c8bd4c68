//! The states that bots are given.

use std::sync::Arc;

use super::attach::{self, TurnState};
use super::key::Scope;
use super::{Accessor, Expect, StateChange, StateError, Storage};
use crate::turn::TurnContext;

/// State kept by conversation, by user, by both, or under one key of your own. Cheap to clone.
///
/// It is reached through [accessors](Self::property) and saved with the turn. Two of the same kind over the same storage
/// are the same state.
#[derive(Clone, Debug)]
pub struct BotState {
    storage: Arc<dyn Storage>,
    scope: Scope,
}

impl BotState {
    /// State of a conversation, for everyone in it.
    #[must_use]
    pub fn conversation(storage: Arc<dyn Storage>) -> Self {
        Self { storage, scope: Scope::Conversation }
    }

    /// State of a person, in all conversations of a channel.
    #[must_use]
    pub fn user(storage: Arc<dyn Storage>) -> Self {
        Self { storage, scope: Scope::User }
    }

    /// State of a person within a conversation.
    #[must_use]
    pub fn private_conversation(storage: Arc<dyn Storage>) -> Self {
        Self { storage, scope: Scope::PrivateConversation }
    }

    /// State under one key, for all turns. Everything that changes it meets there, so prefer
    /// [`Accessor::update`] and keep it small.
    #[must_use]
    pub fn custom(storage: Arc<dyn Storage>, key: impl Into<String>) -> Self {
        Self { storage, scope: Scope::Custom(key.into()) }
    }

    /// Access to one property of the state.
    #[must_use]
    pub fn property<T>(&self, name: impl Into<Arc<str>>) -> Accessor<T> {
        Accessor::new(self.clone(), name.into())
    }

    /// Saves what this turn changed so far, without waiting for its end. What was never asked for is not saved.
    ///
    /// It is one of the turn's commands: a turn that is run again does not save it twice, if the storage remembers
    /// turns.
    ///
    /// # Errors
    /// [`StateError::Conflict`] if a property was changed on both sides; [`StateError::Storage`] if the storage failed.
    pub async fn save_changes(&self, ctx: &TurnContext) -> Result<(), StateError> {
        self.save(ctx, false).await
    }

    /// Saves it even if nothing changed, which gives it a new `ETag`. What was never asked for is not saved.
    ///
    /// # Errors
    /// As [`save_changes`](Self::save_changes).
    pub async fn save_forced(&self, ctx: &TurnContext) -> Result<(), StateError> {
        self.save(ctx, true).await
    }

    /// Deletes all its properties, as of the turn's end.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn clear(&self, ctx: &TurnContext) -> Result<(), StateError> {
        let (state, key) = self.of(ctx)?;
        state
            .with(&key, |document| {
                document.clear();
                Ok(())
            })
            .await
    }

    /// Deletes it from the storage now, whatever it holds, and forgets what this turn had changed of it.
    ///
    /// # Errors
    /// [`StateError::Storage`] if the storage failed.
    pub async fn delete(&self, ctx: &TurnContext) -> Result<(), StateError> {
        let (state, key) = self.of(ctx)?;
        let change = vec![StateChange::delete(&key, Expect::Any)];
        state.delete(&key, self.storage.write_in_turn(ctx.next_command(), change)).await
    }

    async fn save(&self, ctx: &TurnContext, forced: bool) -> Result<(), StateError> {
        let (state, key) = self.of(ctx)?;
        // Taken even if there is nothing to save: when the turn is run again, it may be so, and the commands after this
        // one must find their numbers all the same.
        let command = ctx.next_command();
        state.save(Some(&key), forced, |changes| self.storage.write_in_turn(command, changes)).await
    }

    /// This turn's view of the storage, and this state's key in it.
    pub(super) fn of(&self, ctx: &TurnContext) -> Result<(Arc<TurnState>, String), StateError> {
        let key = self.scope.key(ctx.activity())?;
        Ok((attach::turn_state(ctx, &self.storage), key))
    }
}
