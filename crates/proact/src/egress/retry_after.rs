//! The `Retry-After` header.

use std::time::Duration;

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};
use jiff::civil::DateTime;
use jiff::fmt::{rfc2822, strtime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// When to try again at the earliest.
///
/// Seconds may have a fraction, which is rounded up. A date is taken relative to the response's own `Date`, if it has one,
/// so that clocks which differ do not undercut it. A negative or unreadable value counts as absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// So long after the response came.
    After(Duration),
    /// At that time.
    At(Timestamp),
}

impl RetryAfter {
    /// Reads it from a response's headers.
    #[must_use]
    pub fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let read = Self::parse(text(RETRY_AFTER)?)?;
        match (read, text(DATE).and_then(http_date)) {
            (Self::At(then), Some(sent)) => {
                Some(Self::After(then.duration_since(sent).max(SignedDuration::ZERO).unsigned_abs()))
            }
            _ => Some(read),
        }
    }

    /// Reads the header's value.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use proact::connector::RetryAfter;
    /// assert_eq!(RetryAfter::parse("1.2"), Some(RetryAfter::After(Duration::from_secs(2))));
    /// assert_eq!(RetryAfter::parse("-1"), None);
    /// ```
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let value = value.trim();
        seconds(value).map(Self::After).or_else(|| http_date(value).map(Self::At))
    }

    /// How long to wait from `now`, the time when the response came.
    #[must_use]
    pub fn delay(self, now: Timestamp) -> Duration {
        match self {
            Self::After(delay) => delay,
            Self::At(then) => then.duration_since(now).max(SignedDuration::ZERO).unsigned_abs(),
        }
    }

    /// The earliest time to try again, for a response that came at `now`; the end of time if it lies beyond.
    #[must_use]
    pub fn not_before(self, now: Timestamp) -> Timestamp {
        let delay = SignedDuration::try_from(self.delay(now)).unwrap_or(SignedDuration::MAX);
        now.checked_add(delay).unwrap_or(Timestamp::MAX)
    }
}

/// Digits, and perhaps a fraction; more than can be counted is as much as can be counted.
fn seconds(value: &str) -> Option<Duration> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = value.split_once('.').unwrap_or((value, "0"));
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let begun = u64::from(fraction.bytes().any(|byte| byte != b'0'));
    Some(Duration::from_secs(whole.parse().unwrap_or(u64::MAX).saturating_add(begun)))
}

/// The three forms of RFC 9110 §5.6.7.
fn http_date(value: &str) -> Option<Timestamp> {
    let obsolete = |format| {
        let read = strtime::parse(format, value).ok()?;
        let civil: DateTime = read.to_datetime().ok()?;
        civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    };
    rfc2822::DateTimeParser::new()
        .parse_timestamp(value)
        .ok()
        .or_else(|| obsolete("%A, %d-%b-%y %H:%M:%S GMT"))
        .or_else(|| obsolete("%a %b %e %H:%M:%S %Y"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: &str = "1994-11-06T08:49:37Z";

    #[test]
    fn seconds_are_never_undercut() {
        for (value, want) in [
            ("0", 0),
            ("7", 7),
            (" 120 ", 120),
            ("1.0", 1),
            ("1.000001", 2),
            ("0.5", 1),
            ("18446744073709551615.5", u64::MAX),
            ("99999999999999999999999", u64::MAX),
        ] {
            assert_eq!(
                RetryAfter::parse(value),
                Some(RetryAfter::After(Duration::from_secs(want))),
                "{value}"
            );
        }
    }

    #[test]
    fn dates_are_read_in_all_three_forms() {
        let at = RetryAfter::At(AT.parse().unwrap());
        for value in
            ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
        {
            assert_eq!(RetryAfter::parse(value), Some(at), "{value}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_absent() {
        for value in [
            "",
            "-1",
            "-0.5",
            "soon",
            "1e3",
            "+5",
            ".5",
            "5.",
            "1,5",
            "0x10",
            "NaN",
            "Sun, 99 Nov 1994",
            "5 s",
        ] {
            assert_eq!(RetryAfter::parse(value), None, "{value}");
        }
    }

    #[test]
    fn a_date_counts_from_the_response_and_the_past_is_now() {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, "Sun, 06 Nov 1994 08:49:37 GMT".parse().unwrap());
        let now: Timestamp = AT.parse().unwrap();
        let read = RetryAfter::from_headers(&headers).unwrap();
        assert_eq!(read.not_before(now - SignedDuration::from_secs(5)), now);
        assert_eq!(read.delay(now + SignedDuration::from_secs(5)), Duration::ZERO);
        headers.insert(DATE, "Sun, 06 Nov 1994 08:49:07 GMT".parse().unwrap());
        assert_eq!(RetryAfter::from_headers(&headers), Some(RetryAfter::After(Duration::from_secs(30))));
    }

    #[test]
    fn the_far_future_does_not_overflow() {
        let far = RetryAfter::After(Duration::from_secs(u64::MAX));
        assert_eq!(far.not_before(Timestamp::now()), Timestamp::MAX);
    }
}
