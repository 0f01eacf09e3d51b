//! Admission `endorsed`: whose claims are taken, and for what.

use crate::{AT_ONCE, assert_refused};
use anyhow::Context;
use assay_claims::claim::ClaimId;
use assay_claims::entry::wire;
use assay_claims::issuer::IssuerId;
use assay_claims::json;
use assay_claims::kind::{Timestamp, endorsement::Endorsement, withdrawal::Withdrawal};
use assay_claims::purl::{Pattern, Purl};
use assay_claims::statement::{Statement, Subject};
use assay_proto::v1::{PublishResponse, Wait};
use assay_tests::{
    issuer::{Actor, payload},
    log::Log,
    process::Node,
};
use tonic::Code;

/// A log whose only anchor is registered, beside two others and a friend of one of them.
struct Registry {
    log: Log,
    anchor: Actor,
    scanner: Actor,
    builder: Actor,
    friend: Actor,
    _node: Node,
}

impl Registry {
    async fn start() -> anyhow::Result<Self> {
        let [anchor, scanner, builder, friend] = [1, 2, 3, 4].map(|key| Actor::new(&[key], 1));
        let node = Node::start_with(&format!(
            "{AT_ONCE}\nadmission.mode = \"endorsed\"\nadmission.anchors = [\"{}\"]",
            anchor.id
        ))?;
        let log = Log::connect(node.ready()).await?;
        // Everybody may register.
        for issuer in [&anchor, &scanner, &builder, &friend] {
            log.publish(issuer.registration()?, Wait::Sequenced).await?;
        }
        Ok(Registry {
            log,
            anchor,
            scanner,
            builder,
            friend,
            _node: node,
        })
    }

    async fn publish(
        &self,
        issuer: &Actor,
        payload: &[u8],
    ) -> Result<PublishResponse, tonic::Status> {
        self.log
            .publish(issuer.sign(payload), Wait::Sequenced)
            .await
    }

    async fn endorse(
        &self,
        by: &Actor,
        whom: &Actor,
        role: &str,
        scope: &str,
        until: &str,
    ) -> anyhow::Result<ClaimId> {
        let endorsement = endorsement(whom.id, role, scope, until)?;
        self.publish(by, endorsement.as_bytes()).await?;
        Ok(ClaimId::of_payload(endorsement.as_bytes()))
    }

    async fn assert_denied(&self, issuer: &Actor, payload: &[u8], words: &[&str]) {
        let answer = self.publish(issuer, payload).await;
        assert_refused(answer, Code::PermissionDenied, words);
    }
}

const LATER: &str = "2999-01-01T00:00:00Z";
const BEFORE: &str = "2020-01-01T00:00:00Z";

fn endorsement(issuer: IssuerId, role: &str, scope: &str, until: &str) -> anyhow::Result<String> {
    let endorsement = Endorsement {
        issuer,
        role: role.to_owned(),
        scope: vec![Pattern::parse(scope)?],
        may_delegate: 3,
        valid_from: None,
        valid_until: Timestamp::parse(until).context("a time")?,
    };
    Ok(endorsement.statement()?.to_json())
}

/// A claim of a type about packages.
fn about(purls: &[&str], uri: &str, predicate: &str) -> anyhow::Result<Vec<u8>> {
    let purls = purls.iter().map(|purl| Purl::parse(purl));
    let subjects = purls.map(|purl| Ok(Subject::package(purl?)));
    let subjects = subjects.collect::<anyhow::Result<_>>()?;
    let predicate = json::parse(predicate.as_bytes())?;
    Ok(Statement::new(subjects, uri, predicate)?
        .to_json()
        .into_bytes())
}

