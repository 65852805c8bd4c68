//! What a channel is opened with.

use std::path::PathBuf;
use std::time::Duration;

use super::Secret;
use super::leave::Sessions;
use crate::app::JsonLimits;
use crate::auth::Authenticator;
use crate::egress::Guard;
use crate::keys::Keys;
use crate::store::Store;

/// What a channel is opened with.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// Where everything is kept; opened with [`MIGRATION`](super::MIGRATION). Its clock is the channel's.
    pub store: Store,
    /// The door to the bot; it adds the token that the bot asks for. Its timeout is how long the bot may take for an activity.
    pub guard: Guard,
    /// Where this channel is reached: the service URL that the bot answers to, such as `http://127.0.0.1:3978/`.
    pub base_url: String,
    /// Where the bot takes activities, such as `http://127.0.0.1:3978/api/messages`.
    pub bot_url: String,
    /// What opens every conversation and signs the tokens.
    pub secret: Secret,
    /// Who may call the connector's routes: bots that this lets in. `None` (the default): whoever reaches them, which must be this machine
    /// alone then.
    pub bots: Option<Authenticator>,
    /// Keys of the API: one that permits `complete` may be shown as the secret, and opens the conversations that it started. `None` (the
    /// default): none may.
    pub keys: Option<Keys>,
    /// Who knows whether the sessions hold within which tokens were issued. `None` (the default): none does.
    pub sessions: Option<Sessions>,
    /// The folder for the bytes of files that are sent along; it is made when the first one comes. `None` (the default):
    /// files are refused.
    pub files: Option<PathBuf>,
    /// How long a stream may be silent before an empty frame keeps it open. Default 25 s.
    pub keep_alive: Duration,
    /// Whether a conversation has one stream at a time, as in the cloud: a second one then closes the first with the
    /// reason `collision`. Default `false`: each gets everything.
    pub one_stream: bool,
    /// How much is taken, and how long it is kept.
    pub limits: Limits,
    /// What the activity in an upload's form may be. All other JSON is looked at before it comes to the channel; this is inside of a
    /// body that is none. Default as everywhere.
    pub json: JsonLimits,
}

/// How much is taken, and how long it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of all files in one upload at most. Default 4 MiB.
    pub upload_bytes: usize,
    /// Files in one upload at most. Default 10.
    pub upload_files: usize,
    /// Bytes that people may add to a conversation within an hour, activities and files together; more are answered `429`. `None`: any
    /// number. Default 128 MiB. It fills up evenly, is counted in memory, and begins anew with the process.
    pub bytes_per_hour: Option<u64>,
    /// Files that people may add to a conversation within an hour, likewise. Default 500.
    pub files_per_hour: Option<u64>,
    /// People in a conversation at most: who would be one more cannot join. Default 1,000.
    pub members: usize,
    /// How long files are kept. Default 24 h, as in the cloud.
    pub files_kept_for: Duration,
    /// How long activities are kept; `None` for ever. Default 90 days.
    pub history_kept_for: Option<Duration>,
    /// How many activities of a conversation are kept; `None` for all. Default 10,000. A conversation can be over it for
    /// some minutes.
    pub history_length: Option<u64>,
    /// How long a conversation may be silent before it is forgotten; `None` for ever. Default 365 days. One with an open
    /// stream is not forgotten.
    pub conversations_kept_for: Option<Duration>,
    /// How long the ids of notifications and of clients' messages are kept. It must be longer than anybody may try again:
    /// an id that comes after it is new. Default 90 days. An [`App`](crate::app::App) keeps them as long as its notifications
    /// can be replayed and tried, whatever is said here.
    pub ids_kept_for: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        Self {
            upload_bytes: 4 * 1024 * 1024,
            upload_files: 10,
            bytes_per_hour: Some(128 * 1024 * 1024),
            files_per_hour: Some(500),
            members: 1000,
            files_kept_for: DAY,
            history_kept_for: Some(DAY * 90),
            history_length: Some(10_000),
            conversations_kept_for: Some(DAY * 365),
            ids_kept_for: DAY * 90,
        }
    }
}

impl Options {
    /// Options with the usual limits, and without a folder for files.
    pub fn new(
        store: Store,
        guard: Guard,
        base_url: impl Into<String>,
        bot_url: impl Into<String>,
        secret: Secret,
    ) -> Self {
        Self {
            store,
            guard,
            base_url: base_url.into(),
            bot_url: bot_url.into(),
            secret,
            bots: None,
            keys: None,
            sessions: None,
            files: None,
            keep_alive: Duration::from_secs(25),
            one_stream: false,
            limits: Limits::default(),
            json: JsonLimits::default(),
        }
    }
}
