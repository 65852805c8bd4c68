//! Running a turn: middleware, bot, the end.

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::FutureExt;

use super::{Adapter, Answer, TurnEnd, process::Accepted};
use crate::{
    activity::ActivityType,
    turn::{BotError, DynBot, NewTurn, Next, Outgoing, TurnContext, TurnKind, Unavailable},
};

impl Adapter {
    /// Runs an inbound turn to its end, and answers what the channel is to be told.
    pub(super) async fn run(&self, accepted: Accepted, early: &AtomicBool) -> Answer {
        let Accepted { activity, conversation, key } = accepted;
        let outgoing = if activity.expects_replies() {
            Outgoing::Keep(Mutex::default())
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
            outgoing,
            services: Arc::clone(&self.inner.services),
            reply_ids,
        });
        self.inner.journal.attach(&ctx);
        let mut result = self.run_chain(&ctx, &*self.inner.bot).await;
        if result.is_ok() {
            result = self.finish(&ctx, early).await;
        }
        match result {
            Ok(()) => answer_of(&ctx),
            Err(error) => self.failed(&ctx, &error, early).await,
        }
    }

    /// Middleware and what stands at its end. A panic is an error like any other.
    pub(super) async fn run_chain(&self, ctx: &TurnContext, end: &dyn DynBot) -> Result<(), BotError> {
        let next = Next { chain: &self.inner.middleware, end };
        match AssertUnwindSafe(next.run(ctx)).catch_unwind().await {
            Ok(result) => result,
            Err(panic) => {
                let what = panic
                    .downcast_ref::<&str>()
                    .map(|text| (*text).to_owned())
                    .or_else(|| panic.downcast_ref::<String>().cloned())
                    .unwrap_or_default();
                Err(format!("the handler panicked: {what}").into())
            }
        }
    }

    /// The handler (or the saving of what it changed) failed: logged once, told to `on_turn_error`, answered.
    async fn failed(&self, ctx: &TurnContext, error: &BotError, early: &AtomicBool) -> Answer {
        let conversation = ctx.conversation();
        if Unavailable::is_in(error.as_ref()) {
            tracing::error!(%conversation, error = chain(error.as_ref()), "a turn could not be stored");
            return Answer::unavailable("the bot cannot store this now: send it again later");
        }
        tracing::error!(%conversation, error = chain(error.as_ref()), "a turn failed");
        // What the handler left unsaved stays unsaved.
        drop(ctx.take_ends());
        let answer = match &self.inner.on_turn_error {
            Some(on_turn_error) => {
                if AssertUnwindSafe(on_turn_error(ctx, error)).catch_unwind().await.is_err() {
                    tracing::error!(%conversation, "on_turn_error panicked");
                }
                answer_of(ctx)
            }
            None => Answer::failed(),
        };
        let end = TurnEnd { answer: &answer, early: early.load(Ordering::SeqCst), state: Vec::new() };
        if let Err(error) = self.inner.journal.finish(ctx, end).await {
            tracing::error!(%conversation, error = chain(&error), "the end of a failed turn could not be written");
            return Answer::unavailable("the bot cannot store this now: send it again later");
        }
        answer
    }
}

/// What a turn that took place is answered with.
pub(super) fn answer_of(ctx: &TurnContext) -> Answer {
    if let Some(replies) = ctx.kept_replies() {
        return Answer::replies(&replies);
    }
    if ctx.activity().activity_type != ActivityType::Invoke {
        return Answer::ok();
    }
    match ctx.invoke_response() {
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
