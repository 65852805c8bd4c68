//! Bodies: JSON that says so, up to a size.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::{Map, Value};

use crate::adapter::media_type;
use crate::directline::error::Problem;
use crate::directline::origins::Origins;
use crate::directline::{Channel, User};

/// Bytes in an activity at most.
pub(super) const LIMIT: usize = 256 * 1024;

/// A body that is said to be JSON; or none at all, which is empty.
pub(super) struct JsonBody(pub(super) Bytes);

impl FromRequest<Channel> for JsonBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Channel) -> Result<Self, Problem> {
        json(request, LIMIT).await.map(Self)
    }
}

/// The body, if it says that it is JSON or is empty.
pub(super) async fn json(request: Request, limit: usize) -> Result<Bytes, Problem> {
    let says_json =
        media_type(request.headers()).is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    let bytes = whole(request.into_body(), limit).await?;
    if !bytes.is_empty() && !says_json {
        return Err(Problem::unsupported("send JSON with the header `Content-Type: application/json`"));
    }
    Ok(bytes)
}

/// What is read of a body beyond its size, and dropped: who is still sending hears why it is refused only if somebody reads on.
const READ_ON: usize = 1024 * 1024;

/// The whole body, up to a size.
pub(super) async fn whole(mut body: Body, limit: usize) -> Result<Bytes, Problem> {
    match Limited::new(&mut body, limit).collect().await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            let mut left = READ_ON;
            while let Some(Ok(frame)) = body.frame().await {
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                left = left.saturating_sub(bytes);
                if left == 0 {
                    break;
                }
            }
            Err(Problem::too_large(limit))
        }
        Err(_) => Err(Problem::bad_argument("the body did not arrive whole: send it again")),
    }
}

/// The members of a JSON object.
pub(super) fn object(bytes: &[u8]) -> Result<Map<String, Value>, Problem> {
    // The parser's own words are left out: they can repeat what was sent.
    let value = serde_json::from_slice(bytes).map_err(|error| {
        Problem::bad_argument(format!("not JSON at line {} column {}", error.line(), error.column()))
    })?;
    match value {
        Value::Null => Ok(Map::new()),
        Value::Object(object) => Ok(object),
        _ => Err(Problem::bad_argument("not a JSON object")),
    }
}

/// What a client says when it starts a conversation or asks for a token. What else is in there is ignored.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Introduction {
    pub(super) user: Option<User>,
    pub(super) locale: Option<String>,
    /// Whose pages may use the token.
    pub(super) origins: Origins,
}

impl JsonBody {
    pub(super) fn introduction(&self) -> Result<Introduction, Problem> {
        if self.0.is_empty() {
            return Ok(Introduction::default());
        }
        let body = object(&self.0)?;
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
        let origins = match body.get("trustedOrigins") {
            None | Some(Value::Null) => Origins::default(),
            Some(Value::Array(origins)) => {
                Origins::new(origins.iter().map(|origin| origin.as_str().unwrap_or_default()))?
            }
            Some(_) => return Err(Problem::bad_argument("trustedOrigins: not a list")),
        };
        Ok(Introduction { user, locale: text(&body, "locale", "locale")?, origins })
    }
}

pub(super) fn text(object: &Map<String, Value>, key: &str, field: &str) -> Result<Option<String>, Problem> {
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
            (r#"{"trustedOrigins":"https://a.example"}"#, "trustedOrigins: "),
            (r#"{"trustedOrigins":["https://a.example",5]}"#, "trustedOrigins[1]: "),
            (r#"{"secret""#, "not JSON at line 1"),
        ] {
            let problem = format!("{:?}", introduction(body).unwrap_err());
            assert!(problem.contains(field) && problem.contains("BadArgument"), "{body}: {problem}");
            assert!(!problem.contains("secret"), "{problem}");
        }
    }
}
