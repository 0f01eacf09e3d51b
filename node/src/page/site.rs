//! Whom the pages ask, and with which policy they weigh what comes back: the client's own question
//! and report, of this node and of whatever other logs the policy names.

use crate::config::PageConfig;
use crate::rotation::SharedLogKeys;
use assay_claims::purl::Purl;
use assay_client::ask::{
    self, About, AskError, Asker, Audience, How, Inventory, LogAddress, LogsError, OthersPage,
    Part, Spoken,
};
use assay_client::report::export::by_package::Packages;
use assay_client::report::lifecycle::Calendar;
use assay_client::report::words::{self, Reader};
use assay_client::report::{Report, Scales};
use assay_client::{Cel, Tls};
use assay_host::files;
use assay_policy::Component;
use assay_policy::rules::{POLICY_BYTES, Policy, PolicyError, STARTING};
use assay_tlog::note::VerifierKey;
use std::{
    collections::BTreeSet,
    io::{self, Read},
    path::{Path, PathBuf},
    time::Duration,
};

/// How long the logs have to answer for one page.
const PATIENCE: Duration = Duration::from_secs(8);

/// How long one of them may make the others wait: the page is made of what these say.
const EACH: Duration = Duration::from_secs(3);

/// How long the logs have to answer for the VEX repository, and how long one of them may make the
/// others wait: it is all that some have signed.
const VEX_PATIENCE: Duration = Duration::from_secs(60);
const VEX_EACH: Duration = Duration::from_secs(20);

/// Memory for one answer of a log about that, in bytes, about.
const VEX_BYTES: usize = 256 << 20;

/// Bytes of what strangers say that a page is made of, as many of what is said of that, and of who
/// vouches for whom. A page shows some 20 KiB; in memory a line takes some fifty times what it
/// takes in a claim, and eight pages are made at once.
const OTHERS_BYTES: usize = 512 << 10;