fn tested(purls: &[&str]) -> anyhow::Result<Vec<u8>> {
    let uri = "https://in-toto.io/attestation/test-result/v0.1";
    about(purls, uri, r#"{"result":"PASSED","configuration":[]}"#)
}

fn supported(purl: &str) -> anyhow::Result<Vec<u8>> {
    let predicate = concat!(
        r#"{"end_of_security_support":"tba","end_of_life":"tba","#,
        r#""last_updated":"2026-01-01T00:00:00Z"}"#
    );
    about(&[purl], "urn:assay:lifecycle:v1", predicate)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_says_what_an_anchor_endorses_it_for() -> anyhow::Result<()> {
    let registry = Registry::start().await?;
    let (anchor, scanner) = (&registry.anchor, &registry.scanner);
    let nobody = ["has no endorsement that holds now", &scanner.id.to_hex()];
    registry.assert_denied(scanner, &payload(1), &nobody).await;
    registry.publish(anchor, &payload(2)).await?;
    registry
        .endorse(anchor, scanner, "scanner", "pkg:cargo/*", BEFORE)
        .await?;
    registry.assert_denied(scanner, &payload(1), &nobody).await;
    registry
        .endorse(anchor, scanner, "scanner", "pkg:cargo/*", LATER)
        .await?;
    registry.publish(scanner, &payload(1)).await?;
    registry
        .publish(scanner, &tested(&["pkg:cargo/serde@1.0.0"])?)
        .await?;
    let two = tested(&["pkg:cargo/serde@1.0.1", "pkg:npm/left-pad@1.0.0"])?;
    let other = ["is endorsed, but not for", "pkg:npm/left-pad@1.0.0"];
    registry.assert_denied(scanner, &two, &other).await;
    // Scopes add up.
    registry
        .endorse(anchor, scanner, "auditor", "pkg:npm/left-pad", LATER)
        .await?;
    registry.publish(scanner, &two).await?;
    // Whom an endorsed issuer endorses is nobody here, whatever it may delegate.
    registry
        .endorse(scanner, &registry.friend, "scanner", "pkg:cargo/*", LATER)
        .await?;
    registry
        .assert_denied(&registry.friend, &payload(3), &["has no endorsement"])
        .await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_signer_is_endorsed_for_what_it_says() -> anyhow::Result<()> {
    let registry = Registry::start().await?;
    let (anchor, builder) = (&registry.anchor, &registry.builder);
    registry
        .endorse(anchor, builder, "builder", "pkg:cargo/*", LATER)
        .await?;
    let package = "pkg:cargo/serde@1.0.0";
    registry.publish(builder, &tested(&[package])?).await?;
    // A builder judges nothing.
    let words = ["for a role that may make such a claim"];
    registry
        .assert_denied(builder, &supported(package)?, &words)
        .await;
    registry
        .endorse(anchor, builder, "maintainer", "pkg:cargo/serde", LATER)
        .await?;
    registry.publish(builder, &supported(package)?).await?;
    // A signature of an endorsed issuer beside its own does not let a stranger in.
    let payload = tested(&["pkg:cargo/serde@2.0.0"])?;
    let (one, other) = (builder.sign(&payload), registry.friend.sign(&payload));
    let both = wire::Claim {
        signatures: [one.signatures, other.signatures].concat(),
        ..one
    };
    let answer = registry.log.publish(both, Wait::Sequenced).await;
    let friend = registry.friend.id.to_hex();
    assert_refused(answer, Code::PermissionDenied, &[&friend]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_endorsement_ends_and_what_was_said_stays() -> anyhow::Result<()> {
    let registry = Registry::start().await?;
    let (anchor, scanner) = (&registry.anchor, &registry.scanner);
    let id = registry
        .endorse(anchor, scanner, "scanner", "pkg:cargo/*", LATER)
        .await?;
    registry.publish(scanner, &payload(1)).await?;
    let withdrawal = |target| -> anyhow::Result<String> {
        let reason = "it is over".to_owned();
        let withdrawal = Withdrawal {
            target,
            reason,
            superseded_by: None,
        };
        Ok(withdrawal.statement()?.to_json())
    };
    // Only who endorsed takes it back.
    registry
        .publish(&registry.friend, withdrawal(id)?.as_bytes())
        .await?;
    registry.publish(scanner, &payload(2)).await?;
    registry.publish(anchor, withdrawal(id)?.as_bytes()).await?;
    registry
        .assert_denied(scanner, &payload(3), &["has no endorsement"])
        .await;
    let again = registry.publish(scanner, &payload(2)).await?;
    assert!(again.already_logged);
    // What is its own it may still take back.
    let own = withdrawal(ClaimId::of_payload(&payload(2)))?;
    registry.publish(scanner, own.as_bytes()).await?;
    Ok(())
}

#[test]
fn a_log_that_asks_for_endorsements_says_by_whom() -> anyhow::Result<()> {
    let id = "ab".repeat(32);
    for edits in [
        "admission.mode = \"endorsed\"".to_owned(),
        format!("admission.anchors = [\"{id}\"]"),
        "admission.mode = \"endorsed\"\nadmission.anchors = [\"ab\"]".to_owned(),
    ] {
        let error = Node::start_with(&format!("{AT_ONCE}\n{edits}")).map(drop);
        let error = format!("{:?}", error.expect_err(&edits));
        assert!(
            error.contains("admission.anchors") || error.contains("in anchors"),
            "{error}"
        );
    }
    Ok(())
}
