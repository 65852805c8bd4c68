//! What came of a request about an activity: the one place that decides it.
//!
//! | what came | class | may have arrived | another try can help |
//! | --- | --- | --- | --- |
//! | 200, 201, 202, whatever the body, even one that breaks off | *delivered* | yes | – |
//! | 429, 412 (Teams says the latter too) | [`Throttled`](Class::Throttled) | no | yes |
//! | 503 | [`Busy`](Class::Busy) | no | yes |
//! | 401: a token that is refused was replaced by a new one before, so this is about that one too | [`Permanent`](Class::Permanent) | no | no |
//! | any other 4xx | [`Permanent`](Class::Permanent) | no | no |
//! | any other 2xx, 3xx, any other 5xx | [`Unknown`](Class::Unknown) | yes | by the policy |
//! | no whole head: timeout, connection lost, not HTTP | [`Unknown`](Class::Unknown) | yes | by the policy |
//! | resolved to an address at which the host may not be | [`Unreachable`](Class::Unreachable) | no | yes |
//! | not resolved, connected or shaken hands with | [`Unreachable`](Class::Unreachable) | no | yes |
//! | no token to send it with | [`NoToken`](Class::NoToken) | no | yes |
//! | refused by the egress guard, or not sendable at all | [`Refused`](Class::Refused) | no | no |
//!
//! Why so: a post has no idempotency key on most channels, so only an answer that says "I did not take it" may be followed
//! by another post without asking. 500, 502 and 504 often come from a gateway in front of a channel that did take it.
//! An update is read in the same way; so is a delete, to which 204 is *delivered* too: there is nothing left to answer with.
//!
//! A question (who is in the conversation?) is read by the same table, with one difference: a success whose answer does not come
//! whole, or is not what was asked for, is [`Unknown`](Class::Unknown). Nothing was changed by it, so it may simply be asked again;
//! only `create_conversation` may have created one.

use serde::de::DeserializeOwned;

use super::failure::Failure;
use super::{Error, RetryAfter};
use crate::activity::ResourceResponse;
use crate::egress;

/// What an [`Error`] means for the next step; the module's table says what belongs where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Nothing left, and nothing will: the target or the activity must be changed.
    Refused,
    /// Nothing left; the host cannot be reached at the moment.
    Unreachable,
    /// Nothing left; there is no token for the channel at the moment.
    NoToken,
    /// The channel did not take it: too many requests.
    Throttled,
    /// The channel did not take it: it is overloaded or down.
    Busy,
    /// The channel did not take it and never will.
    Permanent,
    /// The channel may have taken it.
    Unknown,
}

impl Class {
    /// Whether sending again later may succeed and cannot show the activity twice.
    #[must_use]
    pub fn is_retryable(self) -> bool {
        matches!(self, Self::Unreachable | Self::NoToken | Self::Throttled | Self::Busy)
    }
}

/// The class of a status; `None` is *delivered*.
pub(super) fn class_of(status: u16) -> Option<Class> {
    match status {
        200..=202 => None,
        412 | 429 => Some(Class::Throttled),
        400..=499 => Some(Class::Permanent),
        503 => Some(Class::Busy),
        _ => Some(Class::Unknown),
    }
}

/// The channel took an activity.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Taken {
    /// The status that it answered with: 200, 201 or 202; to a delete also 204.
    pub status: u16,
    /// What it answered; empty when there was no body, or not the expected one.
    pub response: ResourceResponse,
}

/// Reads the outcome of a delete: 204 says that it was done.
pub(super) fn read_delete(result: Result<egress::Response, egress::Error>) -> Result<Taken, Error> {
    match result {
        Ok(response) if response.status == 204 => Ok(Taken { status: 204, ..Taken::default() }),
        other => read(other),
    }
}

/// Reads the outcome of a post or an update.
pub(super) fn read(result: Result<egress::Response, egress::Error>) -> Result<Taken, Error> {
    match result {
        Ok(response) => judge(response.status, &response.headers, &response.body),
        Err(error) => match error.head() {
            Some(head) => judge(head.status, &head.headers, &[]),
            None => Err(without_head(error)),
        },
    }
}

