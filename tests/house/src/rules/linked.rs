//! What each crate may link.

/// What a crate below `core/` may link, with what its dependencies pull in.
pub struct Linked {
    /// The package.
    pub package: &'static str,
    /// A package that it may link, with all that this one may.
    pub all_of: &'static str,
    /// What else it may link.
    pub and: &'static [&'static str],
}

/// One row for each crate below `core/`. Who adds a name has read that crate for clocks, files,
/// sockets, threads, random numbers and logging, and says in the commit that there are none.
pub const LINKED: &[Linked] = &[
    Linked {
        package: "assay-tlog",
        all_of: "",
        and: &[
            "base64",
            "block-buffer",
            "cfg-if",
            "cmov",
            "const-oid",
            "cpufeatures",
            "crypto-common",
            "ctutils",
            "curve25519-dalek",
            "digest",
            "ed25519",
            "ed25519-dalek",
            "hex",
            "hybrid-array",
            "keccak",
            "ml-dsa",
            "module-lattice",
            // Of `module-lattice`, without its default features.
            "num-traits",
            "sha2",
            "shake",
            "signature",
            "sponge-cursor",
            "subtle",
            "thiserror",
            "typenum",
            "zeroize",
        ],
    },
    Linked {
        package: "assay-claims",
        all_of: "assay-tlog",
        and: &[
            "bytes",
            "itoa",
            // Without its default features: no zone database, and no clock of the system.
            "jiff",
            "jiff-core",
            "memchr",
            "once_cell",
            // Versions of Python, and what it links: `serde`, without its derive, only describes.
            "pep440_rs",
            "prost",
            "semver",
            "serde",
            "serde_core",
            "serde_json",
            "unicode-width",
            "unscanny",
            "zmij",
        ],
    },
    Linked {
        package: "assay-intake",
        all_of: "assay-claims",
        and: YAML_XML_TOML_AND_PROGRAMS,
    },
    Linked {
        package: "assay-policy",
        all_of: "assay-claims",
        and: CVSS_AND_TOML,
    },
];

/// `cvss` computes scores of vectors, and does nothing else.
const CVSS_AND_TOML: &[&str] = &[
    "cvss",
    "serde_spanned",
    "toml",
    "toml_datetime",
    "toml_parser",
    "winnow",
];

/// Programs are taken apart by `object`, and what they say is expanded by `miniz_oxide`.
const YAML_XML_TOML_AND_PROGRAMS: &[&str] = &[
    "adler2",
    "arraydeque",
    "miniz_oxide",
    "object",
    "roxmltree",
    "saphyr-parser",
    "serde_spanned",
    "toml",
    "toml_datetime",
    "toml_parser",
    "winnow",
];

/// What a package must not link.
pub struct NeverLinked {
    /// The package.
    pub package: &'static str,
    /// What the names have in them of what it must not link.
    pub names: &'static [&'static str],
    /// Why.
    pub why: &'static str,
}

/// Beside [`LINKED`], for packages that link too much for a list of all.
pub const NEVER_LINKED: &[NeverLinked] = &[
    NeverLinked {
        package: "assay-tlog",
        names: &["assay-"],
        why: "it is RFC 6962 and C2SP, and nothing of Assay",
    },
    NeverLinked {
        package: "assay-node",
        names: &["assay-intake", "saphyr", "yaml"],
        why: "a node reads claims, not what tools write",
    },
    NeverLinked {
        package: "assay-cli",
        names: &["assay-node", "rocksdb"],
        why: "the command line is built in minutes, without RocksDB",
    },
];
