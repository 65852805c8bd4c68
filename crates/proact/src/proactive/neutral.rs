//! Data in a message's text stays text: it mentions nobody, links nowhere and formats nothing that a channel would act on.
//!
//! A template's own words are its author's, and may do all that. What is filled in may come from anybody: a ticket's title, a
//! person's name. So each value is [marked](mark) when it is written, and in the fields that are shown as text the marked parts
//! are made harmless by an invisible character (U+2060, word joiner) in the places where a renderer looks for more than text:
//!
//! | in data | would be |
//! | --- | --- |
//! | `<at>`, `<@U1>`, `<!channel>`, `<b>` | a mention, or markup |
//! | `@everyone`, `@here`, `@channel`, `@all`, `@team` | a mention of everybody |
//! | `[text](url)`, `[text][x]`, `[x]: url` | a link |
//! | `https://…`, `www.…` | a link, by itself |
//!
//! What people read stays the same. In fields that are no text (`contentUrl`, a button's `value`) a value is left as it is. A value that
//! the author wants as it is passes through the filter `as_is`. Where the text is XML (`textFormat` `xml`, and `speak`), `&` and `<` are escaped.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// Around a value that was filled in: private characters, which no message needs.
const FROM: char = '\u{F_FFF0}';
const TO: char = '\u{F_FFF1}';
/// Is not seen, and keeps apart what stands beside it.
const JOINER: char = '\u{2060}';

/// Fields that channels show as text.
const TEXTS: [&str; 12] = [
    "text",
    "summary",
    "title",
    "subtitle",
    "displayText",
    "label",
    "altText",
    "fallbackText",
    "description",
    "tooltip",
    "placeholder",
    "errorMessage",
];

/// What the marked parts of a text become.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Xml,
    /// No text: as they are.
    AsIs,
}

/// Marks a value that is filled in.
pub(super) fn mark(data: &str) -> String {
    let mut marked = String::with_capacity(data.len() + 8);
    marked.push(FROM);
    marked.extend(data.chars().filter(|&c| c != FROM && c != TO));
    marked.push(TO);
    marked
}

