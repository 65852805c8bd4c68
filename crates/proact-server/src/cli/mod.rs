//! The command line: what can be asked for, and what comes of it.
//!
//! Exit codes: 0 done; 1 it could not be done, and one line on stderr says why and what to do; 2 the command line cannot be read
//! (`serve`: a sync of the disk failed); 3 `serve` was stopped before everything was finished; 4 what was named is not there; 5 the job was
//! complete already, or it is too late for what was asked, or an idempotency key was used for something else.

mod backup;
mod bot;
mod control;
mod held;
mod jobs;
mod keys;
mod local;
mod notifications;
mod pages;
mod remote;
mod rotate;
mod source;

use std::{
    fmt::Display,
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand};

use crate::{
    config::{self, Config, Sources},
    server,
};

const EXIT_CODES: &str = "Exit codes: 0 done; 1 it could not be done (one line on stderr says why); 2 the command line cannot be read, \
    or the disk failed to sync; 3 stopped before everything was finished; 4 not there; 5 complete already, too late, or in conflict.";

/// Proactive messages that are never lost: a server for bots over the Activity protocol.
#[derive(Debug, Parser)]
#[command(name = "proact", version, about, after_help = EXIT_CODES)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    serve: ServeArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Args)]
struct Common {
    /// The configuration file [default: proact.toml in this folder, if there is one]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The data folder [default: ./data]
    #[arg(long, global = true, value_name = "FOLDER")]
    data: Option<PathBuf>,
}

#[derive(Debug, Default, Args)]
struct ServeArgs {
    /// Where to listen: a loopback address and a port [default: 127.0.0.1:3978]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// The bot behind the built-in channel [default: the job bot inside]
    #[arg(long, value_name = "URL")]
    bot_url: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the server (what happens without a command)
    Serve(ServeArgs),
    /// The job log of the server that runs on the data folder, or of the folder itself when none runs
    #[command(subcommand)]
    Jobs(jobs::Jobs),
    /// What is to be said, to whom, and what became of it
    #[command(subcommand)]
    Notifications(notifications::Notifications),
    /// Holds back a conversation, a channel, or everything
    Pause(control::PauseArgs),
    /// Takes a pause back
    Resume(control::ScopeArgs),
    /// Lists what is held back
    Pauses(pages::Paging),
    /// How many notifications there are in each state, what keeps them waiting
    Status(control::Shown),
    /// Messages whose words are made when they are sent
    #[command(subcommand)]
    Templates(control::Templates),
    /// A .bot file: what is in it, and its encryption
    #[command(subcommand)]
    Bot(bot::Bot),
    /// What programs prove themselves with to the HTTP API
    #[command(subcommand)]
    Keys(keys::Keys),
    /// New keys in the place of those in the data folder
    #[command(subcommand)]
    Rotate(rotate::Rotate),
    /// Backs up the data, also while a server runs on it: checked, and never over what is there
    Backup(backup::Backup),
    /// Puts a backup in the place of the data, which is kept; nothing that waits in it goes before `release`
    Restore(backup::Restore),
    /// Lists what a restore holds, and says what becomes of it
    Release(held::ReleaseArgs),
}

/// Something could not be done: one line for people, and the exit code.
#[derive(Debug)]
pub(crate) struct Failed {
    line: String,
    code: u8,
}

impl Failed {
    /// For this reason, with exit code 1.
    pub(crate) fn because(reason: &dyn Display) -> Self {
        Self { line: reason.to_string().replace('\n', " "), code: 1 }
    }

    fn with_code(self, code: u8) -> Self {
        Self { code, ..self }
    }
}

/// Does what the command line says.
#[must_use]
pub fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(code) => code,
        Err(Failed { line, code }) => {
            let _ = writeln!(std::io::stderr(), "proact: {line}");
            ExitCode::from(code)
        }
    }
}

