//! What middleware sends beside a notification becomes a notification of its own.
//!
//! It is accepted as a command of the first one's turn, keyed by (notification, ordinal): however often that is tried, it is one. It comes
//! after it in the lane, and is sent whatever becomes of it, as anything that was accepted is. What the same middleware would send
//! beside *it* is left out: otherwise one notification would bring forth others without end.

use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt};
use uuid::Uuid;

use super::{Error, NewNotification, desk::Desk, enqueue::Enqueue, notification::Cause};
use crate::{
    activity::Activity,
    store::Keyed,
    turn::{Beside, BotError, TurnContext},
};

/// Takes what is sent beside a notification.
pub(super) struct Accept {
    desk: Arc<Desk>,
    notification: Uuid,
    /// It was itself sent beside another.
    last: bool,
}

impl Accept {
    pub(super) fn beside(desk: &Arc<Desk>, notification: Uuid, cause: &Cause) -> Self {
        Self { desk: Arc::clone(desk), notification, last: matches!(cause, Cause::Beside { .. }) }
    }
}

impl Beside for Accept {
    fn take<'a>(&'a self, ctx: &'a TurnContext, activity: Activity) -> BoxFuture<'a, Result<(), BotError>> {
        async move {
            if self.last {
                tracing::debug!(notification = %self.notification, "left out what was sent beside what was sent beside");
                return Ok(());
            }
            let cause = Cause::Beside { notification: self.notification };
            let new = NewNotification { cause, ..NewNotification::new(ctx.conversation().clone(), activity) };
            let command = Enqueue::new(&self.desk, new)?;
            let digest = command.digest();
            let key = Some(ctx.next_command());
            let command = Keyed { key, kind: "beside", digest, command };
            self.desk.store.commit(command).await.map_err(Error::from)?;
            Ok(())
        }
        .boxed()
    }
}
