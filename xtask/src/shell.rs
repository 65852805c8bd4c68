//! Running other programs: every step has a heading and a time, and a step that fails ends the task.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

/// The project's top folder.
pub(crate) fn top() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}

/// Where cargo puts what it builds.
pub(crate) fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(target) => top().join(target),
        None => top().join("target"),
    }
}

/// The shipped binary; [`build_release`] makes it.
pub(crate) fn release_binary() -> PathBuf {
    target().join("release").join("proact")
}

/// Builds the shipped binary.
pub(crate) fn build_release() -> Result<()> {
    let mut build = cargo(["build", "--release", "--package", "proact-server"]);
    step("build the release binary", &mut build)
}

/// A command in the project's top folder. It reads nothing: a task never waits for somebody at a keyboard.
pub(crate) fn command<S: AsRef<OsStr>>(
    program: impl AsRef<OsStr>,
    arguments: impl IntoIterator<Item = S>,
) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(top()).stdin(Stdio::null());
    command
}

/// The cargo that runs this task.
pub(crate) fn cargo<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()), arguments)
}

/// Runs one step of a task under a heading, and says how long it took.
pub(crate) fn step(heading: &str, command: &mut Command) -> Result<()> {
    timed(heading, || run(command))
}

/// Does one step of a task under a heading, and says how long it took.
pub(crate) fn timed<T>(heading: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("\n=== {heading}");
    let started = Instant::now();
    let done = work().with_context(|| format!("failed: {heading}"))?;
    println!("--- {heading}: {:.1} s", started.elapsed().as_secs_f64());
    Ok(done)
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", name(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", name(command));
    }
    Ok(())
}

/// What a command prints, or nothing when it cannot be started or fails.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Where a program is, if it is anywhere on the path.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

fn name(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}
