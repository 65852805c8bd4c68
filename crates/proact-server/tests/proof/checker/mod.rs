//! Holds a history against what Proact promises. Independent of how Proact does it: it knows only what was asked, told, seen
//! and stored.
//!
//! Each rule has a name, and for each there is a doctored history that it must reject (`doctored.rs`).

mod completions;
mod deliveries;
mod doctored;
mod runs;

use crate::history::History;

/// A promise that was broken.
pub(crate) struct Violation {
    rule: &'static str,
    what: String,
}

impl std::fmt::Debug for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
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
    ("no notification without a completed job", completions::no_notification_without_a_job),
    ("nothing is stuck", deliveries::nothing_is_stuck),
    ("a delivered message arrived", deliveries::delivered_arrived),
    ("a message appears only where it belongs", deliveries::only_where_it_belongs),
    ("every send is on record", deliveries::every_send_is_on_record),
    ("a duplicate is explained", deliveries::a_duplicate_is_explained),
    ("a conversation is in order", deliveries::in_order),
    ("the API shows what the file holds", deliveries::the_api_shows_the_file),
];

/// Everything that is wrong with a history.
pub(crate) fn check(history: &History) -> Vec<Violation> {
    let check = |(rule, judge): &(&'static str, Rule)| {
        let mut findings = Findings { rule, found: Vec::new() };
        judge(history, &mut findings);
        findings.found
    };
    RULES.iter().flat_map(check).collect()
}
