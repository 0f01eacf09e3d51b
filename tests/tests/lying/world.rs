//! A real node with something in it, a liar at its address, and those who ask: the client library
//! and the program.

use anyhow::Context;
use assay_claims::claim::{ClaimId, PublicKey};
use assay_claims::entry::wire;
use assay_claims::index::{By, Kind, Label, Name, Query};
use assay_claims::issuer::IssuerId;
use assay_claims::json::Value;
use assay_claims::kind::Timestamp;
use assay_claims::kind::key_compromise::KeyCompromise;
use assay_claims::kind::withdrawal::Withdrawal;
use assay_claims::purl::Purl;
use assay_claims::statement::{Statement, Subject};
use assay_client::{
    AnswerCache, Client, ClientError, Config, Tls,
    gather::{Gathered, Source, gather},
};
use assay_policy::rules::STARTING;
use assay_proto::v1::{self, Wait};
use assay_tests::{
    issuer::{Actor, signed},
    liar::Liar,
    log::Log,
    lying::Proxy,
    process::{Node, assay},
};
use assay_tlog::note::VerifierKey;
use std::{fs, path::Path, process::Output};
use tempfile::TempDir;

/// The crate that everybody asks about.
pub const ASKED: &str = "alpha";

/// Where each claim is.
#[derive(Debug, Clone, Copy)]
pub struct Leaves {
    /// A claim about what is asked for, and one by the second issuer.
    pub claim: u64,
    pub seconded: u64,
    /// A claim about another version, and its withdrawal.
    pub withdrawn: u64,
    pub withdrawal: u64,
    /// A claim of a second issuer about another package, its next record and the compromise of its
    /// first key.
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

/// What everybody asks about a crate.
pub fn purl(name: &str) -> String {
    format!("pkg:cargo/{name}@1.0.0")
}

/// What is asked first about a crate.
pub fn package(name: &str) -> Name {
    Name::new(Kind::Package, &format!("pkg:cargo/{name}"))
}

/// The name of what an issuer signs.
pub fn issuer(id: &IssuerId) -> Name {
    Name::new(Kind::Issuer, &id.to_hex())
}

/// Some statement about a package.
pub fn payload(purl: &str) -> anyhow::Result<Vec<u8>> {
    let subject = Subject::package(Purl::parse_canonical(purl)?);
    let statement = Statement::new(
        vec![subject],
        "https://example.com/note/v1",
        Value::Object(vec![]),
    )?;
    Ok(statement.to_json().as_bytes().to_vec())
}

/// The first key of an issuer is not to be trusted from a leaf of this log on.
fn compromise(issuer: &Actor, origin: &str, from_index: u64) -> anyhow::Result<KeyCompromise> {
    Ok(KeyCompromise {
        issuer: issuer.id,
        key: PublicKey::from(&issuer.keys[0]),
        origin: origin.to_owned(),
        from_index,
        from_time: Timestamp::parse("2020-01-01T00:00:00Z").context("no time")?,
        reason: None,
    })
}

impl World {
    pub async fn start() -> anyhow::Result<Self> {
        let node = Node::start_with("log.publish_interval_ms = 1")?;
        let log = Log::connect(node.ready()).await?;
        let (first, second) = (Actor::new(&[1], 1), Actor::new(&[2], 1));
        // Speaks of it, too, and is listened to by nobody.
        let stranger = Actor::new(&[4], 1);
        let next = second.next(&[3], 1)?;
        let publish = async |claim: wire::Claim| {
            anyhow::Ok(log.publish(claim, Wait::Integrated).await?.leaf_index)
        };
        publish(first.registration()?).await?;
        publish(second.registration()?).await?;
        publish(stranger.registration()?).await?;
        let claim = publish(first.sign(&payload(&purl(ASKED))?)).await?;
        let other = payload("pkg:cargo/alpha@3.0.0")?;
        let seconded = publish(second.sign(&other)).await?;
        publish(stranger.sign(&other)).await?;
        let target = payload("pkg:cargo/alpha@2.0.0")?;
        let withdrawn = publish(first.sign(&target)).await?;
        let withdrawal = Withdrawal {
            target: ClaimId::of_payload(&target),
            reason: "it was wrong".into(),
            superseded_by: None,
        };
        let withdrawal = publish(first.sign(withdrawal.statement()?.to_json().as_bytes())).await?;
        let beta = publish(second.sign(&payload(&purl("beta"))?)).await?;
        let compromise = compromise(&second, &node.ready().origin, beta)?;
        let rotation = publish(signed(
            &next.id,
            &next.record,
            &[&second.keys[0], &next.keys[0]],
        )?)
        .await?;
        let compromise = publish(next.sign(compromise.statement()?.to_json().as_bytes())).await?;
        let leaves = Leaves {
            claim,
            seconded,
            withdrawn,
            withdrawal,
            beta,
            rotation,
            compromise,
        };
        let liar = Liar::new(log.entries(0, 0).await?, &[])?;
        let proxy = Proxy::start(node.ready()).await?;
        let folder = tempfile::tempdir()?;
        let policy = trusting(&[first.id, second.id]);
        fs::write(folder.path().join("policy.toml"), policy)?;
        Ok(World {
            node,
            log,
            proxy,
            liar,
            leaves,
            first,
            second,
            folder,
        })
    }

