//! Shows that the bot is busy while a handler is slow.

use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use crate::{
    activity::ActivityType,
    turn::{BotError, Middleware, Next, TurnContext, TurnKind},
};

/// A faster rhythm would be no more typing, only more requests.
const SHORTEST_PERIOD: Duration = Duration::from_millis(100);

/// Sends `typing` when a message's turn takes longer than a moment, and again from time to time until it ends.
///
/// Only for messages of people: not in proactive turns, not for a skill's parent, not where the replies are wanted in the answer. What is
/// shown does not count as a [response](TurnContext::responded) and passes the hooks by. That it could not be shown is
/// logged (debug) and nothing else: a turn never fails or waits for it.
#[derive(Debug, Clone)]
pub struct ShowTyping {
    delay: Duration,
    period: Duration,
    at_most: Duration,
}

impl ShowTyping {
    /// After half a second, every two seconds, for ten minutes at most.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            delay: Duration::from_millis(500),
            period: Duration::from_secs(2),
            at_most: Duration::from_secs(600),
        }
    }

    /// For turns that take longer than this.
    #[must_use]
    pub const fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Again after this time, but not more often than ten times a second. Channels show it for about three seconds.
    #[must_use]
    pub const fn period(mut self, period: Duration) -> Self {
        self.period = period;
        self
    }

    /// No longer than this: a handler that hangs is not busy.
    #[must_use]
    pub const fn at_most(mut self, time: Duration) -> Self {
        self.at_most = time;
        self
    }

    async fn show(&self, ctx: &TurnContext) {
        let begun = Instant::now();
        sleep(self.delay).await;
        while begun.elapsed() <= self.at_most {
            let next = Instant::now() + self.period.max(SHORTEST_PERIOD);
            if let Err(error) = ctx.show_typing().await {
                tracing::debug!(conversation = %ctx.conversation(), %error, "typing could not be shown");
            }
            sleep_until(next).await;
        }
        std::future::pending().await
    }
}

impl Default for ShowTyping {
    fn default() -> Self {
        Self::new()
    }
}

impl Middleware for ShowTyping {
    async fn on_turn(&self, ctx: &TurnContext, next: Next<'_>) -> Result<(), BotError> {
        let activity = ctx.activity();
        let is_skill = activity.recipient.as_ref().is_some_and(|me| me.role.as_deref() == Some("skill"));
        let waits = activity.activity_type == ActivityType::Message && ctx.kind() == TurnKind::Inbound;
        if !waits || is_skill || activity.expects_replies() {
            return next.run(ctx).await;
        }
        tokio::select! {
            // The turn first: when it is done, nothing more is shown.
            biased;
            result = next.run(ctx) => result,
            () = self.show(ctx) => unreachable!("it shows until it is dropped"),
        }
    }
}
