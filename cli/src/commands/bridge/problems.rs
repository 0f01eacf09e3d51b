//! What could not be done, by the place where it is: it harms nothing else, and is said.

use serde::Serialize;

/// Most problems that are kept; the others are counted.
const KEPT: usize = 1000;

/// A problem.
#[derive(Debug, Serialize)]
pub struct Problem {
    /// A file of the source, or a record.
    pub place: String,
    /// What is wrong there.
    pub reason: String,
}

/// What could not be done.
#[derive(Debug, Default)]
pub struct Problems {
    /// The first ones.
    pub kept: Vec<Problem>,
    /// How many there are.
    pub count: usize,
}

impl Problems {
    /// Takes a problem down.
    pub fn add(&mut self, place: &str, reason: &str) {
        self.count += 1;
        if self.kept.len() < KEPT {
            self.kept.push(Problem {
                place: place.to_owned(),
                reason: reason.to_owned(),
            });
        }
    }
}
