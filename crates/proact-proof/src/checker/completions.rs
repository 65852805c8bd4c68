//! Rules about completions: job and notification are one commit, and one activity brings it about.

use std::collections::{BTreeMap, BTreeSet};

use super::Findings;
use crate::history::{ALREADY, Ask, COMPLETE, COMPLETING, History};

pub(super) fn acknowledged_is_stored(history: &History, findings: &mut Findings) {
    let jobs = history.jobs();
    for asked in history.asked.iter().filter(|asked| asked.acknowledged()) {
        let (Ask::Done(number) | Ask::Event(number)) = asked.ask else { continue };
        if jobs.get(&number).is_some_and(|job| !job.completed) {
            findings.add(format!("{asked:?} was acknowledged, and the job is not complete"));
        }
    }
    for (number, _) in history.saying(COMPLETING.0, COMPLETING.1) {
        if !jobs.get(&number).is_some_and(|job| job.completed) {
            findings.add(format!("somebody was told that job {number} completes, and it is not complete"));
        }
    }
}

pub(super) fn announced_to_one_activity(history: &History, findings: &mut Findings) {
    let mut activities: BTreeMap<u64, BTreeSet<&str>> = BTreeMap::new();
    for (number, line) in history.saying(COMPLETING.0, COMPLETING.1) {
        activities.entry(number).or_default().insert(line.reply_to.as_deref().unwrap_or_default());
    }
    for (number, activities) in activities.iter().filter(|(_, activities)| activities.len() > 1) {
        findings.add(format!("each of {activities:?} was told that it completed job {number}"));
    }
}

pub(super) fn same_outcome(history: &History, findings: &mut Findings) {
    let by = |(before, after)| -> BTreeSet<&str> {
        history.saying(before, after).filter_map(|(_, line)| line.reply_to.as_deref()).collect()
    };
    for activity in by(COMPLETING).intersection(&by(ALREADY)) {
        findings.add(format!("activity {activity} completed a job and was told that it was complete before"));
    }
}

pub(super) fn was_asked_for(history: &History, findings: &mut Findings) {
    let asked = history.asked.iter().filter_map(|asked| match asked.ask {
        Ask::Done(number) | Ask::Event(number) => Some(number),
        _ => None,
    });
    let asked: BTreeSet<u64> = asked.collect();
    let of_runs = history.store.jobs.iter().filter(|job| job.completed && job.title.is_none());
    for job in of_runs.filter(|job| !asked.contains(&job.number)) {
        findings.add(format!("nobody asked to complete {job:?}"));
    }
}

/// A job tells of its progress too.
fn is_completion(text: &str) -> bool {
    crate::history::number_in(text, COMPLETE.0, COMPLETE.1).is_some()
}

pub(super) fn one_notification(history: &History, findings: &mut Findings) {
    for job in history.store.jobs.iter().filter(|job| job.completed && job.title.is_none()) {
        let all = history.store.notifications.iter();
        let own: Vec<_> = all
            .filter(|one| one.job == Some(job.number) && one.replay_of.is_none() && is_completion(&one.text))
            .collect();
        let [notification] = own.as_slice() else {
            findings.add(format!("{job:?} has {} notifications", own.len()));
            continue;
        };
        let text = format!("{}{}{}", COMPLETE.0, job.number, COMPLETE.1);
        let right = notification.conversation == job.conversation && notification.text == text;
        if !right || job.notification.as_deref() != Some(&notification.id) {
            findings.add(format!("{job:?} has the notification {notification:?}"));
        }
    }
}
