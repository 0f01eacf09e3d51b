//! DSSE v1: the pre-authentication encoding and the JSON envelope (secure-systems-lab/dsse,
//! `protocol.md` and `envelope.md`).
//!
//! Left out: verifying. A `keyid` is a hint and never a security input, so nothing here looks at
//! one; whose key verifies which signature is `claim`'s.

use crate::json::{self, JsonError, Value};
use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use bytes::Bytes;

/// Returns the bytes that DSSE signs: `"DSSEv1" SP LEN(type) SP type SP LEN(payload) SP payload`,
/// lengths in decimal (DSSE protocol, "Signature Definition").
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!(
        "DSSEv1 {} {payload_type} {} ",
        payload_type.len(),
        payload.len()
    );
    let mut out = Vec::with_capacity(head.len() + payload.len());
    out.extend_from_slice(head.as_bytes());
    out.extend_from_slice(payload);
    out
}

/// A DSSE envelope: what it carries is not verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// What is signed, decoded.
    pub payload: Bytes,
    /// What the payload is.
    pub payload_type: String,
    /// At least one, in the order of the envelope.
    pub signatures: Vec<EnvelopeSignature>,
}

/// One signature of an envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvelopeSignature {
    /// A hint at the key. Never a security input.
    pub keyid: Option<String>,
    /// The signature, decoded; its form is up to the key's algorithm.
    pub sig: Vec<u8>,
}

/// Why bytes are not a DSSE envelope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DsseError {
    /// Not JSON, or not strict.
    #[error("the envelope is not JSON: {0}")]
    Json(JsonError),
    /// A field is missing or of another type than the specification says.
    #[error("the envelope's {path} must be {expected}")]
    Field {
        /// Where.
        path: String,
        /// What belongs there.
        expected: &'static str,
    },
    /// `payload` or `sig` is neither standard nor URL-safe base64.
    #[error("the envelope's {path} is not base64")]
    Base64 {
        /// Where.
        path: String,
    },
    /// `signatures` is empty.
    #[error("the envelope has no signature")]
    NoSignature,
}

/// "Either standard or URL-safe encoding is allowed" (DSSE envelope, "Standard JSON envelope").
/// Writers of the URL-safe one often leave the padding out.
const fn base64_of(alphabet: &alphabet::Alphabet) -> GeneralPurpose {
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(alphabet, config)
}

const EITHER_PADDING: GeneralPurpose = base64_of(&alphabet::STANDARD);
const URL_SAFE: GeneralPurpose = base64_of(&alphabet::URL_SAFE);

impl Envelope {
    /// Reads the JSON of one envelope.
    ///
    /// It guarantees at least one signature. As the specification asks, fields that it does not
    /// know are passed over, and both base64 alphabets are read. An empty `sig` is read as no
    /// bytes: no key verifies it.
    pub fn parse(bytes: &[u8]) -> Result<Self, DsseError> {
        Self::from_value(&json::parse(bytes).map_err(DsseError::Json)?)
    }

    /// Reads an envelope that is a part of another JSON document; as [`Envelope::parse`].
    pub fn from_value(value: &Value) -> Result<Self, DsseError> {
        let payload = base64_field(value, "payload", "payload")?.into();
        let payload_type = match value.get("payloadType").and_then(Value::as_str) {
            Some(payload_type) => payload_type.to_owned(),
            None => {
                return Err(DsseError::Field {
                    path: "payloadType".into(),
                    expected: "a string",
                });
            }
        };
        let Some(listed) = value.get("signatures").and_then(Value::as_array) else {
            return Err(DsseError::Field {
                path: "signatures".into(),
                expected: "an array",
            });
        };
        if listed.is_empty() {
            return Err(DsseError::NoSignature);
        }
        let signatures = listed
            .iter()
            .enumerate()
            .map(|(i, item)| signature(item, i))
            .collect::<Result<_, _>>()?;
        Ok(Envelope {
            payload,
            payload_type,
            signatures,
        })
    }

    /// The envelope as compact JSON on one line, in standard base64: `payload`, `payloadType`,
    /// `signatures`, and in each of these `keyid` (where there is one) and `sig`.
    pub fn to_json(&self) -> String {
        let mut out = String::with_capacity(self.payload.len() / 3 * 4 + 256);
        out.push_str("{\"payload\":\"");
        STANDARD.encode_string(&self.payload, &mut out);
        out.push_str("\",\"payloadType\":");
        out.push_str(&json::string(&self.payload_type));
        out.push_str(",\"signatures\":[");
        for (i, signature) in self.signatures.iter().enumerate() {
            out.push_str(if i == 0 { "{" } else { ",{" });
            if let Some(keyid) = &signature.keyid {
                out.push_str(&format!("\"keyid\":{},", json::string(keyid)));
            }
            out.push_str("\"sig\":\"");
            STANDARD.encode_string(&signature.sig, &mut out);
            out.push_str("\"}");
        }
        out.push_str("]}");
        out
    }
}