fn run(cli: Cli) -> Result<ExitCode, Failed> {
    let Cli { common, serve: before, command } = cli;
    let after = match &command {
        Some(Command::Serve(args)) => (args.listen.clone(), args.bot_url.clone()),
        Some(_) if before.listen.is_some() || before.bot_url.is_some() => {
            return Err(
                Failed::because(&"--listen and --bot-url are for `serve`: leave them out").with_code(2)
            );
        }
        _ => (None, None),
    };
    let config = Config::load(Sources {
        file: common.config,
        // What is not text stands for no key.
        environment: std::env::vars_os()
            .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
            .collect(),
        dotenv: config::dotenv(Path::new(".env")).map_err(|error| Failed::because(&error))?,
        listen: after.0.or(before.listen),
        data: common.data,
        bot_url: after.1.or(before.bot_url),
    })
    .map_err(|error| Failed::because(&error))?;
    match command {
        None | Some(Command::Serve(_)) => runtime(true)?.block_on(server::run(config)),
        Some(Command::Bot(what)) => what.run(&config).map(|text| {
            print(&text);
            ExitCode::SUCCESS
        }),
        Some(Command::Rotate(what)) => rotate::run(&what, &config).map(|()| ExitCode::SUCCESS),
        Some(Command::Backup(args)) => backup::backup(&args, &config).map(|()| ExitCode::SUCCESS),
        Some(Command::Restore(args)) => backup::restore(&args, &config).map(|()| ExitCode::SUCCESS),
        Some(Command::Release(args)) => {
            runtime(false)?.block_on(held::run(args, &config)).map(|()| ExitCode::SUCCESS)
        }
        Some(Command::Jobs(what)) => asked(&config, async |source| what.run(source).await),
        Some(Command::Notifications(what)) => asked(&config, async |source| what.run(source).await),
        Some(Command::Pause(args)) => asked(&config, async |source| control::pause(args, source).await),
        Some(Command::Resume(args)) => asked(&config, async |source| control::resume(args, source).await),
        Some(Command::Pauses(args)) => asked(&config, async |source| control::pauses(args, source).await),
        Some(Command::Status(args)) => asked(&config, async |source| control::status(args, source).await),
        Some(Command::Templates(what)) => asked(&config, async |source| what.run(source).await),
        Some(Command::Keys(what)) => asked(&config, async |source| what.run(source).await),
    }
}

/// Asks the server that runs on the data folder, or the folder itself, and prints what comes of it.
fn asked(
    config: &Config,
    ask: impl AsyncFnOnce(&source::Source) -> Result<String, Failed>,
) -> Result<ExitCode, Failed> {
    runtime(false)?.block_on(async {
        let source = source::Source::find(config).await?;
        let done = ask(&source).await;
        source.close().await;
        print(&done?);
        Ok(ExitCode::SUCCESS)
    })
}

/// Says what came of it, and whether somebody still reads. A reader that has seen enough (`| head`) is no failure.
fn print(text: &str) -> bool {
    std::io::stdout().write_all(text.as_bytes()).is_ok()
}

fn runtime(for_serving: bool) -> Result<tokio::runtime::Runtime, Failed> {
    let mut builder = if for_serving {
        tokio::runtime::Builder::new_multi_thread()
    } else {
        tokio::runtime::Builder::new_current_thread()
    };
    builder.enable_all().build().map_err(|error| Failed::because(&format!("cannot start threads: {error}")))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn verify_cli() {
        Cli::command().debug_assert();
    }

    #[test]
    fn serve_is_the_default_and_takes_its_flags_before_or_after() {
        for line in [
            "proact --listen a --data d",
            "proact serve --listen a --data d",
            "proact --data d --listen a serve",
        ] {
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            let after = match cli.command {
                Some(Command::Serve(args)) => args.listen,
                _ => None,
            };
            assert_eq!(after.or(cli.serve.listen).as_deref(), Some("a"), "{line}");
            assert_eq!(cli.common.data, Some(PathBuf::from("d")), "{line}");
        }
    }
}
