//! One episode: lives, the end of everything, the checker.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use proact::clock::Clock;
use proact::failpoints::SteppedClock;
use proact::testkit::FakeChannel;
use tokio::task::JoinSet;

use super::Builds;
use super::plan::{Build, End, Life, Plan};
use super::report::{Report, kinds};
use crate::api::Api;
use crate::faults::{Faults, Receipts, misbehave};
use crate::history::{Asked, At, History, Request};
use crate::load::{self, Load};
use crate::program::{Place, Program};
use crate::work::{Work, is_progress};
use crate::{checker, disk, file, ledger};

/// A life that was to die somewhere and never came there is killed after this.
const LONGEST: Duration = Duration::from_secs(2);
/// How long after the start of a life its clock is stepped.
const STEP_AFTER: Duration = Duration::from_millis(300);
/// How long everything may take to come to its end when the channel behaves.
const SETTLES: Duration = Duration::from_secs(60);
/// What a program that finds a failed sync ends with is not 0; how long it may take to end.
const ENDS: Duration = Duration::from_secs(5);

pub(super) async fn run(builds: &Builds, plan: &Plan) -> Result<Report> {
    let mut episode = Episode::start(builds, plan);
    match episode.play(plan).await {
        Ok(report) => Ok(report),
        Err(error) => {
            let kept = episode.place.keep()?;
            Err(error.context(format!("its data, and what it said (stderr), are in {}", kept.display())))
        }
    }
}

struct Episode {
    builds: Builds,
    started: Instant,
    place: Place,
    channel: FakeChannel,
    load: Arc<Load>,
    receipts: Arc<Receipts>,
    /// By which the channel and the clients go, and the `failpoints` build.
    clock: Arc<dyn Clock>,
    /// The file that says how much it is off, and what is in it.
    file: PathBuf,
    offset: i64,
    /// What the offset is when the build can be stepped.
    stepped: i64,
    /// The largest that it ever was.
    latest: i64,
    steps: Vec<At>,
    outages: Vec<(At, At)>,
    deaths: BTreeMap<String, usize>,
}

impl Episode {
    fn start(builds: &Builds, plan: &Plan) -> Self {
        let place = Place::new(&builds.shipped, plan.seed);
        let file = place.file("clock");
        std::fs::write(&file, "0").expect("a file for the clock");
        let clock: Arc<dyn Clock> = Arc::new(SteppedClock::by(file.clone()));
        let channel = FakeChannel::start_by(Arc::clone(&clock));
        let started = Instant::now();
        let load = Arc::new(Load::new(&place, plan.seed, started));
        let receipts = misbehave(&channel, plan.seed, Faults::All, &load);
        let (offset, stepped, latest, steps, deaths) = (0, 0, 0, Vec::new(), BTreeMap::new());
        let (builds, outages) = (builds.clone(), Vec::new());
        Self {
            builds,
            started,
            place,
            channel,
            load,
            receipts,
            clock,
            file,
            offset,
            stepped,
            latest,
            steps,
            outages,
            deaths,
        }
    }

    async fn play(&mut self, plan: &Plan) -> Result<Report> {
        let clients = load::start(&self.load, &self.channel);
        let callers = load::calls::start(&self.load, &self.place, &self.clock);
        let programs = load::work::start(&self.load, &self.place);
        for (number, life) in plan.lives.iter().enumerate() {
            self.live(life).await.with_context(|| format!("life {number}: {life:?}"))?;
        }
        let history = self.end(clients, callers, programs).await.context("the end")?;
        let broken = checker::check(&history);
        if broken.is_empty() {
            println!("  asked over /v1: {:?}", kinds(&history));
            return Ok(Report::of(&history, plan.lives.len(), std::mem::take(&mut self.deaths)));
        }
        let mut rules: BTreeMap<&str, usize> = BTreeMap::new();
        for one in &broken {
            *rules.entry(one.rule).or_default() += 1;
        }
        std::fs::write(self.place.file("history"), format!("{history:#?}"))?;
        let some: Vec<String> = broken.iter().take(20).map(|one| format!("{one:?}")).collect();
        bail!("broken: {rules:?}\n{}", some.join("\n"))
    }

    /// Sets the clock, for the program and for the channel.
    fn set_clock(&mut self, offset: i64) {
        if offset != self.offset {
            // Whole or not at all: who reads it meanwhile must not see half a number.
            let new = self.place.file("clock.new");
            std::fs::write(&new, (offset * 1000).to_string()).expect("a file for the clock");
            std::fs::rename(&new, &self.file).expect("a file for the clock");
            self.offset = offset;
            self.latest = self.latest.max(offset);
            self.steps.push(self.started.elapsed());
        }
    }

    fn begin(&mut self, build: Build, under: &[String], point: Option<String>) -> Program {
        let mut variables = vec![("PROACT_DELIVERY_LONGEST_WAIT", "2s".to_owned())];
        let (binary, offset) = match build {
            Build::Shipped => (self.builds.shipped.clone(), 0),
            Build::Failpoints => (self.builds.failpoints.clone(), self.stepped),
        };
        self.set_clock(offset);
        if build == Build::Failpoints {
            variables.push(("PROACT_CLOCK_OFFSET_FILE", self.file.display().to_string()));
            variables.extend(point.map(|point| ("PROACT_FAILPOINT", point)));
        }
        self.place.start_with(&binary, under, &variables)
    }

