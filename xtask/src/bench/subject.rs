//! What is measured: a process that listens, found by its first line and ready when `/healthz` says 200. What it logs goes
//! to `bench.log` in the target folder.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::shell::{release_binary, target};

const PATIENCE: Duration = Duration::from_secs(60);

/// A running process; it is killed when the last clone goes.
#[derive(Clone)]
pub(super) struct Subject {
    host: Arc<str>,
    process: Arc<Process>,
    /// From its start to the first 200 of `/healthz`.
    pub(super) ready_after: Duration,
}

struct Process(Mutex<Child>);

impl Drop for Process {
    fn drop(&mut self) {
        let mut child = self.0.lock().expect("no panic holds it");
        let _ = child.kill();
        let _ = child.wait();
    }
}

impl Subject {
    /// The shipped binary on this data.
    pub(super) fn proact(data: &Path) -> Result<Self> {
        Self::proact_with(data, &[])
    }

    /// The same, with these variables in its environment.
    pub(super) fn proact_with(data: &Path, environment: &[(&str, &str)]) -> Result<Self> {
        Self::binary(&release_binary(), data, environment)
    }

    /// A binary of the server on this data.
    pub(super) fn binary(binary: &Path, data: &Path, environment: &[(&str, &str)]) -> Result<Self> {
        let mut command = Command::new(binary);
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data);
        command.envs(environment.iter().copied());
        Self::start(command)
    }

    /// The floor.
    pub(super) fn floor() -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("bench-floor");
        Self::start(command)
    }

    fn start(mut command: Command) -> Result<Self> {
        let started = Instant::now();
        let log = File::options().create(true).append(true).open(target().join("bench.log"))?;
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
        let mut lines = BufReader::new(child.stdout.take().context("a pipe")?);
        let process = Arc::new(Process(Mutex::new(child)));
        let mut line = String::new();
        lines.read_line(&mut line)?;
        let (_, host) = line.split_once("http://").with_context(|| format!("no address in `{line}`"))?;
        let end = host.find(|letter: char| !letter.is_ascii_digit() && !".:".contains(letter));
        let host: Arc<str> = host[..end.unwrap_or(host.len())].into();
        std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        while !healthy(&host) {
            if started.elapsed() > PATIENCE {
                bail!("it does not come up at {host}");
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(Self { host, process, ready_after: started.elapsed() })
    }

    /// Where it listens.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    fn pid(&self) -> u32 {
        self.process.0.lock().expect("no panic holds it").id()
    }

    /// Memory in use, in MiB.
    pub(super) fn resident(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("a line `VmRSS`")?;
        let kib: f64 = line.trim_end_matches("kB").trim().parse()?;
        Ok(kib / 1024.0)
    }

    /// Processor time that the threads which it has now have used so far.
    pub(super) fn cpu(&self) -> Result<Duration> {
        let mut nanoseconds = 0;
        for thread in std::fs::read_dir(format!("/proc/{}/task", self.pid()))? {
            // A thread that has ended meanwhile has no file any more.
            let Ok(figures) = std::fs::read_to_string(thread?.path().join("schedstat")) else { continue };
            nanoseconds += figures.split(' ').next().context("a first figure")?.parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// Asks it to stop, and waits until it has.
    pub(super) fn stop(self) -> Result<()> {
        let pid = self.pid().to_string();
        Command::new("kill").args(["-TERM", &pid]).status()?;
        let status = self.process.0.lock().expect("no panic holds it").wait()?;
        if !status.success() {
            bail!("asked to stop, it ended with {status}");
        }
        Ok(())
    }
}

fn healthy(host: &str) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(host)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(stream, "GET /healthz HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n")?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(answer.starts_with(b"HTTP/1.1 200"))
    };
    ask().unwrap_or(false)
}
