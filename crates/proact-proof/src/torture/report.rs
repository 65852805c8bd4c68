//! What came of it, in figures.

use std::collections::BTreeMap;
use std::fmt;

use crate::history::{Call, History};
use crate::work::What;

/// The figures of an episode, or of several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Lives of the program that did not end as they would have by themselves.
    pub rounds: usize,
    /// How those ended that were to die in a certain way and did.
    pub deaths: BTreeMap<String, usize>,
    /// Activities that clients sent, and requests over `/v1`.
    pub asked: usize,
    /// Notifications accepted.
    pub accepted: usize,
    /// Notifications by their end.
    pub ends: BTreeMap<String, usize>,
    /// Attempts by their outcome.
    pub attempts: BTreeMap<String, usize>,
    /// Messages that people saw.
    pub seen: usize,
    /// Accepted, and neither at an end that is explained nor seen: must be none. An episode in which there is one fails.
    pub lost: usize,
    /// Messages that people saw once more, with an unknown attempt on record that says why.
    pub duplicates_with_record: usize,
    /// Messages that people saw once more because the channel took what it said that it had refused.
    pub duplicates_by_a_lie: usize,
    /// Messages that people saw once more without any record: must be none.
    pub duplicates_without_record: usize,
}

impl Report {
    /// The figures of a history that the checker has nothing against.
    #[must_use]
    pub fn of(history: &History, rounds: usize, deaths: BTreeMap<String, usize>) -> Self {
        let mut report = Self { rounds, deaths, ..Self::default() };
        let reports = |work: &crate::work::Work| 1 + work.reports.len();
        report.asked =
            history.asked.len() + history.requests.len() + history.works.iter().map(reports).sum::<usize>();
        report.accepted = history.store.notifications.len() + history.store.progress.len();
        for one in history.store.notifications.iter().chain(&history.store.progress) {
            *report.ends.entry(one.state.clone()).or_default() += 1;
            for attempt in &one.attempts {
                let outcome = attempt.outcome.clone().unwrap_or_else(|| "under way".to_owned());
                *report.attempts.entry(outcome).or_default() += 1;
            }
        }
        let families = history.families();
        for (text, lines) in history.sends() {
            let times = lines.iter().filter(|line| line.accepted).count();
            report.seen += times;
            let family = families.get(text).map(Vec::as_slice).unwrap_or_default();
            let wanted = family.iter().filter(|one| one.state == "delivered").count().max(1);
            let more = times.saturating_sub(wanted);
            let unknown: usize = family.iter().map(|one| one.ended("unknown")).sum();
            let with_record = more.min(unknown);
            let lies = lines.iter().filter(|line| line.is_a_lie()).count();
            let by_a_lie = (more - with_record).min(lies);
            report.duplicates_with_record += with_record;
            report.duplicates_by_a_lie += by_a_lie;
            report.duplicates_without_record += more - with_record - by_a_lie;
        }
        let acknowledged = history.notifies().filter(|(_, request)| request.acknowledged().is_some());
        let missing = acknowledged.filter(|(notify, _)| !families.contains_key(&*notify.text)).count();
        let unseen = history.store.notifications.iter().filter(|one| {
            one.state == "delivered"
                && !history.ledger.iter().any(|line| line.accepted && line.text == one.text)
        });
        report.lost = missing + unseen.count();
        report
    }

    /// Adds another's figures.
    pub fn add(&mut self, other: &Self) {
        self.rounds += other.rounds;
        self.asked += other.asked;
        self.accepted += other.accepted;
        self.seen += other.seen;
        self.lost += other.lost;
        self.duplicates_with_record += other.duplicates_with_record;
        self.duplicates_by_a_lie += other.duplicates_by_a_lie;
        self.duplicates_without_record += other.duplicates_without_record;
        for (mine, others) in [
            (&mut self.deaths, &other.deaths),
            (&mut self.ends, &other.ends),
            (&mut self.attempts, &other.attempts),
        ] {
            for (name, count) in others {
                *mine.entry(name.clone()).or_default() += count;
            }
        }
    }

    /// As a table for `docs/guarantees.md`.
    #[must_use]
    pub fn table(&self) -> String {
        let list = |all: &BTreeMap<String, usize>| {
            let all: Vec<String> = all.iter().map(|(name, count)| format!("{count} {name}")).collect();
            all.join(", ")
        };
        let rows = [
            ("rounds", self.rounds.to_string()),
            ("how they ended", list(&self.deaths)),
            ("asked of it", self.asked.to_string()),
            ("accepted", self.accepted.to_string()),
            ("their ends", list(&self.ends)),
            ("attempts", list(&self.attempts)),
            ("messages people saw", self.seen.to_string()),
            ("lost", self.lost.to_string()),
            ("duplicates with a record", self.duplicates_with_record.to_string()),
            (
                "duplicates because the channel took what it said it refused",
                self.duplicates_by_a_lie.to_string(),
            ),
            ("duplicates without a record", self.duplicates_without_record.to_string()),
        ];
        let rows: Vec<String> = rows.iter().map(|(name, value)| format!("| {name} | {value} |")).collect();
        format!("| figure | |\n| --- | --- |\n{}", rows.join("\n"))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let attempts = |outcome: &str| self.attempts.get(outcome).copied().unwrap_or_default();
        write!(
            f,
            "  {} asked; {} accepted, {:?}; {} attempts unknown; {} seen, duplicates: {} with a record, {} by a lie, {} without",
            self.asked,
            self.accepted,
            self.ends,
            attempts("unknown"),
            self.seen,
            self.duplicates_with_record,
            self.duplicates_by_a_lie,
            self.duplicates_without_record,
        )
    }
}

/// What clients asked over `/v1`, by kind: so that a run that asked for nothing of a kind is noticed.
#[must_use]
pub(super) fn kinds(history: &History) -> BTreeMap<&'static str, usize> {
    let mut kinds = BTreeMap::new();
    for request in &history.requests {
        let kind = match request.call {
            Call::Notify(_) => "notify",
            Call::Cancel { .. } => "cancel",
            Call::Replay { .. } => "replay",
            Call::Pause { .. } => "pause",
            Call::Resume { .. } => "resume",
        };
        *kinds.entry(kind).or_default() += 1;
    }
    for work in &history.works {
        *kinds.entry("start a job").or_default() += 1;
        for report in &work.reports {
            let kind = match report.what {
                What::Heartbeat => "heartbeat",
                What::Progress(_) => "progress",
                What::Complete(_) => "complete",
                What::Fail { .. } => "fail",
                What::Cancel(_) => "cancel a job",
                What::Another(_) => "another end",
                What::Stranger(_) => "another's token",
            };
            *kinds.entry(kind).or_default() += 1;
        }
    }
    kinds
}
