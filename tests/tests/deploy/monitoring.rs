//! Dashboard and alerts name metrics that a node has, and each alert has its entry in the runbook.

use super::{deploy, done};
use anyhow::{Context, ensure};
use assay_tests::data;
use assay_tests::debian::require_program;
use assay_tests::process::{Node, assay, binaries, new_key, poll};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const DASHBOARD: &str = "grafana/assay.json";
const ALERTS: &str = "prometheus/alerts.yml";
const RUNBOOK: &str = "https://github.com/assay-log/assay/blob/main/deploy/RUNBOOK.md#";

/// What a log that took one claim shows. The others come with what they count.
const SHOWN: &[&str] = &[
    "assay_attachment_bytes",
    "assay_clock_behind_seconds",
    "assay_commit_seconds",
    "assay_entries_total",
    "assay_gossip_rounds_total",
    "assay_gossip_suspects",
    "assay_gossip_unlinked_heads",
    "assay_held_bytes",
    "assay_index_labels",
    "assay_index_pages_bytes",
    "assay_index_seconds",
    "assay_log_lines_lost_total",
    "assay_publish_seconds",
    "assay_published_size",
    "assay_scrub_progress",
    "assay_store_damaged",
    "assay_sync_seconds",
    "assay_sync_waiting_seconds",
    "assay_tree_size",
    "assay_witness_clock_wrong",
];

fn read(name: &str) -> anyhow::Result<String> {
    fs::read_to_string(deploy().join(name)).with_context(|| name.to_owned())
}

/// The names of our metrics in a text.
fn names(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with("assay_")).collect()
}

/// What the Rust files below a folder say.
fn sources(folder: &Path) -> String {
    let files = data::files(folder).into_iter();
    let rust = files.filter(|path| path.extension().is_some_and(|end| end == "rs"));
    rust.map(|path| data::read_text(&path)).collect()
}

/// Literals of the node's source that are a name of a metric and nothing else.
fn metrics_of_the_node(source: &str) -> BTreeSet<&str> {
    let pieces = source.split('"');
    pieces
        .filter(|piece| names(piece).first() == Some(piece))
        .collect()
}

#[test]
fn dashboard_and_alerts_name_what_a_node_has() -> anyhow::Result<()> {
    let source = sources(&deploy().join("../node/src"));
    let of_the_node = metrics_of_the_node(&source);
    let (dashboard, alerts) = (read(DASHBOARD)?, read(ALERTS)?);
    let shown = names(&dashboard);
    assert_eq!(shown, of_the_node, "all that a node has, and nothing else");
    let alerted = names(&alerts);
    let unknown: Vec<_> = alerted.difference(&of_the_node).collect();
    assert!(unknown.is_empty() && alerted.len() > 20, "{unknown:?}");
    Ok(())
}

#[test]
fn a_node_shows_what_the_dashboard_does() -> anyhow::Result<()> {
    let witness = ["--witness", "one.example/w", "--mirror", "one.example/m"];
    let mut node = Node::init_with("one.example/log", &witness)?;
    node.run()?;
    let ready = node.ready();
    new_key(node.folder(), "me.pem")?;
    let register = ["issuer", "register", "--name", "Me", "--key", "me.pem"];
    let log = [
        "--log",
        ready.url.as_str(),
        "--log-key",
        ready.vkey.as_str(),
    ];
    let registered = assay(node.folder(), &[&register[..], &log[..]].concat())?;
    let said = String::from_utf8_lossy(&registered.stderr);
    ensure!(registered.status.success(), "{said}");
    // Some come with the first round of what runs beside.
    let url = format!("{}/metrics", ready.admin);
    poll(|| {
        let metrics = done(Command::new("curl").args(["-fsS", &url]))?.stdout;
        let metrics = String::from_utf8(metrics)?;
        let mut lines = SHOWN.iter().map(|name| format!("\n{name}"));
        Ok(lines.all(|line| metrics.contains(&line)).then_some(()))
    })?;
    let dashboard = read(DASHBOARD)?;
    assert!(SHOWN.iter().all(|it| names(&dashboard).contains(it)));
    Ok(())
}

