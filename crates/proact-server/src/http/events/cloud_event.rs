//! CloudEvents 1.0 over HTTP (<https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md>).
//!
//! *Structured*: the event is the body (`application/cloudevents+json`). *Binary*: its attributes are the headers `ce-…`, its data is the
//! body. *Batch*: the body is a list of events (`application/cloudevents-batch+json`).
//!
//! Attributes that the specification calls extensions are passed over; what of ours cannot be meant is refused by its name.

use axum::http::{HeaderMap, header};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use percent_encoding::percent_decode_str;
use proact::app::JsonLimits;
use serde_json::value::RawValue;

use super::super::{members::Members, problem::Problem};

/// Events in a batch at most.
pub(super) const LARGEST: usize = 1000;
/// Characters of an attribute at most.
const LONGEST: usize = 1024;

/// How a request brings its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Structured,
    Binary,
    Batch,
}

/// An event, as far as it matters here.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CloudEvent {
    pub(super) source: String,
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) subject: Option<String>,
    /// JSON; empty when there is none.
    pub(super) data: Vec<u8>,
}

impl Mode {
    /// The mode that a content type says.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let kind =
            headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if kind.eq_ignore_ascii_case("application/cloudevents-batch+json") {
            Self::Batch
        } else if kind.eq_ignore_ascii_case("application/cloudevents+json") {
            Self::Structured
        } else {
            Self::Binary
        }
    }
}

impl CloudEvent {
    /// One in JSON.
    pub(super) fn structured(event: &[u8]) -> Result<Self, Problem> {
        let mut members = Members::of(event)?;
        let attribute = |members: &mut Members<'_>, name: &str| members.text(name);
        let version = attribute(&mut members, "specversion")?;
        let parts = [
            attribute(&mut members, "source")?,
            attribute(&mut members, "id")?,
            attribute(&mut members, "type")?,
        ];
        let subject = attribute(&mut members, "subject")?;
        let (time, kind) = (attribute(&mut members, "time")?, attribute(&mut members, "datacontenttype")?);
        let data = match (members.take("data")?, members.text("data_base64")?) {
            (Some(_), Some(_)) => {
                return Err(Problem::field("data_base64", "give one of data and data_base64"));
            }
            (Some(data), None) => data.get().as_bytes().to_vec(),
            (None, Some(text)) => BASE64_STANDARD
                .decode(text)
                .map_err(|_| Problem::field("data_base64", "this must be Base64, with its padding"))?,
            (None, None) => Vec::new(),
        };
        json_only("datacontenttype", kind.as_deref())?;
        // The gate has looked at what came, and there this was one string.
        JsonLimits::default().check(&data).map_err(|refusal| Problem::refused(&refusal))?;
        Self::of(version, parts, subject, time, data)
    }

    /// One whose attributes are headers.
    pub(super) fn binary(headers: &HeaderMap, body: &[u8]) -> Result<Self, Problem> {
        let attribute = |name: &'static str| attribute(headers, name);
        let kind = headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
        json_only("content-type", kind.filter(|_| !body.is_empty()))?;
        let parts = [attribute("ce-source")?, attribute("ce-id")?, attribute("ce-type")?];
        Self::of(
            attribute("ce-specversion")?,
            parts,
            attribute("ce-subject")?,
            attribute("ce-time")?,
            body.to_vec(),
        )
    }

    /// The events of a batch, each as it came.
    pub(super) fn batch(body: &[u8]) -> Result<Vec<&RawValue>, Problem> {
        let events: Vec<&RawValue> = serde_json::from_slice(body)
            .map_err(|error| Problem::body(format!("this must be a list of events ({error})")))?;
        if events.len() > LARGEST {
            return Err(Problem::body(format!(
                "give {LARGEST} events in a batch at most, not {}",
                events.len()
            )));
        }
        Ok(events)
    }

    fn of(
        version: Option<String>,
        [source, id, kind]: [Option<String>; 3],
        subject: Option<String>,
        time: Option<String>,
        data: Vec<u8>,
    ) -> Result<Self, Problem> {
        if version.as_deref() != Some("1.0") {
            return Err(Problem::field("specversion", "this must be 1.0"));
        }
        let fits = |name: &str, text: &str| {
            if text.is_empty() || text.chars().count() > LONGEST {
                return Err(Problem::field(name, format!("give 1 to {LONGEST} characters")));
            }
            Ok(())
        };
        let need = |name: &str, text: Option<String>| {
            let text =
                text.ok_or_else(|| Problem::field(name, "this is missing: every CloudEvent has it"))?;
            fits(name, &text).map(|()| text)
        };
        if let Some(subject) = &subject {
            fits("subject", subject)?;
        }
        if time.is_some_and(|time| time.parse::<jiff::Timestamp>().is_err()) {
            return Err(Problem::field(
                "time",
                "this must be a time with its offset, such as 2030-01-31T08:55:00Z",
            ));
        }
        Ok(Self {
            source: need("source", source)?,
            id: need("id", id)?,
            kind: need("type", kind)?,
            subject,
            data,
        })
    }
}

/// The data of our events is JSON.
fn json_only(name: &str, kind: Option<&str>) -> Result<(), Problem> {
    let Some(kind) = kind else { return Ok(()) };
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json")) {
        Ok(())
    } else {
        Err(Problem::field(name, "the data of these events is JSON: application/json"))
    }
}

