//! Listening to those whom a policy does not listen to, a page of them at a time.
//!
//! There may be any number of them, they may say any number of things, and it is for display alone.
//! So all of it is bounded, what is left out is counted, and nothing of it touches a decision: it
//! is asked aside ([`Panel::aside`]).

use super::census::Window;
use super::gather::{distinct, names_of};
use super::names;
use super::panel::Panel;
use super::topdown::{follow, records, signers_of};
use assay_claims::index::{By, Found, Label, Name};
use assay_claims::issuer::IssuerId;
use assay_claims::limits::LOOKUP_BY;
use assay_claims::logged::LoggedClaim;
use std::collections::{BTreeMap, BTreeSet};

/// How many others are listened to, unless the caller says it.
pub const OTHERS: usize = 50;

/// Most bytes of what they say that are taken, unless the caller says it; as many of what is said
/// of that, and of who vouches for whom.
pub const OTHERS_BYTES: usize = 8 << 20;

/// Most claims of one of them about one name that are shown.
pub const EACH: u64 = 20;

/// Most claims of which it is asked who replied to them, and most issuers of which it is asked who
/// vouches for them.
const REPLIED_TO: usize = 256;

/// Most who reply to one claim.
const REPLIERS: usize = 50;

/// A page of those whom a policy does not listen to, in the order of their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OthersPage {
    /// Most of them.
    pub limit: usize,
    /// Only those whose ids come after this one, which [`Others::next`] of the page before says.
    pub after: Option<By>,
    /// Most bytes of what they say that are taken, each of them having a share; as many of what is
    /// said of that, and of who vouches for whom.
    pub bytes: usize,
}

impl OthersPage {
    /// The first [`OTHERS`] of them.
    pub const FIRST: Self = OthersPage {
        limit: OTHERS,
        after: None,
        bytes: OTHERS_BYTES,
    };
}

/// Which others were listened to, and what was left out of what they say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Others {
    /// The last one of the page before.
    pub after: Option<By>,
    /// How many were listened to.
    pub heard: usize,
    /// How many have spoken in all, those whom the policy listens to included, of whichever name
    /// most spoke of. It is the log's word.
    pub spoke: u64,
    /// The last one of the page, if others come after it.
    pub next: Option<By>,
    /// How many of them said more than [`EACH`] things about one name, or more than their share of
    /// what is taken: of these the newest are shown at most.
    pub talkative: usize,
    /// Claims and issuers of which it was not asked what others say of them, or not all of it.
    pub unasked: usize,
    /// Why some of it could not be had.
    pub failed: Option<String>,
}

impl Others {
    /// Whether this is not the only page of them.
    pub fn is_page(&self) -> bool {
        self.after.is_some() || self.next.is_some()
    }

    /// Whether all that they say is there.
    pub fn is_all(&self) -> bool {
        !self.is_page() && self.talkative == 0 && self.unasked == 0 && self.failed.is_none()
    }
}

/// What is asked of others.
#[derive(Debug, Clone, Copy)]
pub(super) struct ToOthers<'q> {
    pub names: &'q [Name],
    pub page: OthersPage,
    /// Whether the logs are not to learn the names.
    pub hidden: bool,
    /// Those who were listened to before.
    pub trusted: &'q [By],
}

/// Asks what others said about names, and what anybody said about that, about `known`, the claims
/// that were found before, and about those who said it.
pub(super) async fn hear(
    panel: &mut Panel,
    asked: ToOthers<'_>,
    known: Vec<LoggedClaim>,
    recorded: &mut BTreeSet<IssuerId>,
) -> Others {
    panel.aside(true);
    let mut found = Vec::new();
    let mut others = if asked.hidden {
        hear_privately(panel, asked, &mut found).await
    } else {
        hear_page(panel, asked, &mut found).await
    };
    let mut all = [known, found.clone()].concat();
    let those = records(panel, recorded, signers_of(&all)).await;
    all.extend(those);
    let own = distinct(signers_of(&all).map(|issuer| By::issuer(&issuer)));
    let bytes = asked.page.bytes;
    let (replies, unasked) = said_of(panel, names_of(&all), &own, bytes).await;
    others.unasked += unasked;
    found.extend(replies.clone());
    all.extend(replies);
    let ids = signers_of(&all).map(|issuer| names::of_sha256(&issuer.to_hex()));
    let (vouched, unasked) = said_of(panel, distinct(ids), &[], bytes).await;
    others.unasked += unasked;
    found.extend(vouched);
    records(panel, recorded, signers_of(&found)).await;
    follow(panel, found, asked.trusted).await;
    others.failed = panel.failed_aside().or(others.failed);
    panel.aside(false);
    others
}

