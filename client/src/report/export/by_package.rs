//! What is handed on of all packages, each by itself: for readers who look up a package, and then
//! match its statements by purl.
//!
//! Such readers take a statement without a version for one of all versions, and one without
//! qualifiers for one of all builds. So what clears more than one thing is left out where anything
//! else is said of one of these: whoever looks that one up would find the word that clears, and not
//! why it does not count there.

use super::{Scales, Statement, VexExport};
use crate::ask::{Asked, Inventory, Part};
use crate::plain;
use assay_claims::kind::vex::Status;
use assay_claims::logged::LoggedClaim;
use assay_claims::purl::Purl;
use assay_claims::vulnerability::folded;
use assay_policy::verdict::Cause;
use std::collections::{BTreeMap, BTreeSet};

/// Statements to hand on, by package.
#[derive(Debug, Default)]
pub struct Packages {
    /// The packages, as purls without version, qualifiers and subpath, each with what is said of
    /// it, and of parts of it.
    pub packages: BTreeMap<String, VexExport>,
    /// What those whose word clears contradict each other in.
    pub disputed: Vec<String>,
    /// What would clear more than its readers may take for cleared.
    pub too_wide: Vec<String>,
    /// Components of which a log did not answer as it has to.
    pub incomplete: Vec<String>,
    /// When the newest of the claims was logged that all this follows from, in milliseconds since
    /// 1970; 0 if there is none.
    pub at_ms: u64,
}

/// A package, or a part of a product.
#[derive(Debug, Clone)]
struct Thing {
    purl: Purl,
    product: Option<Purl>,
}

/// A vulnerability of which something is said of a thing.
#[derive(Debug)]
struct Word {
    thing: Thing,
    /// All of the vulnerability's names, folded.
    names: BTreeSet<String>,
    statement: Option<Statement>,
}

/// What is not cleared, by the package that it is looked up by, and by each name of the
/// vulnerability; under no name, whatever the vulnerability is.
#[derive(Default)]
struct Uncleared(BTreeMap<(String, Option<String>), Vec<Thing>>);

impl Scales<'_> {
    /// What is to be handed on about the things of an inventory, of what logs answered about them.
    pub fn vex_by_package(&self, inventory: &Inventory, asked: &Asked) -> Packages {
        let judge = self.judge(asked.claims(), asked);
        let mut export = VexExport::default();
        let mut words: Vec<Word> = Vec::new();
        let mut uncleared = Uncleared::default();
        for part in &inventory.parts {
            let Some(thing) = Thing::of(part) else {
                continue;
            };
            let verdict = judge.known.verdict(&part.component, &judge.answers);
            let mut reasons = verdict.reasons().iter();
            if reasons.any(|reason| reason.cause() == Cause::Logs) {
                export.incomplete.push(plain(&part.title()));
                uncleared.add(&thing, None);
                continue;
            }
            for agreed in judge.known.agreed(&part.component) {
                let names = agreed.names.iter().map(|name| folded(name)).collect();
                if !agreed.status.is_some_and(Status::clears) {
                    uncleared.add(&thing, Some(&names));
                }
                // What is said of it wherever it is, is said under its own name.
                if thing.product.is_some() && !agreed.within {
                    continue;
                }
                let stated = self.stated(&mut export, &judge.known, part, None, &agreed);
                words.push(Word {
                    thing: thing.clone(),
                    names,
                    statement: stated.map(|(_, statement)| statement),
                });
            }
        }
        let logged = asked.claims().map(LoggedClaim::logged_at_ms);
        let mut packages = Packages {
            disputed: export.disputed,
            incomplete: export.incomplete,
            at_ms: logged.max().unwrap_or_default(),
            ..Packages::default()
        };
        for word in words {
            packages.take(word, &uncleared);
        }
        packages
    }
}

impl Packages {
    fn take(&mut self, word: Word, uncleared: &Uncleared) {
        let Some(statement) = &word.statement else {
            return;
        };
        if statement.clears() && (uncleared.has(&word) || word.thing.is_below()) {
            let text = format!("{} in {}", statement.vulnerability, word.thing.purl);
            return self.too_wide.push(text);
        }
        let of = word.thing.looked_up().without_version().to_owned();
        let package = self.packages.entry(of).or_default();
        package.at_ms = package.at_ms.max(statement.at_ms);
        package.statements.extend(word.statement);
    }