fn signature(item: &Value, index: usize) -> Result<EnvelopeSignature, DsseError> {
    let keyid = match item.get("keyid") {
        None | Some(Value::Null) => None,
        Some(Value::String(keyid)) => Some(keyid.clone()),
        Some(_) => {
            return Err(DsseError::Field {
                path: format!("signatures[{index}].keyid"),
                expected: "a string",
            });
        }
    };
    Ok(EnvelopeSignature {
        keyid,
        sig: base64_field(item, "sig", &format!("signatures[{index}].sig"))?,
    })
}

fn base64_field(object: &Value, key: &str, path: &str) -> Result<Vec<u8>, DsseError> {
    let Some(text) = object.get(key).and_then(Value::as_str) else {
        return Err(DsseError::Field {
            path: path.to_owned(),
            expected: "a string of base64",
        });
    };
    let decoded = EITHER_PADDING
        .decode(text)
        .or_else(|_| URL_SAFE.decode(text));
    decoded.map_err(|_| DsseError::Base64 {
        path: path.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn envelope() -> Envelope {
        Envelope {
            payload: Bytes::from_static(b"\xfb\xff{}"),
            payload_type: "application/x".into(),
            signatures: vec![
                EnvelopeSignature {
                    keyid: Some("k".into()),
                    sig: vec![0xff; 3],
                },
                EnvelopeSignature {
                    keyid: None,
                    sig: vec![],
                },
            ],
        }
    }

    #[test]
    fn pae_is_that_of_the_specification() {
        // The example of DSSE's protocol.md.
        assert_eq!(
            pae("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
        assert_eq!(pae("", b""), b"DSSEv1 0  0 ");
        // Lengths count bytes, not characters.
        assert_eq!(pae("ü", "ß".as_bytes()), "DSSEv1 2 ü 2 ß".as_bytes());
    }

    #[test]
    fn an_envelope_reads_back() {
        let json = envelope().to_json();
        assert_eq!(
            json,
            r#"{"payload":"+/97fQ==","payloadType":"application/x","signatures":[{"keyid":"k","sig":"////"},{"sig":""}]}"#
        );
        assert_eq!(Envelope::parse(json.as_bytes()), Ok(envelope()));
    }

    #[test]
    fn url_safe_base64_and_unknown_fields_are_read() {
        let json = r#"{"x":[],"payload":"-_97fQ","payloadType":"application/x",
                       "signatures":[{"keyid":"k","sig":"____","y":1},{"keyid":null,"sig":""}]}"#;
        assert_eq!(Envelope::parse(json.as_bytes()), Ok(envelope()));
    }

    #[test]
    fn what_is_no_envelope_is_refused_with_its_place() {
        let error = |json: &str| Envelope::parse(json.as_bytes()).unwrap_err();
        assert!(matches!(error("{"), DsseError::Json(_)));
        assert!(matches!(error("[]"), DsseError::Field { path, .. } if path == "payload"));
        assert!(
            matches!(error(r#"{"payload":""}"#), DsseError::Field { path, .. } if path == "payloadType")
        );
        let with = |signatures: &str| {
            error(&format!(
                r#"{{"payload":"","payloadType":"","signatures":{signatures}}}"#
            ))
        };
        assert_eq!(with("[]"), DsseError::NoSignature);
        assert!(matches!(with("{}"), DsseError::Field { path, .. } if path == "signatures"));
        assert!(
            matches!(with(r#"[{"sig":""},{}]"#), DsseError::Field { path, .. } if path == "signatures[1].sig")
        );
        assert!(
            matches!(with(r#"[{"sig":"","keyid":1}]"#), DsseError::Field { path, .. } if path.ends_with("keyid"))
        );
        // A letter outside both alphabets, both alphabets in one text, bits left over, and white
        // space.
        for bad in ["a!", "-+97", "YQ==YQ==", "YR==", "Y Q", "YQ==\n"] {
            let sig = json::string(bad);
            assert_eq!(
                with(&format!(r#"[{{"sig":{sig}}}]"#)),
                DsseError::Base64 {
                    path: "signatures[0].sig".into()
                }
            );
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
            let _outcome = Envelope::parse(&bytes);
        }

        #[test]
        fn pae_is_injective(a: (String, Vec<u8>), b: (String, Vec<u8>)) {
            prop_assert_eq!(pae(&a.0, &a.1) == pae(&b.0, &b.1), a == b);
        }
    }
}
