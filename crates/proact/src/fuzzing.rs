//! The parsers of what comes from outside, each as a function of any bytes: for the fuzz targets (`fuzz/`) and for the replay of
//! their corpora in the ordinary tests.
//!
//! A function panics when what was read breaks a promise: what is accepted comes back the same, what is refused is refused without
//! a panic, and nothing that nobody signed is believed.

use http::HeaderMap;
use http::header::{DATE, HeaderValue, RETRY_AFTER};
use jiff::Timestamp;

use crate::activity::{Activity, ChannelAccount, ConversationReference, Entity};
use crate::auth::BotFile;
use crate::connector::RetryAfter;

/// A parser under test.
pub type Target = fn(&[u8]);

/// All of them by the names of their corpora.
pub const TARGETS: &[(&str, Target)] = &[
    ("activity", activity),
    ("reference", reference),
    ("mention", mention),
    ("retry_after", retry_after),
    ("bot_file", bot_file),
    ("template", crate::proactive::fuzzing::template),
    ("bearer", crate::auth::inbound::fuzzing::bearer),
    ("key_set", crate::auth::inbound::fuzzing::key_set),
    #[cfg(feature = "directline")]
    ("watermark", crate::directline::fuzzing::watermark),
    #[cfg(feature = "directline")]
    ("token", crate::directline::fuzzing::token),
    #[cfg(feature = "directline")]
    ("upload", crate::directline::fuzzing::upload),
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

/// The secret of the encrypted file in the corpus.
const BOT_FILE_SECRET: &str = "lgCbJPXnfOlatjbBDKMbh0ie6bc8PD/cjqA/2tPgMS0=";

/// A `.bot` file: what is accepted is written and read again as the same, also encrypted and decrypted in between. One that is
/// encrypted opens with the right secret alone.
///
/// # Panics
/// When it does not.
pub fn bot_file(bytes: &[u8]) {
    let Ok(mut file) = BotFile::parse(&String::from_utf8_lossy(bytes)) else { return };
    let written = file.to_json();
    let again = BotFile::parse(&written).expect("what was written can be read");
    assert_eq!(again.to_json(), written, "a second round trip changes it");
    let _ = (format!("{file:?}"), file.endpoint("development").map(|endpoint| endpoint.app_id().is_some()));
    if file.is_encrypted() {
        assert!(file.decrypt(&"c29tZXRoaW5nIGVsc2UsIGFuZCAzMiBieXRlcyBsb24=".into()).is_err());
        let _ = file.decrypt(&BOT_FILE_SECRET.into()).or_else(|_| file.decrypt(&"password".into()));
    }
    if file.is_encrypted() {
        return;
    }
    let services = |file: &BotFile| file.services().map(|service| service.with_secrets()).collect::<Vec<_>>();
    let plain = services(&file);
    if file.encrypt(&BOT_FILE_SECRET.into()).is_ok() {
        let mut opened = BotFile::parse(&file.to_json()).expect("what was encrypted can be read");
        opened.decrypt(&BOT_FILE_SECRET.into()).expect("what was encrypted can be decrypted");
        assert_eq!(services(&opened), plain);
    }
}
