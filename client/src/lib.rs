//! A client of an Assay node that believes nothing it is told.
//!
//! Scope: connecting, fetching and verifying. Every read returns a value that only a verifier can
//! make: a checkpoint is signed by the log's key *and* proven consistent with the last one seen,
//! which is kept on disk; an entry is proven to be in the tree of such a checkpoint; a claim's
//! signatures are checked. [`audit`] re-derives a whole log from the tiles it publishes.
//!
//! Left out: deciding. Whether a claim's issuers are to be trusted is a policy's business, and
//! whether its signers satisfied the record in force is `assay_claims::receipt`'s. [`Cel`] lends
//! policies the language of their conditions. No retries; the caller decides. Kept on disk are the
//! last head, and answers of the index for those who ask again offline.
//!
//! [`Client::lookup`] and [`ask`] prove that an answer is complete; [`Client::issuer`] and
//! [`Client::entry`] show what the node showed, and a record that it left out does not appear.
//!
//! # Verify a receipt offline
//!
//! A receipt needs only the log's key. Here it comes from a log of two leaves: an issuer registers,
//! then makes a claim.
//!
//! ```
//! use assay_claims::claim::{self, PublicKey, SigningKey};
//! use assay_claims::entry::{self, Entry};
//! use assay_claims::issuer::{genesis_id, statement};
//! use assay_claims::json::Value;
//! use assay_claims::kind::issuer::Issuer;
//! use assay_claims::receipt::to_files;
//! use assay_claims::statement::{Statement, Subject};
//! use assay_client::receipt::{Demands, HeldTo, ReceiptPair, Verdict, check_receipts};
//! use assay_tlog::Hash;
//! use assay_tlog::checkpoint::Checkpoint;
//! use assay_tlog::note::SignerKey;
//! use assay_tlog::tree::{Frontier, LeafIndex};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let key = SigningKey::from_bytes(&[1; 32]);
//! let record = Issuer {
//!     name: "Example Audits".into(),
//!     contacts: vec![],
//!     keys: vec![PublicKey::from(&key)],
//!     threshold: 1,
//!     rotation: None,
//!     sequence: 0,
//!     previous: None,
//!     namespaces: vec![],
//!     roles: vec![],
//! };
//! let issuer = genesis_id(&record);
//! let subject = Subject::artifact(Some("app.tar".into()), &Hash::of(b"app"));
//! let nothing = Value::Object(vec![]);
//! let says = Statement::new(vec![subject.clone()], "https://example.org/v1", nothing)?;
//!
//! // What the log does.
//! let mut entries = Vec::new();
//! for statement in [statement(&issuer, &record)?, says] {
//!     let claim = claim::sign(statement.to_json().as_bytes(), &[(issuer, &key)]);
//!     entries.push(Entry::parse(entry::encode(1_700_000_000_000, claim)?)?);
//! }
//! let leaves = [entries[0].leaf_hash(), entries[1].leaf_hash()];
//! let mut tree = Frontier::new();
//! tree.append(&leaves);
//! let log = SignerKey::from_seed("log.example", &[2; 32])?;
//! let checkpoint = Checkpoint {
//!     origin: "log.example".into(),
//!     size: tree.size(),
//!     root: tree.root(),
//! }
//! .sign(&log);
//!
//! // The receipts: in a tree of two leaves, the proof of each is the other.
//! let mut receipts = Vec::new();
//! for (index, other) in [(0, 1), (1, 0)] {
//!     let path = [leaves[other]];
//!     let leaf = LeafIndex::new(index as u64);
//!     let (envelope, proof) = to_files(&entries[index], leaf, &path, &checkpoint)?;
//!     receipts.push(ReceiptPair {
//!         name: format!("leaf {index}"),
//!         envelope: envelope.into(),
//!         proof: proof.into(),
//!     });
//! }
//!
//! // What whoever holds the receipts does.
//! let demands = Demands {
//!     issuer: Some(issuer),
//!     subject: Some(subject),
//! };
//! let log = log.verifier();
//! // A policy here would say whose cosignatures the checkpoint needs.
//! let held_to = HeldTo::new(None, Some(&log))?;
//! let checked = check_receipts(&receipts, &held_to, &demands);
//! assert!(checked.iter().all(|one| one.verdict() == Verdict::Proven));
//!
//! // Without the record, nothing shows that the key is the issuer's.
//! let alone = check_receipts(&receipts[1..], &held_to, &demands);
//! assert_eq!(alone[0].verdict(), Verdict::Unproven);
//! # Ok(())
//! # }
//! ```
//!
//! # Ask a question
//!
//! What is known of a package, and whether it meets a policy:
//!
//! ```no_run
//! use assay_client::ask::{About, Asker, Audience, How, LogAddress, required_logs};
//! use assay_client::report::words::{self, Reader};
//! use assay_client::report::{Conclusion, Scales};
//! use assay_client::{Cel, Tls};
//! use assay_policy::rules::{Policy, STARTING};
//! use assay_tlog::note::VerifierKey;
//! use std::path::Path;
//! use std::time::{SystemTime, UNIX_EPOCH};
//!
//! # async fn question() -> Result<(), Box<dyn std::error::Error>> {
//! let log = LogAddress {
//!     key: VerifierKey::parse(&std::fs::read_to_string("log.vkey")?.trim())?,
//!     url: Some("http://127.0.0.1:7480".into()),
//!     older: Vec::new(),
//!     mirrors: Vec::new(),
//! };
//! let policy = Policy::parse(STARTING, &Cel)?;
//! let logs = required_logs(&policy, Some(&log), How::Openly)?;
//! let now_ms = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis().try_into()?;
//! let (state, tls) = (Path::new("state"), Tls::default());
//! let asker = Asker::new(policy, logs, How::Openly, now_ms, state, &tls);
//!
//! let about = About::parse("pkg:cargo/serde@1.0.228")?.ok_or("this names nothing")?;
//! let found = asker.find(about.clone(), Audience::EVERYONE).await?;
//! let scales = Scales {
//!     policy: asker.policy(),
//!     policy_name: "the starting policy",
//!     now_ms,
//!     reader: Reader::Owner,
//! };
//! let report = scales.found(&found);
//! println!("{}", words::paragraph(&about, &report));
//! assert_eq!(report.conclusion(), Conclusion::Met);
//! # Ok(())
//! # }
//! ```

