//! Holds a history against what Proact promises. Independent of how Proact does it: it knows only what was asked, told, seen
//! and stored.
//!
//! Each rule has a name, and for each there is a doctored history that it must reject (`doctored`).

mod completions;
mod control;
mod deliveries;
#[cfg(test)]
mod doctored;
mod intake;
mod order;
mod runs;
mod times;
mod work;

use std::fmt;

use crate::history::History;

/// A promise that was broken.
pub struct Violation {
    /// Which rule says so.
    pub rule: &'static str,
    what: String,
}

impl fmt::Debug for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" is broken: {}", self.rule, self.what)
    }
}

/// Collects what a rule found.
struct Findings {
    rule: &'static str,
    found: Vec<Violation>,
}

impl Findings {
    fn add(&mut self, what: impl Into<String>) {
        self.found.push(Violation { rule: self.rule, what: what.into() });
    }
}

type Rule = fn(&History, &mut Findings);

const RULES: &[(&str, Rule)] = &[
    ("what was announced is in the log", runs::announced_is_in_the_log),
    ("a number belongs to one activity", runs::a_number_belongs_to_one_activity),
    ("a number is given once", runs::a_number_is_given_once),
    ("a repeated activity hears the same number", runs::a_repeated_activity_hears_the_same_number),
    ("an announcement answers a run", runs::an_announcement_answers_a_run),
    ("an acknowledged run was announced", runs::an_acknowledged_run_was_announced),
    ("every job comes from a run", runs::every_job_comes_from_a_run),
    ("a refusal has no effect", runs::a_refusal_has_no_effect),
    ("an unknown text is answered with help", runs::an_unknown_text_is_answered_with_help),
    ("every activity got its answer", runs::every_activity_got_its_answer),
    ("an acknowledged completion is stored", completions::acknowledged_is_stored),
    ("a completion is announced to one activity", completions::announced_to_one_activity),
    ("a repeated activity hears the same outcome", completions::same_outcome),
    ("a completed job was asked for", completions::was_asked_for),
    ("a completed job has one notification", completions::one_notification),
    ("what was acknowledged is stored", intake::acknowledged_is_stored),
    ("a key has one answer", intake::a_key_has_one_answer),
    ("a key makes one notification", intake::a_key_makes_one_notification),
    ("a notification was asked for", intake::was_asked_for),
    ("a replay is a new one", intake::a_replay_is_a_new_one),
    ("every notification has come to its end", deliveries::has_come_to_its_end),
    ("an end is explained", deliveries::an_end_is_explained),
    ("a delivered message arrived", deliveries::delivered_arrived),
    ("a message appears only where it belongs", deliveries::only_where_it_belongs),
    ("only who has talked to the bot is written to", deliveries::only_who_has_talked),
    ("every send is on record", deliveries::every_send_is_on_record),
    ("a duplicate is explained", deliveries::a_duplicate_is_explained),
    ("at most once is at most once", deliveries::at_most_once),
    ("nobody follows a redirect", deliveries::nobody_follows_a_redirect),
    ("a class of a conversation is in order", order::in_order),
    ("nothing is sent after an acknowledged cancel", control::nothing_after_a_cancel),
    ("a cancelled one was cancelled by somebody", control::cancelled_by_somebody),
    ("what is paused sends nothing", control::paused_sends_nothing),
    ("a key starts one job", work::a_key_starts_one_job),
    ("the end of a job and its message are one commit", work::an_end_is_one_commit),
    ("a job ends for a reason", work::a_job_ends_for_a_reason),
    ("the same report gets the same answer", work::the_same_report_gets_the_same_answer),
    ("another end of a job is refused", work::another_end_is_refused),
    ("a token opens its job alone", work::a_token_opens_its_job_alone),
    ("a deadline ends a job", work::a_deadline_ends_a_job),
    ("a silence is told once", work::a_silence_is_told_once),
    ("progress is what was reported", work::progress_is_what_was_reported),
    ("the last progress arrives", work::the_last_progress_arrives),
    ("progress comes to its end", work::progress_comes_to_its_end),
    ("a send falls within an attempt", times::within_an_attempt),
    ("nothing is sent before its time", times::nothing_before_its_time),
    ("nothing is sent after its end", times::nothing_after_its_end),
    ("Retry-After is never undercut", times::retry_after_is_kept),
    ("the API shows what the file holds", deliveries::the_api_shows_the_file),
];

/// Everything that is wrong with a history.
#[must_use]
pub fn check(history: &History) -> Vec<Violation> {
    let check = |(rule, judge): &(&'static str, Rule)| {
        let mut findings = Findings { rule, found: Vec::new() };
        judge(history, &mut findings);
        findings.found
    };
    RULES.iter().flat_map(check).collect()
}

/// How many rules there are.
#[must_use]
pub fn rules() -> usize {
    RULES.len()
}
