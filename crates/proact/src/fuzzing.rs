//! The parsers of what comes from outside, each as a function of any bytes: for the fuzz targets (`fuzz/`) and for the replay of
//! their corpora in the ordinary tests.
//!
//! A function panics when what was read breaks a promise: what is accepted comes back the same, what is refused is refused without
//! a panic, and nothing that nobody signed is believed.

use http::HeaderMap;
use http::header::{DATE, HeaderValue, RETRY_AFTER};
use jiff::Timestamp;

use crate::activity::{Activity, ChannelAccount, ConversationReference, Entity};
use crate::connector::RetryAfter;

/// A parser under test.
pub type Target = fn(&[u8]);

/// All of them by the names of their corpora.
pub const TARGETS: &[(&str, Target)] = &[
    ("activity", activity),
    ("reference", reference),
    ("mention", mention),
    ("retry_after", retry_after),
    ("template", crate::proactive::fuzzing::template),
    #[cfg(feature = "directline")]
    ("watermark", crate::directline::fuzzing::watermark),
    #[cfg(feature = "directline")]
    ("token", crate::directline::fuzzing::token),
];

/// An activity: what is accepted is written and read again as the same.
pub fn activity(bytes: &[u8]) {
    let Ok(read) = Activity::decode(bytes) else { return };
    let written = read.encode();
    let again = Activity::decode(&written).expect("what was written can be read");
    assert_eq!(again.encode(), written, "a second round trip changes it");
    let reference = read.reference();
    let _ = (read.conversation_key(), reference.conversation_key(), read.text_without_mention_of_recipient());
    let _ = (read.sent_at(), read.local_sent_at(), read.expires_at(), read.expects_replies());
}

/// A conversation reference, as it is stored.
pub fn reference(bytes: &[u8]) {
    let Ok(read) = serde_json::from_slice::<ConversationReference>(bytes) else { return };
    let written = serde_json::to_string(&read).expect("a reference is JSON");
    let again: ConversationReference = serde_json::from_str(&written).expect("what was written can be read");
    assert_eq!(serde_json::to_string(&again).expect("JSON"), written);
    let _ = read.continuation().encode();
}

/// A text, and after a line break what a mention of the bot says in it: nothing is added, and what is left is trimmed.
pub fn mention(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (text, said) = text.rsplit_once('\n').unwrap_or((&text, "<at>Proact</at>"));
    let bot = ChannelAccount::new("28:bot").with_name("Proact");
    let activity = Activity::message(text).with_entity(Entity::mention(&bot, said)).with_recipient(bot);
    for left in [activity.text_without_mention_of_recipient(), activity.text_without_mentions_of("28:bot")] {
        assert!(left.len() <= text.len(), "`{left}` is longer than `{text}`");
        assert_eq!(left.trim(), left, "not trimmed");
    }
}

/// `Retry-After`, and after a line break the response's `Date`: never before now.
pub fn retry_after(bytes: &[u8]) {
    let mut lines = bytes.splitn(2, |byte| *byte == b'\n');
    let mut headers = HeaderMap::new();
    for name in [RETRY_AFTER, DATE] {
        if let Some(Ok(value)) = lines.next().map(HeaderValue::from_bytes) {
            headers.insert(name, value);
        }
    }
    let Some(read) = RetryAfter::from_headers(&headers) else { return };
    for now in [Timestamp::MIN, Timestamp::UNIX_EPOCH, Timestamp::MAX] {
        assert!(read.not_before(now) >= now);
        let _ = read.delay(now);
    }
}
