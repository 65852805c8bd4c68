//! Rules about `/v1`: accepted means durable, a key is one notification with one answer, a replay is a new one.

use std::collections::{BTreeMap, BTreeSet};

use super::Findings;
use crate::history::{Call, History, Notify, Request, Told};

pub(super) fn acknowledged_is_stored(history: &History, findings: &mut Findings) {
    let stored = history.notifications();
    for (notify, request) in history.notifies() {
        for reply in request.replies.iter().filter(|reply| reply.told == Told::Acknowledged) {
            let one = reply.id.as_deref().and_then(|id| stored.get(id));
            let right = one.is_some_and(|one| {
                let policy = if notify.at_most_once { "at_most_once" } else { "at_least_once" };
                one.conversation == notify.conversation && one.text == notify.text && one.policy == policy
            });
            if !right {
                findings.add(format!("{notify:?} was acknowledged as {:?}, and stored is {one:?}", reply.id));
            }
        }
    }
    for request in history.requests.iter().filter(|request| matches!(request.call, Call::Replay { .. })) {
        let replay = request.acknowledged().and_then(|reply| reply.id.as_deref());
        if request.acknowledged().is_some() && !replay.is_some_and(|id| stored.contains_key(id)) {
            findings.add(format!("{request:?} was acknowledged, and there is no such notification"));
        }
    }
}

pub(super) fn a_key_has_one_answer(history: &History, findings: &mut Findings) {
    let mut keys: BTreeMap<&str, Vec<(&Notify, &Request)>> = BTreeMap::new();
    for (notify, request) in history.notifies() {
        keys.entry(&notify.key).or_default().push((notify, request));
    }
    for (key, asked) in keys {
        let replies = asked.iter().flat_map(|(_, request)| &request.replies);
        let acknowledged = replies.filter(|reply| reply.told == Told::Acknowledged);
        let ids: BTreeSet<_> = acknowledged.map(|reply| reply.id.as_deref()).collect();
        if ids.len() > 1 {
            findings.add(format!("the key {key} was answered with {ids:?}"));
        }
        // Another body under a key that is taken is never accepted.
        let accepted = asked.iter().filter(|(_, request)| request.acknowledged().is_some());
        let bodies: Vec<&Notify> = accepted.map(|(notify, _)| *notify).collect();
        if bodies.windows(2).any(|pair| pair[0] != pair[1]) {
            findings.add(format!("the key {key} was accepted with other bodies: {bodies:?}"));
        }
    }
}

pub(super) fn a_key_makes_one_notification(history: &History, findings: &mut Findings) {
    let texts: BTreeSet<&str> = history.notifies().map(|(notify, _)| notify.text.as_str()).collect();
    for (text, family) in history.families().into_iter().filter(|(text, _)| texts.contains(text)) {
        let originals = family.iter().filter(|one| one.replay_of.is_none()).count();
        if originals > 1 {
            findings.add(format!("`{text}` was asked for once, and stored {originals} times: {family:?}"));
        }
    }
}

pub(super) fn was_asked_for(history: &History, findings: &mut Findings) {
    let jobs = history.jobs();
    let stored = history.notifications();
    let asked: BTreeSet<&str> = history
        .notifies()
        .filter(|(_, request)| request.may_have_taken_effect())
        .map(|(notify, _)| notify.text.as_str())
        .collect();
    for one in &history.store.notifications {
        // What is told of a job with a worker names it.
        let by_a_job = one
            .job
            .and_then(|number| jobs.get(&number))
            .is_some_and(|job| job.title.as_deref().map_or(job.completed, |title| one.text.contains(title)));
        let by_a_replay = one.replay_of.as_deref().is_some_and(|id| stored.contains_key(id));
        if !(by_a_job || by_a_replay || asked.contains(&*one.text)) {
            findings.add(format!("{one:?} comes from nothing"));
        }
    }
}

pub(super) fn a_replay_is_a_new_one(history: &History, findings: &mut Findings) {
    let stored = history.notifications();
    for one in &history.store.notifications {
        let Some(of) = one.replay_of.as_deref() else { continue };
        let original = stored.get(of);
        let ended = original.is_some_and(|original| {
            matches!(&*original.state, "failed" | "unknown")
                && original.text == one.text
                && original.id != one.id
        });
        let asked = history.requests.iter().any(|request| {
            matches!(&request.call, Call::Replay { id } if id == of) && request.may_have_taken_effect()
        });
        if !ended || !asked {
            findings.add(format!("{one:?} replays {original:?}"));
        }
    }
}
