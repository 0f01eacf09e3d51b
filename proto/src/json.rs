//! The proto3 JSON mapping of the messages that a node also answers in JSON: names in
//! lowerCamelCase, 64-bit numbers as decimal text, bytes in base64, and nothing for a field that
//! has its default value.

use crate::v1::{Answer, GetCheckpointResponse, GetEntryAndProofResponse, LabelList};
use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Serialize, Serializer};

/// A message that is also written in JSON.
pub trait ToJson: prost::Message {
    /// The message in proto3 JSON, on one line, without a line break at its end.
    fn to_json(&self) -> Result<Vec<u8>, serde_json::Error>;
}

/// The JSON of a message: with room for half as much again as its encoding, of which base64 needs a
/// third, so that a long one does not double as it grows.
fn written(message: &impl prost::Message, json: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(message.encoded_len() / 2 * 3);
    serde_json::to_writer(&mut bytes, json)?;
    Ok(bytes)
}

/// Bytes in base64, written without a copy of them.
struct Base64<'a>(&'a Bytes);

impl Serialize for Base64<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&Base64Display::new(self.0, &STANDARD))
    }
}

/// A number of 64 bits: JavaScript would round it.
#[derive(Clone, Copy)]
struct Number(u64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

fn bytes(bytes: &Bytes) -> Option<Base64<'_>> {
    (!bytes.is_empty()).then_some(Base64(bytes))
}

fn number(number: u64) -> Option<Number> {
    (number != 0).then_some(Number(number))
}

fn text(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn numbers(numbers: &[u64]) -> Option<Vec<Number>> {
    some(numbers, |it| Number(*it))
}

fn some<'a, T, R>(of: &'a [T], write: impl Fn(&'a T) -> R) -> Option<Vec<R>> {
    (!of.is_empty()).then(|| of.iter().map(write).collect())
}

#[derive(Serialize)]
struct AnswerJson<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    commitment: Option<Base64<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cut: Option<Base64<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lists: Option<Vec<ListJson<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    leaves: Option<Vec<Number>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entries: Option<Vec<Base64<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inclusion: Option<Base64<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<Base64<'a>>,
}

#[derive(Serialize)]
struct ListJson<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<Base64<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    leaves: Option<Vec<Number>>,
}

fn list(list: &LabelList) -> ListJson<'_> {
    ListJson {
        label: bytes(&list.label),
        leaves: numbers(&list.leaves),
    }
}

impl ToJson for Answer {
    fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        let json = AnswerJson {
            checkpoint: text(&self.checkpoint),
            commitment: bytes(&self.commitment),
            cut: bytes(&self.cut),
            lists: some(&self.lists, list),
            leaves: numbers(&self.leaves),
            entries: some(&self.entries, Base64),
            inclusion: bytes(&self.inclusion),
            range: bytes(&self.range),
        };
        written(self, &json)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EntryJson<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<Base64<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    leaf_index: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tree_size: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hashes: Option<Base64<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint: Option<&'a str>,
}

impl ToJson for GetEntryAndProofResponse {
    fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        let json = EntryJson {
            entry: bytes(&self.entry),
            leaf_index: number(self.leaf_index),
            tree_size: number(self.tree_size),
            hashes: bytes(&self.hashes),
            checkpoint: text(&self.checkpoint),
        };
        written(self, &json)
    }
}

#[derive(Serialize)]
struct CheckpointJson<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint: Option<&'a str>,
}

impl ToJson for GetCheckpointResponse {
    fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        let json = CheckpointJson {
            checkpoint: text(&self.checkpoint),
        };
        written(self, &json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(message: &impl ToJson) -> String {
        String::from_utf8(message.to_json().unwrap()).unwrap()
    }

    #[test]
    fn an_answer_is_written_as_protobuf_says() {
        let answer = Answer {
            checkpoint: "a\n\u{2014}".into(),
            commitment: Bytes::from_static(&[0xfb, 0xff]),
            lists: vec![
                LabelList {
                    label: Bytes::from_static(b"1"),
                    leaves: vec![0, u64::MAX],
                },
                LabelList::default(),
            ],
            leaves: vec![0],
            entries: vec![Bytes::new()],
            ..Answer::default()
        };
        assert_eq!(
            json(&answer),
            "{\"checkpoint\":\"a\\n\u{2014}\",\"commitment\":\"+/8=\",\"lists\":[{\"label\":\
             \"MQ==\",\"leaves\":[\"0\",\"18446744073709551615\"]},{}],\"leaves\":[\"0\"],\
             \"entries\":[\"\"]}"
        );
        assert_eq!(json(&Answer::default()), "{}");
    }

    #[test]
    fn the_other_messages_have_names_in_camel_case() {
        let entry = GetEntryAndProofResponse {
            entry: Bytes::from_static(b"e"),
            leaf_index: 1 << 60,
            tree_size: 2,
            hashes: Bytes::from_static(b"h"),
            checkpoint: "c".into(),
        };
        assert_eq!(
            json(&entry),
            "{\"entry\":\"ZQ==\",\"leafIndex\":\"1152921504606846976\",\"treeSize\":\"2\",\
             \"hashes\":\"aA==\",\"checkpoint\":\"c\"}"
        );
        let checkpoint = GetCheckpointResponse {
            checkpoint: "c".into(),
        };
        assert_eq!(json(&checkpoint), "{\"checkpoint\":\"c\"}");
    }
}
