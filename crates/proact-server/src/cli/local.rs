//! The data folder without a server: opened, locked, used and closed.
//!
//! A job that is completed here is one commit with its message, as everywhere; the message goes out when a server runs.

use std::{path::Path, sync::Arc};

use axum::{
    body::{Body, Bytes},
    http::Request,
};
use proact::{
    app::{self, Freed, Held},
    clock::SystemClock,
    directline,
    keys::Keys,
    proactive::{Completion, DeliveryOptions, Proactive, Release},
    store::Store,
};
use serde_json::Value;
use tower::ServiceExt;

use super::{
    Failed,
    source::{Completed, End},
};
use crate::http::{Control, Right};
use crate::job_bot::{cancelled_message, complete_message, failed_message};

pub(super) struct Local {
    proactive: Proactive,
    keys: Keys,
}

impl Local {
    pub(super) async fn open(database: &Path, delivery: DeliveryOptions) -> Result<Self, Failed> {
        let store = Store::open(database, &[directline::MIGRATION], Arc::new(SystemClock))
            .map_err(|error| Failed::because(&error))?;
        // Never started: nothing is delivered from here.
        let keys = Keys::open(store.clone()).await.map_err(|error| Failed::because(&error))?;
        let proactive = Proactive::open(store, delivery).await.map_err(|error| Failed::because(&error))?;
        Ok(Self { proactive, keys })
    }

    pub(super) async fn job(&self, number: u64) -> Result<Option<Value>, Failed> {
        let job = self.proactive.job(number).await.map_err(|error| Failed::because(&error))?;
        job.map(serde_json::to_value).transpose().map_err(|error| Failed::because(&error))
    }

    pub(super) async fn end(&self, number: u64, end: End) -> Result<Completed, Failed> {
        let engine = &self.proactive;
        let ended = match end {
            End::Complete => engine.complete_job(number, complete_message(number), None).await,
            End::Fail { reason } => {
                let message = failed_message(number, reason.as_deref());
                engine.fail_job(number, reason, message, None).await
            }
            End::Cancel => engine.cancel_job(number, cancelled_message(number), None).await,
        };
        match ended.map_err(|error| Failed::because(&error))? {
            Completion::Completed { .. } => {
                Ok(self.job(number).await?.map_or(Completed::NoSuchJob, Completed::Now))
            }
            Completion::AlreadyCompleted => Ok(Completed::Before),
            Completion::NotFound => Ok(Completed::NoSuchJob),
        }
    }

    pub(super) async fn held(&self, limit: u32) -> Result<Option<Held>, Failed> {
        app::held(&self.proactive, limit).await.map_err(|error| Failed::because(&error))
    }

    pub(super) async fn release(&self, release: Release) -> Result<Option<Freed>, Failed> {
        app::release(&self.proactive, release).await.map_err(|error| Failed::because(&error))
    }

    /// Asks the routes that need no server, as if one ran. Who can open the folder may do everything.
    pub(super) async fn ask(&self, mut request: Request<Body>) -> Result<(u16, Bytes), Failed> {
        request.extensions_mut().insert(Right::Operator);
        let state = Control { proactive: self.proactive.clone(), keys: self.keys.clone() };
        let router = crate::http::control().with_state(state);
        let Ok(response) = router.oneshot(request).await;
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await;
        Ok((status, body.map_err(|error| Failed::because(&error))?))
    }

    pub(super) async fn close(self) {
        self.proactive.store().close().await;
    }
}
