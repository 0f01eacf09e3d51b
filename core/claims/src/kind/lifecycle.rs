//! `urn:assay:lifecycle:v1`: until when somebody supports something.
//!
//! The predicate's top level holds the fields of OpenEoX Core v1.0, and beside them what Core
//! leaves to its shell:
//!
//! - `general_availability`, `end_of_sales`, `end_of_security_support`, `end_of_life`: an RFC 3339
//!   date-time or date, or `tba`; the last two are required
//! - `last_updated`: RFC 3339 date-time, required: when these dates were last looked at
//! - `product` (optional): `name`, `vendor`
//! - `versions` (optional): which versions the dates are of: `range` (a `vers:` URI), `cycle` (what
//!   the project calls a line of releases), or `version` (one version)
//! - `role` (optional): what the issuer is to the product, such as `upstream` or `supplier`. Both
//!   may state dates, and both stand

use super::error::PredicateError;
use super::node::Node;
use super::predicate::{Predicate, TypeOf};
use crate::json::Value;
use crate::purl::Purl;
use crate::statement::Subject;
use crate::time::Timestamp;
use crate::vers::{self, Applies};
use crate::version;

/// The predicate type's URI.
pub const URI: &str = "urn:assay:lifecycle:v1";

/// Still to be announced.
pub const TBA: &str = "tba";

/// The predicate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lifecycle {
    /// When it was or will be released. A date without a time is its first instant.
    pub general_availability: Option<Date>,
    /// When it is no longer sold. Here and below, a date without a time is its last instant, in
    /// UTC.
    pub end_of_sales: Option<Date>,
    /// The last instant at which vulnerabilities are mended.
    pub end_of_security_support: Date,
    /// The last instant at which there is any support.
    pub end_of_life: Date,
    /// When these dates were last looked at.
    pub last_updated: Timestamp,
    /// The product's name.
    pub product: Option<String>,
    /// Which versions the dates are of; if absent, all that the subjects are.
    pub versions: Option<Versions>,
    /// What the issuer says that it is to the product.
    pub role: Option<String>,
}

/// A date that may still be open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Date {
    /// It will be announced: `tba`.
    ToBeAnnounced,
    /// It is known.
    At(Timestamp),
}

/// Which versions dates are of: at least one of these is there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Versions {
    /// A `vers:` URI.
    pub range: Option<String>,
    /// What the project calls a line of releases, such as `3.12`.
    pub cycle: Option<String>,
    /// One version.
    pub version: Option<String>,
}

/// Of how much of a package dates are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Of all of it.
    Package,
    /// Of a range of versions.
    Range,
    /// Of a cycle of releases, whose name has so many bytes.
    Cycle(usize),
    /// Of one version.
    Version,
}

impl Extent {
    /// Whether dates of this extent count before dates of the other that are of the same version,
    /// whichever were stated later: those of 3.1 before those of 3, of which it is a part. Whether
    /// a range is closer than a cycle or a version nobody can tell: it may hold one version alone.
    pub fn is_closer_than(self, other: Extent) -> bool {
        match (self, other) {
            (Extent::Cycle(one), Extent::Cycle(other)) => one > other,
            (Extent::Version, Extent::Cycle(_)) => true,
            (_, Extent::Package) => self != Extent::Package,
            _ => false,
        }
    }

    /// Those of these that no other is closer than, each once: of dates of one version at most a
    /// range beside a cycle or the version.
    pub fn closest(extents: impl Iterator<Item = Extent>) -> Vec<Extent> {
        let mut closest: Vec<Extent> = Vec::new();
        for extent in extents {
            let mut known = closest.iter();
            if !known.any(|known| *known == extent || known.is_closer_than(extent)) {
                closest.retain(|known| !extent.is_closer_than(*known));
                closest.push(extent);
            }
        }
        closest
    }
}

impl Predicate for Lifecycle {
    const NAME: &'static str = "lifecycle";
    const TYPES: &'static [TypeOf<Self>] = &[TypeOf::new("lifecycle", &[URI], Self::read)];
}

impl Lifecycle {
    /// Whether the dates are of the package's version, as far as they say so themselves: by one
    /// version, else by the cycle that it begins with, else by a range. Dates that say nothing
    /// leave it to the subjects and apply.
    pub fn applies_to(&self, package: &Purl) -> Applies {
        let Some(versions) = &self.versions else {
            return Applies::Yes;
        };
        let Some(version) = package.version() else {
            return Applies::Undecided;
        };
        if let Some(one) = &versions.version {
            let is_it = one == version
                || package.version_key() == Some(version::key(package.ty(), package.name(), one));
            return is_it.into();
        }
        if let Some(cycle) = &versions.cycle {
            let name = package.name();
            let mut spellings = [
                Some(version),
                version::of_java(name, version),
                package.release_of_image(),
            ]
            .into_iter()
            .flatten();
            return spellings
                .any(|version| version::is_of_cycle(version, cycle))
                .into();
        }
        match &versions.range {
            Some(range) => vers::contains_that_of(range, package),
            None => Applies::Undecided,
        }
    }

