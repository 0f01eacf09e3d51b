//! What is asked about.

use assay_claims::index::{Kind, Name};
use assay_claims::json::Value;
use assay_claims::purl::{Purl, PurlError};
use assay_tlog::Hash;

/// What is asked about: a package by its purl, an artifact by its digests, or both.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Component {
    purl: Option<Purl>,
    digests: Vec<(String, String)>,
    within: Option<Box<Component>>,
}

impl Component {
    /// What has this purl and these digests, as algorithm and value in in-toto's spelling. Several
    /// digests of one algorithm are those of several artifacts, any of which may be meant.
    pub fn new(purl: Option<Purl>, digests: Vec<(String, String)>) -> Self {
        Component {
            purl,
            digests,
            within: None,
        }
    }

    /// The same, as a part of a product. What the product's makers say of a part as it is used
    /// there is then said of this.
    pub fn in_product(self, product: Component) -> Self {
        Component {
            within: Some(Box::new(product)),
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

    /// The same, of no product.
    pub fn alone(&self) -> Self {
        Component {
            within: None,
            ..self.clone()
        }
    }

    /// The product that it is a part of, if that is known.
    pub fn product(&self) -> Option<&Component> {
        self.within.as_deref()
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
        self.purl
            .as_ref()?
            .places()
            .next()
            .map(|(_, place)| place.as_str())
    }

    /// The version, decoded.
    pub fn version(&self) -> Option<&str> {
        self.purl.as_ref()?.version()
    }

    /// What conditions see of it.
    pub(crate) fn to_value(&self) -> Value {
        let parts = self.purl.as_ref().map(Purl::components);
        let text = |text: Option<&str>| Value::from(text.unwrap_or_default());
        Value::Object(vec![
            ("purl".into(), text(self.purl.as_ref().map(Purl::as_str))),
            ("type".into(), text(parts.map(|parts| parts.ty.as_str()))),
            ("name".into(), text(parts.map(|parts| parts.name.as_str()))),
            (
                "version".into(),
                text(parts.and_then(|parts| parts.version.as_deref())),
            ),
        ])
    }
}
