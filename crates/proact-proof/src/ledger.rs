//! The channel's ledger as lines of a history.

use std::time::{Duration, Instant};

use proact::testkit::{Entry, Ledger};

use crate::history::{Kind, Line};

/// All of it, for a run that began at `started`.
#[must_use]
pub fn lines(ledger: &Ledger, started: Instant) -> Vec<Line> {
    ledger.iter().map(|entry| line(entry, started)).collect()
}

fn line(entry: &Entry, started: Instant) -> Line {
    let named = entry.activity()["replyToId"].as_str().map(str::to_owned);
    Line {
        kind: match entry.method.as_str() {
            "PUT" => Kind::Update,
            "DELETE" => Kind::Delete,
            _ => Kind::Send,
        },
        conversation: entry.conversation.clone(),
        reply_to: entry.reply_to.clone().or(named),
        text: entry.text().to_owned(),
        accepted: entry.accepted,
        status: entry.status(),
        retry_after: entry.retry_after().and_then(seconds),
        id: entry.id.clone(),
        at: entry.at.duration_since(started),
        wall_ms: entry.wall.as_millisecond(),
        answered_ms: entry.answered().map(|answered| answered.wall.as_millisecond()),
    }
}

/// Read by itself and not by Proact, which may be wrong; dates are left to its own tests, because they have no more than seconds.
fn seconds(header: &str) -> Option<Duration> {
    let seconds: f64 = header.parse().ok()?;
    (seconds.is_finite() && seconds >= 0.0).then(|| Duration::from_secs_f64(seconds))
}
