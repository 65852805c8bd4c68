//! The end of a turn: what was cached is saved, with the turn's record in the same commit where that can be.
//!
//! Foreign storages save themselves first: if one fails, the turn failed and nothing is on record. On a conflict the states concerned
//! are read again and this turn's changes put onto them; the handler is not run again.

use std::sync::Arc;

use super::{Adapter, Answer, FinishError, TurnEnd, process::Progress};
use crate::{
    state::{StateChange, StateSaved},
    turn::{AtTurnEnd, BotError, StateToSave, TurnContext},
};

/// How often a save is tried against others that write the same keys.
const TRIES: u32 = 64;

impl Adapter {
    /// Saves and writes the end of a turn whose handler succeeded and that is answered so.
    pub(super) async fn finish(
        &self,
        ctx: &TurnContext,
        answer: &Answer,
        progress: &Progress,
    ) -> Result<(), BotError> {
        let (own, foreign) = self.split(ctx.take_ends());
        for end in foreign {
            end.save_alone().await?;
        }
        for _ in 0..TRIES {
            match self.write_end(ctx, answer, own.changes(), progress).await {
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

    /// Writes a turn's end. What was answered early stays answered so.
    pub(super) async fn write_end(
        &self,
        ctx: &TurnContext,
        answer: &Answer,
        state: Vec<StateChange>,
        progress: &Progress,
    ) -> Result<Vec<StateSaved>, FinishError> {
        // Held to the end: a turn that is finished must not be put on record as owed.
        let early = progress.early.lock().await;
        let told = Answer::ok();
        let answer = if *early { &told } else { answer };
        failpoint!(BeforeTurnEnd);
        let finished = self.inner.journal.finish(ctx, TurnEnd { answer, early: *early, state }).await;
        failpoint!(AfterTurnEnd);
        finished
    }

    /// What shares the journal's commit, and what saves itself.
    pub(super) fn split(&self, ends: Vec<Arc<dyn AtTurnEnd>>) -> (StateToSave, Vec<Arc<dyn AtTurnEnd>>) {
        let scope = self.inner.journal.commit_scope();
        let (own, foreign) = ends.into_iter().partition(|end| scope.is_some() && end.commit_scope() == scope);
        (StateToSave(own), foreign)
    }
}
