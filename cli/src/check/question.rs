//! What a project is made of, asked of the logs in one question: what a policy takes of it, and
//! what the logs answered.

use super::read;
use crate::{
    asking::{self, How},
    config::Settings,
    exit::Failure,
    output, policy_file,
};
use assay_client::ask::{Asked, Asker, Inventory};
use assay_client::report::{Conclusion, Scales, words};
use assay_intake::components;
use assay_policy::rules::Policy;
use clap::Args;

/// What a command is about that hands on what issuers say of components.
#[derive(Debug, Args)]
pub struct Named {
    /// SBOMs and lock files, as `assay check` takes them, or package URLs with a version; - is
    /// stdin
    #[arg(required = true, value_name = "SBOM|LOCK|PURL")]
    of: Vec<String>,
    /// What the files are, if their names and contents do not say it; `assay check --help` lists
    /// the names
    #[arg(long, env = "ASSAY_FORMAT", value_name = "NAME", value_parser = read::format)]
    format: Option<components::Format>,
}

impl Named {
    /// Reads all of it, and asks the logs under a policy with this name. Fails as [`Question::ask`]
    /// does, and for what cannot be read.
    pub async fn ask(
        &self,
        (policy, policy_name): (Policy, String),
        how: How,
        settings: &Settings,
    ) -> Result<(Inventory, Question), Failure> {
        let mut listings = Vec::new();
        for of in &self.of {
            listings.push(read::named(of, self.format)?);
        }
        read::choose(&mut listings, &policy, false);
        let inventory = Inventory::new(listings);
        let question = Question::ask(&inventory, policy, policy_name, how, settings).await?;
        Ok((inventory, question))
    }
}

/// The policy of the settings, and what its file is called.
pub fn policy(settings: &Settings) -> Result<(Policy, String), Failure> {
    let path = settings.policy(None);
    Ok((policy_file::load(&path)?, path.display().to_string()))
}

/// Who was asked, for whom, and what they answered.
pub struct Question {
    asker: Asker,
    policy_name: String,
    /// What the logs answered.
    pub asked: Asked,
}

impl Question {
    /// Asks the logs that the policy names about an inventory. Fails if a log is nowhere to be had,
    /// or if what one answers does not verify.
    pub async fn ask(
        inventory: &Inventory,
        policy: Policy,
        policy_name: String,
        how: How,
        settings: &Settings,
    ) -> Result<Self, Failure> {
        let asker = asking::asker(policy, settings, how)?;
        let asked = asker.components(inventory).await;
        let asked = asking::heard(&asker, settings, asked).await?;
        Ok(Question {
            asker,
            policy_name,
            asked,
        })
    }

    /// What weighs the answers.
    pub fn scales(&self) -> Scales<'_> {
        asking::scales(&self.asker, &self.policy_name)
    }

    /// Passes on the heads that the logs showed, once everything else is done.
    pub async fn submit_heads(&self, settings: &Settings) {
        asking::submit_heads(&self.asker, settings).await;
    }

    /// Writes what is handed on, which lacks so many components, unless a log did not answer that
    /// must: what it does not say could take back or change what the others say.
    pub async fn hand_on(
        &self,
        incomplete: usize,
        settings: &Settings,
        write: impl FnOnce() -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let report = self.scales().answers(&self.asked);
        if let Conclusion::Unanswered(_) | Conclusion::Failed(_) = report.conclusion() {
            return asking::conclude(&report);
        }
        for ended in words::no_longer_ignored(&report) {
            output::say(settings, &output::plain(&ended));
        }
        write()?;
        self.submit_heads(settings).await;
        match incomplete {
            0 => Ok(()),
            n => Err(Failure::NotMet(format!(
                "a log did not answer in full about {n} of the components, of which nothing is \
                 written"
            ))),
        }
    }
}