/// Asks what the others of a page said.
async fn hear_page(panel: &mut Panel, asked: ToOthers<'_>, found: &mut Vec<LoggedClaim>) -> Others {
    let trusted: BTreeSet<By> = asked.trusted.iter().copied().collect();
    let window = Window {
        after: asked.page.after,
        but: &trusted,
        most: asked.page.limit,
    };
    let (mut lists, mut spoke) = (Vec::new(), 0);
    for name in asked.names {
        lists.extend(panel.speakers(name, window).await);
        spoke = spoke.max(panel.spoke(name));
    }
    let mut speakers = Speakers::new(&lists);
    let next = speakers.truncate(asked.page.limit);
    let (quiet, mut talkative) = speakers.parted();
    let others = quiet.len() + talkative.len();
    let share = asked.page.bytes / others.max(1);
    let heard = panel
        .ask_shared(asked.names, &quiet, share * quiet.len())
        .await;
    found.extend(heard.claims);
    talkative.extend(heard.unheard);
    let wanted = |label: &Label| talkative.contains(&label.by());
    let long: BTreeSet<Label> = lists.iter().map(|one| one.label).filter(wanted).collect();
    let newest = panel.newest(&long, EACH, share * talkative.len()).await;
    found.extend(newest);
    Others {
        after: asked.page.after,
        heard: others,
        spoke,
        next,
        talkative: talkative.len(),
        ..Others::default()
    }
}

/// Asks what everybody said who spoke of anything that begins like one of the names. There are no
/// pages: which others are on a page would tell which name it is.
async fn hear_privately(
    panel: &mut Panel,
    asked: ToOthers<'_>,
    found: &mut Vec<LoggedClaim>,
) -> Others {
    let (mut by, mut spoke) = (Vec::new(), 0);
    for name in asked.names {
        let lists = panel.speakers_hidden(name).await;
        by.extend(lists.iter().map(|one| one.label.by()));
        spoke = spoke.max(panel.spoke(name));
    }
    let mut by = distinct(by);
    by.retain(|by| !asked.trusted.contains(by));
    let left_out = by.len().saturating_sub(LOOKUP_BY);
    by.truncate(LOOKUP_BY);
    let told = panel.ask_hidden(asked.names, &by).await;
    found.extend(told.claims);
    found.extend(told.crowd);
    let failed = (left_out > 0).then(|| {
        format!("{left_out} more spoke of names that begin like it than can be asked privately")
    });
    Others {
        heard: by.len(),
        spoke,
        failed,
        ..Others::default()
    }
}

/// What was said about these names by the first of those who spoke of each, and by `own` if they
/// did, within so many bytes. Returns also of how many names and speakers that is not all.
async fn said_of(
    panel: &mut Panel,
    mut names: Vec<Name>,
    own: &[By],
    bytes: usize,
) -> (Vec<LoggedClaim>, usize) {
    // Nobody is listened to: it says how many spoke of each.
    panel.ask(&names, &[By::predicate_type("")]).await;
    names.retain(|name| panel.spoke(name) > 0);
    let mut unasked = names.len().saturating_sub(REPLIED_TO);
    names.truncate(REPLIED_TO);
    let window = Window {
        after: None,
        but: &BTreeSet::new(),
        most: REPLIERS,
    };
    let mut lists = Vec::new();
    for name in &names {
        let of_name = panel.speakers(name, window).await;
        unasked += usize::from(Speakers::new(&of_name).truncate(REPLIERS).is_some());
        lists.extend(of_name);
    }
    let (mut quiet, talkative) = Speakers::new(&lists).parted();
    unasked += talkative.len();
    quiet.extend(own.iter().filter(|by| !talkative.contains(by)));
    let heard = panel.ask_shared(&names, &distinct(quiet), bytes).await;
    (heard.claims, unasked + heard.unheard.len())
}

/// Those who spoke, each with the length of its longest list.
struct Speakers(BTreeMap<By, u64>);

impl Speakers {
    fn new(lists: &[Found]) -> Self {
        let mut speakers: BTreeMap<By, u64> = BTreeMap::new();
        for list in lists {
            let longest = speakers.entry(list.label.by()).or_default();
            *longest = list.length.max(*longest);
        }
        Speakers(speakers)
    }

    /// Keeps the first `most`. Returns the last of them if there were more.
    fn truncate(&mut self, most: usize) -> Option<By> {
        let after = *self.0.keys().nth(most)?;
        self.0.split_off(&after);
        self.0.keys().next_back().copied()
    }

    /// Those who said at most [`EACH`] things about one name, and the others.
    fn parted(&self) -> (Vec<By>, BTreeSet<By>) {
        let (mut quiet, mut talkative) = (Vec::new(), BTreeSet::new());
        for (by, longest) in &self.0 {
            if *longest > EACH {
                talkative.insert(*by);
            } else {
                quiet.push(*by);
            }
        }
        (quiet, talkative)
    }
}
