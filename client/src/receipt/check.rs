//! What receipts prove, check by check, without asking a log (docs/design.md 3.6).

use super::{Cosigned, HeldTo, ReceiptPair, Respelled};
use assay_claims::issuer::{AuthorizeError, IssuerId};
use assay_claims::kind::Body;
use assay_claims::receipt::{self, ProvenIssuer, ReceiptError, Standing, VerifiedReceipt};
use assay_claims::statement::Subject;
use assay_tlog::tlog_policy::{QuorumError, Voices};
use assay_tlog::tree::{LeafIndex, TreeSize};

/// What came of a check. The order is from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It holds.
    Proven,
    /// The receipts do not show it.
    Unproven,
    /// The receipts show that it does not hold.
    Failed,
}

/// One thing that was checked, and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Check {
    /// The signatures of the claim are good.
    Signature,
    /// The claim is in the log.
    Inclusion {
        /// The log's origin.
        origin: String,
        /// Its leaf.
        index: LeafIndex,
        /// The size of the log under whose checkpoint it is proven.
        size: TreeSize,
    },
    /// The signatures satisfy a record of this issuer.
    Issuer(ProvenIssuer),
    /// No record among the receipts says whether this issuer signed.
    UnknownIssuer(IssuerId),
    /// The receipts do not say who signed.
    UnknownSigner,
    /// The signatures do not satisfy the records of the issuers.
    Unauthorized(AuthorizeError),
    /// The log of this origin shows two entries at this leaf, of which this is one.
    TwoHistories {
        /// The log's origin.
        origin: String,
        /// The leaf.
        index: LeafIndex,
    },
    /// An issuer was demanded.
    DemandedIssuer {
        /// Which.
        issuer: IssuerId,
        /// Whether it is among the signers.
        signed: bool,
    },
    /// A subject was demanded.
    DemandedSubject {
        /// Which.
        subject: Subject,
        /// Whether the claim is about it.
        is_about: bool,
    },
    /// The policy does not name the log of this origin, whose key the caller stated.
    UncountedLog(String),
    /// Nobody stated the key of the log of this origin.
    UnknownLog(String),
    /// The log is proven to have misbehaved, as this machine knows.
    ConvictedLog {
        /// The log's origin.
        origin: String,
        /// By what.
        why: String,
    },
    /// The policy asks for a quorum of witnesses.
    Quorum {
        /// Who cosigned the checkpoint, and who did not.
        voices: Voices,
        /// Whether they are a quorum.
        met: bool,
    },
    /// A signature under the checkpoint by a key of the policy is wrong.
    Cosignature(QuorumError),
    /// The claim is dated after a quorum had cosigned the checkpoint that it is under. Both times
    /// are in milliseconds since 1970.
    Late {
        /// When the log says that it took the claim.
        logged_at_ms: u64,
        /// When the quorum had cosigned.
        quorum_at_ms: u64,
    },
    /// The receipt is not genuine.
    Genuine(ReceiptError),
    /// The files are not the receipt, byte for byte, and what they were before is: it would verify.
    Respelled(Vec<Respelled>),
}

