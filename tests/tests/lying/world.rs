//! A real node with something in it, a liar at its address, and those who ask: the client library and the program.

use anyhow::Context;
use assay_client::{
    AnswerCache, Client, ClientError, Config, Tls,
    gather::{Gathered, Source, gather},
};
use assay_core::{
    claim::{ClaimId, PublicKey},
    entry::wire,
    index::{Kind, Label, Prefix, Query},
    issuer::IssuerId,
    json::Value,
    note::VerifierKey,
    predicate::{key_compromise::KeyCompromise, withdrawal::Withdrawal},
    purl::Purl,
    statement::{Statement, Subject},
};
use assay_proto::v1::{self, Wait};
use assay_tests::{
    issuer::{Actor, signed},
    liar::Liar,
    log::Log,
    lying::Proxy,
    process::{Node, assay},
};
use std::{path::Path, process::Output};
use tempfile::TempDir;

/// What everybody asks about.
pub const ASKED: &str = "pkg:cargo/alpha@1.0.0";

/// Where each claim is.
#[derive(Debug, Clone, Copy)]
pub struct Leaves {
    /// A claim about what is asked for.
    pub claim: u64,
    /// A claim about another version, and its withdrawal.
    pub withdrawn: u64,
    pub withdrawal: u64,
    /// A claim of a second issuer about another package, its next record and the compromise of its first key.
    pub beta: u64,
    pub rotation: u64,
    pub compromise: u64,
}

pub struct World {
    pub node: Node,
    pub log: Log,
    pub proxy: Proxy,
    /// Knows the whole log, and lies about nothing yet.
    pub liar: Liar,
    pub leaves: Leaves,
    pub first: Actor,
    pub second: Actor,
    folder: TempDir,
}

pub fn package(name: &str) -> Label {
    Label::new(Kind::Package, &format!("pkg:cargo/{name}"))
}

pub fn version(purl: &str) -> Label {
    Label::new(Kind::Version, purl)
}

/// The label of an issuer as what others speak of.
pub fn about(issuer: &IssuerId) -> Label {
    Label::new(Kind::Digest, &format!("sha256:{issuer}"))
}

/// Some statement about a package.
pub fn statement(purl: &str) -> anyhow::Result<Statement> {
    let subject = Subject::package(Purl::parse_canonical(purl)?);
    Ok(Statement::new(vec![subject], "https://example.com/note/v1", Value::Object(vec![]))?)
}

fn payload(purl: &str) -> anyhow::Result<Vec<u8>> {
    Ok(statement(purl)?.to_json().as_bytes().to_vec())
}

impl World {
    pub async fn start() -> anyhow::Result<Self> {
        let node = Node::start_with("log.publish_interval_ms = 1")?;
        let log = Log::connect(node.ready()).await?;
        let (first, second) = (Actor::new(&[1], 1), Actor::new(&[2], 1));
        let next = second.next(&[3], 1)?;
        let publish = async |claim: wire::Claim| anyhow::Ok(log.publish(claim, Wait::Integrated).await?.leaf_index);
        publish(first.registration()?).await?;
        publish(second.registration()?).await?;
        let claim = publish(first.sign(&payload(ASKED)?)).await?;
        let target = payload("pkg:cargo/alpha@2.0.0")?;
        let withdrawn = publish(first.sign(&target)).await?;
        let withdrawal = Withdrawal {
            target: ClaimId::of_payload(&target),
            reason: "it was wrong".into(),
            superseded_by: None,
        };
        let withdrawal = publish(first.sign(withdrawal.statement()?.to_json().as_bytes())).await?;
        let beta = publish(second.sign(&payload("pkg:cargo/beta@1.0.0")?)).await?;
        let compromise = KeyCompromise {
            issuer: second.id,
            key: PublicKey::from(&second.keys[0]),
            from_index: beta,
            reason: None,
        };
        let compromise = compromise.statement()?;
        let rotation = publish(signed(&next.id, &next.record, &[&second.keys[0], &next.keys[0]])?).await?;
        let compromise = publish(next.sign(compromise.to_json().as_bytes())).await?;
        let leaves = Leaves { claim, withdrawn, withdrawal, beta, rotation, compromise };
        let liar = Liar::new(log.entries(0, 0).await?, &[])?;
        let proxy = Proxy::start(node.ready()).await?;
        let folder = tempfile::tempdir()?;
        Ok(World { node, log, proxy, liar, leaves, first, second, folder })
    }

