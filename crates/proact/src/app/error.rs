//! Why an app cannot start, each in one line that says what to do.

use std::{io, net::SocketAddr, path::PathBuf};

use crate::{loops, proactive, store};

/// Why an app cannot start, or had to end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The data folder cannot be made.
    #[error("cannot use the data folder {path} ({source}): make it writable, or choose another one")]
    Data {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// One of its loops has died.
    #[error(transparent)]
    Died(#[from] loops::Died),
    /// The engine cannot be opened.
    #[error(transparent)]
    Engine(#[from] proactive::Error),
    /// What it was told to trust cannot be.
    #[error(transparent)]
    Trust(#[from] super::TrustError),
    /// The channel cannot be opened.
    #[error("{0}")]
    Channel(String),
    /// The text is no address.
    #[error("`{text}` is not an address to listen on: give one such as 127.0.0.1:3978")]
    NotAnAddress {
        /// What was given.
        text: String,
    },
    /// The address can be reached from other machines.
    #[error(
        "cannot listen on {address}: without credentials anyone who reaches it could use the bot, so only loopback is \
         allowed: listen on 127.0.0.1:{port}", port = address.port()
    )]
    NotLoopback {
        /// What was given.
        address: SocketAddr,
    },
    /// Another program listens there, or the system does not allow it.
    #[error(
        "cannot listen on {address} ({source}): choose another port, or stop the program that listens there"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The system does not let the process listen for signals.
    #[error("cannot listen for signals: {source}")]
    Signals {
        /// What the system said.
        source: io::Error,
    },
}
