//! The tables: what the tree must look like. How it is checked stands in the other modules.
//!
//! Where a list has several folders for one thing, the first that exists counts: so a table can
//! name where a thing is and where it will be.

mod linked;
mod promises;

pub use linked::{LINKED, Linked, NEVER_LINKED, NeverLinked};
pub use promises::{
    KINDS, LOOKS_UP, May, NAMED, NO_TYPES, PROMISES, Promise, TEXT_SEARCHES, TYPE_CONSTANTS,
    TYPE_LOOKUPS, TYPE_URIS,
};

/// Most lines of a Rust file.
pub const FILE_LINES: usize = 500;

/// Most lines of a function, from `fn` to the closing brace.
pub const FUNCTION_LINES: usize = 60;

/// Most columns of a line of Rust.
pub const COLUMNS: usize = 100;

/// Most closures in 10,000 lines that are bound by `let` for a single use.
pub const CLOSURES: usize = 6;

/// Most files of one crate that may import each other in a circle.
pub const CIRCLE_FILES: usize = 4;

/// The documents whose sections are cited: as `docs/design.md 3.4`, or as `docs/index.md, section
/// 8`.
pub const CITED: &[&str] = &[DESIGN_FILE, "docs/index.md"];

/// The design.
pub const DESIGN_FILE: &str = "docs/design.md";

/// What the design was called before it was part of the repository. In two parts, because this file
/// is checked as well.
pub const OLD_NAME: &str = concat!("DES", "IGN");

/// Packages that are test tools: nothing of them is shipped.
pub const TEST_PACKAGES: &[&str] = &[
    "assay-bench",
    "assay-fuzz",
    "assay-house",
    "assay-sim",
    "assay-tests",
];

/// The feature of libraries that tests of other crates need. No product may ask for it.
pub const TEST_FEATURE: &str = "testing";

/// What opens whatever stands at a path, and waits for it: a pipe that nobody writes to holds up a
/// start for ever.
pub const OPENS: &[&str] = &[
    "File::create",
    "File::open",
    "fs::copy",
    "fs::read",
    "fs::read_to_string",
    "fs::write",
    "from_pem_file",
    "pem_file_iter",
];

/// The files that may use them.
pub const OPENERS: &[&str] = &["host/src/files.rs"];

/// Documents in which every named path must exist.
pub const DOCUMENTS: &[&str] = &[
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "README.md",
    "SECURITY.md",
    "deploy/*.md",
    "docs/*.md",
];

/// Paths that documents name and that are not in this tree: what commands make.
pub const MADE: &[&str] = &["node/node.toml"];

/// How the names end of files that a comment names by their path.
pub const FILE_ENDS: &[&str] = &[
    ".go", ".json", ".md", ".proto", ".py", ".rs", ".service", ".toml", ".tsv", ".yaml", ".yml",
];

/// Modules of `std` that do what core leaves to its callers.
pub const IMPURE_MODULES: &[&str] = &["env", "fs", "net", "os", "process", "thread", "time"];

/// Names that mean, wherever they come from, a clock (so does any `::now`), randomness, a terminal,
/// a thread, logging or an async runtime.
pub const IMPURE_NAMES: &[&str] = &[
    "Condvar",
    "Mutex",
    "RandomState",
    "RwLock",
    "SystemTime",
    "UNIX_EPOCH",
    "async",
    "await",
    "chrono",
    "getrandom",
    "mpsc",
    "rand",
    "stderr",
    "stdin",
    "stdout",
    "thread_local",
    "tokio",
    "tracing",
];

/// Macros that print.
pub const IMPURE_MACROS: &[&str] = &["dbg", "eprint", "eprintln", "print", "println"];
