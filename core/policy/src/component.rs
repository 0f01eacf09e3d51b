//! What is asked about.

use assay_claims::bom_link::BomLink;
use assay_claims::index::{Kind, Name};
use assay_claims::json::Value;
use assay_claims::purl::{Purl, PurlError};
use assay_tlog::Hash;
use std::sync::Arc;

/// What is asked about: a package by its purl, an artifact by its digests, or both.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Component {
    purl: Option<Purl>,
    digests: Vec<(String, String)>,
    within: Option<Arc<Component>>,
    bom: Option<Box<InBom>>,
}

/// Where a component stands in a CycloneDX BOM that others can point at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InBom {
    /// The BOM.
    bom: BomLink,
    /// SHA-256 of the link to the BOM, in hex: the subject of claims about what is in it.
    digest: String,
    /// What the BOM calls the component: a name for each place where it lists it.
    names: Vec<String>,
    /// Those of the names that it gives to something else, too.
    disputed: Vec<String>,
    /// Whether the BOM is about it as a whole.
    is_subject: bool,
}

/// Whether a link into a BOM leads to a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pointed {
    /// To it.
    Here,
    /// To it or to something else of the same name.
    Perhaps,
    /// To something else in the BOM.
    Elsewhere,
}

/// Most places at which a BOM may list a component that is cleared place by place: each statement
/// is compared with each.
const PLACES: usize = 32;

impl InBom {
    /// What a BOM calls by these names (`bom-ref`), each for another place where it lists it;
    /// `disputed` are those that it gives to something else, too. `is_subject` says that the BOM as
    /// a whole is about it.
    pub fn new(bom: &BomLink, names: Vec<String>, disputed: Vec<String>, is_subject: bool) -> Self {
        InBom {
            bom: bom.to_whole(),
            digest: bom.digest().to_hex(),
            names,
            disputed,
            is_subject,
        }
    }

    /// The name under which claims about what is in the BOM stand in the index.
    pub fn index_name(&self) -> Name {
        Name::new(Kind::Digest, &format!("sha256:{}", self.digest))
    }

    /// The digest of the link, as algorithm and hex, as a claim about the BOM has it.
    pub(crate) fn digest(&self) -> (&str, &str) {
        ("sha256", &self.digest)
    }

    /// The places where the BOM lists it.
    pub(crate) fn places(&self) -> usize {
        self.names.len()
    }

    /// The links that lead to it, or may.
    pub(crate) fn links(&self) -> impl Iterator<Item = BomLink> {
        let whole = self.is_subject.then(|| self.bom.clone());
        let names = self.names.iter();
        whole.into_iter().chain(names.map(|name| self.bom.at(name)))
    }

    /// Whether a link leads to the BOM, or to anything in it.
    pub(crate) fn is_of(&self, link: &BomLink) -> bool {
        link.bom() == self.bom.bom()
    }

    /// Whether a link leads to the component; `None` if it is one to another BOM.
    pub(crate) fn pointed(&self, link: &BomLink) -> Option<Pointed> {
        let has = |names: &[String]| {
            let element = link.element();
            element.is_some_and(|element| names.iter().any(|name| name == element))
        };
        self.is_of(link).then(|| {
            if has(&self.disputed) {
                Pointed::Perhaps
            } else if has(&self.names) || (link.element().is_none() && self.is_subject) {
                Pointed::Here
            } else {
                Pointed::Elsewhere
            }
        })
    }

    /// The same at each of its places; at none of these, if they are more than [`PLACES`].
    pub(crate) fn at_each_place(&self) -> impl Iterator<Item = InBom> {
        let is_many = self.names.len() > PLACES;
        let names = self.names.iter().filter(move |_| !is_many);
        let each = names.map(|name| vec![name.clone()]);
        let none = is_many.then(Vec::new);
        each.chain(none).map(|names| InBom {
            names,
            ..self.clone()
        })
    }
}

impl Component {
    /// What has this purl and these digests, as algorithm and value in in-toto's spelling. Several
    /// digests of one algorithm are those of several artifacts, any of which may be meant.
    pub fn new(purl: Option<Purl>, digests: Vec<(String, String)>) -> Self {
        Component {
            purl,
            digests,
            within: None,
            bom: None,
        }
    }

