//! Which documents beside the log a claim names.

use super::Kind;
use super::descriptor::sha256;
use crate::json::Value;
use crate::statement::Statement;
use assay_tlog::Hash;

/// A document beside the log that a claim names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachmentRef {
    /// Its SHA-256.
    pub sha256: Hash,
    /// Its file name, if the claim gives one.
    pub name: Option<String>,
    /// Its media type, if the claim gives one.
    pub media_type: Option<String>,
    /// Its size in bytes, if the claim gives it.
    pub size: Option<u64>,
}

/// The documents that a statement's predicate names by SHA-256: in `attachments`, whatever its
/// type, and in the `references` of a reference. What is malformed is passed over.
pub fn attachments(statement: &Statement) -> Vec<AttachmentRef> {
    let predicate = statement.predicate();
    let mut found = listed(predicate, "attachments");
    if Kind::of(statement.predicate_type()) == Kind::Reference {
        found.append(&mut listed(predicate, "references"));
    }
    found
}

fn listed(predicate: &Value, key: &str) -> Vec<AttachmentRef> {
    let list = predicate.get(key).and_then(Value::as_array);
    list.unwrap_or_default()
        .iter()
        .filter_map(attachment)
        .collect()
}

fn attachment(descriptor: &Value) -> Option<AttachmentRef> {
    Some(AttachmentRef {
        sha256: sha256(descriptor)?,
        name: text(descriptor, "name"),
        media_type: text(descriptor, "mediaType"),
        size: descriptor
            .pointer("/annotations/size")
            .and_then(Value::as_u64),
    })
}

fn text(descriptor: &Value, key: &str) -> Option<String> {
    let text = descriptor.get(key).and_then(Value::as_str);
    text.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statement::Subject;

    const HEX: &str = "0000000000000000000000000000000000000000000000000000000000000000";

    #[test]
    fn attachments_are_named_by_digest() {
        let named = |predicate_type: &str, predicate: &str| {
            let predicate = crate::json::parse(predicate.as_bytes()).unwrap();
            let subject = Subject::artifact(None, &Hash::of(b""));
            attachments(&Statement::new(vec![subject], predicate_type, predicate).unwrap())
        };
        let one = format!(
            r#"{{"name":"n","digest":{{"sha256":"{HEX}"}},"mediaType":"m","annotations":{{"size":7}}}}"#
        );
        let expected = AttachmentRef {
            sha256: Hash::from_hex(HEX).unwrap(),
            name: Some("n".into()),
            media_type: Some("m".into()),
            size: Some(7),
        };
        let reference = Kind::Reference.uri().unwrap();
        assert_eq!(
            named(
                "https://e.org/x",
                &format!(r#"{{"attachments":[{one},{{"uri":"u"}},7]}}"#)
            ),
            std::slice::from_ref(&expected)
        );
        assert_eq!(
            named(reference, &format!(r#"{{"references":[{one}]}}"#)),
            [expected]
        );
        assert_eq!(
            named("https://e.org/x", &format!(r#"{{"references":[{one}]}}"#)),
            []
        );
    }
}
