//! What became of an issuer's keys.

pub use assay_client::report::keys::{Keys as KeysView, Powerless as PowerlessView};
