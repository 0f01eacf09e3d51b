//! `assay policy lint`: whether a quorum of witnesses is safe.

use crate::{
    config::Settings,
    exit::Failure,
    output,
    policy_file::{parse, read},
};
use assay_client::{Convictions, plain};
use assay_tlog::tlog_policy::TlogPolicy;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What was found.
#[derive(Debug, Serialize)]
struct LintView {
    file: PathBuf,
    /// Operators in the smallest quorum. None if no witness has to cosign.
    quorum: Option<usize>,
    /// Operators who count.
    operators: usize,
    /// The least that is safe.
    safe_quorum: usize,
    safe: bool,
    /// How many of them can be gone while the others are still a quorum.
    may_be_gone: usize,
    /// The names of the witnesses of which this machine knows that they are convicted.
    convicted: Vec<String>,
}

/// Runs the command on the policy at a path.
pub(super) fn run(path: PathBuf, settings: &Settings) -> Result<(), Failure> {
    let text = read(&path)?;
    // The policy of a node has words where ours has tables, so that no text is both.
    let view = match TlogPolicy::parse(&text) {
        Ok(tlog) => LintView::new(path, Some(&tlog), &settings.state_dir)?,
        Err(error) if is_tlog(&text) => {
            let shown = path.display();
            return Err(Failure::Usage(format!(
                "{shown}: {}",
                plain(&error.to_string())
            )));
        }
        Err(_) => {
            let policy = parse(&path, &text)?;
            LintView::new(path, policy.tlog(), &settings.state_dir)?
        }
    };
    output::data(settings, || view.text(), &view)?;
    if !view.convicted.is_empty() {
        let names = plain(&view.convicted.join(", "));
        return Err(Failure::NotMet(format!(
            "{names} must be taken out of the policy: convicted of misbehavior"
        )));
    }
    if view.safe {
        return Ok(());
    }
    Err(Failure::NotMet(
        "the quorum is not safe; see above".to_owned(),
    ))
}

/// Whether a text was meant as a C2SP tlog-policy: its first word is one of those.
fn is_tlog(text: &str) -> bool {
    let lines = text.lines().map(str::trim_start);
    let first = lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .find_map(|line| line.split_whitespace().next());
    matches!(first, Some("log" | "witness" | "group" | "quorum"))
}

impl LintView {
    fn new(file: PathBuf, tlog: Option<&TlogPolicy>, state_dir: &Path) -> Result<Self, Failure> {
        let convicted = Convictions::remembered(tlog, [], state_dir)?;
        let size = tlog.and_then(TlogPolicy::quorum_size);
        Ok(LintView {
            file,
            quorum: size.map(|size| size.least),
            operators: size.map_or(0, |size| size.operators),
            safe_quorum: size.map_or(0, |size| size.safe()),
            safe: size.is_some_and(|size| size.is_safe()),
            may_be_gone: size.map_or(0, |size| size.spare),
            convicted: convicted.witnesses().map(str::to_owned).collect(),
        })
    }

    fn text(&self) -> String {
        let mut text = self.of_quorum();
        for name in &self.convicted {
            text.push_str(&format!(
                "\nWitness {} is convicted of misbehavior: it does not count.",
                plain(name)
            ));
        }
        text
    }

    fn of_quorum(&self) -> String {
        let Some(quorum) = self.quorum else {
            return "No witness has to cosign. A log can show you one history and others another, \
                    and nobody notices. Name witnesses and a quorum."
                .into();
        };
        let LintView {
            operators,
            safe_quorum,
            ..
        } = self;
        if !self.safe {
            return format!(
                "{quorum} of {operators} operators can be met twice, for two histories of one log, \
                 even if fewer than a third of them lie. {safe_quorum} of {operators} are safe."
            );
        }
        let gone = match self.may_be_gone {
            0 => "If one of them is gone, there may be no quorum.".to_owned(),
            1 => "One of them can be gone.".to_owned(),
            n => format!("{n} of them can be gone."),
        };
        format!(
            "{quorum} of {operators} operators: two histories of one log cannot both have a quorum \
             as long as fewer than a third of them lie. {gone}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys of the shape of a witness's, told apart by a byte.
    fn witness(byte: u8) -> String {
        let key = assay_tlog::note::CosignerKey::from_seed(
            &format!("w{byte}"),
            assay_tlog::note::Algorithm::CosignatureV1,
            &[byte; 32],
        );
        format!("witness w{byte} {}\n", key.unwrap().verifier())
    }

    fn lint(witnesses: u8, quorum: &str) -> LintView {
        let text: String = (0..witnesses).map(witness).collect();
        let policy = TlogPolicy::parse(&format!("{text}{quorum}\n")).unwrap();
        LintView::new("policy".into(), Some(&policy), Path::new("/nowhere")).unwrap()
    }

    #[test]
    fn it_says_what_is_safe_and_what_may_be_gone() {
        let safe = lint(4, "group q 3 w0 w1 w2 w3\nquorum q");
        assert!(safe.safe && safe.text().contains("One of them can be gone"));
        let unsafe_ = lint(4, "group q 2 w0 w1 w2 w3\nquorum q");
        assert!(!unsafe_.safe && unsafe_.text().contains("3 of 4 are safe"));
        let alone = lint(1, "quorum w0");
        assert!(alone.safe && alone.text().contains("no quorum"));
        let nested = lint(5, "group g 3 w0 w1 w2 w3\ngroup q all g w4\nquorum q");
        assert!(nested.safe && nested.may_be_gone == 0);
        assert!(is_tlog("# c\n\n witness x") && !is_tlog("version = 1\n"));
        let none = lint(1, "quorum none");
        assert!(!none.safe && none.text().contains("No witness"));
    }
}
