//! Watermarks: how far a client has come, opaque to it.
//!
//! A watermark is the number of the last activity that it covers, and after a restore also the generation of the data
//! that gave the number. One of another generation, or beyond the newest activity, was not given by this data: it is
//! void, and the client reads again from the beginning rather than miss anything.

use std::sync::Arc;

/// What a client said about how far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Watermark {
    /// Nothing.
    Absent,
    /// Everything up to this number.
    At(i64),
}

/// The text is not a watermark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Garbage;

/// Beyond every activity.
const VOID: Watermark = Watermark::At(i64::MAX);
/// Letters of a generation's name.
const NAME: usize = 8;

/// Which life of the data gives and takes watermarks: a name that changes with every restore, and none before the
/// first one.
#[derive(Clone, Debug, Default)]
pub(super) struct Generation(Arc<str>);

impl Generation {
    pub(super) fn named(name: String) -> Self {
        Self(name.into())
    }

    /// Reads the query parameter; clients send it empty, or as the text of a missing value, when they have none.
    pub(super) fn read(&self, text: Option<&str>) -> Result<Watermark, Garbage> {
        let text = match text {
            None | Some("" | "null" | "undefined") => return Ok(Watermark::Absent),
            Some(text) => text,
        };
        let (number, name) = text.split_once('.').unwrap_or((text, ""));
        if text.contains('.') && !is_name(name) {
            return Err(Garbage);
        }
        let watermark = match number {
            "-" => Watermark::At(0),
            digits if digits.len() <= 18 && digits.bytes().all(|b| b.is_ascii_digit()) => {
                Watermark::At(digits.parse().map_err(|_| Garbage)?)
            }
            _ => return Err(Garbage),
        };
        Ok(if *name == *self.0 { watermark } else { VOID })
    }

    /// As it goes to clients; never empty, because an empty one reads as none.
    pub(super) fn written(&self, seq: i64) -> String {
        match (seq, &*self.0) {
            (0, "") => "-".to_owned(),
            (seq, "") => seq.to_string(),
            (seq, name) => format!("{seq}.{name}"),
        }
    }
}

fn is_name(text: &str) -> bool {
    text.len() == NAME && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_wrote() {
        for generation in [Generation::default(), Generation::named("0123abcd".to_owned())] {
            for seq in [0, 1, 7, 1_000_000_000] {
                assert_eq!(generation.read(Some(&generation.written(seq))), Ok(Watermark::At(seq)));
            }
        }
        assert_eq!(Generation::default().read(Some("0")), Ok(Watermark::At(0)));
    }

    #[test]
    fn one_of_another_generation_is_void() {
        let [first, second, third] =
            ["", "0123abcd", "0123abce"].map(|name| Generation::named(name.to_owned()));
        for (given, asked) in [(&first, &second), (&second, &third), (&second, &first)] {
            assert_eq!(asked.read(Some(&given.written(7))), Ok(VOID));
            assert_eq!(asked.read(Some(&given.written(0))), Ok(VOID));
        }
    }

    #[test]
    fn tells_nothing_from_nonsense() {
        let generation = Generation::default();
        for nothing in [None, Some(""), Some("null"), Some("undefined")] {
            assert_eq!(generation.read(nothing), Ok(Watermark::Absent));
        }
        for nonsense in
            ["-1", "1.5", "x", " 1", "1e3", "99999999999999999999", "٣", "7.", "7.0123ABCD", ".0123abcd"]
        {
            assert_eq!(generation.read(Some(nonsense)), Err(Garbage), "{nonsense}");
        }
    }
}
