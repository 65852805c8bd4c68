//! Stands outermost around every turn: knows which are under way, and what a handler failed with.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;

use super::room::Room;
use crate::turn::{BotError, Middleware, Next, TurnContext};

/// Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Watch {
    room: Arc<Room>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    under_way: usize,
    /// By the id of the activity.
    errors: HashMap<String, String>,
}

impl Watch {
    pub(super) fn new(room: Arc<Room>) -> Self {
        Self { room, state: Arc::default() }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_idle(&self) -> bool {
        self.state().under_way == 0
    }

    /// What the handler of this activity failed with, when it was last handled.
    pub(super) fn error_of(&self, activity_id: &str) -> Option<String> {
        self.state().errors.get(activity_id).cloned()
    }
}

/// Counts a turn while it lives, however it ends.
struct UnderWay<'w>(&'w Watch);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.state().under_way -= 1;
        self.0.room.changed.notify_waiters();
    }
}

impl Middleware for Watch {
    async fn on_turn(&self, ctx: &TurnContext, next: Next<'_>) -> Result<(), BotError> {
        self.state().under_way += 1;
        let _under_way = UnderWay(self);
        // The adapter makes an error of a panic; here it is only looked at on its way.
        let result = AssertUnwindSafe(next.run(ctx)).catch_unwind().await;
        let error = match &result {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(with_causes(error.as_ref())),
            Err(panic) => {
                let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
                let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
                Some(format!("the handler panicked: {}", text.unwrap_or_default()))
            }
        };
        if let Some(id) = ctx.activity().id.clone() {
            match error {
                Some(error) => drop(self.state().errors.insert(id, error)),
                None => drop(self.state().errors.remove(&id)),
            }
        }
        result.unwrap_or_else(|panic| resume_unwind(panic))
    }
}

fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
