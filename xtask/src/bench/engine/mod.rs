//! The delivery engine, all of it durable: accepted → delivered over `/v1` and by completion, beside what waits for later, when many
//! fall due at once, and with a host that is down.

pub(super) mod cost;
mod intake;
mod paced;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use intake::Intake;

use super::report::{Report, median, percentile};
use super::sink::Sink;
use super::subject::Subject;
use super::{disk, load};

/// Rounds of what is compared with each other.
const ROUNDS: usize = 3;
const CONVERSATIONS: u64 = 1_000;
/// Messages of one measurement.
const MANY: u64 = 20_000;
const WAITING: u64 = 1_000_000;
const AT_ONCE: u64 = 100_000;
const HOSTS: usize = 100;
const TO_HOSTS: u64 = 3 * MANY;
const PATIENCE: Duration = Duration::from_secs(120);

/// Measures everything of the engine into `report`. `folder` is on the disk that is measured.
pub(super) async fn measure(folder: &Path, report: &mut Report) -> Result<()> {
    let sink = Sink::start()?;
    let seed = folder.join("engine-seed");
    meet(&seed, std::slice::from_ref(&sink)).await?;
    let waiting = folder.join("engine-waiting");
    disk::copy(&seed, &waiting)?;
    let subject = Subject::proact(&waiting)?;
    let tomorrow = jiff::Timestamp::now() + Duration::from_secs(24 * 3600);
    Intake::new(&subject).batches(WAITING, 1_000, 4, Some(tomorrow)).await?;
    subject.stop()?;

    for round in 1..=ROUNDS {
        println!("engine: round {round} of {ROUNDS}");
        report.add("sync_ms", disk::sync_time(folder)?);
        let rate = load::rate(&Subject::floor()?, &sink, "help").await?;
        report.add("engine_floor", rate);
        for (name, concurrency) in [("single_1", 1), ("single_16", 16), ("single_64", 64)] {
            let count = if concurrency == 1 { MANY / 10 } else { MANY };
            let subject = fresh(&seed, folder)?;
            let before = subject.cpu()?;
            let rate = to_sink(&sink, count, Intake::new(&subject).singles(count, concurrency)).await?;
            report.add(name, rate);
            if concurrency == 64 {
                let cpu = subject.cpu()? - before;
                report.add("cpu_us_a_message", cpu.as_secs_f64() * 1e6 / count as f64);
            }
        }
        for (name, concurrency) in [("batch_1", 1), ("batch_16", 16)] {
            let subject = fresh(&seed, folder)?;
            let batches = Intake::new(&subject).batches(MANY, 100, concurrency, None);
            report.add(name, to_sink(&sink, MANY, batches).await?);
        }
        let ways =
            [("completion_1", 1), ("completion_16", 16), ("completion_64", 64), ("completion_128", 128)];
        for (name, concurrency) in ways {
            let count = if concurrency == 1 { MANY / 10 } else { MANY };
            report.add(name, complete(&fresh(&seed, folder)?, &sink, count, concurrency).await?);
        }
        let subject = fresh(&waiting, folder)?;
        report.add("start_ms_1m_waiting", subject.ready_after.as_secs_f64() * 1e3);
        report.add("mib_1m_waiting", subject.resident()?);
        report.add(
            "single_64_1m_waiting",
            to_sink(&sink, MANY, Intake::new(&subject).singles(MANY, 64)).await?,
        );
        drop(subject);
    }
    paced(&fresh(&seed, folder)?, &sink, report).await?;
    due_at_once(&fresh(&seed, folder)?, &sink, report).await?;
    dead_host(folder, report).await
}

/// Completion → delivered beside the floor and by twice the clients, each first in turn, into `report`; `folder` is on the disk
/// that is measured.
pub(super) async fn completions(folder: &Path, report: &mut Report) -> Result<()> {
    let sink = Sink::start()?;
    let seed = folder.join("completions-seed");
    meet(&seed, std::slice::from_ref(&sink)).await?;
    for round in 0..2 * ROUNDS {
        report.add("sync_ms", disk::sync_time(folder)?);
        let mut ways = [("engine_floor", None), ("completion_64", Some(64)), ("completion_128", Some(128))];
        ways.rotate_left(round % 3);
        for (name, concurrency) in ways {
            let rate = match concurrency {
                None => load::rate(&Subject::floor()?, &sink, "help").await?,
                Some(concurrency) => complete(&fresh(&seed, folder)?, &sink, MANY, concurrency).await?,
            };
            report.add(name, rate);
        }
    }
    Ok(())
}

