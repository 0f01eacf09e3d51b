//! What a project is made of, as its lock files and SBOMs name it: each component once, with the
//! places where it stands. Reading such files is left to the caller.

use super::boms::{self, Source, dispute_across};
use super::names;
use assay_claims::index::Name;
use assay_claims::purl::Purl;
use assay_tlog::Hash;
use serde::{Serialize, Serializer};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A file and everything that it names.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// The file, as it was named.
    pub name: String,
    /// What it was read as.
    pub format: &'static str,
    /// Its components, the project's own parts among them.
    pub listed: Vec<Listed>,
    /// How others point at it, if it is a CycloneDX BOM that has a number: a BOM-Link.
    pub bom: Option<String>,
    /// Names that such a BOM gives to several things.
    pub disputed_refs: BTreeSet<String>,
    /// What is to be known of it.
    pub notes: Vec<Note>,
    /// What it names so that it cannot be looked up.
    pub unidentified: Vec<Unidentified>,
}

/// A component as a file names it.
#[derive(Debug, Clone, Default)]
pub struct Listed {
    /// Its package URL, with its version.
    pub purl: Option<Purl>,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Option<String>,
    /// Its digests, hex, by in-toto's names of the algorithms.
    pub digests: Vec<(String, String)>,
    /// What the BOM calls it there, if it is listed in one.
    pub bom_refs: Vec<String>,
    /// The line, from 1, if the format has lines that mean something.
    pub line: Option<u32>,
    /// Whether it is a part of the project itself.
    pub own: bool,
    /// Whether it is looked up though it is the project's own: what an SBOM is about is somebody's
    /// product, and whoever got the SBOM asks about that first; and what is needed by its path may
    /// be a copy of what somebody else publishes.
    pub asked: bool,
    /// Whether it is one of the latter, and so not what the file is about.
    pub by_path: bool,
    /// Whether only developers need it.
    pub dev: bool,
    /// Whether the project also works without it.
    pub optional: bool,
}

/// A file that was read.
#[derive(Debug, Clone, Serialize)]
pub struct File {
    /// As it was named.
    pub name: String,
    /// What it was read as.
    pub format: &'static str,
    /// Components in it, without the project's own.
    pub components: usize,
    /// What is to be known of it.
    pub notes: Vec<Note>,
    /// What it names so that it cannot be looked up.
    pub unidentified: Vec<Unidentified>,
}

/// What is to be known of a file.
#[derive(Debug, Clone, Serialize)]
pub struct Note {
    /// The line, from 1.
    pub line: Option<u32>,
    /// What is to be known.
    pub text: String,
}

/// What cannot be looked up.
#[derive(Debug, Clone, Serialize)]
pub struct Unidentified {
    /// The line, from 1.
    pub line: Option<u32>,
    /// As far as it can be named.
    pub what: String,
    /// Why it cannot be looked up.
    pub reason: String,
    /// What a BOM that has a number calls it there, by which it can be spoken of all the same.
    #[serde(skip)]
    pub bom_refs: Vec<String>,
}

/// Where a component stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file, as it was named.
    #[serde(serialize_with = "text")]
    pub file: Arc<str>,
    /// The line, from 1, if the format has lines that mean something.
    pub line: Option<u32>,
}

/// A component of one or several files.
#[derive(Debug, Clone)]
pub struct Part {
    /// What the logs and the policy are asked about.
    pub component: assay_policy::Component,
    /// Its name, as the files write it.
    pub name: String,
    /// Its version, as the files write it.
    pub version: Option<String>,
    /// Where it stands.
    pub places: Vec<Place>,
    /// The BOM-Links that point at it.
    pub links: Vec<String>,
    /// Whether only developers need it, in every file.
    pub dev: bool,
    /// Whether the project also works without it, in every file.
    pub optional: bool,
}

/// What has neither purl nor digest, and can be pointed at in the BOM that lists it.
#[derive(Debug, Clone)]
pub struct Nameless {
    /// The place of its file.
    pub file: usize,
    /// Its place in what the file names so that it cannot be looked up.
    pub entry: usize,
    /// What the logs and the policy are asked about.
    pub part: Part,
}

/// What tells two components apart: half of a digest over purl, name, version and digests. So few
/// components do not meet by chance, and who makes some meet takes them from files of their own.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Identity([u8; 16]);

/// The components of some files, each once, in the order of the files.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    /// The files.
    pub files: Vec<File>,
    /// The project's own parts: purls, or else names, sorted.
    pub own: Vec<String>,
    /// Those of its own parts that are looked up all the same.
    pub own_parts: Vec<Part>,
    /// The components.
    pub parts: Vec<Part>,
    /// Those of which it is asked what is said of them in their BOM. They stay unidentified if that
    /// is nothing.
    pub nameless: Vec<Nameless>,
}

impl Identity {
    pub(super) fn of(listed: &Listed) -> Self {
        let mut parts = Vec::with_capacity(256);
        let mut part = |text: Option<&str>| {
            let length = text.map_or(u64::MAX, |text| text.len() as u64);
            parts.extend_from_slice(&length.to_le_bytes());
            parts.extend_from_slice(text.unwrap_or_default().as_bytes());
        };
        part(listed.purl.as_ref().map(Purl::as_str));
        part(Some(&listed.name));
        part(listed.version.as_deref());
        for (algorithm, digest) in &listed.digests {
            part(Some(algorithm));
            part(Some(digest));
        }
        let digest = Hash::of(&parts);
        let (half, _) = digest
            .as_bytes()
            .split_first_chunk()
            .unwrap_or((&[0; 16], &[]));
        Identity(*half)
    }
}