    /// Entries of the log.
    pub fn size(&self) -> u64 {
        self.liar.entries.len() as u64
    }

    /// Somebody with the same entries who leaves some of them out of the index.
    pub fn hiding(&self, leaves: &[u64]) -> anyhow::Result<Liar> {
        Liar::new(self.liar.entries.clone(), leaves)
    }

    /// Where the client remembers what it saw.
    pub fn state(&self) -> &Path {
        self.folder.path()
    }

    /// A client of the liar's address.
    pub async fn client(&self) -> anyhow::Result<Client> {
        self.client_at(&self.proxy.url, self.log.key.clone()).await
    }

    pub async fn client_at(&self, url: &str, log_key: VerifierKey) -> anyhow::Result<Client> {
        let (state_dir, tls) = (self.state().to_owned(), Tls::default());
        Ok(Client::connect(Config { url: url.to_owned(), log_key, state_dir, tls }).await?)
    }

    /// All that bears on labels, as the client library gathers it; answers are kept.
    pub async fn gather(&self, labels: &[Label]) -> anyhow::Result<Result<Gathered, ClientError>> {
        let cache = AnswerCache::new(self.state(), &self.log.key);
        Ok(gather(&Source::Node(self.client().await?, Some(cache)), labels.iter().copied()).await)
    }

    /// The program, asked about a package.
    pub fn program(&self, about: &str) -> anyhow::Result<Output> {
        self.program_at(&self.proxy.url, &self.node.ready().vkey, &["lookup", about])
    }

    pub fn program_at(&self, url: &str, key: &str, arguments: &[&str]) -> anyhow::Result<Output> {
        let arguments = [arguments, &["--log", url, "--log-key", key]].concat();
        tokio::task::block_in_place(|| assay(self.folder.path(), &arguments))
    }

    /// Everybody who asks refuses the answer, and says which check failed.
    pub async fn refused(&self, labels: &[Label], about: &str, check: &str) -> anyhow::Result<()> {
        let error = self.client().await?.lookup(labels).await.err().context("the look-up was believed")?;
        assert!(matches!(error, ClientError::Unverified { .. }) && words(&error).contains(check), "{}", words(&error));
        self.gathering_is_refused(labels, about, check).await
    }

    /// Whoever gathers what bears on these labels refuses the answer, and so does the program.
    pub async fn gathering_is_refused(&self, labels: &[Label], about: &str, check: &str) -> anyhow::Result<()> {
        let error = self.gather(labels).await?.err().context("what was gathered was believed")?;
        assert!(matches!(error, ClientError::Unverified { .. }) && words(&error).contains(check), "{}", words(&error));
        self.exits(&self.program(about)?, 4, check);
        Ok(())
    }

    pub fn exits(&self, output: &Output, code: i32, words: &str) {
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(code) && told.contains(words), "{} instead of {code}: {told}", output.status);
    }
}

/// An error with its causes.
pub fn words(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

/// Removes a label's list.
pub fn without(answer: &mut v1::Answer, label: &Label) {
    answer.lists.retain(|list| list.label[..] != label.as_bytes()[..]);
}

/// Whether a label is asked for.
pub fn asks_for(query: &Query, label: &Label) -> bool {
    match query {
        Query::Labels(labels) => labels.contains(label),
        Query::Page { label: asked, .. } => asked == label,
        Query::Prefix(prefix) => Prefix::of(label, prefix.bits()) == *prefix,
    }
}
