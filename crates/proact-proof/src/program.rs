//! The real binary as a child process: started, killed, stopped, and never left behind.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use proact::auth::Setting;
use proact::testkit::FakeUser;
use tokio::sync::oneshot;

/// After this the program counts as stuck.
pub const STUCK: Duration = Duration::from_secs(120);

/// A folder for the data, and beside it what the program writes to its standard error.
#[derive(Debug)]
pub struct Place {
    folder: tempfile::TempDir,
    listen: String,
    binary: PathBuf,
}

/// Takes from `command` what of this environment the program would take up: its settings, and the identity of a bot that is somebody's own.
pub fn without_settings(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let of_identity = Setting::ALL.iter().any(|setting| text.eq_ignore_ascii_case(setting.name()));
        if of_identity || text.starts_with("PROACT_") {
            command.env_remove(name);
        }
    }
}

impl Place {
    /// A fresh place for `binary`, and a port for it.
    ///
    /// The port lies below those that the system gives to connections: while the program is down, a client that tries to
    /// connect to such a one can be given it as its own, and the program could not come back.
    pub fn new(binary: impl Into<PathBuf>, seed: u64) -> Self {
        let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
        let start = u16::try_from(seed % 10_000).unwrap_or(0);
        let port = (0..10_000).map(|step| 20_000 + (start + step) % 10_000).find(free).expect("a free port");
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            listen: format!("127.0.0.1:{port}"),
            binary: binary.into(),
        }
    }

    /// Its data folder.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A file beside it.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A URL of the program.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.listen)
    }

    /// What the program said on its standard error, in all its lives.
    pub fn errors(&self) -> String {
        let said = std::fs::read(self.file("stderr")).unwrap_or_default();
        String::from_utf8_lossy(&said).into_owned()
    }

    /// Leaves a copy of everything behind, and says where: to be looked at.
    pub fn keep(&self) -> std::io::Result<PathBuf> {
        let kept = tempfile::Builder::new().prefix("proact-torture-").tempdir()?.keep();
        let copy = Command::new("cp").arg("-r").arg(self.folder.path().join(".")).arg(&kept).status()?;
        if copy.success() { Ok(kept) } else { Err(std::io::Error::other("cp failed")) }
    }

    /// Starts the program; `under` is put in front of it.
    #[must_use]
    pub fn start(&self, under: &[String]) -> Program {
        self.start_with(&self.binary, under, &[])
    }

    /// Starts another build of it on the same data and port, with these variables.
    #[must_use]
    pub fn start_with(&self, binary: &Path, under: &[String], variables: &[(&str, String)]) -> Program {
        let data = self.data().display().to_string();
        let binary = binary.display().to_string();
        let own = [binary.as_str(), "serve", "--listen", &self.listen, "--data", &data];
        let mut words = under.iter().map(String::as_str).chain(own);
        let mut command = Command::new(words.next().unwrap_or_default());
        without_settings(&mut command);
        let errors = File::options().create(true).append(true).open(self.file("stderr")).expect("a file");
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        command.args(words).current_dir(self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(errors);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let stdout = child.stdout.take().expect("a pipe");
        let (tell, first_line) = oneshot::channel();
        std::thread::spawn(move || {
            let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
            if let Some(line) = lines.next() {
                let _ = tell.send(line);
            }
            // The pipe is kept empty, or the program would wait for it.
            lines.for_each(drop);
        });
        Program { child, first_line: Some(first_line), traced: !under.is_empty() }
    }

    /// Starts the program and waits until it listens.
    pub async fn start_and_wait(&self, under: &[String]) -> Program {
        let mut program = self.start(under);
        if let Err(why) = program.listening().await {
            panic!("{why}; it said: {}", self.errors());
        }
        program
    }

    /// Says something to the bot as `user`.
    pub async fn say(&self, user: &FakeUser, text: &str) -> Option<u16> {
        user.say(&self.url("/api/messages"), text).await.ok().map(|posted| posted.status)
    }
}

/// A running program; it is killed when dropped.
#[derive(Debug)]
pub struct Program {
    child: Child,
    first_line: Option<oneshot::Receiver<String>>,
    traced: bool,
}

impl Program {
    /// Waits until it has said that it listens.
    pub async fn listening(&mut self) -> Result<(), String> {
        let Some(first_line) = self.first_line.take() else { return Ok(()) };
        match tokio::time::timeout(STUCK, first_line).await {
            Ok(Ok(line)) if line.contains("http://127.0.0.1:") => Ok(()),
            Ok(Ok(line)) => Err(format!("its first line names no address: {line}")),
            Ok(Err(_)) => Err("it ended before it said where it listens".to_owned()),
            Err(_) => Err("it does not say where it listens".to_owned()),
        }
    }

    /// Its own process, not the one that it runs under.
    pub fn pid(&self) -> u32 {
        if !self.traced {
            return self.child.id();
        }
        let id = self.child.id();
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        children.split_whitespace().next().and_then(|pid| pid.parse().ok()).unwrap_or(id)
    }

    /// Whether it has ended, of itself or not.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|ended| ended.is_some())
    }

    /// `kill -9`, and waits until it is gone.
    pub fn kill(&mut self) {
        if self.has_ended() {
            return;
        }
        if self.traced {
            // The tracer ends with it; killed itself, it would leave it running.
            signal(self.pid(), "KILL");
        } else {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }

    /// Asks it to stop, and waits until it has.
    pub async fn stop(&mut self) -> ExitStatus {
        signal(self.pid(), "TERM");
        self.ended().await
    }

    /// Waits until it has ended.
    pub async fn ended(&mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                return status;
            }
            assert!(started.elapsed() < STUCK, "the program does not end");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill").arg(format!("-{name}")).arg(pid.to_string()).status();
    assert!(sent.is_ok(), "cannot send a signal");
}

/// The only `SQLite` file in a data folder.
pub fn database(data: &Path) -> PathBuf {
    let entries = std::fs::read_dir(data).expect("the data folder can be read");
    let files = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut databases =
        files.filter(|file| std::fs::read(file).is_ok_and(|bytes| bytes.starts_with(b"SQLite format 3\0")));
    databases.next().expect("a database in the data folder")
}
