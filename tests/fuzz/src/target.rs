//! What a target is: a property, and the bytes that it begins with.

use std::path::{Path, PathBuf};

/// A property of a reader.
pub struct Target {
    /// Its name, which is also that of its folder in `corpus/`.
    pub name: String,
    run: Box<dyn Fn(&[u8]) -> bool + Send + Sync>,
    made: Vec<Vec<u8>>,
}

impl Target {
    /// A target whose seeds are all in `corpus/`.
    pub(crate) fn new(name: &str, run: impl Fn(&[u8]) -> bool + Send + Sync + 'static) -> Self {
        Target {
            name: name.to_owned(),
            run: Box::new(run),
            made: Vec::new(),
        }
    }

    /// A target of texts: other bytes are refused.
    pub(crate) fn of_text(name: &str, run: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Target::new(name, move |bytes| {
            std::str::from_utf8(bytes).is_ok_and(&run)
        })
    }

    /// The same with further seeds.
    pub(crate) fn with(mut self, seeds: impl IntoIterator<Item = impl Into<Vec<u8>>>) -> Self {
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
