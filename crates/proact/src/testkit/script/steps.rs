//! A script: steps that are written down first and taken when it is awaited.

use std::future::IntoFuture;
use std::panic::Location;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::Value;

use super::TestUser;
use super::expectation::Expectation;
use crate::activity::{Activity, ActivityType};

/// What is done in a step.
pub(super) enum Doing {
    Send(Box<Activity>),
    Again,
    Answered(u16, Option<Value>),
    Expect(Expectation),
    ExpectNothing,
    ExpectSilence,
    Advance(Duration),
    ChannelAnswers(u16),
}

/// A step, by whom, and where in the test it stands.
pub(super) struct Step {
    pub(super) doing: Doing,
    pub(super) user: TestUser,
    pub(super) at: &'static Location<'static>,
}

/// What people say and see, step by step. Nothing happens before it is awaited; then every step that does not go as it is written
/// panics, with what came instead, the talk so far, and the step's place in the test.
#[must_use = "a script does nothing until it is awaited"]
pub struct Script {
    pub(super) user: TestUser,
    pub(super) steps: Vec<Step>,
}

impl Script {
    pub(super) fn new(user: TestUser) -> Self {
        Self { user, steps: Vec::new() }
    }

    #[track_caller]
    fn then(mut self, doing: Doing) -> Self {
        let (user, at) = (self.user.clone(), Location::caller());
        self.steps.push(Step { doing, user, at });
        self
    }

    /// Goes on with another person, or in another conversation.
    pub fn switch_to(mut self, user: &TestUser) -> Self {
        self.user = user.clone();
        self
    }

    /// Sends something to the bot; a text is a message. What a channel fills in is filled in where it is not said. The step is over
    /// when the bot has answered. An answer that is not 2xx ends the test, unless [`answered`](Self::answered) follows.
    #[track_caller]
    pub fn send(self, activity: impl Into<Activity>) -> Self {
        self.then(Doing::Send(Box::new(activity.into())))
    }

    /// The person and the bot join the conversation.
    #[track_caller]
    pub fn joins(self) -> Self {
        let update = self.user.joining();
        self.send(update)
    }

    /// An event comes.
    #[track_caller]
    pub fn event(self, name: &str, value: impl Into<Value>) -> Self {
        self.send(Activity::event(name, value))
    }

    /// An invoke comes; what the bot answers is looked at by [`answered_with`](Self::answered_with).
    #[track_caller]
    pub fn invoke(self, name: &str, value: impl Into<Value>) -> Self {
        let invoke = Activity { name: Some(name.to_owned()), ..Activity::new(ActivityType::Invoke) };
        self.send(invoke.with_value(value))
    }

    /// The channel delivers the activity that was sent last in this script once more, as channels do that got no answer.
    #[track_caller]
    pub fn again(self) -> Self {
        self.then(Doing::Again)
    }

    /// What was just sent was answered with this status.
    #[track_caller]
    pub fn answered(self, status: u16) -> Self {
        self.then(Doing::Answered(status, None))
    }

    /// What was just sent was answered with this status and this JSON.
    #[track_caller]
    pub fn answered_with(self, status: u16, body: impl Into<Value>) -> Self {
        self.then(Doing::Answered(status, Some(body.into())))
    }

    /// The next that comes is a message with exactly this text.
    #[track_caller]
    pub fn expect(self, text: impl Into<String>) -> Self {
        self.then(Doing::Expect(Expectation::Text(text.into())))
    }

    /// The next that comes is a message with this in its text.
    #[track_caller]
    pub fn expect_containing(self, part: impl Into<String>) -> Self {
        self.then(Doing::Expect(Expectation::Containing(part.into())))
    }

    /// The next that comes is a message with one of these texts.
    #[track_caller]
    pub fn expect_one_of<T: Into<String>>(self, texts: impl IntoIterator<Item = T>) -> Self {
        self.then(Doing::Expect(Expectation::OneOf(texts.into_iter().map(Into::into).collect())))
    }

    /// The next that comes is the sign that the bot is busy.
    #[track_caller]
    pub fn expect_typing(self) -> Self {
        self.then(Doing::Expect(Expectation::Typing))
    }

    /// The next that happens: the bot changes something that it had said, to this text.
    #[track_caller]
    pub fn expect_update(self, text: impl Into<String>) -> Self {
        self.then(Doing::Expect(Expectation::Update(text.into())))
    }

    /// The next that happens: the bot changes something that it had said, and `look` asserts what it likes about what it is now.
    #[track_caller]
    pub fn expect_update_with(self, look: impl FnOnce(&Activity) + Send + 'static) -> Self {
        self.then(Doing::Expect(Expectation::UpdateWith(Box::new(look))))
    }

    /// The next that happens: the bot deletes something that it had said.
    #[track_caller]
    pub fn expect_delete(self) -> Self {
        self.then(Doing::Expect(Expectation::Delete))
    }

    /// The next that comes has these fields with these values, among others: objects are looked into, everything else is equal.
    ///
    /// ```
    /// # use serde_json::json;
    /// # use proact::testkit::{Script, TestUser};
    /// # fn example(eva: TestUser) -> Script {
    /// eva.send("color").expect_like(json!({
    ///     "text": "Which one?",
    ///     "inputHint": "expecting",
    ///     "suggestedActions": { "actions": [
    ///         { "type": "imBack", "title": "red", "value": "red" },
    ///         { "type": "imBack", "title": "blue", "value": "blue" },
    ///     ] },
    /// }))
    /// # }
    /// ```
    #[track_caller]
    pub fn expect_like(self, fields: impl Into<Value>) -> Self {
        self.then(Doing::Expect(Expectation::Like(fields.into())))
    }

    /// The next that comes is one of which `holds` is true; `what` says it in words, for the failure's message.
    #[track_caller]
    pub fn expect_that(
        self,
        what: impl Into<String>,
        holds: impl Fn(&Activity) -> bool + Send + 'static,
    ) -> Self {
        self.then(Doing::Expect(Expectation::That(what.into(), Box::new(holds))))
    }

    /// Something comes next, and `look` asserts what it likes about it.
    #[track_caller]
    pub fn expect_with(self, look: impl FnOnce(&Activity) + Send + 'static) -> Self {
        self.then(Doing::Expect(Expectation::With(Box::new(look))))
    }

    /// Nothing (more) comes to the conversation: everything that was said there was expected, once all turns are over and
    /// everything that was accepted and may be sent now has been. What the bot's own tasks do later is not waited for.
    #[track_caller]
    pub fn expect_nothing(self) -> Self {
        self.then(Doing::ExpectNothing)
    }

    /// The same as [`expect_nothing`](Self::expect_nothing), of all conversations of the test.
    #[track_caller]
    pub fn expect_silence(self) -> Self {
        self.then(Doing::ExpectSilence)
    }

    /// Moves the bot's clock forward: what waits for a time goes when it has come.
    #[track_caller]
    pub fn advance(self, by: Duration) -> Self {
        self.then(Doing::Advance(by))
    }

    /// The channel answers the next request of the bot with this status; another than 200, 201 or 202 shows nobody anything. Several
    /// are for several requests, in their order.
    #[track_caller]
    pub fn channel_answers(self, status: u16) -> Self {
        self.then(Doing::ChannelAnswers(status))
    }
}

impl IntoFuture for Script {
    type Output = ();
    type IntoFuture = BoxFuture<'static, ()>;

    fn into_future(self) -> BoxFuture<'static, ()> {
        super::run::run(self).boxed()
    }
}

impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Script").field("steps", &self.steps.len()).finish_non_exhaustive()
    }
}
