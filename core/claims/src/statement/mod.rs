//! in-toto Statement v1 (in-toto/attestation, `spec/v1/statement.md`), read strictly
//! (docs/design.md 3.3).
//!
//! Scope: the frame of a claim, that is its type and its subjects. What a predicate must look like
//! is for `kind` to say, who signed it for `claim`.

mod digest;

use crate::json::{self, JsonError, Value};
use crate::limits;
use crate::purl::{Purl, PurlError};
use assay_tlog::Hash;

/// The `_type` of a statement that is read here.
pub const TYPE: &str = "https://in-toto.io/Statement/v1";

/// A statement: what is said (the predicate) about what (the subjects).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    subjects: Vec<Subject>,
    predicate_type: String,
    predicate: Value,
}

/// What a statement is about: an artifact, named by its digests, or a package, named by its purl.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    name: Option<String>,
    uri: Option<String>,
    purl: Option<Purl>,
    digests: Vec<(String, String)>,
}

/// Why a payload is not a statement that Assay logs. Every variant says where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// Not JSON; or JSON that two readers could read differently.
    #[error("the payload is not strict JSON: {0}")]
    Json(JsonError),
    /// `_type` is another one.
    #[error("$._type is {0:?}; only {TYPE:?} is read")]
    Type(String),
    /// A field is missing or of another type than in-toto says.
    #[error("{path} must be {expected}")]
    Field {
        /// Where.
        path: String,
        /// What belongs there.
        expected: &'static str,
    },
    /// No subject at all, or more than [`limits::SUBJECTS`].
    #[error("$.subject has {0} entries; it must have from 1 to {max}", max = limits::SUBJECTS)]
    Subjects(usize),
    /// A `pkg:` URI is not a purl, or not in canonical form. The error inside names that form.
    #[error("$.subject[{index}].uri: {error}")]
    Purl {
        /// Which subject, from 0.
        index: usize,
        /// What is wrong with the purl.
        error: PurlError,
    },
    /// A digest cannot be one of its algorithm.
    #[error("$.subject[{index}].digest.{algorithm} {reason}")]
    Digest {
        /// Which subject, from 0.
        index: usize,
        /// The digest's name.
        algorithm: String,
        /// What it must be instead.
        reason: String,
    },
}

fn field(path: impl Into<String>, expected: &'static str) -> StatementError {
    StatementError::Field {
        path: path.into(),
        expected,
    }
}

impl Statement {
    /// Reads the payload of a claim.
    ///
    /// It guarantees strict JSON, the type [`TYPE`], from 1 to [`limits::SUBJECTS`] subjects, each
    /// with a digest; that every `pkg:` URI is a canonical purl; that hashes have the length of
    /// their algorithm in lower-case hex; and that a digest `purl` is that of the subject's purl.
    /// Fields that in-toto v1 does not name are ignored.
    pub fn parse(payload: &[u8]) -> Result<Self, StatementError> {
        let Value::Object(members) = json::parse(payload).map_err(StatementError::Json)? else {
            return Err(field("$", "an object"));
        };
        let mut fields = Fields::default();
        for (key, value) in members {
            match key.as_str() {
                "_type" => fields.type_ = value,
                "subject" => fields.subject = value,
                "predicateType" => fields.predicate_type = value,
                "predicate" => fields.predicate = value,
                _ => {}
            }
        }
        fields.check()
    }

    /// Makes a new statement, under the conditions of [`Statement::parse`].
    pub fn new(
        subjects: Vec<Subject>,
        predicate_type: &str,
        predicate: Value,
    ) -> Result<Self, StatementError> {
        Statement::parse(written(&subjects, predicate_type, &predicate).as_bytes())
    }

    /// Whether [`Statement::new`] makes a statement of this, or why it does not.
    pub fn check(
        subjects: &[Subject],
        predicate_type: &str,
        predicate: &Value,
    ) -> Result<(), StatementError> {
        Statement::parse(written(subjects, predicate_type, predicate).as_bytes())?;
        Ok(())
    }

