//! Tells the tests which profile they were built in, so that they build the binaries in the same
//! one.

fn main() {
    let profile = std::env::var("PROFILE").unwrap_or_default();
    println!("cargo:rustc-env=ASSAY_TEST_PROFILE={profile}");
    println!("cargo:rerun-if-changed=build.rs");
}