/// The alerts, each with its address in the runbook.
fn alerts(text: &str) -> anyhow::Result<Vec<(&str, &str)>> {
    let mut found = Vec::new();
    for alert in text.split("- alert: ").skip(1) {
        let name = alert.lines().next().context("an alert has a name")?;
        let (_, url) = alert
            .split_once("runbook_url: ")
            .context(alert.to_owned())?;
        found.push((name, url.lines().next().unwrap_or_default()));
    }
    Ok(found)
}

#[test]
fn each_alert_has_an_entry_in_the_runbook() -> anyhow::Result<()> {
    let (rules, runbook) = (read(ALERTS)?, read("RUNBOOK.md")?);
    let (_, entries) = runbook.split_once("\n## Alerts\n").context("no entries")?;
    let entries: Vec<&str> = entries
        .lines()
        .filter_map(|line| line.strip_prefix("### "))
        .collect();
    let mut alerted = Vec::new();
    for (name, url) in alerts(&rules)? {
        let anchor = url.strip_prefix(RUNBOOK).context(name.to_owned())?;
        assert_eq!(anchor, name.to_lowercase());
        alerted.push(name);
    }
    assert_eq!(alerted, entries, "in this order");
    Ok(())
}

/// The commands of ours that the runbook has: in backticks, or a line of a block.
fn commands(runbook: &str) -> Vec<Vec<&str>> {
    let (mut all, mut text) = (Vec::new(), runbook);
    while let Some((_, rest)) = text.split_once('`') {
        let end = if rest.starts_with("``") { "```" } else { "`" };
        let Some((span, after)) = rest.trim_start_matches('`').split_once(end) else {
            break;
        };
        let lines = if end == "`" { 1 } else { usize::MAX };
        for command in span.splitn(lines, '\n') {
            let words: Vec<&str> = command.split_whitespace().collect();
            if matches!(words[..], ["assay" | "assay-node", _, ..]) {
                all.push(words);
            }
        }
        text = after;
    }
    all
}

fn is_word(word: &str) -> bool {
    !word.starts_with("--") && word.chars().all(|c| c.is_ascii_lowercase() || c == '-')
}

#[test]
fn commands_of_the_runbook_are_commands() -> anyhow::Result<()> {
    let runbook = read("RUNBOOK.md")?;
    let commands = commands(&runbook);
    ensure!(commands.len() > 8, "{commands:?}");
    for command in commands {
        let words = command.iter().take_while(|it| is_word(it));
        let mut help = Command::new(binaries().join(command[0]));
        let help = done(help.args(words.skip(1)).arg("--help"))?.stdout;
        let help = String::from_utf8(help)?;
        for option in command.iter().filter(|it| it.starts_with("--")) {
            assert!(help.contains(option), "{command:?}: no {option}: {help}");
        }
    }
    Ok(())
}

/// Writes the questions of the dashboard as rules, which is what promtool reads.
fn questions(folder: &Path) -> anyhow::Result<PathBuf> {
    let dashboard: Value = serde_json::from_str(&read(DASHBOARD)?)?;
    let panels = dashboard["panels"].as_array().context("panels")?;
    let mut rules = Vec::new();
    for target in panels
        .iter()
        .flat_map(|it| it["targets"].as_array())
        .flatten()
    {
        let question = target["expr"].as_str().context("a question")?;
        let question = question.replace("$__rate_interval", "5m");
        let record = format!("question{}", rules.len());
        rules.push(serde_json::json!({ "record": record, "expr": question }));
    }
    ensure!(rules.len() > 50, "{} questions", rules.len());
    let groups = serde_json::json!({ "groups": [{ "name": "dashboard", "rules": rules }] });
    // JSON is YAML.
    let file = folder.join("questions.yml");
    fs::write(&file, groups.to_string())?;
    Ok(file)
}

#[test]
fn promtool_takes_the_alerts() -> anyhow::Result<()> {
    let Some(promtool) = require_program("promtool", "the alerts") else {
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    let rules = [deploy().join(ALERTS), questions(folder.path())?];
    done(Command::new(&promtool).args(["check", "rules"]).args(rules))?;
    let tests = deploy().join("prometheus/tests.yml");
    done(Command::new(&promtool).args(["test", "rules"]).arg(tests))?;
    Ok(())
}
