//! Where the page about something is.

use assay_claims::purl::Purl;
use assay_client::ask::{About, Artifact};
use assay_client::report::words::Reader;
use assay_client::report::{Fact, Report, ShownClaim};
use assay_client::{in_path, is_path, percent_encoded};

/// Ecosystems that a bare name may be of.
const ECOSYSTEMS: [&str; 7] = [
    "cargo",
    "npm",
    "pypi",
    "gem",
    "nuget",
    "golang",
    "deb/debian",
];

/// Most packages that a link to a calendar has.
const LINKED: usize = 20;

/// A package that a name may mean.
pub struct Choice {
    /// Where its page is.
    pub place: String,
    /// Its purl.
    pub purl: String,
}

/// Where the page about something is.
pub fn place(about: &About) -> String {
    match about {
        About::Package(purl) => package(purl.as_str()),
        About::Artifact(Artifact { digests, .. }) => {
            let first = digests.first();
            let digest = first.map(|(algorithm, hex)| format!("{algorithm}:{hex}"));
            format!("d/{}", in_path(&digest.unwrap_or_default()))
        }
        About::Issuer(id) => format!("i/{id}"),
        // An id may have anything in it, so that no part of it is one of the path's.
        About::Vulnerability(id) => format!("v/{}", percent_encoded(id, b":@")),
        About::Claim(id) => format!("c/{id}"),
        About::Hex(hash) => format!("x/{hash}"),
    }
}

/// Where the page about the package with a purl is.
pub fn package(purl: &str) -> String {
    format!("p/{}", in_path(purl))
}

/// Where the page about a package is that has this purl, as a link; `None` if it has none.
pub fn linked(purl: &str) -> Option<String> {
    Some(package(purl)).filter(|place| is_path(place))
}

/// Where the calendar of some packages is: what a form would send, in one spelling.
pub fn calendar<'a>(packages: impl IntoIterator<Item = &'a Purl>) -> String {
    format!("calendar{}", packages_query(packages))
}

/// The packages of a calendar, as its address names them.
pub fn packages_query<'a>(packages: impl IntoIterator<Item = &'a Purl>) -> String {
    let mut query = String::new();
    for purl in packages {
        query.push(if query.is_empty() { '?' } else { '&' });
        query.push_str("purl=");
        query.push_str(&in_path(purl.as_str()));
    }
    query
}

/// Where the feed of what is newest about something is; `None` if it has none.
pub fn feed(about: &About) -> Option<String> {
    match about {
        About::Package(purl) => Some(format!("feed.atom?purl={}", in_path(purl.as_str()))),
        About::Issuer(id) => Some(format!("feed.atom?issuer={id}")),
        _ => None,
    }
}

/// Where a package is compared with another.
pub fn compare(a: &Purl, b: &Purl) -> String {
    format!(
        "compare?a={}&b={}",
        in_path(a.as_str()),
        in_path(b.as_str())
    )
}

/// Other pages with more of what a page is about: where, and in which words. Of an issuer they are
/// about what it said last.
pub fn also(about: &About, report: &Report) -> Vec<(String, &'static str)> {
    let mut also = elsewhere(about, report);
    // Of a package it is what those say whom the site trusts: without a policy nobody.
    let is_any = matches!(about, About::Issuer(_)) || report.reader != Reader::Unweighed;
    let feed = feed(about).filter(|_| is_any);
    also.extend(feed.map(|place| (place, "What is newest, as a feed")));
    also
}

/// The pages among these.
fn elsewhere(about: &About, report: &Report) -> Vec<(String, &'static str)> {
    match about {
        About::Package(purl) => vec![
            (calendar([purl]), "When its support ends, as a calendar"),
            (
                format!("compare?a={}", in_path(purl.as_str())),
                "Compare it with another package",
            ),
        ],
        About::Issuer(_) => {
            let packages = supported(report);
            let is_any = !packages.is_empty();
            let link = is_any.then(|| {
                let what = "When support ends of what it spoke of last, as a calendar";
                (calendar(&packages), what)
            });
            link.into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// The packages of whose support an issuer's newest claims speak.
fn supported(report: &Report) -> Vec<Purl> {
    let newest = report.signed.iter().flat_map(|signed| &signed.newest);
    let of = newest.filter(|line| matches!(line.fact, Some(Fact::Supported { .. })));
    let mut packages: Vec<Purl> = Vec::new();
    for line in of {
        let is_it = |claim: &&ShownClaim| {
            claim.log == line.log && claim.claim.leaf_index == line.leaf_index
        };
        let subjects = report.claims.iter().filter(is_it);
        let subjects = subjects.flat_map(|claim| &claim.claim.subjects);
        for purl in subjects.filter_map(|subject| Purl::canonicalize(subject.uri.as_deref()?).ok())
        {
            if packages.len() < LINKED && !packages.contains(&purl) {
                packages.push(purl);
            }
        }
    }
    packages
}

/// The packages that a bare name may mean.
pub fn named(text: &str) -> Vec<Choice> {
    let purls = ECOSYSTEMS.iter().filter_map(|of| {
        let purl = Purl::canonicalize(&format!("pkg:{of}/{text}")).ok()?;
        let place = package(purl.as_str());
        is_path(&place).then(|| Choice {
            place,
            purl: purl.as_str().to_owned(),
        })
    });
    purls.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_means_packages_of_several_ecosystems() {
        let choices = named("Left_Pad");
        let purls: Vec<&str> = choices.iter().map(|choice| choice.purl.as_str()).collect();
        assert!(purls.contains(&"pkg:npm/Left_Pad"), "{purls:?}");
        assert!(purls.contains(&"pkg:pypi/left-pad"), "{purls:?}");
        assert!(named("").is_empty());
        assert!(named("a/../../b").is_empty());
    }

    #[test]
    fn an_id_of_a_vulnerability_is_one_part_of_a_path() {
        let about = About::Vulnerability("../x?y#z/\u{202e}".to_owned());
        assert_eq!(place(&about), "v/..%2Fx%3Fy%23z%2F%E2%80%AE");
    }
}