    /// Where the program works: its policy is there.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Whom everybody listens to.
    pub fn by(&self) -> [By; 2] {
        [&self.first, &self.second].map(|issuer| By::issuer(&issuer.id))
    }

    /// What is asked first about a crate.
    pub fn query(&self, name: &str) -> Query {
        Query::names([package(name)], self.by())
    }

    /// What the first issuer said about a crate.
    pub fn label(&self, name: &str) -> Label {
        Label::of(package(name), self.by()[0])
    }

    /// Entries of the log when the liar got to know it.
    pub fn size(&self) -> u64 {
        self.liar.entries.len() as u64
    }

    /// Somebody with the same entries who leaves some of them out of the index.
    pub fn hiding(&self, leaves: &[u64]) -> anyhow::Result<Liar> {
        Liar::new(self.liar.entries.clone(), leaves)
    }

    /// Somebody who knows all that is in the log now.
    pub async fn whole(&self) -> anyhow::Result<Liar> {
        Liar::new(self.log.entries(0, 0).await?, &[])
    }

    /// Publishes another claim. Returns the size of the log with it.
    pub async fn publish_more(&self) -> anyhow::Result<u64> {
        let number = self.log.size().await?;
        self.log
            .publish(self.first.claim(number), Wait::Integrated)
            .await?;
        self.log.size().await
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
        connect(url, log_key, self.state()).await
    }

    /// What the issuers said about names, and what became of it, as the client library gathers it;
    /// answers are kept.
    pub async fn gather(&self, names: &[Name]) -> anyhow::Result<Result<Gathered, ClientError>> {
        let cache = AnswerCache::new(self.state(), &self.log.key);
        let source = Source::Node(self.client().await?, Some(cache));
        Ok(gather(&source, names, &self.by()).await)
    }

    /// The same, asked by prefixes.
    pub async fn gather_privately(
        &self,
        names: &[Name],
    ) -> anyhow::Result<Result<Gathered, ClientError>> {
        let source = Source::Private(self.client().await?);
        Ok(gather(&source, names, &self.by()).await)
    }

    /// The program, at the liar's address.
    pub fn program(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        self.program_at(&self.proxy.url, &self.node.ready().vkey, arguments)
    }

    /// The program, at some address and with a policy that trusts the issuers and demands nothing
    /// of what nobody knows.
    pub fn program_at(&self, url: &str, key: &str, arguments: &[&str]) -> anyhow::Result<Output> {
        let arguments = [
            arguments,
            &["--log", url, "--log-key", key, "--policy", "policy.toml"],
        ]
        .concat();
        tokio::task::block_in_place(|| assay(self.folder.path(), &arguments))
    }

