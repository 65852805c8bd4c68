//! The load: 64 connections that post activities of 1,000 conversations, each as soon as its last one is answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use tokio::task::JoinSet;

use super::sink::Sink;
use super::subject::Subject;
use super::wire::{Wire, request};

const CONCURRENCY: usize = 64;
const CONVERSATIONS: u64 = 1_000;
const WARM_UP: Duration = Duration::from_secs(1);
const MEASURED: Duration = Duration::from_secs(2);

/// What makes ids unique, over all that is measured in one run.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// A message of the next id, whole as a request.
pub(super) fn message(subject: &Subject, sink: &Sink, text: &str) -> Vec<u8> {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let conversation = number % CONVERSATIONS;
    let service_url = sink.service_url();
    let body = format!(
        r#"{{"type":"message","id":"activity-{number}","timestamp":"2026-11-23T12:00:00.000Z","serviceUrl":"{service_url}","channelId":"bench","from":{{"id":"user-{conversation}","name":"User {conversation}","role":"user"}},"conversation":{{"id":"conversation-{conversation}"}},"recipient":{{"id":"bot","name":"Bot","role":"bot"}},"textFormat":"plain","locale":"en-US","text":"{text}"}}"#
    );
    request(subject.host(), "/api/messages", &body)
}

/// Turns per second: after a warm-up of turns that store nothing, `text` for two seconds.
pub(super) async fn rate(subject: &Subject, sink: &Sink, text: &'static str) -> Result<f64> {
    drive(subject, sink, "warm-up", Until::Time(WARM_UP)).await?;
    let started = Instant::now();
    let turns = drive(subject, sink, text, Until::Time(MEASURED)).await?;
    // Lossless at any count that fits the time.
    Ok(turns as f64 / started.elapsed().as_secs_f64())
}

/// Posts `count` activities.
pub(super) async fn exactly(subject: &Subject, sink: &Sink, text: &'static str, count: u64) -> Result<()> {
    drive(subject, sink, text, Until::Count(count)).await?;
    Ok(())
}

#[derive(Clone, Copy)]
enum Until {
    Time(Duration),
    Count(u64),
}

/// How many were answered with 200; anything else is an error, for it would be measured as a turn and is none.
async fn drive(subject: &Subject, sink: &Sink, text: &'static str, until: Until) -> Result<u64> {
    let over = Arc::new(AtomicBool::new(false));
    let begun = Arc::new(AtomicU64::new(0));
    let mut clients = JoinSet::new();
    for _ in 0..CONCURRENCY {
        let (subject, sink) = (subject.clone(), sink.clone());
        let (over, begun) = (Arc::clone(&over), Arc::clone(&begun));
        clients.spawn(async move {
            let mut wire = Wire::connect(subject.host()).await?;
            let mut answered = 0;
            while !over.load(Ordering::Relaxed) {
                if matches!(until, Until::Count(count) if begun.fetch_add(1, Ordering::Relaxed) >= count) {
                    break;
                }
                let status = wire.post(&message(&subject, &sink, text)).await?;
                if status != 200 {
                    bail!("`{text}` was answered with {status}");
                }
                answered += 1;
            }
            anyhow::Ok(answered)
        });
    }
    if let Until::Time(time) = until {
        tokio::time::sleep(time).await;
        over.store(true, Ordering::Relaxed);
    }
    let mut answered = 0;
    while let Some(client) = clients.join_next().await {
        answered += client??;
    }
    Ok(answered)
}