    /// Of how much of a package the dates are, in a claim about these subjects.
    pub fn extent(&self, subjects: &[Subject]) -> Extent {
        let Some(versions) = &self.versions else {
            let mut purls = subjects.iter().filter_map(Subject::purl);
            let is_of_all = purls.any(|purl| purl.version().is_none());
            return if is_of_all || subjects.is_empty() {
                Extent::Package
            } else {
                Extent::Version
            };
        };
        match (&versions.version, &versions.cycle) {
            (Some(_), _) => Extent::Version,
            (None, Some(cycle)) => Extent::Cycle(version::bare_cycle(cycle).len()),
            (None, None) => Extent::Range,
        }
    }
}

impl Date {
    /// Whether the date is known and lies before an instant, in milliseconds since 1970.
    pub fn is_past_at(&self, unix_ms: i64) -> bool {
        matches!(self, Date::At(date) if date.unix_ms() < unix_ms)
    }

    fn read(
        node: &Node<'_, '_>,
        known: fn(&str) -> Option<Timestamp>,
    ) -> Result<Self, PredicateError> {
        match node.string()? {
            TBA => Ok(Date::ToBeAnnounced),
            text => known(text)
                .map(Date::At)
                .ok_or_else(|| node.fault("is neither an RFC 3339 date nor `tba`")),
        }
    }
}

impl Lifecycle {
    /// Reads a predicate; fields that are not known are passed over.
    pub fn parse(predicate: &Value) -> Result<Self, PredicateError> {
        Self::read(&Node::root("$.predicate", predicate))
    }

    pub(super) fn read(node: &Node<'_, '_>) -> Result<Self, PredicateError> {
        let end = |node: Node<'_, '_>| Date::read(&node, Timestamp::parse_end);
        let begun = node.get("general_availability");
        let product = node.get("product");
        if let Some(product) = &product {
            product.optional_text("vendor")?;
        }
        Ok(Lifecycle {
            end_of_life: end(node.need("end_of_life")?)?,
            end_of_security_support: end(node.need("end_of_security_support")?)?,
            end_of_sales: node.get("end_of_sales").map(end).transpose()?,
            general_availability: begun
                .map(|node| Date::read(&node, Timestamp::parse_beginning))
                .transpose()?,
            last_updated: node.need("last_updated")?.timestamp()?,
            role: node.optional_text("role")?.map(str::to_owned),
            product: product
                .map(|product| product.need("name")?.text().map(str::to_owned))
                .transpose()?,
            versions: node
                .get("versions")
                .map(|node| Versions::read(&node))
                .transpose()?,
        })
    }
}

