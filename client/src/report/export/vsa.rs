//! Verdicts, as SLSA verification summaries (<https://slsa.dev/verification_summary/v1>, of SLSA
//! 1.1): for each component an in-toto statement that the policy is met, or that it is not.
//!
//! What is not certain is nowhere called passed. There is no summary of a component of which a log
//! did not answer as it has to; of one that the policy lets pass though nobody whom it trusts
//! speaks of it, or though a rule could not be decided; and of one without purl or digest, because
//! whoever reads a summary looks it up by both.
//!
//! The format has no place for an end. Where the policy is met only because it ignores something,
//! the summary says what, why and until when, in a member of ours (`assay_ignored`), as SLSA has
//! producers name what it does not define.

use super::super::{Component, Evidence, Ignoring, Scales};
use crate::ask::{Asked, Inventory, Part};
use crate::plain;
use assay_claims::kind::descriptor;
use assay_claims::time::rfc3339_of_ms;
use assay_policy::rules::Outcome;
use assay_policy::verdict::Cause;
use assay_tlog::Hash;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What a verdict is written as.
const PREDICATE: &str = "https://slsa.dev/verification_summary/v1";
/// The version of SLSA whose words are used.
const SLSA: &str = "1.1";

/// Who verified, and against what.
#[derive(Debug, Clone)]
pub struct Verifier {
    /// A URI that is theirs.
    pub id: String,
    /// A URI that names the policy.
    pub policy: String,
    /// SHA-256 of the policy's file.
    pub policy_digest: Hash,
}

/// What there is to say of components in verification summaries.
#[derive(Debug, Default)]
pub struct Summaries {
    /// The summaries, in the order of the components.
    pub statements: Vec<Value>,
    /// How many of them say that the policy is met.
    pub passed: usize,
    /// Components without a purl, or without a digest that collisions are not known of.
    pub unnamed: Vec<String>,
    /// What the files name and could not be identified.
    pub unidentified: Vec<String>,
    /// Components of which a log did not answer as it has to.
    pub incomplete: Vec<String>,
    /// Components that the policy lets pass though nobody whom it trusts speaks of them, or though
    /// a rule could not be decided.
    pub unsure: Vec<String>,
    /// Components that pass because the policy ignores something, each with the day on which the
    /// first of these entries ends.
    pub ignoring: Vec<String>,
}

/// What a summary can say of a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sum {
    Passed,
    Failed,
    Incomplete,
    Unsure,
}

impl Sum {
    /// What is to be said of a component of which somebody whom the policy trusts speaks, or
    /// nobody.
    fn of(component: &Component, is_spoken_of: bool) -> Self {
        let reasons = || component.reasons.iter();
        let lacks = |outcome| matches!(outcome, Outcome::Incomplete | Outcome::Stale);
        let is_incomplete =
            reasons().any(|reason| reason.cause == Cause::Logs || lacks(reason.outcome));
        let is_undecided = reasons().any(|reason| reason.cause == Cause::Undecided);
        if is_incomplete || lacks(component.outcome) {
            Sum::Incomplete
        } else if !component.outcome.is_met() {
            Sum::Failed
        } else if is_undecided || !is_spoken_of {
            Sum::Unsure
        } else {
            Sum::Passed
        }
    }
}

/// SHA-256 of the statements of claims, by the claims' ids.
type Payloads = BTreeMap<String, Hash>;

impl Scales<'_> {
    /// What there is to say of the components of an inventory, of what logs answered about them.
    pub fn summaries(&self, inventory: Inventory, asked: &Asked, verifier: &Verifier) -> Summaries {
        let mut payloads = Payloads::new();
        for logged in asked.claims() {
            let payload = &logged.claim().claim().payload;
            payloads.insert(logged.claim().id().to_string(), Hash::of(payload));
        }
        let judge = self.judge(asked.claims(), asked);
        let mut summaries = Summaries::default();
        for file in &inventory.files {
            let unidentified = file.unidentified.iter();
            summaries
                .unidentified
                .extend(unidentified.map(|one| plain(&one.what)));
        }
        let at = rfc3339_of_ms(self.now_ms);
        let mut add = |part: Part, is_own: bool| {
            let is_spoken_of = judge.known.is_spoken_of(&part.component);
            let component = judge.component(part);
            // As for a report: what is one's own counts if somebody speaks against it.
            if !is_own || component.is_spoken_against() {
                let sum = Sum::of(&component, is_spoken_of);
                summaries.add(&component, sum, verifier, &at, &payloads);
            }
        };
        for part in inventory.parts {
            add(part, false);
        }
        for part in inventory.own_parts {
            add(part, true);
        }
        summaries
    }
}

