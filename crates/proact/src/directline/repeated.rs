//! What is being handed to the bot under an id that may come again: the repetition waits for the same answer.
//!
//! An entry is there while the bot has the activity in hand. It is memory alone: after a restart the store knows how far
//! it came.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};

use super::commands::Place;
use super::error::Problem;

type Answer = Shared<BoxFuture<'static, Result<(), Problem>>>;

#[derive(Default)]
pub(super) struct Repeated {
    under_way: Mutex<HashMap<(Place, i64), Answer>>,
}

impl Repeated {
    /// Awaits the answer to the activity `seq`: the one that is under way, or else the one that `hand_over` brings.
    pub(super) async fn once(
        &self,
        place: &Place,
        seq: i64,
        hand_over: impl Future<Output = Result<(), Problem>> + Send + 'static,
    ) -> Result<(), Problem> {
        let key = (place.clone(), seq);
        let answer = self.lock().entry(key.clone()).or_insert_with(|| hand_over.boxed().shared()).clone();
        let answered = answer.await;
        self.lock().remove(&key);
        answered
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(Place, i64), Answer>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
