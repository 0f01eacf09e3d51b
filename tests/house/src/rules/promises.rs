//! What one more of a kind of thing touches, and what a file may name.

/// A promise of ARCHITECTURE: what one more of a kind of thing touches.
pub struct Promise {
    /// What there is one more of.
    pub one_more: &'static str,
    /// The folder with one file or folder for each.
    pub folders: &'static [&'static str],
    /// Files of that folder, without `.rs`, and folders that belong to none or to several.
    pub shared: &'static [&'static str],
    /// The files that list them all, and so may name any of them.
    pub lists: &'static [&'static str],
    /// An enum with a variant for each. Files with a `match` on it that has an arm for each variant
    /// may name any of them, too: the compiler leads there whoever adds one.
    pub led_by: Option<&'static str>,
    /// What exists for the sake of one of them: its name, and the files or folders that may name
    /// it.
    pub about: &'static [(&'static str, &'static str)],
}

/// The claim types.
pub const KINDS: Promise = Promise {
    one_more: "claim type",
    folders: &["core/claims/src/kind"],
    // What all kinds are made with, and what reads claims of any kind.
    shared: &[
        "mod",
        "attachment",
        "descriptor",
        "error",
        "kinds",
        "named",
        "node",
        "predicate",
        "raw",
        "subject",
        "tests",
        "unread",
    ],
    lists: &["core/claims/src/kind/mod.rs"],
    led_by: Some("Body"),
    about: &[
        // The registry of issuers is replayed from their records, and trust from these three.
        ("issuer", "core/claims/src/issuer/"),
        ("endorsement", "core/policy/src/trust/"),
        ("key_compromise", "core/policy/src/trust/"),
        ("response", "core/policy/src/trust/standing.rs"),
        // Roles are an issuer's own, and endorsed. An anchor is bounded as an endorsement is.
        ("issuer", "core/claims/src/kind/endorsement.rs"),
        ("issuer", "cli/src/commands/endorse.rs"),
        ("endorsement", "core/policy/src/rules/read/rule.rs"),
        // Of dates of one issuer the closest are shown.
        ("lifecycle", "client/src/report/badge.rs"),
        ("lifecycle", "client/src/report/line.rs"),
        // Each reader of a tool's document makes claims of one type.
        ("audit", "core/intake/src/documents/cargo_vet/"),
        ("lifecycle", "core/intake/src/documents/cle.rs"),
        ("lifecycle", "core/intake/src/documents/endoflife.rs"),
        ("lifecycle", "core/intake/src/documents/openeox.rs"),
        ("practice", "core/intake/src/documents/practice.rs"),
        ("practice", "core/intake/src/documents/security_insights.rs"),
        ("provenance", "core/intake/src/documents/attested/"),
        ("provenance", "core/intake/src/documents/provenance.rs"),
        (
            "registry_status",
            "core/intake/src/documents/registry_status/",
        ),
        ("sbom", "core/intake/src/documents/cyclonedx.rs"),
        ("sbom", "core/intake/src/documents/sbom.rs"),
        ("sbom", "core/intake/src/documents/spdx2.rs"),
        ("sbom", "core/intake/src/documents/spdx3.rs"),
        ("scan", "core/intake/src/documents/sarif/"),
        ("scorecard", "core/intake/src/documents/scorecard.rs"),
        ("vex", "core/intake/src/documents/advice.rs"),
        ("vex", "core/intake/src/documents/openvex.rs"),
        ("vex", "core/intake/src/documents/vex/"),
        // A document that is too large for a claim of its own type is referenced.
        ("reference", "core/intake/src/documents/document.rs"),
        // The same versions of CycloneDX are read as an SBOM and as a list of components.
        ("sbom", "core/intake/src/components/cyclonedx.rs"),
        ("sbom", "core/intake/src/components/xml.rs"),
        // Commands that make one claim of this type.
        ("endorsement", "cli/src/commands/endorse.rs"),
        ("issuer", "cli/src/commands/issuer/"),
        ("key_compromise", "cli/src/commands/issuer/compromised.rs"),
        ("requirement", "cli/src/commands/require.rs"),
        ("response", "cli/src/commands/respond.rs"),
        ("withdrawal", "cli/src/commands/withdraw.rs"),
        // A bridge takes back what its source took back.
        ("withdrawal", "cli/src/commands/bridge/carry.rs"),
        // Rules about support and about vulnerabilities.
        ("lifecycle", "core/policy/src/verdict/deny.rs"),
        ("scan", "core/policy/src/facts/finding.rs"),
        ("vex", "core/policy/src/facts/vulnerable.rs"),
        ("vex", "core/policy/src/facts/identity.rs"),
        ("vex", "core/policy/src/facts/in_bom.rs"),
        ("vex", "core/policy/src/facts/relation.rs"),
        ("vex", "core/policy/src/facts/stated.rs"),
        ("vex", "core/policy/src/verdict/parts.rs"),
        ("audit", "core/policy/src/verdict/review.rs"),
        // A publisher is warned before a claim that would have no effect, or costs a key.
        ("endorsement", "client/src/publish/effect.rs"),
        ("key_compromise", "client/src/publish/effect.rs"),
        ("key_compromise", "client/src/report/keys.rs"),
        // Reports say a date of support, and the status of a vulnerability, in words.
        ("lifecycle", "core/policy/src/verdict/reason.rs"),
        ("lifecycle", "client/src/report/words/time.rs"),
        ("vex", "client/src/report/component.rs"),
        ("vex", "client/src/report/vex.rs"),
        ("vex", "client/src/report/words/reach.rs"),
        // What those agree on whose word clears is handed on, and until when each supports.
        ("vex", "core/policy/src/facts/agreed.rs"),
        ("vex", "client/src/report/export/"),
        ("vex", "client/src/ask/spoken.rs"),
        ("lifecycle", "core/policy/src/facts/supported.rs"),
        ("lifecycle", "client/src/report/lifecycle/"),
    ],
};

