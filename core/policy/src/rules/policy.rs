//! A policy that was read, and what it is asked for.

use super::example::Example;
use super::rule::{Denial, Effect, Requirement};
use crate::trust::{Anchor, Silenced};
use assay_claims::claim::ClaimId;
use assay_claims::issuer::IssuerId;
use assay_claims::kind::Timestamp;
use assay_claims::purl::{self, Pattern, Purl};
use assay_tlog::tlog_policy::TlogPolicy;
use std::collections::BTreeSet;

/// A policy that was read and checked. Only [`Policy::parse`] makes one.
#[derive(Debug, Clone)]
pub struct Policy {
    pub(super) unknown: Option<Effect>,
    pub(super) max_head_age_ms: u64,
    pub(super) logs: Vec<RequiredLog>,
    pub(super) enough: Option<EnoughLogs>,
    pub(super) tlog: Option<TlogPolicy>,
    pub(super) anchors: Vec<NamedAnchor>,
    pub(super) registries: Vec<Registry>,
    pub(super) ignored: Vec<Ignore>,
    pub(super) denials: Vec<Denial>,
    pub(super) requirements: Vec<Requirement>,
    pub(super) examples: Vec<Example>,
}

/// A log that must answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequiredLog {
    /// Its origin.
    pub origin: String,
    /// Where it is, if the policy says so.
    pub url: Option<String>,
    /// Nodes that mirror it, in the order in which they are asked if it does not answer.
    pub mirrors: Vec<String>,
    /// How old its head may be, in milliseconds.
    pub max_head_age_ms: u64,
}

/// Logs of which not every one must answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnoughLogs {
    /// How many of them must: at least 1, and fewer than there are.
    pub least: usize,
    /// Their origins, each once.
    pub of: Vec<String>,
}

/// An anchor, and what the policy calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedAnchor {
    /// What the policy's author calls it.
    pub name: String,
    /// Who is trusted for what.
    pub anchor: Anchor,
}

/// Mirrors of the public registry of a type of packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry {
    /// The type, as in package URLs.
    pub ty: String,
    /// Addresses that have what the public registry has.
    pub mirrors: Vec<String>,
}

/// What the policy ignores, until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignore {
    /// What.
    pub what: Ignored,
    /// Why, as the policy's author says.
    pub reason: String,
    /// The last instant at which it is ignored.
    pub until: Timestamp,
}

impl Ignore {
    /// Whether it is over at a time in milliseconds since 1970: then it counts no more.
    pub fn is_over(&self, now_ms: u64) -> bool {
        self.until.unix_ms() < i64::try_from(now_ms).unwrap_or(i64::MAX)
    }
}

/// What a policy can ignore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ignored {
    /// Everything that an issuer says.
    Issuer(IssuerId),
    /// A claim, whoever signed it.
    Claim(ClaimId),
    /// A vulnerability in some packages.
    Vulnerability {
        /// One of its names, as the policy writes it.
        id: String,
        /// The packages; at least one pattern.
        scopes: Vec<Pattern>,
    },
    /// What a rule says of some packages.
    Rule {
        /// The rule's name, or `unknown`.
        name: String,
        /// The packages; at least one pattern.
        scopes: Vec<Pattern>,
    },
}

/// Why a text is no policy: where, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, {key}: {reason}")]
pub struct PolicyError {
    /// The line, counted from 1.
    pub line: usize,
    /// The key, such as `anchor.issuer`.
    pub key: String,
    /// What is wrong with it, and what to write instead.
    pub reason: String,
}

impl Policy {
    /// The logs that must answer. If empty, whatever logs are asked must.
    pub fn logs(&self) -> &[RequiredLog] {
        &self.logs
    }

    /// The mirrors of public registries.
    pub fn registries(&self) -> &[Registry] {
        &self.registries
    }

    /// The package without the address that it comes from, if that is of a mirror of its public
    /// registry; `None` if it comes from nowhere else, or from elsewhere.
    pub fn unmirrored(&self, purl: &Purl) -> Option<Purl> {
        let registries = self.registries.iter();
        let of_type = registries.filter(|registry| registry.ty == purl.ty());
        let mirrors: Vec<&String> = of_type.flat_map(|registry| &registry.mirrors).collect();
        purl.without_places(|address| mirrors.iter().any(|mirror| purl::is_at(address, mirror)))
    }

