//! `govulncheck -format json` (golang/vuln, `internal/govulncheck/govulncheck.go`): JSON objects,
//! one after the other.

use super::super::document;
use super::super::draft::Prepared;
use super::super::ecosystem;
use super::super::error::DocumentError;
use super::super::findings::Findings;
use super::super::scan::Scan;
use super::super::tool::{Source, Takes, Tool};
use super::{found_in, nothing_scanned, scan, texts};
use assay_claims::json::Value;
use assay_claims::kind::node::Node;
use assay_claims::purl::Purl;

pub(in super::super) const TOOL: Tool = Tool {
    takes: Takes::Bytes(is_govulncheck),
    prepare,
};

/// Most messages of a stream.
const MESSAGES: usize = 100_000;

/// The messages of govulncheck begin with its configuration, which names itself.
fn is_govulncheck(bytes: &[u8]) -> bool {
    const BEGINNING: usize = 4096;
    let beginning = bytes.get(..BEGINNING).unwrap_or(bytes);
    let text = String::from_utf8_lossy(beginning);
    text.trim_start().starts_with('{')
        && text.contains("\"config\"")
        && text.contains("govulncheck")
}

/// The one claim of a stream. A finding without a function in its trace is of code that is
/// required, or imported, and not known to be called; it is one all the same.
fn prepare(source: &Source<'_>) -> Result<Vec<Prepared>, DocumentError> {
    let mut findings = Findings::default();
    let mut version = None;
    let messages = messages(source.document.body())?;
    let mut aliases: Vec<(String, Vec<String>)> = Vec::new();
    for message in &messages {
        let root = Node::root("$", message);
        if let Some(config) = root.get("config") {
            version = config.shown("scanner_version").map(str::to_owned);
        }
        if let Some(record) = root.get("osv") {
            let names = texts(record.value().get("aliases"), None);
            let names = names.into_iter().map(str::to_owned).collect();
            aliases.push((record.need("id")?.text()?.to_owned(), names));
        }
        if let Some(found) = root.get("finding") {
            let finding = findings.entry(found.need("osv")?.text()?);
            let trace = found.need("trace")?;
            let Some(first) = trace.items()?.next() else {
                return Err(trace.fault("is empty").into());
            };
            let (module, at) = (first.need("module")?.text()?, first.shown("version"));
            let purl = ecosystem::purl("Go", module, at);
            found_in(finding, module, at, purl.as_ref().map(Purl::as_str));
        }
    }
    for (id, names) in &aliases {
        if findings.has(id) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            findings.entry(id).aliases(&names);
        }
    }
    // What it writes first is how it was called; then it says what it does.
    let any = messages
        .iter()
        .any(|message| message.get("config").is_none());
    Scan {
        version,
        is_whole: any,
        summary: (!any).then(nothing_scanned).into_iter().collect(),
        ..scan("pkg:golang/golang.org/x/vuln", findings)
    }
    .of_json(source)
}

/// The objects of a stream of JSON.
fn messages(bytes: &[u8]) -> Result<Vec<Value>, DocumentError> {
    let mut messages = Vec::new();
    for text in objects(bytes) {
        if messages.len() == MESSAGES {
            return Err(DocumentError::NotTaken(format!(
                "it has more than {MESSAGES} messages"
            )));
        }
        messages.push(document::parse(text)?);
    }
    Ok(messages)
}

/// Cuts a stream after each object, by its braces outside of strings. Of more than can be taken,
/// one more.
fn objects(bytes: &[u8]) -> Vec<&[u8]> {
    let mut objects = Vec::new();
    let (mut start, mut depth, mut quoted, mut escaped) = (0, 0_usize, false, false);
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            // Outside of a string it is no JSON, however that is cut.
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            b'{' if !quoted => depth += 1,
            b'}' if !quoted => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    objects.push(&bytes[start..=at]);
                    start = at + 1;
                    if objects.len() > MESSAGES {
                        return objects;
                    }
                }
            }
            _ => {}
        }
    }
    let rest = bytes.get(start..).unwrap_or_default();
    if !rest.trim_ascii().is_empty() {
        objects.push(rest);
    }
    objects
}
