//! Rules about what people say of notifications: cancel, pause, and how far a job is.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Findings;
use crate::history::{At, Call, History, Kind, Line, Told};

/// What had left when a pause was acknowledged may still be on its way to the channel's ledger.
const ON_ITS_WAY: Duration = Duration::from_millis(500);

pub(super) fn nothing_after_a_cancel(history: &History, findings: &mut Findings) {
    let stored = history.notifications();
    for request in &history.requests {
        let Call::Cancel { id } = &request.call else { continue };
        let Some(acknowledged) = request.acknowledged() else { continue };
        let Some(one) = stored.get(id.as_str()) else {
            findings.add(format!("{id} was cancelled and is not in the store"));
            continue;
        };
        if one.state != "cancelled" {
            findings.add(format!("its cancel was acknowledged: {one:?}"));
        }
        // What another of the same text sends, a replay or what it replays, is its own.
        let others: Vec<_> =
            stored.values().filter(|other| other.text == one.text && other.id != *id).collect();
        let by_another =
            |line: &Line| others.iter().any(|other| other.covers(line) || !history.is_calm(line.at));
        let late = history.ledger.iter().filter(|line| line.is_proactive() && line.text == one.text);
        for line in late.filter(|line| line.at > acknowledged.heard && !by_another(line)) {
            findings.add(format!("cancelled at {:?}, and sent: {line:?}", acknowledged.heard));
        }
    }
}

pub(super) fn cancelled_by_somebody(history: &History, findings: &mut Findings) {
    for one in history.store.notifications.iter().filter(|one| one.state == "cancelled") {
        let asked = history.requests.iter().any(|request| {
            matches!(&request.call, Call::Cancel { id } if *id == one.id) && request.may_have_taken_effect()
        });
        if !asked {
            findings.add(format!("nobody cancelled {one:?}"));
        }
    }
}

/// From when to when something was paused for certain.
fn pauses(history: &History) -> Vec<(Option<&str>, At, At)> {
    let mut pauses = Vec::new();
    for request in &history.requests {
        let Call::Pause { conversation } = &request.call else { continue };
        let Some(from) = request.acknowledged().map(|reply| reply.heard) else { continue };
        // Whoever asked to resume, acknowledged or not, may have ended it, at any moment until they heard of it.
        let ends = history.requests.iter().filter_map(|other| match &other.call {
            Call::Resume { conversation: scope } if scope == conversation => {
                other.replies.iter().find(|reply| reply.heard >= from).map(|reply| reply.asked.max(from))
            }
            _ => None,
        });
        pauses.push((conversation.as_deref(), from, ends.min().unwrap_or(At::MAX)));
    }
    pauses
}

pub(super) fn paused_sends_nothing(history: &History, findings: &mut Findings) {
    for (scope, from, until) in pauses(history) {
        for line in history.ledger.iter().filter(|line| line.is_proactive()) {
            let concerned = scope.is_none_or(|scope| scope == line.conversation);
            if concerned && line.at > from + ON_ITS_WAY && line.at < until {
                findings.add(format!("paused from {from:?} to {until:?} ({scope:?}), and sent: {line:?}"));
            }
        }
    }
}

/// What people see of a job's progress in the end is the last that was acknowledged, or one that was asked for after it.
pub(super) fn the_last_progress_arrives(history: &History, findings: &mut Findings) {
    let mut reports: BTreeMap<u64, Vec<(&str, Told)>> = BTreeMap::new();
    for request in &history.requests {
        let Call::Progress { job, text } = &request.call else { continue };
        let told = if request.acknowledged().is_some() { Told::Acknowledged } else { Told::NoAnswer };
        if request.may_have_taken_effect() {
            reports.entry(*job).or_default().push((text, told));
        }
    }
    for (job, reports) in reports {
        let Some(last) = reports.iter().rposition(|(_, told)| *told == Told::Acknowledged) else { continue };
        let wanted: Vec<&str> = reports[last..].iter().map(|(text, _)| *text).collect();
        let any: Vec<&str> = reports.iter().map(|(text, _)| *text).collect();
        let shown = history.ledger.iter().rev().find(|line| {
            line.accepted && line.kind != Kind::Delete && any.iter().any(|text| line.text.contains(text))
        });
        if !shown.is_some_and(|line| wanted.iter().any(|text| line.text.contains(text))) {
            findings.add(format!("job {job}: one of {wanted:?} was to be seen last, and it was {shown:?}"));
        }
    }
}
