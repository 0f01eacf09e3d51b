//! The page of the public record: what this node's log shows, who watches it, and what is alarming
//! or proven of any log that this node knows.

use super::frame::Frame;
use super::text::shown;
use crate::gossip::serve::Desk;
use crate::log::now_ms;
use crate::misbehavior::Evidence;
use crate::peers::page::Page;
use askama::Template;
use assay_client::report::words;
use assay_proto::federation_page::{FederationPage, QuorumPart, WitnessPart, WitnessState};
use assay_tlog::gossip::Standing;
use std::sync::Arc;

/// Most lines of one list. A node may know of a thousand peers.
const LINES: usize = 200;

/// What is known of the federation.
pub struct Federation {
    /// What the node says of itself.
    pub page: Arc<Page>,
    /// What it knows of heads.
    pub desk: Desk,
    /// What it has proof of.
    pub evidence: Arc<Evidence>,
}

/// A list with its title; `none` is what is said if it is empty.
pub struct List {
    pub title: &'static str,
    pub none: &'static str,
    pub lines: Vec<Said>,
    pub omitted: usize,
}

/// A line: a word that tells good from bad, the rest, and where more is.
pub struct Said {
    pub word: &'static str,
    pub rest: String,
    pub link: Option<String>,
}

/// The page.
#[derive(Template)]
#[template(path = "record.html")]
pub struct RecordPage {
    pub frame: Frame,
    pub origin: String,
    pub size: u64,
    pub quorum: Option<String>,
    pub lists: Vec<List>,
    pub keys: Vec<String>,
    pub head: String,
}

impl Federation {
    /// What changes as soon as something else can be said: the size that the log shows, and how
    /// much is proven.
    pub fn state(&self) -> (u64, usize) {
        let size = self.page.size().unwrap_or_default();
        (size, self.evidence.count())
    }

    /// The page.
    pub fn record(&self, frame: Frame) -> RecordPage {
        let page = self.page.say();
        let log = page.log.clone().unwrap_or_default();
        let tips = self.desk.gossip().tips();
        let own = tips.iter().find(|note| is_of(note, &log.origin));
        RecordPage {
            frame,
            quorum: page.quorum.as_ref().map(quorum),
            lists: vec![
                self.convictions(),
                self.alarms(),
                witnesses(&page),
                copies(&page),
                heads(&tips, &log.origin),
                peers(&page),
            ],
            head: own.cloned().unwrap_or_default(),
            origin: log.origin.clone(),
            size: log.size.unwrap_or_default(),
            keys: log.vkeys,
        }
    }

    /// What is proven of misbehavior.
    fn convictions(&self) -> List {
        let listed = self.evidence.list(None);
        let lines = listed.iter().map(|one| Said {
            word: if one.convicts() {
                "CONVICTED"
            } else {
                "A rule was broken"
            },
            rest: format!("{}: {}", one.culprit, one.kind),
            link: Some(format!("misbehavior/{}", one.id)),
        });
        let none = "This node has no proof against anybody.";
        List::new("What is proven of misbehavior?", none, lines)
    }

    /// Logs that are suspect.
    fn alarms(&self) -> List {
        let gossip = self.desk.gossip();
        let origins = gossip.origins();
        let suspect = origins
            .iter()
            .filter_map(|origin| match gossip.standing(origin) {
                Standing::Suspect { size, .. } => Some(Said {
                    word: "ALARM",
                    rest: format!(
                        "nobody has linked the head of size {size} of {origin} to its others"
                    ),
                    link: None,
                }),
                Standing::Clear | Standing::Convicted => None,
            });
        List::new("Is anything alarming?", "No.", suspect)
    }
}

impl List {
    /// What others call themselves is made fit to be shown.
    fn new(title: &'static str, none: &'static str, lines: impl Iterator<Item = Said>) -> Self {
        let lines = lines.map(|line| Said {
            rest: shown(&line.rest),
            ..line
        });
        let mut lines: Vec<Said> = lines.collect();
        let omitted = lines.len().saturating_sub(LINES);
        lines.truncate(LINES);
        List {
            title,
            none,
            lines,
            omitted,
        }
    }
}

/// Whether a note is of a log.
fn is_of(note: &str, origin: &str) -> bool {
    note.lines().next() == Some(origin)
}