    async fn live(&mut self, life: &Life) -> Result<()> {
        let point = match life.end {
            End::AtPoint(point, passing) => Some(format!("{point}:{passing}")),
            _ => None,
        };
        let under = match life.end {
            End::FullDisk(from, count) => disk::full(from, count),
            End::FailingSync(from) => disk::failing(from),
            _ => Vec::new(),
        };
        let outage = life.outage.map(|outage| self.outage(outage));
        let mut program = self.begin(life.build, &under, point);
        let ended = {
            let receipts = Arc::clone(&self.receipts);
            let mut living = std::pin::pin!(lived(&mut program, life.end, &receipts));
            let first = async {
                if life.step.is_none() {
                    std::future::pending::<()>().await;
                }
                tokio::time::sleep(STEP_AFTER).await;
            };
            tokio::select! {
                biased;
                ended = &mut living => ended,
                () = first => {
                    self.stepped += life.step.unwrap_or_default();
                    self.set_clock(self.stepped);
                    living.await
                }
            }
        };
        program.kill();
        self.receipts.forget();
        if let Some(outage) = outage {
            self.outages.push(outage.await?);
        }
        *self.deaths.entry(ended?).or_default() += 1;
        Ok(())
    }

    /// The channel is down for a while.
    fn outage(&self, outage: Duration) -> tokio::task::JoinHandle<(At, At)> {
        let (channel, started) = (self.channel.clone(), self.started);
        tokio::spawn(async move {
            let from = started.elapsed();
            channel.down().await;
            tokio::time::sleep(outage).await;
            channel.up();
            (from, started.elapsed())
        })
    }

    /// The channel behaves, the clients end, and everything comes to its end.
    async fn end(
        &mut self,
        clients: JoinSet<Vec<Asked>>,
        callers: JoinSet<Vec<Request>>,
        programs: JoinSet<Vec<Work>>,
    ) -> Result<History> {
        self.channel.behave();
        // What was to be sent at a time that a stepped clock had shown would wait for it: so it comes.
        let build = if self.steps.is_empty() { Build::Shipped } else { Build::Failpoints };
        self.stepped = self.latest;
        let mut program = self.begin(build, &[], None);
        program.listening().await.map_err(anyhow::Error::msg)?;
        self.load.finish();
        let asked = load::all_asked(clients).await;
        let requests = load::all_asked(callers).await;
        let works = load::all_asked(programs).await;
        let api = Api::new(&self.place.url(""));
        let settling = Instant::now();
        while api.is_settled().await != Some(true) {
            ensure!(settling.elapsed() < SETTLES, "something is stuck: {:?}", api.unsettled().await);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        let shown = api.store().await;
        let status = program.stop().await;
        ensure!(status.success(), "asked to stop, it ended with {status}");
        let seen = self.channel.ledger();
        let lines = ledger::lines(&seen, self.started).into_iter();
        let (progress, ledger) = lines.partition(|line| is_progress(&line.text));
        Ok(History {
            asked,
            requests,
            works,
            ledger,
            progress,
            strays: seen.strays().to_vec(),
            steps: self.steps.clone(),
            outages: self.outages.clone(),
            store: file::store(&self.place.data()),
            api: shown,
        })
    }
}

/// One life to its end; says how it ended.
async fn lived(program: &mut Program, end: End, receipts: &Receipts) -> Result<String> {
    if let End::KilledAtStart(after) = end {
        tokio::time::sleep(after).await;
        return Ok("killed at the start".to_owned());
    }
    let listening = program.listening().await;
    // These may come before it listens.
    let may_die = matches!(end, End::AtPoint(..) | End::FullDisk(..) | End::FailingSync(_));
    if let Err(why) = listening {
        ensure!(may_die, "{why}");
    }
    match end {
        End::KilledAtStart(_) => {}
        End::Killed(after) => {
            tokio::time::sleep(after).await;
            ensure!(!program.has_ended(), "it ended by itself");
            return Ok("killed at random".to_owned());
        }
        End::KilledOnReceipt(count) => {
            let reached = tokio::time::timeout(LONGEST, receipts.reached(count)).await;
            ensure!(!program.has_ended(), "it ended by itself");
            if reached.is_ok() {
                return Ok("killed before the channel answered".to_owned());
            }
        }
        End::AtPoint(point, _) => {
            if let Ok(status) = tokio::time::timeout(LONGEST, program.ended()).await {
                ensure!(status.code().is_none(), "it was to abort, and ended with {status}");
                return Ok(format!("died at {point}"));
            }
        }
        End::Stopped(after) => {
            tokio::time::sleep(after).await;
            let status = program.stop().await;
            ensure!(status.success(), "asked to stop, it ended with {status}");
            return Ok("stopped".to_owned());
        }
        End::FullDisk(..) => {
            tokio::time::sleep(LONGEST).await;
            return Ok("killed, its disk full".to_owned());
        }
        End::FailingSync(_) => {
            if let Ok(status) = tokio::time::timeout(ENDS, program.ended()).await {
                ensure!(!status.success(), "a sync failed, and it ended as if all were well");
                return Ok("ended by a failed sync".to_owned());
            }
        }
    }
    Ok("killed where nothing happened".to_owned())
}
