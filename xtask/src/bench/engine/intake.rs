//! What is asked of the server: notifications one by one and in batches, and completions, over connections that stay open.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Result, bail};
use tokio::task::JoinSet;

use super::CONVERSATIONS;
use crate::bench::sink::Sink;
use crate::bench::subject::Subject;
use crate::bench::wire::{Wire, request};

/// Has a person of every conversation say something, so that the bot may write there. Conversations go round the sinks.
pub(super) async fn meet(subject: &Subject, sinks: &[Sink]) -> Result<()> {
    let mut wire = Wire::connect(subject.host()).await?;
    for n in 0..CONVERSATIONS {
        let url = sinks[(n as usize) % sinks.len()].service_url();
        let body = format!(
            r#"{{"type":"message","id":"hello-{n}","serviceUrl":"{url}","channelId":"bench","from":{{"id":"user-{n}"}},"conversation":{{"id":"conversation-{n}"}},"recipient":{{"id":"bot"}},"text":"help"}}"#
        );
        let status = wire.post(&request(subject.host(), "/api/messages", &body)).await?;
        if status != 200 {
            bail!("a hello was answered with {status}");
        }
    }
    Ok(())
}

pub(super) struct Intake {
    subject: Subject,
}

impl Intake {
    pub(super) fn new(subject: &Subject) -> Self {
        Self { subject: subject.clone() }
    }

    /// One notification a request.
    pub(super) async fn singles(self, count: u64, concurrency: usize) -> Result<()> {
        let path = |_| "/v1/notifications".to_owned();
        self.drive(count, concurrency, 202, path, |n| item(n, None)).await
    }

    /// Completes the jobs 1 to `count`.
    pub(super) async fn completions(self, count: u64, concurrency: usize) -> Result<()> {
        let path = |n| format!("/v1/jobs/{}/complete", n + 1);
        self.drive(count, concurrency, 200, path, |_| "{}".to_owned()).await
    }

    /// `count` notifications, so many a request; for a given time, or at once.
    pub(super) async fn batches(
        self,
        count: u64,
        size: u64,
        concurrency: usize,
        at: Option<jiff::Timestamp>,
    ) -> Result<()> {
        let body = move |n: u64| {
            let items: Vec<_> = (n * size..(n + 1) * size).map(|n| item(n, at)).collect();
            format!(r#"{{"notifications":[{}]}}"#, items.join(","))
        };
        let path = |_| "/v1/notifications/batch".to_owned();
        self.drive(count / size, concurrency, 200, path, body).await
    }

    async fn drive(
        self,
        count: u64,
        concurrency: usize,
        expected: u16,
        path: impl Fn(u64) -> String + Clone + Send + 'static,
        body: impl Fn(u64) -> String + Clone + Send + 'static,
    ) -> Result<()> {
        let next = Arc::new(AtomicU64::new(0));
        let mut clients = JoinSet::new();
        for _ in 0..concurrency {
            let (subject, next) = (self.subject.clone(), Arc::clone(&next));
            let (path, body) = (path.clone(), body.clone());
            clients.spawn(async move {
                let mut wire = Wire::connect(subject.host()).await?;
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= count {
                        return anyhow::Ok(());
                    }
                    let status = wire.post(&request(subject.host(), &path(n), &body(n))).await?;
                    if status != expected {
                        bail!("{} was answered with {status}", path(n));
                    }
                }
            });
        }
        while let Some(client) = clients.join_next().await {
            client??;
        }
        Ok(())
    }
}

fn item(n: u64, at: Option<jiff::Timestamp>) -> String {
    let conversation = n % CONVERSATIONS;
    let at = at.map_or_else(String::new, |at| format!(r#","notBefore":"{at}""#));
    format!(
        r#"{{"conversation":{{"channelId":"bench","id":"conversation-{conversation}"}},"text":"message {n}"{at}}}"#
    )
}
