//! This room's parsers of outside bytes, for [`crate::fuzzing`].

/// A template, and after a zero byte the data for it: what compiles can be filled or not, and comes to an end either way.
pub(crate) fn template(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (source, data) = text.split_once('\0').unwrap_or((&text, "{}"));
    let compiled = super::template::check("fuzzed", source);
    let filled = super::template::fill("fuzzed", source, data);
    assert!(compiled.is_ok() || filled.is_err(), "filled, and cannot be compiled: {source}");
}