impl Summaries {
    fn add(
        &mut self,
        component: &Component,
        sum: Sum,
        verifier: &Verifier,
        at: &str,
        payloads: &Payloads,
    ) {
        let title = || plain(&component.title());
        let result = match sum {
            Sum::Incomplete => return self.incomplete.push(title()),
            Sum::Unsure => return self.unsure.push(title()),
            Sum::Passed => "PASSED",
            Sum::Failed => "FAILED",
        };
        let subjects = subjects(component);
        let Some(purl) = component.purl.as_ref().filter(|_| !subjects.is_empty()) else {
            return self.unnamed.push(title());
        };
        let mut predicate = json!({
            "verifier": {"id": verifier.id, "version": {"assay": env!("CARGO_PKG_VERSION")}},
            "timeVerified": at,
            "resourceUri": &**purl,
            "policy": {
                "uri": verifier.policy,
                "digest": {"sha256": verifier.policy_digest.to_hex()},
            },
            "verificationResult": result,
            // No level of SLSA was looked at.
            "verifiedLevels": [match sum {
                Sum::Passed => "SLSA_BUILD_LEVEL_UNEVALUATED",
                _ => "FAILED",
            }],
            "slsaVersion": SLSA,
        });
        let inputs = inputs(component, payloads);
        if !inputs.is_empty() {
            predicate["inputAttestations"] = inputs.into();
        }
        if sum == Sum::Passed {
            self.passed += 1;
            let ignored = ignored(component);
            if let Some(until) = ignored.iter().map(|entry| &entry.until).min() {
                self.ignoring.push(format!("{} until {until}", title()));
                predicate["assay_ignored"] = ignored.iter().map(|entry| entry_of(entry)).collect();
            }
        }
        self.statements.push(json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": subjects,
            "predicateType": PREDICATE,
            "predicate": predicate,
        }));
    }
}

/// The entries of the policy without which a component would not pass, each once.
fn ignored(component: &Component) -> Vec<&Ignoring> {
    let mut entries: Vec<&Ignoring> = Vec::new();
    let overlooked = component.reasons.iter();
    for overlooked in overlooked.filter_map(|reason| reason.ignored.as_ref()) {
        let decisive = !overlooked.outcome.is_met();
        for entry in overlooked.by.iter().filter(|_| decisive) {
            if !entries.contains(&entry) {
                entries.push(entry);
            }
        }
    }
    entries
}

fn entry_of(entry: &Ignoring) -> Value {
    json!({"what": entry.what, "reason": entry.reason, "until": entry.until})
}

/// The artifacts that a component is known to be, one for each digest: of one version there may be
/// several files. SHA-1 tells none apart from what somebody made to be taken for it.
fn subjects(component: &Component) -> Vec<Value> {
    let mut subjects = Vec::new();
    for (algorithm, digests) in &component.digests {
        for hex in digests {
            let known = descriptor::digest(algorithm, hex);
            if let Some((name, hex)) = known.filter(|(name, _)| name != "sha1") {
                subjects.push(json!({"uri": component.purl.as_deref(), "digest": {name: hex}}));
            }
        }
    }
    subjects
}

