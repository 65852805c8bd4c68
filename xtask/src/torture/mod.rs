//! `cargo xtask torture`: the shipped binary and its `failpoints` build, killed, starved and misled by a seed, and every promise held
//! against what happened (`crates/proact-proof`).
//!
//! `--minutes M` (10) and `--seed S` (any) say how long and what; `--episode E` runs one episode of a seed again. Like `bench`, the
//! torturing program is this crate again, with the feature `torture`.

#[cfg(feature = "torture")]
mod run;

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use crate::shell::{build_release, cargo, command, run, step, target, timed};

/// What was asked for.
#[derive(Clone, Debug, Default, PartialEq)]
struct Asked {
    minutes: Option<f64>,
    seed: Option<u64>,
    episode: Option<u64>,
}

impl Asked {
    fn read(options: &[&str]) -> Result<Self> {
        let mut asked = Self::default();
        let mut rest = options.iter();
        while let Some(name) = rest.next() {
            let value = rest.next().with_context(|| format!("{name} needs a value"))?;
            let wrong = || format!("{name} {value}: give a number");
            match *name {
                "--minutes" => asked.minutes = Some(value.parse().with_context(wrong)?),
                "--seed" => asked.seed = Some(value.parse().with_context(wrong)?),
                "--episode" => asked.episode = Some(value.parse().with_context(wrong)?),
                _ => bail!("{name}: there is --minutes, --seed and --episode"),
            }
        }
        Ok(asked)
    }
}

/// Builds everything and hands over to the torturing program.
pub(crate) fn build_and_run(options: &[&str]) -> Result<()> {
    Asked::read(options)?;
    if std::env::var_os("PROACT_BIN").is_none() {
        build_release()?;
    }
    torture(options)
}

/// The same when the release binary is there.
pub(crate) fn torture(options: &[&str]) -> Result<()> {
    // As the tests are built: with every feature, so that what they have built is not built again.
    let build = ["build", "--workspace", "--all-features", "--bins"];
    step("build the failpoints binary and what tortures it", &mut cargo(build))?;
    let mut torture = command(own("xtask"), ["torture-run"]);
    timed("torture", || run(torture.args(options)))
}

/// A binary of the build with every feature.
fn own(name: &str) -> PathBuf {
    target().join("debug").join(name)
}

/// The torturing program, which is a process of its own.
pub(crate) fn part(options: &[&str]) -> Result<()> {
    #[cfg(feature = "torture")]
    return run::run(&Asked::read(options)?);
    #[cfg(not(feature = "torture"))]
    bail!("{options:?}: this was built without the feature `torture`: `cargo xtask torture` builds it")
}

#[cfg(test)]
mod tests {
    use super::Asked;

    #[test]
    fn options_are_read_or_refused() {
        let read = Asked::read(&["--minutes", "0.5", "--seed", "7"]).unwrap();
        assert_eq!(read, Asked { minutes: Some(0.5), seed: Some(7), episode: None });
        for wrong in [&["--seed"][..], &["--seed", "x"], &["--hours", "1"], &["7"]] {
            assert!(Asked::read(wrong).is_err(), "{wrong:?}");
        }
    }
}
