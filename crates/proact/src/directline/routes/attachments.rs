//! Files: taken from bots, told about, and served.
//!
//! Who knows a file's id may fetch it: the id is not to be guessed, and the file is gone after its time. It goes out as
//! a download, under a media type that no browser runs.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::{alphabet, engine::DecodePaddingMode};
use serde::Serialize;
use serde_json::{Map, Value};

use super::body::{json, object, text};
use super::caller::path_parameter;
use super::came::{content_type, file_name};
use crate::activity::ResourceResponse;
use crate::directline::Channel;
use crate::directline::commands::{AddFiles, File, Place};
use crate::directline::error::Problem;
use crate::directline::files::{self, View};
use crate::directline::queries::FindFile;

/// What SDKs write: either alphabet, padded or not.
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// Takes a file from a bot: `{"type","name","originalBase64","thumbnailBase64"}`.
pub(super) async fn add(
    State(channel): State<Channel>,
    place: Place,
    request: Request,
) -> Result<(StatusCode, Json<ResourceResponse>), Problem> {
    let limit = channel.limits().upload_bytes;
    // Four characters for three bytes, and the names.
    let body = object(&json(request, limit / 3 * 4 + 64 * 1024).await?)?;
    let original = bytes(&body, "originalBase64")?.ok_or_else(|| Problem::missing("originalBase64"))?;
    let thumbnail = bytes(&body, "thumbnailBase64")?;
    if original.len() + thumbnail.as_ref().map_or(0, Bytes::len) > limit {
        return Err(Problem::too_large(limit));
    }
    let file = File {
        id: files::new_id(&place),
        name: text(&body, "name", "name")?.map(|name| file_name(&name)),
        content_type: content_type(text(&body, "type", "type")?.as_deref()),
        size: original.len() as u64,
        thumbnail_size: thumbnail.as_ref().map(|thumbnail| thumbnail.len() as u64),
    };
    channel.is_open(&place).await??;
    let mut written = vec![(files::name(&file.id, View::Original), original)];
    written.extend(thumbnail.map(|thumbnail| (files::name(&file.id, View::Thumbnail), thumbnail)));
    write(&channel, written).await?;
    let id = file.id.to_string();
    if let Err(error) = channel.inner().store.commit(AddFiles { place, files: vec![file] }).await {
        channel.inner().files.remove(vec![id]).await;
        return Err(error.into());
    }
    Ok((StatusCode::CREATED, Json(ResourceResponse::new(id))))
}

/// Writes bytes to the folder of files.
pub(super) async fn write(channel: &Channel, files: Vec<(String, Bytes)>) -> Result<(), Problem> {
    if !channel.inner().files.are_taken() {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "UploadsNotAllowed",
            "this channel has no folder for files: send links instead",
        ));
    }
    channel.inner().files.write(files).await.map_err(|error| {
        tracing::error!(%error, "a file that was sent cannot be written");
        Problem::unavailable("the channel cannot store a file now; nothing was changed: try again later")
    })
}

/// Bytes as text in Base64, or as Node writes a buffer.
fn bytes(body: &Map<String, Value>, field: &'static str) -> Result<Option<Bytes>, Problem> {
    let wrong = || Problem::bad_argument(format!("{field}: not Base64"));
    match body.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => {
            let bytes = STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text));
            Ok(Some(bytes.map_err(|_| wrong())?.into()))
        }
        Some(Value::Object(buffer)) if buffer.get("type").is_some_and(|kind| kind == "Buffer") => {
            let data = buffer.get("data").and_then(Value::as_array).ok_or_else(wrong)?;
            let byte = |value: &Value| value.as_u64().and_then(|value| u8::try_from(value).ok());
            Ok(Some(data.iter().map(byte).collect::<Option<Vec<u8>>>().ok_or_else(wrong)?.into()))
        }
        Some(_) => Err(wrong()),
    }
}

#[derive(Serialize)]
pub(super) struct Info {
    name: Option<String>,
    #[serde(rename = "type")]
    content_type: String,
    views: Vec<ViewInfo>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ViewInfo {
    view_id: &'static str,
    size: u64,
}

/// What a file is called, what it is, and in which views it can be had.
pub(super) async fn info(Found(file): Found) -> Json<Info> {
    let mut views = vec![ViewInfo { view_id: "original", size: file.size }];
    views.extend(file.thumbnail_size.map(|size| ViewInfo { view_id: "thumbnail", size }));
    Json(Info { name: file.name, content_type: file.content_type, views })
}

/// A file's bytes.
pub(super) async fn view(
    State(channel): State<Channel>,
    Found(file): Found,
    ViewId(view): ViewId,
) -> Result<Response, Problem> {
    if view == View::Thumbnail && file.thumbnail_size.is_none() {
        return Err(Problem::unknown_attachment());
    }
    let bytes = channel.inner().files.read(&file.id, view).await.map_err(|error| {
        tracing::warn!(%error, "a file that was sent cannot be read");
        Problem::unknown_attachment()
    })?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(safe(&file.content_type))),
        (header::CONTENT_DISPOSITION, disposition(file.name.as_deref())),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox")),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=3600, immutable")),
        // Its address is what opens it: a page that knows it may show it.
        (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("cross-origin")),
    ];
    Ok((headers, bytes).into_response())
}