impl Check {
    /// Its name: `signature`, `inclusion`, `issuers`, `demanded-issuer`, `demanded-subject`, `log`,
    /// `witnesses`, `time` or `spelling`; of a receipt that is not genuine, the check that failed
    /// ([`ReceiptError::check`]).
    pub fn name(&self) -> &'static str {
        match self {
            Check::Signature => "signature",
            Check::Inclusion { .. } => "inclusion",
            Check::Issuer(_)
            | Check::UnknownIssuer(_)
            | Check::UnknownSigner
            | Check::Unauthorized(_) => "issuers",
            Check::DemandedIssuer { .. } => "demanded-issuer",
            Check::DemandedSubject { .. } => "demanded-subject",
            Check::UncountedLog(_)
            | Check::UnknownLog(_)
            | Check::ConvictedLog { .. }
            | Check::TwoHistories { .. } => "log",
            Check::Quorum { .. } | Check::Cosignature(_) => "witnesses",
            Check::Late { .. } => "time",
            Check::Respelled(_) => "spelling",
            Check::Genuine(error) => error.check(),
        }
    }

    /// What came of it.
    pub fn verdict(&self) -> Verdict {
        match self {
            Check::Signature
            | Check::Inclusion { .. }
            | Check::Issuer(_)
            | Check::DemandedIssuer { signed: true, .. }
            | Check::DemandedSubject { is_about: true, .. }
            | Check::Quorum { met: true, .. } => Verdict::Proven,
            Check::UnknownIssuer(_)
            | Check::UnknownSigner
            | Check::DemandedIssuer { .. }
            | Check::DemandedSubject { .. }
            | Check::UncountedLog(_)
            | Check::Quorum { .. } => Verdict::Unproven,
            Check::Unauthorized(_)
            | Check::UnknownLog(_)
            | Check::ConvictedLog { .. }
            | Check::TwoHistories { .. }
            | Check::Cosignature(_)
            | Check::Late { .. }
            | Check::Respelled(_)
            | Check::Genuine(_) => Verdict::Failed,
        }
    }
}

/// What is demanded of each claim, beyond that its receipt is genuine.
#[derive(Debug, Clone, Default)]
pub struct Demands {
    /// That this issuer signed it.
    pub issuer: Option<IssuerId>,
    /// That it is about this: the same purl, or a digest in common.
    pub subject: Option<Subject>,
}

/// A receipt and the checks that were made of it, at least one.
#[derive(Debug)]
pub struct CheckedReceipt {
    /// The receipt, if it is genuine.
    pub receipt: Option<VerifiedReceipt>,
    /// What was checked.
    pub checks: Vec<Check>,
    /// Who cosigned its checkpoint.
    pub cosigned: Cosigned,
}

impl CheckedReceipt {
    /// The worst of the verdicts.
    pub fn verdict(&self) -> Verdict {
        let verdicts = self.checks.iter().map(Check::verdict);
        verdicts.max().unwrap_or(Verdict::Failed)
    }
}

/// Checks each receipt, in their order: that it is genuine, in a log and under a checkpoint that
/// `held_to` counts, that its signers satisfied the issuers' records among the receipts, and what
/// is demanded.
///
/// Demands are made of claims. The record of an issuer only supports the others, unless there is
/// nothing but records.
pub fn check_receipts(
    pairs: &[ReceiptPair],
    held_to: &HeldTo<'_>,
    demands: &Demands,
) -> Vec<CheckedReceipt> {
    let mut results: Vec<Result<VerifiedReceipt, Check>> = Vec::with_capacity(pairs.len());
    for pair in pairs {
        let verified = held_to.verify(&pair.envelope, &pair.proof);
        results.push(verified.map_err(|check| *check));
    }
    let genuine: Vec<VerifiedReceipt> = results.iter().flatten().cloned().collect();
    let only_records = genuine.iter().all(is_record);
    let mut standings = receipt::verify_issuers(&genuine).into_iter();
    let mut checked = Vec::with_capacity(results.len());
    for result in results {
        checked.push(match result {
            Ok(receipt) => {
                let standing = standings.next().unwrap_or(Standing::Unproven(vec![]));
                let mut checks = genuine_checks(&receipt, standing);
                let (of_policy, cosigned) = held_to.policy_checks(&receipt);
                checks.extend(of_policy);
                if only_records || !is_record(&receipt) {
                    checks.extend(demand_checks(&receipt, demands));
                }
                CheckedReceipt {
                    receipt: Some(receipt),
                    checks,
                    cosigned,
                }
            }
            Err(check) => CheckedReceipt {
                receipt: None,
                checks: vec![check],
                cosigned: Cosigned::default(),
            },
        });
    }
    checked
}

