//! The index against an independent implementation, written from `docs/index.md` alone in plain
//! Python (`tests/index`).

#![allow(clippy::unwrap_used, reason = "what the test sets up itself must work")]

mod entries;
mod node;

use assay_claims::entry::Entry;
use assay_claims::index::map::{Resident, Serial, Whole};
use assay_claims::index::{Label, Map, labels_of_entry};
use assay_tlog::Hash;
use assay_tlog::tree::{LeafIndex, TreeSize};
use base64::prelude::{BASE64_STANDARD, Engine};
use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

/// How many logs are compared.
const LOGS: u64 = 10_000;

/// How many entries are mapped by both.
const ENTRIES: u64 = 100_000;

/// Most leaves of one.
const LEAVES: u64 = 200;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("index")
}

fn python() -> Command {
    let mut command = Command::new("python3");
    command.current_dir(folder());
    command
}

/// Runs a script to its end. A machine without Python gets told what to install: `scripts/setup
/// test` does it on Debian.
fn run(arguments: &[&str]) {
    let output = python().args(arguments).output().unwrap_or_else(|error| {
        panic!(
            "python3 cannot be run ({error}): install it, or run scripts/setup test on Debian \
            and Ubuntu"
        )
    });
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn its_own_tests_pass() {
    run(&["test_assay_index.py"]);
}

#[test]
fn it_agrees_with_every_vector() {
    run(&["assay_index.py", "vectors", "../vectors/index"]);
}

/// Numbers without any order that a trie would notice, the same at every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }
}

/// A label of few or many, some of which share all but their last bits with others.
fn label(numbers: &mut Numbers, kinds: u64) -> Label {
    let n = numbers.below(kinds);
    let mut bytes = *Hash::of(&(n / 4).to_be_bytes()).as_bytes();
    if !n.is_multiple_of(4) {
        bytes[31 - n as usize % 4] ^= 1 << (n % 8);
    }
    Label::from_bytes(bytes)
}

/// A log: for each leaf its labels, or `None` for a commitment.
fn log(numbers: &mut Numbers) -> Vec<Option<Vec<Label>>> {
    // Most are small, where the odd shapes are.
    let most = match numbers.below(10) {
        0 => LEAVES,
        1..4 => 40,
        _ => 8,
    };
    let (leaves, kinds) = (numbers.below(most) + 1, numbers.below(150) + 1);
    let mut log = vec![None];
    for _ in 1..leaves {
        log.push((numbers.below(5) > 0).then(|| {
            (0..numbers.below(5))
                .map(|_| label(numbers, kinds))
                .collect()
        }));
    }
    log
}

/// The index of a log, one step for each commitment and one for the leaves after the last, as a
/// node keeps it.
fn kept(log: &[Option<Vec<Label>>]) -> (String, u64) {
    let mut map = Map::<Whole>::new();
    let mut pending = Vec::new();
    let step = |map: &mut Map<Whole>, pending: &mut Vec<(Label, LeafIndex)>, through| {
        pending.sort();
        pending.dedup();
        *map = map
            .update(pending, TreeSize::new(through), &Resident, &Serial)
            .unwrap()
            .map;
        pending.clear();
    };
    for (leaf, labels) in (0..).zip(log) {
        match labels {
            Some(labels) => {
                pending.extend(labels.iter().map(|label| (*label, LeafIndex::new(leaf))));
            }
            None => step(&mut map, &mut pending, leaf),
        }
    }
    step(&mut map, &mut pending, log.len() as u64);
    let commitment = map.commitment();
    (commitment.root.to_hex(), commitment.labels)
}

/// What the program answers to these lines, a line each.
fn answers(command: &str, lines: Vec<String>) -> Vec<String> {
    let mut child = python()
        .args(["assay_index.py", command])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| {
            panic!("python3 cannot be run ({error}): install it, or run scripts/setup test")
        });
    let mut input = child.stdin.take().unwrap();
    // It answers while it reads: whoever only writes fills the pipe for good.
    let writer = thread::spawn(move || {
        lines
            .iter()
            .try_for_each(|line| input.write_all(line.as_bytes()))
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    let answers = String::from_utf8(output.stdout).unwrap();
    answers.lines().map(str::to_owned).collect()
}

#[test]
fn a_hundred_thousand_random_and_hostile_entries_have_the_same_labels() {
    let mut numbers = Numbers(20_261_127);
    let entries: Vec<_> = (0..ENTRIES)
        .map(|at| entries::entry(&mut numbers, at))
        .collect();
    let lines = entries
        .iter()
        .map(|entry| BASE64_STANDARD.encode(entry) + "\n")
        .collect();
    let answers = answers("mapping", lines);
    assert_eq!(answers.len(), entries.len());
    let (mut refused, mut bare, mut speaking, mut most) = (0, 0, 0, 0);
    for (entry, answer) in entries.into_iter().zip(answers) {
        let shown = hex::encode(&entry[..entry.len().min(2_000)]);
        let Ok(entry) = Entry::parse(entry.into()) else {
            assert_eq!(answer, "no entry", "{shown}");
            refused += 1;
            continue;
        };
        let labels = labels_of_entry(&entry);
        let joined: Vec<u8> = labels.iter().flat_map(|label| *label.as_bytes()).collect();
        let mapped = format!("{} {}", labels.len(), Hash::of(&joined).to_hex());
        assert_eq!(answer, mapped, "{shown}");
        match labels.len() {
            0..3 => bare += 1,
            _ => speaking += 1,
        }
        most = most.max(labels.len());
    }
    // Not a test of entries that nobody could write.
    assert!(
        refused > 10_000 && bare > 10_000 && speaking > 40_000 && most > 30_000,
        "{refused} refused, {bare} bare, {speaking} speaking, {most} labels at most"
    );
}

#[test]
fn ten_thousand_random_logs_have_the_same_roots() {
    let mut numbers = Numbers(20_261_125);
    let logs: Vec<_> = (0..LOGS).map(|_| log(&mut numbers)).collect();
    let lines = logs.iter().map(|log| line(log)).collect();
    let answers = answers("roots", lines);
    let answers: Vec<serde_json::Value> = answers
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(answers.len(), logs.len());
    let mut largest = 0;
    for (number, (log, answer)) in logs.iter().zip(answers).enumerate() {
        let (root, labels) = kept(log);
        assert_eq!(
            (answer["root"].as_str(), answer["labels"].as_u64()),
            (Some(&root[..]), Some(labels)),
            "log {number}"
        );
        largest = largest.max(labels);
    }
    assert!(largest > 80, "the largest index has only {largest} labels");
}

fn line(log: &[Option<Vec<Label>>]) -> String {
    let leaves: Vec<_> = log
        .iter()
        .map(|labels: &Option<Vec<Label>>| {
            labels.as_ref().map(|labels| {
                labels
                    .iter()
                    .map(|label| hex::encode(label.as_bytes()))
                    .collect::<Vec<_>>()
            })
        })
        .collect();
    format!("{}\n", serde_json::json!({ "leaves": leaves }))
}