impl Versions {
    pub(super) fn read(node: &Node<'_, '_>) -> Result<Self, PredicateError> {
        let text = |key| node.optional_text(key).map(|text| text.map(str::to_owned));
        let versions = Versions {
            range: text("range")?,
            cycle: text("cycle")?,
            version: text("version")?,
        };
        if versions
            .range
            .as_ref()
            .is_some_and(|range| !range.starts_with("vers:"))
        {
            return Err(node
                .need("range")?
                .fault("is no version range: it has to begin with vers:"));
        }
        if versions == Versions::default() {
            Err(node.fault("has none of range, cycle and version"))
        } else {
            Ok(versions)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;

    #[test]
    fn dates_are_dates_or_to_be_announced() {
        let good = r#"{"general_availability":"2020-01-01","end_of_security_support":"2030-01-01T00:00:00Z","end_of_life":"tba",
            "last_updated":"2026-01-01T00:00:00Z","product":{"name":"p"},"versions":{"range":"vers:cargo/>=1|<2"},"role":"upstream"}"#;
        let outcome = |text: &str| {
            check(
                "urn:assay:lifecycle:v1",
                &crate::json::parse(text.as_bytes()).unwrap(),
            )
        };
        outcome(good).unwrap();
        for (from, to, path) in [
            (r#""tba""#, r#""never""#, "$.predicate.end_of_life"),
            (r#""end_of_life":"tba","#, "", "$.predicate.end_of_life"),
            (
                r#""end_of_security_support""#,
                r#""end_of_support""#,
                "$.predicate.end_of_security_support",
            ),
            (
                r#""2020-01-01""#,
                r#""2020""#,
                "$.predicate.general_availability",
            ),
            (
                r#""2026-01-01T00:00:00Z""#,
                r#""2026-01-01""#,
                "$.predicate.last_updated",
            ),
            (r#"{"name":"p"}"#, "{}", "$.predicate.product.name"),
            (
                r#""vers:cargo/>=1|<2""#,
                r#"">=1""#,
                "$.predicate.versions.range",
            ),
            (
                r#"{"range":"vers:cargo/>=1|<2"}"#,
                "{}",
                "$.predicate.versions",
            ),
            (r#""upstream""#, "7", "$.predicate.role"),
        ] {
            assert!(good.contains(from), "{from}");
            assert_eq!(outcome(&good.replacen(from, to, 1)).unwrap_err().path, path);
        }
    }

    #[test]
    fn a_lifecycle_is_read_with_its_last_moments() {
        let text = r#"{"general_availability":"1970-01-02","end_of_security_support":"1970-01-03","end_of_life":"tba",
            "last_updated":"2026-01-01T00:00:00Z","product":{"name":"p"},"versions":{"cycle":"3"},"role":"upstream"}"#;
        let read = Lifecycle::parse(&crate::json::parse(text.as_bytes()).unwrap()).unwrap();
        let (day, security) = (86_400_000, &read.end_of_security_support);
        assert_eq!(
            [3 * day - 1, 3 * day].map(|ms| security.is_past_at(ms)),
            [false, true]
        );
        assert!(
            read.general_availability
                .as_ref()
                .unwrap()
                .is_past_at(day + 1)
        );
        assert!(!read.end_of_life.is_past_at(i64::MAX) && read.end_of_sales.is_none());
        assert_eq!(read.versions.unwrap().cycle.as_deref(), Some("3"));
        assert_eq!(
            (read.product.as_deref(), read.role.as_deref()),
            (Some("p"), Some("upstream"))
        );
    }

    #[test]
    fn what_is_closer_to_a_version_counts_before_what_is_wider() {
        let extent = |versions: &str, subjects: &[&str]| {
            let text = format!(
                r#"{{"end_of_security_support":"tba","end_of_life":"tba",
                "last_updated":"2026-01-01T00:00:00Z"{versions}}}"#
            );
            let dates = Lifecycle::parse(&crate::json::parse(text.as_bytes()).unwrap()).unwrap();
            let subjects = subjects
                .iter()
                .map(|text| Purl::canonicalize(text).unwrap());
            let subjects: Vec<Subject> = subjects.map(Subject::package).collect();
            dates.extent(&subjects)
        };
        let of = |versions: &str| {
            let versions = format!(r#","versions":{versions}"#);
            extent(&versions, &["pkg:npm/a"])
        };
        let whole = extent("", &["pkg:npm/a"]);
        let one = of(r#"{"version":"3.1.9"}"#);
        let range = of(r#"{"range":"vers:npm/<4"}"#);
        let cycles = ["3", "3.1", "v3.1.x"].map(|name| of(&format!(r#"{{"cycle":"{name}"}}"#)));
        let [wide, close, again] = cycles;
        assert!(close.is_closer_than(wide) && !wide.is_closer_than(close));
        assert_eq!(close, again);
        assert!(!close.is_closer_than(range) && !range.is_closer_than(wide));
        for cycle in [wide, close] {
            assert!(one.is_closer_than(cycle) && !cycle.is_closer_than(one));
        }
        for closer in [wide, close, range, one] {
            assert!(closer.is_closer_than(whole) && !whole.is_closer_than(closer));
        }
        assert!(!range.is_closer_than(one) && !one.is_closer_than(range));
        assert!(!whole.is_closer_than(whole) && !one.is_closer_than(one));
        let closest = |all: &[Extent]| Extent::closest(all.iter().copied());
        assert_eq!(closest(&[whole, wide, range, close, wide]), [range, close]);
        assert_eq!(closest(&[close, one, range, one]), [one, range]);
        assert_eq!(closest(&[]), []);
        // A subject with a version is that version; what is said in it of versions counts first.
        assert_eq!(extent("", &["pkg:npm/a@3.1.9"]), Extent::Version);
        assert_eq!(extent("", &["pkg:npm/a@3.1.9", "pkg:npm/a"]), whole);
        let named = extent(r#","versions":{"cycle":"3"}"#, &["pkg:npm/a@3.1.9"]);
        assert_eq!(named, wide);
    }
}
