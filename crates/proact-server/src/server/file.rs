//! `<data>/server.json`: where the server of a data folder is reached, while it runs.
//!
//! It is written whole under another name and then renamed, and is its owner's alone. After a kill it stays behind: whoever reads it asks the server for its
//! instance before believing it, so that a file that is stale (or an address that another server has by now) is noticed.

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use proact::secret_file;
use serde::{Deserialize, Serialize};

const FILE: &str = "server.json";

/// A server that runs on a data folder, as it says itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Where it is reached.
    pub address: SocketAddr,
    /// Its process.
    pub pid: u32,
    /// Different in every process: `/healthz` says it too.
    pub instance: String,
    /// Which version of the program it is.
    pub version: String,
}

impl Running {
    /// This process, reached at `address`.
    pub(super) fn here(address: SocketAddr) -> Self {
        Self {
            address,
            pid: std::process::id(),
            instance: uuid::Uuid::new_v4().to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// What the data folder says; `None` when there is no file that can be read.
    #[must_use]
    pub fn read(data: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(data.join(FILE)).ok()?).ok()
    }

    pub(super) fn write(&self, data: &Path) -> Result<Written, String> {
        let path = data.join(FILE);
        let text = serde_json::to_vec(self).map_err(io::Error::from);
        text.and_then(|text| secret_file::write(&path, &text))
            .map_err(|error| format!("{} ({error})", path.display()))?;
        Ok(Written { path })
    }
}

/// The file while the server runs.
#[derive(Debug)]
pub(super) struct Written {
    path: PathBuf,
}

impl Written {
    /// The server has ended.
    pub(super) fn remove(self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "cannot remove a file that says where the server is");
        }
    }
}