/// Why there are no pages.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The policy cannot be read.
    #[error("the policy of the pages, {path}, cannot be read", path = path.display())]
    Unreadable {
        /// Its file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is none.
    #[error("the policy of the pages, {path}, cannot be used: {source}", path = path.display())]
    Malformed {
        /// Its file.
        path: PathBuf,
        /// What is wrong with it.
        source: PolicyError,
    },
    /// There is no port on which the pages could ask the node.
    #[error("the pages cannot have a port on which they ask the node: {0}")]
    Port(#[from] io::Error),
    /// It does not say how a log is reached.
    #[error("the policy of the pages cannot be used: {0}")]
    Logs(#[from] LogsError),
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum Unasked {
    /// The policy and the node's keys do not fit.
    #[error(transparent)]
    Logs(#[from] LogsError),
    /// An answer does not verify.
    #[error(transparent)]
    Ask(#[from] AskError),
}

/// Why there is no VEX repository.
#[derive(Debug, thiserror::Error)]
pub enum NoVex {
    /// Nobody says whose word is in it.
    #[error(
        "This site has no VEX repository: nobody says whose word is in it. Its operator can, by \
         page.policy or page.vex_issuers."
    )]
    Nobody,
    /// Nobody says where it is.
    #[error(
        "This site has no VEX repository: nobody says where it is. Its operator can, by \
         page.address."
    )]
    Nowhere,
}

/// What was found for the VEX repository, to be weighed.
pub struct VexFound {
    spoken: Spoken,
    asker: Asker,
    name: String,
    now_ms: u64,
}

/// The operator's policy, as it is shown.
pub struct Stated {
    /// Its text.
    pub text: String,
    /// What it is called: its file's name.
    pub name: String,
}

/// What pages are made with.
pub struct Site {
    policy: Policy,
    /// The operator's policy; `None` if there is none, and then nothing is judged.
    pub stated: Option<Stated>,
    /// Whose policy it is.
    pub operator: String,
    /// The policy by which the VEX repository is made; nothing if nobody says whose word is in it.
    vex: Option<Policy>,
    /// Where readers reach the pages, with a slash at its end; nothing if the operator did not say.
    pub address: Option<String>,
    /// The keys of the node's log, which are rotated.
    keys: SharedLogKeys,
    /// Where the node is.
    url: String,
    /// Folder for the heads that were seen.
    state: PathBuf,
    /// [`PATIENCE`], but in tests.
    patience: Duration,
}

impl Site {
    /// Reads the policy. The node's own log has these keys, and is at `url`. Heads that are seen
    /// are kept in the folder `state`.
    pub fn open(
        config: &PageConfig,
        keys: SharedLogKeys,
        url: String,
        state: PathBuf,
    ) -> Result<Self, PageError> {
        let path = config.policy.clone();
        let stated = path.as_deref().map(Stated::read).transpose()?;
        let text = stated.as_ref().map_or(STARTING, |stated| &stated.text);
        let policy = Policy::parse(text, &Cel).map_err(|source| PageError::Malformed {
            path: path.unwrap_or_default(),
            source,
        })?;
        let vex = match &config.vex_issuers[..] {
            [] => stated.as_ref().map(|_| policy.clone()),
            issuers => Some(naming(issuers)?),
        };
        let operator = config.operator.clone();
        let address = config.address.as_deref();
        let address = address.map(|it| format!("{}/", it.trim_end_matches('/')));
        let site = Site {
            policy,
            vex,
            stated,
            address,
            operator: operator.unwrap_or_else(|| keys.load().origin().to_owned()),
            keys,
            url,
            state,
            patience: PATIENCE,
        };
        site.logs()?;
        Ok(site)
    }

    /// Whoever reads its pages.
    fn reader(&self) -> Reader {
        match self.stated {
            Some(_) => Reader::Visitor,
            None => Reader::Unweighed,
        }
    }

    /// The origin of the node's own log.
    pub fn origin(&self) -> String {
        self.keys.load().origin().to_owned()
    }

    /// The key that the node's log signs with now.
    pub fn key(&self) -> Option<VerifierKey> {
        self.keys.load().verifiers().into_iter().next()
    }

    /// The key that the node's log signs with now, and the next one while it is rotated.
    pub fn keys(&self) -> Vec<String> {
        let keys = self.keys.load().verifiers();
        keys.iter().map(VerifierKey::to_string).collect()
    }

    /// The logs that must answer.
    fn logs(&self) -> Result<Vec<LogAddress>, LogsError> {
        let own = self.key().map(|key| LogAddress {
            key,
            url: Some(self.url.clone()),
            older: Vec::new(),
            mirrors: Vec::new(),
        });
        ask::required_logs(&self.policy, own.as_ref(), How::Openly)
    }

    /// Asks about one thing, and weighs what is found: what everybody says of it, as far as a page
    /// has room that shows so many things. Without a policy nothing is judged.
    pub async fn report(&self, about: About, things: usize) -> Result<Report, Unasked> {
        let everyone = OthersPage {
            bytes: OTHERS_BYTES / things,
            ..OthersPage::FIRST
        };
        self.report_of(about, Audience::Everyone(everyone)).await
    }

    /// The same of what those say whom the site trusts. Strangers cost it nothing.
    pub async fn report_of_trusted(&self, about: About) -> Result<Report, Unasked> {
        self.report_of(about, Audience::Trusted).await
    }

    async fn report_of(&self, about: About, audience: Audience) -> Result<Report, Unasked> {
        let now_ms = crate::log::now_ms();
        let asker = self.asker(now_ms)?;
        let found = asker.find(about, audience).await?;
        let mut report = self.scales(&asker, now_ms).found(&found);
        if self.stated.is_none() {
            report.components.clear();
        }
        Ok(report)
    }

    /// Asks until when some packages are supported, all of them at once, of those whom the site
    /// trusts; and returns, beside what they say, how the logs answered.
    pub async fn calendar(&self, packages: Vec<Purl>) -> Result<(Calendar, Report), Unasked> {
        let now_ms = crate::log::now_ms();
        let asker = self.asker(now_ms)?;
        let packages = packages.into_iter();
        let inventory = Inventory {
            parts: packages
                .map(|purl| Part::of_component(Component::new(Some(purl), Vec::new())))
                .collect(),
            ..Inventory::default()
        };
        let asked = asker.components(&inventory).await?;
        let scales = self.scales(&asker, now_ms);
        Ok((scales.lifecycle(&inventory, &asked), scales.answers(&asked)))
    }

    /// By which policy the VEX repository is made, and where it is.
    pub fn vex(&self) -> Result<(&Policy, &str), NoVex> {
        let policy = self.vex.as_ref().ok_or(NoVex::Nobody)?;
        let address = self.address.as_deref().ok_or(NoVex::Nowhere)?;
        Ok((policy, address))
    }

    /// Asks for what those say of vulnerabilities, of all packages, whose word is in the VEX
    /// repository. `None` if there is none.
    pub async fn spoken(&self) -> Result<Option<VexFound>, Unasked> {
        let Some(policy) = &self.vex else {
            return Ok(None);
        };
        let now_ms = crate::log::now_ms();
        let asker = self.asker_by(policy.clone(), now_ms)?;
        let asker = asker.within(VEX_PATIENCE).waiting_for_each(VEX_EACH);
        let asker = asker.with_answers_of(VEX_BYTES);
        let spoken = asker.vulnerabilities().await?;
        Ok(Some(VexFound {
            spoken,
            asker,
            name: self.policy_name().to_owned(),
            now_ms,
        }))
    }

    fn policy_name(&self) -> &str {
        self.stated.as_ref().map_or("", |stated| &stated.name)
    }

    /// Asks by the policy, as of this time.
    fn asker(&self, now_ms: u64) -> Result<Asker, LogsError> {
        let asker = self.asker_by(self.policy.clone(), now_ms)?;
        Ok(asker.within(self.patience).waiting_for_each(EACH))
    }

    fn asker_by(&self, policy: Policy, now_ms: u64) -> Result<Asker, LogsError> {
        let (logs, tls) = (self.logs()?, Tls::default());
        let asker = Asker::new(policy, logs, How::Openly, now_ms, &self.state, &tls);
        Ok(asker.keeping_no_answers())
    }

    fn scales<'a>(&'a self, asker: &'a Asker, now_ms: u64) -> Scales<'a> {
        Scales {
            policy: asker.policy(),
            policy_name: self.policy_name(),
            now_ms,
            reader: self.reader(),
        }
    }
}

impl VexFound {
    /// What is to be handed on. Fails with what lacks if a log did not answer in full: what was
    /// withdrawn there would be in it.
    pub fn weigh(&self) -> Result<Packages, String> {
        let scales = Scales {
            policy: self.asker.policy(),
            policy_name: &self.name,
            now_ms: self.now_ms,
            reader: Reader::Visitor,
        };
        let Spoken {
            inventory, asked, ..
        } = &self.spoken;
        let answers = scales.answers(asked);
        let lacking = answers.logs.iter().filter(|log| !log.is_good());
        let lines = lacking.map(|log| words::log_line(log, &answers));
        let lacking: Vec<String> = lines
            .map(|line| format!("{} {}", line.word, line.rest))
            .collect();
        if lacking.is_empty() {
            Ok(scales.vex_by_package(inventory, asked))
        } else {
            Err(lacking.join("; "))
        }
    }

    /// How many lists were not read to their ends.
    pub fn unread(&self) -> usize {
        self.spoken.unread
    }
}

/// A policy that listens to these issuers alone. The rest is that of the starting policy: those who
/// ship something may clear what was found in it.
fn naming(issuers: &[String]) -> Result<Policy, PageError> {
    let mut text = STARTING.to_owned();
    for id in issuers.iter().collect::<BTreeSet<_>>() {
        text.push_str(&format!(
            "\n[[anchor]]\nname = \"issuer {id}\"\nissuer = \"{id}\"\nroles = [\"supplier\"]\n\
             scopes = [\"pkg:*\"]\nmay_delegate = 0\n"
        ));
    }
    Policy::parse(&text, &Cel).map_err(|source| PageError::Malformed {
        path: PathBuf::from("page.vex_issuers"),
        source,
    })
}

impl Stated {
    /// Reads a policy, and no more of its file than a policy may have.
    fn read(path: &Path) -> Result<Self, PageError> {
        let mut text = String::new();
        let most = POLICY_BYTES as u64 + 1;
        let read = files::open(path).and_then(|file| file.take(most).read_to_string(&mut text));
        read.map_err(|source| PageError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        let name = path.file_name().unwrap_or(path.as_os_str());
        let name = name.to_string_lossy().into_owned();
        Ok(Stated { text, name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rotation::LogKeys;
    use arc_swap::ArcSwap;
    use assay_tlog::note::SignerKey;
    use std::{net::TcpListener, sync::Arc};

    /// A log that is the only one makes no other wait, and is waited for no longer all the same.
    #[tokio::test]
    async fn all_logs_together_have_so_long_to_answer() {
        // It takes connections, and never answers.
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", silent.local_addr().unwrap());
        let key = SignerKey::from_seed("log.example", &[7; 32]).unwrap();
        let keys = Arc::new(ArcSwap::from_pointee(LogKeys::from(key)));
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().to_owned();
        let mut site = Site::open(&PageConfig::default(), keys, url, state).unwrap();
        site.patience = Duration::from_millis(50);
        let about = About::parse("pkg:cargo/serde").unwrap().unwrap();
        let said = site.report(about, 1).await.unwrap_err().to_string();
        let why = "did not answer all questions in the time that one log has";
        assert!(said.contains(why), "{said}");
    }
}
