//! `assay get`: one claim, proven to be in the log.

use crate::{config::Settings, exit::Failure, output, session, subject, view};
use assay_claims::json::{self, Value};
use assay_claims::kind;
use assay_client::{Client, LeafRef, VerifiedEntry};
use clap::Args;
use serde::Serialize;
use serde_json::value::RawValue;
use std::path::{Path, PathBuf};

/// Fetch one claim, prove that it is in the log and check its signatures.
///
/// Whether its signers satisfied their issuers' records is `assay receipt` and `assay verify`.
#[derive(Debug, Args)]
pub struct Command {
    /// A claim id (64 hex digits), a leaf's number, or leaf:LEAFHASH
    #[arg(value_parser = session::leaf)]
    leaf: LeafRef,
    /// Write the signed statement to stdout, byte for byte, and nothing else
    #[arg(long, env = "ASSAY_PAYLOAD", value_parser = clap::builder::FalseyValueParser::new())]
    payload: bool,
    /// Fetch the documents that the claim names, too, into this folder
    #[arg(long, env = "ASSAY_ATTACHMENTS", value_name = "DIR")]
    attachments: Option<PathBuf>,
}

#[derive(Debug, Serialize)]
struct GetView<'a> {
    #[serde(flatten)]
    claim: view::ClaimView,
    leaf_hash: String,
    tree_size: u64,
    origin: String,
    statement: &'a RawValue,
    attachments: Vec<PathBuf>,
}

/// Runs the command.
pub async fn run(command: Command, settings: &Settings) -> Result<(), Failure> {
    let client = session::connect(settings).await?;
    let entry = client.entry(command.leaf).await?;
    let attachments = match &command.attachments {
        Some(folder) => fetch_attachments(&client, &entry, folder, settings).await?,
        None => vec![],
    };
    let payload = &entry.claim().claim().payload;
    if command.payload {
        return output::bytes(payload);
    }
    let statement: &RawValue = serde_json::from_slice(payload).map_err(|e| {
        Failure::Failed(format!(
            "the statement cannot be read back: {e}; try --payload"
        ))
    })?;
    let view = GetView {
        claim: view::ClaimView::new(
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

fn text(entry: &VerifiedEntry, view: &GetView<'_>) -> String {
    let mut text = format!(
        "claim     {}\nsays      {}\nlogged    leaf {} of {} at {}\n",
        view.claim.claim_id,
        view::says(entry.claim()),
        view.claim.leaf_index,
        output::plain(&view.origin),
        view.claim.logged_at
    );
    for signer in &view.claim.signers {
        text.push_str(&format!(
            "signer    issuer {} with key {}\n",
            signer.issuer_id,
            subject::shorten(&signer.public_key)
        ));
    }
    for path in &view.attachments {
        text.push_str(&format!("attached  {}\n", path.display()));
    }
    text.push_str(&format!(
        "proven    in the log of size {}; its signatures verify\n\n",
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

/// JSON for people: indented, in the order in which it was written, unable to drive the terminal.
/// The parser bounds the depth.
fn pretty(value: &Value, depth: usize, out: &mut String) {
    let string = |text: &str| json::string(&output::plain(text));
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.push_str(&"  ".repeat(depth));
    };
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (i, (key, value)) in members.iter().enumerate() {
                out.push_str(if i == 0 { "{" } else { "," });
                line(out, depth + 1);
                out.push_str(&string(key));
                out.push_str(": ");
                pretty(value, depth + 1, out);
            }
            line(out, depth);
            out.push('}');
        }
        Value::Array(items) if !items.is_empty() => {
            for (i, item) in items.iter().enumerate() {
                out.push_str(if i == 0 { "[" } else { "," });
                line(out, depth + 1);
                pretty(item, depth + 1, out);
            }
            line(out, depth);
            out.push(']');
        }
        Value::String(text) => out.push_str(&string(text)),
        other => out.push_str(&other.to_json()),
    }
}

async fn fetch_attachments(
    client: &Client,
    entry: &VerifiedEntry,
    folder: &Path,
    settings: &Settings,
) -> Result<Vec<PathBuf>, Failure> {
    std::fs::create_dir_all(folder)
        .map_err(|e| Failure::io(format!("cannot make {}", folder.display()), e))?;
    let statement = entry.claim().statement();
    let mut paths = vec![];
    for named in kind::attachments(statement) {
        let bar = output::progress(
            settings,
            "attachment",
            named.size.unwrap_or(0),
            output::Unit::Bytes,
        );
        let bytes = client.attachment(&named.sha256, |n| bar.inc(n)).await?;
        bar.finish_and_clear();
        // Named by digest: a name that somebody else chose is no file name.
        let path = folder.join(named.sha256.to_hex());
        std::fs::write(&path, &bytes)
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
        assert!(
            !shown.contains('\u{202e}') && !shown.contains("u0007"),
            "{shown}"
        );
        assert!(json::parse(shown.as_bytes()).is_ok());
    }
}
