//! The archive: `index.json`, and an OpenVEX document for each package, as the VEX Repository
//! Specification v0.1 has them (sections 3 and 4), in a tar (POSIX ustar) in gzip.
//!
//! It follows from what is said alone, so that the same claims make the same bytes.

use assay_claims::purl::Purl;
use assay_claims::time::rfc3339_of_ms;
use assay_client::report::export::by_package::Packages;
use assay_client::report::export::{Publisher, VexExport, openvex};
use assay_tlog::Hash;
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{self, Write};

/// Most bytes of the archive, about, and of the documents in it: a scanner unpacks what it gets,
/// and a node keeps it in memory.
const ARCHIVE_BYTES: usize = 8 << 20;
const DOCUMENT_BYTES: usize = 64 << 20;

const INDEX: &str = "index.json";

/// Bytes of a block of a tar, and of a name in one.
const BLOCK: usize = 512;
const NAME: usize = 100;

/// Names that files cannot have where some readers unpack (Windows), whatever comes after a dot.
const RESERVED: [&str; 4] = ["con", "prn", "aux", "nul"];
const NUMBERED: [&str; 2] = ["com", "lpt"];

/// An archive, and the packages that had no room.
pub struct Archive {
    pub bytes: Vec<u8>,
    pub left_out: usize,
}

impl Archive {
    /// The archive of what is said of packages. Fails only if memory does.
    pub fn new(packages: &Packages, publisher: &Publisher) -> io::Result<Self> {
        Self::within(packages, publisher, [ARCHIVE_BYTES, DOCUMENT_BYTES])
    }

    /// The same, with other limits. What has no room is left out, package by package.
    fn within(
        packages: &Packages,
        publisher: &Publisher,
        [most, most_unpacked]: [usize; 2],
    ) -> io::Result<Self> {
        let mut tar = GzEncoder::new(Vec::new(), Compression::default());
        let (mut index, mut unpacked, mut left_out) = (Vec::new(), 0, 0);
        for (package, export) in &packages.packages {
            let document = openvex::document(export, publisher).to_string();
            unpacked += document.len();
            if unpacked > most_unpacked || tar.get_ref().len() >= most {
                unpacked -= document.len();
                left_out += 1;
                continue;
            }
            let place = place(package);
            add(&mut tar, &place, document.as_bytes())?;
            index.extend(
                ids(package, export)
                    .into_iter()
                    .map(|id| entry(&id, &place)),
            );
        }
        let index = json!({"updated_at": rfc3339_of_ms(packages.at_ms), "packages": index});
        add(&mut tar, INDEX, index.to_string().as_bytes())?;
        // Two empty blocks end a tar.
        tar.write_all(&[0; 2 * BLOCK])?;
        Ok(Archive {
            bytes: tar.finish()?,
            left_out,
        })
    }
}

fn entry(id: &str, place: &str) -> Value {
    json!({"id": id, "location": place, "format": "openvex"})
}

/// What a package is looked up by (section 3.2): its purl; of images also with the repository that
/// each of them is in, as the purl spells it and as it is.
fn ids(package: &str, export: &VexExport) -> BTreeSet<String> {
    let mut ids = BTreeSet::from([package.to_owned()]);
    if !package.starts_with("pkg:oci/") {
        return ids;
    }
    let statements = export.statements.iter();
    let looked_up = statements.map(|one| one.product.as_ref().unwrap_or(&one.component));
    for purl in looked_up.filter_map(|purl| Purl::canonicalize(purl).ok()) {
        if let Some(at) = purl.qualifier("repository_url") {
            for spelled in [at, &assay_client::percent_encoded(at, b":")] {
                ids.insert(format!("{package}?repository_url={spelled}"));
            }
        }
    }
    ids
}

