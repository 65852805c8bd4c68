//! How large JSON may be in other ways than bytes, told before anything is made of it.
//!
//! A body of 1 MiB can be half a million nested arrays or a hundred thousand members: small to send, and large once it is values. So
//! the bytes are looked through once, without a value being made. Whether they are JSON at all is for the parser to say: what it would
//! stop at, it stops at before it gets as far as was counted here.

use super::Refusal;

/// What JSON may be at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct JsonLimits {
    /// Objects and arrays inside each other. Default 64: what real cards need is about 20.
    pub depth: usize,
    /// Members of all objects together. Default 50,000: a batch of 1,000 notifications with 50 each.
    pub members: usize,
    /// Values in all arrays together. Default 50,000.
    pub items: usize,
    /// Bytes in one string, as they are written. Default 512 KiB. The routes for files have no such limit.
    pub string: usize,
}

impl Default for JsonLimits {
    fn default() -> Self {
        Self { depth: 64, members: 50_000, items: 50_000, string: 512 * 1024 }
    }
}

impl JsonLimits {
    /// Looks `json` through. What is not JSON at all may pass: the parser says so.
    ///
    /// # Errors
    /// [`Refusal::JsonTooDeep`], [`Refusal::JsonTooLarge`].
    pub fn check(&self, json: &[u8]) -> Result<(), Refusal> {
        let (mut depth, mut members, mut commas) = (0_usize, 0_usize, 0_usize);
        let mut at = 0;
        while let Some(&byte) = json.get(at) {
            at += 1;
            match byte {
                b'"' => {
                    let length = string(&json[at..]);
                    if length > self.string {
                        return Err(Refusal::JsonTooLarge { what: "bytes in a string", limit: self.string });
                    }
                    at += length + 1;
                }
                b'{' | b'[' => {
                    depth += 1;
                    if depth > self.depth {
                        return Err(Refusal::JsonTooDeep { limit: self.depth });
                    }
                }
                b'}' | b']' => depth = depth.saturating_sub(1),
                b':' => members += 1,
                b',' => commas += 1,
                _ => {}
            }
        }
        if members > self.members {
            return Err(Refusal::JsonTooLarge { what: "members in objects", limit: self.members });
        }
        // Commas stand between members, too: what is more than those is between items.
        if commas.saturating_sub(members) > self.items {
            return Err(Refusal::JsonTooLarge { what: "items in arrays", limit: self.items });
        }
        Ok(())
    }
}

/// Bytes up to the quotation mark that ends the string.
fn string(rest: &[u8]) -> usize {
    let mut at = 0;
    while let Some(&byte) = rest.get(at) {
        match byte {
            b'"' => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: JsonLimits = JsonLimits { depth: 3, members: 4, items: 5, string: 6 };

    fn check(json: &str) -> Result<(), Refusal> {
        SMALL.check(json.as_bytes())
    }

    #[test]
    fn up_to_each_limit_and_no_further() {
        for (fits, too_much) in [
            ("[[[]]]", "[[[[]]]]"),
            (r#"[{"a":[]}]"#, r#"[{"a":[{}]}]"#),
            (r#"{"a":1,"b":{"c":2,"d":3}}"#, r#"{"a":1,"b":{"c":2,"d":3,"e":4}}"#),
            ("[1,2,3,4,5,6]", "[1,2,3,4,5,6,7]"),
            (r#""123456""#, r#""1234567""#),
            (r#"{"123456":1}"#, r#"{"1234567":1}"#),
            (r#"["\\\"12"]"#, r#"["\\\"123"]"#),
        ] {
            assert_eq!(check(fits), Ok(()), "{fits}");
            assert!(check(too_much).is_err(), "{too_much}");
        }
    }

    #[test]
    fn what_stands_in_strings_is_not_counted() {
        assert_eq!(check(r#"["[[[[","{{{{",":::::",",,,,,"]"#), Ok(()));
        assert_eq!(check(r#"["a\"[[[","\\",[[]]]"#), Ok(()));
    }

    #[test]
    fn broken_json_is_left_to_the_parser_and_ends() {
        for broken in ["", "]]]", "\"", "\"\\", "{\"a", "\\", "[\"\\\"]"] {
            assert_eq!(check(broken), Ok(()), "{broken}");
        }
        assert!(check("]]][[[[").is_err());
    }
}
