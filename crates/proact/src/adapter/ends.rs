//! The end of a turn: what was cached is saved, with the turn's record in the same commit where that can be.
//!
//! Foreign storages save themselves first: if one fails, the turn failed and nothing is on record. On a conflict the states concerned
//! are read again and this turn's changes put onto them; the handler is not run again.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use super::{Adapter, FinishError, TurnEnd, run::answer_of};
use crate::turn::{AtTurnEnd, BotError, StateToSave, TurnContext};

/// How often a save is tried against others that write the same keys.
const TRIES: u32 = 64;

impl Adapter {
    /// Saves and writes the end of a turn whose handler succeeded.
    pub(super) async fn finish(&self, ctx: &TurnContext, early: &AtomicBool) -> Result<(), BotError> {
        let (own, foreign) = self.split(ctx.take_ends());
        for end in foreign {
            end.save_alone().await?;
        }
        let early = early.load(Ordering::SeqCst);
        let answer = answer_of(ctx);
        for _ in 0..TRIES {
            let end = TurnEnd { answer: &answer, early, state: own.changes() };
            match self.inner.journal.finish(ctx, end).await {
                Ok(saved) => {
                    own.saved(&saved);
                    return Ok(());
                }
                Err(FinishError::Conflict { keys }) => own.rebase(&keys).await?,
                Err(FinishError::Journal(error)) => return Err(error.into()),
            }
        }
        Err("others kept writing the same state: it was not saved".into())
    }

    /// What shares the journal's commit, and what saves itself.
    pub(super) fn split(&self, ends: Vec<Arc<dyn AtTurnEnd>>) -> (StateToSave, Vec<Arc<dyn AtTurnEnd>>) {
        let scope = self.inner.journal.commit_scope();
        let (own, foreign) = ends.into_iter().partition(|end| scope.is_some() && end.commit_scope() == scope);
        (StateToSave(own), foreign)
    }
}
