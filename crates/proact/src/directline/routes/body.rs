//! Bodies: JSON that says so, up to a size.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use serde_json::{Map, Value};

use crate::adapter::media_type;
use crate::directline::error::Problem;
use crate::directline::{Channel, User};

/// Bytes in an activity at most.
const LIMIT: usize = 256 * 1024;

/// A body that is said to be JSON; or none at all, which is empty.
pub(super) struct JsonBody(pub(super) Bytes);

impl FromRequest<Channel> for JsonBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Channel) -> Result<Self, Problem> {
        let says_json =
            media_type(request.headers()).is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
        let bytes = axum::body::to_bytes(request.into_body(), LIMIT).await.map_err(|_| {
            Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "MessageSizeTooBig",
                "the body is larger than 256 KiB: send less at once",
            )
        })?;
        if !bytes.is_empty() && !says_json {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "UnsupportedMediaType",
                "send JSON with the header `Content-Type: application/json`",
            ));
        }
        Ok(Self(bytes))
    }
}

/// What a client says when it starts a conversation or asks for a token. What else is in there is ignored.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Introduction {
    pub(super) user: Option<User>,
    pub(super) locale: Option<String>,
}

impl JsonBody {
    pub(super) fn introduction(&self) -> Result<Introduction, Problem> {
        if self.0.is_empty() {
            return Ok(Introduction::default());
        }
        // The parser's own words are left out: they can repeat what was sent.
        let body: Value = serde_json::from_slice(&self.0).map_err(|error| {
            Problem::bad_argument(format!("not JSON at line {} column {}", error.line(), error.column()))
        })?;
        let body = match &body {
            Value::Null => return Ok(Introduction::default()),
            Value::Object(body) => body,
            _ => return Err(Problem::bad_argument("not a JSON object")),
        };
        let user = match body.get("user") {
            None | Some(Value::Null) => None,
            Some(Value::Object(user)) => {
                let name = text(user, "name", "user.name")?;
                let id = text(user, "id", "user.id")?.filter(|id| !id.is_empty());
                id.map(|id| User::new(id, name).map_err(|error| Problem::bad_user("user", &error)))
                    .transpose()?
            }
            Some(_) => return Err(Problem::bad_argument("user: not an object")),
        };
        Ok(Introduction { user, locale: text(body, "locale", "locale")? })
    }
}

fn text(object: &Map<String, Value>, key: &str, field: &str) -> Result<Option<String>, Problem> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Problem::bad_argument(format!("{field}: not a string"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn introduction(body: &'static str) -> Result<Introduction, Problem> {
        JsonBody(Bytes::from_static(body.as_bytes())).introduction()
    }

    #[test]
    fn clients_introduce_themselves_or_not() {
        for nobody in ["", "null", "{}", r#"{"user":null}"#, r#"{"user":{}}"#, r#"{"user":{"id":""},"x":1}"#]
        {
            assert_eq!(introduction(nobody), Ok(Introduction::default()), "{nobody}");
        }
        let known =
            introduction(r#"{"user":{"id":"u","name":"U"},"locale":"de","trustedOrigins":[]}"#).unwrap();
        assert_eq!(known.user, Some(User::new("u", Some("U".to_owned())).unwrap()));
        assert_eq!(known.locale.as_deref(), Some("de"));
    }

    #[test]
    fn the_field_to_blame_is_named() {
        for (body, field) in [
            ("[]", "not a JSON object"),
            (r#"{"user":"secret"}"#, "user: "),
            (r#"{"user":{"id":5}}"#, "user.id: "),
            (r#"{"user":{"id":"bot"}}"#, "user.id: "),
            (r#"{"user":{"id":"u","name":{}}}"#, "user.name: "),
            (r#"{"locale":1}"#, "locale: "),
            (r#"{"secret""#, "not JSON at line 1"),
        ] {
            let problem = format!("{:?}", introduction(body).unwrap_err());
            assert!(problem.contains(field) && problem.contains("BadArgument"), "{body}: {problem}");
            assert!(!problem.contains("secret"), "{problem}");
        }
    }
}
