//! Generates the `assay.v1` code. protox compiles the definitions, so no protoc is needed.

use std::{env, error::Error, fs, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let files = [
        "assay/v1/entry.proto",
        "assay/v1/log.proto",
        "assay/v1/attachment.proto",
        "assay/v1/index.proto",
        "assay/v1/federation.proto",
        "assay/v1/gossip.proto",
    ];
    println!("cargo:rerun-if-changed=proto");
    let descriptors = protox::compile(files, ["proto"])?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(
        out.join("assay.v1.bin"),
        prost::Message::encode_to_vec(&descriptors),
    )?;
    tonic_prost_build::configure()
        .bytes(".")
        .codec_path("crate::codec::OurCodec")
        // The entry's messages are core's own types: there is nothing to convert.
        .extern_path(".assay.v1.Entry", "::assay_claims::entry::wire::Entry")
        .extern_path(".assay.v1.Claim", "::assay_claims::entry::wire::Claim")
        .extern_path(
            ".assay.v1.IndexCommitment",
            "::assay_claims::entry::wire::IndexCommitment",
        )
        .extern_path(
            ".assay.v1.ClaimSignature",
            "::assay_claims::entry::wire::ClaimSignature",
        )
        .compile_fds(descriptors)?;
    Ok(())
}
