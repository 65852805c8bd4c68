//! `cargo xtask bench`: the shipped binary against a floor that is measured in the same run.
//!
//! The measuring program is this crate again, with the feature `bench` and built for release: [`build_and_run`] builds it
//! and the server, and hands over. Every other task then builds in seconds.

#[cfg(feature = "bench")]
mod directline;
#[cfg(feature = "bench")]
mod disk;
#[cfg(feature = "bench")]
mod engine;
#[cfg(feature = "bench")]
mod figures;
#[cfg(feature = "bench")]
mod floor;
#[cfg(feature = "bench")]
mod hostile;
#[cfg(feature = "bench")]
mod latency;
#[cfg(feature = "bench")]
mod load;
#[cfg(feature = "bench")]
mod report;
#[cfg(feature = "bench")]
mod sink;
#[cfg(feature = "bench")]
mod stream;
#[cfg(feature = "bench")]
mod subject;
#[cfg(feature = "bench")]
mod wire;

use anyhow::Result;
#[cfg(feature = "bench")]
use figures::Bench;

use crate::shell::{build_release, cargo, run, timed};

/// Builds everything for release and hands over to the measuring program: for all figures, or for those of one part.
pub(crate) fn build_and_run(part: &str) -> Result<()> {
    build_release()?;
    let part = format!("bench-{part}");
    let measure = ["run", "--release", "--quiet", "--package", "xtask", "--features", "bench", "--", &part];
    timed("measure", || run(&mut cargo(measure)))
}

/// A part of the measuring program, which is a process of its own.
pub(crate) fn part(name: &str) -> Result<()> {
    match name {
        #[cfg(feature = "bench")]
        "bench-all" => figures::measure_all(),
        #[cfg(feature = "bench")]
        "bench-completions" => figures::measure(Bench::completions),
        #[cfg(feature = "bench")]
        "bench-cost" => figures::measure_cost(),
        #[cfg(feature = "bench")]
        "bench-directline" => figures::measure(Bench::directline),
        #[cfg(feature = "bench")]
        "bench-engine" => figures::measure(Bench::engine),
        #[cfg(feature = "bench")]
        "bench-hosts" => figures::measure(Bench::hosts),
        #[cfg(feature = "bench")]
        "bench-hostile" => figures::measure(Bench::hostile),
        #[cfg(feature = "bench")]
        "bench-floor" => floor::serve(),
        _ => anyhow::bail!("{name} is no part of `cargo xtask bench`"),
    }
}
