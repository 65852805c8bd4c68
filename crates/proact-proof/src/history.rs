//! What happened in a run: what clients asked and were told, what the channel saw, and what the store holds in the end.
//!
//! Plain data, so that the checker can be shown histories that never happened. Times that end in `_ms` are milliseconds since 1970
//! by the clock that the program went by, which may have been stepped; an [`At`] counts from the start of the run and never jumps.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::work::Work;

/// How long after the start of the run, by the monotonic clock of who watched.
pub type At = Duration;

/// What a client wanted of the bot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// `run`.
    Run,
    /// `done N`.
    Done(u64),
    /// The event `jobCompleted` with the value N.
    Event(u64),
    /// Something that the bot does not know.
    Unknown,
    /// `run`, with a service URL that must be refused.
    Foreign,
}

/// What came of one request: three different things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// 2xx.
    Acknowledged,
    /// Any other status.
    Refused(u16),
    /// The connection ended without an answer.
    NoAnswer,
}

impl Told {
    /// What a status says, or that there was none.
    #[must_use]
    pub fn by(status: Option<u16>) -> Self {
        match status {
            Some(200..=299) => Self::Acknowledged,
            Some(status) => Self::Refused(status),
            None => Self::NoAnswer,
        }
    }

    /// Refused as something that can never be taken.
    #[must_use]
    pub fn for_good(self) -> bool {
        matches!(self, Self::Refused(400..=428 | 430..=499))
    }
}

/// One activity and every answer to it, for a client repeats it until it has a definite one.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The activity's id.
    pub id: String,
    /// The conversation's id.
    pub conversation: String,
    /// What was wanted.
    pub ask: Ask,
    /// The answers, in order.
    pub told: Vec<Told>,
    /// When it was sent first.
    pub asked: At,
    /// When the last answer came, or there was none.
    pub heard: At,
}

impl Asked {
    /// Whether it was acknowledged at least once.
    #[must_use]
    pub fn acknowledged(&self) -> bool {
        self.told.contains(&Told::Acknowledged)
    }

    /// Every time it was sent, it was refused as something that can never be taken.
    #[must_use]
    pub fn refused_for_good(&self) -> bool {
        self.told.iter().all(|told| told.for_good())
    }
}

/// What a client wanted of `/v1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// A notification.
    Notify(Notify),
    /// That a notification is not sent.
    Cancel {
        /// Its id.
        id: String,
    },
    /// That one that failed, or may have arrived, is sent again.
    Replay {
        /// Its id.
        id: String,
    },
    /// That nothing is sent to a conversation, or to anybody, until it is resumed.
    Pause {
        /// The conversation's id, or `None` for everything.
        conversation: Option<String>,
    },
    /// The end of such a pause.
    Resume {
        /// The conversation's id, or `None` for everything.
        conversation: Option<String>,
    },
}

/// A notification as it was asked for. Its text is its own in the whole run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notify {
    /// The `Idempotency-Key`.
    pub key: String,
    /// The conversation's id.
    pub conversation: String,
    /// What is said.
    pub text: String,
    /// `at_most_once` instead of `at_least_once`.
    pub at_most_once: bool,
    /// `urgent`, `normal` or `bulk`.
    pub priority: String,
    /// `interject` instead of `after_turn`.
    pub interject: bool,
    /// Not to be sent before.
    pub not_before_ms: Option<i64>,
    /// Not to be sent after.
    pub expires_ms: Option<i64>,
}

/// One answer to a request over `/v1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// What it said.
    pub told: Told,
    /// The id of the notification that it speaks of.
    pub id: Option<String>,
    /// When the request was sent.
    pub asked: At,
    /// When the answer came, or there was none.
    pub heard: At,
}

/// A request over `/v1` and every answer to it.
#[derive(Clone, Debug)]
pub struct Request {
    /// What was wanted.
    pub call: Call,
    /// The answers, in order.
    pub replies: Vec<Reply>,
}

impl Request {
    /// The first acknowledgement.
    #[must_use]
    pub fn acknowledged(&self) -> Option<&Reply> {
        self.replies.iter().find(|reply| reply.told == Told::Acknowledged)
    }

    /// Whether it can have had an effect: it was acknowledged, or an answer is missing, or an error said nothing definite.
    #[must_use]
    pub fn may_have_taken_effect(&self) -> bool {
        !self.replies.iter().all(|reply| reply.told.for_good())
    }
}