/// The media types that browsers only show or play. Everything else is bytes.
fn safe(content_type: &str) -> &'static str {
    const SAFE: [&str; 16] = [
        "image/png",
        "image/jpeg",
        "image/gif",
        "image/webp",
        "image/bmp",
        "image/avif",
        "audio/mpeg",
        "audio/ogg",
        "audio/wav",
        "audio/webm",
        "audio/mp4",
        "video/mp4",
        "video/webm",
        "video/ogg",
        "application/pdf",
        "text/plain",
    ];
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    SAFE.iter().find(|safe| safe.eq_ignore_ascii_case(essence)).copied().unwrap_or("application/octet-stream")
}

/// A download under the file's name (RFC 6266): plainly for old clients, and encoded for all letters.
fn disposition(name: Option<&str>) -> HeaderValue {
    let Some(name) = name else { return HeaderValue::from_static("attachment") };
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ' ') { c } else { '_' })
        .collect();
    let encoded = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
    HeaderValue::from_str(&format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}"))
        .unwrap_or(HeaderValue::from_static("attachment"))
}

/// The file in the path, if its time is not over.
pub(super) struct Found(File);

impl FromRequestParts<Channel> for Found {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, channel: &Channel) -> Result<Self, Problem> {
        let id =
            path_parameter(parts, channel, "attachment").await.ok_or_else(Problem::unknown_attachment)?;
        let partition = files::partition(&id).ok_or_else(Problem::unknown_attachment)?;
        let kept_for = i64::try_from(channel.limits().files_kept_for.as_millis()).unwrap_or(i64::MAX);
        let since = channel.now().as_millisecond().saturating_sub(kept_for).saturating_add(1);
        let file = channel.inner().store.read(FindFile { partition, id, since }).await?;
        file.map(Self).ok_or_else(Problem::unknown_attachment)
    }
}

/// The view in the path.
pub(super) struct ViewId(View);

impl FromRequestParts<Channel> for ViewId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, channel: &Channel) -> Result<Self, Problem> {
        match path_parameter(parts, channel, "view").await.as_deref() {
            Some("original") => Ok(Self(View::Original)),
            Some("thumbnail") => Ok(Self(View::Thumbnail)),
            _ => Err(Problem::unknown_attachment()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_browser_would_run_goes_out_as_bytes() {
        assert_eq!(safe("image/PNG"), "image/png");
        assert_eq!(safe("text/plain; charset=utf-8"), "text/plain");
        for runs in ["text/html", "image/svg+xml", "application/xhtml+xml", "text/javascript", "", "x"] {
            assert_eq!(safe(runs), "application/octet-stream", "{runs}");
        }
    }

    #[test]
    fn no_name_leaves_its_header() {
        for name in ["a\"b.png", "a\r\nX-Evil: 1", "grüße 🎉.txt", "a;b\\c", ""] {
            let header = disposition(Some(name));
            let text = header.to_str().unwrap();
            assert!(text.starts_with("attachment; filename=\"") && text.matches('"').count() == 2, "{text}");
        }
        assert_eq!(disposition(None), "attachment");
    }

    #[test]
    fn bytes_are_read_as_sdks_write_them() {
        let read = |json: Value| {
            let Value::Object(body) = json else { panic!() };
            bytes(&body, "x").map(|bytes| bytes.map(|bytes| bytes.to_vec()))
        };
        for text in ["-_8=", "-_8", "+/8=", "+/8"] {
            assert_eq!(read(serde_json::json!({"x": text})), Ok(Some(vec![0xfb, 0xff])), "{text}");
        }
        assert_eq!(
            read(serde_json::json!({"x": {"type": "Buffer", "data": [1, 255]}})),
            Ok(Some(vec![1, 255]))
        );
        assert_eq!(read(serde_json::json!({})), Ok(None));
        for wrong in [
            serde_json::json!("!"),
            serde_json::json!(5),
            serde_json::json!({"type": "Buffer", "data": [256]}),
        ] {
            assert!(read(serde_json::json!({"x": wrong})).is_err());
        }
    }
}
