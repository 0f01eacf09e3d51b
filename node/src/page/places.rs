//! Where the page about something is.

use super::text::{in_path, is_path, shown};
use assay_claims::purl::Purl;
use assay_client::ask::{About, Artifact};
use assay_client::percent_encoded;

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

/// The packages that a bare name may mean.
pub fn named(text: &str) -> Vec<Choice> {
    let purls = ECOSYSTEMS.iter().filter_map(|of| {
        let purl = Purl::canonicalize(&format!("pkg:{of}/{text}")).ok()?;
        let place = package(purl.as_str());
        is_path(&place).then(|| Choice {
            place,
            purl: shown(purl.as_str()),
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