/// The claims about a component that its verdict rests on, each once: those that gave a reason, and
/// those that speak of vulnerabilities. A list that lacks one would be wrong, so it is then empty.
fn inputs(component: &Component, payloads: &Payloads) -> Vec<Value> {
    let reasons = component.reasons.iter().flat_map(|reason| &reason.claims);
    let vulnerabilities = component.vulnerabilities.iter();
    let spoken = vulnerabilities.flat_map(|one| {
        let stated = one.stated.iter().map(|stated| &stated.claim);
        one.found.iter().chain(stated)
    });
    let mut claims: BTreeMap<&str, &Evidence> = BTreeMap::new();
    for claim in reasons.chain(spoken) {
        claims.entry(&claim.claim_id).or_insert(claim);
    }
    let inputs = claims.values().map(|claim| {
        Some(json!({
            "uri": format!("urn:assay:claim:{}", claim.claim_id),
            "digest": {"sha256": payloads.get(&claim.claim_id)?.to_hex()},
            "annotations": {
                "log": claim.log,
                "leaf": claim.leaf_index,
                "issuer": claim.issuer_id,
            },
        }))
    });
    inputs.collect::<Option<_>>().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::super::example;
    use super::*;

    fn verifier() -> Verifier {
        Verifier {
            id: "https://verify.example".into(),
            policy: "https://verify.example/policy".into(),
            policy_digest: Hash::of(b"policy"),
        }
    }

    /// The summaries of the example's components, of which each is changed.
    fn summaries(change: impl Fn(&mut Component), is_spoken_of: bool) -> Summaries {
        let mut payloads = Payloads::new();
        for number in 0..10 {
            payloads.insert(format!("{number:064x}"), Hash::of(&[number]));
        }
        let mut summaries = Summaries::default();
        for mut component in example::report().components {
            change(&mut component);
            let sum = Sum::of(&component, is_spoken_of);
            summaries.add(
                &component,
                sum,
                &verifier(),
                "2026-01-31T00:00:00Z",
                &payloads,
            );
        }
        summaries
    }

    fn results(summaries: &Summaries) -> Vec<String> {
        let statements = summaries.statements.iter();
        let rows = statements.map(|one| {
            let predicate = &one["predicate"];
            format!(
                "{} {} {}",
                predicate["resourceUri"].as_str().unwrap(),
                predicate["verificationResult"].as_str().unwrap(),
                predicate["verifiedLevels"][0].as_str().unwrap()
            )
        });
        rows.collect()
    }

    #[test]
    fn a_summary_says_whether_the_policy_is_met() {
        let made = summaries(|_| {}, true);
        let passed = "PASSED SLSA_BUILD_LEVEL_UNEVALUATED";
        let expected = [
            format!("pkg:cargo/good@1.0.0 {passed}"),
            "pkg:cargo/bad@1.0.0 FAILED FAILED".into(),
            "pkg:cargo/nobody@1.0.0 FAILED FAILED".into(),
            format!("pkg:cargo/old@1.0.0 {passed}"),
            format!("pkg:cargo/short@1.0.0 {passed}"),
        ];
        assert_eq!(results(&made), expected);
        assert_eq!(made.passed, 3);
        let bad = &made.statements[1];
        let digest = json!({"sha256": "ab".repeat(32)});
        assert_eq!(
            bad["subject"],
            json!([{"uri": "pkg:cargo/bad@1.0.0", "digest": digest}])
        );
        // A claim that gave two reasons is named once.
        let inputs = bad["predicate"]["inputAttestations"].as_array().unwrap();
        let numbers: Vec<_> = inputs
            .iter()
            .map(|one| &one["annotations"]["leaf"])
            .collect();
        assert_eq!(numbers, [2, 4, 5]);
        let sha256 = Hash::of(&[2]).to_hex();
        assert_eq!(inputs[0]["digest"]["sha256"], sha256.as_str());
        // Nothing gave the reason that nobody speaks.
        assert!(made.statements[2]["predicate"]["inputAttestations"].is_null());
    }

    #[test]
    fn what_is_not_certain_is_never_passed() {
        let all = |set: fn(&mut Component), is_spoken_of| {
            let fine = |component: &mut Component| {
                component.outcome = Outcome::Fine;
                set(component);
            };
            let made = summaries(fine, is_spoken_of);
            assert_eq!(made.passed, 0);
            (
                made.statements.len(),
                made.unsure.len(),
                made.incomplete.len(),
            )
        };
        let unsure = (0, 5, 0);
        assert_eq!(all(|_| {}, false), unsure);
        assert_eq!(
            all(|one| one.reasons[0].cause = Cause::Undecided, true),
            unsure
        );
        let incomplete: [fn(&mut Component); 4] = [
            |one| one.reasons[0].cause = Cause::Logs,
            |one| one.reasons[0].outcome = Outcome::Incomplete,
            |one| one.outcome = Outcome::Stale,
            |one| one.outcome = Outcome::Incomplete,
        ];
        for change in incomplete {
            assert_eq!(all(change, true), (0, 0, 5));
        }
    }

    #[test]
    fn a_component_has_a_subject_for_each_digest_and_none_is_invented() {
        let several = |component: &mut Component| {
            component.digests = [
                ("sha256".to_owned(), vec!["a".repeat(64), "b".repeat(64)]),
                ("sha1".to_owned(), vec!["c".repeat(40)]),
                ("sha512".to_owned(), vec!["d".repeat(128)]),
            ]
            .into();
        };
        let several = summaries(several, true);
        let subjects = several.statements[0]["subject"].as_array().unwrap();
        assert_eq!(subjects.len(), 3, "{subjects:?}");
        let without: [fn(&mut Component); 3] = [
            |component| component.purl = None,
            |component| component.digests.clear(),
            |component| component.digests = [("sha1".into(), vec!["c".repeat(40)])].into(),
        ];
        for without in without {
            let made = summaries(without, true);
            assert_eq!((made.statements.len(), made.unnamed.len()), (0, 5));
        }
    }
}
