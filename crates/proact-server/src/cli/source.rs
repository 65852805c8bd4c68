//! Where the command line finds the jobs: the server that runs on the data folder, else the folder itself.
//!
//! The server is asked first, because a data folder belongs to one process at a time. When `server.json` names one that does not
//! answer, or another one, it is stale. Then the file is opened, which fails with a clear word if a process holds it after all.

use proact::{
    app::{DATABASE, Freed, Held},
    proactive::Release,
    store,
};
use serde_json::Value;

use super::{Failed, local::Local, remote::Remote};
use crate::{config::Config, server::Running};

/// Where the jobs are.
pub(super) enum Source {
    Running(Remote),
    Folder(Local),
}

/// How a job is brought to its end.
pub(super) enum End {
    Complete,
    Fail { reason: Option<String> },
    Cancel,
}

impl End {
    /// What is said of it afterwards.
    pub(super) const fn done(&self) -> &'static str {
        match self {
            Self::Complete => "is complete",
            Self::Fail { .. } => "has failed",
            Self::Cancel => "is cancelled",
        }
    }
}

/// What became of that.
pub(super) enum Completed {
    /// This request did it; the job as it is now.
    Now(Value),
    Before,
    NoSuchJob,
}

impl Source {
    pub(super) async fn find(config: &Config) -> Result<Self, Failed> {
        let data = &config.data;
        if let Some(running) = Running::read(data)
            && let Some(remote) = Remote::find(&running).await
        {
            return Ok(Self::Running(remote));
        }
        let database = data.join(DATABASE);
        // Half restored, the file may be away; opening it says so.
        if !database.is_file() && !store::is_half_restored(&database) {
            let line = format!(
                "there is no data in {}: start the server, or name its folder with --data",
                data.display()
            );
            return Err(Failed::because(&line));
        }
        Ok(Self::Folder(Local::open(&database, config.delivery.clone()).await?))
    }

    pub(super) fn is_running(&self) -> bool {
        matches!(self, Self::Running(_))
    }

    /// The newest jobs, `limit` at most, and whether there are more.
    pub(super) async fn jobs(&self, limit: u32) -> Result<(Vec<Value>, bool), Failed> {
        match self {
            Self::Running(remote) => remote.jobs(limit).await,
            Self::Folder(local) => local.jobs(limit).await,
        }
    }

    /// One job, if the log contains it.
    pub(super) async fn job(&self, number: u64) -> Result<Option<Value>, Failed> {
        match self {
            Self::Running(remote) => remote.job(number).await,
            Self::Folder(local) => local.job(number).await,
        }
    }

    pub(super) async fn end(&self, number: u64, end: End) -> Result<Completed, Failed> {
        match self {
            Self::Running(remote) => remote.end(number, end).await,
            Self::Folder(local) => local.end(number, end).await,
        }
    }

    /// What a restore holds, if it holds anything.
    pub(super) async fn held(&self, limit: u32) -> Result<Option<Held>, Failed> {
        match self {
            Self::Running(remote) => remote.held(limit).await,
            Self::Folder(local) => local.held(limit).await,
        }
    }

    /// Ends the hold; `None` when there is none.
    pub(super) async fn release(&self, release: Release) -> Result<Option<Freed>, Failed> {
        match self {
            Self::Running(remote) => remote.release(release).await,
            Self::Folder(local) => local.release(release).await,
        }
    }

    pub(super) async fn close(self) {
        if let Self::Folder(local) = self {
            local.close().await;
        }
    }
}