/// Marks every text in a value that is filled in as a whole.
pub(super) fn mark_all(value: &mut Value) {
    match value {
        Value::String(text) => *text = mark(text),
        Value::Array(items) => items.iter_mut().for_each(mark_all),
        Value::Object(members) => members.values_mut().for_each(mark_all),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The text of a message whose marked parts do nothing.
pub(super) fn text(marked: &str) -> String {
    let mut made = marked.to_owned();
    unmark(&mut made, Kind::Text);
    made
}

/// An activity whose marked parts do nothing.
pub(super) fn activity(activity: &mut Value) {
    let xml = activity.get("textFormat").and_then(Value::as_str) == Some("xml");
    walk(activity, None, if xml { Kind::Xml } else { Kind::Text });
}

fn walk(value: &mut Value, own: Option<Kind>, text: Kind) {
    match value {
        Value::String(marked) => unmark(marked, own.unwrap_or(Kind::AsIs)),
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, own, text)),
        Value::Object(members) => {
            let fact = is_fact(members);
            let names: Vec<String> = members.keys().filter(|name| name.contains(FROM)).cloned().collect();
            for name in names {
                if let Some(member) = members.remove(&name) {
                    let mut plain = name;
                    unmark(&mut plain, Kind::AsIs);
                    members.insert(plain, member);
                }
            }
            for (name, member) in members {
                let kind = match name.as_str() {
                    "speak" => Kind::Xml,
                    "value" if fact => Kind::Text,
                    name if TEXTS.contains(&name) => text,
                    _ => Kind::AsIs,
                };
                walk(member, Some(kind), text);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A line of a list of facts, in cards of both kinds: its value is text, not what a button gives back.
fn is_fact(members: &Map<String, Value>) -> bool {
    !members.contains_key("type") && (members.contains_key("title") || members.contains_key("key"))
}

fn unmark(text: &mut String, kind: Kind) {
    if !text.contains([FROM, TO]) {
        return;
    }
    let mut made = String::with_capacity(text.len() + 8);
    let mut rest = text.as_str();
    while let Some(from) = rest.find(FROM) {
        made.push_str(&rest[..from]);
        let data = &rest[from + FROM.len_utf8()..];
        let to = data.find(TO).unwrap_or(data.len());
        match kind {
            Kind::AsIs => made.push_str(&data[..to]),
            Kind::Text => neutral(&data[..to], &mut made),
            Kind::Xml => neutral(&escaped(&data[..to]), &mut made),
        }
        rest = data[to..].trim_start_matches(TO);
    }
    made.push_str(rest);
    made.retain(|c| c != TO);
    *text = made;
}

fn escaped(data: &str) -> Cow<'_, str> {
    if data.contains(['&', '<']) {
        Cow::Owned(data.replace('&', "&amp;").replace('<', "&lt;"))
    } else {
        Cow::Borrowed(data)
    }
}

/// Writes `data` with a joiner wherever a renderer would begin something. At the end of the data, too: what follows may be data again.
fn neutral(data: &str, made: &mut String) {
    const EVERYBODY: [&str; 6] = ["everyone", "everybody", "here", "channel", "all", "team"];
    let begins =
        |rest: &str, word: &str| rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    for (at, c) in data.char_indices() {
        made.push(c);
        let rest = &data[at + c.len_utf8()..];
        let next = rest.chars().next();
        let apart = match c {
            '<' => next.is_none_or(|next| next.is_ascii_alphabetic() || "/!?@#".contains(next)),
            '@' => next.is_none() || EVERYBODY.iter().any(|word| begins(rest, word)),
            ']' => next.is_none_or(|next| "([:".contains(next)),
            ':' => next.is_none() || rest.starts_with("//"),
            '/' => next.is_none(),
            'w' | 'W' => begins(rest, "ww."),
            _ => false,
        };
        if apart {
            made.push(JOINER);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(data: &str) -> String {
        text(&format!("Hello {}!", mark(data)))
    }

    #[test]
    fn what_is_only_text_stays_as_it_is() {
        for data in ["Ann", "a < b", "1 > 0", "ann@example.org", "10:30", "[x] done", "5/6", "power", "ü 🦀"]
        {
            assert_eq!(shown(data), format!("Hello {data}!"));
        }
    }

    #[test]
    fn nobody_is_mentioned_and_nothing_is_linked() {
        for (data, broken) in [
            ("<at>Ann</at>", "<at"),
            ("<at>Ann</at>", "</at"),
            ("<!channel>", "<!"),
            ("<@U123>", "<@"),
            ("<script>", "<s"),
            ("<https://evil.example>", "<h"),
            ("@everyone", "@e"),
            ("@HERE", "@H"),
            ("[pay](https://evil.example)", "]("),
            ("[pay][1]", "]["),
            ("[1]: https://evil.example", "]:"),
            ("https://evil.example", "://"),
            ("javascript://x", "://"),
            ("www.evil.example", "www."),
            ("WwW.evil.example", "WwW."),
        ] {
            let shown = shown(data);
            assert!(!shown.contains(broken), "{data}: {shown}");
            assert_eq!(shown.replace(JOINER, ""), format!("Hello {data}!"), "people read the same");
        }
    }

    #[test]
    fn two_values_side_by_side_do_not_add_up() {
        for (one, two, broken) in [
            ("<", "at>", "<at"),
            ("@", "everyone", "@e"),
            ("[x]", "(y)", "]("),
            ("http:", "//x", "://"),
            ("http:/", "/x", "://"),
        ] {
            let shown = text(&format!("{}{}", mark(one), mark(two)));
            assert!(!shown.contains(broken), "{one}{two}: {shown}");
        }
    }

    #[test]
    fn data_cannot_forge_the_marks() {
        let forged = format!("{TO}<at>x</at>{FROM}");
        assert!(!shown(&forged).contains("<at"));
        assert!(!shown(&forged).contains([FROM, TO]));
    }

    #[test]
    fn only_fields_that_are_shown_as_text_change() {
        let evil = mark("[a](https://x.example)");
        let mut value = json!({
            "type": "message",
            "text": evil,
            "speak": mark("a<b&c"),
            "attachments": [{"contentUrl": mark("https://x.example/a"), "content": {
                "title": evil,
                "buttons": [{"type": "openUrl", "title": evil, "value": mark("https://x.example/b")}],
                "facts": [{"title": "t", "value": evil}],
            }}],
        });
        activity(&mut value);
        assert_eq!(value["attachments"][0]["contentUrl"], "https://x.example/a");
        let content = &value["attachments"][0]["content"];
        assert_eq!(content["buttons"][0]["value"], "https://x.example/b");
        for text in [
            &value["text"],
            &content["title"],
            &content["buttons"][0]["title"],
            &content["facts"][0]["value"],
        ] {
            let text = text.as_str().unwrap();
            assert!(!text.contains("](") && !text.contains("://") && !text.contains(FROM), "{text}");
        }
        assert_eq!(value["speak"], "a&lt;b&amp;c");
    }
}
