//! `done` → message: from the moment at which `done N` is posted to the one at which the channel has the message.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::timeout;

use super::load::message;
use super::sink::{Seen, Sink};
use super::subject::Subject;
use super::wire::Wire;

const PATIENCE: Duration = Duration::from_secs(30);
const WARM_UP: usize = 100;
const SAMPLES: usize = 1000;

/// Milliseconds, one completion at a time.
pub(super) async fn done_to_message(subject: &Subject, sink: &Sink) -> Result<Vec<f64>> {
    let mut seen = sink.listen();
    let mut wire = Wire::connect(subject.host()).await?;
    let mut times = Vec::with_capacity(SAMPLES);
    for round in 0..WARM_UP + SAMPLES {
        wire.post(&message(subject, sink, "run")).await?;
        let (_, text) = next(&mut seen, |text| text.starts_with("We're starting job ")).await?;
        let number = text.split(' ').nth(3).context("a number")?;
        let done = message(subject, sink, &format!("done {number}"));
        let complete = format!("Job {number} is complete.");
        let started = Instant::now();
        wire.post(&done).await?;
        let (at, _) = next(&mut seen, |text| text == complete).await?;
        if round >= WARM_UP {
            times.push(at.duration_since(started).as_secs_f64() * 1e3);
        }
    }
    sink.stop_listening();
    Ok(times)
}

async fn next(seen: &mut UnboundedReceiver<Seen>, wanted: impl Fn(&str) -> bool) -> Result<Seen> {
    loop {
        let one = timeout(PATIENCE, seen.recv())
            .await
            .context("a message does not come")?
            .context("the sink ended")?;
        if wanted(&one.1) {
            return Ok(one);
        }
    }
}
