//! Completion → message at a steady pace: each is asked for at its time, however long the ones before take.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::bench::load;
use crate::bench::sink::Sink;
use crate::bench::subject::Subject;
use crate::bench::wire::{Wire, request};

const PATIENCE: Duration = Duration::from_secs(30);

/// Milliseconds from the request to the message's arrival.
pub(super) async fn completions(
    subject: &Subject,
    sink: &Sink,
    a_second: u32,
    count: u64,
) -> Result<Vec<f64>> {
    load::exactly(subject, sink, "run", count).await?;
    let mut seen = sink.listen();
    let mut wire = Wire::connect(subject.host()).await?;
    let mut asked = HashMap::new();
    let mut pace = tokio::time::interval(Duration::from_secs(1) / a_second);
    for number in 1..=count {
        pace.tick().await;
        let path = format!("/v1/jobs/{number}/complete");
        asked.insert(format!("Job {number} is complete."), Instant::now());
        let status = wire.post(&request(subject.host(), &path, "{}")).await?;
        if status != 200 {
            bail!("{path} was answered with {status}");
        }
    }
    let mut times = Vec::with_capacity(asked.len());
    while times.len() < asked.len() {
        let next = tokio::time::timeout(PATIENCE, seen.recv()).await.context("a message does not come")?;
        let (at, text) = next.context("the sink ended")?;
        if let Some(started) = asked.get(&text) {
            times.push(at.duration_since(*started).as_secs_f64() * 1e3);
        }
    }
    sink.stop_listening();
    Ok(times)
}
