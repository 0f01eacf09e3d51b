//! Lengths of time as policies write them: `12h`, `30d`, `2w`, `1y`.

/// The units, and how many hours each has. A year has 365 days.
const UNITS: [(&str, u64); 4] = [("h", 1), ("d", 24), ("w", 7 * 24), ("y", 365 * 24)];

/// What an error says about a length of time that is none.
pub(super) const FORM: &str =
    "has to be a whole number from 1 with h, d, w or y, such as \"12h\", \"30d\" or \"1y\"";

const HOUR_MS: u64 = 3_600_000;

/// Milliseconds in a day.
pub(super) const DAY_MS: u64 = 24 * HOUR_MS;

/// Milliseconds in a length of time, which is more than nothing.
pub(super) fn parse(text: &str) -> Option<u64> {
    let (unit, hours) = UNITS.into_iter().find(|(unit, _)| text.ends_with(unit))?;
    let digits = text.strip_suffix(unit)?;
    let number: u64 = digits
        .parse()
        .ok()
        .filter(|number: &u64| *number > 0 && number.to_string() == digits)?;
    number.checked_mul(hours)?.checked_mul(HOUR_MS)
}

/// A length of time in words, rounded down: `3 hours`, `1 day`, `2 years`.
pub(super) fn words(ms: u64) -> String {
    const DAY: u64 = 24;
    const YEAR: u64 = 365 * DAY;
    let (number, unit) = match ms / HOUR_MS {
        hours if hours >= 2 * YEAR || hours == YEAR => (hours / YEAR, "year"),
        hours if hours >= 2 * DAY || hours == DAY => (hours / DAY, "day"),
        hours => (hours, "hour"),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read_and_said() {
        for (text, hours, said) in [
            ("1h", 1, "1 hour"),
            ("36h", 36, "36 hours"),
            ("30d", 720, "30 days"),
            ("2w", 336, "14 days"),
            ("2y", 17_520, "2 years"),
            ("1d", 24, "1 day"),
            ("1y", 8760, "1 year"),
            ("18w", 3024, "126 days"),
        ] {
            let ms = parse(text).unwrap();
            assert_eq!((ms, words(ms).as_str()), (hours * HOUR_MS, said));
        }
        for text in [
            "",
            "d",
            "0d",
            "01d",
            "-1d",
            "+1d",
            "1",
            "1m",
            "1.5d",
            "1 d",
            "99999999999999999999d",
            "18446744073709551615y",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
