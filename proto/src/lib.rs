//! The `assay.v1` services: generated clients, servers and messages.
//!
//! The messages of an entry are `assay_claims::entry::wire`'s own, so an entry needs no conversion
//! between wire and core.

#![allow(missing_docs)] // Generated: the comments are those of the .proto files.

pub mod answer;
mod codec;
pub mod federation_page;
pub mod gossip;
pub mod json;

/// Package `assay.v1`.
pub mod v1 {
    #![allow(clippy::all)]
    tonic::include_proto!("assay.v1");
}

/// The key of a call's metadata whose value is the token that invites a new issuer, where a log
/// takes them by invitation only.
pub const INVITATION: &str = "assay-invitation";

/// The compiled `FileDescriptorSet` of `assay.v1`, for server reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/assay.v1.bin"));
