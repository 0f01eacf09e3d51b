//! The clock, and dates as people and documents write them.

pub use assay_claims::time::rfc3339_of_ms;

use assay_claims::kind::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// Writes a time as RFC 3339 in UTC, to the second: `2025-01-31T08:05:09Z`. Times before 1970
/// become 1970.
pub fn rfc3339(time: SystemTime) -> String {
    rfc3339_of_ms(ms(time))
}

/// The time, in milliseconds since 1970.
pub fn now_ms() -> u64 {
    ms(SystemTime::now())
}

fn ms(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Reads a date, which stands for its first second in UTC, or a date and time (RFC 3339).
pub fn first_instant(text: &str) -> Result<Timestamp, String> {
    instant(text, "T00:00:00Z")
}

/// Reads a date, which stands for its last second in UTC, or a date and time (RFC 3339).
pub fn last_instant(text: &str) -> Result<Timestamp, String> {
    instant(text, "T23:59:59Z")
}

fn instant(text: &str, time: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text)
        .or_else(|| Timestamp::parse(&format!("{text}{time}")))
        .ok_or_else(|| {
            format!("{text:?} is not a date (2026-11-22) or a date and time (2026-11-22T18:41:48Z)")
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(rfc3339(UNIX_EPOCH + Duration::from_secs(seconds)), text);
        }
        assert_eq!(rfc3339_of_ms(1_999), "1970-01-01T00:00:01Z");
    }

    #[test]
    fn a_date_is_its_first_or_last_second() {
        let text = |read: Result<Timestamp, String>| read.map(|at| at.as_str().to_owned());
        assert_eq!(
            text(first_instant("2026-11-22")).as_deref(),
            Ok("2026-11-22T00:00:00Z")
        );
        assert_eq!(
            text(last_instant("2026-11-22")).as_deref(),
            Ok("2026-11-22T23:59:59Z")
        );
        assert_eq!(
            text(last_instant("2026-11-22T01:00:00+01:00")).as_deref(),
            Ok("2026-11-22T01:00:00+01:00")
        );
        assert!(first_instant("tomorrow").is_err() && last_instant("2026-02-30").is_err());
    }
}