/// Reads the outcome of a question: without an answer that can be read, 200 is none. `expected` says what it was about.
pub(super) fn read_answer(
    expected: &'static str,
    result: Result<egress::Response, egress::Error>,
) -> Result<egress::Response, Error> {
    match result {
        Ok(response) if class_of(response.status).is_none() => Ok(response),
        Err(error) if error.head().is_some_and(|head| class_of(head.status).is_none()) => {
            Err(Error::Unknown { reason: error })
        }
        // Not a success, so this is an error.
        other => Err(match read(other) {
            Err(error) => error,
            Ok(Taken { status, .. }) => Error::Unexpected { status, expected },
        }),
    }
}

/// Reads the outcome of a question that is answered in JSON.
pub(super) fn read_json<T: DeserializeOwned>(
    expected: &'static str,
    result: Result<egress::Response, egress::Error>,
) -> Result<T, Error> {
    let response = read_answer(expected, result)?;
    // What serde says would repeat what is in it.
    serde_json::from_slice(&response.body)
        .map_err(|_| Error::Unexpected { status: response.status, expected })
}

fn without_head(error: egress::Error) -> Error {
    match error {
        egress::Error::Refused(refused) => Error::Refused(refused),
        egress::Error::Unreachable { .. } => Error::Unreachable { reason: error },
        egress::Error::NoToken { .. } => Error::NoToken { reason: error },
        _ => Error::Unknown { reason: error },
    }
}

fn judge(status: u16, headers: &http::HeaderMap, body: &[u8]) -> Result<Taken, Error> {
    if class_of(status).is_none() {
        return Ok(Taken { status, response: serde_json::from_slice(body).unwrap_or_default() });
    }
    let Failure { code, message } = Failure::read(body);
    Err(Error::Status { status, code, message, retry_after: RetryAfter::from_headers(headers) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_class() {
        let class = |status| class_of(status);
        for status in [200, 201, 202] {
            assert_eq!(class(status), None);
        }
        for status in [412, 429] {
            assert_eq!(class(status), Some(Class::Throttled));
        }
        for status in [400, 401, 403, 404, 405, 408, 409, 410, 413, 415, 422, 499] {
            assert_eq!(class(status), Some(Class::Permanent), "{status}");
        }
        assert_eq!(class(503), Some(Class::Busy));
        for status in [203, 204, 206, 299, 300, 301, 302, 304, 307, 308, 500, 501, 502, 504, 599, 600, 999] {
            assert_eq!(class(status), Some(Class::Unknown), "{status}");
        }
    }

    #[test]
    fn nothing_left_to_answer_with_is_the_outcome_of_a_delete_alone() {
        let none = || {
            Ok(egress::Response { status: 204, headers: http::HeaderMap::new(), body: bytes::Bytes::new() })
        };
        assert_eq!(read_delete(none()).unwrap().status, 204);
        assert!(read(none()).unwrap_err().is_unknown());
    }

    #[test]
    fn a_status_counts_even_if_the_body_does_not_come() {
        let broken = |status| {
            let mut headers = http::HeaderMap::new();
            headers.insert(http::header::RETRY_AFTER, http::HeaderValue::from_static("7"));
            let head = Some(Box::new(egress::Head { status, headers }));
            read(Err(egress::Error::TooLarge { host: "h:1".to_owned(), limit: 1, head }))
        };
        assert_eq!(broken(201).unwrap().response.id, None);
        let error = broken(429).unwrap_err();
        assert_eq!(error.class(), Class::Throttled);
        assert_eq!(error.retry_after(), Some(RetryAfter::After(std::time::Duration::from_secs(7))));
    }

    #[test]
    fn a_body_that_says_nothing_is_no_failure() {
        for body in ["", "{}", "null", "[]", "ok", "{\"id\":5}", "\u{fffd}", "{\"id\":"] {
            let response = egress::Response {
                status: 200,
                headers: http::HeaderMap::new(),
                body: body.to_owned().into(),
            };
            assert_eq!(read(Ok(response)).unwrap().response.id, None, "{body}");
        }
        let body = bytes::Bytes::from_static(b"{\"id\":\"a1\",\"more\":true}");
        let response = egress::Response { status: 202, headers: http::HeaderMap::new(), body };
        assert_eq!(read(Ok(response)).unwrap().response.id.as_deref(), Some("a1"));
    }
}
