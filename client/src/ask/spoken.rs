//! What those whom a policy trusts say of vulnerabilities, in all of their documents: first which
//! things they speak of, and then what is said of each of these, as of the components of a file.
//!
//! Which things there are is found in the lists of what each of them signed. It decides nothing, so
//! that a list of which only the beginning is read makes fewer things, and nothing wrong of any.

use super::asker::{Asked, Asker};
use super::error::AskError;
use super::inventory::{Inventory, Part};
use super::names;
use super::topdown::listed;
use assay_claims::index::Name;
use assay_claims::kind::Body;
use assay_claims::kind::vex::Product;
use assay_claims::logged::LoggedClaim;
use assay_claims::purl::Purl;
use assay_claims::{kind, vers};
use assay_policy::Component;
use std::collections::{BTreeMap, BTreeSet};

/// Most things that are asked about. What harms one may keep another from being cleared, so that
/// it is all of them or none.
pub const THINGS: usize = 20_000;

/// What is said of vulnerabilities by those who are trusted.
#[derive(Debug, Default)]
pub struct Spoken {
    /// What they speak of: packages, and parts of products, each once.
    pub inventory: Inventory,
    /// What the logs answered about these.
    pub asked: Asked,
    /// How many lists of what somebody signed are longer than is read.
    pub unread: usize,
}

/// Packages, and parts of products, by their purls.
#[derive(Default)]
struct Things(BTreeMap<(String, Option<String>), Component>);

impl Asker {
    /// Finds what those whom the policy trusts speak of in VEX documents, and asks every log about
    /// all of it. Lists can be asked for openly only.
    ///
    /// It guarantees of the answers what [`Asker::ask`] does, and fails as that does; and with
    /// [`AskError::TooManyThings`] if they speak of more than [`THINGS`].
    pub async fn vulnerabilities(&self) -> Result<Spoken, AskError> {
        let kinds = names::types(&[kind::Kind::Vex]);
        let mut tries = self.tries();
        let (panel, claims) = loop {
            let mut panel = tries.panel();
            let claims = listed(&mut panel, self.policy(), self.now_ms(), &kinds).await;
            if tries.are_over(&mut panel).await {
                break (panel, claims);
            }
        };
        let mut lists = self.answers(panel).await?;
        let mut unread = 0;
        for log in &mut lists.logs {
            let overlong = &mut log.gathered.overlong;
            let before = overlong.len();
            // Of no thing this says that it was not heard: whoever said too much of it, is found
            // where it is asked about.
            overlong.retain(|label, _| !kinds.contains(&label.by()));
            unread += before - overlong.len();
        }
        let inventory = Things::of(&claims)?.inventory();
        let mut asked = self.components(&inventory).await?;
        // What stands behind the end of what was read of a list may be of what was asked about.
        let names: BTreeSet<Name> = inventory.names(false).into_iter().collect();
        let more = Things::of(claims.iter().chain(asked.claims()))?;
        let inventory = more.within(&names).inventory();
        if asked.logs.is_empty() {
            asked = lists;
        } else {
            asked.count(lists, "what there is a document of");
        }
        Ok(Spoken {
            inventory,
            asked,
            unread,
        })
    }
}

impl Things {
    /// What these claims speak of.
    fn of<'c>(claims: impl IntoIterator<Item = &'c LoggedClaim>) -> Result<Self, AskError> {
        let mut things = Things::default();
        for logged in claims {
            let Body::Vex(vex) = logged.claim().body() else {
                continue;
            };
            let subjects = logged.claim().statement().subjects().iter();
            let subjects: Vec<Purl> = subjects.filter_map(|one| one.purl().cloned()).collect();
            for statement in &vex.statements {
                if statement.products.is_empty() {
                    subjects.iter().for_each(|purl| things.add(purl, None));
                }
                for product in &statement.products {
                    things.add_product(product);
                }
                if things.0.len() > THINGS {
                    return Err(AskError::TooManyThings(THINGS));
                }
            }
        }
        Ok(things)
    }

    fn add_product(&mut self, product: &Product) {
        let wholes = purls(product);
        if product.parts.is_empty() {
            wholes.iter().for_each(|purl| self.add(purl, None));
        }
        for part in product.parts.iter().flat_map(purls) {
            for whole in &wholes {
                self.add(&part, Some(whole));
            }
        }
    }

    /// Adds a thing. A range of versions is none: it has no purl that scanners compare.
    fn add(&mut self, purl: &Purl, product: Option<&Purl>) {
        let mut both = [Some(purl), product].into_iter().flatten();
        if both.any(|purl| purl.qualifier(vers::QUALIFIER).is_some()) {
            return;
        }
        let key = (purl.to_string(), product.map(Purl::to_string));
        self.0.entry(key).or_insert_with(|| {
            let component = Component::new(Some(purl.clone()), Vec::new());
            match product {
                None => component,
                Some(of) => component.in_product(Component::new(Some(of.clone()), Vec::new())),
            }
        });
    }

    /// Those of which no package has another name than these.
    fn within(mut self, names: &BTreeSet<Name>) -> Self {
        self.0.retain(|_, component| {
            let product = component.product().into_iter();
            let mut both = product.chain([&*component]);
            both.all(|one| one.package_names().all(|name| names.contains(&name)))
        });
        self
    }

    fn inventory(self) -> Inventory {
        Inventory {
            parts: self.0.into_values().map(Part::of_component).collect(),
            ..Inventory::default()
        }
    }
}

