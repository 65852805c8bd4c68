//! Rules about jobs and the activities that start them.

use std::collections::{BTreeMap, BTreeSet};

use super::Findings;
use crate::history::{Ask, HELP, History, STARTING};

/// Announced numbers with the activity that each answers, as far as the channel saw them, whether it took them or not: what
/// left the process was said.
fn announced(history: &History) -> impl Iterator<Item = (u64, &str)> {
    let lines = history.saying(STARTING.0, STARTING.1);
    lines.map(|(number, line)| (number, line.reply_to.as_deref().unwrap_or_default()))
}

pub(super) fn announced_is_in_the_log(history: &History, findings: &mut Findings) {
    let jobs = history.jobs();
    for (number, line) in history.saying(STARTING.0, STARTING.1) {
        match jobs.get(&number) {
            None => findings.add(format!("job {number} was announced and is not in the log")),
            Some(job) if job.conversation != line.conversation => {
                findings.add(format!("job {number} was announced in {}, and is {job:?}", line.conversation));
            }
            Some(_) => {}
        }
    }
}

pub(super) fn a_number_belongs_to_one_activity(history: &History, findings: &mut Findings) {
    let mut activities: BTreeMap<u64, BTreeSet<&str>> = BTreeMap::new();
    for (number, activity) in announced(history) {
        activities.entry(number).or_default().insert(activity);
    }
    for (number, activities) in activities.iter().filter(|(_, activities)| activities.len() > 1) {
        findings.add(format!("job {number} was announced to {activities:?}"));
    }
}

pub(super) fn a_number_is_given_once(history: &History, findings: &mut Findings) {
    for pair in history.store.jobs.windows(2) {
        if pair[0].number >= pair[1].number {
            findings.add(format!("{:?} and then {:?}", pair[0], pair[1]));
        }
    }
}

pub(super) fn a_repeated_activity_hears_the_same_number(history: &History, findings: &mut Findings) {
    let mut numbers: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
    for (number, activity) in announced(history) {
        numbers.entry(activity).or_default().insert(number);
    }
    for (activity, numbers) in numbers.iter().filter(|(_, numbers)| numbers.len() > 1) {
        findings.add(format!("activity {activity} was told the numbers {numbers:?}"));
    }
}

pub(super) fn an_announcement_answers_a_run(history: &History, findings: &mut Findings) {
    let asked = history.asked_by_id();
    for (number, line) in history.saying(STARTING.0, STARTING.1) {
        let run = line.reply_to.as_deref().and_then(|id| asked.get(id));
        if !run.is_some_and(|run| run.ask == Ask::Run && run.conversation == line.conversation) {
            findings.add(format!("job {number} was announced to {:?}, which asked for none", line.reply_to));
        }
    }
}

pub(super) fn an_acknowledged_run_was_announced(history: &History, findings: &mut Findings) {
    let announced: BTreeSet<&str> = announced(history).map(|(_, activity)| activity).collect();
    for run in history.asked.iter().filter(|asked| asked.ask == Ask::Run && asked.acknowledged()) {
        // A reply that found nobody is lost, as replies may be: the job is not.
        if !announced.contains(run.id.as_str()) && !history.was_cut_off(run.asked, run.heard) {
            findings.add(format!("{run:?} was acknowledged without a number"));
        }
    }
}

/// In each conversation: not fewer jobs than runs that took effect for certain, not more than runs that may have.
pub(super) fn every_job_comes_from_a_run(history: &History, findings: &mut Findings) {
    let announced: BTreeSet<&str> = announced(history).map(|(_, activity)| activity).collect();
    // (certain, possible, stored)
    let mut counts: BTreeMap<&str, (usize, usize, usize)> = BTreeMap::new();
    for run in history.asked.iter().filter(|asked| asked.ask == Ask::Run && !asked.refused_for_good()) {
        let count = counts.entry(&run.conversation).or_default();
        count.0 += usize::from(run.acknowledged() || announced.contains(run.id.as_str()));
        count.1 += 1;
    }
    for job in history.store.jobs.iter().filter(|job| job.title.is_none()) {
        counts.entry(&job.conversation).or_default().2 += 1;
    }
    for (conversation, (certain, possible, stored)) in counts {
        if !(certain..=possible).contains(&stored) {
            findings.add(format!("{conversation}: {stored} jobs from {certain} to {possible} runs"));
        }
    }
}

pub(super) fn a_refusal_has_no_effect(history: &History, findings: &mut Findings) {
    let asked = history.asked_by_id();
    for foreign in history.asked.iter().filter(|asked| asked.ask == Ask::Foreign && asked.acknowledged()) {
        findings.add(format!("{foreign:?} was acknowledged"));
    }
    for line in &history.ledger {
        let Some(asked) = line.reply_to.as_deref().and_then(|id| asked.get(id)) else { continue };
        if asked.refused_for_good() {
            findings.add(format!("{asked:?} was refused, and answered: {}", line.text));
        }
    }
}

pub(super) fn an_unknown_text_is_answered_with_help(history: &History, findings: &mut Findings) {
    let helped = history.ledger.iter().filter(|line| line.text.starts_with(HELP));
    let helped: BTreeSet<&str> = helped.filter_map(|line| line.reply_to.as_deref()).collect();
    for asked in history.asked.iter().filter(|asked| asked.ask == Ask::Unknown && asked.acknowledged()) {
        if !helped.contains(asked.id.as_str()) && !history.was_cut_off(asked.asked, asked.heard) {
            findings.add(format!("{asked:?} was acknowledged without an answer"));
        }
    }
}

pub(super) fn every_activity_got_its_answer(history: &History, findings: &mut Findings) {
    for asked in &history.asked {
        if asked.told.is_empty() {
            findings.add(format!("{asked:?} never heard anything"));
        } else if asked.ask != Ask::Foreign && asked.refused_for_good() {
            findings.add(format!("{asked:?} was in order, and refused"));
        }
    }
}
