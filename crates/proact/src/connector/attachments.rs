//! Attachments that the channel keeps: up, and down again.
//!
//! A file comes down up to a size that the caller names. Some channels answer with a redirect to where they keep their files. It is
//! followed here, and nowhere else in this room, under these rules: each step goes through the guard like any other request, so only
//! to where it lets requests out; nothing of the first request goes along, and no token is added; never from `https` to `http`; three steps at most.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderValue, Method};
use serde::Serialize;
use url::Url;

use super::conversations::json;
use super::route::Part::{Attachment, Conversation, View, Word};
use super::{ConnectorClient, Error, Target, outcome};
use crate::activity::{AttachmentInfo, ResourceResponse};
use crate::egress::{Request, Response};

/// Redirects that are followed for one file.
const STEPS: usize = 3;
const EXPECTED: &str = "the attachment's content";

/// A file to upload.
#[derive(Clone)]
pub struct AttachmentData {
    /// Its media type, such as `image/png`.
    pub content_type: String,
    /// Its name.
    pub name: String,
    /// What is in it.
    pub original: Bytes,
    /// A small picture of it.
    pub thumbnail: Option<Bytes>,
}

/// A file that came down.
#[derive(Clone, PartialEq, Eq)]
pub struct AttachmentContent {
    /// Its media type, as the channel says.
    pub content_type: Option<String>,
    /// What is in it.
    pub bytes: Bytes,
}

impl ConnectorClient {
    /// Uploads a file for a conversation. The answer's id names it in [`attachment_info`](Self::attachment_info), and in the
    /// channel's own URL for it, `{serviceUrl}/v3/attachments/{id}/views/original`.
    ///
    /// # Errors
    /// Whatever is not 200, 201 or 202; see [`Error`].
    pub async fn upload_attachment(
        &self,
        target: &Target<'_>,
        file: &AttachmentData,
    ) -> Result<ResourceResponse, Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Body<'f> {
            r#type: &'f str,
            name: &'f str,
            original_base64: String,
            #[serde(skip_serializing_if = "Option::is_none")]
            thumbnail_base64: Option<String>,
        }
        let body = Body {
            r#type: &file.content_type,
            name: &file.name,
            original_base64: STANDARD.encode(&file.original),
            thumbnail_base64: file.thumbnail.as_ref().map(|thumbnail| STANDARD.encode(thumbnail)),
        };
        let parts = [Word("conversations"), Conversation(target.conversation_id), Word("attachments")];
        let body = Some(json("attachment", &body)?);
        let request = self.request_to(Method::POST, target.service_url, &parts, body)?;
        Ok(outcome::read(self.guard().send(request).await)?.response)
    }

    /// What the channel knows of an attachment: its name, its type, and in which forms ([views](AttachmentInfo::views)) it can be had.
    ///
    /// # Errors
    /// Whatever is not 200, 201 or 202; see [`Error`].
    pub async fn attachment_info(
        &self,
        service_url: &str,
        attachment_id: &str,
    ) -> Result<AttachmentInfo, Error> {
        let parts = [Word("attachments"), Attachment(attachment_id)];
        let request = self.request_to(Method::GET, service_url, &parts, None)?;
        outcome::read_json("an attachment's description", self.guard().send(request).await)
    }

    /// An attachment's content in one of its forms (`original`, `thumbnail`), if it has no more than `max_bytes`.
    ///
    /// # Errors
    /// Whatever is not 200, 201 or 202. Larger content is [`Error::Unknown`] with the reason
    /// [`TooLarge`](crate::egress::Error::TooLarge); a redirect to where the guard lets nothing out is [`Error::Refused`], and one
    /// that breaks the rules (from `https` to `http`, more than three) is [`Error::Unexpected`].
    pub async fn attachment_content(
        &self,
        service_url: &str,
        attachment_id: &str,
        view_id: &str,
        max_bytes: usize,
    ) -> Result<AttachmentContent, Error> {
        let parts = [Word("attachments"), Attachment(attachment_id), Word("views"), View(view_id)];
        let mut url = self.request_to(Method::GET, service_url, &parts, None)?.url;
        let mut guard = self.guard().with_max_response_bytes(max_bytes);
        let mut steps = 0;
        loop {
            let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("*/*"))]);
            let request = Request { method: Method::GET, url: url.clone(), headers, body: Bytes::new() };
            let result = guard.send(request).await;
            match elsewhere(&url, &result) {
                None => {
                    let Response { headers, body, .. } = outcome::read_answer(EXPECTED, result)?;
                    let content_type = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
                    return Ok(AttachmentContent {
                        content_type: content_type.map(str::to_owned),
                        bytes: body,
                    });
                }
                Some((status, next)) if steps == STEPS || is_downgrade(&url, &next) => {
                    return Err(Error::Unexpected { status, expected: EXPECTED });
                }
                Some((_, next)) => {
                    // What the channel is trusted with is not for where it points to, be it trusted or not.
                    guard = guard.without_tokens();
                    url = guard.check(next.as_str())?;
                    steps += 1;
                }
            }
        }
    }
}

/// What was protected on its way stays so.
fn is_downgrade(from: &Url, to: &Url) -> bool {
    from.scheme() == "https" && to.scheme() != "https"
}

/// Where a redirect leads to; a body that did not follow its head changes nothing about that.
fn elsewhere(from: &Url, result: &Result<Response, crate::egress::Error>) -> Option<(u16, Url)> {
    let (status, headers) = match result {
        Ok(response) => (response.status, &response.headers),
        Err(error) => error.head().map(|head| (head.status, &head.headers))?,
    };
    if !matches!(status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = headers.get(LOCATION)?.to_str().ok()?;
    Some((status, from.join(location).ok()?))
}

// Files hold what people sent to each other, so `Debug` shows none of it.

impl fmt::Debug for AttachmentData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttachmentData")
            .field("content_type", &self.content_type)
            .field("original", &format_args!("{} bytes", self.original.len()))
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for AttachmentContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttachmentContent")
            .field("content_type", &self.content_type)
            .field("bytes", &format_args!("{} bytes", self.bytes.len()))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_redirect_with_a_place_leads_elsewhere() {
        let from: Url = "https://channel.example/v3/attachments/a/views/original".parse().unwrap();
        let leads = |status, location: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            if let Some(location) = location {
                headers.insert(LOCATION, HeaderValue::from_static(location));
            }
            elsewhere(&from, &Ok(Response { status, headers, body: Bytes::new() }))
                .map(|(_, url)| url.to_string())
        };
        assert_eq!(
            leads(302, Some("../thumbnail")).as_deref(),
            Some("https://channel.example/v3/attachments/a/thumbnail")
        );
        assert_eq!(leads(307, Some("http://files.example/x?y")).as_deref(), Some("http://files.example/x?y"));
        assert_eq!((leads(302, None), leads(200, Some("/x")), leads(304, Some("/x"))), (None, None, None));
    }

    #[test]
    fn protection_is_never_given_up() {
        let url = |text: &str| text.parse().unwrap();
        assert!(is_downgrade(&url("https://a.example/"), &url("http://a.example/")));
        assert!(!is_downgrade(&url("https://a.example/"), &url("https://b.example/")));
        assert!(!is_downgrade(&url("http://a.example/"), &url("https://a.example/")));
    }
}