/// How the quorum of the log is.
fn quorum(quorum: &QuorumPart) -> String {
    let when = match quorum.cosigned_at {
        Some(at) => {
            let at_ms = at.saturating_mul(1000);
            let ago = words::ago(at_ms, now_ms());
            format!("so many did last at {}, {ago}", words::at(at_ms))
        }
        None => "so many have not yet done so since this node started".to_owned(),
    };
    format!(
        "What this log shows, {} of {} independent witnesses must have cosigned; {when}.",
        quorum.least, quorum.operators
    )
}

fn witnesses(page: &FederationPage) -> List {
    let witnesses = page.quorum.iter().flat_map(|quorum| &quorum.witnesses);
    let lines = witnesses.map(|one| Said {
        word: state(one.state),
        rest: witness(one),
        link: None,
    });
    let none = "Nobody: this log asks no witnesses, so nobody confirms that everyone is shown the \
        same.";
    List::new("Who confirms what this log shows?", none, lines)
}

fn witness(one: &WitnessPart) -> String {
    let why = one.reason.as_deref().map(|why| format!(": {why}"));
    let why = why.unwrap_or_default();
    format!("{} at {}, to size {}{why}", one.name, one.url, one.size)
}

const fn state(state: WitnessState) -> &'static str {
    match state {
        WitnessState::Cosigns => "cosigns",
        WitnessState::Fails => "DOES NOT cosign now",
        WitnessState::RolledBack => "FORGOT what it had cosigned, and does not count",
        WitnessState::Convicted => "CONVICTED, and does not count",
        WitnessState::Unknown => "has not answered yet",
    }
}

/// The logs that are copied here.
fn copies(page: &FederationPage) -> List {
    let lines = page.copies.iter().map(|copy| Said {
        word: "copied",
        rest: format!("{}: {}", copy.origin, copy.words()),
        link: None,
    });
    List::new("Which other logs does this node copy?", "None.", lines)
}

/// The heads of other logs.
fn heads(tips: &[String], own: &str) -> List {
    let others = tips.iter().filter(|note| !is_of(note, own));
    let lines = others.map(|note| {
        let mut parts = note.lines();
        let (origin, size) = (parts.next().unwrap_or_default(), parts.next());
        Said {
            word: "at size",
            rest: format!("{}: {origin}", size.unwrap_or_default()),
            link: None,
        }
    });
    List::new("Which heads of other logs are known here?", "None.", lines)
}

fn peers(page: &FederationPage) -> List {
    let lines = page.peers.iter().map(|peer| {
        let roles = if peer.roles.is_empty() {
            "nothing".to_owned()
        } else {
            peer.roles.join(", ")
        };
        Said {
            word: "peer",
            rest: format!("{} at {}; does for it: {roles}", peer.name, peer.url),
            link: None,
        }
    });
    List::new("With whom does this node compare?", "Nobody.", lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_so_many_lines_and_says_how_many_more() {
        for (lines, shown, omitted) in [(3, 3, 0), (LINES, LINES, 0), (LINES + 5, LINES, 5)] {
            let all = (0..lines).map(|_| Said {
                word: "peer",
                rest: String::new(),
                link: None,
            });
            let list = List::new("", "", all);
            assert_eq!((list.lines.len(), list.omitted), (shown, omitted));
            let page = RecordPage {
                frame: Frame {
                    title: String::new(),
                    base: "./".to_owned(),
                    asked: String::new(),
                    operator: None,
                },
                origin: String::new(),
                size: 0,
                quorum: None,
                lists: vec![list],
                keys: Vec::new(),
                head: String::new(),
            };
            let said = format!("<p>and {omitted} more.</p>");
            assert_eq!(page.render().unwrap().contains(&said), omitted > 0);
        }
    }

    #[test]
    fn heads_of_other_logs_are_listed_and_names_are_shown_as_they_are() {
        let tips = ["own.example\n3\nroot\n", "other\u{202e}.example\n5\nroot\n"];
        let list = heads(&tips.map(str::to_owned), "own.example");
        let [other] = &list.lines[..] else {
            panic!("{} lines", list.lines.len());
        };
        assert!(other.rest.starts_with("5: other") && other.rest.ends_with(".example"));
        assert!(!other.rest.contains('\u{202e}'), "{:?}", other.rest);
    }
}
