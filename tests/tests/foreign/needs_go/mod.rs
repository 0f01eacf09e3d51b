//! What the tests share: the four witnesses.

mod copied;
mod cosign;
mod load;
mod proofs;
mod table;
mod tessera;

use assay_tests::{
    aics::{AicsWitness, require_python},
    interop::require_go,
    litewitness::{self, LiteWitness},
    omniwitness::{self, OmniWitness},
    ssh_agent::require_ssh_agent,
    witness::Witness,
};
use std::path::Path;

/// A witness of each project, all of the same logs. Dropping it ends them.
struct Witnesses {
    folder: tempfile::TempDir,
    programs: &'static Path,
    lite: LiteWitness,
    omni: OmniWitness,
    aics: AicsWitness,
    ours: Witness,
}

impl Witnesses {
    /// Starts them. None if something is missing here, which was said.
    fn start(what: &str, logs: &[(String, String)]) -> anyhow::Result<Option<Self>> {
        if !require_go(what) || !require_ssh_agent("litewitness") {
            return Ok(None);
        }
        let Some(programs) = require_python(what) else {
            return Ok(None);
        };
        let folder = tempfile::tempdir()?;
        let at = folder.path();
        let lite = litewitness::Programs::build(at)?;
        let omni = omniwitness::Programs::build(at)?;
        let lite = LiteWitness::start(&lite, at, "lite.example/w", logs)?;
        let omni = OmniWitness::start(&omni, at, "omni.example/w", logs)?;
        let aics = AicsWitness::start(programs, at, "aics.example/w", logs)?;
        let mut ours = Witness::init()?;
        for (origin, vkey) in logs {
            ours.add_log(origin, vkey)?;
        }
        ours.run()?;
        Ok(Some(Witnesses {
            folder,
            programs,
            lite,
            omni,
            aics,
            ours,
        }))
    }

    /// A policy with all of them, without a log: a quorum is every one of the four, by either key
    /// of those that have two.
    fn policy(&self) -> anyhow::Result<String> {
        let ours = self.ours.ready()?;
        let mut text = String::new();
        for (name, vkeys, url) in [
            ("omni", &self.omni.vkeys, &self.omni.url),
            ("ours", &ours.vkeys, &ours.url),
        ] {
            let [a, b] = [&vkeys[0], &vkeys[1]];
            text += &format!("witness {name}-a {a} {url}\nwitness {name}-b {b} {url}\n");
            text += &format!("group {name} any {name}-a {name}-b\n");
        }
        text += &format!("witness lite {} {}\n", self.lite.vkey, self.lite.url);
        text += &format!("witness aics {} {}\n", self.aics.vkey, self.aics.url);
        Ok(text + "group four all omni ours lite aics\nquorum four\n")
    }
}