fn is_record(receipt: &VerifiedReceipt) -> bool {
    matches!(receipt.claim().body(), Body::Issuer(_))
}

/// What a genuine receipt proves, and whether those who are named as issuers really signed.
fn genuine_checks(receipt: &VerifiedReceipt, standing: Standing) -> Vec<Check> {
    let inclusion = receipt.inclusion();
    let mut checks = vec![
        Check::Signature,
        Check::Inclusion {
            origin: inclusion.checkpoint().origin().to_owned(),
            index: inclusion.index(),
            size: inclusion.checkpoint().size(),
        },
    ];
    match standing {
        Standing::Proven(issuers) => checks.extend(issuers.into_iter().map(Check::Issuer)),
        Standing::Unproven(ids) if ids.is_empty() => checks.push(Check::UnknownSigner),
        Standing::Unproven(ids) => checks.extend(ids.into_iter().map(Check::UnknownIssuer)),
        Standing::Refuted(why) => checks.push(Check::Unauthorized(why)),
        Standing::TwoHistories => checks.push(Check::TwoHistories {
            origin: inclusion.checkpoint().origin().to_owned(),
            index: inclusion.index(),
        }),
    }
    checks
}

fn demand_checks(receipt: &VerifiedReceipt, demands: &Demands) -> Vec<Check> {
    let claim = receipt.claim();
    let mut checks = Vec::new();
    if let Some(issuer) = demands.issuer {
        let signed = claim.signers().iter().any(|(id, _)| *id == issuer);
        checks.push(Check::DemandedIssuer { issuer, signed });
    }
    if let Some(subject) = &demands.subject {
        let mut subjects = claim.statement().subjects().iter();
        checks.push(Check::DemandedSubject {
            subject: subject.clone(),
            is_about: subjects.any(|of_claim| is_same(of_claim, subject)),
        });
    }
    checks
}

/// Whether a claim's subject is the one that is wanted: the same purl, or a digest in common.
fn is_same(subject: &Subject, wanted: &Subject) -> bool {
    match wanted.uri() {
        Some(uri) => subject.uri() == Some(uri),
        None => wanted
            .digests()
            .iter()
            .any(|(algorithm, value)| subject.digest(algorithm) == Some(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_claims::purl::Purl;
    use assay_tlog::Hash;

    #[test]
    fn a_subject_is_the_wanted_one_by_purl_or_by_a_digest_in_common() {
        let purl = |text: &str| Subject::package(Purl::parse_canonical(text).unwrap());
        let one = purl("pkg:cargo/serde@1.0.0");
        assert!(is_same(&one, &one) && !is_same(&purl("pkg:cargo/serde"), &one));
        let digest = Hash::of(b"abc").to_hex();
        let file = Subject::artifact(Some("abc.tar".into()), &Hash::of(b"abc"));
        let wanted = Subject::of_parts(None, None, vec![("sha256".into(), digest)]);
        assert!(is_same(&file, &wanted) && !is_same(&file, &one) && !is_same(&one, &wanted));
    }

    #[test]
    fn the_worst_check_decides() {
        let issuer = IssuerId::derive(1, &[[1; 32]]);
        let verdict = |checks: &[Check]| {
            let checks = checks.to_vec();
            CheckedReceipt {
                receipt: None,
                checks,
                cosigned: Cosigned::default(),
            }
            .verdict()
        };
        let demanded = |signed| Check::DemandedIssuer { issuer, signed };
        let unauthorized = Check::Unauthorized(AuthorizeError::NotRegistered(issuer));
        assert_eq!(
            verdict(&[Check::Signature, demanded(true)]),
            Verdict::Proven
        );
        assert_eq!(
            verdict(&[demanded(false), Check::Signature]),
            Verdict::Unproven
        );
        assert_eq!(verdict(&[unauthorized, demanded(false)]), Verdict::Failed);
        assert_eq!(verdict(&[]), Verdict::Failed);
    }
}
