//! Log lines that are what they seem: text from outside cannot begin a line of its own, move the cursor, or turn the reading direction.
//!
//! Whatever is logged may hold what somebody sent. Control characters, and those by which Unicode turns the direction of reading or ends
//! a line, are written as escapes; so one event is one line, and its characters stand in their order. Nothing else changes.

use std::io::{self, Write};

use tracing_subscriber::fmt::MakeWriter;

/// Writes each event with escapes to what `inner` makes.
#[derive(Debug, Clone)]
pub(super) struct Escaping<M> {
    inner: M,
    json: bool,
}

impl<M> Escaping<M> {
    /// `json`: escapes as JSON has them, because each character that needs one stands inside a string there.
    pub(super) fn new(inner: M, json: bool) -> Self {
        Self { inner, json }
    }
}

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for Escaping<M> {
    type Writer = EscapingWriter<M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        EscapingWriter { inner: self.inner.make_writer(), json: self.json }
    }
}

/// Writes one event: the layer hands it over whole, with its line's end.
pub(super) struct EscapingWriter<W> {
    inner: W,
    json: bool,
}

impl<W: Write> Write for EscapingWriter<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let (line, end) = text.strip_suffix('\n').map_or((&*text, ""), |line| (line, "\n"));
        if line.contains(needs_escape) {
            let mut escaped = String::with_capacity(line.len() + 16);
            for c in line.chars() {
                match (needs_escape(c), self.json) {
                    (false, _) => escaped.push(c),
                    // All of them have four hexadecimal digits at most.
                    (true, true) => escaped.push_str(&format!("\\u{:04x}", u32::from(c))),
                    (true, false) => escaped.extend(c.escape_default()),
                }
            }
            escaped.push_str(end);
            self.inner.write_all(escaped.as_bytes())?;
        } else {
            self.inner.write_all(event)?;
        }
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

fn needs_escape(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::{fmt, prelude::*};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is written when a text of somebody else's is logged as the message and as two kinds of field.
    fn logged(text: &str, json: bool) -> String {
        let lines = Lines::default();
        let to = lines.clone();
        let layer = fmt::layer().with_writer(Escaping::new(move || to.clone(), json));
        let log = || tracing::warn!(shown = %text, debugged = ?text, "it says {text}");
        if json {
            tracing::subscriber::with_default(tracing_subscriber::registry().with(layer.json()), log);
        } else {
            tracing::subscriber::with_default(
                tracing_subscriber::registry().with(layer.with_ansi(false)),
                log,
            );
        }
        String::from_utf8(std::mem::take(&mut *lines.0.lock().unwrap())).unwrap()
    }

    const EVIL: &str = "a\n2026-01-01 ERROR forged\r\u{1b}[2Jb\u{202e}c\u{2066}d\u{2028}e\u{85}f\u{7f}\0";

    #[test]
    fn one_event_is_one_line_whatever_it_holds() {
        for json in [false, true] {
            let line = logged(EVIL, json);
            let (inner, end) = line.split_at(line.len() - 1);
            assert_eq!(end, "\n");
            assert!(!inner.contains(needs_escape), "{inner:?}");
            assert!(inner.contains("forged") && inner.contains("202e"), "{inner}");
        }
    }

    #[test]
    fn a_line_of_json_still_says_what_was_sent() {
        let line: serde_json::Value = serde_json::from_str(&logged(EVIL, true)).unwrap();
        let shown = line["fields"]["shown"].as_str().unwrap();
        assert!(shown.contains('\u{202e}') && shown.contains('\u{2066}'), "{shown:?}");
    }

    #[test]
    fn what_is_harmless_is_left_alone() {
        assert!(logged("Grüße, 世界 🦀 עברית", false).contains("Grüße, 世界 🦀 עברית"));
    }
}