    /// The logs of which some may be missing. `None` if every log must answer.
    pub fn enough_logs(&self) -> Option<&EnoughLogs> {
        self.enough.as_ref()
    }

    /// Whether the answer of a log can be done without, because enough others answered in full.
    /// What only the missing log has is then not known: a withdrawal could be among it.
    pub fn can_lack(&self, origin: &str, answered: &BTreeSet<&str>) -> bool {
        let Some(EnoughLogs { least, of }) = &self.enough else {
            return false;
        };
        let others = of.iter().filter(|log| answered.contains(log.as_str()));
        of.iter().any(|log| log == origin) && others.count() >= *least
    }

    /// The keys of logs and witnesses, and the quorum: what a checkpoint is to be verified with.
    /// `None` if the policy names neither key nor witness.
    pub fn tlog(&self) -> Option<&TlogPolicy> {
        self.tlog.as_ref()
    }

    /// Whom the policy trusts from the start.
    pub fn anchors(&self) -> &[NamedAnchor] {
        &self.anchors
    }

    /// What the policy ignores, also what it ignores no more.
    pub fn ignored(&self) -> &[Ignore] {
        &self.ignored
    }

    /// What is silenced at a time in milliseconds since 1970.
    pub(crate) fn silenced(&self, now_ms: u64) -> Silenced {
        let mut silenced = Silenced::default();
        for ignore in self.ignoring(now_ms) {
            let reason = ignore.reason.clone();
            match &ignore.what {
                Ignored::Issuer(issuer) => _ = silenced.issuers.insert(*issuer, reason),
                Ignored::Claim(claim) => _ = silenced.claims.insert(*claim, reason),
                Ignored::Vulnerability { .. } | Ignored::Rule { .. } => {}
            }
        }
        silenced
    }

    /// What it ignores at a time in milliseconds since 1970.
    pub(crate) fn ignoring(&self, now_ms: u64) -> impl Iterator<Item = &Ignore> {
        let entries = self.ignored.iter();
        entries.filter(move |ignore| !ignore.is_over(now_ms))
    }

    /// What follows if nobody whom the policy trusts says anything of a component; `None` if
    /// nothing does.
    pub fn unknown(&self) -> Option<Effect> {
        self.unknown
    }

    /// How old the head of a log may be for which the policy does not say more, in milliseconds.
    pub fn default_max_head_age_ms(&self) -> u64 {
        self.max_head_age_ms
    }

    /// What must not be.
    pub fn denials(&self) -> &[Denial] {
        &self.denials
    }

    /// What must be.
    pub fn requirements(&self) -> &[Requirement] {
        &self.requirements
    }

    /// The examples that the policy has of its own.
    pub(crate) fn examples(&self) -> &[Example] {
        &self.examples
    }

    /// How many examples the policy has of its own.
    pub fn example_count(&self) -> usize {
        self.examples.len()
    }

    /// Whether the policy stops at software that nobody whom it trusts has said anything about.
    pub fn stops_at_unknown(&self) -> bool {
        self.unknown == Some(Effect::Deny)
    }

    /// How old the head of a log may be, in milliseconds.
    pub fn max_head_age_ms(&self, origin: &str) -> u64 {
        self.logs
            .iter()
            .find(|log| log.origin == origin)
            .map_or(self.max_head_age_ms, |log| log.max_head_age_ms)
    }

    /// Whether what stands in a log counts. A policy that names logs or their keys trusts no
    /// others.
    pub fn counts(&self, origin: &str) -> bool {
        let keys = self.tlog.as_ref().map(TlogPolicy::logs).unwrap_or_default();
        let named = self.logs.iter().any(|log| log.origin == origin)
            || keys.iter().any(|log| log.key.name() == origin);
        named || (self.logs.is_empty() && keys.is_empty())
    }

    /// The trust anchors, without their names.
    pub(crate) fn trust_anchors(&self) -> Vec<Anchor> {
        self.anchors
            .iter()
            .map(|named| named.anchor.clone())
            .collect()
    }
}
