//! The data folder without a server: opened, locked, used and closed.
//!
//! A job that is completed here is one commit with its message, as everywhere; the message goes out when a server runs.

use std::{path::Path, sync::Arc};

use proact::{
    app::{self, Freed, Held},
    clock::SystemClock,
    directline,
    proactive::{Completion, DeliveryOptions, JobFilter, Proactive, Release},
    store::Store,
};
use serde_json::Value;

use super::{Failed, source::Completed};
use crate::job_bot::complete_message;

pub(super) struct Local {
    proactive: Proactive,
}

impl Local {
    pub(super) async fn open(database: &Path, delivery: DeliveryOptions) -> Result<Self, Failed> {
        let store = Store::open(database, &[directline::MIGRATION], Arc::new(SystemClock))
            .map_err(|error| Failed::because(&error))?;
        // Never started: nothing is delivered from here.
        let proactive = Proactive::open(store, delivery).await.map_err(|error| Failed::because(&error))?;
        Ok(Self { proactive })
    }

    pub(super) async fn jobs(&self, limit: u32) -> Result<(Vec<Value>, bool), Failed> {
        let filter = JobFilter { limit, ..JobFilter::default() };
        let page = self.proactive.jobs(filter).await.map_err(|error| Failed::because(&error))?;
        let jobs = page.items.iter().map(serde_json::to_value).collect::<Result<_, _>>();
        Ok((jobs.map_err(|error| Failed::because(&error))?, page.next.is_some()))
    }

    pub(super) async fn complete(&self, number: u64) -> Result<Completed, Failed> {
        let completion = self.proactive.complete_job(number, complete_message(number), None).await;
        match completion.map_err(|error| Failed::because(&error))? {
            Completion::Completed { .. } => {
                let job = self.proactive.job(number).await.map_err(|error| Failed::because(&error))?;
                Ok(Completed::Now(serde_json::to_value(job).map_err(|error| Failed::because(&error))?))
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

    pub(super) async fn close(self) {
        self.proactive.store().close().await;
    }
}
