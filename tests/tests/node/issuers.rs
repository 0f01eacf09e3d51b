//! Whose claims are taken: thresholds, rotations, open logs, and ids that nobody can take.

use crate::{AT_ONCE, Fixture, STARTED, assert_all_there, assert_refused, hex};
use anyhow::Context;
use assay_claims::claim::{self, ClaimId};
use assay_claims::entry::wire;
use assay_claims::issuer::IssuerId;
use assay_client::audit;
use assay_proto::v1::{GetIssuerRequest, Wait};
use assay_tests::{
    issuer::{Actor, key, payload, record, signed},
    log::{Log, stated},
    process::{Node, assay, binaries, new_key},
};
use assay_tlog::Hash;
use bytes::Bytes;
use ed25519_dalek::SigningKey;
use std::process::Command;
use tonic::Code;

/// The log takes no such claim, because its signers may not say it.
async fn assert_denied(log: &Log, claim: wire::Claim, words: &[&str]) {
    let answer = log.publish(claim, Wait::Integrated).await;
    assert_refused(answer, Code::PermissionDenied, words);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_threshold_counts_distinct_keys() -> anyhow::Result<()> {
    let fixture = Fixture::start(AT_ONCE).await?;
    let log = &fixture.log;
    let issuer = Actor::new(&[11, 12, 13], 2);
    let [a, b, c] = &issuer.keys[..] else {
        unreachable!()
    };

    // A registration is signed by all keys, whatever the threshold.
    let partial = signed(&issuer.id, &issuer.record, &[a, b])?;
    let missing = c.verifying_key();
    assert_denied(log, partial, &[&hex::encode(missing)]).await;
    log.publish(issuer.registration()?, Wait::Integrated)
        .await?;

    let words = [
        "needs 2 distinct keys, and 1 signed",
        &hex::encode(b.verifying_key()),
        &hex::encode(c.verifying_key()),
    ];
    for keys in [&[a][..], &[a, a]] {
        assert_denied(log, issuer.sign_by(&payload(1), keys), &words).await;
    }
    // A key of another issuer does not count, and may not be put to this one's name.
    let foreign = issuer.sign_by(&payload(1), &[a, &fixture.issuer.keys[0]]);
    assert_denied(log, foreign, &["is no key of issuer"]).await;
    assert_eq!(log.size().await?, STARTED + 2);

    // A set of signers with a key that did not sign before is a new leaf; any other one has one.
    for (keys, leaf) in [([a, b], 2), ([a, c], 4), ([b, c], 4), ([a, b], 2)] {
        let answer = log
            .publish(issuer.sign_by(&payload(1), &keys), Wait::Integrated)
            .await?;
        assert_eq!(answer.leaf_index, STARTED + leaf);
    }
    // The threshold of every issuer that is named counts.
    let mut both = fixture.issuer.claim(2);
    both.signatures
        .extend(issuer.sign_by(&payload(2), &[a]).signatures);
    assert_denied(log, both.clone(), &[&hex(&issuer.id)]).await;
    both.signatures
        .extend(issuer.sign_by(&payload(2), &[b]).signatures);
    log.publish(both, Wait::Integrated).await?;
    Ok(())
}

/// Rotations from the keys 21, 22 and 23 to those of `new`, which are 23 and 24: signed by too few
/// of either, or not next in the chain.
async fn assert_bad_rotations_are_refused(log: &Log, new: &Actor) -> anyhow::Result<()> {
    let [k21, k22, k23, k24] = [21, 22, 23, 24].map(key);
    let (first, last) = (
        hex::encode(k21.verifying_key()),
        hex::encode(k24.verifying_key()),
    );
    // Enough of the old keys only; enough of the new keys only; one of each; a stranger's.
    let signers: [(&[&SigningKey], &[&str]); 4] = [
        (&[&k21, &k22], &["sequence 1 needs 2", &last]),
        (&[&k23, &k24], &["sequence 0 needs 2", &first]),
        (&[&k21, &k24], &["needs 2 distinct keys"]),
        (&[&k21, &k23, &k24, &key(9)], &["is no key of issuer"]),
    ];
    for (keys, words) in signers {
        let rotation = signed(&new.id, &new.record, keys)?;
        assert_denied(log, rotation, words).await;
    }
    // It must follow the record in force.
    let mut jump = new.record.clone();
    jump.sequence = 2;
    let jump = signed(&new.id, &jump, &[&k21, &k23, &k24])?;
    assert_refused(
        log.publish(jump, Wait::Integrated).await,
        Code::FailedPrecondition,
        &["is at sequence 0"],
    );
    let mut astray = new.record.clone();
    astray.previous = Some(ClaimId::of_payload(b"another"));
    let astray = signed(&new.id, &astray, &[&k21, &k23, &k24])?;
    assert_refused(
        log.publish(astray, Wait::Integrated).await,
        Code::FailedPrecondition,
        &["previous"],
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_takes_the_thresholds_of_both_records_and_ends_the_old_keys()
-> anyhow::Result<()> {
    let mut fixture = Fixture::start(AT_ONCE).await?;
    let old = Actor::new(&[21, 22, 23], 2);
    fixture
        .log
        .publish(old.registration()?, Wait::Integrated)
        .await?;
    let logged_before = fixture.log.publish(old.claim(1), Wait::Integrated).await?;
    let new = old.next(&[23, 24], 2)?;
    let [k21, k22, k23, k24] = [21, 22, 23, 24].map(key);
    assert_bad_rotations_are_refused(&fixture.log, &new).await?;
    assert_eq!(fixture.log.size().await?, STARTED + 4);

    let log = fixture.log.clone();
    let rotation = signed(&new.id, &new.record, &[&k21, &k23, &k24])?;
    let rotated = log.publish(rotation.clone(), Wait::Integrated).await?;
    for round in 0..2 {
        let log = fixture.log.clone();
        let by_old = old.sign_by(&payload(2), &[&k21, &k22]);
        assert_denied(&log, by_old, &["is no key of issuer", "sequence 1"]).await;
        let by_new = log.publish(new.claim(2), Wait::Integrated).await?;
        assert_eq!(by_new.already_logged, round == 1);
        // What was logged before keeps its leaf, and so do the records.
        let registered = log.publish(old.registration()?, Wait::Integrated).await?;
        assert_eq!(registered.leaf_index, STARTED);
        let again = log.publish(rotation.clone(), Wait::Integrated).await?;
        assert_eq!(stated(&again)?, stated(&rotated)?);
        assert_all_there(&log, std::slice::from_ref(&logged_before)).await?;
        // After a restart the issuers in force are read from the log.
        fixture.node.stop()?;
        fixture.run().await?;
    }
    let request = GetIssuerRequest {
        issuer_id: Bytes::copy_from_slice(old.id.as_bytes()),
    };
    let records = fixture
        .log
        .service
        .clone()
        .get_issuer(request)
        .await?
        .into_inner()
        .records;
    let places: Vec<_> = records
        .iter()
        .map(|record| (record.sequence, record.leaf_index))
        .collect();
    assert_eq!(places, [(0, STARTED), (1, rotated.leaf_index)]);
    Ok(())
}

/// The claim and the rotation that ends its keys come together, many times: whichever is first,
/// what is logged was rightly signed when it was.
#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_a_rotation_overtakes_is_refused() -> anyhow::Result<()> {
    let fixture = Fixture::start(AT_ONCE).await?;
    let log = &fixture.log;
    let mut actor = Actor::new(&[31], 1);
    log.publish(actor.registration()?, Wait::Integrated).await?;
    for round in 0..20_u8 {
        let next = actor.next(&[32 + round], 1)?;
        let rotation = signed(&next.id, &next.record, &[&actor.keys[0], &next.keys[0]])?;
        let claims =
            (0..8).map(|at| log.publish(actor.claim(100 * u64::from(round) + at), Wait::Sequenced));
        let (rotated, answers) = tokio::join!(
            log.publish(rotation, Wait::Sequenced),
            futures::future::join_all(claims)
        );
        let rotated = rotated?.leaf_index;
        for answer in answers {
            match answer {
                Ok(published) => assert!(
                    published.leaf_index < rotated,
                    "logged by a key that is no longer in force"
                ),
                Err(status) => assert_eq!(
                    status.code(),
                    Code::PermissionDenied,
                    "{}",
                    status.message()
                ),
            }
        }
        actor = next;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_log_takes_any_valid_signature_and_registers_nobody_by_it() -> anyhow::Result<()> {
    let fixture = Fixture::start(&format!("{AT_ONCE}\nadmission.mode = \"open\"")).await?;
    let log = &fixture.log;
    let stranger = Actor::new(&[9], 1);
    log.publish(stranger.claim(1), Wait::Integrated).await?;
    let mut forged = stranger.claim(2);
    forged.payload = payload(3).into();
    assert_refused(
        log.publish(forged, Wait::Integrated).await,
        Code::InvalidArgument,
        &["signature 1"],
    );
    // Records are held to the same rules as in any log.
    let halfway = Actor::new(&[41, 42], 1);
    let unsigned = signed(&halfway.id, &halfway.record, &[&halfway.keys[0]])?;
    assert_denied(log, unsigned, &["needs 2 distinct keys"]).await;
    let request = GetIssuerRequest {
        issuer_id: Bytes::copy_from_slice(halfway.id.as_bytes()),
    };
    assert_refused(
        log.service.clone().get_issuer(request).await,
        Code::NotFound,
        &["not registered"],
    );
    Ok(())
}

/// Docs/design.md 3.4 and 3.5: in an open log an entry cannot speak in the name of an issuer that
/// others trust, nor move what a registered issuer signed to another name.
#[tokio::test(flavor = "multi_thread")]
async fn an_open_log_takes_no_other_name_and_passes_an_audit() -> anyhow::Result<()> {
    let fixture = Fixture::start(&format!("{AT_ONCE}\nadmission.mode = \"open\"")).await?;
    let log = &fixture.log;
    let (trusted, stranger) = (Actor::new(&[43, 44], 1), Actor::new(&[9], 1));
    let forged = trusted.sign_by(&payload(1), &[&stranger.keys[0]]);
    assert_denied(log, forged.clone(), &["is not registered in this log"]).await;
    log.publish(trusted.registration()?, Wait::Integrated)
        .await?;
    assert_denied(log, forged, &["is no key of issuer"]).await;
    // One of its keys is enough here: the others may sign at other leaves.
    let one = trusted.sign_by(&payload(1), &[&trusted.keys[0]]);
    log.publish(one.clone(), Wait::Integrated).await?;
    // A signature does not cover the issuer: a copy for the issuer that the key alone makes.
    let mut moved = one;
    let alone = Actor::new(&[43], 1).id;
    moved.signatures[0].issuer_id = Bytes::copy_from_slice(alone.as_bytes());
    assert_refused(
        log.publish(moved, Wait::Integrated).await,
        Code::FailedPrecondition,
        &["stands in a record of issuer", &hex(&trusted.id)],
    );
    log.publish(stranger.claim(2), Wait::Integrated).await?;

    let options = audit::Options::default();
    let audited = audit::run(&fixture.node.ready().url, &log.key, options, |_| ()).await?;
    assert_eq!(audited.issuers(), 2);
    Ok(())
}

/// A token that a node makes, its digest as the configuration holds it, and registrations without
/// the token, with another, and with it.
#[tokio::test(flavor = "multi_thread")]
async fn new_issuers_come_by_invitation_where_a_log_asks_for_one() -> anyhow::Result<()> {
    let made = Command::new(binaries().join("assay-node"))
        .arg("invite")
        .output()?;
    let token = String::from_utf8(made.stdout)?.trim().to_owned();
    let said = String::from_utf8(made.stderr)?;
    let line = said.split_once(": ").map(|(_, line)| line.trim());
    let line = line.context("no line for the configuration")?;
    let node = Node::start_with(&format!("{AT_ONCE}\nadmission.{line}"))?;
    let log = Log::connect(node.ready()).await?;

    let uninvited = Actor::new(&[7], 1).registration()?;
    assert_refused(
        log.publish(uninvited.clone(), Wait::Integrated).await,
        Code::Unauthenticated,
        &["by invitation only", "none was given"],
    );
    assert_refused(
        log.publish_invited(uninvited, "0123").await,
        Code::Unauthenticated,
        &["by invitation only", "is not known"],
    );

    // The program says so, too, and takes the token.
    let home = tempfile::tempdir()?;
    new_key(home.path(), "key.pem")?;
    let (url, vkey) = (node.ready().url.as_str(), node.ready().vkey.as_str());
    let to = ["--key", "key.pem", "--log", url, "--log-key", vkey];
    let register = [&["issuer", "register", "--name", "Alice"], &to[..]].concat();
    let refused = assay(home.path(), &register)?;
    let words = String::from_utf8(refused.stderr)?;
    assert!(
        !refused.status.success() && words.contains("--invitation"),
        "{words}"
    );
    let invited = [&register[..], &["--invitation", &token]].concat();
    let registered = assay(home.path(), &invited)?;
    assert!(registered.status.success(), "{registered:?}");

    // What is no registration needs none; what is registered may be sent again.
    let again = assay(home.path(), &register)?;
    assert!(again.status.success(), "{again:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_registers_one_issuer() -> anyhow::Result<()> {
    const TOKENS: [&str; 2] = ["one", "two"];
    let digests = TOKENS.map(|token| format!("\"{}\"", Hash::of(token.as_bytes())));
    let digests = digests.join(", ");
    let mut node = Node::start_with(&format!("{AT_ONCE}\nadmission.invitations = [{digests}]"))?;
    let log = Log::connect(node.ready()).await?;
    let used = ["by invitation only", "was used already"];
    let register = |number| Actor::new(&[number], 1).registration();

    let first = register(80)?;
    log.publish_invited(first.clone(), TOKENS[0]).await?;
    let second = log.publish_invited(register(81)?, TOKENS[0]).await;
    assert_refused(second, Code::Unauthenticated, &used);
    // To send the same again is no second use.
    assert!(log.publish_invited(first, TOKENS[0]).await?.already_logged);

    // Of many that come at once, one is registered.
    let many: Vec<_> = (90..106).map(register).collect::<Result<_, _>>()?;
    let calls = many
        .iter()
        .map(|claim| log.publish_invited(claim.clone(), TOKENS[1]));
    let answers = futures::future::join_all(calls).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    for refused in answers.into_iter().filter(Result::is_err) {
        assert_refused(refused, Code::Unauthenticated, &["used already"]);
    }

    // A restart knows.
    node.stop()?;
    node.run()?;
    let log = Log::connect(node.ready()).await?;
    for (number, token) in [(110, TOKENS[0]), (111, TOKENS[1])] {
        let again = log.publish_invited(register(number)?, token).await;
        assert_refused(again, Code::Unauthenticated, &used);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_rotated_away_stays_its_issuers() -> anyhow::Result<()> {
    let fixture = Fixture::start(AT_ONCE).await?;
    let log = &fixture.log;
    let owner = Actor::new(&[61], 1);
    log.publish(owner.registration()?, Wait::Integrated).await?;
    let next = owner.next(&[62], 1)?;
    // Every new key signs.
    let silent = signed(&next.id, &next.record, &[&owner.keys[0]])?;
    let words = ["needs 1 distinct keys, and 0 signed"];
    assert_denied(log, silent, &words).await;
    let more = owner.next(&[61, 62], 1)?;
    let silent = signed(&more.id, &more.record, &[&owner.keys[0]])?;
    let words = ["every new key must", &hex::encode(key(62).verifying_key())];
    assert_denied(log, silent, &words).await;
    let keys = [&owner.keys[0], &next.keys[0]];
    let rotation = signed(&next.id, &next.record, &keys)?;
    log.publish(rotation, Wait::Integrated).await?;

    // The thief of the key that was left behind registers it.
    let thief = Actor::new(&[61, 63], 1);
    assert_refused(
        log.publish(thief.registration()?, Wait::Integrated).await,
        Code::FailedPrecondition,
        &["stands in a record of issuer", &hex(&owner.id)],
    );
    // Two issuers of one key come together: one is registered.
    let both = [Actor::new(&[64, 65], 1), Actor::new(&[64, 66], 1)];
    let [first, second] = [both[0].registration()?, both[1].registration()?];
    let answers = tokio::join!(
        log.publish(first, Wait::Sequenced),
        log.publish(second, Wait::Sequenced)
    );
    assert_ne!(answers.0.is_ok(), answers.1.is_ok());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn rotation_keys_alone_change_the_keys() -> anyhow::Result<()> {
    let fixture = Fixture::start(AT_ONCE).await?;
    let log = &fixture.log;
    let owner = Actor::new(&[71], 1).with_rotation(&[78, 79], 1);
    let (k71, k72, k78, k79) = (key(71), key(72), key(78), key(79));
    let partial = signed(&owner.id, &owner.record, &[&k71, &k78])?;
    assert_denied(log, partial, &["needs 3 distinct keys, and 2 signed"]).await;
    let all = signed(&owner.id, &owner.record, &[&k71, &k78, &k79])?;
    log.publish(all, Wait::Integrated).await?;
    log.publish(owner.claim(1), Wait::Integrated).await?;
    let words = ["is a rotation key of issuer"];
    assert_denied(log, owner.sign_by(&payload(2), &[&k78]), &words).await;

    let next = owner.next(&[72], 1)?;
    let thief = signed(&next.id, &next.record, &[&k71, &k72])?;
    let words = ["needs 1 distinct rotation keys, and 0 signed"];
    assert_denied(log, thief, &words).await;
    let rotation = signed(&next.id, &next.record, &[&k79, &k72])?;
    log.publish(rotation, Wait::Integrated).await?;
    assert_denied(log, owner.claim(3), &["is no key of issuer"]).await;
    log.publish(next.claim(3), Wait::Integrated).await?;
    Ok(())
}

/// Names that a registration could try to take.
#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_id_cannot_be_squatted() -> anyhow::Result<()> {
    let fixture = Fixture::start(AT_ONCE).await?;
    let log = &fixture.log;
    let victim = Actor::new(&[51], 1);
    let squatter = key(52);
    // The squatter's keys under the victim's id, and the victim's keys with the squatter's
    // signature.
    let taken = signed(&victim.id, &record("x", 1, &[&squatter]), &[&squatter])?;
    assert_refused(
        log.publish(taken, Wait::Integrated).await,
        Code::InvalidArgument,
        &["make the issuer id"],
    );
    let forged = signed(&victim.id, &victim.record, &[&squatter])?;
    assert_denied(log, forged, &["is no key of issuer"]).await;
    let foreign: wire::Claim = {
        let statement = assay_claims::issuer::statement(&victim.id, &victim.record)?;
        let signers = [
            (victim.id, &victim.keys[0]),
            (IssuerId::derive(1, &[[7; 32]]), &squatter),
        ];
        claim::sign(statement.to_json().as_bytes(), &signers)
    };
    assert_refused(
        log.publish(foreign, Wait::Integrated).await,
        Code::InvalidArgument,
        &["signed by its own keys only"],
    );
    assert_eq!(log.size().await?, STARTED);
    log.publish(victim.registration()?, Wait::Integrated)
        .await?;
    Ok(())
}
