//! Where the command line finds the jobs: the server that runs on the data folder, else the folder itself.
//!
//! The server is asked first, because a data folder belongs to one process at a time. When `server.json` names one that does not
//! answer, or another one, it is stale. Then the file is opened, which fails with a clear word if a process holds it after all.

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, Method, Request},
};
use proact::{
    app::{DATABASE, Freed, Held},
    proactive::Release,
    store,
};
use serde_json::Value;

use super::{Failed, local::Local, remote::Remote};
use crate::{config::Config, server::Running};

/// The exit codes of what is not there, and of what came too late or is in conflict.
const NOT_THERE: u8 = 4;
const CONFLICT: u8 = 5;

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
            && let Some(remote) = Remote::find(&running, data).await
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

    /// Asks a route of the API; a folder without a server answers those that need none. What is not 2xx is the answer's own words.
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: Option<Value>,
    ) -> Result<Value, Failed> {
        let body = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        let mut headers = HeaderMap::new();
        if let Some(key) = key {
            let wrong = |_| Failed::because(&"--key takes 1 to 255 visible ASCII characters");
            headers.insert("idempotency-key", HeaderValue::from_str(key).map_err(wrong)?);
        }
        let (status, body) = match self {
            Self::Running(remote) => remote.request(method, path, headers, body).await?,
            Self::Folder(local) => {
                let mut request = Request::new(Body::from(body));
                *request.method_mut() = method;
                *request.uri_mut() = path.parse().map_err(|error| Failed::because(&error))?;
                *request.headers_mut() = headers;
                local.ask(request).await?
            }
        };
        let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        match status {
            200..300 => Ok(answer),
            _ => {
                let detail = answer["detail"].as_str().unwrap_or("no reason given");
                let field = answer["field"].as_str().map(|field| format!("{field}: ")).unwrap_or_default();
                let code = match status {
                    404 => NOT_THERE,
                    409 => CONFLICT,
                    _ => 1,
                };
                Err(Failed::because(&format!("{field}{detail}")).with_code(code))
            }
        }
    }

    pub(super) async fn close(self) {
        if let Self::Folder(local) = self {
            local.close().await;
        }
    }
}
