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
use assay_claims::kind::PredicateError;
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

/// What the messages of a stream say.
#[derive(Default)]
struct Stream<'v> {
    version: Option<String>,
    findings: Findings,
    /// The modules that it looked at: those that have no version, which the others are needed by.
    /// Scans of two modules of one project are told apart by them.
    modules: Vec<String>,
    /// The records of the database that it looked at, each with its other names.
    records: Vec<(&'v str, Vec<&'v str>)>,
    /// Whether it was asked for what the database has of modules (`-mode query`). Then it says so
    /// in these records alone.
    is_query: bool,
    /// Whether it said what it does, beside how it was called, which it says first.
    any: bool,
    /// Whether the last that it said is that it fetches the database.
    is_fetching: bool,
}

/// How govulncheck says that it fetches its database. If it cannot, that is the last that it writes
/// of a run, which then looks like one that found nothing (golang/vuln,
/// `internal/vulncheck/vulncheck.go`).
const FETCHING: &str = "Fetching vulnerabilities";

/// The one claim of a stream. A finding without a function in its trace is of code that is
/// required, or imported, and not known to be called; it is one all the same.
fn prepare(source: &Source<'_>) -> Result<Vec<Prepared>, DocumentError> {
    let messages = messages(source.document.body())?;
    let mut stream = Stream::default();
    for message in &messages {
        stream.read(&Node::root("$", message))?;
    }
    stream.name();
    let why = stream.why_not_whole();
    let mut summary: Vec<_> = why.map(super::note).into_iter().collect();
    if !stream.any {
        summary.push(nothing_scanned());
    }
    Scan {
        version: stream.version,
        is_whole: stream.any && why.is_none(),
        scanned: stream.modules,
        summary,
        ..scan("pkg:golang/golang.org/x/vuln", stream.findings)
    }
    .of_json(source)
}

impl<'v> Stream<'v> {
    /// Takes a message up.
    fn read(&mut self, root: &Node<'v, '_>) -> Result<(), PredicateError> {
        match root.get("config") {
            Some(config) => {
                self.version = config.shown("scanner_version").map(str::to_owned);
                self.is_query = config.shown("scan_mode") == Some("query");
            }
            None => self.any = true,
        }
        if let Some(bill) = root.get("SBOM") {
            let modules = bill.value().get("modules").and_then(Value::as_array);
            let modules = modules.unwrap_or_default().iter();
            let own = modules.filter(|module| module.get("version").is_none());
            let own = own.filter_map(|module| module.get("path")?.as_str());
            self.modules.extend(own.map(str::to_owned));
        }
        if let Some(progress) = root.get("progress") {
            let said = progress.shown("message").unwrap_or_default();
            self.is_fetching = said.starts_with(FETCHING);
        }
        if let Some(record) = root.get("osv") {
            let names = texts(record.value().get("aliases"), None);
            self.records.push((record.need("id")?.text()?, names));
            if self.is_query {
                self.take_record(&record)?;
            }
        }
        if let Some(found) = root.get("finding") {
            self.is_fetching = false;
            let finding = self.findings.entry(found.need("osv")?.text()?);
            let trace = found.need("trace")?;
            let Some(first) = trace.items()?.next() else {
                return Err(trace.fault("is empty"));
            };
            let (module, at) = (first.need("module")?.text()?, first.shown("version"));
            let purl = ecosystem::purl("Go", module, at);
            found_in(finding, module, at, purl.as_ref().map(Purl::as_str));
        }
        Ok(())
    }

    /// Takes a record of the database for a finding: the database answers with those of the version
    /// that it was asked for, whose number is nowhere.
    fn take_record(&mut self, record: &Node<'v, '_>) -> Result<(), PredicateError> {
        if record.get("withdrawn").is_some() {
            return Ok(());
        }
        let finding = self.findings.entry(record.need("id")?.text()?);
        let affected = record.value().get("affected").and_then(Value::as_array);
        let affected = affected.unwrap_or_default().iter();
        for module in affected.filter_map(|one| one.pointer("/package/name")?.as_str()) {
            let purl = ecosystem::purl("Go", module, None);
            found_in(finding, module, None, purl.as_ref().map(Purl::as_str));
        }
        Ok(())
    }

    /// Gives what was found its other names.
    fn name(&mut self) {
        for (id, names) in &self.records {
            if self.findings.has(id) {
                self.findings.entry(id).aliases(names);
            }
        }
    }

    /// Why the stream cannot stand for a whole scan, for people, if it says what it did at all.
    fn why_not_whole(&self) -> Option<&'static str> {
        if self.is_fetching {
            return Some(
                "govulncheck fetched its database, and the report ends there: that it found no \
                 more says nothing",
            );
        }
        let is_open = self.is_query && self.any && self.findings.len() == 0;
        is_open.then_some(
            "whether the database answered, the report of a query does not say: that it has \
             nothing says nothing",
        )
    }
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
