//! Dates and lengths of time.

use assay_claims::kind::lifecycle::Date;

const HOUR_MS: u64 = 3_600_000;

/// A date, as it was written; of a day's first or last second, the day.
pub(super) fn date(date: &Date) -> &str {
    let Date::At(time) = date else {
        return "a date to be announced";
    };
    let time = time.as_str();
    ["T00:00:00Z", "T23:59:59Z"]
        .into_iter()
        .find_map(|end| time.strip_suffix(end))
        .unwrap_or(time)
}

/// A length of time in milliseconds, rounded down: `3 hours`, `1 day`, `2 years`.
pub(super) fn duration(ms: u64) -> String {
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
    fn lengths_of_time_are_said() {
        for (hours, said) in [
            (1, "1 hour"),
            (36, "36 hours"),
            (720, "30 days"),
            (336, "14 days"),
            (17_520, "2 years"),
            (24, "1 day"),
            (8760, "1 year"),
            (3024, "126 days"),
        ] {
            assert_eq!(duration(hours * HOUR_MS), said);
        }
    }
}