    /// How many statements there are.
    pub fn len(&self) -> usize {
        let packages = self.packages.values();
        packages.map(|package| package.statements.len()).sum()
    }

    /// Whether there is nothing to hand on.
    pub fn is_empty(&self) -> bool {
        self.packages.is_empty()
    }
}

impl Thing {
    fn of(part: &Part) -> Option<Self> {
        let product = part.component.product().map(|product| product.purl());
        Some(Thing {
            purl: part.component.purl()?.clone(),
            product: match product {
                None => None,
                Some(purl) => Some(purl?.clone()),
            },
        })
    }

    /// What its statements are looked up by.
    fn looked_up(&self) -> &Purl {
        self.product.as_ref().unwrap_or(&self.purl)
    }

    /// Whether it is a folder in a package, which readers do not tell from the package.
    fn is_below(&self) -> bool {
        let mut purls = [Some(&self.purl), self.product.as_ref()]
            .into_iter()
            .flatten();
        purls.any(|purl| purl.components().subpath.is_some())
    }

    /// Whether readers who look for the other thing, or for whatever it is a part of, take what is
    /// said of this one.
    fn is_taken_for(&self, other: &Thing) -> bool {
        let is_of = |purl: &Purl| covers(self.looked_up(), purl);
        let of_product = other.product.as_ref().is_some_and(is_of);
        match &self.product {
            None => is_of(&other.purl) || of_product,
            Some(_) if other.product.is_some() => of_product && covers(&self.purl, &other.purl),
            // Readers who look for the product alone pass over the names of its parts.
            Some(_) => is_of(&other.purl),
        }
    }
}

/// Whether a reader that compares purls takes the first for the second: a version, and each
/// qualifier, are compared if the first has them.
fn covers(general: &Purl, special: &Purl) -> bool {
    let mut qualifiers = general.qualifiers();
    let version = general.version();
    general.without_version() == special.without_version()
        && (version.is_none() || version == special.version())
        && qualifiers.all(|(key, value)| special.qualifier(key) == Some(value))
}

impl Uncleared {
    fn add(&mut self, thing: &Thing, names: Option<&BTreeSet<String>>) {
        let names: Vec<Option<&String>> = match names {
            Some(names) => names.iter().map(Some).collect(),
            None => vec![None],
        };
        let purls = [Some(&thing.purl), thing.product.as_ref()];
        for package in purls.into_iter().flatten().map(Purl::without_version) {
            for name in &names {
                let key = (package.to_owned(), name.cloned());
                self.0.entry(key).or_default().push(thing.clone());
            }
        }
    }

