//! What a channel says about its refusal, made fit to be shown and stored.

use serde::Deserialize;
use serde_json::Value;

const CODE_CHARS: usize = 100;
const MESSAGE_CHARS: usize = 300;

/// The code and message of an `ErrorResponse`, or of the flat form that Teams uses.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Failure {
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Body {
    error: Value,
    code: Value,
    error_code: Value,
    message: Value,
}

impl Failure {
    /// Reads what there is; a body that is no such JSON says nothing.
    pub(super) fn read(body: &[u8]) -> Self {
        let Ok(body) = serde_json::from_slice::<Body>(body) else { return Self::default() };
        let nested = |name| body.error.get(name).and_then(text);
        let code = nested("code").or_else(|| text(&body.code)).or_else(|| text(&body.error_code));
        Self {
            code: code.and_then(|code| tidy(&code, CODE_CHARS)),
            message: nested("message")
                .or_else(|| text(&body.message))
                .and_then(|it| tidy(&it, MESSAGE_CHARS)),
        }
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The text without control characters, so that it cannot write lines of its own into a log, and not too long.
fn tidy(text: &str, chars: usize) -> Option<String> {
    let tidy: String = text.chars().filter(|c| !c.is_control()).take(chars).collect();
    (!tidy.is_empty()).then_some(tidy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> (Option<String>, Option<String>) {
        let Failure { code, message } = Failure::read(body.as_bytes());
        (code, message)
    }

    fn some(code: &str, message: &str) -> (Option<String>, Option<String>) {
        (Some(code.to_owned()), Some(message.to_owned()))
    }

    #[test]
    fn both_shapes_are_read() {
        let nested = r#"{"error":{"code":"BadArgument","message":"no","innerHttpError":{"statusCode":4}}}"#;
        assert_eq!(read(nested), some("BadArgument", "no"));
        assert_eq!(read(r#"{"errorCode":209,"message":"blocked"}"#), some("209", "blocked"));
        for nothing in ["", "<html>", "[]", "null", "{}", r#"{"error":"x"}"#, r#"{"error":{"code":{}}}"#] {
            assert_eq!(read(nothing), (None, None), "{nothing}");
        }
    }

    #[test]
    fn it_is_short_and_on_one_line() {
        let body = serde_json::json!({ "error": { "code": "c".repeat(5000), "message": "a\r\n\u{1b}[31mb".repeat(900) } });
        let (code, message) = read(&body.to_string());
        assert_eq!(code.unwrap().len(), CODE_CHARS);
        let message = message.unwrap();
        assert!(message.starts_with("a[31mb") && message.chars().count() == MESSAGE_CHARS);
    }
}
