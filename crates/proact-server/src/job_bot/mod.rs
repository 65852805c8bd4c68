//! The job bot: the article's bot, on the durable engine.
//!
//! What people say and what it answers is in `said.rs` and `texts.rs`. What it promises: a job's number is announced after the job is
//! committed; `done` answers its sender after the completion *and* its message are committed, in one commit; the same activity
//! handed over twice does neither twice. What it cannot do it leaves to the adapter: the turn fails, and the person is told
//! so (`Sorry, …`), unless the store takes nothing at the moment: then the channel is told to come again.

mod said;
mod table;
mod texts;

use proact::{
    activity::{Activity, ActivityType, ConversationKey},
    auth::CallerKind,
    directline,
    keys::Keys,
    proactive::{Completion, JobFilter, Proactive, ProactiveTurn},
    turn::{Bot, BotError, TurnContext},
};
use said::{Said, job_number};
use serde_json::Value;
pub use texts::SORRY;
pub(crate) use texts::{cancelled_message, complete_message, failed_message};

use crate::config::Visibility;

/// The kind of every job that is started in the chat.
const KIND: &str = "job";
/// The events that say that a job has been completed elsewhere.
const COMPLETED: [&str; 2] = ["jobComplete", "jobCompleted"];
/// Jobs on a page of `show`.
const PAGE: u32 = 20;

/// The bot inside the program.
#[derive(Debug, Clone, Copy)]
pub struct JobBot {
    /// Which jobs `show` and `done` reach. The event, which comes from elsewhere, is not bound by it.
    pub visibility: Visibility,
    /// Whether the event is believed only of who has a key of the API that permits `complete`: in conversations of the built-in channel that
    /// were started with one, and as far as it reaches. Else of anyone, which must be this machine alone.
    pub keys_required: bool,
}

impl Bot for JobBot {
    async fn on_turn(&self, ctx: &TurnContext) -> Result<(), BotError> {
        let activity = ctx.activity();
        match activity.activity_type {
            ActivityType::Message => self.on_message(ctx).await,
            ActivityType::ConversationUpdate => welcome(ctx).await,
            ActivityType::Event if activity.name.as_deref().is_some_and(|name| COMPLETED.contains(&name)) => {
                self.on_completed(ctx).await
            }
            _ => Ok(()),
        }
    }
}

impl JobBot {
    async fn on_message(&self, ctx: &TurnContext) -> Result<(), BotError> {
        let answer = match Said::read(&ctx.activity().text_without_mention_of_recipient()) {
            Said::Run => texts::started(ctx.jobs().start(KIND).await?),
            Said::Show { page } => self.show(ctx, page).await?,
            Said::Done(None) => texts::which_number(),
            Said::Done(Some(number)) => {
                let message = complete_message(number);
                match ctx.jobs().complete(number, message, self.within(ctx)).await? {
                    Completion::Completed { .. } => texts::completing(number),
                    Completion::AlreadyCompleted => texts::already_complete(number),
                    Completion::NotFound => texts::no_such_job(number),
                }
            }
            Said::Else => texts::help(),
        };
        ctx.send(answer).await?;
        Ok(())
    }

    async fn show(&self, ctx: &TurnContext, page: u64) -> Result<Activity, BotError> {
        let filter = JobFilter {
            conversation: self.within(ctx),
            skip: (page - 1).saturating_mul(u64::from(PAGE)).min(JobFilter::COUNTED),
            limit: PAGE,
            count: true,
            ..JobFilter::default()
        };
        let mut jobs = ctx.jobs().page(filter).await?;
        // What a page costs grows with how far back it is: past what is counted there is none.
        if page > table::LAST {
            jobs.items.clear();
        }
        Ok(table::of(&jobs, page))
    }

    /// The conversation whose jobs alone are reached.
    fn within(&self, ctx: &TurnContext) -> Option<ConversationKey> {
        (self.visibility == Visibility::Own).then(|| ctx.conversation().clone())
    }
}

/// Greets everyone who was added, but not the bot itself.
async fn welcome(ctx: &TurnContext) -> Result<(), BotError> {
    let activity = ctx.activity();
    for member in &activity.members_added {
        if member.id.as_deref() != activity.recipient_id() {
            ctx.send(texts::welcome(member.name.as_deref())).await?;
        }
    }
    Ok(())
}

impl JobBot {
    /// A job was completed elsewhere: its own conversation is told, the sender is not answered.
    async fn on_completed(&self, ctx: &TurnContext) -> Result<(), BotError> {
        let Some(number) = ctx.activity().value.as_ref().and_then(number_in) else {
            tracing::warn!(conversation = %ctx.conversation(), "an event of a completed job has no job number as its value");
            return Ok(());
        };
        if self.keys_required && !may_tell(ctx, number).await? {
            tracing::warn!(
                job = number,
                conversation = %ctx.conversation(),
                "an event says that a job is complete, and who sent it may not: give the job system a key (`proact keys create`), to be used as the Direct Line secret"
            );
            return Ok(());
        }
        match ctx.jobs().complete(number, complete_message(number), None).await? {
            Completion::Completed { .. } => {}
            Completion::AlreadyCompleted => {
                tracing::info!(job = number, "an event completes a job that is complete; nothing is sent");
            }
            Completion::NotFound => {
                tracing::warn!(
                    job = number,
                    "an event completes a job that the log does not contain; nothing is sent"
                );
            }
        }
        Ok(())
    }
}

/// Whether the one in this conversation has shown a key that reaches this job.
async fn may_tell(ctx: &TurnContext, number: u64) -> Result<bool, BotError> {
    // The channel's own word, or, while no tokens are asked for, this machine's. Another channel of that name is neither.
    if !matches!(ctx.caller().kind, CallerKind::DirectLine | CallerKind::Anonymous) {
        return Ok(false);
    }
    let (Some(engine), Some(keys)) = (ctx.service::<Proactive>(), ctx.service::<Keys>()) else {
        return Ok(false);
    };
    let Some(grant) = directline::teller(engine.store(), &keys, ctx.conversation()).await? else {
        return Ok(false);
    };
    Ok(engine.job(number).await?.is_some_and(|job| grant.scope.reach.job(&job)))
}

/// The job number in an event's value: a number, or a text of digits.
fn number_in(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => job_number(text.trim()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_numbers_are_read_from_an_event() {
        for (value, number) in [
            (json!(17), Some(17)),
            (json!("17"), Some(17)),
            (json!(" 17 "), Some(17)),
            (json!(0), Some(0)),
            (json!(-1), None),
            (json!(1.5), None),
            (json!("1.5"), None),
            (json!("+1"), None),
            (json!(""), None),
            (json!(true), None),
            (json!({ "number": 17 }), None),
            (json!([17]), None),
            (json!("99999999999999999999"), None),
        ] {
            assert_eq!(number_in(&value), number, "{value}");
        }
    }
}
