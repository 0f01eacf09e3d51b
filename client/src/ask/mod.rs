//! The consumer's use case: ask every log of a policy what bears on something, and verify what
//! comes back.
//!
//! [`required_logs`] says which logs must answer, [`Asker`] asks them, all at the same time. A log
//! that does not answer is named in what is returned, and never passed over. An answer that does
//! not verify ends the question with an error that names its log. What the verified answers are
//! worth is [`report`](crate::report)'s business.
//!
//! Nothing here prints, reads arguments or knows exit codes. On disk there is the state folder that
//! every client has: heads, and the answers that are asked again offline.

mod about;
mod asker;
mod boms;
mod census;
mod confirmed;
mod connection;
mod convicted;
mod error;
mod everyone;
mod find;
pub mod gather;
mod inventory;
mod keys;
mod logs;
mod long;
mod names;
mod newest;
mod news;
mod panel;
mod share;
mod signed;
mod spoken;
mod state;
mod submit;
mod time;
mod topdown;
mod withdrawals;

pub use about::{About, AboutError, Artifact};
pub use asker::{Asked, AskedLog, Asker};
pub use connection::How;
pub use error::AskError;
pub use everyone::{EACH, OTHERS, OTHERS_BYTES, Others, OthersPage};
pub use find::{Found, Hint, Lacking, Resolved};
pub use inventory::{File, Inventory, Listed, Listing, Nameless, Note, Part, Place, Unidentified};
pub use logs::{LogAddress, LogsError, required_logs};
pub use news::Context;
pub use signed::Signed;
pub use spoken::{Spoken, THINGS};
pub use state::LogState;
pub use topdown::{Audience, Inquiry, records_of};
