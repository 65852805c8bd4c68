//! The routes of the Connector API.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use super::Error;

/// All but RFC 3986's unreserved characters: what is left means the same wherever it stands.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A part of a route: a word of the API, or an id.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part<'p> {
    Word(&'static str),
    Conversation(&'p str),
    Activity(&'p str),
    Member(&'p str),
    Attachment(&'p str),
    View(&'p str),
}

/// `{base}/v3/` and the parts, each a segment of the path. The base's path and query stay; a fragment would not be sent anyway.
pub(super) fn route(mut base: Url, parts: &[Part<'_>]) -> Result<Url, Error> {
    let prefix = base.path();
    let mut path = prefix.strip_suffix('/').unwrap_or(prefix).to_owned();
    path.push_str("/v3");
    for part in parts {
        path.push('/');
        path.push_str(&match *part {
            Part::Word(word) => Cow::Borrowed(word),
            Part::Conversation(id) => segment("conversation id", id)?,
            Part::Activity(id) => segment("activity id", id)?,
            Part::Member(id) => segment("member's id", id)?,
            Part::Attachment(id) => segment("attachment's id", id)?,
            Part::View(id) => segment("view's id", id)?,
        });
    }
    base.set_path(&path);
    Ok(base)
}

/// The activities of a conversation, or one of them.
pub(super) fn activities(base: Url, conversation: &str, activity: Option<&str>) -> Result<Url, Error> {
    let all = [Part::Word("conversations"), Part::Conversation(conversation), Part::Word("activities")];
    match activity {
        None => route(base, &all),
        Some(id) => route(base, &[all[0], all[1], all[2], Part::Activity(id)]),
    }
}

/// An id as one path segment.
fn segment<'i>(what: &'static str, id: &'i str) -> Result<Cow<'i, str>, Error> {
    // The URL standard takes `.` and `..` out of a path, also when they are written `%2E`: the request would go to another
    // route. An empty id would too.
    if matches!(id, "" | "." | "..") {
        return Err(Error::Invalid { what, why: format!("`{id}` cannot be a segment of a URL's path") });
    }
    Ok(utf8_percent_encode(id, SEGMENT).into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn url(base: &str, conversation: &str, reply_to: Option<&str>) -> String {
        activities(base.parse().unwrap(), conversation, reply_to).unwrap().to_string()
    }

    #[test]
    fn the_base_path_is_kept() {
        for base in ["http://h/teams", "http://h/teams/", "http://h/teams/#here"] {
            let want = "http://h/teams/v3/conversations/c/activities";
            assert_eq!(url(base, "c", None).trim_end_matches("#here"), want, "{base}");
        }
        assert_eq!(url("http://h", "c", Some("a")), "http://h/v3/conversations/c/activities/a");
        assert_eq!(url("http://h/x?k=v", "c", None), "http://h/x/v3/conversations/c/activities?k=v");
    }

    #[test]
    fn an_id_is_one_segment() {
        assert_eq!(
            url("http://h/", "19:a;b@thread|live/../x?y#z%2F \\\t", Some("1|0000001")),
            "http://h/v3/conversations/19%3Aa%3Bb%40thread%7Clive%2F..%2Fx%3Fy%23z%252F%20%5C%09/activities/1%7C0000001"
        );
    }

    #[test]
    fn what_no_path_can_carry_is_refused() {
        let base: Url = "http://h/".parse().unwrap();
        for id in ["", ".", ".."] {
            assert!(activities(base.clone(), id, None).is_err());
            assert!(activities(base.clone(), "c", Some(id)).is_err());
        }
        // The reason: the parser takes these out, however they are written.
        assert_eq!(base.join("/v3/conversations/%2E%2e/activities").unwrap().path(), "/v3/activities");
    }

    proptest! {
        #[test]
        fn any_id_comes_back_from_its_segment(conversation in "\\PC{1,40}|.{1,12}", activity in ".{1,12}") {
            prop_assume!(![".", ".."].contains(&conversation.as_str()) && ![".", ".."].contains(&activity.as_str()));
            let url = activities("http://h/base/".parse().unwrap(), &conversation, Some(&activity)).unwrap();
            let segments: Vec<_> = url
                .path_segments()
                .unwrap()
                .map(|segment| percent_encoding::percent_decode_str(segment).decode_utf8().unwrap().into_owned())
                .collect();
            prop_assert_eq!(segments, ["base", "v3", "conversations", &conversation, "activities", &activity]);
            prop_assert!(url.query().is_none() && url.fragment().is_none());
        }
    }
}
