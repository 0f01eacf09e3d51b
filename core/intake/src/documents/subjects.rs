//! Subjects that a document suggests: what it says that it is about, in the form that a claim needs
//! (docs/design.md 3.3).

use crate::image::{image, image_digest};
use assay_claims::bom_link::BomLink;
use assay_claims::json::Value;
use assay_claims::kind::descriptor::{any_digest, digest};
use assay_claims::kind::node::{Node, quoted};
use assay_claims::limits;
use assay_claims::purl::Purl;
use assay_claims::statement::Subject;

/// Collects subjects, each once, and notes on what could not become one.
#[derive(Debug, Default)]
pub struct Subjects {
    /// What was suggested, in the document's order.
    pub list: Vec<Subject>,
    /// What a person should know of subjects that were changed or left out.
    pub notes: Vec<String>,
}

impl Subjects {
    /// Suggests a subject. It needs a purl or a digest; the purl is canonicalized, and left out
    /// with a note if it is none. Where GitHub has no case, nor has it, as logs do not find others
    /// then; unless it has a digest of its own. If there is no digest, it gets that of the purl, as
    /// docs/design.md 3.3 has it.
    ///
    /// More than a statement holds are not collected: one more than [`limits::SUBJECTS`] says that
    /// there are.
    pub fn suggest(
        &mut self,
        name: Option<&str>,
        purl: Option<&str>,
        mut digests: Vec<(String, String)>,
    ) {
        if self.list.len() > limits::SUBJECTS {
            return;
        }
        let mut uri = purl.and_then(|purl| self.canonical(purl));
        if digests.iter().all(|(name, _)| name != "purl") {
            uri = uri.map(|purl| self.without_case(purl));
        }
        if let Some(digest) = uri.as_ref().and_then(image_digest) {
            push_new(&mut digests, digest);
        }
        if digests.is_empty() {
            let Some(uri) = &uri else { return };
            digests.push(("purl".into(), uri.digest().to_hex()));
        }
        let uri = uri.map(|purl| purl.as_str().to_owned());
        let subject = Subject::of_parts(name.map(str::to_owned), uri, digests);
        if !self.list.contains(&subject) {
            self.list.push(subject);
        }
    }

    /// Suggests the image that was looked at, for each place where the scanner says that it is to
    /// be had (`PLACE@DIGEST`): by its purl and its digest there.
    pub fn suggest_images(&mut self, name: Option<&str>, places: &[&str], arch: Option<&str>) {
        for (place, digest) in places.iter().filter_map(|one| one.split_once('@')) {
            if let Some(purl) = image(place, digest, arch) {
                self.suggest(name, Some(purl.as_str()), Vec::new());
            }
        }
    }

    /// Suggests the BOM that a link leads to, or into.
    pub fn suggest_bom(&mut self, link: &BomLink) {
        let subject = link.subject();
        if self.list.len() <= limits::SUBJECTS && !self.list.contains(&subject) {
            self.list.push(subject);
        }
    }

    fn without_case(&mut self, purl: Purl) -> Purl {
        let lower = purl.without_case();
        if lower != purl {
            let (stated, lower) = (purl.as_str(), lower.as_str());
            let note = format!("{stated} is stated as {lower}: GitHub has no case");
            self.notes.push(note);
        }
        lower
    }

    fn canonical(&mut self, purl: &str) -> Option<Purl> {
        match Purl::canonicalize(purl) {
            Ok(canonical) => {
                if canonical.as_str() != purl {
                    let note = format!(
                        "{} was put into its canonical form, {}",
                        quoted(purl),
                        canonical.as_str()
                    );
                    self.notes.push(note);
                }
                Some(canonical)
            }
            Err(e) => {
                self.notes
                    .push(format!("{} was left out: {e}", quoted(purl)));
                None
            }
        }
    }
}

fn push_new(digests: &mut Vec<(String, String)>, digest: (String, String)) {
    if digests.iter().all(|(name, _)| *name != digest.0) {
        digests.push(digest);
    }
}

/// The digests of a list of objects, as [`all_digests`] has them, but for those that no subject can
/// have: what is malformed is passed over, as digests only suggest.
pub fn digests(list: Option<Node<'_, '_>>, algorithm: &str, value: &str) -> Vec<(String, String)> {
    let mut digests = all_digests(list, algorithm, value);
    digests.retain(|(name, value)| Subject::takes_digest(name, value));
    digests
}