impl Listed {
    /// What has no purl and no digest, as a BOM lists it.
    pub(super) fn nameless(one: &Unidentified) -> Self {
        Listed {
            name: one.what.clone(),
            bom_refs: one.bom_refs.clone(),
            line: one.line,
            ..Listed::default()
        }
    }
}

impl Part {
    /// How it is called: its purl, or else its name and version.
    pub fn title(&self) -> String {
        match (self.component.purl(), &self.version) {
            (Some(purl), _) => purl.to_string(),
            (None, Some(version)) => format!("{} {version}", self.name),
            (None, None) => self.name.clone(),
        }
    }

    /// A component that no file names.
    pub fn of_component(component: assay_policy::Component) -> Self {
        Part {
            name: component
                .purl()
                .map(Purl::name)
                .unwrap_or_default()
                .to_owned(),
            version: component.version().map(str::to_owned),
            component,
            places: Vec::new(),
            links: Vec::new(),
            dev: false,
            optional: false,
        }
    }
}

impl Inventory {
    /// Takes what some files name.
    pub fn new(mut listings: Vec<Listing>) -> Self {
        dispute_across(&mut listings);
        let mut inventory = Inventory::default();
        let mut own = BTreeSet::new();
        let (mut known, mut known_own) = (BTreeMap::new(), BTreeMap::new());
        for mut listing in listings {
            let mut components = 0;
            let all = std::mem::take(&mut listing.listed);
            if inventory.parts.is_empty() {
                // It would take three times its memory on the way.
                inventory.parts.reserve_exact(all.len());
            }
            let file = Source::of(&listing);
            let product = product(&all, &file);
            for listed in all {
                if listed.own {
                    own.insert(match &listed.purl {
                        Some(purl) => purl.to_string(),
                        None => listed.name.clone(),
                    });
                    if listed.asked {
                        let own = &mut inventory.own_parts;
                        add(own, &file, listed, None, &mut known_own);
                    }
                } else {
                    components += 1;
                    let of = product.as_ref();
                    add(&mut inventory.parts, &file, listed, of, &mut known);
                }
            }
            inventory.add_nameless(&listing, &file, product.as_ref());
            inventory.files.push(File {
                name: listing.name,
                format: listing.format,
                components,
                notes: listing.notes,
                unidentified: listing.unidentified,
            });
        }
        inventory.own = own.into_iter().collect();
        inventory
    }

    /// Adds what a file names without purl and digest, if others can point at it there.
    fn add_nameless(
        &mut self,
        listing: &Listing,
        file: &Source<'_>,
        product: Option<&Arc<assay_policy::Component>>,
    ) {
        let all = listing.unidentified.iter().enumerate();
        for (entry, one) in all.filter(|(_, one)| !one.bom_refs.is_empty()) {
            let component = file.component(Listed::nameless(one));
            if component.bom().is_none() {
                continue;
            }
            let component = match product {
                Some(product) => component.in_product(product.clone()),
                None => component,
            };
            let place = Place {
                file: file.name.clone(),
                line: one.line,
            };
            self.nameless.push(Nameless {
                file: self.files.len(),
                entry,
                part: Part {
                    name: one.what.clone(),
                    places: vec![place],
                    links: file.links(&one.bom_refs),
                    ..Part::of_component(component)
                },
            });
        }
    }

    /// The names under which claims about the components stand, each once. With `packages_only`
    /// digests are left out: who knows which artifact is of which package could join the two.
    pub fn names(&self, packages_only: bool) -> Vec<Name> {
        let mut all: BTreeSet<Name> = BTreeSet::new();
        let nameless = self.nameless.iter().map(|one| &one.part);
        let parts = self.parts.iter().chain(&self.own_parts).chain(nameless);
        let components = parts.map(|part| &part.component);
        for component in components
            .flat_map(|one| [Some(one), one.product()])
            .flatten()
        {
            if packages_only {
                all.extend(names::of_package(component));
            } else {
                all.extend(names::of_component(component));
            }
        }
        all.into_iter().collect()
    }
}

/// The product that a file is about, if it is an SBOM of one that can be told from others: that has
/// been given to others. Nobody is asked about the names of a project that is one's own.
fn product(listed: &[Listed], file: &Source<'_>) -> Option<Arc<assay_policy::Component>> {
    let mut own = listed
        .iter()
        .filter(|listed| listed.own && listed.asked && !listed.by_path);
    let (product, more) = (own.next()?, own.next());
    let identified = product.purl.is_some() || !product.digests.is_empty();
    (more.is_none() && identified).then(|| file.component(product.clone()).into())
}

fn text<S: Serializer>(text: &Arc<str>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(text)
}

/// Adds a component of a file, or another place of one that is there. `product` is what it is a
/// part of, if that is known.
fn add(
    parts: &mut Vec<Part>,
    file: &Source<'_>,
    mut listed: Listed,
    product: Option<&Arc<assay_policy::Component>>,
    known: &mut BTreeMap<Identity, usize>,
) {
    let place = Place {
        file: file.name.clone(),
        line: listed.line,
    };
    let links = file.links(&listed.bom_refs);
    let identity = Identity::of(&listed);
    let (name, version) = (std::mem::take(&mut listed.name), listed.version.take());
    let (dev, optional) = (listed.dev, listed.optional);
    let component = match product {
        Some(product) => file.component(listed).in_product(product.clone()),
        None => file.component(listed),
    };
    if let Some(twin) = known.get(&identity).and_then(|at| parts.get_mut(*at)) {
        twin.places.push(place);
        twin.links.extend(links);
        twin.component = boms::common(&twin.component, &component);
        twin.dev &= dev;
        twin.optional &= optional;
        return;
    }
    known.insert(identity, parts.len());
    parts.push(Part {
        component,
        name,
        version,
        places: vec![place],
        links,
        dev,
        optional,
    });
}