    /// Everybody who asks about version 1.0.0 of a crate refuses the answer, and says which check
    /// failed.
    pub async fn refused(&self, name: &str, check: &str) -> anyhow::Result<()> {
        is_unverified(self.client().await?.lookup(&self.query(name)).await, check);
        self.gathering_is_refused(name, check).await
    }

    /// Whoever gathers what bears on it refuses the answer: the library, and the program for one
    /// crate and for a lock file.
    pub async fn gathering_is_refused(&self, name: &str, check: &str) -> anyhow::Result<()> {
        is_unverified(self.gather(&[package(name)]).await?, check);
        exits(&self.program(&["lookup", &purl(name)])?, 4, check);
        exits(&self.program(&["check", &self.lock_file(name)?])?, 4, check);
        Ok(())
    }

    /// Whoever asks by prefixes refuses the answer.
    pub async fn refused_privately(&self, name: &str, check: &str) -> anyhow::Result<()> {
        is_unverified(self.gather_privately(&[package(name)]).await?, check);
        exits(
            &self.program(&["lookup", &purl(name), "--private"])?,
            4,
            check,
        );
        exits(
            &self.program(&["check", &self.lock_file(name)?, "--private"])?,
            4,
            check,
        );
        Ok(())
    }

    /// A lock file that names one crate.
    pub fn lock_file(&self, name: &str) -> anyhow::Result<String> {
        self.lock_file_of(&[name.to_owned()])
    }

    /// A lock file that names some crates.
    pub fn lock_file_of(&self, names: &[String]) -> anyhow::Result<String> {
        let file = format!("{}.Cargo.lock", names.join("-"));
        let source = "registry+https://github.com/rust-lang/crates.io-index";
        let mut text = "version = 4\n".to_owned();
        for name in names {
            text.push_str(&format!(
                "\n[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\nsource = \"{source}\"\n"
            ));
        }
        fs::write(self.folder.path().join(&file), text)?;
        Ok(file)
    }
}

/// A client that remembers in a folder what it saw.
pub async fn connect(url: &str, log_key: VerifierKey, state: &Path) -> anyhow::Result<Client> {
    let (url, state_dir, tls) = (url.to_owned(), state.to_owned(), Tls::default());
    Ok(Client::connect(Config {
        url,
        log_key,
        older: Vec::new(),
        state_dir,
        tls,
    })
    .await?)
}

/// Who asked refuses the answer, and says which check failed.
#[track_caller]
pub fn is_unverified<T>(asked: Result<T, ClientError>, check: &str) {
    let error = asked
        .err()
        .unwrap_or_else(|| panic!("believed, though: {check}"));
    let words = words(&error);
    assert!(
        matches!(error, ClientError::Unverified { .. }) && words.contains(check),
        "{words}"
    );
}

/// The program ended with this code, and said this.
#[track_caller]
pub fn exits(output: &Output, code: i32, words: &str) {
    let told = [&output.stderr[..], &output.stdout[..]].concat();
    let told = String::from_utf8_lossy(&told);
    // Lines are broken anywhere.
    let line: Vec<&str> = told.split_whitespace().collect();
    assert!(
        output.status.code() == Some(code) && line.join(" ").contains(words),
        "{} instead of {code}: {told}",
        output.status
    );
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
    answer
        .lists
        .retain(|list| list.label[..] != label.as_bytes()[..]);
}

/// The policy that everybody starts with, and these issuers as anchors.
fn trusting(issuers: &[IssuerId]) -> String {
    let mut policy = STARTING.to_owned();
    for issuer in issuers {
        policy += &format!(
            "\n[[anchor]]\nname = \"{issuer}\"\nissuer = \"{issuer}\"\nroles = \
             [\"maintainer\"]\nscopes = [\"pkg:*\"]\n"
        );
    }
    policy
}
