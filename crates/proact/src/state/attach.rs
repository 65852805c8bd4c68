//! How state hangs on a turn: kept among its values, saved at its end.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

pub(super) use super::turn_state::TurnState;
use super::{CommitScope, StateChange, StateSaved, Storage};
use crate::turn::{AtTurnEnd, BotError, TurnContext};

/// The turn's states, one entry for each storage that was asked for one.
#[derive(Debug, Default)]
struct TurnStates(Mutex<Vec<Arc<TurnState>>>);

/// This turn's view of a storage; the first time, it is registered to be saved at the turn's end.
pub(super) fn turn_state(ctx: &TurnContext, storage: &Arc<dyn Storage>) -> Arc<TurnState> {
    let states = ctx.value_or_default::<TurnStates>();
    let mut states = states.0.lock().unwrap_or_else(PoisonError::into_inner);
    let same = |state: &&Arc<TurnState>| std::ptr::addr_eq(Arc::as_ptr(&state.storage), Arc::as_ptr(storage));
    if let Some(state) = states.iter().find(same) {
        return Arc::clone(state);
    }
    let state = Arc::new(TurnState::new(Arc::clone(storage)));
    states.push(Arc::clone(&state));
    let at_end: Arc<dyn AtTurnEnd> = Arc::clone(&state) as _;
    ctx.on_end(at_end);
    state
}

impl AtTurnEnd for TurnState {
    fn commit_scope(&self) -> Option<CommitScope> {
        self.storage.commit_scope()
    }

    fn changes(&self) -> Vec<StateChange> {
        self.changes(None, false)
    }

    fn saved(&self, saved: &[StateSaved]) {
        self.saved(saved);
    }

    fn rebase<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<(), BotError>> {
        async move { Ok(self.rebase(keys).await?) }.boxed()
    }

    fn save_alone(&self) -> BoxFuture<'_, Result<(), BotError>> {
        async move { Ok(self.save(None, false, |changes| self.storage.write(changes)).await?) }.boxed()
    }
}
