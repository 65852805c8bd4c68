//! An app without a channel of its own: built without the feature `directline`.

use std::{path::Path, sync::Arc};

use axum::Router;

use super::{Error, parts::Around};
use crate::store::{Migration, Query, Read};
use crate::{auth, clock::Clock, egress::Credential};

pub(super) const MIGRATIONS: &[Migration] = &[];
pub(super) const CHANNEL_ID: Option<&str> = None;

pub(super) const HOLD: () = ();
pub(super) const COUNT_HELD: CountHeld = CountHeld;

/// Nothing is held where there is nothing.
pub(super) fn drop_held(_: i64, _: usize) -> impl crate::store::Command<Outcome = u64> {
    Read(CountHeld)
}

pub(super) struct CountHeld;

impl Query for CountHeld {
    type Answer = u64;

    fn run(self, _: &rusqlite::Connection) -> Result<u64, crate::store::Error> {
        Ok(0)
    }
}

#[derive(Default)]
pub(super) struct Settings {}

impl Settings {
    pub(super) fn is_foreign(&self) -> bool {
        false
    }
}

/// No channel.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Handle;

/// No issuer.
pub(super) struct Own;

impl Own {
    pub(super) fn open(_: &Path, _: &Arc<dyn Clock>) -> Result<Self, Error> {
        Ok(Self)
    }

    pub(super) fn as_trusted(&self) -> Option<auth::Issuer> {
        None
    }

    pub(super) fn trusted_by_connector(&self, _: &str) -> Option<auth::Issuer> {
        None
    }

    pub(super) fn for_connector(&self, _: &str) -> Option<Credential> {
        None
    }
}

pub(super) async fn open(_: Settings, _: Around<'_>) -> Result<Handle, Error> {
    Ok(Handle)
}

pub(super) fn router(_: &Handle) -> Router {
    Router::new()
}

pub(super) fn resume(_: &Handle) {}

pub(super) async fn stop(_: &Handle) {}

pub(super) fn upload_limit(_: &Handle) -> usize {
    0
}
