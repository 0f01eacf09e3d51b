//! Fuzz targets: for each reader of core, a function of any bytes that panics unless what the
//! reader promises holds of them.
//!
//! A target asserts more than that nothing panics: what is read and written again is the same, only
//! one spelling of a thing is read, nothing is verified that our keys did not sign, and two readers
//! of one thing agree. It returns whether the bytes were accepted, so that a test can demand that
//! its seeds are: a target that refuses everything holds nothing.
//!
//! Seeds are the files of `corpus/`, and what functions here make: whatever is signed, hashed or
//! binary. All targets run in `make test`, on their seeds and thousands of changed ones, and under
//! libFuzzer in `make fuzz` (`fuzz/`).
//!
//! Left out: the client's configuration and its language of conditions, and what only nodes read.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a property that does not hold has to stop the run"
)]

mod claims;
mod components;
mod documents;
mod index;
mod misbehavior;
pub mod mutate;
mod names;
mod notes;
mod policies;
mod predicates;
mod proofs;
mod tiles;
mod world;

use std::path::{Path, PathBuf};

/// The target that has to fail: whoever runs it and sees nothing has a machine that finds nothing.
pub const CANARY: &str = "canary";

/// A property of a reader.
pub struct Target {
    /// Its name, which is also that of its folder in `corpus/`.
    pub name: String,
    run: Box<dyn Fn(&[u8]) -> bool + Send + Sync>,
    made: Vec<Vec<u8>>,
}

impl Target {
    /// A target whose seeds are all in `corpus/`.
    fn new(name: &str, run: impl Fn(&[u8]) -> bool + Send + Sync + 'static) -> Self {
        Target {
            name: name.to_owned(),
            run: Box::new(run),
            made: Vec::new(),
        }
    }

    /// A target of texts: other bytes are refused.
    fn of_text(name: &str, run: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Target::new(name, move |bytes| {
            std::str::from_utf8(bytes).is_ok_and(&run)
        })
    }

    /// The same with further seeds.
    fn with(mut self, seeds: impl IntoIterator<Item = impl Into<Vec<u8>>>) -> Self {
        self.made.extend(seeds.into_iter().map(Into::into));
        self
    }

    /// Reads the bytes, and returns whether they were accepted.
    ///
    /// # Panics
    ///
    /// If the property does not hold.
    pub fn run(&self, bytes: &[u8]) -> bool {
        (self.run)(bytes)
    }

    /// What the target accepts: the made ones, and then the files by name. Those whose name begins
    /// with `found` once made it fail, and need not be accepted.
    pub fn seeds(&self) -> Vec<Seed> {
        let made = self.made.iter().enumerate();
        let mut seeds: Vec<Seed> = made
            .map(|(i, bytes)| Seed {
                name: format!("made-{i}"),
                bytes: bytes.clone(),
            })
            .collect();
        let listed = std::fs::read_dir(corpus().join(&self.name));
        let files = listed.into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = files.map(|file| file.path()).collect();
        paths.sort();
        for path in paths {
            let name = path.file_name().unwrap_or_default();
            seeds.push(Seed {
                name: name.to_string_lossy().into_owned(),
                bytes: std::fs::read(&path).expect("a file of the corpus can be read"),
            });
        }
        seeds
    }
}

/// Bytes to begin with.
pub struct Seed {
    /// A name that no other seed of the target has.
    pub name: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Seed {
    /// Whether it is there because a target once failed on it.
    pub fn was_found(&self) -> bool {
        self.name.starts_with("found")
    }
}

/// The folder with a folder of seeds for each target.
pub fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// Every target but the canary.
pub fn targets() -> Vec<Target> {
    let mut all = Vec::new();
    all.extend(notes::targets());
    all.extend(tiles::targets());
    all.extend(proofs::targets());
    all.extend(claims::targets());
    all.extend(predicates::targets());
    all.extend(misbehavior::targets());
    all.extend(index::targets());
    all.extend(names::targets());
    all.extend(documents::targets());
    all.extend(components::targets());
    all.extend(policies::targets());
    all
}

/// Asserts what is false of every text with a `C` in it.
pub fn canary() -> Target {
    Target::of_text(CANARY, |text| {
        assert!(!text.contains('C'), "the canary sings");
        true
    })
    .with(["canary", "a seed that is left alone"])
}

/// The target of that name, the canary too.
pub fn target(name: &str) -> Option<Target> {
    let mut all = targets();
    all.push(canary());
    all.into_iter().find(|target| target.name == name)
}
