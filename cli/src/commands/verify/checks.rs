//! The words for what was checked of a receipt, and for what no receipt proves.

use crate::{session, time};
use assay_claims::issuer::IssuerId;
use assay_claims::receipt::{ProvenIssuer, ReceiptError, VerifiedReceipt};
use assay_claims::statement::Subject;
use assay_client::receipt::{Change, Check, CheckedReceipt, Respelled};
use assay_client::report::words;
use assay_client::{one_line, plain, quoted_name};
use assay_tlog::tlog_policy::Voices;

/// What a check found, in plain words. Behind "NOT PROVEN" stands what is not.
pub fn what(check: &Check, receipt: Option<&VerifiedReceipt>) -> String {
    match check {
        Check::Signature => "the signatures fit this claim, byte for byte".into(),
        Check::Inclusion {
            origin,
            index,
            size,
        } => format!(
            "it is entry {index} of the log {}, under the checkpoint that the log signed at {size} \
             entries",
            plain(origin)
        ),
        Check::Issuer(issuer) => issuer_words(issuer),
        Check::UnknownIssuer(id) => {
            let fetch = receipt.map(|receipt| {
                let claim = receipt.claim().id();
                format!("; `assay receipt {claim} --out DIR` fetches it, then verify DIR")
            });
            format!(
                "that issuer {id} signed it: its registration is not among these files{}",
                fetch.unwrap_or_default()
            )
        }
        Check::UnknownSigner => "who signed it".into(),
        Check::Unauthorized(why) => format!("its signers were not authorized: {why}"),
        Check::TwoHistories { origin, index } => format!(
            "the log {} shows two different entries at its leaf {index}, of which this is one: it \
             signed two histories, and nothing of it can be relied on",
            plain(origin)
        ),
        Check::DemandedIssuer { issuer, signed } => demanded_issuer_words(issuer, *signed),
        Check::DemandedSubject { subject, is_about } => demanded_subject_words(subject, *is_about),
        Check::UncountedLog(origin) => format!(
            "that your policy counts it: it names no log {}",
            plain(origin)
        ),
        Check::ConvictedLog { origin, why } => session::convicted_words(origin, why),
        Check::UnknownLog(origin) => format!(
            "it is said to be in the log {}, which your policy does not name; nothing of it was \
             verified",
            plain(origin)
        ),
        Check::Quorum { voices, met } => quorum_words(voices, *met),
        Check::Cosignature(error) => format!(
            "a signature under the checkpoint by a key of your policy is wrong; it was changed, or \
             the policy has another key of that name ({})",
            one_line(error)
        ),
        Check::Late {
            logged_at_ms,
            quorum_at_ms,
        } => format!(
            "the log dates it {}, after its witnesses had cosigned the checkpoint ({})",
            time::rfc3339_of_ms(*logged_at_ms),
            time::rfc3339_of_ms(*quorum_at_ms)
        ),
        Check::Respelled(changed) => respelled_words(changed),
        Check::Genuine(error) => format!("{} ({})", broken_words(error), one_line(error)),
    }
}

/// What a tool did to the files of a receipt, and what to do about it. As they were, they verify:
/// that was checked.
fn respelled_words(changed: &[Respelled]) -> String {
    let mut parts = Vec::new();
    for Respelled { file, changes } in changed {
        let words: Vec<&str> = changes.iter().map(|change| change_words(*change)).collect();
        parts.push(format!("*{file}: {}", words.join(", and ")));
    }
    format!(
        "a tool changed how the files are spelled, and nothing else: {}. As they were before, they \
         verify; these bytes are not the receipt. Undo that, or fetch the receipt again with \
         `assay receipt`",
        parts.join("; ")
    )
}

fn change_words(change: Change) -> &'static str {
    match change {
        Change::Mark => "a byte order mark was put in front",
        Change::LineEnds => {
            "its lines end in CR LF instead of LF, as git's core.autocrlf makes them (in \
             .gitattributes, `*.tlog-proof -text` and `*.intoto.jsonl -text` keep it off)"
        }
        Change::BlankLines => "blank lines were added to its blank lines",
        Change::Nuls => "NUL bytes were put behind it",
        Change::Dashes => {
            "the dashes in front of its signatures were written in another encoding, or as others"
        }
        Change::End => "the line break at its end is not the one that was there",
        Change::Layout => "its JSON was laid out or escaped anew, as jq and editors do",
    }
}

fn demanded_issuer_words(issuer: &IssuerId, signed: bool) -> String {
    if signed {
        format!("it names issuer {issuer} as a signer, as demanded")
    } else {
        format!("that issuer {issuer} signed it, as demanded: it is not among the signers")
    }
}

