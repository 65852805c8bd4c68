//! The torturing program.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};
use proact_proof::torture::{Builds, episode, torture};

use super::{Asked, own};
use crate::shell::release_binary;

/// How long, when nobody says.
const MINUTES: f64 = 10.0;

pub(super) fn run(asked: &Asked) -> Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seed = asked.seed.unwrap_or_else(|| u64::from(now.subsec_nanos()));
    let builds = Builds { shipped: shipped(), failpoints: failpoints() };
    refuse_points_in(&builds.shipped)?;
    let time = Duration::from_secs_f64(asked.minutes.unwrap_or(MINUTES) * 60.0);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let report = runtime.block_on(async {
        match asked.episode {
            Some(number) => episode(&builds, seed, number).await,
            None => torture(&builds, seed, time).await,
        }
    });
    let report = report.with_context(|| format!("to see it again: cargo xtask torture --seed {seed}"))?;
    println!("seed {seed}\n{}", report.table());
    Ok(())
}

/// What is shipped: `PROACT_BIN`, as for the other proofs, or the release build.
fn shipped() -> PathBuf {
    std::env::var_os("PROACT_BIN").map_or_else(release_binary, PathBuf::from)
}

/// The build with points: `PROACT_FAILPOINTS_BIN`, or the one that was built for this.
fn failpoints() -> PathBuf {
    std::env::var_os("PROACT_FAILPOINTS_BIN").map_or_else(|| own("proact"), PathBuf::from)
}

/// What is shipped must have no points at which it can be made to die.
fn refuse_points_in(binary: &Path) -> Result<()> {
    let bytes = std::fs::read(binary).with_context(|| format!("cannot read {}", binary.display()))?;
    let variable = b"PROACT_FAILPOINT";
    if bytes.windows(variable.len()).any(|window| window == variable) {
        bail!("{} is a failpoints build: it must not be shipped", binary.display());
    }
    Ok(())
}