    /// What the statement is about; at least one.
    pub fn subjects(&self) -> &[Subject] {
        &self.subjects
    }

    /// The URI of the predicate's type.
    pub fn predicate_type(&self) -> &str {
        &self.predicate_type
    }

    /// The predicate: an object, or `null` if the statement has none.
    pub fn predicate(&self) -> &Value {
        &self.predicate
    }

    /// Compact JSON, keys in the order of the in-toto specification. It is meant for new
    /// statements: for one that was read, these are not the bytes that were signed.
    pub fn to_json(&self) -> String {
        written(&self.subjects, &self.predicate_type, &self.predicate)
    }
}

/// A statement of these parts as JSON. The predicate is written as it is held, as a copy of the
/// tree takes longer than all the rest.
fn written(subjects: &[Subject], predicate_type: &str, predicate: &Value) -> String {
    let subjects = Value::Array(subjects.iter().map(Subject::to_value).collect());
    let mut text = String::with_capacity(1024);
    text.push_str("{\"_type\":");
    text.push_str(&json::string(TYPE));
    text.push_str(",\"subject\":");
    subjects.write(&mut text);
    text.push_str(",\"predicateType\":");
    text.push_str(&json::string(predicate_type));
    text.push_str(",\"predicate\":");
    predicate.write(&mut text);
    text.push('}');
    text
}

/// The fields of a statement as they were found; an absent one is `null`.
#[derive(Default)]
struct Fields {
    type_: Value,
    subject: Value,
    predicate_type: Value,
    predicate: Value,
}

impl Fields {
    fn check(self) -> Result<Statement, StatementError> {
        match self.type_ {
            Value::String(type_) if type_ == TYPE => {}
            Value::String(other) => return Err(StatementError::Type(other)),
            _ => return Err(field("$._type", "a string")),
        }
        let Value::Array(listed) = self.subject else {
            return Err(field("$.subject", "an array"));
        };
        if listed.is_empty() || listed.len() > limits::SUBJECTS {
            return Err(StatementError::Subjects(listed.len()));
        }
        let predicate_type = match self.predicate_type {
            Value::String(uri) if !uri.is_empty() => uri,
            _ => return Err(field("$.predicateType", "a URI")),
        };
        if !matches!(self.predicate, Value::Object(_) | Value::Null) {
            return Err(field("$.predicate", "an object"));
        }
        let subjects = listed
            .into_iter()
            .enumerate()
            .map(|(i, value)| Subject::read(value, i))
            .collect::<Result<_, _>>()?;
        Ok(Statement {
            subjects,
            predicate_type,
            predicate: self.predicate,
        })
    }
}

impl Subject {
    /// A package rather than an artifact: its digest is that of its purl.
    pub fn package(purl: Purl) -> Self {
        let digests = vec![(digest::PURL.to_owned(), purl.digest().to_hex())];
        Subject {
            name: None,
            uri: Some(purl.as_str().to_owned()),
            purl: Some(purl),
            digests,
        }
    }

    /// An artifact with the SHA-256 digest `sha256`.
    pub fn artifact(name: Option<String>, sha256: &Hash) -> Self {
        Subject {
            name,
            uri: None,
            purl: None,
            digests: vec![("sha256".to_owned(), sha256.to_hex())],
        }
    }

    /// Whether a subject can have this value as its digest by an algorithm.
    pub fn takes_digest(algorithm: &str, value: &str) -> bool {
        digest::is_sound(algorithm, value)
    }

    /// A subject of any parts. [`Statement::new`] checks them.
    pub fn of_parts(
        name: Option<String>,
        uri: Option<String>,
        digests: Vec<(String, String)>,
    ) -> Self {
        let purl = uri
            .as_deref()
            .and_then(|uri| Purl::parse_canonical(uri).ok());
        Subject {
            name,
            uri,
            purl,
            digests,
        }
    }

    /// The name, which says nothing by itself.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The URI; if it begins with `pkg:`, it is the text of [`Subject::purl`].
    pub fn uri(&self) -> Option<&str> {
        self.uri.as_deref()
    }

