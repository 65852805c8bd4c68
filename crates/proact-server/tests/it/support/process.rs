//! The real binary.

use proact::auth::Setting;
use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, ExitStatus, Output, Stdio},
};

/// The binary with these arguments, in `folder`, with nothing of this environment that it would take up.
pub(crate) fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_proact"));
    command.args(arguments).current_dir(folder);
    for (name, _) in std::env::vars_os() {
        let name_text = name.to_string_lossy();
        let of_identity = Setting::ALL.iter().any(|setting| name_text.eq_ignore_ascii_case(setting.name()));
        if name_text.starts_with("PROACT_") || of_identity {
            command.env_remove(name);
        }
    }
    command
}

/// Runs it to its end.
pub(crate) fn proact(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).stdin(Stdio::null()).output().unwrap()
}

/// A server that runs as a process of its own; killed when it goes out of scope.
pub(crate) struct Process {
    child: Child,
    /// What it said first.
    pub(crate) line: String,
    pub(crate) url: String,
}

impl Process {
    /// Starts it in `folder` and waits for its first line.
    pub(crate) fn start(folder: &Path, arguments: &[&str]) -> Self {
        Self::of(command(folder, arguments))
    }

    /// The same of any command.
    pub(crate) fn of(mut command: Command) -> Self {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.split_whitespace().find(|word| word.starts_with("http://"));
        let Some(url) = url.map(|url| url.trim_end_matches([',', '/']).to_owned()) else {
            let mut errors = String::new();
            child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
            panic!("it did not start: {line:?} {errors}");
        };
        Self { child, line, url }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// As the system asks for a stop.
    pub(crate) fn terminate(&self) {
        let sent = Command::new("kill").args(["-TERM", &self.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for its end; its status, and all that it logged.
    pub(crate) fn end(mut self) -> (ExitStatus, String) {
        let mut errors = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        (self.child.wait().unwrap(), errors)
    }

    /// As `kill -9` does.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