pub mod ask;
mod attachments;
pub mod audit;
mod cache;
mod call;
mod census;
mod channel;
mod client;
mod conditions;
mod config;
mod convictions;
mod cores;
mod cursor;
mod door;
mod error;
mod files;
mod follow;
mod heads;
mod http;
mod journal;
mod lookup;
pub mod misbehavior;
pub mod monitor;
mod paging;
pub mod peers;
mod percent;
mod plain;
pub mod publish;
mod range;
mod read;
pub mod receipt;
pub mod report;
mod tiled;
mod times;
pub mod webhook;

pub use ask::gather;
pub use cache::AnswerCache;
pub use client::Client;
pub use conditions::Cel;
pub use config::{Config, Tls, copy_url, is_exposed};
pub use convictions::{Convictions, remembered};
pub use cursor::Cursor;
pub use error::{BoxError, ClientError, Misbehavior, MisbehaviorKind};
pub use files::replace_public;
pub use follow::{Beginning, Fresh, News};
pub use heads::HeadStore;
pub use http::wrong_port;
pub use journal::Journal;
pub use lookup::{Looked, Watched};
pub use paging::Allowance;
pub use percent::{in_path, is_path, percent_encoded};
pub use plain::{one_line, one_word, plain, plain_json, quoted, quoted_name};
pub use publish::{Answer, Published, Refused, Wait};
pub use read::{IssuerHistory, IssuerLeaf, LeafRef, Page, PageEntry, VerifiedEntry};
pub use receipt::{Receipt, ReceiptFiles};
pub use times::{FreezeWatch, Frozen, Head, HeadTimes, TimeError};
