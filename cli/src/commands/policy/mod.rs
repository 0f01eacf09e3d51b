//! `assay policy`: writing a policy, explaining it in plain words, and testing it on its own
//! examples.

mod lint;

use crate::{
    config::Settings,
    exit::Failure,
    output::{self, Color},
    policy_file::load,
    time,
};
use assay_client::{
    plain,
    report::words::{self, Section},
};
use assay_policy::rules::STARTING;
use assay_policy::verdict::{self, ExampleOutcome, Reason};
use clap::Subcommand;
use serde::Serialize;
use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// A policy says what you demand of the software that you use. It is one text file, in which every
/// field is explained.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a policy to start with, every field explained. An existing file is never overwritten
    Init {
        /// The file; - for stdout [default: that of --policy]
        file: Option<PathBuf>,
    },
    /// Explain in plain words what a policy demands
    Explain {
        /// The policy; - for stdin [default: that of --policy]
        file: Option<PathBuf>,
    },
    /// Say whether a policy's quorum of witnesses is safe
    ///
    /// Of n witnesses, each with an operator of its own, 1 + 2n/3 (rounded down) must cosign: then
    /// two histories of a log cannot both have a quorum as long as fewer than a third lie. Takes a
    /// policy of yours, or the C2SP tlog-policy of a node. Nothing is fetched. Exit code 0: the
    /// quorum is safe. 1: it is not, or this machine knows that a witness is convicted of
    /// misbehavior. 2: the policy is malformed.
    Lint {
        /// The policy; - for stdin [default: that of --policy]
        file: Option<PathBuf>,
    },
    /// Check a policy, and run the examples in it
    ///
    /// Nothing is fetched. Exit code 0: the policy is valid, and every example has the outcome that
    /// it expects. 1: an example has another outcome. 2: the policy is malformed; the message says
    /// where and why.
    Test {
        /// The policy; - for stdin [default: that of --policy]
        file: Option<PathBuf>,
    },
}

#[derive(Debug, Serialize)]
struct InitView {
    file: PathBuf,
}

#[derive(Debug, Serialize)]
struct ExplainView {
    file: PathBuf,
    sections: Vec<SectionView>,
}

#[derive(Debug, Serialize)]
struct SectionView {
    title: &'static str,
    lines: Vec<String>,
}

#[derive(Debug, Serialize)]
struct TestView {
    file: PathBuf,
    /// How many examples have the outcome that they expect.
    passed: usize,
    failed: usize,
    examples: Vec<ExampleView>,
}

#[derive(Debug, Serialize)]
struct ExampleView {
    name: String,
    passed: bool,
    expected: &'static str,
    outcome: &'static str,
    reasons: Vec<ReasonView>,
}

#[derive(Debug, Serialize)]
struct ReasonView {
    rule: String,
    outcome: &'static str,
    text: String,
}

/// Runs the command.
pub fn run(command: Command, settings: &Settings) -> Result<(), Failure> {
    match command {
        Command::Init { file } => init(&settings.one_policy(file)?, settings),
        Command::Explain { file } => {
            let path = settings.one_policy(file)?;
            let sections = words::explain(&load(&path)?, time::now_ms())
                .into_iter()
                .map(SectionView::new)
                .collect();
            let view = ExplainView {
                file: path,
                sections,
            };
            output::data(settings, || view.text(), &view)
        }
        Command::Lint { file } => lint::run(settings.one_policy(file)?, settings),
        Command::Test { file } => test(settings.one_policy(file)?, settings),
    }
}

fn init(path: &Path, settings: &Settings) -> Result<(), Failure> {
    if path == Path::new("-") {
        if settings.given.has("output") {
            return Err(Failure::Usage(
                "with - the policy itself goes to stdout; leave --output out".into(),
            ));
        }
        return output::bytes(STARTING.as_bytes());
    }
    write_new(path, STARTING)?;
    let shown = path.display();
    output::data(
        settings,
        || format!("policy  {shown}"),
        &InitView {
            file: path.to_owned(),
        },
    )?;
    output::say(
        settings,
        "This policy warns about most things and refuses few. Open it and name whom you trust.\n\
         next: assay policy explain",
    );
    Ok(())
}

/// Writes a file that must not exist yet, and the folders above it.
fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    let shown = path.display();
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        fs::create_dir_all(folder)
            .map_err(|e| Failure::io(format!("cannot make the folder {}", folder.display()), e))?;
    }
    let mut options = OpenOptions::new();
    let opened = options.write(true).create_new(true).open(path);
    let mut file = opened.map_err(|e| match e.kind() {
        io::ErrorKind::AlreadyExists => Failure::Usage(format!(
            "{shown} exists and is never overwritten; name another file, or - to see the starting \
             policy"
        )),
        _ => Failure::io(format!("cannot write {shown}"), e),
    })?;
    file.write_all(text.as_bytes())
        .map_err(|e| Failure::io(format!("cannot write {shown}"), e))
}

