//! `assay get`: one claim, proven to be in the log.

use crate::{config::Settings, exit::Failure, output, session};
use assay_claims::json::{self, Value};
use assay_claims::kind;
use assay_client::{
    Client, LeafRef, VerifiedEntry, plain, plain_json, replace_public,
    report::{claim, words},
};
use clap::Args;
use serde::Serialize;
use serde_json::value::RawValue;
use std::{
    io::{self, IsTerminal},
    path::{Path, PathBuf},
};

/// Fetch one claim, verify its signatures, and prove that it is in the log.
///
/// To see whether its signers satisfied their issuers' records, use `assay receipt` and `assay
/// verify`.
#[derive(Debug, Args)]
pub struct Command {
    /// The claim: its id (64 hex digits), its leaf number, or leaf:LEAFHASH
    #[arg(value_parser = session::leaf)]
    leaf: LeafRef,
    /// Write the signed statement to stdout, byte for byte, and nothing else
    #[arg(long, env = "ASSAY_PAYLOAD", value_parser = clap::builder::FalseyValueParser::new())]
    payload: bool,
    /// Also fetch the documents that the claim names, into this folder
    #[arg(long, env = "ASSAY_ATTACHMENTS", value_name = "DIR")]
    attachments: Option<PathBuf>,
}

#[derive(Debug, Serialize)]
struct GetView<'a> {
    #[serde(flatten)]
    claim: claim::Claim,
    leaf_hash: String,
    tree_size: u64,
    origin: String,
    statement: &'a RawValue,
    attachments: Vec<PathBuf>,
}

/// Runs the command.
pub async fn run(command: Command, settings: &Settings) -> Result<(), Failure> {
    settings.refuse_both("payload", "output", "the statement is written as it is")?;
    let read = async |client: &Client| {
        let entry = client.entry(command.leaf).await?;
        let attachments = match &command.attachments {
            Some(folder) => fetch_attachments(client, &entry, folder, settings).await?,
            None => vec![],
        };
        Ok((entry, attachments))
    };
    let (entry, attachments) = session::read(settings, read).await?;
    let payload = &entry.claim().claim().payload;
    if command.payload {
        return write_payload(payload);
    }
    let statement: &RawValue = serde_json::from_slice(payload).map_err(|e| {
        Failure::Failed(format!("the statement cannot be shown: {e}; try --payload"))
    })?;
    let view = GetView {
        claim: claim::Claim::new(
            entry.claim(),
            entry.index().get(),
            entry.entry().logged_at_ms(),
        ),
        leaf_hash: entry.entry().leaf_hash().to_string(),
        tree_size: entry.checkpoint().size().get(),
        origin: entry.checkpoint().origin().to_owned(),
        statement,
        attachments,
    };
    output::data(settings, || text(&entry, &view), &view)?;
    output::say(
        settings,
        &format!("next: assay receipt {}", entry.claim().id()),
    );
    Ok(())
}

/// The statement, byte for byte. On a terminal, which a stranger's bytes must not drive, what
/// cannot be seen is escaped as JSON has it.
fn write_payload(payload: &[u8]) -> Result<(), Failure> {
    if !io::stdout().is_terminal() {
        return output::bytes(payload);
    }
    output::text(&plain_json(&String::from_utf8_lossy(payload)))
}

fn text(entry: &VerifiedEntry, view: &GetView<'_>) -> String {
    let mut text = format!(
        "claim     {}\nsays      {}\nlogged    leaf {} of {} at {}\n",
        view.claim.claim_id,
        claim::says(entry.claim()),
        view.claim.leaf_index,
        plain(&view.origin),
        view.claim.logged_at
    );
    for signer in &view.claim.signers {
        text.push_str(&format!(
            "signer    issuer {} with key {}\n",
            signer.issuer_id,
            words::shorten(&signer.public_key)
        ));
    }
    for path in &view.attachments {
        text.push_str(&format!("attached  {}\n", path.display()));
    }
    text.push_str(&format!(
        "proven    in the log at size {}; its signatures verify\n\n",
        view.tree_size
    ));
    match json::parse(view.statement.get().as_bytes()) {
        Ok(statement) => pretty(&statement, 0, &mut text),
        Err(e) => text.push_str(&format!(
            "(the statement cannot be shown: {e}; try --payload)"
        )),
    }
    text
}

/// Appends JSON for people: indented, in the order in which it was written, unable to drive the
/// terminal. The parser limits the depth.
fn pretty(value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            out.push('{');
            for (i, (key, value)) in members.iter().enumerate() {
                begin_item(i, depth + 1, out);
                out.push_str(&plain_json(&json::string(key)));
                out.push_str(": ");
                pretty(value, depth + 1, out);
            }
            new_line(depth, out);
            out.push('}');
        }
        Value::Array(items) if !items.is_empty() => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                begin_item(i, depth + 1, out);
                pretty(item, depth + 1, out);
            }
            new_line(depth, out);
            out.push(']');
        }
        Value::String(text) => out.push_str(&plain_json(&json::string(text))),
        other => out.push_str(&other.to_json()),
    }
}

fn begin_item(i: usize, depth: usize, out: &mut String) {
    if i > 0 {
        out.push(',');
    }
    new_line(depth, out);
}

fn new_line(depth: usize, out: &mut String) {
    out.push('\n');
    out.push_str(&"  ".repeat(depth));
}

async fn fetch_attachments(
    client: &Client,
    entry: &VerifiedEntry,
    folder: &Path,
    settings: &Settings,
) -> Result<Vec<PathBuf>, Failure> {
    std::fs::create_dir_all(folder)
        .map_err(|e| Failure::io(format!("cannot make the folder {}", folder.display()), e))?;
    let mut paths = vec![];
    for named in kind::attachments(entry.claim().statement()) {
        let bar = output::progress(
            settings,
            "attachment",
            named.size.unwrap_or(0),
            output::Unit::Bytes,
        );
        let bytes = client.attachment(&named.sha256, |n| bar.inc(n)).await?;
        bar.finish_and_clear();
        // Named by digest, because somebody else chose the other name.
        let path = folder.join(named.sha256.to_hex());
        replace_public(&path, &bytes)
            .map_err(|e| Failure::io(format!("cannot write {}", path.display()), e))?;
        paths.push(path);
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_shown_in_its_own_order_and_reads_back() {
        let text = r#"{"z":[1.50,{"a":null},[],{}],"b":"x\u0007\u202e","c":true}"#;
        let mut shown = String::new();
        pretty(&json::parse(text.as_bytes()).unwrap(), 0, &mut shown);
        assert!(
            shown.starts_with("{\n  \"z\": [\n    1.50,\n    {\n      \"a\": null\n    },"),
            "{shown}"
        );
        assert!(shown.contains(r#""b": "x\u0007\u202e""#), "{shown}");
        assert!(json::parse(shown.as_bytes()).is_ok());
    }
}
