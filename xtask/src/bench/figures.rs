//! All figures of one run. Floor and subject take turns, each measurement has a process and data of its own, and what counts is
//! the median: a machine that others use is noisy, and a figure is only as good as what was measured beside it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::report::{Report, median, percentile};
use super::sink::Sink;
use super::subject::Subject;
use super::{directline, disk, engine, hostile, latency, load};
use crate::shell::target;

const ROUNDS: usize = 5;
const STARTS: usize = 5;
const LOGS: [(&str, u64); 4] = [("run_0", 0), ("run_1k", 1_000), ("run_10k", 10_000), ("run_100k", 100_000)];

/// Measures everything, prints the table and writes `target/bench.json`.
pub(super) fn measure_all() -> Result<()> {
    let report = run(Bench::all)?;
    report.print();
    report.write(&target().join("bench.json"))?;
    report.verdict()
}

/// Measures one part alone, and prints the table.
pub(super) fn measure(part: impl AsyncFnOnce(&mut Bench) -> Result<()>) -> Result<()> {
    let report = run(part)?;
    report.print();
    report.verdict()
}

/// Measures what a delivered message costs in processor time, which prints its own figures.
pub(super) fn measure_cost() -> Result<()> {
    run(async |bench: &mut Bench| engine::cost::measure(bench.folder.path()).await).map(drop)
}

fn run(part: impl AsyncFnOnce(&mut Bench) -> Result<()>) -> Result<Report> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut bench = Bench::new()?;
    runtime.block_on(part(&mut bench))?;
    Ok(bench.report)
}

/// What is measured, part by part.
pub(super) struct Bench {
    /// In the target folder: on the disk that the project is on, not in memory.
    folder: tempfile::TempDir,
    sink: Sink,
    report: Report,
}

impl Bench {
    fn new() -> Result<Self> {
        std::fs::create_dir_all(target())?;
        let folder = tempfile::tempdir_in(target()).context("a folder for the data")?;
        Ok(Self { folder, sink: Sink::start()?, report: Report::default() })
    }

    async fn all(&mut self) -> Result<()> {
        self.start_up()?;
        self.seed().await?;
        for round in 1..=ROUNDS {
            println!("round {round} of {ROUNDS}");
            self.sync()?;
            self.one("floor", Subject::floor()?, "help").await?;
            self.fresh("turns", 0, "help").await?;
            self.one("floor", Subject::floor()?, "help").await?;
            // Those that are compared with each other stand side by side.
            for (name, jobs) in [LOGS[0], LOGS[3], LOGS[1], LOGS[2]] {
                self.fresh(name, jobs, "run").await?;
            }
        }
        self.latency().await?;
        self.directline().await?;
        self.engine().await?;
        self.hostile().await
    }

    /// Start-up on no data and on data, and memory at rest.
    fn start_up(&mut self) -> Result<()> {
        for start in 0..STARTS {
            let data = self.path(&format!("start-{start}"));
            for name in ["first_start_ms", "second_start_ms"] {
                let subject = Subject::proact(&data)?;
                self.report.add(name, subject.ready_after.as_secs_f64() * 1e3);
                std::thread::sleep(Duration::from_millis(500));
                self.report.add("idle_mib", subject.resident()?);
                subject.stop()?;
            }
        }
        Ok(())
    }

    /// Logs of the sizes that are measured, made as they come about: by `run`.
    async fn seed(&self) -> Result<()> {
        let mut last: Option<PathBuf> = None;
        let mut held = 0;
        for (_, jobs) in LOGS {
            let data = self.path(&format!("seed-{jobs}"));
            if let Some(last) = &last {
                disk::copy(last, &data)?;
            }
            let subject = Subject::proact(&data)?;
            load::exactly(&subject, &self.sink, "run", jobs - held).await?;
            subject.stop()?;
            (last, held) = (Some(data), jobs);
        }
        Ok(())
    }

    /// One measurement of the shipped binary, on a copy of a log.
    async fn fresh(&mut self, name: &'static str, jobs: u64, text: &'static str) -> Result<()> {
        let data = self.path("measured");
        disk::copy(&self.path(&format!("seed-{jobs}")), &data)?;
        let subject = Subject::proact(&data)?;
        if jobs == 100_000 {
            self.report.add("start_100k_ms", subject.ready_after.as_secs_f64() * 1e3);
        }
        self.one(name, subject, text).await?;
        Ok(std::fs::remove_dir_all(&data)?)
    }

    async fn one(&mut self, name: &'static str, subject: Subject, text: &'static str) -> Result<()> {
        let rate = load::rate(&subject, &self.sink, text).await.with_context(|| name)?;
        self.report.add(name, rate);
        if name == "run_0" {
            self.report.add("busy_mib", subject.resident()?);
        }
        // Its data is thrown away; how it stops is not what is measured.
        drop(subject);
        Ok(())
    }

    async fn latency(&mut self) -> Result<()> {
        let subject = Subject::proact(&self.path("latency"))?;
        let times = latency::done_to_message(&subject, &self.sink).await?;
        self.report.add("done_p50_ms", median(&times));
        self.report.add("done_p99_ms", percentile(&times, 0.99));
        subject.stop()
    }

    /// The channel.
    pub(super) async fn directline(&mut self) -> Result<()> {
        self.sync()?;
        let data = self.path("directline");
        directline::measure(&data, &mut self.report).await
    }

    /// The delivery engine.
    pub(super) async fn engine(&mut self) -> Result<()> {
        engine::measure(self.folder.path(), &mut self.report).await
    }

    /// Completions beside the floor.
    pub(super) async fn completions(&mut self) -> Result<()> {
        engine::completions(self.folder.path(), &mut self.report).await
    }

    /// What a host that is down costs the others.
    pub(super) async fn hosts(&mut self) -> Result<()> {
        self.sync()?;
        engine::dead_host(self.folder.path(), &mut self.report).await
    }

    /// Turns beside hostile clients.
    pub(super) async fn hostile(&mut self) -> Result<()> {
        self.sync()?;
        hostile::measure(self.folder.path(), &mut self.report).await
    }

    fn sync(&mut self) -> Result<()> {
        self.report.add("sync_ms", disk::sync_time(self.folder.path())?);
        Ok(())
    }

    fn path(&self, name: &str) -> PathBuf {
        let folder: &Path = self.folder.path();
        folder.join(name)
    }
}
