//! RFC 3339 dates and times, as documents and predicates spell them, and as we write them. Only
//! reading, writing and comparing: nothing here knows what time it is.
//!
//! The calendar is `jiff`'s. The grammar is RFC 3339's, section 5.6, and no more: `jiff` would also
//! take a space for the `T`, a time without seconds, offsets without a colon, and zones in
//! brackets, and it reads at most nine digits of a fraction. Years go from 0000 to 9999.

use jiff::civil;

/// An RFC 3339 date and time, as it was written, with the instant that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timestamp {
    text: String,
    ms: i64,
}

impl Timestamp {
    /// Reads an RFC 3339 `date-time` (section 5.6), such as `2026-11-22T18:41:48Z`, or `None`.
    pub fn parse(text: &str) -> Option<Self> {
        Some(Timestamp {
            text: text.to_owned(),
            ms: instant(text)?.ms(),
        })
    }

    /// Reads a `date-time`, or a `full-date` such as `2026-11-22`, which stands for its first
    /// millisecond in UTC.
    pub fn parse_beginning(text: &str) -> Option<Self> {
        Self::parse(text).or_else(|| {
            Some(Timestamp {
                text: text.to_owned(),
                ms: first_ms(full_date(text)?),
            })
        })
    }

    /// Reads a `date-time`, or a `full-date` such as `2026-11-22`, which stands for its last
    /// millisecond in UTC.
    pub fn parse_end(text: &str) -> Option<Self> {
        Self::parse(text).or_else(|| {
            Some(Timestamp {
                text: text.to_owned(),
                ms: first_ms(full_date(text)?) + DAY_MS - 1,
            })
        })
    }

    /// The text, as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Milliseconds since 1970-01-01T00:00:00Z, a fraction of one being dropped; negative before.
    pub fn unix_ms(&self) -> i64 {
        self.ms
    }
}

const DAY_MS: i64 = 86_400_000;

/// An instant: seconds since 1970-01-01T00:00:00Z and nanoseconds. Instants compare as they follow
/// each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant {
    seconds: i64,
    nanoseconds: u32,
}

impl Instant {
    /// Milliseconds since 1970. A year has four digits, so they fit.
    fn ms(self) -> i64 {
        self.seconds * 1000 + i64::from(self.nanoseconds / 1_000_000)
    }
}

/// Reads an RFC 3339 `date-time` (section 5.6), or `None`. Digits after the ninth of a fraction are
/// dropped, and a leap second counts as the second that follows it.
pub fn instant(text: &str) -> Option<Instant> {
    let (local, rest) = text.split_at_checked(LOCAL.len())?;
    if !has_shape(local, LOCAL) {
        return None;
    }
    // `jiff` reads a second 60 as 59.
    let leap = i64::from(local.ends_with("60"));
    let local: civil::DateTime = local.parse().ok()?;
    let (nanoseconds, offset) = fraction(rest)?;
    Some(Instant {
        seconds: seconds(local) + leap - offset_seconds(offset)?,
        nanoseconds,
    })
}

/// Whether `text` is an RFC 3339 `full-date`, such as `2026-11-22`.
pub fn is_date(text: &str) -> bool {
    full_date(text).is_some()
}

/// Milliseconds since 1970 as RFC 3339 in UTC, to the second: `2025-01-31T08:05:09Z`.
///
/// A fraction of a second is dropped. From the year 10000 on the year has five digits or more,
/// which is no RFC 3339: whoever wrote such a time should see it.
pub fn rfc3339_of_ms(ms: u64) -> String {
    // The calendar repeats every 400 years, so that `jiff`, which ends with the year 9999, is asked
    // for the first 400 only.
    const CYCLE_SECONDS: u64 = 146_097 * 86_400;
    let (cycles, within) = (ms / 1000 / CYCLE_SECONDS, ms / 1000 % CYCLE_SECONDS);
    let time = i64::try_from(within)
        .ok()
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .unwrap_or(jiff::Timestamp::default());
    let utc = jiff::tz::Offset::UTC.to_datetime(time);
    let year = u64::from(utc.year().unsigned_abs()) + 400 * cycles;
    format!(
        "{year:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        utc.month(),
        utc.day(),
        utc.hour(),
        utc.minute(),
        utc.second()
    )
}

