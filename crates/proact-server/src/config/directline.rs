//! The table `[directline]`: the built-in channel.

use std::time::Duration;

use proact::directline::{Limits, Secret};
use serde::Deserialize;

use super::{Error, raw::Span};

/// Bytes of an upload at most: it is held in memory while it is read.
const LARGEST_UPLOAD: usize = 256 * 1024 * 1024;

/// Members of a conversation at most: who joins is counted against those who are there.
const MOST_MEMBERS: usize = 10_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Directline {
    secret: String,
    one_stream: bool,
    upload_bytes: usize,
    upload_files: usize,
    bytes_per_hour: u64,
    files_per_hour: u64,
    members: usize,
    files_kept_for: Span,
    history_kept_for: Span,
    history_length: u64,
    conversations_kept_for: Span,
    ids_kept_for: Span,
}

/// What the program goes by.
pub(super) struct Checked {
    pub(super) secret: Option<Secret>,
    pub(super) one_stream: bool,
    pub(super) limits: Limits,
}

impl Directline {
    /// `last_after` is how long after its acceptance a notification can come for the last time.
    pub(super) fn checked(self, last_after: Duration) -> Result<Checked, Error> {
        let fine = |key: &str, fine: bool, must: &str| {
            if fine { Ok(()) } else { Err(Error(format!("directline.{key}: this must be {must}"))) }
        };
        let upload = (1..=LARGEST_UPLOAD).contains(&self.upload_bytes);
        fine("upload_bytes", upload, "from 1 to 268435456")?;
        fine("upload_files", self.upload_files > 0, "more than nothing")?;
        fine("members", (1..=MOST_MEMBERS).contains(&self.members), "from 1 to 10000")?;
        fine("files_kept_for", !self.files_kept_for.0.is_zero(), "more than nothing")?;
        let hour = Duration::from_secs(3600);
        let conversations = self.conversations_kept_for.0;
        // Tokens last half an hour: nobody loses a conversation that they hold one for.
        fine(
            "conversations_kept_for",
            conversations.is_zero() || conversations >= hour,
            "\"0s\" or an hour and more",
        )?;
        let ids = self.ids_kept_for.0;
        fine(
            "ids_kept_for",
            ids >= last_after,
            "720h longer than delivery.max_age, or a late try would be shown twice",
        )?;
        let secret = (!self.secret.is_empty())
            .then(|| Secret::new(self.secret))
            .transpose()
            .map_err(|error| Error(format!("directline.secret: {error}")))?;
        let mut limits = Limits::default();
        limits.upload_bytes = self.upload_bytes;
        limits.upload_files = self.upload_files;
        limits.bytes_per_hour = (self.bytes_per_hour > 0).then_some(self.bytes_per_hour);
        limits.files_per_hour = (self.files_per_hour > 0).then_some(self.files_per_hour);
        limits.members = self.members;
        limits.files_kept_for = self.files_kept_for.0;
        limits.history_kept_for = unless_zero(self.history_kept_for.0);
        limits.history_length = (self.history_length > 0).then_some(self.history_length);
        limits.conversations_kept_for = unless_zero(conversations);
        limits.ids_kept_for = ids;
        Ok(Checked { secret, one_stream: self.one_stream, limits })
    }
}

/// No time at all stands for all the time there is.
fn unless_zero(span: Duration) -> Option<Duration> {
    (!span.is_zero()).then_some(span)
}
