//! The table for people and `target/bench.json` for programs.

use serde::Serialize;
use std::{fs, path::Path};

/// Which way is good.
#[derive(Debug, Clone, Copy, Serialize, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Better {
    Higher,
    Lower,
}

#[derive(Debug, Serialize)]
struct Row {
    name: String,
    value: f64,
    target: f64,
    better: Better,
    #[serde(skip)]
    detail: String,
}

impl Row {
    fn met(&self) -> bool {
        match self.better {
            Better::Higher => self.value >= self.target,
            Better::Lower => self.value <= self.target,
        }
    }
}

/// What was measured.
#[derive(Debug)]
pub struct Report {
    full: bool,
    rows: Vec<Row>,
    notes: Vec<(String, String)>,
}

impl Report {
    /// `full` is whether the log has the size that the targets are stated for.
    pub fn new(full: bool) -> Self {
        Report {
            full,
            rows: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Adds a measured value.
    pub fn add(&mut self, name: &str, value: f64, target: f64, better: Better, detail: String) {
        eprintln!("  {name} {value:.3} ({detail})");
        self.rows.push(Row {
            name: name.to_owned(),
            value,
            target,
            better,
            detail,
        });
    }

    /// Adds what a ratio is taken to, or another figure without a target.
    pub fn note(&mut self, name: &str, value: String) {
        eprintln!("  {name}: {value}");
        self.notes.push((name.to_owned(), value));
    }

    /// Prints the table and writes the file. A target that was missed is shown, not an error: this
    /// is a measurement.
    pub fn finish(self, path: &Path) -> anyhow::Result<()> {
        println!("| name | value | target | met | measured |");
        println!("| --- | ---: | ---: | --- | --- |");
        for row in &self.rows {
            let sign = if row.better == Better::Higher {
                "≥"
            } else {
                "≤"
            };
            let met = if row.met() { "yes" } else { "no" };
            println!(
                "| `{}` | {:.2} | {sign} {} | {met} | {} |",
                row.name, row.value, row.target, row.detail
            );
        }
        println!();
        for (name, value) in &self.notes {
            println!("{name}: {value}");
        }
        if !self.full {
            println!("A quick look at a smaller log: the targets are stated for 1,000,000 claims.");
            return Ok(());
        }
        fs::write(path, serde_json::to_string_pretty(&self.rows)? + "\n")?;
        eprintln!("written: {}", path.display());
        Ok(())
    }
}

impl Report {
    pub fn ratio(&mut self, name: &str, value: f64, target: f64, detail: String) {
        self.add(name, value, target, Better::Higher, detail);
    }

    pub fn less(&mut self, name: &str, value: f64, target: f64, detail: String) {
        self.add(name, value, target, Better::Lower, detail);
    }
}