    /// Whether something that readers take a word for is not cleared.
    fn has(&self, word: &Word) -> bool {
        let package = word.thing.looked_up().without_version();
        let names = word.names.iter().cloned().map(Some).chain([None]);
        let mut others = names.filter_map(|name| self.0.get(&(package.to_owned(), name)));
        others.any(|things| things.iter().any(|one| word.thing.is_taken_for(one)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ask::{AskedLog, LogAddress, LogState};
    use crate::report::words::Reader;
    use assay_policy::Component;
    use assay_policy::testing::{NOW_MS, Party, World, about, anchor, parse};
    use assay_policy::verdict::Answer;
    use assay_tlog::note::SignerKey;

    const OPENVEX: &str = "https://openvex.dev/ns/v0.2.0";

    /// A log in which two speak, who are trusted, and somebody else.
    struct Said {
        world: World,
        makers: Party,
        auditors: Party,
        stranger: Party,
    }

    impl Said {
        fn new() -> Self {
            let mut world = World::new();
            let [makers, auditors, stranger] =
                [1, 2, 3].map(|seed| world.register("a", &[seed], 1));
            Said {
                world,
                makers,
                auditors,
                stranger,
            }
        }

        /// Logs a document of one statement about a package.
        fn say(&mut self, by: &Party, of: &str, status: &str, more: &str) {
            let n = self.world.next_leaf().get();
            let text = format!(
                r#"{{"@context":"{OPENVEX}","@id":"https://e.org/{n}","author":"A","version":1,
                "timestamp":"2026-01-01T00:00:{n:02}Z","statements":[{{"vulnerability":"CVE-1",
                "status":"{status}","impact_statement":"No.",
                "action_statement":"Update."{more}}}]}}"#
            );
            self.world.log(&about(of, OPENVEX, &text), &[by]);
        }

        /// What is handed on of these things, each a purl, or a part and its product.
        fn packages(&self, things: &[(&str, Option<&str>)]) -> Packages {
            let other = anchor(&self.auditors, &["auditor"]).replace("\"it\"", "\"b\"");
            let makers = anchor(&self.makers, &["maintainer"]);
            let policy = parse(&format!("version = 1\n{makers}{other}"));
            let scales = Scales {
                policy: &policy,
                policy_name: "",
                now_ms: NOW_MS,
                reader: Reader::Owner,
            };
            let parts = things.iter().map(|(purl, product)| {
                let component = Component::of_purl(purl).unwrap();
                Part::of_component(match product {
                    None => component,
                    Some(of) => component.in_product(Component::of_purl(of).unwrap()),
                })
            });
            let inventory = Inventory {
                parts: parts.collect(),
                ..Inventory::default()
            };
            scales.vex_by_package(&inventory, &self.asked())
        }

        fn asked(&self) -> Asked {
            let key = SignerKey::from_seed(self.world.origin, &[7; 32]).unwrap();
            let mut log = AskedLog {
                log: LogAddress {
                    key: key.verifier(),
                    url: None,
                    older: Vec::new(),
                    mirrors: Vec::new(),
                },
                answer: Answer::Complete { head_at_ms: NOW_MS },
                gathered: Default::default(),
                voices: Default::default(),
                quorum_at_ms: None,
                state: LogState::Answered,
                mirror: None,
            };
            log.gathered.claims = self.world.claims.clone();
            Asked {
                logs: vec![log],
                ..Asked::default()
            }
        }
    }

    /// Package, component, product and status of each statement.
    fn told(packages: &Packages) -> Vec<[&str; 4]> {
        let all = packages.packages.iter();
        let all = all.flat_map(|(package, export)| {
            export.statements.iter().map(|one| {
                let product = one.product.as_deref().unwrap_or_default();
                [package.as_str(), &one.component, product, one.status]
            })
        });
        all.collect()
    }

    const A: &str = "pkg:cargo/a";
    const A1: &str = "pkg:cargo/a@1";
    const A2: &str = "pkg:cargo/a@2";
    const APP: &str = "pkg:oci/app@sha256:ab";

    #[test]
    fn a_word_of_all_versions_is_not_handed_on_where_one_is_not_cleared() {
        let mut said = Said::new();
        let (makers, auditors) = (said.makers.clone(), said.auditors.clone());
        said.say(&makers, A, "not_affected", "");
        let things = [(A, None), (A1, None), (A2, None)];
        let packages = said.packages(&things);
        let all = [A, A1, A2].map(|of| [A, of, "", "not_affected"]);
        assert_eq!(told(&packages), all);
        assert_eq!((packages.len(), packages.too_wide.len()), (3, 0));
        // Of one version somebody else whose word counts says otherwise.
        said.say(&auditors, A1, "affected", "");
        let packages = said.packages(&things);
        assert_eq!(told(&packages), [[A, A2, "", "not_affected"]]);
        assert_eq!(packages.too_wide, [format!("CVE-1 in {A}")]);
        assert_eq!(packages.disputed.len(), 1);
        let stranger = said.stranger.clone();
        let before = said.world.claims.len() as u64;
        said.say(&stranger, A2, "affected", "");
        let packages = said.packages(&things);
        assert_eq!(told(&packages), [[A, A2, "", "not_affected"]]);
        assert_eq!(
            packages.at_ms,
            assay_policy::testing::START_MS + before * 1000
        );
    }

    #[test]
    fn a_word_of_the_issuers_own_about_one_version_is_heard_there() {
        let mut said = Said::new();
        let makers = said.makers.clone();
        said.say(&makers, A, "fixed", "");
        said.say(&makers, A1, "under_investigation", "");
        let packages = said.packages(&[(A, None), (A1, None)]);
        assert_eq!(told(&packages), [[A, A1, "", "under_investigation"]]);
        // What harms all of them does not keep one from being cleared.
        let mut said = Said::new();
        said.say(&makers, A, "affected", "");
        said.say(&makers, A1, "fixed", "");
        let packages = said.packages(&[(A, None), (A1, None)]);
        let expected = [[A, A, "", "affected"], [A, A1, "", "fixed"]];
        assert_eq!(told(&packages), expected);
    }

    #[test]
    fn a_part_is_looked_up_by_its_product_and_cleared_there_alone() {
        let mut said = Said::new();
        let (makers, auditors) = (said.makers.clone(), said.auditors.clone());
        let of = |product: &str| {
            format!(r#","products":[{{"@id":"{product}","subcomponents":[{{"@id":"{A1}"}}]}}]"#)
        };
        said.say(&makers, APP, "not_affected", &of(APP));
        let things = [(A1, Some(APP)), (A1, None)];
        let inside = ["pkg:oci/app", A1, APP, "not_affected"];
        assert_eq!(told(&said.packages(&things)), [inside]);
        // Nor is it cleared elsewhere if those who make the part say it.
        let mut other = Said::new();
        other.say(&makers, A1, "not_affected", &of(APP));
        assert_eq!(told(&other.packages(&things)), [inside]);
        // A reader takes what is said of the part by itself for the part wherever it is.
        said.say(&auditors, A, "not_affected", "");
        let things = [(A1, Some(APP)), (A, None)];
        assert_eq!(told(&said.packages(&things)).len(), 1, "both clear it");
        said.say(&makers, APP, "affected", &of(APP));
        let packages = said.packages(&things);
        assert_eq!(told(&packages), [] as [[&str; 4]; 0], "{packages:?}");
    }

    #[test]
    fn a_product_that_is_not_cleared_itself_has_no_part_that_is() {
        let mut said = Said::new();
        let (makers, auditors) = (said.makers.clone(), said.auditors.clone());
        let any = "pkg:oci/app";
        let part = format!(r#","products":[{{"@id":"{any}","subcomponents":[{{"@id":"{A1}"}}]}}]"#);
        said.say(&makers, any, "not_affected", &part);
        let things = [(A1, Some(any)), (APP, None)];
        assert_eq!(
            told(&said.packages(&things)),
            [[any, A1, any, "not_affected"]]
        );
        said.say(&auditors, APP, "affected", "");
        assert_eq!(told(&said.packages(&things)), [[any, APP, "", "affected"]]);
    }

    #[test]
    fn what_readers_do_not_tell_apart_is_not_cleared() {
        let mut said = Said::new();
        let makers = said.makers.clone();
        let (below, arch) = ("pkg:npm/a@1#b", "pkg:deb/debian/a@1?arch=amd64");
        said.say(&makers, below, "not_affected", "");
        said.say(&makers, arch, "not_affected", "");
        let hashed = r#","products":[{"@id":"pkg:cargo/a@1","hashes":{"sha-256":"00"}}]"#;
        said.say(&makers, A1, "not_affected", hashed);
        let things = [(below, None), (arch, None), (A1, None)];
        let packages = said.packages(&things);
        let build = ["pkg:deb/debian/a", arch, "", "not_affected"];
        assert_eq!(told(&packages), [build]);
        assert_eq!(packages.too_wide.len(), 1, "{packages:?}");
    }

    #[test]
    fn purls_cover_each_other_as_readers_compare_them() {
        let purl = |text: &str| Purl::canonicalize(text).unwrap();
        for (general, special, is_so) in [
            (A, A1, true),
            (A1, A, false),
            (A1, A2, false),
            ("pkg:cargo/b", A1, false),
            ("pkg:deb/debian/a", "pkg:deb/debian/a@1?arch=x", true),
            ("pkg:deb/debian/a?arch=x", "pkg:deb/debian/a@1?arch=x", true),
            (
                "pkg:deb/debian/a?arch=y",
                "pkg:deb/debian/a@1?arch=x",
                false,
            ),
            ("pkg:deb/debian/a@1?arch=x", "pkg:deb/debian/a@1", false),
        ] {
            assert_eq!(covers(&purl(general), &purl(special)), is_so, "{general}");
        }
    }
}
