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

pub mod ask;
mod attachments;
pub mod audit;
mod cache;
mod call;
mod client;
mod conditions;
mod config;
mod cursor;
mod error;
mod follow;
mod heads;
mod lookup;
mod plain;
pub mod publish;
mod range;
mod read;
pub mod receipt;
pub mod report;
pub mod time;

pub use ask::gather;
pub use cache::AnswerCache;
pub use client::Client;
pub use conditions::Cel;
pub use config::{Config, Tls};
pub use cursor::Cursor;
pub use error::{BoxError, ClientError, Misbehavior, MisbehaviorKind};
pub use follow::{Fresh, News};
pub use heads::HeadStore;
pub use lookup::{Looked, Watched};
pub use plain::{one_line, plain};
pub use publish::{Answer, Published, Refused, Wait};
pub use read::{IssuerHistory, IssuerLeaf, LeafRef, Page, PageEntry, VerifiedEntry};
pub use receipt::{Receipt, ReceiptFiles};
