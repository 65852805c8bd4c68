//! Torture: the real binary under load, with a channel that misbehaves, killed, stopped, cut off, with a full or failing disk and a
//! clock that jumps; again and again, until the time is over.
//!
//! A run is a row of *episodes*, each on data of its own: some twenty *lives* of the program, then a life in which everything comes
//! to its end, then the checker. What happens in which life comes from the seed alone ([`Plan`]), and so do the faults and what
//! clients ask; only how the threads of the machine take turns does not. An episode can be run again by itself.

mod episode;
mod plan;
mod report;

use std::path::PathBuf;
use std::time::{Duration, Instant};

pub use plan::{Build, End, Life, Plan};
pub use report::Report;

/// The two builds that are tortured.
#[derive(Clone, Debug)]
pub struct Builds {
    /// What is shipped: killed at random.
    pub shipped: PathBuf,
    /// The `failpoints` build: dies at named points, and its clock can be stepped.
    pub failpoints: PathBuf,
}

/// Runs episodes until the time is over; the first one that breaks a promise ends it. Prints what it does.
///
/// # Errors
/// What was broken, and the seed to see it again.
pub async fn torture(builds: &Builds, seed: u64, time: Duration) -> anyhow::Result<Report> {
    let started = Instant::now();
    let mut whole = Report::default();
    let mut number = 0;
    while number == 0 || started.elapsed() < time {
        let left = time.saturating_sub(started.elapsed());
        let plan = Plan::of(seed, number).within(left);
        println!("episode {number} of seed {seed}: {plan}");
        let report = episode::run(builds, &plan).await?;
        println!("{report}");
        whole.add(&report);
        number += 1;
    }
    Ok(whole)
}

/// Runs one episode of a seed.
///
/// # Errors
/// What was broken.
pub async fn episode(builds: &Builds, seed: u64, number: u64) -> anyhow::Result<Report> {
    let plan = Plan::of(seed, number);
    println!("episode {number} of seed {seed}: {plan}");
    episode::run(builds, &plan).await
}
