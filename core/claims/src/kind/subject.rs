//! Subjects that a document suggests: what it says that it is about, in the form that a claim needs
//! (DESIGN 3.3).

use super::PredicateError;
use super::node::{Node, quoted};
use crate::claim::ClaimId;
use crate::issuer::IssuerId;
use crate::json::Value;
use crate::limits;
use crate::purl::Purl;
use crate::statement::{Statement, Subject};
use assay_tlog::Hash;

/// The subject of a statement about a claim: named `claim`, its `sha256` digest being the claim's
/// id.
pub fn claim(id: &ClaimId) -> Subject {
    Subject::artifact(Some("claim".into()), &Hash::new(*id.as_bytes()))
}

/// The subject of a statement about an issuer: named `issuer`, its `sha256` digest being the
/// issuer's id.
pub fn issuer(id: &IssuerId) -> Subject {
    Subject::artifact(Some("issuer".into()), &Hash::new(*id.as_bytes()))
}

/// Makes sure that a statement has one subject, and that its `sha256` digest is the issuer's id.
pub fn check_issuer(statement: &Statement, id: &IssuerId) -> Result<(), PredicateError> {
    match statement.subjects() {
        [subject] if subject.digest("sha256") == Some(id.to_hex().as_str()) => Ok(()),
        _ => Err(PredicateError {
            path: "$.subject".into(),
            reason: format!(
                "must be one subject whose sha256 digest is the issuer {id} that the predicate \
                 names"
            ),
        }),
    }
}

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
    /// with a note if it is none. If there is no digest, it gets that of the purl, as DESIGN 3.3
    /// has it.
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
        let uri = purl.and_then(|purl| self.canonical(purl));
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

/// The digest in the version of a `pkg:oci` URL: there the version *is* the digest of the image.
fn image_digest(purl: &Purl) -> Option<(String, String)> {
    let hex = purl
        .version()?
        .strip_prefix("sha256:")
        .filter(|_| purl.as_str().starts_with("pkg:oci/"))?;
    digest("sha256", hex)
}

fn push_new(digests: &mut Vec<(String, String)>, digest: (String, String)) {
    if digests.iter().all(|(name, _)| *name != digest.0) {
        digests.push(digest);
    }
}

/// A digest under in-toto's name of the algorithm, in lower case; `None` if the algorithm is
/// unknown here or broken beyond use (MD5), or the value is not as long as the algorithm's.
pub fn digest(algorithm: &str, hex: &str) -> Option<(String, String)> {
    let plain: String = algorithm
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect::<String>()
        .to_ascii_lowercase();
    let (name, bytes) = match plain.as_str() {
        "sha1" => ("sha1", 20),
        "sha224" => ("sha224", 28),
        "sha256" => ("sha256", 32),
        "sha384" => ("sha384", 48),
        "sha512" => ("sha512", 64),
        "sha3224" => ("sha3_224", 28),
        "sha3256" => ("sha3_256", 32),
        "sha3384" => ("sha3_384", 48),
        "sha3512" => ("sha3_512", 64),
        _ => return None,
    };
    let whole = hex.len() == 2 * bytes && hex.bytes().all(|b| b.is_ascii_hexdigit());
    whole.then(|| (name.to_owned(), hex.to_ascii_lowercase()))
}

/// The digests of a list of objects that each hold an algorithm and a value under the given keys.
/// What is malformed is passed over: digests only suggest.
pub fn digests(list: Option<Node<'_, '_>>, algorithm: &str, value: &str) -> Vec<(String, String)> {
    let items = list
        .and_then(|list| list.value().as_array())
        .unwrap_or_default();
    let mut digests = Vec::new();
    for item in items {
        let text = |key: &str| item.get(key).and_then(Value::as_str);
        if let Some(digest) = text(algorithm)
            .zip(text(value))
            .and_then(|(name, hex)| digest(name, hex))
        {
            push_new(&mut digests, digest);
        }
    }
    digests
}

#[cfg(test)]
mod tests {
    use super::*;

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
    }

    #[test]
    fn digests_have_the_names_and_lengths_of_in_toto() {
        let zeros = "0".repeat(64);
        for name in ["sha256", "SHA-256", "SHA256", "sha-256"] {
            assert_eq!(digest(name, &zeros), Some(("sha256".into(), zeros.clone())));
        }
        assert_eq!(digest("SHA3-256", &zeros).unwrap().0, "sha3_256");
        assert_eq!(digest("sha512", &zeros), None);
        assert_eq!(digest("md5", &"0".repeat(32)), None);
        assert_eq!(digest("sha256", &"é".repeat(32)), None);
    }
}