    /// The same, as a BOM lists it. What documents say of it by a link to that is then said of
    /// this.
    pub fn in_bom(self, bom: InBom) -> Self {
        Component {
            bom: Some(Box::new(bom)),
            ..self
        }
    }

    /// The same, as a part of a product. What the product's makers say of a part as it is used
    /// there is then said of this.
    pub fn in_product(self, product: impl Into<Arc<Component>>) -> Self {
        Component {
            within: Some(product.into()),
            ..self
        }
    }

    /// A package by its purl, in any spelling.
    pub fn of_purl(text: &str) -> Result<Self, PurlError> {
        Ok(Component {
            purl: Some(Purl::canonicalize(text)?),
            ..Component::default()
        })
    }

    /// An artifact by its SHA-256.
    pub fn of_sha256(digest: &Hash) -> Self {
        Component {
            digests: vec![("sha256".into(), digest.to_hex())],
            ..Component::default()
        }
    }

    /// The purl.
    pub fn purl(&self) -> Option<&Purl> {
        self.purl.as_ref()
    }

    /// The digests.
    pub fn digests(&self) -> &[(String, String)] {
        &self.digests
    }

    /// The same, of no product, and in no BOM.
    pub fn alone(&self) -> Self {
        Component {
            within: None,
            bom: None,
            ..self.clone()
        }
    }

    /// The same, which is the one artifact with this digest.
    pub(crate) fn of_artifact(&self, digest: (String, String)) -> Self {
        Component {
            digests: vec![digest],
            ..self.clone()
        }
    }

    /// The same, as a part of the same product, and neither in a BOM.
    pub fn in_no_bom(&self) -> Self {
        let product = self.within.as_deref().map(Component::in_no_bom);
        Component {
            within: product.map(Arc::new),
            bom: None,
            ..self.clone()
        }
    }

    /// The product that it is a part of, if that is known.
    pub fn product(&self) -> Option<&Component> {
        self.within.as_deref()
    }

    /// Where it stands in a BOM, if it was listed in one that others can point at.
    pub fn bom(&self) -> Option<&InBom> {
        self.bom.as_deref()
    }

    /// The packages that claims about it can be of, as they are compared: its own, and the source
    /// package that a distribution built it of, which advisories name; each under all names of the
    /// distribution.
    pub(crate) fn packages(&self) -> impl Iterator<Item = String> {
        let names = |purl: &Purl| {
            let mut names = vec![purl.package_key().into_owned()];
            names.extend(purl.other_packages());
            names
        };
        let own = self.purl.as_ref().map(names).unwrap_or_default();
        let source = self.purl.as_ref().and_then(Purl::source);
        let source = source.as_ref().map(names).filter(|source| *source != own);
        own.into_iter().chain(source.into_iter().flatten())
    }

    /// The names under which claims about its packages stand in the index.
    pub fn package_names(&self) -> impl Iterator<Item = Name> {
        self.packages()
            .map(|package| Name::new(Kind::Package, &package))
    }

    /// Where it comes from, if its purl says that it is not from where packages of its type usually
    /// are: a fork in a repository, a private registry, an archive. What is said of the package of
    /// the same name is then not about this.
    pub fn from_elsewhere(&self) -> Option<&str> {
        self.purl.as_ref()?.places().next().map(|(_, place)| place)
    }

    /// The version, decoded.
    pub fn version(&self) -> Option<&str> {
        self.purl.as_ref()?.version()
    }

    /// What conditions see of it.
    pub(crate) fn to_value(&self) -> Value {
        let purl = self.purl.as_ref();
        let text = |text: Option<&str>| Value::from(text.unwrap_or_default());
        Value::Object(vec![
            ("purl".into(), text(purl.map(Purl::as_str))),
            ("type".into(), text(purl.map(Purl::ty))),
            ("name".into(), text(purl.map(Purl::name))),
            ("version".into(), text(self.version())),
        ])
    }
}