/// The purls of a product, each in its canonical spelling.
fn purls(product: &Product) -> Vec<Purl> {
    let ids = product.ids.iter().filter(|id| Purl::begins(id));
    ids.filter_map(|id| Purl::canonicalize(id).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_policy::testing::{World, about, component};

    const OPENVEX: &str = "https://openvex.dev/ns/v0.2.0";

    /// The things that a document of one statement with these products speaks of.
    fn things(products: &str) -> Vec<(String, Option<String>)> {
        let mut world = World::new();
        let issuer = world.register("a", &[1], 1);
        let text = format!(
            r#"{{"@context":"{OPENVEX}","@id":"https://e.org/1","author":"A","version":1,
            "timestamp":"2026-01-01T00:00:00Z","statements":[{{"vulnerability":"CVE-1",
            "status":"fixed"{products}}}]}}"#
        );
        world.log(&about("pkg:cargo/a@1", OPENVEX, &text), &[&issuer]);
        Things::of(&world.claims).unwrap().0.into_keys().collect()
    }

    #[test]
    fn things_are_what_documents_name_by_purl() {
        let alone = |purl: &str| (purl.to_owned(), None);
        assert_eq!(things(""), [alone("pkg:cargo/a@1")]);
        let two = r#","products":[{"@id":"pkg:PyPI/B_b"},{"@id":"x","hashes":{"sha-256":"00"}}]"#;
        assert_eq!(things(two), [alone("pkg:pypi/b-b")]);
        let part = r#","products":[{"@id":"pkg:oci/i","subcomponents":[{"@id":"pkg:cargo/c@1"}]}]"#;
        let inside = ("pkg:cargo/c@1".to_owned(), Some("pkg:oci/i".to_owned()));
        assert_eq!(things(part), [inside]);
        let range = r#","products":[{"@id":"pkg:cargo/a?vers=vers:cargo%2F%3C2"}]"#;
        assert_eq!(things(range), []);
    }

    #[test]
    fn what_was_not_asked_about_is_left_out() {
        let mut world = World::new();
        let issuer = world.register("a", &[1], 1);
        let document = r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://e.org/1",
            "author":"A","version":1,"timestamp":"2026-01-01T00:00:00Z","statements":[
            {"vulnerability":"CVE-1","status":"fixed","products":[{"@id":"pkg:cargo/a@1"},
            {"@id":"pkg:cargo/b"},
            {"@id":"pkg:cargo/c","subcomponents":[{"@id":"pkg:cargo/a"}]}]}]}"#;
        world.log(&about("pkg:cargo/a@1", OPENVEX, document), &[&issuer]);
        let names: BTreeSet<Name> = component("pkg:cargo/a").package_names().collect();
        let things = Things::of(&world.claims).unwrap();
        assert_eq!(things.0.len(), 3);
        let left: Vec<_> = things.within(&names).0.into_keys().collect();
        assert_eq!(left, [("pkg:cargo/a@1".to_owned(), None)]);
    }

    #[test]
    fn there_are_so_many_things_and_no_more() {
        let mut world = World::new();
        let issuer = world.register("a", &[1], 1);
        for document in 0..=THINGS / 500 {
            let ids = (0..500).map(|n| format!(r#"{{"@id":"pkg:cargo/a@{document}.{n}"}}"#));
            let text = format!(
                r#"{{"@context":"{OPENVEX}","@id":"https://e.org/{document}","author":"A",
                "version":1,"timestamp":"2026-01-01T00:00:00Z","statements":[{{
                "vulnerability":"CVE-1","status":"fixed","products":[{}]}}]}}"#,
                ids.collect::<Vec<_>>().join(",")
            );
            world.log(&about("pkg:cargo/a@1", OPENVEX, &text), &[&issuer]);
        }
        let (most, one_more) = (THINGS / 500, THINGS / 500 + 1);
        let of = |documents: usize| {
            let claims = &world.claims[..=documents];
            Things::of(claims).map(|things| things.0.len())
        };
        assert_eq!(of(most).ok(), Some(THINGS));
        let error = of(one_more).unwrap_err();
        assert!(matches!(error, AskError::TooManyThings(THINGS)), "{error}");
    }
}