fn demanded_subject_words(subject: &Subject, is_about: bool) -> String {
    let subject = words::short(subject);
    if is_about {
        format!("it is about {subject}, as demanded")
    } else {
        format!("that it is about {subject}, as demanded: it has other subjects")
    }
}

/// Whether enough witnesses cosigned, and which.
fn quorum_words(voices: &Voices, met: bool) -> String {
    let mut text = match words::stood_behind(voices) {
        Some(stood) if met => stood,
        _ => format!(
            "that enough witnesses saw the same log: {}",
            words::not_enough(voices)
        ),
    };
    if let Some(convicted) = words::convicted(voices) {
        text.push_str(&format!("; {convicted}"));
    }
    text
}

/// Seconds since 1970, as people and programs read them.
pub fn at(seconds: u64) -> String {
    time::rfc3339_of_ms(seconds.saturating_mul(1000))
}

/// What the receipts do not prove. It is said every time, because "verified" is easily taken for
/// more.
pub fn not_proven(checked: &[CheckedReceipt]) -> Vec<String> {
    let mut lines = vec![
        "that the claim is true; it proves with whose keys it was signed".to_owned(),
        "that an issuer is who its name says; issuers name themselves, so compare the issuer id \
         with one that you trust"
            .to_owned(),
    ];
    lines.push(
        "that these were still the issuer's keys when the claim was logged: receipts cannot show \
         that a rotation is missing; ask the log (`assay lookup issuer:ID`)"
            .to_owned(),
    );
    lines.extend(unwitnessed_words(checked));
    lines.push("that the claim was not withdrawn later".to_owned());
    lines
}

/// That others may be shown another log, unless the policy's quorum cosigned every checkpoint.
fn unwitnessed_words(checked: &[CheckedReceipt]) -> Option<String> {
    let genuine = || checked.iter().filter(|one| one.receipt.is_some());
    let is_witnessed = |one: &CheckedReceipt| {
        let mut checks = one.checks.iter();
        checks.any(|check| matches!(check, Check::Quorum { met: true, .. }))
    };
    if genuine().all(is_witnessed) {
        return None;
    }
    let unknown = genuine().map(|one| one.cosigned.unknown).max();
    let known = genuine().map(|one| one.cosigned.voices.counted.len()).max();
    let why = match (known.unwrap_or_default(), unknown.unwrap_or_default()) {
        (0, 0) => "no witness has cosigned its checkpoint".to_owned(),
        (0, unknown) => format!(
            "{} under its checkpoint by keys that nobody gave, which were not checked; name your \
             witnesses in a policy",
            signatures(unknown)
        ),
        (known, 0) => format!(
            "{} by witnesses of your policy are no quorum",
            signatures(known)
        ),
        (known, unknown) => format!(
            "{} by witnesses of your policy are no quorum; {} under its checkpoint by unknown \
             keys, which were not checked",
            signatures(known),
            signatures(unknown)
        ),
    };
    Some(format!(
        "that the log shows everyone the same entries; {why}"
    ))
}

/// With which keys it was signed. That these were still the issuer's takes an answer of the log:
/// receipts show what it has, and not that it lacks a rotation.
fn issuer_words(issuer: &ProvenIssuer) -> String {
    let (id, name) = (issuer.id, quoted_name(&issuer.name));
    let keys = match issuer.sequence {
        0 => "the first keys".to_owned(),
        n => format!("the keys of rotation {n}"),
    };
    format!(
        "{keys} of issuer {id} (its record at leaf {}) signed it; it calls itself {name}",
        issuer.record
    )
}

/// What it means to a person that a receipt is not genuine. It blames nobody: whoever handed the
/// files on may have changed them (docs/design.md 3.6).
fn broken_words(error: &ReceiptError) -> &'static str {
    match error {
        ReceiptError::Envelope(_) => "the claim's file is malformed; it was changed or cut off",
        ReceiptError::TooLong(_) | ReceiptError::Proof(_) => {
            "the proof's file is malformed; it was changed or cut off"
        }
        ReceiptError::Entry(_) => "claim and proof do not belong together; one of them was changed",
        ReceiptError::Checkpoint { .. } => "the log whose key was given did not sign this",
        ReceiptError::Inclusion(_) => {
            "the proof does not lead from the claim to the checkpoint; one of them was changed"
        }
        ReceiptError::OtherClaim => "the claim's file is not the claim in the log, byte for byte",
        ReceiptError::Claim(_) => "the log holds it, but its signatures are not valid",
    }
}

fn signatures(count: usize) -> String {
    match count {
        1 => "1 signature".into(),
        n => format!("{n} signatures"),
    }
}
