//! What scanners are known to make of VEX otherwise than the policy does, and why. Each was looked
//! up in their sources; what is so no more is a difference.

use super::repository::GIVEN as REPOSITORY;
use super::scanners::Kind;
use super::vex::{GOOD, INNER, OWN, PART, PRIVATE, TWIN};

/// How a scanner makes something else of a case than the policy does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Differs {
    Kept,
    Lost,
    NotFound,
    /// It makes nothing of the document at all.
    Fails,
}

/// What a scanner is known to make of something otherwise, and why.
pub(super) struct Known {
    pub kind: Kind,
    /// How it is given.
    pub given: &'static str,
    pub how: Differs,
    /// The component and the vulnerability; without it whatever differs so.
    pub of: Option<(&'static str, u16)>,
    pub why: &'static str,
}

const NO_PRODUCT: &str = "it does not know this product";
const ANY_PART: &str =
    "of a statement about a part it takes the product, if it looks for that alone";
const COVERS: &str = "what is said of what needs a component covers it, on that way to it";
const CVE_ONLY: &str = "in CSAF it looks for CVEs, and calls this by another name";
const ANY_PLACE: &str =
    "a repository does not know its readers' SBOMs, and it takes a package of any place for this";
const NO_FORMAT: &str = "it does not read CycloneDX";
const CRASH: &str = "it crashes on a vulnerability without CVE, and on a part of what it found";

const fn known(kind: Kind, given: &'static str, how: Differs, why: &'static str) -> Known {
    Known {
        kind,
        given,
        how,
        of: None,
        why,
    }
}

const fn known_of(
    kind: Kind,
    given: &'static str,
    how: Differs,
    of: (&'static str, u16),
    why: &'static str,
) -> Known {
    Known {
        of: Some(of),
        ..known(kind, given, how, why)
    }
}

const BY_CVE: &str = "csaf --by-cve";
const OPENVEX_BY_CVE: &str = "openvex --by-cve";

pub(super) const KNOWN: &[Known] = &[
    known_of(Kind::Grype, "openvex", Differs::Kept, (PART, 9), NO_PRODUCT),
    known_of(
        Kind::Grype,
        OPENVEX_BY_CVE,
        Differs::Kept,
        (PART, 9),
        NO_PRODUCT,
    ),
    known_of(Kind::Grype, BY_CVE, Differs::Kept, (PART, 9), NO_PRODUCT),
    known_of(
        Kind::Grype,
        "openvex",
        Differs::Kept,
        (INNER, 31),
        NO_PRODUCT,
    ),
    known_of(
        Kind::Grype,
        OPENVEX_BY_CVE,
        Differs::Kept,
        (INNER, 31),
        NO_PRODUCT,
    ),
    known_of(Kind::Grype, BY_CVE, Differs::Kept, (INNER, 31), NO_PRODUCT),
    known_of(Kind::Grype, "openvex", Differs::Lost, (OWN, 31), ANY_PART),
    known_of(
        Kind::Grype,
        OPENVEX_BY_CVE,
        Differs::Lost,
        (OWN, 31),
        ANY_PART,
    ),
    known_of(Kind::Grype, BY_CVE, Differs::Kept, (GOOD, 501), CVE_ONLY),
    known_of(Kind::Grype, BY_CVE, Differs::Kept, (PART, 502), CVE_ONLY),
    known(Kind::Grype, "csaf", Differs::Kept, CVE_ONLY),
    known(Kind::Grype, "cyclonedx-vex", Differs::Fails, NO_FORMAT),
    known_of(Kind::Trivy, "openvex", Differs::Kept, (PART, 9), NO_PRODUCT),
    known_of(Kind::Trivy, "openvex", Differs::Lost, (OWN, 31), ANY_PART),
    known_of(Kind::Trivy, "openvex", Differs::Lost, (INNER, 32), COVERS),
    known_of(Kind::Trivy, "openvex", Differs::Lost, (INNER, 33), COVERS),
    known_of(
        Kind::Trivy,
        "cyclonedx-vex",
        Differs::Lost,
        (INNER, 32),
        COVERS,
    ),
    known_of(
        Kind::Trivy,
        "cyclonedx-vex",
        Differs::Lost,
        (INNER, 33),
        COVERS,
    ),
    known(Kind::Trivy, "csaf", Differs::Fails, CRASH),
    known_of(
        Kind::Trivy,
        REPOSITORY,
        Differs::Kept,
        (PART, 9),
        NO_PRODUCT,
    ),
    known_of(
        Kind::Trivy,
        REPOSITORY,
        Differs::Lost,
        (TWIN, 20),
        ANY_PLACE,
    ),
    known_of(
        Kind::Trivy,
        REPOSITORY,
        Differs::Lost,
        (PRIVATE, 20),
        ANY_PLACE,
    ),
    known_of(Kind::Trivy, REPOSITORY, Differs::Lost, (OWN, 31), ANY_PART),
    known_of(Kind::Trivy, REPOSITORY, Differs::Lost, (INNER, 32), COVERS),
    known_of(Kind::Trivy, REPOSITORY, Differs::Lost, (INNER, 33), COVERS),
];
