//! Rules about times, which hold by the program's own clock. Around a step of that clock they prove nothing and say nothing.

use super::Findings;
use crate::history::{EXACT_MS, History, Line, Notify};

/// What leaves in time may be read late by a channel that shares its machine with everything else.
const ARRIVES_MS: i64 = 2_000;

pub(super) fn within_an_attempt(history: &History, findings: &mut Findings) {
    let families = history.families();
    for (text, lines) in history.sends() {
        let family = families.get(text).map(Vec::as_slice).unwrap_or_default();
        for line in lines.iter().filter(|line| history.is_calm(line.at)) {
            let covered = family.iter().any(|one| one.covers(line));
            if !covered {
                findings.add(format!("{line:?} falls within no attempt of {family:?}"));
            }
        }
    }
}

pub(super) fn nothing_before_its_time(history: &History, findings: &mut Findings) {
    each_send(history, findings, |notify, line| {
        notify.not_before_ms.is_some_and(|time| line.wall_ms + EXACT_MS < time)
    });
}

pub(super) fn nothing_after_its_end(history: &History, findings: &mut Findings) {
    let families = history.families();
    each_send(history, findings, |notify, line| {
        // A replay has no end of its own.
        let replayed = |text: &str| {
            families
                .get(text)
                .is_some_and(|all| all.iter().any(|one| one.replay_of.is_some() && one.covers(line)))
        };
        notify.expires_ms.is_some_and(|time| line.wall_ms > time + ARRIVES_MS) && !replayed(&notify.text)
    });
    for (notify, request) in history.notifies() {
        let id = request.acknowledged().and_then(|reply| reply.id.as_deref());
        let one = id.and_then(|id| history.store.notifications.iter().find(|one| one.id == id));
        if one.is_some_and(|one| one.state == "expired") && notify.expires_ms.is_none() {
            findings.add(format!("expired, and had no end: {notify:?}"));
        }
    }
}

fn each_send(history: &History, findings: &mut Findings, wrong: impl Fn(&Notify, &Line) -> bool) {
    let sends = history.sends();
    for (notify, _) in history.notifies() {
        let lines = sends.get(&*notify.text).map(Vec::as_slice).unwrap_or_default();
        for line in lines.iter().filter(|line| history.is_calm(line.at) && wrong(notify, line)) {
            findings.add(format!("{notify:?} was sent: {line:?}"));
        }
    }
}

pub(super) fn retry_after_is_kept(history: &History, findings: &mut Findings) {
    let families = history.families();
    for (text, lines) in history.sends() {
        // A replay is somebody's word that it shall be sent now.
        let Some([one]) = families.get(text).map(Vec::as_slice) else { continue };
        for pair in lines.windows(2) {
            let [first, next] = pair else { continue };
            let (Some(wait), Some(answered)) = (first.retry_after, first.answered_ms) else { continue };
            let earliest = answered.saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
            // What was answered to a process that died before it had put it on record, nobody knows.
            let known = one
                .attempt_at(first.wall_ms + EXACT_MS)
                .is_some_and(|attempt| attempt.outcome.as_deref() != Some("unknown"));
            let calm = known && history.is_calm(first.at) && history.is_calm(next.at);
            if calm && next.wall_ms.saturating_add(EXACT_MS) < earliest {
                findings.add(format!("asked to wait {wait:?}: {first:?}, and then: {next:?}"));
            }
        }
    }
}
