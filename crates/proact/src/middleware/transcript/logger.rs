//! The middleware that writes transcripts.

use std::sync::Arc;

use super::{
    TranscriptEntry, TranscriptKind, TranscriptStore,
    queue::{Limits, Queue},
    redacted,
};
use crate::{
    activity::{Activity, ActivityType, CREATE_CONVERSATION, ConversationKey, ResourceResponse},
    clock::Clock,
    turn::{BotError, Middleware, Next, NextHook, OutgoingHook, SendError, TurnContext},
};

/// Writes down what comes in and what goes out; see the [module](super) for what it promises. Clones write to the same queue.
#[derive(Debug, Clone)]
pub struct TranscriptLogger {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    queue: Queue,
    clock: Arc<dyn Clock>,
}

impl TranscriptLogger {
    /// A logger into `store`, with the times of `clock`.
    #[must_use]
    pub fn new(store: impl TranscriptStore, clock: Arc<dyn Clock>) -> Self {
        Self { inner: Arc::new(Inner { queue: Queue::new(Arc::new(store), Limits::default()), clock }) }
    }

    /// Waits until everything that was said before is written, or given up: for the end of a program, and for tests.
    pub async fn flush(&self) {
        self.inner.queue.flush().await;
    }

    /// How many lines were lost since the beginning.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.inner.queue.lost()
    }

    fn write(&self, conversation: &ConversationKey, kind: TranscriptKind, activity: Activity) {
        let (conversation, at) = (conversation.clone(), self.inner.clock.now());
        let at = jiff::Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at);
        self.inner.queue.push(TranscriptEntry { conversation, at, kind, activity: redacted(activity) });
    }
}

impl Middleware for TranscriptLogger {
    async fn on_turn(&self, ctx: &TurnContext, next: Next<'_>) -> Result<(), BotError> {
        let activity = ctx.activity();
        if !activity.is_continuation() && !activity.is_event(CREATE_CONVERSATION) {
            self.write(ctx.conversation(), TranscriptKind::Received, activity.clone());
        }
        // Last: what is written down is what the channel got.
        ctx.hook_last(Outgoing(self.clone()));
        next.run(ctx).await
    }
}

struct Outgoing(TranscriptLogger);

impl OutgoingHook for Outgoing {
    async fn on_send(
        &self,
        ctx: &TurnContext,
        activity: Activity,
        next: NextHook<'_>,
    ) -> Result<ResourceResponse, SendError> {
        let stays = match activity.activity_type {
            ActivityType::Delay => true,
            ActivityType::Trace => ctx.conversation().channel_id() != "emulator",
            // What goes out later has a turn of its own to be written down in.
            _ => next.sends_later(ctx, &activity),
        };
        if stays {
            return next.send(ctx, activity).await;
        }
        let mut written = activity.clone();
        let response = next.send(ctx, activity).await?;
        written.id.clone_from(&response.id);
        self.0.write(ctx.conversation(), TranscriptKind::Sent, written);
        Ok(response)
    }

    async fn on_update(
        &self,
        ctx: &TurnContext,
        activity: Activity,
        next: NextHook<'_>,
    ) -> Result<ResourceResponse, SendError> {
        let written = activity.clone();
        let response = next.update(ctx, activity).await?;
        self.0.write(ctx.conversation(), TranscriptKind::Updated, written);
        Ok(response)
    }

    async fn on_delete(&self, ctx: &TurnContext, id: &str, next: NextHook<'_>) -> Result<(), SendError> {
        next.delete(ctx, id).await?;
        let mut written = Activity::new(ActivityType::MessageDelete);
        written.apply_reference_outgoing(ctx.reference());
        written.reply_to_id = None;
        self.0.write(ctx.conversation(), TranscriptKind::Deleted, written.with_id(id));
        Ok(())
    }
}
