//! What readers find in a file.

use assay_claims::purl::Purl;
use assay_tlog::Hash;

/// A piece of software that a file names.
///
/// One that comes from a reader has a purl or a digest, or else is the project's
/// [`own`](Component::own).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Component {
    /// Its canonical package URL, version included. `None` if the file does not say enough for one.
    pub purl: Option<Purl>,
    /// Its name, as the file writes it; without control characters.
    pub name: String,
    /// Its version, as the file writes it; without control characters.
    pub version: Option<String>,
    /// Digests of its artifacts: in-toto's name of the algorithm, and the digest in lower-case hex,
    /// of the algorithm's length. A package of several files (wheels) has one for each file, so
    /// that one algorithm may come more than once. Empty if the file states none.
    pub digests: Vec<(String, String)>,
    /// What a CycloneDX BOM calls it there (`bom-ref`): its own names for it, if it has any.
    pub bom_refs: Vec<String>,
    /// Where it stands in the file, counted from 1; `None` in JSON.
    pub line: Option<u32>,
    /// Whether it is the project itself: a member of the workspace, a local folder, what an SBOM is
    /// about.
    pub own: bool,
    /// Whether it is an [`own`](Component::own) one that others need by its path, and no member of
    /// the workspace as far as the file says it: it may be a copy of what somebody else publishes.
    pub by_path: bool,
    /// Whether the file says that only developers need it.
    pub dev: bool,
    /// Whether the file says that the project also works without it.
    pub optional: bool,
}

/// Half of a digest: so few components do not meet by chance, and who makes some meet takes them
/// from a file of their own.
pub(super) type Identity = [u8; 16];

impl Component {
    /// What makes two components one: purl, name, version and digests, each with its length before
    /// it.
    pub(super) fn identity(&self) -> Identity {
        let mut parts = Vec::with_capacity(256);
        let mut part = |text: Option<&str>| {
            let length = text.map_or(u64::MAX, |text| text.len() as u64);
            parts.extend_from_slice(&length.to_le_bytes());
            parts.extend_from_slice(text.unwrap_or_default().as_bytes());
        };
        part(self.purl.as_ref().map(Purl::as_str));
        part(Some(&self.name));
        part(self.version.as_deref());
        for (algorithm, digest) in &self.digests {
            part(Some(algorithm));
            part(Some(digest));
        }
        let mut identity = Identity::default();
        let digest = Hash::of(&parts);
        identity
            .iter_mut()
            .zip(digest.as_bytes())
            .for_each(|(half, byte)| *half = *byte);
        identity
    }
}

/// What a person must know of a file. The text is short and has no control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The first line that it is about, counted from 1, if it is about lines.
    pub line: Option<u32>,
    /// What is to be known.
    pub text: String,
}

/// An entry that names something which cannot be looked up. The texts are short and have no control
/// characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unidentified {
    /// Where it stands, counted from 1; `None` in JSON.
    pub line: Option<u32>,
    /// The entry, as far as it can be named.
    pub what: String,
    /// Why it cannot be looked up.
    pub reason: String,
    /// What a CycloneDX BOM that others can point at calls it there (`bom-ref`): what is said of it
    /// by that is said of nothing else.
    pub bom_refs: Vec<String>,
}

/// The distribution that a package database belongs to. The database does not say it, and the same
/// name and version mean another package elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    /// The vendor, which becomes the purl's namespace: `debian`, `ubuntu`, … (`ID` in
    /// `/etc/os-release`).
    pub vendor: String,
    /// The release, which becomes the qualifier `distro`: `debian-12`, `bookworm`, …
    pub release: Option<String>,
}

/// What stands for the modules that a `go.mod` of before Go 1.17 does not name, among what is
/// unidentified.
pub const UNNAMED_MODULES: &str = "what its modules need";
