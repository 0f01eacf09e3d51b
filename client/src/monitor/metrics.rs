//! Numbers for Prometheus, in its text format 0.0.4.

use super::log::Seen;
use std::{collections::BTreeMap, fmt::Write as _};

/// A gauge of a log: its name, what it is, and its value.
type Gauge = (&'static str, &'static str, fn(&Seen) -> Option<f64>);

const GAUGES: [Gauge; 6] = [
    (
        "assay_monitor_up",
        "Whether the log answered in the last round",
        |seen| Some(f64::from(u8::from(seen.unreached.is_none()))),
    ),
    ("assay_monitor_head_size", "Size of the last head", |seen| {
        Some(seen.size? as f64)
    }),
    (
        "assay_monitor_head_time_seconds",
        "When the last head was made: the older of its commitment and its quorum",
        |seen| Some(seen.fresh_at_ms? as f64 / 1000.0),
    ),
    (
        "assay_monitor_entries_done",
        "Entries that were looked at",
        |seen| Some(seen.done as f64),
    ),
    (
        "assay_monitor_entries_replayed",
        "Size of the log when it was last replayed whole",
        |seen| Some(seen.replayed as f64),
    ),
    ("assay_monitor_standing", "Conditions that go on", |seen| {
        Some(seen.standing as f64)
    }),
];

/// The numbers of these rounds, the last of each log, and of the outbox. `told` counts alerts by
/// log and kind since the program started.
pub fn metrics(
    logs: &[Seen],
    told: &BTreeMap<(String, &'static str), u64>,
    waiting: usize,
    now_ms: u64,
) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    for (name, help, value) in GAUGES {
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
        for seen in logs {
            if let Some(value) = value(seen) {
                let _ = writeln!(text, "{name}{{log=\"{}\"}} {value}", label(&seen.log));
            }
        }
    }
    let name = "assay_monitor_alerts_total";
    let _ = writeln!(text, "# HELP {name} Alerts\n# TYPE {name} counter");
    for ((log, kind), count) in told {
        let log = label(log);
        let _ = writeln!(text, "{name}{{log=\"{log}\",kind=\"{kind}\"}} {count}");
    }
    for (name, help, value) in [
        (
            "assay_monitor_outbox",
            "Alerts that wait to be sent",
            waiting as f64,
        ),
        (
            "assay_monitor_round_time_seconds",
            "When the last round ended",
            now_ms as f64 / 1000.0,
        ),
    ] {
        let _ = writeln!(
            text,
            "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}"
        );
    }
    text
}

/// A value of a label.
fn label(text: &str) -> String {
    let text = text.replace('\\', r"\\");
    text.replace('"', "\\\"").replace('\n', r"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_in_the_text_format() {
        let seen = Seen {
            log: "a\"b".into(),
            size: Some(9),
            done: 7,
            unreached: Some("gone".into()),
            ..Seen::default()
        };
        let told = BTreeMap::from([(("a".to_owned(), "frozen"), 2)]);
        let text = metrics(&[seen], &told, 3, 5_500);
        for line in [
            "assay_monitor_up{log=\"a\\\"b\"} 0",
            "assay_monitor_head_size{log=\"a\\\"b\"} 9",
            "assay_monitor_entries_done{log=\"a\\\"b\"} 7",
            "assay_monitor_alerts_total{log=\"a\",kind=\"frozen\"} 2",
            "assay_monitor_outbox 3",
            "assay_monitor_round_time_seconds 5.5",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert!(!text.contains("assay_monitor_head_time_seconds{"));
    }
}