/// What a line of the channel's ledger brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// A new activity.
    #[default]
    Send,
    /// A change of one.
    Update,
    /// The end of one.
    Delete,
}

/// One request that reached the channel.
#[derive(Clone, Debug, Default)]
pub struct Line {
    /// What it brought.
    pub kind: Kind,
    /// The conversation's id.
    pub conversation: String,
    /// The activity that it answers; for updates and deletions, the one that is meant.
    pub reply_to: Option<String>,
    /// The activity's text.
    pub text: String,
    /// Whether people see it.
    pub accepted: bool,
    /// The status that was answered, if one was.
    pub status: Option<u16>,
    /// How long to wait, as the channel asked in seconds that can be read.
    pub retry_after: Option<Duration>,
    /// The id that the channel gave it.
    pub id: String,
    /// When it had come.
    pub at: At,
    /// The same by the program's clock.
    pub wall_ms: i64,
    /// When the answer left, by the program's clock.
    pub answered_ms: Option<i64>,
}

impl Line {
    /// Whether it is a new activity that answers nobody.
    #[must_use]
    pub fn is_proactive(&self) -> bool {
        self.kind == Kind::Send && self.reply_to.is_none()
    }

    /// The channel took it and said that it had not: nobody can know.
    #[must_use]
    pub fn is_a_lie(&self) -> bool {
        self.accepted && self.status.is_some_and(|status| matches!(status, 400..=499 | 503))
    }
}

/// A job in the store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Job {
    /// Its number.
    pub number: u64,
    /// The conversation's id.
    pub conversation: String,
    /// Whether it has succeeded.
    pub completed: bool,
    /// Its notification.
    pub notification: Option<String>,
    /// Its state.
    pub state: String,
    /// What people are told that it is; only jobs of programs have one.
    pub title: Option<String>,
    /// Its conversation was told that there is no news of it.
    pub silent: bool,
    /// How its progress is shown, if any was reported.
    pub way: Option<String>,
}

/// An attempt in the store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attempt {
    /// Its outcome; `None` while it is under way.
    pub outcome: Option<String>,
    /// When it was begun.
    pub begun_ms: i64,
    /// When its outcome was known.
    pub ended_ms: Option<i64>,
}

/// A notification in the store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notification {
    /// Its id.
    pub id: String,
    /// The conversation's id.
    pub conversation: String,
    /// Its state.
    pub state: String,
    /// Why, if that is said.
    pub reason: Option<String>,
    /// The job that it tells of.
    pub job: Option<u64>,
    /// What it says.
    pub text: String,
    /// `at_least_once` or `at_most_once`.
    pub policy: String,
    /// `urgent`, `normal` or `bulk`.
    pub priority: String,
    /// `after_turn` or `interject`.
    pub moment: String,
    /// Which notification it replays.
    pub replay_of: Option<String>,
    /// The time from which it could go.
    pub ready_ms: i64,
    /// Its attempts, in order.
    pub attempts: Vec<Attempt>,
}

/// Times on record are whole milliseconds, and two threads read a clock one after the other.
pub const EXACT_MS: i64 = 20;
/// A process that died is known to have died when the next one starts.
const LATE_MS: i64 = 5_000;

impl Notification {
    /// Whether a line falls within one of its attempts: begun before it came, its outcome not known long before.
    #[must_use]
    pub fn covers(&self, line: &Line) -> bool {
        self.attempts.iter().any(|attempt| {
            attempt.begun_ms <= line.wall_ms + EXACT_MS
                && attempt.ended_ms.is_none_or(|ended| line.wall_ms <= ended + LATE_MS)
        })
    }

    /// The attempt that had been begun last at a time.
    #[must_use]
    pub fn attempt_at(&self, time_ms: i64) -> Option<&Attempt> {
        self.attempts.iter().rev().find(|attempt| attempt.begun_ms <= time_ms)
    }

    /// How many of its attempts ended so.
    #[must_use]
    pub fn ended(&self, outcome: &str) -> usize {
        self.attempts.iter().filter(|attempt| attempt.outcome.as_deref() == Some(outcome)).count()
    }
}

