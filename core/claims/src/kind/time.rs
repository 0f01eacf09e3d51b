//! RFC 3339 dates and times, as documents and predicates spell them. Only reading and comparing:
//! nothing here knows what time it is.

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
                ms: days(text.as_bytes())? * DAY_MS,
            })
        })
    }

    /// Reads a `date-time`, or a `full-date` such as `2026-11-22`, which stands for its last
    /// millisecond in UTC.
    pub fn parse_end(text: &str) -> Option<Self> {
        let last = |date: &str| Some(days(date.as_bytes())? * DAY_MS + DAY_MS - 1);
        Self::parse(text).or_else(|| {
            Some(Timestamp {
                text: text.to_owned(),
                ms: last(text)?,
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
pub(crate) fn instant(text: &str) -> Option<Instant> {
    let bytes = text.as_bytes();
    let (date, time) = (bytes.get(..10)?, bytes.get(10..)?);
    let days = days(date)?;
    let [b'T' | b't', h1, h2, b':', m1, m2, b':', s1, s2, rest @ ..] = time else {
        return None;
    };
    let (hour, minute, second) = (two(*h1, *h2)?, two(*m1, *m2)?, two(*s1, *s2)?);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (nanoseconds, zone) = fraction(rest)?;
    let local = days * 86_400 + i64::from(hour * 3600 + minute * 60 + second);
    Some(Instant {
        seconds: local - offset(zone)?,
        nanoseconds,
    })
}

/// Whether `text` is an RFC 3339 `full-date`, such as `2026-11-22`.
pub(crate) fn is_date(text: &str) -> bool {
    days(text.as_bytes()).is_some()
}

/// Nanoseconds of an optional fraction, and what follows it.
fn fraction(rest: &[u8]) -> Option<(u32, &[u8])> {
    let [b'.', rest @ ..] = rest else {
        return Some((0, rest));
    };
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    if digits == 0 {
        return None;
    }
    let (fraction, zone) = rest.split_at(digits);
    let nine = fraction
        .iter()
        .copied()
        .chain(std::iter::repeat(b'0'))
        .take(9);
    Some((
        nine.fold(0, |n, digit| n * 10 + u32::from(digit - b'0')),
        zone,
    ))
}

/// Seconds east of UTC.
fn offset(zone: &[u8]) -> Option<i64> {
    match zone {
        b"Z" | b"z" => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (two(*h1, *h2)?, two(*m1, *m2)?);
            let seconds = i64::from(hours * 3600 + minutes * 60);
            (hours < 24 && minutes < 60).then_some(if *sign == b'-' { -seconds } else { seconds })
        }
        _ => None,
    }
}

/// Days from 1970-01-01 to the `full-date`.
fn days(date: &[u8]) -> Option<i64> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = date else {
        return None;
    };
    let year = i64::from(two(*y1, *y2)? * 100 + two(*y3, *y4)?);
    let (month, day) = (two(*m1, *m2)?, two(*d1, *d2)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        _ => return None,
    };
    if day == 0 || day > length {
        return None;
    }
    // Years that start in March put the leap day last, so that every month has a fixed place in the
    // year.
    let (march_year, march_month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let day_of_year = i64::from((153 * march_month + 2) / 5 + day - 1);
    let leaps = march_year.div_euclid(4) - march_year.div_euclid(100) + march_year.div_euclid(400);
    Some(march_year * 365 + leaps + day_of_year - 719_468)
}

fn two(tens: u8, ones: u8) -> Option<u32> {
    let digit = |b: u8| b.is_ascii_digit().then(|| u32::from(b - b'0'));
    Some(digit(tens)? * 10 + digit(ones)?)
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
                && !is_date("2024-02-29T")
        );
    }
}
