//! Watermarks: how far a client has come, opaque to it.
//!
//! A watermark is the number of the last activity that it covers. One beyond the newest activity was not given by
//! this store (its data was restored from a backup, say): it is void, and the client reads again from the beginning
//! rather than miss anything.

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

impl Watermark {
    /// Reads the query parameter; clients send it empty, or as the text of a missing value, when they have none.
    pub(super) fn read(text: Option<&str>) -> Result<Self, Garbage> {
        match text {
            None | Some("" | "null" | "undefined") => Ok(Self::Absent),
            Some("-") => Ok(Self::At(0)),
            Some(digits) if digits.len() <= 18 && digits.bytes().all(|b| b.is_ascii_digit()) => {
                digits.parse().map(Self::At).map_err(|_| Garbage)
            }
            Some(_) => Err(Garbage),
        }
    }
}

/// As it goes to clients; never empty, because an empty one reads as none.
pub(super) fn written(seq: i64) -> String {
    if seq == 0 { "-".to_owned() } else { seq.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_wrote() {
        for seq in [0, 1, 7, 1_000_000_000] {
            assert_eq!(Watermark::read(Some(&written(seq))), Ok(Watermark::At(seq)));
        }
        assert_eq!(Watermark::read(Some("0")), Ok(Watermark::At(0)));
    }

    #[test]
    fn tells_nothing_from_nonsense() {
        for nothing in [None, Some(""), Some("null"), Some("undefined")] {
            assert_eq!(Watermark::read(nothing), Ok(Watermark::Absent));
        }
        for nonsense in ["-1", "1.5", "x", " 1", "1e3", "99999999999999999999", "٣"] {
            assert_eq!(Watermark::read(Some(nonsense)), Err(Garbage), "{nonsense}");
        }
    }
}