/// The digests of a list of objects that each hold an algorithm and a value under the given keys.
/// Of several algorithms those that in-toto knows are taken; where there are no such, any other, so
/// that what is said of one artifact is not taken for a word about all.
pub fn all_digests(
    list: Option<Node<'_, '_>>,
    algorithm: &str,
    value: &str,
) -> Vec<(String, String)> {
    let items = list
        .and_then(|list| list.value().as_array())
        .unwrap_or_default();
    let (mut digests, mut others) = (Vec::new(), Vec::new());
    for item in items {
        let text = |key: &str| item.get(key).and_then(Value::as_str);
        let Some((name, value)) = text(algorithm).zip(text(value)) else {
            continue;
        };
        match digest(name, value) {
            Some(digest) => push_new(&mut digests, digest),
            None => push_new(&mut others, any_digest(name, value)),
        }
    }
    if digests.is_empty() { others } else { digests }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_claims::json::object;

    #[test]
    fn a_package_without_digest_gets_that_of_its_url() {
        let mut subjects = Subjects::default();
        subjects.suggest(None, Some("pkg:cargo/regex@1.5.1"), vec![]);
        subjects.suggest(None, Some("pkg:cargo/regex@1.5.1"), vec![]);
        subjects.suggest(Some("nothing"), Some("regex 1.5.1"), vec![]);
        assert_eq!(subjects.list.len(), 1);
        assert_eq!(
            subjects.list[0].digests(),
            [(
                "purl".into(),
                assay_tlog::Hash::of(b"pkg:cargo/regex@1.5.1").to_hex()
            )]
        );
        assert_eq!(subjects.notes.len(), 1);
    }

    /// Nobody who has the same package in another case would find it otherwise.
    #[test]
    fn a_package_of_swift_is_in_lower_case_where_github_has_none() {
        let mixed = "pkg:swift/github.com/Alamofire/Alamofire@5.0.0";
        for (purl, expected) in [
            (mixed, "pkg:swift/github.com/alamofire/alamofire@5.0.0"),
            ("pkg:swift/e.org/O/A@1.0.0", "pkg:swift/e.org/O/A@1.0.0"),
        ] {
            let mut subjects = Subjects::default();
            subjects.suggest(None, Some(purl), vec![]);
            let subject = &subjects.list[0];
            assert_eq!(subject.uri(), Some(expected));
            assert_eq!(subjects.notes.len(), usize::from(purl != expected));
            let digest = assay_tlog::Hash::of(expected.as_bytes()).to_hex();
            assert_eq!(subject.digests(), [("purl".into(), digest)]);
        }
        // What has a digest of its URL, as claims do, keeps that.
        let mut subjects = Subjects::default();
        let digest = assay_tlog::Hash::of(mixed.as_bytes()).to_hex();
        subjects.suggest(None, Some(mixed), vec![("purl".into(), digest)]);
        assert_eq!(subjects.list[0].uri(), Some(mixed));
    }

    #[test]
    fn a_digest_of_another_algorithm_is_of_one_artifact_too() {
        let zeros = "0".repeat(64);
        for (hashes, expected) in [
            (&[("MD5", 32)][..], &["md5"][..]),
            (&[("MD5", 32), ("SHA-256", 64)], &["sha256"]),
            (
                &[("SHA-512/256", 64), ("BLAKE3", 64)],
                &["sha512_256", "blake3"],
            ),
        ] {
            let items = hashes.iter().map(|(name, length)| {
                let value = zeros.get(..*length).unwrap();
                object([
                    ("alg", Some((*name).into())),
                    ("content", Some(value.into())),
                ])
            });
            let list = Value::Array(items.collect());
            let found = digests(Some(Node::root("$", &list)), "alg", "content");
            let names: Vec<&str> = found.iter().map(|(name, _)| &**name).collect();
            assert_eq!(names, expected);
            let mut subjects = Subjects::default();
            subjects.suggest(None, Some("pkg:npm/a@1"), found.clone());
            assert_eq!(subjects.list[0].digests(), found);
        }
        // What no subject can have is not suggested, and is still a digest.
        let item = object([("alg", Some("md5".into())), ("content", Some("0".into()))]);
        let list = Value::Array(vec![item]);
        let node = || Some(Node::root("$", &list));
        assert!(digests(node(), "alg", "content").is_empty());
        assert_eq!(all_digests(node(), "alg", "content").len(), 1);
    }

    #[test]
    fn an_image_url_carries_its_digest() {
        let mut subjects = Subjects::default();
        let hex = "23a264e6e429852221a963e9f17338ba3f5796dc7086e46439a6f4482cf6e0cb";
        subjects.suggest(None, Some(&format!("pkg:oci/git@sha256:{hex}")), vec![]);
        assert_eq!(
            subjects.list[0].purl().unwrap().version(),
            Some(format!("sha256:{hex}").as_str())
        );
        assert_eq!(subjects.list[0].digests(), [("sha256".into(), hex.into())]);
        // Of Docker's, a version may be a tag, too.
        subjects.suggest(None, Some(&format!("pkg:docker/a@sha256:{hex}")), vec![]);
        assert_eq!(subjects.list[1].digests(), subjects.list[0].digests());
        subjects.suggest(None, Some("pkg:docker/a@1.25"), vec![]);
        assert_eq!(subjects.list[2].digests()[0].0, "purl");
    }
}