fn test(path: PathBuf, settings: &Settings) -> Result<(), Failure> {
    let examples: Vec<ExampleView> = verdict::run_examples(&load(&path)?, time::now_ms())
        .into_iter()
        .map(ExampleView::new)
        .collect();
    let passed = examples.iter().filter(|example| example.passed).count();
    let failed = examples.len() - passed;
    let view = TestView {
        file: path,
        passed,
        failed,
        examples,
    };
    output::data(settings, || view.text(), &view)?;
    match failed {
        0 => Ok(()),
        1 => Err(Failure::NotMet(
            "one of the policy's examples has another outcome than it expects; see above".into(),
        )),
        n => Err(Failure::NotMet(format!(
            "{n} of the policy's examples have another outcome than they expect; see above"
        ))),
    }
}

impl SectionView {
    fn new(section: Section) -> Self {
        SectionView {
            title: section.title,
            lines: section.lines,
        }
    }

    fn text(&self) -> String {
        let mut text = self.title.to_owned();
        for line in &self.lines {
            text.push_str(&format!("\n  - {}", plain(line)));
        }
        text
    }
}

impl ExplainView {
    fn text(&self) -> String {
        let texts: Vec<String> = self.sections.iter().map(SectionView::text).collect();
        texts.join("\n\n")
    }
}

impl ExampleView {
    fn new(example: ExampleOutcome) -> Self {
        ExampleView {
            passed: example.is_as_expected(),
            expected: example.expected.name(),
            outcome: example.verdict.outcome().name(),
            reasons: example
                .verdict
                .reasons()
                .iter()
                .map(|reason: &Reason| ReasonView {
                    rule: reason.rule.clone(),
                    outcome: reason.outcome.name(),
                    text: words::reason(reason, words::Reader::Owner),
                })
                .collect(),
            name: example.name,
        }
    }

    fn text(&self) -> String {
        let (word, note) = if self.passed {
            (output::color("PASSED", Color::Green), String::new())
        } else {
            let words = output::color("FAILED", Color::Red);
            (words, format!(", but {} was expected", self.expected))
        };
        let mut text = format!("{word}  {}: {}{note}", plain(&self.name), self.outcome);
        for reason in &self.reasons {
            text.push_str(&format!(
                "\n          {}: {}: {}",
                reason.outcome,
                plain(&reason.rule),
                plain(&reason.text)
            ));
        }
        text
    }
}

impl TestView {
    fn text(&self) -> String {
        let mut lines: Vec<String> = self.examples.iter().map(ExampleView::text).collect();
        lines.push(match self.examples.len() {
            0 => {
                "The policy is valid. It has no examples; add some with [[test]] to check that it \
                does what you mean."
                    .into()
            }
            n => format!("{} of {n} examples have the expected outcome.", self.passed),
        });
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Global;

    #[test]
    fn examples_decide_whether_the_policy_is_what_its_author_means() {
        let folder = tempfile::tempdir().unwrap();
        let (config, path) = (
            folder.path().join("config.toml"),
            folder.path().join("policy.toml"),
        );
        fs::write(&config, "").unwrap();
        let settings = Settings::load(&Global {
            config: Some(config),
            quiet: true,
            ..Global::default()
        })
        .unwrap();
        let outcome = |text: &str| {
            fs::write(&path, text).unwrap();
            test(path.clone(), &settings)
        };
        outcome(STARTING).unwrap();
        outcome("version = 1").unwrap();
        let example = "version = 1\n[[test]]\nname = \"x\"\nexpect = \"fine\"\n";
        assert!(
            matches!(outcome(example), Err(Failure::NotMet(text)) if text.contains("one of the \
                policy's examples"))
        );
        assert!(
            matches!(outcome("version = 2"), Err(Failure::Usage(text)) if text.contains("line 1, \
                version"))
        );
    }

    #[test]
    fn a_policy_is_written_once_and_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/policy.toml");
        write_new(&path, STARTING).unwrap();
        load(&path).unwrap();
        let again = write_new(&path, "version = 1").unwrap_err();
        assert!(matches!(again, Failure::Usage(text) if text.contains("never overwritten")));
        assert_eq!(fs::read_to_string(&path).unwrap(), STARTING);
    }
}
