//! `assay peers`: how the federation of a node is, as the node says it.

use crate::{config::Settings, exit::Failure, output, policy_file, session, time::now_ms};
use assay_client::{
    one_line,
    peers::{
        self, CosignerPart, FederationPage, LogPart, PeerPart, QuorumPart, WitnessPart,
        WitnessState,
    },
    plain,
};
use assay_policy::rules::Policy;
use assay_tlog::tlog_policy::TlogPolicy;
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;

/// Show whom a node works with, and how the witnesses of its log are
///
/// It asks the nodes and witnesses of your policy, or one. What they say is their own word: nothing
/// of it is signed. Exit code 3: one of them did not answer.
#[derive(Debug, Args)]
pub struct Command {
    /// A policy, whose logs and witnesses are asked [default: --policy, or else --log]
    #[arg(value_name = "POLICY", conflicts_with = "node")]
    of_policy: Option<PathBuf>,
    /// The node: http://HOST:PORT or https://HOST:PORT
    #[arg(long, value_name = "URL", env = "ASSAY_NODE")]
    node: Option<String>,
}

#[derive(Debug, Serialize)]
struct NodeView {
    node: String,
    #[serde(flatten)]
    page: Option<FederationPage>,
    /// Why it says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Debug, Serialize)]
struct PeersView {
    nodes: Vec<NodeView>,
}

/// Runs the command.
pub async fn run(command: Command, settings: &Settings) -> Result<(), Failure> {
    let urls = addresses(command, settings)?;
    session::look_at_addresses(settings, urls.iter().map(String::as_str))?;
    let mut nodes = Vec::new();
    for node in urls {
        let (page, reason) = match peers::federation(&node, &settings.tls).await {
            Ok(page) => (Some(page), None),
            Err(error @ assay_client::ClientError::Usage(_)) => return Err(error.into()),
            Err(error) => (None, Some(plain(&one_line(&error)))),
        };
        nodes.push(NodeView { node, page, reason });
    }
    let silent = nodes.iter().filter(|node| node.page.is_none()).count();
    let all = nodes.len();
    let view = PeersView { nodes };
    output::data(settings, || text(&view, now_ms() / 1000), &view)?;
    match silent {
        0 => Ok(()),
        _ => Err(Failure::Unanswered(format!(
            "{silent} of {all} did not say how they are"
        ))),
    }
}

/// Whom to ask, each once.
fn addresses(command: Command, settings: &Settings) -> Result<Vec<String>, Failure> {
    if let Some(node) = command.node {
        return Ok(vec![node]);
    }
    if command.of_policy.is_none() && settings.has_no_policy() {
        return Ok(vec![settings.log()?]);
    }
    let path = settings.policy(command.of_policy);
    let text = policy_file::read(&path)?;
    let mut urls: Vec<String> = Vec::new();
    // The policy of a node has words where ours has tables, so that no text is both.
    match TlogPolicy::parse(&text) {
        Ok(tlog) => add_tlog(&mut urls, &tlog),
        Err(_) => add_policy(&mut urls, &policy_file::parse(&path, &text)?),
    }
    if urls.is_empty() {
        urls.push(settings.log()?);
    }
    Ok(urls)
}

fn add_policy(urls: &mut Vec<String>, policy: &Policy) {
    for log in policy.logs() {
        add(urls, log.url.as_deref());
    }
    if let Some(tlog) = policy.tlog() {
        add_tlog(urls, tlog);
    }
}

fn add_tlog(urls: &mut Vec<String>, tlog: &TlogPolicy) {
    for log in tlog.logs() {
        add(urls, log.url.as_deref());
    }
    for witness in tlog.witnesses() {
        add(urls, witness.url.as_deref());
    }
}

fn add(urls: &mut Vec<String>, url: Option<&str>) {
    let Some(url) = url.map(|url| url.trim_end_matches('/')) else {
        return;
    };
    if !urls.iter().any(|known| known == url) {
        urls.push(url.to_owned());
    }
}

fn text(view: &PeersView, now: u64) -> String {
    let mut lines = Vec::new();
    for node in &view.nodes {
        lines.push(plain(&node.node));
        match (&node.page, &node.reason) {
            (Some(page), _) => page_lines(page, now, &mut lines),
            (None, Some(reason)) => lines.push(format!("  DOES NOT ANSWER  {reason}")),
            (None, None) => {}
        }
    }
    lines.join("\n")
}

fn page_lines(page: &FederationPage, now: u64, lines: &mut Vec<String>) {
    if let Some(log) = &page.log {
        lines.push(log_line(log));
    }
    if let Some(quorum) = &page.quorum {
        lines.push(quorum_line(quorum, now));
        lines.extend(quorum.witnesses.iter().map(witness_line));
    }
    for (what, part) in [("witness", &page.witness), ("mirror", &page.mirror)] {
        if let Some(part) = part {
            lines.push(cosigner_line(what, part));
        }
    }
    for copy in &page.copies {
        let (origin, words) = (plain(&copy.origin), plain(&copy.words()));
        lines.push(format!("    {origin}  {words}"));
    }
    lines.extend(page.peers.iter().map(peer_line));
    for list in &page.log_lists {
        let (source, logs) = (plain(&list.source), list.logs);
        lines.push(format!("  list     {source}: {logs} logs"));
    }
}

fn log_line(log: &LogPart) -> String {
    let origin = plain(&log.origin);
    let shown = match log.size {
        Some(size) => format!("{size} entries"),
        None => "shows nothing: no quorum has cosigned it yet".to_owned(),
    };
    format!("  log      {origin}, {shown}{}", rotation(&log.vkeys, 1))
}

/// That keys are being rotated, if there are more than there are when they are not.
fn rotation(vkeys: &[String], usual: usize) -> &'static str {
    if vkeys.len() > usual {
        "; its key is being rotated"
    } else {
        ""
    }
}

