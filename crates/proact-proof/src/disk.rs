//! A disk that is full, or that fails to sync: `strace` in front of the program makes its system calls fail. Nothing is mounted.

use std::path::Path;
use std::process::Command;

/// The calls that sync.
pub const SYNCS: &str = "fsync,fdatasync";

/// What stands in front of the binary to trace `calls` into `file`, with these injections.
///
/// # Panics
/// Where tracing is not possible: a proof that was not made is not a proof.
#[must_use]
pub fn strace(file: &Path, calls: &str, injections: &[String]) -> Vec<String> {
    let probe = Command::new("strace").args(["-f", "-o", "/dev/null", "true"]).output();
    match probe {
        Ok(output) if output.status.success() => {}
        Ok(output) => {
            panic!("tracing is not permitted here: {}", String::from_utf8_lossy(&output.stderr).trim())
        }
        Err(error) => panic!("strace is needed (apt-get install strace): {error}"),
    }
    // Strings long enough for a page of the database; the path of every descriptor; no signals.
    let mut words: Vec<String> =
        ["strace", "-f", "-y", "-qq", "-s", "8192", "-e", "signal=none", "-o"].map(str::to_owned).to_vec();
    words.push(file.display().to_string());
    words.extend(["-e".to_owned(), format!("trace={calls}")]);
    for injection in injections {
        words.extend(["-e".to_owned(), format!("inject={injection}")]);
    }
    words
}

/// From its write number `from` on, `count` writes of a thread find no room.
#[must_use]
pub fn full(from: u32, count: u32) -> Vec<String> {
    quiet("pwrite64", &format!("pwrite64:error=ENOSPC:when={from}..{}", from + count - 1))
}

/// From its sync number `from` on, every sync of a thread fails.
#[must_use]
pub fn failing(from: u32) -> Vec<String> {
    quiet(SYNCS, &format!("{SYNCS}:error=EIO:when={from}+"))
}

fn quiet(calls: &str, injection: &str) -> Vec<String> {
    strace(Path::new("/dev/null"), calls, &[injection.to_owned()])
}
