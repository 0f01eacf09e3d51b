//! A node that copies other logs, and what it shows of them.

use crate::process::{Node, binaries, poll_async};
use anyhow::{Context, ensure};
use assay_tlog::Hash;
use assay_tlog::cosigner::CosignerVerifier;
use assay_tlog::head::{LogVerifier, VerifiedHead};
use assay_tlog::note::VerifierKey;
use assay_tlog::tree::{Resource, TileIndex, TilePath, TreeSize};
use std::{process::Command, time::Duration};

/// Longest time that a mirror may take for what a test waits for.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A node with a mirror.
#[derive(Debug)]
pub struct Mirror {
    /// The node.
    pub node: Node,
    /// The mirror's keys, as `init` printed them.
    pub vkeys: Vec<String>,
    /// What they verify.
    pub own: CosignerVerifier,
}

impl Mirror {
    /// Makes a node whose mirror has a name; it does not run. `more` are lines of `[mirror]`.
    pub fn init(name: &str, more: &str) -> anyhow::Result<Self> {
        let node = Node::init_as("mirror.example/log")?;
        let output = Command::new(binaries().join("assay-node"))
            .args(["mirror", "init", "--name", name, "--dir"])
            .arg(node.folder())
            .output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "mirror init: {said}");
        let printed = String::from_utf8(output.stdout)?;
        let vkeys: Vec<String> = printed.lines().map(str::to_owned).collect();
        let own: Result<Vec<_>, _> = vkeys.iter().map(|key| VerifierKey::parse(key)).collect();
        node.append_configuration(&format!(
            "[mirror]\nname = {name:?}\nml_dsa_44_key = \"mirror-ml-dsa-44.key\"\n{more}"
        ))?;
        Ok(Mirror {
            node,
            vkeys,
            own: CosignerVerifier::new(own?)?,
        })
    }

    /// Adds a log to the configuration.
    pub fn add_log(&self, origin: &str, vkey: &str, url: &str) -> anyhow::Result<()> {
        self.node.append_configuration(&format!(
            "[[mirror.log]]\norigin = {origin:?}\nkeys = [{vkey:?}]\nurl = {url:?}"
        ))
    }

    /// Where the copy of a log is.
    pub fn copy_of(&self, origin: &str) -> String {
        let digest = Hash::of(origin.as_bytes());
        format!("{}/mirror/{digest}", self.node.ready().url)
    }

    /// What it shows of a log, with its cosignatures verified; none if it shows nothing.
    pub async fn shown(&self, log: &LogVerifier) -> anyhow::Result<Option<VerifiedHead>> {
        let answer = reqwest::get(format!("{}/checkpoint", self.copy_of(log.origin()))).await?;
        if answer.status() == 404 {
            return Ok(None);
        }
        let note = answer.error_for_status()?.text().await?;
        let cosigned = self.own.verify(&note)?;
        ensure!(cosigned.statements().len() == 2, "one line for each key");
        Ok(Some(log.verify(&note)?))
    }

    /// Waits until it shows a head of this size of a log.
    pub async fn until_shown(&self, log: &LogVerifier, size: u64) -> anyhow::Result<VerifiedHead> {
        let found = poll_async(async || {
            let head = self.shown(log).await?;
            Ok(head.filter(|head| head.size().get() == size))
        });
        found
            .await
            .with_context(|| format!("not {size}: {}", self.node.stderr()))
    }

    /// Waits until it has failed in this way to copy a log, so often.
    pub async fn until_failed(&self, origin: &str, kind: &str, times: u64) -> anyhow::Result<()> {
        let failed = poll_async(async || {
            let metrics = reqwest::get(format!("{}/metrics", self.node.ready().admin)).await?;
            let metrics = metrics.error_for_status()?.text().await?;
            let mut lines = metrics.lines().filter(|line| {
                line.starts_with("assay_mirror_failures_total{")
                    && line.contains(&format!("log={origin:?}"))
                    && line.contains(&format!("kind={kind:?}"))
            });
            let count = lines.next().and_then(|line| line.rsplit(' ').next());
            let count = count.and_then(|count| count.parse::<u64>().ok());
            Ok(count.filter(|count| *count >= times).map(drop))
        });
        failed
            .await
            .with_context(|| format!("never {kind}: {}", self.node.stderr()))
    }
}

/// Every tile and bundle of a tree, as a server has it.
pub async fn published(base: &str, size: TreeSize) -> anyhow::Result<Vec<Vec<u8>>> {
    let mut all = Vec::new();
    for level in 0..3 {
        for index in 0.. {
            let tile = TileIndex { level, index };
            let width = tile.width_at(size);
            if width == 0 {
                break;
            }
            let mut paths = vec![TilePath::new(Resource::Tile(tile), width)?];
            if level == 0 {
                paths.push(TilePath::new(Resource::Entries(index), width)?);
            }
            for path in paths {
                let answer = reqwest::get(format!("{base}/{path}")).await?;
                let answer = answer.error_for_status().context(path.to_path())?;
                all.push(answer.bytes().await?.to_vec());
            }
        }
    }
    Ok(all)
}