    /// The purl, if the URI is one.
    pub fn purl(&self) -> Option<&Purl> {
        self.purl.as_ref()
    }

    /// Digests, algorithm and value, as written; at least one.
    pub fn digests(&self) -> &[(String, String)] {
        &self.digests
    }

    /// The digest of one algorithm, as in-toto names it.
    pub fn digest(&self, algorithm: &str) -> Option<&str> {
        self.digests
            .iter()
            .find(|(name, _)| name == algorithm)
            .map(|(_, value)| value.as_str())
    }

    fn read(value: Value, index: usize) -> Result<Self, StatementError> {
        let Value::Object(members) = value else {
            return Err(field(format!("$.subject[{index}]"), "an object"));
        };
        let (mut name, mut uri, mut digests) = (None, None, Vec::new());
        for (key, value) in members {
            match (key.as_str(), value) {
                ("name" | "uri", Value::Null) => {}
                ("name", Value::String(text)) => name = Some(text),
                ("uri", Value::String(text)) => uri = Some(text),
                ("digest", Value::Object(listed)) => digests = digest::read(listed, index)?,
                ("name" | "uri", _) => {
                    return Err(field(format!("$.subject[{index}].{key}"), "a string"));
                }
                _ => {}
            }
        }
        if digests.is_empty() {
            return Err(field(
                format!("$.subject[{index}].digest"),
                "an object with at least one digest",
            ));
        }
        let purl = match &uri {
            Some(uri) if is_purl(uri) => Some(
                Purl::parse_canonical(uri)
                    .map_err(|error| StatementError::Purl { index, error })?,
            ),
            _ => None,
        };
        let subject = Subject {
            name,
            uri,
            purl,
            digests,
        };
        digest::check_purl(&subject, index)?;
        Ok(subject)
    }

    /// The subject as a ResourceDescriptor in JSON.
    pub fn to_value(&self) -> Value {
        let text = |key: &str, text: &Option<String>| {
            text.as_ref()
                .map(|t| (key.to_owned(), Value::from(t.as_str())))
        };
        let digests = self
            .digests
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().into()))
            .collect();
        let members = [
            text("name", &self.name),
            text("uri", &self.uri),
            Some(("digest".into(), Value::Object(digests))),
        ];
        Value::Object(members.into_iter().flatten().collect())
    }
}

