//! The ways an activity is posted, updated and deleted.

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, Method};

use super::route::Part;
use super::{Error, Taken, outcome, route};
use crate::activity::{Activity, ResourceResponse};
use crate::egress::{Guard, Request};

/// The header that carries a notification's id to a channel that takes one, so that it shows the activity once.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Where an activity goes.
#[derive(Clone, Copy, Debug)]
pub struct Target<'t> {
    /// The channel's service URL, with or without a slash at its end.
    pub service_url: &'t str,
    /// The conversation's id, as the channel gave it.
    pub conversation_id: &'t str,
}

/// Posts activities to channels; cheap to clone, and clones share their connections.
#[derive(Clone, Debug)]
pub struct ConnectorClient {
    guard: Guard,
}

impl ConnectorClient {
    /// A client that sends through `guard`.
    #[must_use]
    pub fn new(guard: Guard) -> Self {
        Self { guard }
    }

    /// The guard that requests go through.
    #[must_use]
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Posts `activity` to the end of a conversation. `id`, if given, goes along as `Idempotency-Key`.
    ///
    /// # Errors
    /// Whatever is not 200, 201 or 202; see [`Error`].
    pub async fn send_to_conversation(
        &self,
        target: &Target<'_>,
        activity: &Activity,
        id: Option<&str>,
    ) -> Result<ResourceResponse, Error> {
        Ok(self.post(target, None, activity.encode().into(), id).await?.response)
    }

    /// Posts `activity` as the answer to the activity `activity_id`. `id`, if given, goes along as `Idempotency-Key`.
    ///
    /// # Errors
    /// Whatever is not 200, 201 or 202; see [`Error`].
    pub async fn reply_to_activity(
        &self,
        target: &Target<'_>,
        activity_id: &str,
        activity: &Activity,
        id: Option<&str>,
    ) -> Result<ResourceResponse, Error> {
        Ok(self.post(target, Some(activity_id), activity.encode().into(), id).await?.response)
    }

    /// Puts `activity` in the place of the activity `activity_id` that was sent before. Doing so twice comes to the same.
    ///
    /// # Errors
    /// Whatever is not 200, 201 or 202; see [`Error`].
    pub async fn update_activity(
        &self,
        target: &Target<'_>,
        activity_id: &str,
        activity: &Activity,
    ) -> Result<ResourceResponse, Error> {
        Ok(self.put(target, activity_id, activity.encode().into()).await?.response)
    }

    /// Deletes the activity `activity_id` that was sent before.
    ///
    /// # Errors
    /// Whatever is not 200, 201, 202 or 204; see [`Error`]. One that is deleted already is, for most channels, an error (404).
    pub async fn delete_activity(&self, target: &Target<'_>, activity_id: &str) -> Result<(), Error> {
        self.delete(target, activity_id).await.map(drop)
    }

    /// Posts an activity that is JSON already, to the conversation or as the answer to `reply_to`.
    ///
    /// # Errors
    /// Whatever is not 200, 201 or 202; see [`Error`].
    pub async fn post(
        &self,
        target: &Target<'_>,
        reply_to: Option<&str>,
        activity: Bytes,
        id: Option<&str>,
    ) -> Result<Taken, Error> {
        let mut request = self.request(Method::POST, target, reply_to, Some(activity))?;
        if let Some(id) = id {
            let key = HeaderValue::from_str(id).map_err(|_| Error::Invalid {
                what: "idempotency key",
                why: "a header carries visible ASCII characters only".to_owned(),
            })?;
            request.headers.insert(IDEMPOTENCY_KEY, key);
        }
        outcome::read(self.guard.send(request).await)
    }

    /// Updates with an activity that is JSON already; see [`update_activity`](Self::update_activity).
    ///
    /// # Errors
    /// Whatever is not 200, 201 or 202; see [`Error`].
    pub async fn put(&self, target: &Target<'_>, activity_id: &str, activity: Bytes) -> Result<Taken, Error> {
        let request = self.request(Method::PUT, target, Some(activity_id), Some(activity))?;
        outcome::read(self.guard.send(request).await)
    }

    /// The same as [`delete_activity`](Self::delete_activity), with the status that came.
    ///
    /// # Errors
    /// Whatever is not 200, 201, 202 or 204; see [`Error`].
    pub async fn delete(&self, target: &Target<'_>, activity_id: &str) -> Result<Taken, Error> {
        let request = self.request(Method::DELETE, target, Some(activity_id), None)?;
        outcome::read_delete(self.guard.send(request).await)
    }

    /// A request to any route.
    pub(super) fn request_to(
        &self,
        method: Method,
        service_url: &str,
        parts: &[Part<'_>],
        body: Option<Bytes>,
    ) -> Result<Request, Error> {
        let base = self.guard.service_url(service_url, None)?;
        Ok(request(method, route::route(base, parts)?, body))
    }

    /// A request to the activities of a conversation, or to one of them.
    fn request(
        &self,
        method: Method,
        target: &Target<'_>,
        activity_id: Option<&str>,
        body: Option<Bytes>,
    ) -> Result<Request, Error> {
        let base = self.guard.service_url(target.service_url, None)?;
        let url = route::activities(base, target.conversation_id, activity_id)?;
        Ok(request(method, url, body))
    }
}

fn request(method: Method, url: url::Url, body: Option<Bytes>) -> Request {
    let mut headers = HeaderMap::with_capacity(4);
    headers.insert(ACCEPT, JSON);
    if body.is_some() {
        headers.insert(CONTENT_TYPE, JSON);
    }
    Request { method, url, headers, body: body.unwrap_or_default() }
}
