//! Rules about what people say of notifications: cancel and pause.

use std::time::Duration;

use super::Findings;
use crate::history::{At, Call, History, Line};

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
        let Some(acknowledged) = request.acknowledged() else { continue };
        let from = acknowledged.heard;
        // Whoever asked to resume, acknowledged or not, may have ended it, at any moment until they heard of it. Heard before the pause was, it
        // may have come after it all the same: which of two that were under way together was the first, nobody knows.
        let ends = history.requests.iter().filter_map(|other| match &other.call {
            Call::Resume { conversation: scope } if scope == conversation => other
                .replies
                .iter()
                .find(|reply| reply.heard >= acknowledged.asked)
                .map(|reply| reply.asked.max(from)),
            _ => None,
        });
        pauses.push((conversation.as_deref(), from, ends.min().unwrap_or(At::MAX)));
    }
    pauses
}

pub(super) fn paused_sends_nothing(history: &History, findings: &mut Findings) {
    for (scope, from, until) in pauses(history) {
        // What is shown of a job in place of what was there is held back like any other.
        let proactive = history.ledger.iter().filter(|line| line.is_proactive());
        for line in proactive.chain(&history.progress) {
            let concerned = scope.is_none_or(|scope| scope == line.conversation);
            if concerned && line.at > from + ON_ITS_WAY && line.at < until {
                findings.add(format!("paused from {from:?} to {until:?} ({scope:?}), and sent: {line:?}"));
            }
        }
    }
}