/// The promises.
pub const PROMISES: &[Promise] = &[
    KINDS,
    Promise {
        one_more: "lock-file format",
        folders: &["core/intake/src/components"],
        shared: &[
            "mod",
            "advice",
            "blocks",
            "code_host",
            "component",
            "cut",
            "digest",
            "elsewhere",
            "error",
            "fault",
            "format",
            "input",
            "list",
            "markup",
            "named",
            "not_read",
            "program",
            "origin",
            "pinned",
            "python",
            "reader",
            "refs",
            "rpm_database",
            "sbom",
            "tarball",
            "tests",
            "wrapped",
        ],
        lists: &["core/intake/src/components/format.rs"],
        led_by: None,
        about: &[],
    },
    Promise {
        one_more: "storage backend",
        folders: &["node/src/storage"],
        shared: &["mod", "backend", "disk", "open", "files", "part", "suite"],
        lists: &["node/src/storage/backend.rs"],
        led_by: None,
        about: &[],
    },
];

/// How the URIs of predicate types begin. Only a kind's own file writes them.
pub const TYPE_URIS: &[&str] = &[
    "https://cyclonedx.org/bom",
    "https://in-toto.io/attestation/",
    "https://openvex.dev/ns",
    "https://scorecard.dev/result",
    "https://slsa.dev/",
    "https://spdx.dev/Document",
    "urn:assay:",
];

/// What begins like one of these and is no predicate type of a claim: names of claims, feeds and
/// entries, and what is written about verdicts.
pub const NO_TYPES: &[&str] = &[
    "https://slsa.dev/verification_summary/",
    "urn:assay:claim:{}",
    "urn:assay:feed",
    "urn:assay:leaf",
];

/// Names of constants that hold a kind's URIs, by which kinds must not be told apart.
pub const TYPE_CONSTANTS: &[&str] = &["TYPE", "TYPES", "URI", "URIS"];

/// Methods that look for a piece of text, or compare with one.
pub const TEXT_SEARCHES: &[&str] = &[
    "contains",
    "ends_with",
    "eq",
    "find",
    "matches",
    "rfind",
    "rsplit",
    "rsplit_once",
    "split",
    "split_once",
    "starts_with",
    "strip_prefix",
    "strip_suffix",
];

/// What a list of the kinds offers to find a kind by a URI, or its URIs, and to read a predicate.
pub const TYPE_LOOKUPS: &[&str] = &["by_uri", "check", "of", "read", "types", "uris"];

/// What a file may write or call, and no other file may.
pub struct May {
    /// The file.
    pub file: &'static str,
    /// The names.
    pub names: &'static [&'static str],
    /// Why.
    pub why: &'static str,
}

