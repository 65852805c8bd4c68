//! What happened in a run: what clients asked and were told, what the channel saw, and what the store holds in the end.
//!
//! Plain data, so that the checker can be shown histories that never happened.

use std::collections::BTreeMap;

/// What a client wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
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
pub(crate) enum Told {
    /// 2xx.
    Acknowledged,
    /// Any other status.
    Refused(u16),
    /// The connection ended without an answer.
    NoAnswer,
}

/// One activity and every answer to it, for a client repeats it until it has a definite one.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) id: String,
    pub(crate) conversation: String,
    pub(crate) ask: Ask,
    pub(crate) told: Vec<Told>,
}

impl Asked {
    pub(crate) fn acknowledged(&self) -> bool {
        self.told.contains(&Told::Acknowledged)
    }

    /// Every time it was sent, it was refused as something that can never be taken.
    pub(crate) fn refused_for_good(&self) -> bool {
        self.told.iter().all(|told| matches!(told, Told::Refused(400..=499)))
    }
}

/// One activity that reached the channel.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) conversation: String,
    pub(crate) reply_to: Option<String>,
    pub(crate) text: String,
    /// Whether people see it.
    pub(crate) accepted: bool,
}

/// A job in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) number: u64,
    pub(crate) conversation: String,
    pub(crate) completed: bool,
    pub(crate) notification: Option<String>,
}

/// A notification in the store, its attempts by their outcomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notification {
    pub(crate) id: String,
    pub(crate) conversation: String,
    pub(crate) state: String,
    pub(crate) job: Option<u64>,
    pub(crate) text: String,
    pub(crate) attempts: Vec<Option<String>>,
}

/// What the store holds: jobs by number, notifications in the order of acceptance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Store {
    pub(crate) jobs: Vec<Job>,
    pub(crate) notifications: Vec<Notification>,
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    pub(crate) asked: Vec<Asked>,
    /// In the order of arrival.
    pub(crate) ledger: Vec<Line>,
    /// As read from the file.
    pub(crate) store: Store,
    /// As read over HTTP.
    pub(crate) api: Store,
}

impl History {
    /// The jobs by number.
    pub(crate) fn jobs(&self) -> BTreeMap<u64, &Job> {
        self.store.jobs.iter().map(|job| (job.number, job)).collect()
    }

    /// The activities by id.
    pub(crate) fn asked_by_id(&self) -> BTreeMap<&str, &Asked> {
        self.asked.iter().map(|asked| (asked.id.as_str(), asked)).collect()
    }

    /// Lines whose text is `before`, a number, `after`, with that number.
    pub(crate) fn saying<'h>(
        &'h self,
        before: &'h str,
        after: &'h str,
    ) -> impl Iterator<Item = (u64, &'h Line)> {
        self.ledger.iter().filter_map(move |line| Some((number_in(&line.text, before, after)?, line)))
    }
}

/// The number between two texts.
pub(crate) fn number_in(text: &str, before: &str, after: &str) -> Option<u64> {
    text.strip_prefix(before)?.strip_suffix(after)?.parse().ok()
}

/// What the bot says, around the number.
pub(crate) const STARTING: (&str, &str) =
    ("We're starting job ", " for you. We'll notify you when it's complete.");
pub(crate) const COMPLETING: (&str, &str) = ("Completing job ", ".");
pub(crate) const ALREADY: (&str, &str) = ("Job ", " is already complete.");
pub(crate) const COMPLETE: (&str, &str) = ("Job ", " is complete.");
/// How the three lines begin that answer what the bot does not know.
pub(crate) const HELP: &str = "Type 'run' or 'run job' to start a new job.";
