//! What was not heard, because somebody said too much: lists that are too long to come, and claims
//! that are too many.
//!
//! A list that does not come, or only its beginning, is one of one log. What its issuer says in
//! other logs counts as before. It makes those components incomplete for which the policy would
//! have used it, and none if nothing that the log takes of the issuer, after what was heard, can
//! count: then a key of old can say as much as it likes. Where something can count, what was heard
//! counts against a component and not for it.

use super::known::CLAIMS_ABOUT_ONE;
use super::reason::Bound;
use crate::component::{Component, InBom};
use crate::facts::relation;
use crate::trust::{HeardTo, JudgedClaim, Limit, Trust, covers, is_final};
use assay_claims::index::{By, Kind, Label, Name};
use assay_claims::issuer::IssuerId;
use assay_claims::kind::Body;
use std::collections::{BTreeMap, BTreeSet};

/// A list that a log has, and that is longer than is listened to: more than [`CLAIMS_ABOUT_ONE`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Overlong {
    /// The log.
    pub origin: String,
    /// Whose list it is, and about what.
    pub label: Label,
    /// Whether it is of what says which keys an issuer has: its records and key compromises.
    pub of_keys: bool,
    /// How far it was read; `None` if it could not be read in part.
    pub heard: Option<HeardTo>,
}

/// All that was not heard.
#[derive(Debug, Default)]
pub(super) struct Unheard {
    /// Who made too many claims about a package, by its purl without version and qualifiers.
    claims: BTreeSet<Claims>,
    /// Lists of what somebody said, by who did.
    said: BTreeMap<By, Vec<Overlong>>,
    /// Lists of what an issuer signed of one type, by the issuer's name.
    signed: BTreeMap<Name, Vec<Overlong>>,
    /// Lists of what somebody said about a claim, each with the claim's place in
    /// [`Trust::claims`].
    replies: BTreeMap<By, Vec<Replies>>,
}

/// Too many claims of one issuer about one package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Claims {
    package: String,
    issuer: IssuerId,
}

/// What somebody said about a claim.
#[derive(Debug)]
struct Replies {
    list: Overlong,
    claim: usize,
}

impl Unheard {
    /// Who made too many claims about a package: claims, each once, that count for something or
    /// against it. Others cannot use up what an issuer may say, and nor can its keys of old.
    pub(super) fn of(trust: &Trust<'_>, by_package: &BTreeMap<String, Vec<usize>>) -> Self {
        let mut unheard = Unheard::default();
        for (package, places) in by_package {
            if places.len() <= CLAIMS_ABOUT_ONE {
                continue;
            }
            let mut said: BTreeMap<IssuerId, usize> = BTreeMap::new();
            let judged = places.iter().filter_map(|place| trust.claims().get(*place));
            for judged in judged.filter(|judged| judged.is_first()) {
                for spoken in judged.spoken() {
                    if spoken.standing.is_good() || spoken.against {
                        *said.entry(spoken.issuer).or_default() += 1;
                    }
                }
            }
            said.retain(|_, said| *said > CLAIMS_ABOUT_ONE);
            unheard.claims.extend(said.into_keys().map(|issuer| Claims {
                package: package.clone(),
                issuer,
            }));
        }
        unheard
    }

