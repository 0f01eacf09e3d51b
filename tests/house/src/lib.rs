//! Checks of the source tree itself: what the house looks like, not what it does.
//!
//! Each check returns every violation, so that a failing test is a to-do list. [`rules`] holds all
//! tables; the other modules hold how they are checked. A check works on a [`Tree`], which a unit
//! test can plant a violation in: a check that cannot fail checks nothing.
//!
//! This crate depends on no other of ours. It compiles in seconds, and it reads sources as text, so
//! that it also judges a tree that does not compile.

#![forbid(unsafe_code)]
#![allow(clippy::expect_used, reason = "a check that cannot look has to fail")]

pub mod circles;
pub mod claims;
pub mod closures;
pub mod docs;
pub mod links;
pub mod modules;
pub mod mutants;
pub mod opened;
pub mod promises;
pub mod purity;
pub mod rules;
pub mod sizes;
pub mod templates;
pub mod tokens;
pub mod tree;

pub use tree::Tree;

use std::fmt;

/// Something in the tree that a rule forbids.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// The file, as a path below the root of the workspace.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub what: String,
}

impl Violation {
    fn new(file: &str, line: usize, what: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line,
            what: what.into(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}
