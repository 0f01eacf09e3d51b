//! Proofs of ours that torchwood verifies, and proofs by torchwood that ours verifies.

use super::tessera::{ORIGIN, entries};
use anyhow::{Context, ensure};
use assay_proto::v1::Wait;
use assay_tests::{
    interop::require_go,
    issuer::Actor,
    log::{Leaf, Log},
    process::{Node, assay},
    tessera::{TesseraLog, build_posix},
    torchwood::Torchwood,
    witness::Witness,
};
use assay_tlog::hash::leaf_hash;
use assay_tlog::note::SignerKey;
use assay_tlog::tlog_proof::TlogProof;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The receipts in a folder, as `assay receipt` writes them: where their proofs are.
fn proofs(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut proofs = Vec::new();
    for file in fs::read_dir(folder)? {
        let path = file?.path();
        if path.extension().is_some_and(|it| it == "tlog-proof") {
            proofs.push(path);
        }
    }
    Ok(proofs)
}

/// A line of a proof, by what it begins with.
fn line<'a>(proof: &'a str, begins: &str) -> anyhow::Result<&'a str> {
    let mut lines = proof.lines().filter_map(|line| line.strip_prefix(begins));
    lines.next().with_context(|| format!("no line {begins}"))
}

/// A log of ours that a witness cosigned, and the receipt of a claim in it.
struct World {
    node: Node,
    _witness: Witness,
    log: Log,
    folder: tempfile::TempDir,
    torchwood: Torchwood,
}

impl World {
    async fn new() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let torchwood = Torchwood::build(folder.path())?;
        let mut node = Node::init()?;
        let mut witness = Witness::init()?;
        witness.add_log(assay_tests::process::ORIGIN, &node.vkey()?)?;
        witness.run()?;
        let ready = witness.ready()?;
        let ([a, b], url) = ([&ready.vkeys[0], &ready.vkeys[1]], &ready.url);
        let keys = format!("witness a {a} {url}\nwitness b {b} {url}\ngroup w any a b\n");
        fs::write(
            node.folder().join("quorum.policy"),
            format!("{keys}quorum w\n"),
        )?;
        node.append_configuration("[quorum]\npolicy = \"quorum.policy\"")?;
        node.run()?;
        let log = Log::connect(node.ready()).await?;
        let world = World {
            node,
            _witness: witness,
            log,
            folder,
            torchwood,
        };
        // In torchwood's policies, a key is a voice of its own.
        let vkey = &world.node.ready().vkey;
        for (name, quorum) in [
            ("both", "group both all a b\nquorum both\n"),
            ("ml-dsa", "quorum b\n"),
            ("none", "quorum none\n"),
        ] {
            world.write(name, &format!("log {vkey}\n{keys}{quorum}"))?;
        }
        Ok(world)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> anyhow::Result<PathBuf> {
        let path = self.path(name);
        fs::write(&path, text)?;
        Ok(path)
    }

    /// Whether torchwood takes a proof under a policy.
    fn takes(&self, policy: &str, proof: &Path, entry: &[u8]) -> bool {
        let taken = self.torchwood.verify(&self.path(policy), proof, entry);
        taken.is_ok()
    }

    /// The entry that a proof is of.
    async fn entry(&self, proof: &str) -> anyhow::Result<Vec<u8>> {
        let index = line(proof, "index ")?.parse()?;
        let proven = self.log.entry(Leaf::Index(index)).await?;
        Ok(proven.entry.bytes().to_vec())
    }

    /// The exit code of `assay verify`.
    fn verify(&self, folder: &str) -> anyhow::Result<Option<i32>> {
        let key = &self.node.ready().vkey;
        let output = assay(self.folder.path(), &["verify", folder, "--log-key", key])?;
        Ok(output.status.code())
    }
}

/// The text with a letter or digit of one line changed, for each line that is somebody's word: all
/// but `extra`, which nobody authenticates.
fn changed(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut all = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let is_of_somebody = !line.is_empty() && !line.starts_with("extra ");
        if !is_of_somebody {
            continue;
        }
        let mut changed: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        let places = line
            .char_indices()
            .filter(|(_, c)| c.is_ascii_alphanumeric());
        let places: Vec<usize> = places.map(|(at, _)| at).collect();
        // In the middle, so that base64 stays canonical; of an index, the number.
        let at = if line.starts_with("index ") {
            places[places.len() - 1]
        } else {
            places[places.len() / 2]
        };
        let other = if &line[at..=at] == "1" { "2" } else { "1" };
        changed[number].replace_range(at..=at, other);
        all.push(changed.join("\n") + "\n");
    }
    all
}

