//! The channel within the process: shows people what the bot sends, or refuses it as told.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use tokio::sync::Notify;

use super::describe::describe;
use crate::activity::{
    Activity, ActivityType, ConversationKey, ConversationParameters, ConversationReference,
    ConversationResourceResponse, ResourceResponse,
};
use crate::clock::Clock as _;
use crate::connector;
use crate::testkit::TestClock;
use crate::turn::{Delivered, Outbound, SendError};

/// Where the channel is said to be. Nothing is ever sent there.
pub(super) const SERVICE_URL: &str = "http://localhost/";

/// All conversations of a test.
#[derive(Debug)]
pub(super) struct Room {
    inner: Mutex<Inner>,
    /// Something was shown, or may have come to its end.
    pub(super) changed: Notify,
    pub(super) clock: TestClock,
    ignore_typing: bool,
}

#[derive(Debug, Default)]
struct Inner {
    talks: BTreeMap<(String, String), Talk>,
    /// Statuses for what is sent next.
    answers: VecDeque<u16>,
    activities: u64,
    conversations: u64,
}

#[derive(Debug, Default)]
struct Talk {
    lines: Vec<(Who, Activity)>,
    /// Lines before this one were expected, or are not the bot's.
    read: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Who {
    Person(String),
    Bot(How),
}

/// What became of an activity of the bot's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    New,
    Updated,
    /// The activity is what was shown last.
    Deleted,
}

impl Room {
    pub(super) fn new(clock: TestClock, ignore_typing: bool) -> Self {
        Self { inner: Mutex::default(), changed: Notify::new(), clock, ignore_typing }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new id for an activity.
    pub(super) fn next_id(&self) -> String {
        let mut inner = self.inner();
        inner.activities += 1;
        format!("a{}", inner.activities)
    }

    /// Refuses, or takes, what is sent next with these statuses.
    pub(super) fn answer_next(&self, status: u16) {
        self.inner().answers.push_back(status);
    }

    /// Writes down what a person sent.
    pub(super) fn said(&self, key: &ConversationKey, activity: &Activity) {
        let who = Who::Person(activity.from_id().unwrap_or_default().to_owned());
        self.inner().talk(key).lines.push((who, activity.clone()));
    }

    /// Takes the next activity of the bot's that nobody has expected yet.
    pub(super) fn take(&self, key: &ConversationKey) -> Option<(How, Activity)> {
        let mut inner = self.inner();
        let talk = inner.talk(key);
        let mut ahead = talk.lines.iter().skip(talk.read).enumerate();
        let (at, came) = ahead.find_map(|(at, line)| Some((at, self.of_the_bot(line)?)))?;
        talk.read += at + 1;
        Some(came)
    }

    /// Everything of the bot's that nobody has expected yet, in all conversations or in one.
    pub(super) fn unexpected(&self, only: Option<&ConversationKey>) -> Vec<(String, How, Activity)> {
        let inner = self.inner();
        let wanted = |(channel, id): &(String, String)| {
            only.is_none_or(|key| key.channel_id() == channel && key.conversation_id() == id)
        };
        let talks = inner.talks.iter().filter(|(key, _)| wanted(key));
        talks
            .flat_map(|((_, id), talk)| talk.lines.iter().skip(talk.read).map(move |line| (id, line)))
            .filter_map(|(id, line)| self.of_the_bot(line).map(|(how, came)| (id.clone(), how, came)))
            .collect()
    }

    /// What people in a conversation see of the bot's now: updated where it was updated, and without what was deleted.
    pub(super) fn shown(&self, key: &ConversationKey) -> Vec<Activity> {
        let mut shown: Vec<Activity> = Vec::new();
        for (who, activity) in &self.inner().talk(key).lines {
            let before = shown.iter().position(|earlier| earlier.id == activity.id);
            match (who, before) {
                (Who::Bot(How::Updated), Some(at)) => shown[at] = activity.clone(),
                (Who::Bot(How::Deleted), Some(at)) => drop(shown.remove(at)),
                (Who::Bot(How::New), _) => shown.push(activity.clone()),
                _ => {}
            }
        }
        shown
    }

    /// The talk so far, a line each.
    pub(super) fn transcript(&self, key: &ConversationKey) -> String {
        let mut inner = self.inner();
        let lines = inner.talk(key).lines.iter().map(|(who, activity)| match who {
            Who::Person(name) => format!("    {name:>8}: {}\n", describe(How::New, activity)),
            Who::Bot(how) => format!("    {:>8}: {}\n", "(bot)", describe(*how, activity)),
        });
        lines.collect()
    }

    /// A line, if it is the bot's and counts.
    fn of_the_bot(&self, (who, activity): &(Who, Activity)) -> Option<(How, Activity)> {
        let counts = !(self.ignore_typing && activity.activity_type == ActivityType::Typing);
        match who {
            Who::Bot(how) if counts => Some((*how, activity.clone())),
            _ => None,
        }
    }

    fn take_one(&self, activity: &Activity) -> Result<Delivered, SendError> {
        let key = activity.conversation_key().map_err(|missing| SendError::NoTarget(missing.field()))?;
        let mut inner = self.inner();
        let status = inner.refuse()?;
        inner.activities += 1;
        let id = format!("a{}", inner.activities);
        let shown =
            Activity { timestamp: Some(self.clock.now().to_string()), ..activity.clone() }.with_id(&id);
        inner.talk(&key).lines.push((Who::Bot(How::New), shown));
        Ok(Delivered { status: Some(status), response: ResourceResponse::new(id) })
    }

    /// An update or a delete (`None`) of what the bot showed before: people see it as something that happens, so it is one more line.
    /// What they do not see is 404.
    fn change(&self, key: &ConversationKey, id: &str, to: Option<Activity>) -> Result<Delivered, SendError> {
        let mut inner = self.inner();
        let status = inner.refuse()?;
        let mut lines = inner.talk(key).lines.iter().rev();
        let last = lines.find(|(who, line)| matches!(who, Who::Bot(_)) && line.id.as_deref() == Some(id));
        let last = match last {
            None | Some((Who::Bot(How::Deleted), _)) => return Err(refused(404)),
            Some((_, last)) => last.clone(),
        };
        let line = match to {
            Some(to) => (Who::Bot(How::Updated), to.with_id(id)),
            None => (Who::Bot(How::Deleted), last),
        };
        inner.talk(key).lines.push(line);
        Ok(Delivered { status: Some(status), response: ResourceResponse::new(id) })
    }

    fn create(&self, parameters: &ConversationParameters) -> Result<ConversationResourceResponse, SendError> {
        let mut inner = self.inner();
        inner.refuse()?;
        // Of one person there is one conversation, as on most channels: the one that `TestAdapter::user` speaks in.
        let id = match (parameters.members.as_slice(), parameters.is_group) {
            ([person], Some(false) | None) => person.id.clone(),
            _ => None,
        };
        let id = id.unwrap_or_else(|| {
            inner.conversations += 1;
            format!("created-{}", inner.conversations)
        });
        Ok(ConversationResourceResponse { id: Some(id), ..ConversationResourceResponse::default() })
    }
}

impl Inner {
    fn talk(&mut self, key: &ConversationKey) -> &mut Talk {
        let key = (key.channel_id().to_owned(), key.conversation_id().to_owned());
        self.talks.entry(key).or_default()
    }