    /// Takes lists that did not come, or not all of them.
    pub(super) fn take(&mut self, lists: impl IntoIterator<Item = Overlong>, trust: &Trust<'_>) {
        for list in lists {
            let said = self.said.entry(list.label.by()).or_default();
            said.push(list.clone());
            let signed = self.signed.entry(list.label.name()).or_default();
            signed.push(list);
        }
        self.replies.clear();
        if self.signed.is_empty() {
            return;
        }
        for (place, judged) in trust.claims().iter().enumerate() {
            let claim = judged.logged().claim();
            if !judged.is_first() || is_final(claim.body().kind()) {
                continue;
            }
            let name = Name::new(Kind::Claim, &claim.id().to_hex());
            for list in self.signed.get(&name).into_iter().flatten() {
                let replies = self.replies.entry(list.label.by()).or_default();
                replies.push(Replies {
                    list: list.clone(),
                    claim: place,
                });
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.claims.is_empty() && self.signed.is_empty()
    }

    /// Whether an issuer said too much about a component to count for it in a log.
    pub(super) fn is_void(
        &self,
        issuer: &IssuerId,
        origin: &str,
        component: &Component,
        trust: &Trust<'_>,
    ) -> bool {
        let mut lists = self.about(issuer, component);
        let is_void = |list: &Overlong| {
            list.origin == origin && (list.heard.is_none() || self.speaks(issuer, list, trust))
        };
        self.has_too_many(issuer, component) || lists.any(is_void)
    }

    /// The endorsements that do not count, as more of them may be in what was not heard: of whom,
    /// in which log.
    pub(super) fn endorsements(&self, trust: &Trust<'_>) -> BTreeSet<Limit> {
        let mut limits = BTreeSet::new();
        if self.signed.is_empty() {
            return limits;
        }
        for judged in trust.claims() {
            if !matches!(judged.logged().claim().body(), Body::Endorsement(_)) {
                continue;
            }
            for spoken in judged.spoken() {
                let issuer = spoken.issuer;
                let of_others = self.signed_by(&issuer).filter(|list| !list.of_keys);
                for list in of_others.filter(|list| self.speaks(&issuer, list, trust)) {
                    let origin = list.origin.clone();
                    limits.insert(Limit::Endorsements { issuer, origin });
                }
            }
        }
        limits
    }

    /// What of an issuer was not heard and could matter for a component.
    pub(super) fn bounds(
        &self,
        issuer: &IssuerId,
        component: &Component,
        trust: &Trust<'_>,
    ) -> BTreeSet<Bound> {
        let mut bounds = BTreeSet::new();
        let issuer = *issuer;
        if self.has_too_many(&issuer, component) {
            let origin = None;
            bounds.insert(Bound::Claims { issuer, origin });
        }
        for list in self.about(&issuer, component) {
            if self.speaks(&issuer, list, trust) {
                let origin = Some(list.origin.clone());
                bounds.insert(Bound::Claims { issuer, origin });
            }
        }
        for list in self.signed_by(&issuer) {
            let origin = list.origin.clone();
            if list.of_keys {
                bounds.insert(Bound::Keys { issuer, origin });
            } else if self.speaks(&issuer, list, trust) {
                bounds.insert(Bound::Search(Limit::Endorsements { issuer, origin }));
            }
        }
        for replies in self.replies.get(&By::issuer(&issuer)).into_iter().flatten() {
            let Some(judged) = trust.claims().get(replies.claim) else {
                continue;
            };
            let list = &replies.list;
            if bears_on(judged, &issuer, component) && self.speaks(&issuer, list, trust) {
                bounds.insert(Bound::Replies {
                    issuer,
                    origin: list.origin.clone(),
                    claim: judged.logged().claim().id(),
                });
            }
        }
        bounds
    }

    /// Whether anything that an issuer signed in a list's log, after what was heard of the list,
    /// can count. Where its records did not come, nobody can tell.
    fn speaks(&self, issuer: &IssuerId, list: &Overlong, trust: &Trust<'_>) -> bool {
        let origin = &list.origin;
        let mut keys = self.signed_by(issuer).filter(|list| list.of_keys);
        keys.any(|keys| keys.origin == *origin) || trust.speaks_in(issuer, origin, list.heard)
    }

    /// Whether all that is missing can count for nothing, whatever is asked about, if these are the
    /// issuers that may have said it.
    pub(super) fn is_of_no_use(&self, issuers: &[IssuerId], trust: &Trust<'_>) -> bool {
        let can_count = |list: &Overlong| {
            let mut by = issuers
                .iter()
                .filter(|issuer| list.is_by(issuer))
                .peekable();
            by.peek().is_none() || by.any(|issuer| self.speaks(issuer, list, trust))
        };
        self.claims.is_empty() && !self.signed.values().flatten().any(can_count)
    }

    fn has_too_many(&self, issuer: &IssuerId, component: &Component) -> bool {
        // Every speaker of every claim is asked this, and nearly always nothing is left out.
        !self.claims.is_empty()
            && component.packages().any(|package| {
                self.claims.contains(&Claims {
                    package,
                    issuer: *issuer,
                })
            })
    }

    /// The lists of what an issuer said about a component.
    fn about<'s>(
        &'s self,
        issuer: &IssuerId,
        component: &'s Component,
    ) -> impl Iterator<Item = &'s Overlong> {
        let lists = self.said.get(&By::issuer(issuer)).into_iter().flatten();
        lists.filter(|list| names(component).any(|name| list.label.name() == name))
    }

    /// The lists of what an issuer signed of one type.
    fn signed_by(&self, issuer: &IssuerId) -> impl Iterator<Item = &Overlong> {
        let lists = if self.signed.is_empty() {
            None
        } else {
            self.signed.get(&name_of(issuer))
        };
        lists.into_iter().flatten()
    }
}

impl Overlong {
    /// Whether it is of what an issuer said.
    fn is_by(&self, issuer: &IssuerId) -> bool {
        self.label.by() == By::issuer(issuer) || self.label.name() == name_of(issuer)
    }
}

/// Whether it matters for a component that an issuer took back a claim: one that it signed, that
/// counts, and that is about the component or gives a role for it.
fn bears_on(judged: &JudgedClaim<'_>, issuer: &IssuerId, component: &Component) -> bool {
    let mut spoken = judged.spoken().iter();
    let counts = spoken
        .any(|spoken| spoken.issuer == *issuer && (spoken.standing.is_good() || spoken.against));
    let claim = judged.logged().claim();
    counts
        && match claim.body() {
            Body::Endorsement(said) => covers(&said.scope, component.purl()),
            _ => relation(claim, component).is_some(),
        }
}

/// The name of what an issuer signs.
fn name_of(issuer: &IssuerId) -> Name {
    Name::new(Kind::Issuer, &issuer.to_hex())
}

/// The names under which a component is spoken of, whatever its version.
fn names(component: &Component) -> impl Iterator<Item = Name> {
    let digests = component.digests().iter();
    let digests = digests.map(|(algorithm, digest)| format!("{algorithm}:{digest}"));
    let bom = component.bom().map(InBom::index_name);
    component
        .package_names()
        .chain(digests.map(|digest| Name::new(Kind::Digest, &digest)))
        .chain(bom)
}
