//! Nodes that gossip, and what a test asks them.

use anyhow::{Context, ensure};
use assay_tests::ports::free_address;
use assay_tests::process::{Node, binaries, poll_async};
use assay_tests::witness::History;
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

/// The log that everybody knows and nobody runs.
pub const ORIGIN: &str = "log.example/f";

/// Nodes that are peers of each other. Each is a witness, too.
pub struct World {
    pub nodes: Vec<Node>,
    pub folder: tempfile::TempDir,
    http: reqwest::Client,
}

/// Asks again until there is an answer: another process does something.
pub async fn until<T>(
    what: &str,
    ask: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let answer = poll_async(ask).await;
    answer.with_context(|| format!("{what} did not come"))
}

/// Runs `assay-node peer COMMAND --config CONFIG …`, which has to succeed, and returns what it
/// printed.
pub fn peer(node: &Node, arguments: &[&str]) -> anyhow::Result<String> {
    let (command, rest) = arguments.split_first().context("no command")?;
    let output = Command::new(binaries().join("assay-node"))
        .args(["peer", command, "--config"])
        .arg(node.folder().join("node.toml"))
        .args(rest)
        .stdin(Stdio::null())
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{arguments:?}: {said}");
    Ok(String::from_utf8(output.stdout)?)
}

/// The card of somebody who has a log and is at `url`.
pub fn card(name: &str, url: &str, log: Option<&History>, roles: &str) -> String {
    let log = log.map(|log| format!("log = [{:?}]\n", log.vkey()));
    let log = log.unwrap_or_default();
    format!("[[peer]]\nname = {name:?}\nurl = {url:?}\n{log}roles = [{roles}]\n")
}

impl World {
    /// Nodes with these names, none of which runs yet, with these other peers, whose roles and keys
    /// are in their cards. Those of `mirrors` copy the logs of all their peers.
    pub fn new(names: &[&str], others: &str, mirrors: &[&str]) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let (mut nodes, mut cards) = (Vec::new(), Vec::new());
        for name in names {
            let witness = format!("{name}.example/witness");
            let mirror = format!("{name}.example/mirror");
            let mut arguments = vec!["--witness", witness.as_str()];
            if mirrors.contains(name) {
                arguments.extend(["--mirror", mirror.as_str()]);
            }
            let node = Node::init_with(&format!("{name}.example/log"), &arguments)?;
            let address = free_address()?;
            node.configure(&format!(
                "server.listen = \"{address}\"\nfederation.gossip_interval_ms = 500"
            ))?;
            let (name, url) = (format!("{name}.example"), format!("http://{address}"));
            cards.push(peer(&node, &["card", "--name", &name, "--url", &url])?);
            nodes.push(node);
        }
        let path = folder.path().join("peers");
        let path_text = path.to_str().context("no text")?;
        for (at, node) in nodes.iter().enumerate() {
            let theirs = cards.iter().enumerate().filter(|(other, _)| *other != at);
            let theirs = theirs.map(|(_, card)| card.as_str());
            let text: Vec<&str> = theirs.chain([others]).collect();
            fs::write(&path, text.join("\n"))?;
            let mut add = vec!["add", path_text];
            if mirrors.contains(&names[at]) {
                add.push("--mirror");
            }
            peer(node, &add)?;
        }
        // A node that was killed has closed what is kept open.
        let http = reqwest::Client::builder().pool_max_idle_per_host(0);
        let http = http.build()?;
        Ok(World {
            nodes,
            folder,
            http,
        })
    }

    pub fn run(&mut self) -> anyhow::Result<()> {
        self.nodes.iter_mut().try_for_each(Node::run)
    }

    pub fn url(&self, at: usize) -> &str {
        &self.nodes[at].ready().url
    }

    /// Asks a node's witness to cosign. Returns the status.
    pub async fn add(&self, at: usize, body: String) -> anyhow::Result<u16> {
        let url = format!("{}/add-checkpoint", self.url(at));
        Ok(self
            .http
            .post(url)
            .body(body)
            .send()
            .await?
            .status()
            .as_u16())
    }

    /// Submits heads, as a person would who has no client.
    pub async fn submit(&self, at: usize, notes: String) -> anyhow::Result<(u16, String)> {
        let url = format!("{}/heads", self.url(at));
        let answer = self.http.post(url).body(notes).send().await?;
        Ok((answer.status().as_u16(), answer.text().await?))
    }

    pub async fn get(&self, url: &str) -> anyhow::Result<String> {
        let answer = self.http.get(url).send().await?.error_for_status()?;
        Ok(answer.text().await?)
    }

    /// The sum of a metric over all its labels that have this in them.
    pub async fn metric(&self, at: usize, name: &str, label: &str) -> anyhow::Result<f64> {
        let url = format!("{}/metrics", self.nodes[at].ready().admin);
        let text = self.get(&url).await?;
        let lines = text.lines().filter(|line| {
            let rest = line.strip_prefix(name);
            rest.is_some_and(|rest| rest.starts_with([' ', '{'])) && line.contains(label)
        });
        let values = lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
        Ok(values.sum())
    }

    pub async fn rounds(&self, at: usize) -> anyhow::Result<f64> {
        self.metric(at, "assay_gossip_rounds_total", "").await
    }

    /// Waits until a node keeps misbehavior of the log. Returns the file.
    pub async fn evidence(&self, at: usize) -> anyhow::Result<String> {
        let list = format!("{}/misbehavior", self.url(at));
        let id = until("evidence", async || {
            let listed = self.get(&list).await?;
            let line = listed
                .lines()
                .find(|line| line.ends_with(&format!("log {ORIGIN}")));
            Ok(line
                .and_then(|line| line.split(' ').next())
                .map(str::to_owned))
        });
        let id = id.await.with_context(|| self.nodes[at].stderr())?;
        self.get(&format!("{list}/{id}")).await
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}