/// Which of [`TYPE_LOOKUPS`] a file may call.
pub const LOOKS_UP: &[May] = &[
    May {
        file: "core/intake/src/bridge/record.rs",
        names: &["of"],
        why: "a bridge writes some members of what it republishes anew",
    },
    May {
        file: "client/src/ask/names.rs",
        names: &["uris"],
        why: "records and compromises are asked for by their types, which labels name",
    },
    May {
        file: "core/claims/src/claim/examine.rs",
        names: &["of"],
        why: "here a claim is read, once",
    },
    May {
        file: "client/src/publish/draft.rs",
        names: &["of"],
        why: "a claim that is about to be signed is read once, too",
    },
    May {
        file: "node/src/api/read/asked.rs",
        names: &["uris"],
        why: "records and compromises are asked for by their types, which labels name",
    },
    May {
        file: "core/policy/src/rules/read/example.rs",
        names: &["read", "uris"],
        why: "a policy's examples are claims that nobody signed",
    },
    May {
        file: "core/intake/src/documents/draft.rs",
        names: &["check"],
        why: "what is made here has to be a valid predicate",
    },
    May {
        file: "core/intake/src/documents/in_toto.rs",
        names: &["by_uri", "check"],
        why: "a finished statement is checked, and its type shown",
    },
    May {
        file: "core/intake/src/documents/attested/claim.rs",
        names: &["of"],
        why: "a statement of no kind that is read is handed on as it was signed",
    },
    May {
        file: "cli/src/commands/require.rs",
        names: &["types"],
        why: "lists the types of which one can be required",
    },
    May {
        file: "client/src/report/claim.rs",
        names: &["by_uri"],
        why: "shows the name of a type, with its version",
    },
    May {
        file: "client/src/report/words/mod.rs",
        names: &["by_uri"],
        why: "shows the name of a type",
    },
    May {
        file: "core/policy/src/posture/mod.rs",
        names: &["by_uri"],
        why: "keeps the name of a type, to be shown",
    },
];

/// Which short names of kinds a file may write as literals.
pub const NAMED: &[May] = &[
    May {
        file: "client/src/report/export/vsa.rs",
        names: &["issuer"],
        why: "who signed an input, in an annotation",
    },
    May {
        file: "node/src/page/feed.rs",
        names: &["issuer"],
        why: "a feed of what an issuer signed, in an address",
    },
    May {
        file: "core/intake/src/documents/mod.rs",
        names: &[
            "audit",
            "lifecycle",
            "practice",
            "provenance",
            "registry-status",
            "sbom",
            "scan",
            "scorecard",
            "vex",
        ],
        why: "the table of the kinds of documents",
    },
    May {
        file: "core/intake/src/components/wrapped.rs",
        names: &["sbom"],
        why: "the wrapper in which GitHub's API answers",
    },
    May {
        file: "core/intake/src/bridge/registry.rs",
        names: &["provenance", "registry-status"],
        why: "the kinds of documents that a registry answers with",
    },
    May {
        file: "node/src/main.rs",
        names: &["audit"],
        why: "a table of the configuration",
    },
    May {
        file: "node/src/audit_commands.rs",
        names: &["audit"],
        why: "the same",
    },
    May {
        file: "node/src/config/audit.rs",
        names: &["audit"],
        why: "the same",
    },
    May {
        file: "core/intake/src/bridge/sources.rs",
        names: &["audit", "lifecycle", "practice", "scorecard", "vex"],
        why: "the kinds of documents that each source has",
    },
    May {
        file: "core/intake/src/documents/cargo_vet/mod.rs",
        names: &["audit"],
        why: "a table of cargo-vet's, and a label of a summary",
    },
    May {
        file: "core/intake/src/documents/provenance.rs",
        names: &["provenance"],
        why: "a kind of documents, in an error",
    },
    May {
        file: "core/intake/src/components/composer.rs",
        names: &["reference"],
        why: "a field of Composer's",
    },
    May {
        file: "core/intake/src/documents/attested/evidence.rs",
        names: &["issuer"],
        why: "who vouches for a name, in certificates of Sigstore",
    },
    May {
        file: "core/intake/src/documents/scorecard.rs",
        names: &["scorecard"],
        why: "a field of Scorecard's",
    },
    May {
        file: "core/intake/src/documents/advice.rs",
        names: &["scorecard"],
        why: "a field of Scorecard's",
    },
    May {
        file: "core/claims/src/index/label.rs",
        names: &["issuer"],
        why: "a kind of labels",
    },
    May {
        file: "core/policy/src/facts/mod.rs",
        names: &["issuer"],
        why: "a variable of conditions",
    },
    May {
        file: "core/policy/src/verdict/reason.rs",
        names: &["requirement"],
        why: "a cause of a verdict",
    },
    May {
        file: "client/src/ask/about.rs",
        names: &["issuer"],
        why: "a kind of labels",
    },
    May {
        file: "client/src/report/words/paragraph.rs",
        names: &["issuer"],
        why: "a word that is counted",
    },
    May {
        file: "node/src/api/read/asked.rs",
        names: &["issuer"],
        why: "a kind of labels",
    },
    May {
        file: "node/src/api/read/mod.rs",
        names: &["issuer"],
        why: "a route",
    },
    May {
        file: "cli/src/commands/audit.rs",
        names: &["audit"],
        why: "a command",
    },
    May {
        file: "cli/src/help.rs",
        names: &["audit", "issuer", "lifecycle"],
        why: "commands",
    },
];