/// The shapes of a date, and of a date and time without fraction and offset: `0` is any digit.
const DATE: &str = "0000-00-00";
const LOCAL: &str = "0000-00-00T00:00:00";

/// Whether a text has the shape: the same length, digits where it has digits, and the same
/// characters elsewhere, upper or lower case.
fn has_shape(text: &str, shape: &str) -> bool {
    text.len() == shape.len()
        && text.bytes().zip(shape.bytes()).all(|(byte, wanted)| {
            if wanted == b'0' {
                byte.is_ascii_digit()
            } else {
                byte.eq_ignore_ascii_case(&wanted)
            }
        })
}

fn full_date(text: &str) -> Option<civil::Date> {
    if has_shape(text, DATE) {
        text.parse().ok()
    } else {
        None
    }
}

fn first_ms(date: civil::Date) -> i64 {
    seconds(date.at(0, 0, 0, 0)) * 1000
}

/// Seconds from 1970-01-01T00:00:00 to a time in the same zone.
fn seconds(local: civil::DateTime) -> i64 {
    local
        .duration_since(civil::date(1970, 1, 1).at(0, 0, 0, 0))
        .as_secs()
}

/// Nanoseconds of an optional fraction, and what follows it.
fn fraction(rest: &str) -> Option<(u32, &str)> {
    let Some(rest) = rest.strip_prefix('.') else {
        return Some((0, rest));
    };
    let end = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, offset) = rest.split_at(end);
    if digits.is_empty() {
        return None;
    }
    let nine: String = digits.chars().chain("000000000".chars()).take(9).collect();
    Some((nine.parse().ok()?, offset))
}

