//! What has to come of a check.

use super::case::finds;
use serde_json::Value;

/// What came of one.
pub struct Answer {
    pub code: Option<i32>,
    /// The report, or null if there is none.
    pub report: Value,
    /// What people see of it.
    pub text: String,
}

/// What is not as expected.
pub fn wrong(expected: &Value, answer: &Answer) -> Vec<String> {
    let mut wrong = Vec::new();
    if let Some(either) = expected["either"].as_array() {
        let all: Vec<Vec<String>> = either.iter().map(|one| self::wrong(one, answer)).collect();
        if all.iter().all(|one| !one.is_empty()) {
            wrong.push(
                all.iter()
                    .map(|one| one.join("; "))
                    .collect::<Vec<_>>()
                    .join(" | "),
            );
        }
    }
    if expected["refused"] == true {
        if answer.code != Some(2) {
            wrong.push("it is not refused".into());
        }
    } else if answer.report.is_null() && expected.get("either").is_none() {
        return vec![format!("exit {:?}: {}", answer.code, answer.text.trim())];
    }
    for key in ["mentions", "says"] {
        for pattern in several(&expected[key]) {
            let pattern = pattern.as_str().unwrap_or_default();
            if !finds(pattern, &format!("{}\n{}", answer.text, answer.report)) {
                wrong.push(format!("does not say {pattern}"));
            }
        }
    }
    wrong.extend(counts(expected, answer));
    for (keys, how) in expected["each"].as_object().into_iter().flatten() {
        wrong.extend(each(keys, how, &answer.report));
    }
    for key in several(&expected["absent"]).filter_map(Value::as_str) {
        if !matching(key, &answer.report).is_empty() {
            wrong.push(format!("{key} is there"));
        }
    }
    let unidentified = unidentified(&answer.report);
    for name in several(&expected["told"]).filter_map(Value::as_str) {
        if !unidentified.iter().any(|what| what.contains(name)) {
            wrong.push(format!("{name} is not told"));
        }
    }
    let own: Vec<&str> = texts(&answer.report["own"]);
    let mut owned = several(&expected["own"])
        .filter_map(Value::as_str)
        .peekable();
    if owned.peek().is_some() && !owned.any(|key| own.iter().any(|own| is_named(own, key))) {
        wrong.push(format!("own: {own:?}"));
    }
    wrong
}

fn counts(expected: &Value, answer: &Answer) -> Vec<String> {
    let components = list(&answer.report["components"]).len();
    let unidentified = unidentified(&answer.report).len();
    let found = [
        (
            "exit",
            answer
                .code
                .and_then(|code| usize::try_from(code).ok())
                .unwrap_or(99),
        ),
        ("components", components),
        ("unidentified", unidentified),
        ("named", components + unidentified),
    ];
    let wrong = found
        .into_iter()
        .filter(|(key, found)| !within(&expected[*key], key, *found));
    wrong
        .map(|(key, found)| format!("{key}: {found}, not {}", expected[key]))
        .collect()
}

/// Whether a number is the expected one, or between two of them. At least so many are named.
fn within(expected: &Value, key: &str, found: usize) -> bool {
    let number = |value: &Value| value.as_u64().and_then(|n| usize::try_from(n).ok());
    match expected {
        Value::Array(bounds) => {
            let bound = |at: usize| bounds.get(at).and_then(number);
            bound(0).is_none_or(|least| least <= found) && bound(1).is_none_or(|most| found <= most)
        }
        Value::Number(_) if key == "named" => number(expected).is_some_and(|least| least <= found),
        Value::Number(_) => number(expected) == Some(found),
        _ => true,
    }
}

fn several(value: &Value) -> impl Iterator<Item = &Value> {
    match value {
        Value::Array(values) => values.iter(),
        Value::Null => [].iter(),
        one => std::slice::from_ref(one).iter(),
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn texts(value: &Value) -> Vec<&str> {
    list(value).iter().filter_map(Value::as_str).collect()
}

fn unidentified(report: &Value) -> Vec<&str> {
    let files = list(&report["files"]).iter();
    let all = files.flat_map(|file| list(&file["unidentified"]));
    all.filter_map(|one| one["what"].as_str()).collect()
}

/// What is wrong with the components that have one of these names.
fn each(keys: &str, how: &Value, report: &Value) -> Vec<String> {
    let found: Vec<&Value> = keys
        .split(" | ")
        .flat_map(|key| matching(key, report))
        .collect();
    if found.is_empty() {
        return vec![format!("{keys} is not there")];
    }
    let mut wrong = Vec::new();
    if let Some(times) = how["times"].as_u64()
        && times != found.len() as u64
    {
        wrong.push(format!("{keys}: {} times", found.len()));
    }
    let verdict = how.as_str().or(how["verdict"].as_str());
    for component in found {
        let outcome = component["outcome"].as_str().unwrap_or_default();
        let unknown = list(&component["reasons"])
            .iter()
            .any(|reason| reason["cause"] == "unknown");
        let fits = match verdict {
            None | Some("listed") => true,
            Some("unknown") => unknown,
            Some(verdict) => match verdict.strip_prefix("not ") {
                Some(other) => outcome != other,
                None => outcome == verdict,
            },
        };
        let text = component.to_string();
        let shows = how["shows"]
            .as_str()
            .is_none_or(|shown| text.contains(shown));
        let hides = how["hides"]
            .as_str()
            .is_none_or(|hidden| !text.contains(hidden));
        if !(fits && shows && hides) {
            wrong.push(format!("{keys}: {outcome}, not {how}"));
        }
        for (id, severity) in how["severity"].as_object().into_iter().flatten() {
            let all = list(&component["vulnerabilities"]);
            let stated = all
                .iter()
                .find(|one| one["id"] == **id)
                .map(|one| &one["severity"]);
            if stated != Some(severity) {
                wrong.push(format!("{id}: severity {stated:?}, not {severity}"));
            }
        }
    }
    wrong
}

/// The components that a name is of.
fn matching<'r>(key: &str, report: &'r Value) -> Vec<&'r Value> {
    let all = list(&report["components"]).iter();
    all.filter(|component| {
        let purl = component["purl"].as_str();
        let name = component["name"].as_str().unwrap_or_default();
        let version = component["version"].as_str().unwrap_or_default();
        purl.is_some_and(|purl| is_named(purl, key))
            || name == key
            || format!("{name}@{version}") == key
    })
    .collect()
}

/// Whether a purl is what a case calls it: decoded, without qualifiers that the case does not name,
/// and of any version if it names none.
fn is_named(purl: &str, key: &str) -> bool {
    let decoded = decoded(purl);
    let (path, qualifiers) = decoded.split_once('?').unwrap_or((&decoded, ""));
    let (key, stated) = key.split_once('?').unwrap_or((key, ""));
    let mut stated = stated.split('&').filter(|pair| !pair.is_empty());
    let same = path == key
        || path
            .strip_prefix(key)
            .is_some_and(|rest| rest.starts_with('@'));
    same && stated.all(|pair| qualifiers.split('&').any(|ours| ours == pair))
}

fn decoded(purl: &str) -> String {
    let mut parts = purl.split('%');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let byte = part
            .get(..2)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match byte.filter(u8::is_ascii) {
            Some(byte) => text.push_str(&format!("{}{}", char::from(byte), &part[2..])),
            None => text.push_str(&format!("%{part}")),
        }
    }
    text
}
