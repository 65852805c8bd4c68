//! The figures, their medians, the targets, and the table of it all.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, bail};
use serde_json::json;

/// The targets hold where a synced write takes no longer than this.
const SYNC_LIMIT_MS: f64 = 0.3;

/// What was measured, by name.
#[derive(Default)]
pub(super) struct Report {
    figures: BTreeMap<&'static str, Vec<f64>>,
}

/// What is aimed at.
struct Target {
    what: &'static str,
    value: f64,
    limit: f64,
    at_most: bool,
}

impl Target {
    fn met(&self) -> bool {
        if self.at_most { self.value <= self.limit } else { self.value >= self.limit }
    }
}

impl Report {
    pub(super) fn add(&mut self, name: &'static str, value: f64) {
        println!("  {name}: {value:.2}");
        self.figures.entry(name).or_default().push(value);
    }

    fn of(&self, name: &str) -> f64 {
        self.figures.get(name).map_or(f64::NAN, |values| median(values))
    }

    /// The median of the ratios round by round: a machine that grows slower does so for both.
    fn ratio(&self, name: &str, base: &str) -> f64 {
        let (Some(values), Some(bases)) = (self.figures.get(name), self.figures.get(base)) else {
            return f64::NAN;
        };
        // The floor is measured more than once a round.
        let a_round = (bases.len() / values.len()).max(1);
        let means = bases.chunks(a_round).map(|round| round.iter().sum::<f64>() / round.len() as f64);
        let ratios: Vec<f64> = values.iter().zip(means).map(|(value, mean)| value / mean).collect();
        median(&ratios)
    }

    fn targets(&self) -> Vec<Target> {
        let at_least = |what, value, limit| Target { what, value, limit, at_most: false };
        let at_most = |what, value, limit| Target { what, value, limit, at_most: true };
        vec![
            at_least("turns / floor", self.ratio("turns", "floor"), 0.6),
            at_least("run / floor", self.ratio("run_0", "floor"), 0.35),
            at_least("run at 100k jobs / run at none", self.ratio("run_100k", "run_0"), 0.9),
            at_most("memory at rest, MiB", self.of("idle_mib"), 40.0 * 1e6 / f64::from(1 << 20)),
            at_most("second start, ms", self.of("second_start_ms"), 200.0),
            at_most("idle stream, KB", self.of("idle_stream_kb"), 20.0),
            at_most(
                "echo beside 5k streams / beside none",
                self.ratio("echo_p50_ms_5k_streams", "echo_p50_ms_1_stream"),
                2.0,
            ),
            at_most(
                "newest page of 1M / of 1k",
                self.ratio("newest_page_ms_of_1m", "newest_page_ms_of_1k"),
                1.5,
            ),
            at_least("completion → delivered / floor", self.ratio("completion_64", "engine_floor"), 0.5),
            at_least("completion by 128 / by 64", self.ratio("completion_128", "completion_64"), 0.8),
            at_most(
                "completion → message at 50/s, p50 ms",
                self.of("paced_p50_ms"),
                2.0 * self.of("sync_ms") + 2.0,
            ),
            at_most("start with 1M waiting, ms", self.of("start_ms_1m_waiting"), 1000.0),
            at_most(
                "memory with 1M waiting, MiB",
                self.of("mib_1m_waiting"),
                100.0 * 1e6 / f64::from(1 << 20),
            ),
            at_least(
                "accepted → delivered, 1M waiting / none",
                self.ratio("single_64_1m_waiting", "single_64"),
                0.9,
            ),
            at_least(
                "100k due at once / accepted → delivered",
                self.of("due_rate") / self.of("single_64"),
                1.0,
            ),
            at_most("sent early", self.of("due_early"), 0.0),
            at_least("one dead host of 100 / none", self.ratio("hosts_one_dead", "hosts_alive"), 0.95),
            at_least(
                "turns beside hostile clients / alone",
                self.ratio("beside_hostile", "undisturbed"),
                0.8,
            ),
            at_most("memory beside them, end / begin", self.of("hostile_memory_growth"), 1.1),
        ]
        .into_iter()
        // A part of the figures has a part of the targets.
        .filter(|target| !target.value.is_nan())
        .collect()
    }

    /// Whether the disk is one for which the targets hold.
    fn applies(&self) -> bool {
        self.of("sync_ms") <= SYNC_LIMIT_MS
    }

    pub(super) fn print(&self) {
        println!("\n{:<34}{:>12}  of", "median", "");
        for (name, values) in &self.figures {
            println!("{name:<34}{:>12.2}  {}", median(values), values.len());
        }
        println!("\n{:<34}{:>12}{:>12}", "target", "measured", "limit");
        for target in self.targets() {
            let sign = if target.at_most { "<=" } else { ">=" };
            let verdict = match (target.met(), self.applies()) {
                (true, _) => "met",
                (false, true) => "MISSED",
                (false, false) => "missed, on a disk for which it was not made",
            };
            println!("{:<34}{:>12.2}{sign:>6}{:>6.2}  {verdict}", target.what, target.value, target.limit);
        }
        if !self.applies() {
            println!(
                "a synced write takes {:.2} ms here; the targets are for {SYNC_LIMIT_MS} ms",
                self.of("sync_ms")
            );
        }
    }

    pub(super) fn write(&self, file: &Path) -> Result<()> {
        let medians: BTreeMap<_, _> =
            self.figures.iter().map(|(name, values)| (*name, median(values))).collect();
        let targets = self.targets().into_iter().map(|target| {
            json!({ "what": target.what, "value": target.value, "limit": target.limit, "met": target.met() })
        });
        let all = json!({
            "medians": medians,
            "measured": self.figures,
            "targets": targets.collect::<Vec<_>>(),
            "targetsApply": self.applies(),
        });
        std::fs::write(file, format!("{all:#}\n"))?;
        println!("written to {}", file.display());
        Ok(())
    }

    /// An error if a target that applies was missed.
    pub(super) fn verdict(&self) -> Result<()> {
        let missed: Vec<_> =
            self.targets().into_iter().filter(|target| !target.met()).map(|target| target.what).collect();
        if self.applies() && !missed.is_empty() {
            bail!("missed: {}", missed.join("; "));
        }
        Ok(())
    }
}

/// The value in the middle.
pub(super) fn median(values: &[f64]) -> f64 {
    percentile(values, 0.5)
}

/// The value that this share of all does not exceed.
pub(super) fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    // Within the slice: a share is from 0 to 1.
    let place = (sorted.len().saturating_sub(1) as f64 * share).round() as usize;
    sorted.get(place).copied().unwrap_or(f64::NAN)
}