/// An attribute in a header (section 3.1.3.2 of the binding): perhaps quoted, and with some characters percent-encoded.
fn attribute(headers: &HeaderMap, header: &'static str) -> Result<Option<String>, Problem> {
    let name = &header["ce-".len()..];
    let mut values = headers.get_all(header).iter();
    let value = match (values.next(), values.next()) {
        (None, _) => return Ok(None),
        (Some(value), None) => value,
        (Some(_), Some(_)) => return Err(Problem::field(name, "give it once")),
    };
    let unreadable =
        || Problem::field(name, "this must be ASCII, with everything else percent-encoded as UTF-8");
    let text = value.to_str().map_err(|_| unreadable())?.trim();
    let text = match text.strip_prefix('"') {
        Some(quoted) => unquoted(quoted).ok_or_else(unreadable)?,
        None => text.to_owned(),
    };
    let text = percent_decode_str(&text).decode_utf8().map_err(|_| unreadable())?;
    Ok(Some(text.into_owned()))
}

/// What stands in quotes; the first one is gone.
fn unquoted(text: &str) -> Option<String> {
    let mut chars = text.chars();
    let mut inside = String::new();
    loop {
        match chars.next()? {
            '"' => return chars.next().is_none().then_some(inside),
            '\\' => inside.push(chars.next()?),
            other => inside.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn field(problem: Problem) -> String {
        problem.into_json()["field"].as_str().unwrap_or("-").to_owned()
    }

    #[test]
    fn the_same_event_in_both_modes_is_the_same() {
        let structured = CloudEvent::structured(
            br#"{"specversion":"1.0","id":"7","source":"/ci/\u00e4","type":"t","subject":"a b","time":"2030-01-31T08:55:00Z",
                 "datacontenttype":"application/json","traceparent":"x","data":{"job":1}}"#,
        )
        .unwrap();
        let of = headers(&[
            ("content-type", "application/json; charset=utf-8"),
            ("ce-specversion", "1.0"),
            ("ce-id", "\"7\""),
            ("ce-source", "/ci/%C3%A4"),
            ("ce-type", "t"),
            ("ce-subject", "a%20b"),
            ("ce-traceparent", "x"),
        ]);
        assert_eq!(CloudEvent::binary(&of, br#"{"job":1}"#).unwrap(), structured);
        let base64 = br#"{"specversion":"1.0","id":"7","source":"/ci/\u00e4","type":"t","subject":"a b","data_base64":"eyJqb2IiOjF9"}"#;
        assert_eq!(CloudEvent::structured(base64).unwrap(), structured);
    }

    #[test]
    fn what_is_packed_in_base64_may_hold_no_more_than_what_is_not() {
        let refused = |data: &str| {
            let data = BASE64_STANDARD.encode(data);
            let event =
                format!(r#"{{"specversion":"1.0","id":"1","source":"s","type":"t","data_base64":"{data}"}}"#);
            CloudEvent::structured(event.as_bytes()).err().map(|problem| problem.status().as_u16())
        };
        let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert_eq!((refused(&deep(64)), refused(&deep(65))), (None, Some(400)));
        assert_eq!(refused(&format!("[{}1]", "1,".repeat(60_000))), Some(413));
        assert_eq!(refused(&format!("\"{}\"", "x".repeat(600_000))), Some(413));
    }

    #[test]
    fn what_is_no_event_is_refused_by_name() {
        for (event, named) in [
            (r#"{}"#, "specversion"),
            (r#"{"specversion":"0.3","id":"1","source":"s","type":"t"}"#, "specversion"),
            (r#"{"specversion":"1.0","source":"s","type":"t"}"#, "id"),
            (r#"{"specversion":"1.0","id":"","source":"s","type":"t"}"#, "id"),
            (r#"{"specversion":"1.0","id":1,"source":"s","type":"t"}"#, "id"),
            (r#"{"specversion":"1.0","id":"1","id":"2","source":"s","type":"t"}"#, "id"),
            (r#"{"specversion":"1.0","id":"1","type":"t"}"#, "source"),
            (r#"{"specversion":"1.0","id":"1","source":"s"}"#, "type"),
            (r#"{"specversion":"1.0","id":"1","source":"s","type":"t","subject":""}"#, "subject"),
            (r#"{"specversion":"1.0","id":"1","source":"s","type":"t","time":"noon"}"#, "time"),
            (
                r#"{"specversion":"1.0","id":"1","source":"s","type":"t","datacontenttype":"text/xml"}"#,
                "datacontenttype",
            ),
            (
                r#"{"specversion":"1.0","id":"1","source":"s","type":"t","data":1,"data_base64":"MQ=="}"#,
                "data_base64",
            ),
            (r#"{"specversion":"1.0","id":"1","source":"s","type":"t","data_base64":"*"}"#, "data_base64"),
            ("[]", "-"),
        ] {
            assert_eq!(field(CloudEvent::structured(event.as_bytes()).unwrap_err()), named, "{event}");
        }
        let whole = [("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-source", "s"), ("ce-type", "t")];
        assert!(CloudEvent::binary(&headers(&whole), b"").is_ok());
        for (name, value, named) in [
            ("ce-id", "\"1", "id"),
            ("ce-id", "\"1\"x", "id"),
            ("ce-id", "%ff", "id"),
            ("ce-time", "x", "time"),
            ("content-type", "text/plain", "content-type"),
        ] {
            let mut all = headers(&whole);
            all.insert(name, value.parse().unwrap());
            assert_eq!(field(CloudEvent::binary(&all, b"{}").unwrap_err()), named, "{name}: {value}");
        }
        let mut twice = headers(&whole);
        twice.append("ce-id", "1".parse().unwrap());
        assert_eq!(field(CloudEvent::binary(&twice, b"").unwrap_err()), "id");
    }
}
