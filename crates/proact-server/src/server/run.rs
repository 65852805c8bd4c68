//! The server as a program: until it is told to stop, or must end.

use std::{io::Write, process::ExitCode};

use proact::app::StopSignal;

use super::{Server, Stopped, clock::clock};
use crate::{cli, config::Config, logs};

/// The exit code when a sync of the store has failed.
const SYNC_FAILED: i32 = 2;
/// The exit code when the grace of a stop was over.
const CUT: u8 = 3;

/// Runs the server until SIGTERM or SIGINT; a second one cuts the stop short.
pub(crate) async fn run(config: Config) -> Result<ExitCode, cli::Failed> {
    logs::start(&config.log);
    let (data, has_page_key) = (config.data.clone(), config.reach.page_key().is_some());
    let mut signal = StopSignal::listen()
        .map_err(|error| cli::Failed::because(&format!("cannot listen for signals: {error}")))?;
    let server = Server::start(config, clock()).await.map_err(|error| cli::Failed::because(&error))?;
    let here = server.parts().base_url.trim_end_matches('/');
    let url = server.public_url().map_or(here, |url| url.trim_end_matches('/')).to_owned();
    // Nobody may be reading; that is no reason to end.
    let _ = writeln!(
        std::io::stdout(),
        "Proact listens on {url}{}, its data is in {}: open {url}/ in a browser",
        server.identity().map_or_else(String::new, |identity| format!(" as bot {identity}")),
        data.display()
    );
    if let Some(public_url) = server.public_url() {
        tracing::warn!(public_url, listen = %server.address(), "this server can be reached from other machines: they need a token of the bot's channels, a key, or the page's key");
    }
    if server.signs_in() && !has_page_key {
        tracing::info!(file = %data.join("page.key").display(), "the page asks for the key in this file");
    }
    tracing::info!(%url, data = %data.display(), identity = server.identity(), "started");

    let died = tokio::select! {
        biased;
        error = server.failure() => {
            tracing::error!(%error, "the store's disk failed to sync: ending at once, without an answer to what was under way; check the disk, then start again");
            // Not through `main`: nothing may be answered any more.
            std::process::exit(SYNC_FAILED);
        }
        died = server.died() => Some(died),
        () = signal.next() => None,
    };
    tracing::info!("stopping: finishing what is under way");
    let failure = server.parts().store.clone();
    tokio::select! {
        biased;
        error = failure.failure() => {
            tracing::error!(%error, "the store's disk failed to sync: ending at once; check the disk, then start again");
            std::process::exit(SYNC_FAILED);
        }
        stopped = server.stop(signal.next()) => match (died, stopped) {
            (Some(died), _) => Err(cli::Failed::because(&died)),
            (None, Stopped::Clean) => {
                tracing::info!("stopped");
                Ok(ExitCode::SUCCESS)
            }
            (None, Stopped::Cut) => {
                tracing::error!("stopped before everything under way was finished: it goes on at the next start");
                Ok(ExitCode::from(CUT))
            }
        }
    }
}
