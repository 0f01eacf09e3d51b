//! Lengths of time as policies write them: `12h`, `30d`, `2w`, `1y`.

/// The units, and how many hours each has. A year has 365 days.
const UNITS: [(&str, u64); 4] = [("h", 1), ("d", 24), ("w", 7 * 24), ("y", 365 * 24)];

/// What an error says about a length of time that is none.
pub(super) const FORM: &str =
    "has to be a whole number from 1 with h, d, w or y, such as \"12h\", \"30d\" or \"1y\"";

const HOUR_MS: u64 = 3_600_000;

/// Milliseconds in a day.
pub(crate) const DAY_MS: u64 = 24 * HOUR_MS;

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

/// Whole days in milliseconds.
pub(crate) const fn days(ms: u64) -> u64 {
    ms / DAY_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read() {
        for (text, hours) in [
            ("1h", 1),
            ("36h", 36),
            ("30d", 720),
            ("2w", 336),
            ("2y", 17_520),
            ("1d", 24),
            ("1y", 8760),
            ("18w", 3024),
        ] {
            assert_eq!(parse(text), Some(hours * HOUR_MS), "{text}");
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
