//! One token from the login service, in up to three tries.

use std::{sync::Arc, time::Duration};

use http::{
    HeaderMap, HeaderValue, Method,
    header::{ACCEPT, CONTENT_TYPE},
};
use serde::Deserialize;
use serde_json::Value;
use url::{Url, form_urlencoded};

use crate::{
    auth::Credentials,
    clock::Clock,
    egress::{BearerToken, Guard, Request, Response, RetryAfter, TokenError},
};

/// Whom is asked, and with what.
#[derive(Debug)]
pub(super) struct Login {
    pub(super) credentials: Credentials,
    pub(super) url: Url,
    pub(super) guard: Guard,
    pub(super) clock: Arc<dyn Clock>,
}

/// A token, and for how long it is good from the moment it was asked for.
#[derive(Debug, Clone)]
pub(super) struct Issued {
    pub(super) token: BearerToken,
    pub(super) life: Duration,
}

/// Why there is none, and for how long nobody should ask again.
#[derive(Debug, Clone)]
pub(super) struct Failed {
    pub(super) error: TokenError,
    pub(super) stands: Duration,
}

const TRIES: u32 = 3;
/// The pause before the second try; doubled for the third.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause that is waited for within a fetch.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How long a failure stands when the service says nothing about it.
const UNAVAILABLE_STANDS: Duration = Duration::from_secs(2);
/// What is wrong is corrected by a person.
const REFUSED_STANDS: Duration = Duration::from_secs(10);
const LONGEST_STANDS: Duration = Duration::from_secs(60);
/// A life that is not told, and the longest that is believed.
const USUAL_LIFE: Duration = Duration::from_secs(300);
const LONGEST_LIFE: Duration = Duration::from_secs(24 * 3600);
/// Characters of a token at most: it becomes a header.
const MOST_CHARS: usize = 16 * 1024;

/// What one try came to.
enum Tried {
    Issued(Issued),
    /// It will not be better in a moment.
    Refused(String),
    Unavailable {
        why: String,
        retry_after: Option<Duration>,
    },
}

impl Login {
    /// A token for `scope`.
    pub(super) async fn fetch(&self, scope: &str) -> Result<Issued, Failed> {
        let (mut pause, mut tried) = (FIRST_PAUSE, 1);
        loop {
            let (why, retry_after) = match self.ask(scope).await {
                Tried::Issued(issued) => return Ok(issued),
                Tried::Refused(code) => {
                    let error = TokenError::Refused { code };
                    tracing::error!(app_id = self.credentials.app_id, scope, %error, "no token");
                    return Err(Failed { error, stands: REFUSED_STANDS });
                }
                Tried::Unavailable { why, retry_after } => (why, retry_after),
            };
            let wait = retry_after.unwrap_or_default().max(jittered(pause));
            if tried == TRIES || wait > LONGEST_PAUSE {
                let host = self.url.host_str().unwrap_or_default().to_owned();
                let error = TokenError::Unavailable { host, why };
                tracing::warn!(app_id = self.credentials.app_id, scope, %error, tried, "no token");
                let stands = retry_after.unwrap_or(UNAVAILABLE_STANDS).min(LONGEST_STANDS);
                return Err(Failed { error, stands });
            }
            self.clock.sleep_until(self.clock.now() + wait).await;
            (pause, tried) = (pause * 2, tried + 1);
        }
    }