/// Where the document of a package is: as section 3.4 recommends, unless the purl has what some
/// readers cannot have in the name of a file, or do not tell from another.
fn place(package: &str) -> String {
    let path = package.strip_prefix("pkg:").unwrap_or(package);
    let place = format!("pkg/{path}/vex.json");
    if place.len() <= NAME && path.split('/').all(is_plain) {
        place
    } else {
        format!("hashed/{}.json", Hash::of(package.as_bytes()).to_hex())
    }
}

/// Whether a name is one of a folder anywhere.
fn is_plain(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default();
    let mut numbered = NUMBERED.iter();
    let is_numbered = numbered.any(|of| stem.len() == 4 && stem.starts_with(of));
    let simple = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
    name.chars().all(|letter| simple.contains(letter))
        && !stem.is_empty()
        && !name.ends_with('.')
        && !RESERVED.contains(&stem)
        && !is_numbered
}

/// Adds a file to a tar.
fn add(tar: &mut impl Write, name: &str, bytes: &[u8]) -> io::Result<()> {
    let mut header = [0; BLOCK];
    let mut put = |at: usize, text: &str| {
        for (to, from) in header.iter_mut().skip(at).zip(text.bytes()) {
            *to = from;
        }
    };
    // Name, mode, owner, group, size, time, type, and the format with its version.
    put(0, name);
    put(100, "0000644\0");
    put(108, "0000000\0");
    put(116, "0000000\0");
    put(124, &format!("{:011o}\0", bytes.len()));
    put(136, "00000000000\0");
    // The sum is of a header that has blanks in its place.
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\u{0}00");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    let sum = format!("{sum:06o}\0 ");
    for (to, from) in header.iter_mut().skip(148).zip(sum.bytes()) {
        *to = from;
    }
    tar.write_all(&header)?;
    tar.write_all(bytes)?;
    let rest = bytes.len().next_multiple_of(BLOCK) - bytes.len();
    tar.write_all([0; BLOCK].get(..rest).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_client::report::export::Statement;
    use flate2::read::GzDecoder;
    use std::io::Read;

    fn publisher() -> Publisher {
        Publisher {
            name: "Example".into(),
            namespace: "https://example.org".into(),
        }
    }

    fn statement(purl: &str) -> Statement {
        Statement {
            vulnerability: "CVE-1".into(),
            component: purl.into(),
            product: None,
            aliases: Vec::new(),
            within: false,
            status: "fixed",
            justification: None,
            impact: Vec::new(),
            action: Vec::new(),
            at_ms: 0,
            voices: Vec::new(),
            claims: Vec::new(),
        }
    }

    fn packages(purls: &[&str]) -> Packages {
        let mut packages = Packages::default();
        for purl in purls {
            let of = Purl::canonicalize(purl)
                .unwrap()
                .without_version()
                .to_owned();
            let package = packages.packages.entry(of).or_default();
            package.statements.push(statement(purl));
        }
        packages
    }

    /// The files of an archive, by name.
    fn unpacked(archive: &Archive) -> Vec<(String, Value)> {
        let mut tar = Vec::new();
        GzDecoder::new(&archive.bytes[..])
            .read_to_end(&mut tar)
            .unwrap();
        let mut files = Vec::new();
        let mut rest = &tar[..];
        while rest[0] != 0 {
            let text = |bytes: &[u8]| {
                let end = bytes.iter().position(|byte| *byte == 0).unwrap();
                String::from_utf8(bytes[..end].to_vec()).unwrap()
            };
            let size = usize::from_str_radix(&text(&rest[124..136]), 8).unwrap();
            let content = serde_json::from_slice(&rest[BLOCK..BLOCK + size]).unwrap();
            files.push((text(&rest[..NAME]), content));
            rest = &rest[BLOCK + size.next_multiple_of(BLOCK)..];
        }
        assert!(rest.len() == 2 * BLOCK && rest.iter().all(|byte| *byte == 0));
        files
    }

    fn index(archive: &Archive) -> Vec<[String; 2]> {
        let files = unpacked(archive);
        let (name, index) = files.last().unwrap();
        assert_eq!(name, INDEX);
        let packages = index["packages"].as_array().unwrap().iter();
        let packages = packages.map(|one| {
            let [id, place] = ["id", "location"].map(|key| one[key].as_str().unwrap().to_owned());
            assert!(files.iter().any(|(name, _)| *name == place), "{place}");
            [id, place]
        });
        packages.collect()
    }

    #[test]
    fn an_archive_has_an_index_and_a_document_for_each_package() {
        let said = packages(&["pkg:cargo/a@1", "pkg:cargo/a@2", "pkg:deb/debian/curl"]);
        let archive = Archive::new(&said, &publisher()).unwrap();
        let expected = ["cargo/a", "deb/debian/curl"];
        let expected = expected.map(|of| [format!("pkg:{of}"), format!("pkg/{of}/vex.json")]);
        assert_eq!(index(&archive), expected);
        let document = &unpacked(&archive)[0].1;
        assert_eq!(document["statements"].as_array().unwrap().len(), 2);
        assert_eq!(document["author"], "Example");
        // The same claims, the same bytes.
        let again = Archive::new(&said, &publisher()).unwrap();
        assert_eq!(again.bytes, archive.bytes);
        let nothing = Archive::new(&Packages::default(), &publisher()).unwrap();
        assert_eq!(index(&nothing), [] as [[String; 2]; 0]);
    }

    #[test]
    fn no_name_leads_out_of_the_archive_or_to_another_file() {
        for (package, is_so) in [
            ("pkg:cargo/serde_json", true),
            ("pkg:golang/github.com/a/b", true),
            ("pkg:npm/%40babel/core", false),
            ("pkg:npm/Aa", false),
            ("pkg:npm/..", false),
            ("pkg:npm/.a", false),
            ("pkg:npm/a.", false),
            ("pkg:npm/aux", false),
            ("pkg:npm/con.js", false),
            ("pkg:npm/com1", false),
            ("pkg:npm/common", true),
        ] {
            let place = place(package);
            assert_eq!(place.starts_with("pkg/"), is_so, "{package}: {place}");
        }
        let long = format!("pkg:npm/{}", "a".repeat(90));
        assert!(place(&long).starts_with("hashed/"));
        let said = packages(&["pkg:npm/Aa@1", "pkg:npm/aa@1", &long]);
        let archive = Archive::new(&said, &publisher()).unwrap();
        let places: BTreeSet<String> = index(&archive).into_iter().map(|[_, at]| at).collect();
        assert_eq!(places.len(), 3);
    }

    #[test]
    fn an_image_is_looked_up_with_its_repository() {
        let image = "pkg:oci/app@sha256:ab?repository_url=ghcr.io/x/app";
        let archive = Archive::new(&packages(&[image]), &publisher()).unwrap();
        let ids: Vec<String> = index(&archive).into_iter().map(|[id, _]| id).collect();
        let expected = [
            "",
            "?repository_url=ghcr.io%2Fx%2Fapp",
            "?repository_url=ghcr.io/x/app",
        ];
        assert_eq!(ids, expected.map(|rest| format!("pkg:oci/app{rest}")));
    }

    #[test]
    fn what_has_no_room_is_left_out_and_not_in_the_index() {
        let said = packages(&["pkg:cargo/a@1", "pkg:cargo/b@1", "pkg:cargo/c@1"]);
        let one = openvex::document(&said.packages["pkg:cargo/a"], &publisher());
        let one = one.to_string().len();
        for (limits, has) in [
            ([usize::MAX, 3 * one], 3),
            ([usize::MAX, 2 * one], 2),
            ([usize::MAX, 0], 0),
            ([0, usize::MAX], 0),
        ] {
            let archive = Archive::within(&said, &publisher(), limits).unwrap();
            assert_eq!((index(&archive).len(), archive.left_out), (has, 3 - has));
        }
    }
}
