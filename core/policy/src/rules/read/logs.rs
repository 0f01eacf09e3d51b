//! The logs and witnesses of a policy: as C2SP text, or as keys that are put into such text and
//! read by the same reader.

use super::values::Reader;
use crate::rules::file::{self, At, File};
use crate::rules::policy::{EnoughLogs, PolicyError, RequiredLog};
use assay_tlog::limits::LOG_KEYS;
use assay_tlog::note::VerifierKey;
use assay_tlog::tlog_policy::{TlogPolicy, TlogPolicyError, operator};
use std::{collections::BTreeMap, ops::Range};

/// Most mirrors of a log. One after the other is asked while none answers.
const MIRRORS: usize = 8;

/// What the group of all witnesses is called in the text that is made of keys.
const ALL_WITNESSES: &str = "the-witnesses-of-this-file";

/// The logs and witnesses of a policy.
pub(super) struct Logs {
    /// Their keys and the quorum, if there are any.
    pub(super) tlog: Option<TlogPolicy>,
    /// The logs that must answer.
    pub(super) required: Vec<RequiredLog>,
    /// Those of which some may be missing.
    pub(super) enough: Option<EnoughLogs>,
}

/// Reads the keys, and which logs must answer.
pub(super) fn read(
    reader: &Reader<'_>,
    file: &File,
    max_head_age_ms: u64,
) -> Result<Logs, PolicyError> {
    let tlog = match &file.tlog_policy {
        Some(text) => Some(whole(reader, file, text)?),
        None => of_keys(reader, file)?,
    };
    if let Some(tlog) = &tlog {
        check_keys(reader, file, tlog)?;
    }
    let mut logs: Vec<RequiredLog> = Vec::with_capacity(file.log.len());
    for log in &file.log {
        let required = required(reader, log, tlog.as_ref(), max_head_age_ms)?;
        if logs.iter().any(|other| other.origin == required.origin) {
            return Err(reader.fault(
                "log",
                log.span(),
                format!("names {} a second time; keep one", required.origin),
            ));
        }
        logs.push(required);
    }
    if file.log.is_empty() {
        for known in tlog.iter().flat_map(TlogPolicy::logs) {
            // A log that changed its key stands there with each of them.
            if let Some(log) = logs.iter_mut().find(|log| log.origin == known.key.name()) {
                log.url = log.url.take().or_else(|| known.url.clone());
                continue;
            }
            logs.push(RequiredLog {
                origin: known.key.name().to_owned(),
                url: known.url.clone(),
                mirrors: Vec::new(),
                max_head_age_ms,
            });
        }
    }
    Ok(Logs {
        enough: enough(reader, file, &logs)?,
        tlog,
        required: logs,
    })
}

/// Refuses more keys of one name than a note is verified with: nobody could be convicted by them.
fn check_keys(reader: &Reader<'_>, file: &File, tlog: &TlogPolicy) -> Result<(), PolicyError> {
    let logs = tlog.logs().iter().map(|log| ("log", log.key.name()));
    let witnesses = tlog.witnesses().iter();
    let witnesses = witnesses.map(|witness| ("witness", witness.key.name()));
    let mut keys: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for of_one in logs.chain(witnesses) {
        *keys.entry(of_one).or_default() += 1;
    }
    let Some(((what, name), count)) = keys.iter().find(|(_, count)| **count > LOG_KEYS) else {
        return Ok(());
    };
    let (key, span) = match (&file.tlog_policy, file.witness.first()) {
        (Some(text), _) => ("tlog_policy", text.span()),
        (None, Some(witness)) => ("witness.key", witness.span()),
        (None, None) => ("log.key", 0..0),
    };
    let reason = format!("has {count} keys of the {what} {name}; keep at most {LOG_KEYS}");
    Err(reader.fault(key, span, reason))
}

/// How many of the logs must answer, if not all.
fn enough(
    reader: &Reader<'_>,
    file: &File,
    logs: &[RequiredLog],
) -> Result<Option<EnoughLogs>, PolicyError> {
    let Some(stated) = &file.required_logs else {
        return Ok(None);
    };
    let fault = |reason: String| Err(reader.fault("required_logs", stated.span(), reason));
    let file::LeastLogs { least, of } = match stated.get_ref() {
        file::RequiredLogs::Word(file::AllLogs::All) => return Ok(None),
        file::RequiredLogs::Least(least) => least,
    };
    for (i, origin) in of.iter().enumerate() {
        if !logs.iter().any(|log| log.origin == *origin) {
            return fault(format!(
                "names {origin:?}, which is no [[log]] here; add it"
            ));
        }
        if of[..i].contains(origin) {
            return fault(format!("names {origin:?} twice; keep one"));
        }
    }
    let least = usize::try_from(*least).unwrap_or(usize::MAX);
    if !(1..=of.len()).contains(&least) {
        let most = of.len();
        return fault(format!(
            "`least` has to be from 1 to {most}, the number of logs in `of`"
        ));
    }
    Ok((least < of.len()).then(|| EnoughLogs {
        least,
        of: of.clone(),
    }))
}

