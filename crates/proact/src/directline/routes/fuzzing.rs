//! This room's parsers of outside bytes, for [`crate::fuzzing`].

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, header};
use futures_util::FutureExt as _;

use super::came::{LONGEST_NAME, content_type, file_name, read};
use crate::activity::Activity;
use crate::app::JsonLimits;
use crate::directline::Limits;

/// An upload: its `Content-Type` in the first line, its `Content-Disposition` in the second, then its body.
///
/// What is taken are at least one file and no more than are allowed, with names that are no paths and media types that are such; together no larger
/// than what was sent. An activity beside them is written and read again as the same.
pub(crate) fn upload(bytes: &[u8]) {
    let mut lines = bytes.splitn(3, |byte| *byte == b'\n');
    let mut headers = HeaderMap::new();
    for name in [header::CONTENT_TYPE, header::CONTENT_DISPOSITION] {
        if let Some(Ok(value)) = lines.next().map(HeaderValue::from_bytes) {
            headers.insert(name, value);
        }
    }
    let body = lines.next().unwrap_or_default();
    let (most, json) = (Limits::default().upload_files, JsonLimits::default());
    let reading = read(&headers, Bytes::copy_from_slice(body), most, &json);
    let Ok((activity, files)) = reading.now_or_never().expect("all of it is here: nothing to wait for")
    else {
        return;
    };
    assert!((1..=most).contains(&files.len()), "{} files", files.len());
    assert!(files.iter().map(|file| file.bytes.len()).sum::<usize>() <= body.len(), "more than was sent");
    for file in &files {
        assert_eq!(content_type(Some(&file.content_type)), file.content_type, "not a media type");
        let Some(name) = &file.name else { continue };
        assert!(!name.is_empty() && name.chars().count() <= LONGEST_NAME, "{name:?}");
        assert!(!name.contains(['/', '\\']) && !name.contains(char::is_control), "{name:?}");
        assert_eq!(file_name(name), *name, "not a name");
    }
    if let Some(activity) = activity {
        let written = activity.encode();
        json.check(&written).expect("what keeps the limits keeps them when it is written");
        let again = Activity::decode(&written).expect("what was written can be read");
        assert_eq!(again.encode(), written, "a second round trip changes it");
    }
}