    /// The status that the next request is answered with, if it is taken.
    fn refuse(&mut self) -> Result<u16, SendError> {
        let status = self.answers.pop_front().unwrap_or(200);
        if (200..=202).contains(&status) {
            return Ok(status);
        }
        Err(refused(status))
    }
}

fn refused(status: u16) -> SendError {
    let error = connector::Error::Status {
        status,
        code: Some("TestAdapter".to_owned()),
        message: Some("as the test asked for".to_owned()),
        retry_after: None,
    };
    SendError::Channel { may_have_arrived: error.is_unknown(), source: Box::new(error) }
}

/// The room as the adapter's way out.
#[derive(Debug)]
pub(super) struct IntoRoom(pub(super) std::sync::Arc<Room>);

impl Outbound for IntoRoom {
    fn deliver<'a>(
        &'a self,
        activity: &'a Activity,
        _: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Delivered, SendError>> {
        let delivered = self.0.take_one(activity);
        self.0.changed.notify_waiters();
        ready(delivered).boxed()
    }

    fn update<'a>(&'a self, activity: &'a Activity) -> BoxFuture<'a, Result<Delivered, SendError>> {
        let key = activity.conversation_key().map_err(|missing| SendError::NoTarget(missing.field()));
        let id = activity.id.as_deref().ok_or(SendError::NoActivityId);
        let updated = key.and_then(|key| self.0.change(&key, id?, Some(activity.clone())));
        self.0.changed.notify_waiters();
        ready(updated).boxed()
    }

    fn delete<'a>(
        &'a self,
        reference: &'a ConversationReference,
    ) -> BoxFuture<'a, Result<Delivered, SendError>> {
        let key = reference.conversation_key().map_err(|missing| SendError::NoTarget(missing.field()));
        let id = reference.activity_id.as_deref().ok_or(SendError::NoActivityId);
        let deleted = key.and_then(|key| self.0.change(&key, id?, None));
        self.0.changed.notify_waiters();
        ready(deleted).boxed()
    }

    fn create_conversation<'a>(
        &'a self,
        _: &'a str,
        parameters: &'a ConversationParameters,
    ) -> BoxFuture<'a, Result<ConversationResourceResponse, SendError>> {
        ready(self.0.create(parameters)).boxed()
    }
}
