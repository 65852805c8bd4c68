//! Where a turn's activities go.

use futures_util::future::BoxFuture;

use super::SendError;
use crate::activity::{Activity, ResourceResponse};

/// The channel took an activity.
#[derive(Debug, Clone, Default)]
pub struct Delivered {
    /// The HTTP status that it answered with, if it is reached by HTTP.
    pub status: Option<u16>,
    /// What it answered.
    pub response: ResourceResponse,
}

/// Sends a turn's activities; an adapter's connector, or a test's list.
pub trait Outbound: Send + Sync + 'static {
    /// Sends one activity, which says where it goes (service URL, conversation, `replyToId`). `id`, if given, lets a channel
    /// that takes ids take the activity once.
    fn deliver<'a>(
        &'a self,
        activity: &'a Activity,
        id: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Delivered, SendError>>;
}