fn is_purl(uri: &str) -> bool {
    uri.get(..4)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("pkg:"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn with_subject(subject: &str) -> String {
        format!(
            r#"{{"_type":"{TYPE}","subject":[{subject}],"predicateType":"https://x/y","predicate":{{}}}}"#
        )
    }

    fn error(payload: &str) -> StatementError {
        Statement::parse(payload.as_bytes()).unwrap_err()
    }

    #[test]
    fn a_statement_is_read_and_written() {
        let purl = Purl::parse_canonical("pkg:cargo/rand@0.9.0").unwrap();
        let artifact = Subject::artifact(Some("a.tar.gz".into()), &Hash::of(b""));
        let made = Statement::new(
            vec![Subject::package(purl.clone()), artifact],
            "https://x/y",
            Value::Object(vec![]),
        );
        let statement = made.unwrap();
        assert_eq!(
            statement.to_json(),
            format!(
                r#"{{"_type":"{TYPE}","subject":[{{"uri":"{purl}","digest":{{"purl":"{}"}}}},{{"name":"a.tar.gz","digest":{{"sha256":"{SHA256}"}}}}],"predicateType":"https://x/y","predicate":{{}}}}"#,
                purl.digest()
            )
        );
        assert_eq!(
            Statement::parse(statement.to_json().as_bytes()),
            Ok(statement.clone())
        );
        assert_eq!(statement.subjects()[0].purl(), Some(&purl));
        assert_eq!(statement.subjects()[1].digest("sha256"), Some(SHA256));
        assert_eq!(
            (statement.predicate_type(), statement.predicate()),
            ("https://x/y", &Value::Object(vec![]))
        );
    }

    #[test]
    fn payloads_that_are_not_strict_json_are_refused_with_their_place() {
        assert!(matches!(error("x"), StatementError::Json(e) if e.column == 1));
        let twice = with_subject("").replace("\"predicateType\"", "\"_type\":1,\"predicateType\"");
        assert!(matches!(
            error(&twice),
            StatementError::Json(e) if e.path == "$._type" && e.reason.contains("twice")
        ));
        let deep = with_subject(&"[".repeat(40));
        assert!(matches!(error(&deep), StatementError::Json(e) if e.reason.contains("deeper")));
        let bytes = Statement::parse(b"{\"_type\":\"\xc3\x28\"}").unwrap_err();
        assert!(matches!(bytes, StatementError::Json(e) if e.reason.contains("UTF-8")));
        assert_eq!(error("[]"), field("$", "an object"));
    }

    #[test]
    fn the_frame_is_checked() {
        let good = with_subject(&format!(r#"{{"digest":{{"sha256":"{SHA256}"}}}}"#));
        assert!(Statement::parse(good.as_bytes()).is_ok());
        let v01 = good.replace("Statement/v1", "Statement/v0.1");
        assert_eq!(
            error(&v01),
            StatementError::Type("https://in-toto.io/Statement/v0.1".into())
        );
        assert_eq!(error("{}"), field("$._type", "a string"));
        assert_eq!(
            error(&good.replace("\"subject\"", "\"subjects\"")),
            field("$.subject", "an array")
        );
        assert_eq!(error(&with_subject("")), StatementError::Subjects(0));
        assert_eq!(
            error(&good.replace("https://x/y", "")),
            field("$.predicateType", "a URI")
        );
        assert_eq!(
            error(&good.replace(":{}}", ":[]}")),
            field("$.predicate", "an object")
        );
        let absent = good.replace(",\"predicate\":{}", "");
        assert!(
            Statement::parse(absent.as_bytes())
                .unwrap()
                .predicate()
                .is_null()
        );
        let many = format!(r#"{{"digest":{{"sha256":"{SHA256}"}}}},"#).repeat(limits::SUBJECTS + 1);
        assert_eq!(
            error(&with_subject(many.trim_end_matches(','))),
            StatementError::Subjects(limits::SUBJECTS + 1)
        );
    }

    #[test]
    fn subjects_are_checked() {
        assert_eq!(
            error(&with_subject("1")),
            field("$.subject[0]", "an object")
        );
        assert_eq!(
            error(&with_subject("{}")),
            field("$.subject[0].digest", "an object with at least one digest")
        );
        assert!(matches!(
            error(&with_subject(r#"{"digest":{}}"#)),
            StatementError::Field { .. }
        ));
        assert!(matches!(
            error(&with_subject(r#"{"digest":"x"}"#)),
            StatementError::Field { .. }
        ));
        let good = format!(r#""digest":{{"sha256":"{SHA256}"}}"#);
        assert_eq!(
            error(&with_subject(&format!(r#"{{"name":1,{good}}}"#))),
            field("$.subject[0].name", "a string")
        );
        // A URI that is not a purl is not looked into.
        assert!(
            Statement::parse(
                with_subject(&format!(r#"{{"uri":"git+https://x",{good}}}"#)).as_bytes()
            )
            .is_ok()
        );
        for (uri, canonical) in [
            ("pkg:PyPI/A_b", "pkg:pypi/a-b"),
            ("PKG:cargo/x", "pkg:cargo/x"),
        ] {
            let canonical = PurlError::NotCanonical {
                canonical: canonical.into(),
            };
            let expected = StatementError::Purl {
                index: 0,
                error: canonical.clone(),
            };
            assert_eq!(
                error(&with_subject(&format!(r#"{{"uri":"{uri}",{good}}}"#))),
                expected
            );
            assert!(expected.to_string().contains(&canonical.to_string()));
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
            let _outcome = Statement::parse(&bytes);
        }
    }
}
