//! Rules about deliveries: each message comes to one end, arrives where it belongs, and twice only with a record that says why.

use super::Findings;
use crate::history::{Ask, Asked, History, Line, Notification, Store};

/// Attempts after which the engine gives up by itself, as is documented.
const TRIES: usize = 20;
/// A wait so long that the engine may give up at once.
const TOO_LONG: std::time::Duration = std::time::Duration::from_secs(3600);

pub(super) fn has_come_to_its_end(history: &History, findings: &mut Findings) {
    for one in &history.store.notifications {
        let at_its_end = matches!(
            &*one.state,
            "delivered" | "cancelled" | "expired" | "suppressed" | "failed" | "unknown"
        );
        if !at_its_end || one.attempts.iter().any(|attempt| attempt.outcome.is_none()) {
            findings.add(format!("not at its end: {one:?}"));
        }
    }
}

pub(super) fn an_end_is_explained(history: &History, findings: &mut Findings) {
    let sends = history.sends();
    for one in &history.store.notifications {
        let last = one.attempts.last().and_then(|attempt| attempt.outcome.as_deref());
        let explained = match &*one.state {
            "delivered" => last == Some("delivered"),
            "unknown" => last == Some("unknown") && one.policy == "at_most_once",
            "failed" => {
                let seen = sends.get(&*one.text).map(Vec::as_slice).unwrap_or_default();
                let for_good = |line: &&Line| {
                    line.status.is_some_and(|status| matches!(status, 400..=499) && status != 412)
                };
                let refused = |line: &&Line| {
                    for_good(line)
                        && (line.status != Some(429) || line.retry_after.is_some_and(|wait| wait > TOO_LONG))
                };
                last.is_some_and(|last| last != "delivered")
                    && (one.attempts.len() >= TRIES || seen.iter().any(refused))
            }
            "suppressed" => one.reason.is_some() && last != Some("delivered"),
            // Who asked for these is for other rules.
            _ => last != Some("delivered"),
        };
        let delivered = one.ended("delivered");
        if !explained || delivered != usize::from(one.state == "delivered") {
            findings.add(format!("{one:?} ended so, and the channel saw {:?}", sends.get(&*one.text)));
        }
    }
}

pub(super) fn delivered_arrived(history: &History, findings: &mut Findings) {
    let sends = history.sends();
    for one in history.store.notifications.iter().filter(|one| one.state == "delivered") {
        let arrived = |line: &&&Line| line.accepted && line.conversation == one.conversation;
        let times = sends.get(&*one.text).map_or(0, |lines| lines.iter().filter(arrived).count());
        // A replay of one that was delivered says the same once more.
        let family = history.store.notifications.iter();
        let alike = family.filter(|other| other.text == one.text && other.state == "delivered").count();
        if times < alike {
            findings.add(format!("seen {times} times, and there is {one:?}"));
        }
    }
}

pub(super) fn only_where_it_belongs(history: &History, findings: &mut Findings) {
    let families = history.families();
    for line in history.ledger.iter().filter(|line| line.is_proactive()) {
        let family = families.get(&*line.text);
        if !family.is_some_and(|family| family.iter().any(|one| one.conversation == line.conversation)) {
            findings.add(format!("{line:?} belongs to {family:?}"));
        }
    }
    // Web Chat holds back a message that answers an activity it does not know.
    for line in history.ledger.iter().filter(|line| line.reply_to.is_some() && !line.is_proactive()) {
        if line.kind == crate::history::Kind::Send && families.contains_key(&*line.text) {
            findings.add(format!("{line:?} is proactive and names an activity that it answers"));
        }
    }
}

pub(super) fn only_who_has_talked(history: &History, findings: &mut Findings) {
    let written = history.ledger.iter().chain(&history.progress);
    for line in written.filter(|line| line.is_proactive()) {
        let talked = |asked: &Asked| {
            asked.conversation == line.conversation && asked.ask != Ask::Foreign && asked.asked <= line.at
        };
        if !history.asked.iter().any(talked) {
            findings.add(format!("nobody there has talked to the bot: {line:?}"));
        }
    }
}

pub(super) fn every_send_is_on_record(history: &History, findings: &mut Findings) {
    let families = history.families();
    for (text, lines) in history.sends() {
        let family = families.get(text).map(Vec::as_slice).unwrap_or_default();
        // What never left is no send.
        let begun: usize = family.iter().map(|one| one.attempts.len() - one.ended("not_sent")).sum();
        if lines.len() > begun {
            findings.add(format!("{} sends, and on record is {family:?}", lines.len()));
        }
    }
}

/// People see a message once for the attempt that delivered it, and once more at most for each that may have. What the channel
/// took and said that it had not, nobody can know: such a lie explains a duplicate too.
pub(super) fn a_duplicate_is_explained(history: &History, findings: &mut Findings) {
    let families = history.families();
    for (text, lines) in history.sends() {
        let family: &[&Notification] = families.get(text).map(Vec::as_slice).unwrap_or_default();
        let times = lines.iter().filter(|line| line.accepted).count();
        let lies = lines.iter().filter(|line| line.is_a_lie()).count();
        let explained: usize = family.iter().map(|one| one.ended("delivered") + one.ended("unknown")).sum();
        if times > explained + lies {
            findings.add(format!("people saw it {times} times, and on record is {family:?}"));
        }
    }
}

pub(super) fn at_most_once(history: &History, findings: &mut Findings) {
    for one in history.store.notifications.iter().filter(|one| one.policy == "at_most_once") {
        let unknown = one.attempts.iter().position(|attempt| attempt.outcome.as_deref() == Some("unknown"));
        if unknown.is_some_and(|place| place + 1 < one.attempts.len()) {
            findings.add(format!("sent again after it may have arrived: {one:?}"));
        }
    }
    for (text, family) in history.families() {
        if family.iter().any(|one| one.policy != "at_most_once") {
            continue;
        }
        let lines = history.ledger.iter().filter(|line| line.is_proactive() && line.text == text);
        let times = lines.filter(|line| line.accepted && !line.is_a_lie()).count();
        if times > family.len() {
            findings.add(format!("people saw it {times} times, and on record is {family:?}"));
        }
    }
}

pub(super) fn nobody_follows_a_redirect(history: &History, findings: &mut Findings) {
    for stray in &history.strays {
        findings.add(format!("somebody went where nobody should: {stray}"));
    }
}

pub(super) fn the_api_shows_the_file(history: &History, findings: &mut Findings) {
    let (file, api) = (&history.store, &history.api);
    if file.jobs.len() != api.jobs.len() || file.notifications.len() != api.notifications.len() {
        let count = |store: &Store| (store.jobs.len(), store.notifications.len());
        findings.add(format!(
            "jobs and notifications: {:?} in the file, {:?} shown",
            count(file),
            count(api)
        ));
    }
    for (file, api) in file.jobs.iter().zip(&api.jobs).filter(|(file, api)| file != api) {
        findings.add(format!("in the file: {file:?}; shown: {api:?}"));
    }
    let all = |store: &Store| -> Vec<Notification> {
        store.notifications.iter().chain(&store.progress).cloned().collect()
    };
    for (file, api) in all(file).iter().zip(&all(api)) {
        // The place in its lane is the engine's own and not shown.
        if *file == (Notification { ready_ms: file.ready_ms, ..api.clone() }) {
            continue;
        }
        findings.add(format!("in the file: {file:?}; shown: {api:?}"));
    }
}
