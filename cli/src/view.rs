//! What the JSON output says of entries, claims and receipts.

pub use assay_client::report::claim::Claim as ClaimView;
