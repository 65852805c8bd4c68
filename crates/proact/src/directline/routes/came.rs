//! What an upload says, once its bytes are here: the files, and perhaps the activity that they belong to.
//!
//! Nothing of it is believed: a name is a name and no path, a media type has the characters that these have, an activity keeps the limits
//! of JSON. What cannot be read is refused whole, with what is wrong.

use std::convert::Infallible;

use axum::body::Bytes;
use axum::http::{HeaderMap, header};
use futures_util::stream;

use super::body;
use crate::activity::Activity;
use crate::adapter::media_type;
use crate::app::JsonLimits;
use crate::directline::error::Problem;

/// The media type of the part that holds the activity.
const ACTIVITY: &str = "application/vnd.microsoft.activity";
/// Characters in a file's name at most.
pub(super) const LONGEST_NAME: usize = 255;
/// What a file is when nobody says.
const BYTES: &str = "application/octet-stream";

/// A file as it came.
pub(super) struct Came {
    pub(super) name: Option<String>,
    pub(super) content_type: String,
    pub(super) bytes: Bytes,
}

/// Reads a whole body: a form, or a file. At most `most` files, and never none.
pub(super) async fn read(
    headers: &HeaderMap,
    bytes: Bytes,
    most: usize,
    json: &JsonLimits,
) -> Result<(Option<Activity>, Vec<Came>), Problem> {
    let is_form = media_type(headers).is_some_and(|kind| kind.eq_ignore_ascii_case("multipart/form-data"));
    let (activity, files) =
        if is_form { form(headers, bytes, most, json).await? } else { (None, vec![single(headers, bytes)?]) };
    if files.is_empty() { Err(Problem::missing("file")) } else { Ok((activity, files)) }
}

/// The body is the file.
fn single(headers: &HeaderMap, bytes: Bytes) -> Result<Came, Problem> {
    if bytes.is_empty() {
        return Err(Problem::missing("file"));
    }
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    Ok(Came {
        name: text(header::CONTENT_DISPOSITION).and_then(name_in).map(|name| file_name(&name)),
        content_type: content_type(text(header::CONTENT_TYPE)),
        bytes,
    })
}

/// The file name in a `Content-Disposition`. Clients of Direct Line leave its kind out, so it is read as parameters
/// alone.
fn name_in(disposition: &str) -> Option<String> {
    let parameters = disposition.split(';').filter_map(|parameter| parameter.split_once('='));
    let mut plain = None;
    for (key, value) in parameters {
        let value = value.trim().trim_matches('"');
        match key.trim().to_ascii_lowercase().as_str() {
            "filename*" => {
                let (_, encoded) =
                    value.split_once("''").filter(|(set, _)| set.eq_ignore_ascii_case("utf-8"))?;
                return percent_encoding::percent_decode_str(encoded).decode_utf8().ok().map(Into::into);
            }
            "filename" => plain = Some(value.to_owned()),
            _ => {}
        }
    }
    plain
}

/// The parts of a form: at most one activity, and files.
async fn form(
    headers: &HeaderMap,
    bytes: Bytes,
    most: usize,
    json: &JsonLimits,
) -> Result<(Option<Activity>, Vec<Came>), Problem> {
    let broken =
        || Problem::bad_argument("the form cannot be read: it must be multipart/form-data and whole");
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let boundary = multer::parse_boundary(kind)
        .map_err(|_| Problem::bad_argument("Content-Type: multipart/form-data without a boundary"))?;
    let whole = stream::iter([Ok::<_, Infallible>(bytes)]);
    let mut form = multer::Multipart::new(whole, boundary);
    let (mut activity, mut files) = (None, Vec::new());
    while let Some(part) = form.next_field().await.map_err(|_| broken())? {
        let kind = part.content_type().map(ToString::to_string);
        let is_activity = kind.as_deref().is_some_and(|kind| kind.split(';').next() == Some(ACTIVITY));
        let name = part.file_name().map(file_name);
        if is_activity || (part.name() == Some("activity") && name.is_none()) {
            let bytes = part.bytes().await.map_err(|_| broken())?;
            if bytes.len() > body::LIMIT {
                return Err(Problem::too_large(body::LIMIT));
            }
            json.check(&bytes).map_err(|refusal| Problem::refused("activity", &refusal))?;
            if activity.replace(Activity::decode(&bytes)?).is_some() {
                return Err(Problem::bad_argument("activity: there is more than one"));
            }
            continue;
        }
        if files.len() == most {
            let message = format!("file: more than {most} in one upload: send them in parts");
            return Err(Problem::bad_argument(message));
        }
        let content_type = content_type(kind.as_deref());
        files.push(Came { name, content_type, bytes: part.bytes().await.map_err(|_| broken())? });
    }
    Ok((activity, files))
}

/// A name without its folders and without what no name has; never empty.
pub(super) fn file_name(text: &str) -> String {
    let last = text.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = last.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
    let name = name.trim();
    if matches!(name, "" | "." | "..") { "file".to_owned() } else { name.to_owned() }
}

/// A media type as it can be believed: type and subtype, of characters that these have.
pub(super) fn content_type(text: Option<&str>) -> String {
    let essence = text.and_then(|text| text.split(';').next()).unwrap_or_default().trim();
    let token = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&b))
    };
    let fine = essence.len() <= 127
        && essence.split_once('/').is_some_and(|(kind, subtype)| token(kind) && token(subtype));
    if fine { essence.to_ascii_lowercase() } else { BYTES.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_path() {
        for (text, name) in [
            ("picture.png", "picture.png"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Windows\\evil.exe", "evil.exe"),
            ("/", "file"),
            ("..", "file"),
            ("a\u{0}b\r\nc", "abc"),
            ("  grüße.txt ", "grüße.txt"),
        ] {
            assert_eq!(file_name(text), name, "{text:?}");
        }
        assert_eq!(file_name(&"x".repeat(9000)).len(), LONGEST_NAME);
    }

    #[test]
    fn a_name_is_found_in_a_disposition_of_any_kind() {
        for (text, name) in [
            (r#"name="file"; filename="a picture.jpg""#, Some("a picture.jpg")),
            ("attachment; filename=a.jpg", Some("a.jpg")),
            ("attachment; filename=\"x\"; filename*=UTF-8''gr%C3%BC%C3%9Fe.txt", Some("grüße.txt")),
            ("attachment", None),
            ("", None),
            ("attachment; filename*=latin1''x", None),
        ] {
            assert_eq!(name_in(text).as_deref(), name, "{text}");
        }
    }

    #[test]
    fn a_media_type_is_one_or_it_is_bytes() {
        assert_eq!(content_type(Some("Image/PNG; x=y")), "image/png");
        for wrong in [None, Some(""), Some("image"), Some("a/b/c"), Some("a b/c"), Some("text/\u{e9}")] {
            assert_eq!(content_type(wrong), BYTES, "{wrong:?}");
        }
    }
}