/// Seconds east of UTC: `Z`, or hours to 23 and minutes to 59.
fn offset_seconds(offset: &str) -> Option<i64> {
    if offset.eq_ignore_ascii_case("Z") {
        return Some(0);
    }
    if !has_shape(offset, "+00:00") && !has_shape(offset, "-00:00") {
        return None;
    }
    let (sign, hours, minutes) = (
        if offset.starts_with('-') { -1 } else { 1 },
        offset.get(1..3)?.parse::<i64>().ok()?,
        offset.get(4..6)?.parse::<i64>().ok()?,
    );
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> i64 {
        instant(text).unwrap().seconds
    }

    #[test]
    fn instants_count_from_1970() {
        assert_eq!(seconds("1970-01-01T00:00:00Z"), 0);
        assert_eq!(seconds("2000-02-29T12:00:00+02:00"), 951_818_400);
        assert_eq!(seconds("2026-11-22T18:41:48Z"), 1_795_372_908);
        assert_eq!(seconds("0000-01-01T00:00:00Z"), -62_167_219_200);
        assert_eq!(
            seconds("2023-01-09T21:23:03.579712389-06:00"),
            seconds("2023-01-10T03:23:03z")
        );
        assert!(instant("2020-01-01T00:00:00.1Z") < instant("2020-01-01T00:00:00.25Z"));
    }

    #[test]
    fn a_timestamp_keeps_its_text_and_a_date_is_its_first_or_last_moment() {
        let at = Timestamp::parse("1970-01-02T00:00:00.0019+00:00").unwrap();
        assert_eq!(
            (at.as_str(), at.unix_ms()),
            ("1970-01-02T00:00:00.0019+00:00", 86_400_001)
        );
        assert_eq!(
            Timestamp::parse("1969-12-31T23:59:59.5Z")
                .unwrap()
                .unix_ms(),
            -500
        );
        assert_eq!(Timestamp::parse("1970-01-02"), None);
        assert_eq!(
            Timestamp::parse_beginning("1970-01-02").unwrap().unix_ms(),
            86_400_000
        );
        assert_eq!(
            Timestamp::parse_end("1970-01-02").unwrap().unix_ms(),
            2 * 86_400_000 - 1
        );
        assert_eq!(
            Timestamp::parse_end("1970-01-02T00:00:00Z")
                .unwrap()
                .unix_ms(),
            86_400_000
        );
        assert_eq!(
            (
                Timestamp::parse_end("soon"),
                Timestamp::parse_beginning("1970-02-30")
            ),
            (None, None)
        );
    }

    #[test]
    fn leap_seconds_offsets_fractions_and_the_first_and_last_year() {
        for (text, seconds, nanoseconds) in [
            ("2016-12-31T23:59:60Z", 1_483_228_800, 0),
            ("2016-12-31T23:59:60.5Z", 1_483_228_800, 500_000_000),
            ("2020-01-01T12:34:60Z", 1_577_882_100, 0),
            ("2020-01-01t00:00:00z", 1_577_836_800, 0),
            ("2020-01-01T00:00:00-00:00", 1_577_836_800, 0),
            ("2020-01-01T00:00:00+23:59", 1_577_750_460, 0),
            ("2020-01-01T00:00:00-23:59", 1_577_923_140, 0),
            ("2020-01-01T00:00:00.0000000019Z", 1_577_836_800, 1),
            (
                "2020-01-01T00:00:00.12345678987Z",
                1_577_836_800,
                123_456_789,
            ),
            ("0000-02-29T00:00:00Z", -62_162_121_600, 0),
            ("0000-01-01T00:00:00+23:59", -62_167_305_540, 0),
            (
                "9999-12-31T23:59:59.999999999Z",
                253_402_300_799,
                999_999_999,
            ),
            ("9999-12-31T23:59:60-23:59", 253_402_387_140, 0),
        ] {
            let expected = Instant {
                seconds,
                nanoseconds,
            };
            assert_eq!(instant(text), Some(expected), "{text}");
        }
        assert!(is_date("0000-02-29") && is_date("9999-12-31"));
    }

    #[test]
    fn times_are_written_to_the_second_in_utc() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (1_999, "1970-01-01T00:00:01Z"),
            (951_782_399_000, "2000-02-28T23:59:59Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (951_868_800_000, "2000-03-01T00:00:00Z"),
            (1_735_689_599_000, "2024-12-31T23:59:59Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59Z"),
            (253_402_300_800_000, "10000-01-01T00:00:00Z"),
            (u64::MAX, "584556019-04-03T14:25:51Z"),
        ] {
            assert_eq!(rfc3339_of_ms(ms), text);
        }
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let mut last = seconds("1599-12-31T00:00:00Z");
        for year in 1600..2001 {
            for month in 1..=12 {
                for day in 1..=31 {
                    if let Some(at) = instant(&format!("{year:04}-{month:02}-{day:02}T00:00:00Z")) {
                        assert_eq!(at.seconds, last + 86_400, "{year}-{month}-{day}");
                        last = at.seconds;
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2020",
            "2020-01-01",
            "2020-01-01T00:00:00",
            "2020-01-01 00:00:00Z",
            "2020-01-01T00:00Z",
            "2020-01-01T00Z",
            "20200101T000000Z",
            "2020-01-01T00:00:00,5Z",
            "2020-01-01T00:00:00Z[UTC]",
            "2020-01-01T00:00:00+02",
            "2020-01-01T00:00:00+00:60",
            "2020-01-01T00:00:00+01:00:00",
            "+002020-01-01T00:00:00Z",
            "-0001-01-01T00:00:00Z",
            "10000-01-01T00:00:00Z",
            "2020-02-30T00:00:00Z",
            "2021-02-29T00:00:00Z",
            "2020-13-01T00:00:00Z",
            "2020-00-01T00:00:00Z",
            "2020-01-00T00:00:00Z",
            "2020-01-01T24:00:00Z",
            "2020-01-01T00:60:00Z",
            "2020-01-01T00:00:61Z",
            "2020-01-01T00:00:00.Z",
            "2020-01-01T00:00:00+0200",
            "2020-01-01T00:00:00+24:00",
            "2020-01-01T00:00:00Zz",
            "2020-01-01T00:0é:00Z",
        ] {
            assert_eq!(instant(text), None, "{text}");
        }
        assert!(
            is_date("2024-02-29")
                && !is_date("2023-02-29")
                && !is_date("2024-2-9")
                && !is_date("20240229")
                && !is_date("2024-02-29T")
        );
    }
}