/// What the store holds: jobs by number, notifications in the order of acceptance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Store {
    /// The job log.
    pub jobs: Vec<Job>,
    /// The outbox and its history, without what shows how far jobs are.
    pub notifications: Vec<Notification>,
    /// What shows how far jobs are.
    pub progress: Vec<Notification>,
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// What was asked of the bot.
    pub asked: Vec<Asked>,
    /// What was asked of `/v1`.
    pub requests: Vec<Request>,
    /// What programs did about their jobs.
    pub works: Vec<Work>,
    /// What reached the channel, in the order of arrival, without what shows how far jobs are.
    pub ledger: Vec<Line>,
    /// What shows how far jobs are, in the order of arrival.
    pub progress: Vec<Line>,
    /// Requests that no channel takes, such as where a redirect leads.
    pub strays: Vec<String>,
    /// When the program's clock was stepped.
    pub steps: Vec<At>,
    /// From when to when nobody could connect to the channel.
    pub outages: Vec<(At, At)>,
    /// As read from the file.
    pub store: Store,
    /// As read over HTTP.
    pub api: Store,
}

/// Around a step of the clock, times by the clock prove nothing: as long as an attempt, or the longest wait that is checked.
const UNCERTAIN: Duration = Duration::from_secs(60);

impl History {
    /// The jobs by number.
    #[must_use]
    pub fn jobs(&self) -> BTreeMap<u64, &Job> {
        self.store.jobs.iter().map(|job| (job.number, job)).collect()
    }

    /// The notifications by id.
    #[must_use]
    pub fn notifications(&self) -> BTreeMap<&str, &Notification> {
        self.store.notifications.iter().map(|one| (one.id.as_str(), one)).collect()
    }

    /// The activities by id.
    #[must_use]
    pub fn asked_by_id(&self) -> BTreeMap<&str, &Asked> {
        self.asked.iter().map(|asked| (asked.id.as_str(), asked)).collect()
    }

    /// What was asked of `/v1` to be notified.
    pub fn notifies(&self) -> impl Iterator<Item = (&Notify, &Request)> {
        self.requests.iter().filter_map(|request| match &request.call {
            Call::Notify(notify) => Some((notify, request)),
            _ => None,
        })
    }

    /// Proactive messages that reached the channel, by what they say: a replay says what the one says that it replays.
    #[must_use]
    pub fn sends(&self) -> BTreeMap<&str, Vec<&Line>> {
        let mut sends: BTreeMap<&str, Vec<&Line>> = BTreeMap::new();
        for line in self.ledger.iter().filter(|line| line.is_proactive()) {
            sends.entry(&line.text).or_default().push(line);
        }
        sends
    }

    /// The notifications by what they say: one, and its replays.
    #[must_use]
    pub fn families(&self) -> BTreeMap<&str, Vec<&Notification>> {
        let mut families: BTreeMap<&str, Vec<&Notification>> = BTreeMap::new();
        for one in &self.store.notifications {
            families.entry(&one.text).or_default().push(one);
        }
        families
    }

    /// Whether times by the program's clock mean something at that moment: it was not stepped about then.
    #[must_use]
    pub fn is_calm(&self, at: At) -> bool {
        self.steps.iter().all(|step| step.abs_diff(at) > UNCERTAIN)
    }

    /// Whether nothing that was said between these moments had to reach the channel: it could not be connected to.
    #[must_use]
    pub fn was_cut_off(&self, from: At, until: At) -> bool {
        self.outages.iter().any(|(begin, end)| *begin <= until && from <= *end)
    }

    /// Lines whose text is `before`, a number, `after`, with that number.
    pub fn saying<'h>(&'h self, before: &'h str, after: &'h str) -> impl Iterator<Item = (u64, &'h Line)> {
        self.ledger.iter().filter_map(move |line| Some((number_in(&line.text, before, after)?, line)))
    }
}

/// The number between two texts.
#[must_use]
pub fn number_in(text: &str, before: &str, after: &str) -> Option<u64> {
    text.strip_prefix(before)?.strip_suffix(after)?.parse().ok()
}

/// What the bot says when it starts a job, around the number.
pub const STARTING: (&str, &str) = ("We're starting job ", " for you. We'll notify you when it's complete.");
/// What it says when it completes one.
pub const COMPLETING: (&str, &str) = ("Completing job ", ".");
/// What it says when one was complete before.
pub const ALREADY: (&str, &str) = ("Job ", " is already complete.");
/// The message of a job that is complete.
pub const COMPLETE: (&str, &str) = ("Job ", " is complete.");
/// How the three lines begin that answer what the bot does not know.
pub const HELP: &str = "Type 'run' or 'run job' to start a new job.";