/// Receipts as users get them pass torchwood under a quorum, by either algorithm, and nothing of
/// them can be changed. What torchwood proves, `assay verify` takes, and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn receipts_of_ours_and_proofs_of_torchwood_are_taken_by_the_other() -> anyhow::Result<()> {
    if !require_go("torchwood as a verifier") {
        return Ok(());
    }
    let world = World::new().await?;
    let issuer = Actor::new(&[1], 1);
    let registration = issuer.registration()?;
    world.log.publish(registration, Wait::Witnessed).await?;
    for number in 1..6 {
        world
            .log
            .publish(issuer.claim(number), Wait::Witnessed)
            .await?;
    }
    let answer = world.log.publish(issuer.claim(6), Wait::Witnessed).await?;
    let leaf = answer.leaf_index.to_string();
    let (url, vkey) = (&world.node.ready().url, &world.node.ready().vkey);
    let receipt = ["receipt", &leaf, "--log", url, "--log-key", vkey, "--out"];
    let output = assay(world.folder.path(), &[&receipt[..], &["ours"]].concat())?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{said}");

    let proofs = proofs(&world.path("ours"))?;
    // The claim, and its issuer's record.
    assert_eq!(proofs.len(), 2);
    for path in &proofs {
        let proof = fs::read_to_string(path)?;
        let entry = world.entry(&proof).await?;
        for policy in ["both", "ml-dsa", "none"] {
            world.torchwood.verify(&world.path(policy), path, &entry)?;
        }
        assert!(!world.takes("both", path, b"another entry"));
        let changed = changed(&proof);
        // The header, the index, hashes, three lines of the head, and the signatures.
        assert!(changed.len() >= 1 + 1 + 2 + 3 + 3, "{proof}");
        for text in changed {
            let other = world.write("changed.tlog-proof", &text)?;
            assert!(!world.takes("both", &other, &entry), "{text}");
        }
    }
    // Of a head that nobody else cosigned, it asks for more.
    let mut stranger = Witness::init()?;
    stranger.run()?;
    let theirs = &stranger.ready()?.vkeys[0];
    let policy = format!("log {vkey}\nwitness s {theirs}\nquorum s\n");
    world.write("stranger", &policy)?;
    let first = fs::read_to_string(&proofs[0])?;
    let entry = world.entry(&first).await?;
    assert!(!world.takes("stranger", &proofs[0], &entry));

    theirs_are_taken(&world, &issuer, &proofs).await
}

/// `assay verify` takes what torchwood makes under a later head in place of our proofs.
async fn theirs_are_taken(world: &World, issuer: &Actor, proofs: &[PathBuf]) -> anyhow::Result<()> {
    for number in 7..20 {
        world
            .log
            .publish(issuer.claim(number), Wait::Witnessed)
            .await?;
    }
    fs::create_dir(world.path("theirs"))?;
    let url = &world.node.ready().url;
    let mut made = Vec::new();
    for path in proofs {
        let ours = fs::read_to_string(path)?;
        let index = line(&ours, "index ")?.parse()?;
        let extra = line(&ours, "extra ")?;
        let theirs = world.torchwood.make(url, index, Some(extra))?;
        assert_ne!(theirs, ours.as_bytes());
        let name = path.file_name().context("no name")?;
        let claim = path.with_extension("intoto.jsonl");
        let to = world.path("theirs").join(name);
        fs::copy(claim, to.with_extension("intoto.jsonl"))?;
        fs::write(&to, &theirs)?;
        made.push((to, String::from_utf8(theirs)?));
    }
    assert_eq!(world.verify("ours")?, Some(0));
    assert_eq!(world.verify("theirs")?, Some(0));
    let (path, proof) = &made[0];
    let changed = changed(proof);
    // The last two are the witness's: they count for a policy that names it.
    for text in &changed[..changed.len() - 2] {
        fs::write(path, text)?;
        assert_eq!(world.verify("theirs")?, Some(4), "{text}");
    }
    fs::write(path, proof)?;
    assert_eq!(world.verify("theirs")?, Some(0));
    Ok(())
}

/// torchwood proves an entry of Tessera's log, and ours verifies that.
#[tokio::test(flavor = "multi_thread")]
async fn proofs_of_others_of_a_log_of_others_hold() -> anyhow::Result<()> {
    if !require_go("a proof of torchwood of a log of Tessera") {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let torchwood = Torchwood::build(folder.path())?;
    let key = SignerKey::from_seed(ORIGIN, &[5; 32])?;
    let vkey = key.verifier();
    let program = build_posix(folder.path())?;
    let log = TesseraLog::start(&program, &folder.path().join("log"), key)?;
    log.grow(&entries(0..1, "first")).await?;
    log.grow(&entries(1..300, "entry")).await?;
    let first = leaf_hash(b"first 0");
    for extra in [None, Some("ZXh0cmE=")] {
        let made = torchwood.make(&log.url, 0, extra)?;
        let proof = TlogProof::parse(&made)?;
        assert_eq!(proof.to_string().as_bytes(), made);
        let inclusion = proof.verify(&first, &vkey)?;
        assert_eq!(inclusion.checkpoint().size().get(), 300);
        assert!(proof.verify(&leaf_hash(b"first 1"), &vkey).is_err());
        for text in changed(&String::from_utf8(made)?) {
            let holds = TlogProof::parse(text.as_bytes())
                .is_ok_and(|proof| proof.verify(&first, &vkey).is_ok());
            assert!(!holds, "{text}");
        }
    }
    Ok(())
}
