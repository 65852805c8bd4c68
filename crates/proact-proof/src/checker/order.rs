//! The order of a lane: among the notifications of one conversation, one priority and one moment, none is sent before the one ahead of
//! it has come to its end.

use std::collections::BTreeMap;

use super::Findings;
use crate::history::{At, History, Notification};

pub(super) fn in_order(history: &History, findings: &mut Findings) {
    // From its first send to its last. A text that several notifications share (a replay) says of none of them when it was sent.
    let families = history.families();
    let mut spans: BTreeMap<&str, (At, At)> = BTreeMap::new();
    for (text, lines) in history.sends() {
        if families.get(text).is_some_and(|family| family.len() == 1) {
            let at = lines.iter().map(|line| line.at);
            spans.insert(text, (at.clone().min().unwrap_or_default(), at.max().unwrap_or_default()));
        }
    }
    let mut classes: BTreeMap<(&str, &str, &str), Vec<&Notification>> = BTreeMap::new();
    for one in history.store.notifications.iter().filter(|one| spans.contains_key(&*one.text)) {
        classes.entry((&one.conversation, &one.priority, &one.moment)).or_default().push(one);
    }
    for ((conversation, priority, _), class) in classes {
        // In the order of acceptance. One that was accepted before and ready before goes before.
        let mut ahead: Option<&Notification> = None;
        for one in class {
            let (first, last) = spans[&*one.text];
            if let Some(before) = ahead.filter(|before| before.ready_ms <= one.ready_ms) {
                let (_, until) = spans[&*before.text];
                if first < until {
                    findings.add(format!(
                        "{conversation}, {priority}: `{}` was sent at {first:?}, before the last send of `{}`, at {until:?}, \
                         which stood ahead of it",
                        one.text, before.text
                    ));
                }
            }
            let is_last = ahead.is_none_or(|before| spans[&*before.text].1 <= last);
            // What is not ready yet holds up nobody, so it is no measure for those behind it.
            if is_last && history.is_calm(first) {
                ahead = Some(one);
            }
        }
    }
}