fn quorum_line(quorum: &QuorumPart, now: u64) -> String {
    let (least, all, spare) = (quorum.least, quorum.operators, quorum.spare);
    let last = match quorum.cosigned_at {
        Some(at) => format!("last met {} s ago", now.saturating_sub(at)),
        None => "not met since the node started".to_owned(),
    };
    let safe = if quorum.safe {
        ""
    } else {
        "; NOT SAFE: fewer than a third of them can let it show two histories"
    };
    format!("  quorum   {least} of {all} operators, {spare} may be down; {last}{safe}")
}

fn witness_line(witness: &WitnessPart) -> String {
    let name = plain(&witness.name);
    let state = match witness.state {
        WitnessState::Cosigns => "cosigns",
        WitnessState::Fails => "FAILS",
        WitnessState::RolledBack => "FORGOT what it cosigned, and does not count",
        WitnessState::Convicted => "CONVICTED of misbehavior, and does not count",
        WitnessState::Unknown => "has not answered yet",
    };
    let mut line = format!("    {name}  {state}, {} entries", witness.size);
    if let Some(latency) = witness.latency_ms {
        line += &format!(", {latency} ms");
    }
    if witness.failures > 0 {
        line += &format!(", failures: {}", witness.failures);
    }
    if let Some(reason) = &witness.reason {
        line += &format!("; {}", plain(reason));
    }
    line
}

fn cosigner_line(what: &str, part: &CosignerPart) -> String {
    let (name, logs, most) = (plain(&part.name), part.logs, part.capacity);
    let rotated = rotation(&part.vkeys, 2);
    format!("  {what:8} {name}, {logs} logs of at most {most}{rotated}")
}

fn peer_line(peer: &PeerPart) -> String {
    let (name, url) = (plain(&peer.name), plain(&peer.url));
    let roles = peer.roles.join(", ");
    let roles = plain(&roles);
    let what = match (&peer.log, &peer.witness) {
        (Some(log), _) => format!("log {}", plain(log)),
        (None, Some(witness)) => format!("witness {}", plain(witness)),
        (None, None) => "neither log nor witness".to_owned(),
    };
    format!("  peer     {name}  {url}  {what}  ({roles})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_node_says_is_in_words() {
        let witness = |name: &str, state, reason: Option<&str>| WitnessPart {
            name: name.to_owned(),
            state,
            size: 17,
            latency_ms: Some(4),
            failures: u64::from(reason.is_some()),
            reason: reason.map(str::to_owned),
            ..WitnessPart::default()
        };
        let page = FederationPage {
            log: Some(LogPart {
                origin: "a\u{1b}[2J".to_owned(),
                vkeys: vec!["1".to_owned(), "2".to_owned()],
                size: Some(17),
            }),
            quorum: Some(QuorumPart {
                least: 3,
                operators: 4,
                spare: 1,
                safe: true,
                cosigned_at: Some(98),
                witnesses: vec![
                    witness("b/w", WitnessState::Cosigns, None),
                    witness("c/w", WitnessState::Fails, Some("it sleeps")),
                ],
            }),
            ..FederationPage::default()
        };
        let nodes = vec![
            NodeView {
                node: "http://a".to_owned(),
                page: Some(page),
                reason: None,
            },
            NodeView {
                node: "http://b".to_owned(),
                page: None,
                reason: Some("no answer".to_owned()),
            },
        ];
        let said = text(&PeersView { nodes }, 100);
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(
            lines[1..],
            [
                "  log      a\\u{1b}[2J, 17 entries; its key is being rotated",
                "  quorum   3 of 4 operators, 1 may be down; last met 2 s ago",
                "    b/w  cosigns, 17 entries, 4 ms",
                "    c/w  FAILS, 17 entries, 4 ms, failures: 1; it sleeps",
                "http://b",
                "  DOES NOT ANSWER  no answer",
            ]
        );
    }
}