    async fn ask(&self, scope: &str) -> Tried {
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_id", &self.credentials.app_id)
            .append_pair("client_secret", self.credentials.password.expose())
            .append_pair("scope", scope)
            .finish();
        let headers = HeaderMap::from_iter([
            (ACCEPT, HeaderValue::from_static("application/json")),
            (CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded")),
        ]);
        let request = Request { method: Method::POST, url: self.url.clone(), headers, body: body.into() };
        match self.guard.send(request).await {
            Ok(response) => self.read(&response),
            // A token that was issued and did not come is one more that nobody uses: asking again does no harm.
            Err(error) => Tried::Unavailable { why: error.to_string(), retry_after: None },
        }
    }

    fn read(&self, response: &Response) -> Tried {
        match response.status {
            200 => issued(&response.body).map_or_else(
                |why| Tried::Unavailable { why: why.to_owned(), retry_after: None },
                Tried::Issued,
            ),
            408 | 429 | 500.. => Tried::Unavailable {
                why: format!("it answered {}", response.status),
                retry_after: RetryAfter::from_headers(&response.headers).map(|it| it.delay(self.clock.now())),
            },
            400..=499 => match code(&response.body) {
                Some(code) if code.starts_with("temporarily_unavailable") => Tried::Unavailable {
                    why: format!("it answered {}: {code}", response.status),
                    retry_after: None,
                },
                Some(code) => Tried::Refused(code),
                None => Tried::Refused(format!("it answered {}", response.status)),
            },
            status => Tried::Unavailable {
                why: format!("it answered {status}: see whether the URL is the login service's"),
                retry_after: None,
            },
        }
    }
}

fn issued(body: &[u8]) -> Result<Issued, &'static str> {
    #[derive(Deserialize)]
    struct Answer {
        access_token: String,
        token_type: String,
        #[serde(default)]
        expires_in: Value,
    }
    // What serde says would repeat what is in it.
    let answer: Answer = serde_json::from_slice(body).map_err(|_| "its answer is no token")?;
    if !answer.token_type.eq_ignore_ascii_case("bearer") {
        return Err("its token is of another kind than Bearer");
    }
    let visible = answer.access_token.bytes().all(|c| c.is_ascii_graphic());
    if answer.access_token.is_empty() || answer.access_token.len() > MOST_CHARS || !visible {
        return Err("its token cannot be put into a header");
    }
    // A number; some services write it as a text.
    let seconds = match &answer.expires_in {
        Value::Number(number) => number.as_u64().or_else(|| number.as_f64().map(|it| it.max(0.0) as u64)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    let life = seconds.map_or(USUAL_LIFE, Duration::from_secs).min(LONGEST_LIFE);
    Ok(Issued { token: BearerToken::new(answer.access_token), life })
}

/// The error's name, with the number that Entra gives it: what to look up. Its description is not told, it can say anything.
fn code(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Answer {
        error: String,
        #[serde(default)]
        error_codes: Vec<u32>,
    }
    let answer: Answer = serde_json::from_slice(body).ok()?;
    let name: String = answer
        .error
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
        .take(60)
        .collect();
    let number = answer.error_codes.first().map(|number| format!(", AADSTS{number}"));
    (!name.is_empty()).then(|| name + &number.unwrap_or_default())
}

/// Between half and the whole, so that replicas do not ask in step.
fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(0.5 + rand::random::<f64>() / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_strictly_where_it_matters() {
        let life = |body: &str| issued(body.as_bytes()).map(|it| it.life.as_secs());
        assert_eq!(life(r#"{"access_token":"a.b-c","token_type":"Bearer","expires_in":3599}"#), Ok(3599));
        assert_eq!(life(r#"{"access_token":"a","token_type":"bearer","expires_in":"3599"}"#), Ok(3599));
        assert_eq!(life(r#"{"access_token":"a","token_type":"Bearer"}"#), Ok(300));
        assert_eq!(life(r#"{"access_token":"a","token_type":"Bearer","expires_in":-5}"#), Ok(0));
        assert_eq!(life(r#"{"access_token":"a","token_type":"Bearer","expires_in":1e300}"#), Ok(86400));
        for bad in [
            "",
            "{}",
            "[]",
            r#"{"access_token":"","token_type":"Bearer"}"#,
            r#"{"access_token":"a"}"#,
            r#"{"access_token":"a","token_type":"mac"}"#,
            r#"{"access_token":"a b","token_type":"Bearer"}"#,
            r#"{"access_token":"a\r\nx: y","token_type":"Bearer"}"#,
            r#"{"access_token":"é","token_type":"Bearer"}"#,
        ] {
            assert!(life(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn of_an_error_its_name_and_number_are_told() {
        let told = |body: &str| code(body.as_bytes());
        let body = r#"{"error":"invalid_client","error_description":"AADSTS7000215: wrong 'tellme'","error_codes":[7000215]}"#;
        assert_eq!(told(body).as_deref(), Some("invalid_client, AADSTS7000215"));
        assert_eq!(told(r#"{"error":"in\nvalid <b>"}"#).as_deref(), Some("invalidb"));
        assert_eq!(told(r#"{"error":{"code":"x"}}"#), None);
        assert_eq!(told("<html>"), None);
    }
}