/// A policy in C2SP's format, beside which no key stands.
fn whole(reader: &Reader<'_>, file: &File, text: &At<String>) -> Result<TlogPolicy, PolicyError> {
    let twice = |key: &str, span| {
        reader.fault(
            key,
            span,
            "stands in `tlog_policy` already; remove one of the two",
        )
    };
    if let Some(witness) = file.witness.first() {
        return Err(twice("witness", witness.span()));
    }
    if let Some(quorum) = &file.quorum {
        return Err(twice("quorum", quorum.span()));
    }
    if let Some(key) = file.log.iter().find_map(|log| log.get_ref().key.as_ref()) {
        let reason = "stands in `tlog_policy` already; write `origin` here, with the log's name";
        return Err(reader.fault("log.key", key.span(), reason));
    }
    TlogPolicy::parse(text.get_ref()).map_err(|TlogPolicyError { line, fault }| {
        // A multi-line string begins on the line after its quotes, or on theirs.
        let span = text.span();
        reader.fault("tlog_policy", span, format!("its line {line}: {fault}"))
    })
}

/// A line with the key that it came from and where that stands, for errors.
type Line = (String, &'static str, Range<usize>);

/// The keys of the file, as a policy in C2SP's format. `None` if there are none.
fn of_keys(reader: &Reader<'_>, file: &File) -> Result<Option<TlogPolicy>, PolicyError> {
    let mut lines: Vec<Line> = Vec::new();
    let mut line = |words: &[&str], key, at: &At<String>| {
        lines.push((words.join(" "), key, at.span()));
    };
    for log in file.log.iter().map(At::get_ref) {
        if let Some(key) = &log.key {
            one_word(reader, "log.key", key)?;
            line(&["log", key.get_ref()], "log.key", key);
        }
    }
    for witness in file.witness.iter().map(At::get_ref) {
        one_word(reader, "witness.name", &witness.name)?;
        one_word(reader, "witness.key", &witness.key)?;
        let mut words = vec!["witness", witness.name.get_ref(), witness.key.get_ref()];
        if let Some(url) = &witness.url {
            one_word(reader, "witness.url", url)?;
            words.push(url.get_ref());
        }
        line(&words, "witness.key", &witness.key);
    }
    lines.extend(quorum(reader, file)?);
    if lines.len() == 1 {
        return Ok(None);
    }
    let text: Vec<&str> = lines.iter().map(|(line, _, _)| line.as_str()).collect();
    let policy =
        TlogPolicy::parse(&text.join("\n")).map_err(|TlogPolicyError { line, fault }| {
            let (key, span) = lines
                .get(line - 1)
                .map_or(("the file", 0..0), |(_, key, span)| (*key, span.clone()));
            reader.fault(key, span, fault.to_string())
        })?;
    Ok(Some(policy))
}

/// The lines about the quorum.
fn quorum(reader: &Reader<'_>, file: &File) -> Result<Vec<Line>, PolicyError> {
    match (&file.quorum, file.witness.as_slice()) {
        (None, []) => Ok(vec![("quorum none".into(), "quorum", 0..0)]),
        (Some(quorum), []) => {
            let reason = "counts witnesses, and the file names none; add [[witness]]";
            Err(reader.fault("quorum", quorum.span(), reason))
        }
        (None, [first, ..]) => {
            let reason = "is named, but nothing says how many it takes; add `quorum = 1`, or more";
            Err(reader.fault("witness", first.span(), reason))
        }
        (Some(quorum), witnesses) => {
            let mut lines: Vec<Line> = Vec::new();
            let mut members: Vec<String> = Vec::new();
            for (operator, names) in operators(witnesses) {
                let [name] = names[..] else {
                    // Keys of one operator are one voice.
                    let group = unused(operator, witnesses);
                    let text = format!("group {group} any {}", names.join(" "));
                    lines.push((text, "witness.key", quorum.span()));
                    members.push(group);
                    continue;
                };
                members.push(name.to_owned());
            }
            let group = format!(
                "group {ALL_WITNESSES} {} {}",
                quorum.get_ref(),
                members.join(" ")
            );
            let all = format!("quorum {ALL_WITNESSES}");
            lines.push((group, "quorum", quorum.span()));
            lines.push((all, "quorum", quorum.span()));
            Ok(lines)
        }
    }
}

/// The operators of the witnesses in the order of their first keys, each with what the file calls
/// its keys.
fn operators(witnesses: &[At<file::Witness>]) -> Vec<(String, Vec<&str>)> {
    let mut operators: Vec<(String, Vec<&str>)> = Vec::new();
    for witness in witnesses.iter().map(At::get_ref) {
        let name = witness.name.get_ref();
        // A key that cannot be read is a fault of its own line.
        let key = VerifierKey::parse(witness.key.get_ref());
        let of_key = key.map_or_else(|_| name.clone(), |key| operator(key.name()).to_owned());
        match operators.iter_mut().find(|(known, _)| *known == of_key) {
            Some((_, names)) => names.push(name),
            None => operators.push((of_key, vec![name])),
        }
    }
    operators
}

/// A name for the keys of an operator that no witness has.
fn unused(operator: String, witnesses: &[At<file::Witness>]) -> String {
    let mut name = operator;
    while witnesses
        .iter()
        .any(|one| *one.get_ref().name.get_ref() == name)
    {
        name.push('*');
    }
    name
}

/// A word that makes one word of a line in C2SP's format.
fn one_word(reader: &Reader<'_>, key: &str, text: &At<String>) -> Result<(), PolicyError> {
    let word = text.get_ref();
    if word.is_empty() || word.contains(|c: char| c.is_whitespace() || c.is_control()) {
        Err(reader.fault(key, text.span(), "has to be one word, without spaces"))
    } else {
        Ok(())
    }
}

/// The nodes that mirror a log.
fn mirrors(reader: &Reader<'_>, log: &file::Log) -> Result<Vec<String>, PolicyError> {
    if let Some(one_more) = log.mirrors.get(MIRRORS) {
        let reason = format!("are more than {MIRRORS}; keep those that you know best");
        return Err(reader.fault("log.mirrors", one_more.span(), reason));
    }
    let mirrors = log.mirrors.iter();
    mirrors
        .map(|url| reader.words("log.mirrors", url))
        .collect()
}

fn required(
    reader: &Reader<'_>,
    log: &At<file::Log>,
    tlog: Option<&TlogPolicy>,
    max_head_age_ms: u64,
) -> Result<RequiredLog, PolicyError> {
    let (span, log) = (log.span(), log.get_ref());
    let of_key = log
        .key
        .as_ref()
        .and_then(|key| VerifierKey::parse(key.get_ref()).ok())
        .map(|key| key.name().to_owned());
    let origin = match (&log.origin, of_key) {
        (None, None) => {
            return Err(reader.fault(
                "log",
                span,
                "has neither `key` nor `origin`; write the log's key",
            ));
        }
        (None, Some(origin)) => origin,
        (Some(stated), Some(origin)) if *stated.get_ref() != origin => {
            let reason = format!("is not the log's of this key, which is {origin:?}; remove it");
            return Err(reader.fault("log.origin", stated.span(), reason));
        }
        (Some(stated), _) => reader.words("log.origin", stated)?,
    };
    // Some keys and not others: a log without one could answer with anything.
    if let Some(policy) =
        tlog.filter(|policy| !policy.logs().is_empty() && policy.log(&origin).is_none())
    {
        let known: Vec<&str> = policy.logs().iter().map(|log| log.key.name()).collect();
        let reason = format!(
            "{origin:?} has no key here; give its `key`, or name one of {}",
            known.join(", ")
        );
        return Err(reader.fault("log.origin", span, reason));
    }
    let url = log
        .url
        .as_ref()
        .map(|url| reader.words("log.url", url))
        .transpose()?;

    let max_head_age_ms = match &log.max_head_age {
        Some(age) => reader.duration("log.max_head_age", age)?,
        None => max_head_age_ms,
    };
    Ok(RequiredLog {
        mirrors: mirrors(reader, log)?,
        url: url.or_else(|| tlog.and_then(|policy| policy.log(&origin)?.url.clone())),
        origin,
        max_head_age_ms,
    })
}
