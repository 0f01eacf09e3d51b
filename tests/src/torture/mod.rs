//! What a node and a witness are put through, cycle by cycle: `make torture`. Each kind of fault is
//! a row of a table; its short form is a test.

pub mod bits;
pub mod calls;
pub mod kill;
mod known;
pub mod witness;

use std::fmt;

/// What came of one kind of fault.
#[derive(Debug)]
pub struct Row {
    /// The fault.
    pub fault: String,
    /// How often it was injected.
    pub cycles: usize,
    /// What went wrong, and where.
    pub failures: Vec<String>,
    /// In how many cycles what happened: `refused`, `served`, …
    pub outcomes: std::collections::BTreeMap<&'static str, usize>,
}

impl Row {
    /// A row without cycles.
    pub fn new(fault: impl Into<String>) -> Self {
        Row {
            fault: fault.into(),
            cycles: 0,
            failures: Vec::new(),
            outcomes: Default::default(),
        }
    }

    /// Notes a cycle that was called `what`.
    pub fn note(&mut self, what: &str, came: anyhow::Result<&'static str>) {
        self.cycles += 1;
        let outcome = match came {
            Ok(outcome) => outcome,
            Err(error) => {
                self.failures.push(format!("{what}: {error:#}"));
                "failed"
            }
        };
        *self.outcomes.entry(outcome).or_default() += 1;
    }

    /// Fails with the failures, if there are any, and if there were no cycles.
    pub fn passed(&self) -> anyhow::Result<()> {
        anyhow::ensure!(self.cycles > 0, "{}: nothing was tried", self.fault);
        let all = self.failures.join("\n");
        anyhow::ensure!(self.failures.is_empty(), "{self}\n{all}");
        Ok(())
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failures = self.failures.len();
        write!(f, "| {} | {} | {failures} |", self.fault, self.cycles)?;
        let mut outcomes = self.outcomes.iter();
        if let Some((outcome, count)) = outcomes.next() {
            write!(f, " {outcome} {count}")?;
        }
        outcomes.try_for_each(|(outcome, count)| write!(f, ", {outcome} {count}"))?;
        write!(f, " |")
    }
}

/// The lines above the rows.
pub const HEADING: &str = "| fault | cycles | failures | outcomes |\n| --- | ---: | ---: | --- |";

/// SplitMix64: few lines, and good enough to draw places.
#[derive(Debug)]
pub struct Draw(pub u64);

impl Draw {
    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}
