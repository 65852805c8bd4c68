//! An app that is a program of its own.

use std::io;

use tokio_util::sync::CancellationToken;

use super::{App, Error, listen, serve};
use crate::turn::Bot;

impl<B: Bot> App<B> {
    /// Runs until SIGTERM or SIGINT (Ctrl-C). One line on stdout says where, and as which bot.
    ///
    /// # Errors
    /// Whatever it cannot start with, in one line that says what to do; and [`Error::Store`] as soon as a sync of the store has
    /// failed, [`Error::Died`] when a part of it has panicked: the process must then end, so return from `main`.
    pub async fn run(self) -> Result<(), Error> {
        let (data, address) = (self.data.clone(), self.listen.clone());
        let identity =
            self.trust.as_ref().map(|trust| format!(" as bot {}", trust.credentials())).unwrap_or_default();
        let mut signal = StopSignal::listen().map_err(|source| Error::Signals { source })?;
        let opened = self.open().await?;
        let (listener, address) = listen(&address).await?;
        let parts = opened.at(address).await?;

        let (stop, loops) = (CancellationToken::new(), parts.store.loops().clone());
        let router = parts.gate.in_front_of(parts.router());
        parts.start().await?;
        let served = tokio::spawn(loops.watch("the listener", serve(listener, router, stop.clone())));
        println!("listening on http://{address}{identity}, data in {}", data.display());
        let stopped = async {
            signal.next().await;
            parts.stop().await;
            stop.cancel();
            let _ = served.await;
            parts.store.close().await;
        };
        tokio::select! {
            biased;
            error = parts.store.failure() => Err(error.into()),
            died = loops.failure() => Err(died.into()),
            () = stopped => Ok(()),
        }
    }
}

/// The system's wish that the process stops: SIGTERM or SIGINT (Ctrl-C). While one of these lives, they no longer end the
/// process by themselves.
#[derive(Debug)]
pub struct StopSignal {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl StopSignal {
    /// Listens from now on.
    ///
    /// # Errors
    /// When the system does not allow it.
    pub fn listen() -> io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Ok(Self {
                terminate: signal(SignalKind::terminate())?,
                interrupt: signal(SignalKind::interrupt())?,
            })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Waits for the next one.
    pub async fn next(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
        #[cfg(not(unix))]
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
