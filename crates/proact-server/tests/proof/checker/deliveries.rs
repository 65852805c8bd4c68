//! Rules about deliveries: each message arrives, where it belongs, in order, and twice only with a record that says why.

use std::collections::{BTreeMap, HashMap};

use super::Findings;
use crate::history::{COMPLETE, History, Line};

/// What the channel saw of each job's message.
fn seen(history: &History) -> BTreeMap<u64, Vec<&Line>> {
    let mut seen: BTreeMap<u64, Vec<&Line>> = BTreeMap::new();
    for (number, line) in history.saying(COMPLETE.0, COMPLETE.1) {
        seen.entry(number).or_default().push(line);
    }
    seen
}

pub(super) fn nothing_is_stuck(history: &History, findings: &mut Findings) {
    for notification in &history.store.notifications {
        if notification.state != "delivered" || notification.attempts.contains(&None) {
            findings.add(format!("not at its end, or not at the right one: {notification:?}"));
        }
    }
}

pub(super) fn delivered_arrived(history: &History, findings: &mut Findings) {
    let seen = seen(history);
    for notification in history.store.notifications.iter().filter(|one| one.state == "delivered") {
        let lines = notification.job.and_then(|job| seen.get(&job));
        let arrived = |line: &&Line| line.accepted && line.conversation == notification.conversation;
        if !lines.is_some_and(|lines| lines.iter().any(arrived)) {
            findings.add(format!("nobody saw {notification:?}"));
        }
    }
}

pub(super) fn only_where_it_belongs(history: &History, findings: &mut Findings) {
    let own: HashMap<_, _> = history.store.notifications.iter().map(|one| (one.job, one)).collect();
    for (number, line) in history.saying(COMPLETE.0, COMPLETE.1) {
        let notification = own.get(&Some(number));
        if notification.is_none_or(|notification| notification.conversation != line.conversation) {
            findings.add(format!("{line:?} belongs to {notification:?}"));
        }
        // Web Chat holds back a message that answers an activity it does not know.
        if line.reply_to.is_some() {
            findings.add(format!("{line:?} is proactive and names an activity that it answers"));
        }
    }
}

pub(super) fn every_send_is_on_record(history: &History, findings: &mut Findings) {
    let seen = seen(history);
    for notification in &history.store.notifications {
        let sends = notification.job.and_then(|job| seen.get(&job)).map_or(0, Vec::len);
        if sends > notification.attempts.len() {
            findings.add(format!("{sends} sends, and on record is {notification:?}"));
        }
    }
}

/// People see a message once for the attempt that delivered it, and once more at most for each that may have.
pub(super) fn a_duplicate_is_explained(history: &History, findings: &mut Findings) {
    let seen = seen(history);
    for notification in &history.store.notifications {
        let lines = notification.job.and_then(|job| seen.get(&job));
        let times = lines.map_or(0, |lines| lines.iter().filter(|line| line.accepted).count());
        let ended = |outcome: &str| {
            notification.attempts.iter().filter(|attempt| attempt.as_deref() == Some(outcome)).count()
        };
        if ended("delivered") != 1 || times > ended("delivered") + ended("unknown") {
            findings.add(format!("people saw it {times} times, and on record is {notification:?}"));
        }
    }
}

pub(super) fn in_order(history: &History, findings: &mut Findings) {
    let mut first: HashMap<u64, usize> = HashMap::new();
    for (place, line) in history.ledger.iter().enumerate().filter(|(_, line)| line.accepted) {
        if let Some(number) = crate::history::number_in(&line.text, COMPLETE.0, COMPLETE.1) {
            first.entry(number).or_insert(place);
        }
    }
    let mut last: HashMap<&str, (usize, u64)> = HashMap::new();
    for notification in &history.store.notifications {
        let Some(job) = notification.job else { continue };
        let Some(place) = first.get(&job).copied() else { continue };
        let before = last.insert(&notification.conversation, (place, job));
        if let Some((_, earlier)) = before.filter(|(before, _)| *before > place) {
            let conversation = &notification.conversation;
            findings.add(format!("{conversation}: the message of job {job} overtook that of job {earlier}"));
        }
    }
}

pub(super) fn the_api_shows_the_file(history: &History, findings: &mut Findings) {
    let (file, api) = (&history.store, &history.api);
    if file.jobs.len() != api.jobs.len() || file.notifications.len() != api.notifications.len() {
        let count = |store: &crate::history::Store| (store.jobs.len(), store.notifications.len());
        findings.add(format!(
            "jobs and notifications: {:?} in the file, {:?} shown",
            count(file),
            count(api)
        ));
    }
    for (file, api) in file.jobs.iter().zip(&api.jobs).filter(|(file, api)| file != api) {
        findings.add(format!("in the file: {file:?}; shown: {api:?}"));
    }
    for (file, api) in file.notifications.iter().zip(&api.notifications).filter(|(file, api)| file != api) {
        findings.add(format!("in the file: {file:?}; shown: {api:?}"));
    }
}