/// Starts `count` jobs, then measures their completion.
async fn complete(subject: &Subject, sink: &Sink, count: u64, concurrency: usize) -> Result<f64> {
    load::exactly(subject, sink, "run", count).await?;
    to_sink(sink, count, Intake::new(subject).completions(count, concurrency)).await
}

/// Makes a data folder in which a person of every conversation has said something.
async fn meet(seed: &Path, sinks: &[Sink]) -> Result<()> {
    let subject = Subject::proact(seed)?;
    intake::meet(&subject, sinks).await?;
    subject.stop()
}

/// The shipped binary on a copy of a data folder.
fn fresh(seed: &Path, folder: &Path) -> Result<Subject> {
    Subject::proact(&copied(seed, folder)?)
}

/// A copy of a data folder, in the place of the last one.
fn copied(seed: &Path, folder: &Path) -> Result<PathBuf> {
    let data = folder.join("engine-measured");
    if data.exists() {
        std::fs::remove_dir_all(&data)?;
    }
    disk::copy(seed, &data)?;
    Ok(data)
}

/// Messages a second, from the first request to the last message's arrival.
async fn to_sink(sink: &Sink, count: u64, work: impl Future<Output = Result<()>>) -> Result<f64> {
    let (before, started) = (sink.taken(), Instant::now());
    work.await?;
    arrived(sink, before + count).await?;
    Ok(count as f64 / started.elapsed().as_secs_f64())
}

async fn arrived(sink: &Sink, count: u64) -> Result<()> {
    let started = Instant::now();
    while sink.taken() < count {
        if started.elapsed() > PATIENCE {
            bail!("{} of {count} messages came", sink.taken());
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Ok(())
}

/// Completion → message at 50 a second.
async fn paced(subject: &Subject, sink: &Sink, report: &mut Report) -> Result<()> {
    let times = paced::completions(subject, sink, 50, 500).await?;
    report.add("paced_p50_ms", median(&times));
    report.add("paced_p99_ms", percentile(&times, 0.99));
    Ok(())
}

/// Many that fall due in the same second: how late each comes, and that none comes early.
async fn due_at_once(subject: &Subject, sink: &Sink, report: &mut Report) -> Result<()> {
    const IN: u64 = 20;
    let due = Instant::now() + Duration::from_secs(IN);
    // The server reads a time with whole milliseconds, rounded down: not before this instant.
    let due_at = jiff::Timestamp::now() + Duration::from_secs(IN);
    let mut seen = sink.listen();
    Intake::new(subject).batches(AT_ONCE, 1_000, 4, Some(due_at)).await?;
    if Instant::now() > due {
        bail!("accepting {AT_ONCE} took longer than {IN} s");
    }
    let mut late = Vec::with_capacity(AT_ONCE as usize);
    while late.len() < AT_ONCE as usize {
        let next = tokio::time::timeout(PATIENCE, seen.recv()).await.context("what is due does not come")?;
        let (at, _) = next.context("the sink ended")?;
        let by = at.duration_since(due).as_secs_f64() - due.duration_since(at).as_secs_f64();
        late.push(by);
    }
    sink.stop_listening();
    let early = late.iter().filter(|by| **by < -0.002).count();
    report.add("due_early", early as f64);
    report.add("due_late_p50_s", median(&late));
    report.add("due_late_max_s", percentile(&late, 1.0));
    report.add("due_rate", AT_ONCE as f64 / percentile(&late, 1.0));
    Ok(())
}

/// What a host that is down costs the ninety-nine others, into `report`; `folder` is on the disk that is measured.
pub(super) async fn dead_host(folder: &Path, report: &mut Report) -> Result<()> {
    let sinks = Sink::start_many(HOSTS)?;
    let seed = folder.join("engine-hosts");
    meet(&seed, &sinks).await?;
    // Longer than the others, and each goes first in turn: the difference that is looked for is small.
    for round in 0..2 * ROUNDS {
        let mut ways = [("hosts_alive", false), ("hosts_one_dead", true)];
        ways.rotate_left(round % 2);
        for (name, dead) in ways {
            if dead {
                sinks[0].close();
            } else {
                sinks[0].open()?;
            }
            let subject = fresh(&seed, folder)?;
            let alive = if dead { TO_HOSTS - TO_HOSTS / HOSTS as u64 } else { TO_HOSTS };
            let work = Intake::new(&subject).singles(TO_HOSTS, 64);
            report.add(name, to_sink(&sinks[0], alive, work).await?);
        }
    }
    Ok(())
}
