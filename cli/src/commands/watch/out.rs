//! Showing what is new: a line, or a command that is run for it.

use crate::{exit::Failure, output};
use assay_client::plain_json;
use assay_client::report::{Line, ShownClaim, json::NewClaim, words};
use assay_client::webhook::Event;
use assay_tlog::Hash;
use serde::Serialize;
use std::{
    io::{self, Write},
    process::Stdio,
};
use tokio::{io::AsyncWriteExt, process::Command as Process};

/// How showing something went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// It is done.
    Done,
    /// Nobody reads any more.
    NobodyReads,
}

/// A claim for people: what it says, then who says it, in a few lines that are written at once.
pub(super) fn text_of(claim: &ShownClaim, lines: &[Line]) -> String {
    let says: Vec<&str> = lines.iter().map(|line| line.says.as_str()).collect();
    let (about, voices, why_not) = match lines.first() {
        Some(line) => (
            line.about.as_str(),
            words::voices(&line.issuers),
            line.why_not.as_deref(),
        ),
        None => (
            "",
            String::new(),
            Some("the log is none that your policy counts"),
        ),
    };
    let mut shown = format!(
        "{} {about}: {}\n    by {voices}\n",
        words::at(claim.claim.logged_at_ms),
        says.join("; ")
    );
    if let Some(why_not) = why_not {
        shown.push_str(&format!("    {why_not}\n"));
    }
    shown.push_str(&format!(
        "    leaf {} of {}, claim {}\n",
        claim.claim.leaf_index, claim.log, claim.claim.claim_id
    ));
    let lines = shown.lines();
    lines.map(|line| output::plain(line) + "\n").collect()
}

/// One line of JSON.
pub(super) fn json(view: &impl Serialize) -> Result<String, Failure> {
    let json = serde_json::to_string(view)
        .map_err(|e| Failure::io("cannot write JSON", io::Error::other(e)))?;
    Ok(plain_json(&json) + "\n")
}

/// The id and the JSON of the event that tells of a claim. It has an id of its own in each log.
pub(super) fn event_of(origin: &str, leaf: u64, new: &NewClaim<'_>) -> (String, String) {
    let id = format!("{}-{leaf}", Hash::of(origin.as_bytes()));
    let event = Event {
        id: &id,
        log: origin,
        kind: "assay.watch.claim",
        at_ms: new.claim.claim.logged_at_ms,
        data: new,
    };
    let event = event.to_json();
    (id, event)
}

/// Writes to stdout at once, and makes sure that it went out.
pub(super) fn write(text: &str) -> Result<Shown, Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(Shown::Done),
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(Shown::NobodyReads),
        Err(e) => Err(Failure::io("cannot write to stdout", e)),
    }
}

/// Runs a command of the shell with a claim on its stdin. It need not read it.
pub(super) async fn execute(command: &str, json: &str, leaf: u64) -> Result<(), Failure> {
    let failed = |e| Failure::io(format!("cannot run the command for leaf {leaf}"), e);
    let mut process = Process::new("sh")
        .arg("-c")
        .arg(command)
        .stdin(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(mut stdin) = process.stdin.take() {
        match stdin.write_all(json.as_bytes()).await {
            Err(e) if e.kind() != io::ErrorKind::BrokenPipe => return Err(failed(e)),
            _ => drop(stdin),
        }
    }
    let status = process.wait().await.map_err(failed)?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::NotMet(format!(
            "the command failed for leaf {leaf} ({status}); the next watch begins with it"
        )))
    }
}
