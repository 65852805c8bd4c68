//! Running a turn: middleware, bot, the end.

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex},
};

use futures_util::FutureExt;

use super::{
    Adapter, Answer,
    process::{Accepted, Progress},
};
use crate::{
    activity::ActivityType,
    loops::said,
    turn::{BotError, DynBot, InvokeResponse, NewTurn, Next, Outgoing, TurnContext, TurnKind, Unavailable},
};

impl Adapter {
    /// Runs an inbound turn to its end, and answers what the channel is to be told.
    pub(super) async fn run(&self, accepted: Accepted, progress: &Progress) -> Answer {
        let Accepted { activity, conversation, key, caller } = accepted;
        let outgoing = if activity.expects_replies() {
            Outgoing::Keep { kept: Mutex::new(Some(Vec::new())), outbound: Arc::clone(&self.inner.outbound) }
        } else {
            Outgoing::Send(Arc::clone(&self.inner.outbound))
        };
        let takes_ids = self.inner.takes_ids.as_deref();
        let reply_ids = takes_ids.is_some() && activity.service_url.as_deref() == takes_ids;
        let ctx = TurnContext::new(NewTurn {
            activity,
            conversation,
            key,
            kind: TurnKind::Inbound,
            caller,
            outgoing,
            services: Arc::clone(&self.inner.services),
            reply_ids,
        });
        self.inner.journal.attach(&ctx);
        let result = match self.run_chain(&ctx, &*self.inner.bot).await {
            Ok(()) => {
                let answer = answer_of(&ctx);
                self.finish(&ctx, &answer, progress).await.map(|()| answer)
            }
            Err(error) => Err(error),
        };
        let answer = match result {
            Ok(answer) => answer,
            Err(error) => self.failed(&ctx, &error, progress).await,
        };
        ctx.stop_keeping();
        answer
    }

    /// Middleware and what stands at its end. A panic is an error like any other.
    pub(super) async fn run_chain(&self, ctx: &TurnContext, end: &dyn DynBot) -> Result<(), BotError> {
        let next = Next { chain: &self.inner.middleware, end };
        // The handler owns nothing of the adapter's that a panic could leave half changed.
        match AssertUnwindSafe(next.run(ctx)).catch_unwind().await {
            Ok(result) => result,
            Err(panic) => Err(format!("the handler panicked: {}", said(&*panic)).into()),
        }
    }

    /// The handler (or the saving of what it changed) failed: logged once, told to `on_turn_error`, answered.
    async fn failed(&self, ctx: &TurnContext, error: &BotError, progress: &Progress) -> Answer {
        let conversation = ctx.conversation();
        if Unavailable::is_in(error.as_ref()) {
            // It may be about to be put on record, and is owed then.
            let early = *progress.early.lock().await;
            tracing::error!(%conversation, early, error = chain(error.as_ref()), "a turn could not be stored");
            return Answer::unavailable("the bot cannot store this now: send it again later");
        }
        tracing::error!(%conversation, error = chain(error.as_ref()), "a turn failed");
        let answer = match &self.inner.on_turn_error {
            Some(on_turn_error) => {
                // Called within the future: a panic before the first await is caught too.
                let told = async { on_turn_error(ctx, error).await };
                if AssertUnwindSafe(told).catch_unwind().await.is_err() {
                    tracing::error!(%conversation, "on_turn_error panicked");
                }
                answer_of(ctx)
            }
            None => Answer::failed(),
        };
        // What the handler left unsaved, or `on_turn_error` touched, stays unsaved.
        if let Err(error) = self.write_end(ctx, &answer, Vec::new(), progress).await {
            tracing::error!(%conversation, error = chain(&error), "the end of a failed turn could not be written");
            return Answer::unavailable("the bot cannot store this now: send it again later");
        }
        answer
    }
}

/// What a turn that took place is answered with.
pub(super) fn answer_of(ctx: &TurnContext) -> Answer {
    let invoked =
        if ctx.activity().activity_type == ActivityType::Invoke { ctx.invoke_response() } else { None };
    if let Some(mut replies) = ctx.kept_replies() {
        // Who waits for the replies of an invoke finds its response among them.
        replies.extend(invoked.map(InvokeResponse::into_activity));
        return Answer::replies(&replies);
    }
    if ctx.activity().activity_type != ActivityType::Invoke {
        return Answer::ok();
    }
    match invoked {
        Some(response) if !(200..600).contains(&response.status) => {
            let conversation = ctx.conversation();
            tracing::error!(%conversation, status = response.status, "the status of an invoke response is none");
            Answer::failed()
        }
        Some(response) => match response.body {
            Some(body) => Answer::json(response.status, &body),
            None => Answer::empty(response.status),
        },
        None => Answer::error(501, "NotImplemented", "the bot does not handle this invoke"),
    }
}

/// An error with its causes, on one line.
pub(super) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // A transparent wrapper says the same as its cause.
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
