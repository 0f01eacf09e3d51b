//! `assay log`: the log's entries, in a table.

use crate::{config::Settings, exit::Failure, output, session, time};
use assay_claims::claim::VerifiedClaim;
use assay_claims::limits::PAGE;
use assay_client::{
    Client, PageEntry, plain,
    report::{claim, words},
};
use assay_tlog::tree::LeafIndex;
use clap::Args;
use serde::Serialize;

/// List entries of the log, by default the latest. Each is proven to be in the log.
#[derive(Debug, Args)]
pub struct Command {
    /// First leaf to list [default: such that the last leaf is listed]
    #[arg(long, env = "ASSAY_FROM", value_name = "LEAF")]
    from: Option<u64>,
    /// Most entries to list
    #[arg(long, short = 'n', env = "ASSAY_LIMIT", default_value_t = 20,
          value_parser = clap::value_parser!(u64).range(1..=PAGE as u64))]
    limit: u64,
}

#[derive(Debug, Serialize)]
struct LogView {
    origin: String,
    tree_size: u64,
    root: String,
    entries: Vec<EntryView>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum EntryView {
    Claim(claim::Claim),
    Broken {
        leaf_index: u64,
        logged_at: String,
        error: String,
    },
    Commitment {
        leaf_index: u64,
        logged_at: String,
        index_commitment: bool,
    },
}

impl EntryView {
    fn new(entry: &PageEntry) -> Self {
        let (leaf_index, at) = (entry.index.get(), entry.entry.logged_at_ms());
        match &entry.claim {
            Some(Ok(claim)) => EntryView::Claim(claim::Claim::new(claim, leaf_index, at)),
            Some(Err(e)) => EntryView::Broken {
                leaf_index,
                logged_at: time::rfc3339_of_ms(at),
                error: e.to_string(),
            },
            None => EntryView::Commitment {
                leaf_index,
                logged_at: time::rfc3339_of_ms(at),
                index_commitment: true,
            },
        }
    }
}

/// Runs the command.
pub async fn run(command: Command, settings: &Settings) -> Result<(), Failure> {
    let read = async |client: &Client| {
        let start = match command.from {
            Some(from) => from,
            None => client
                .checkpoint()
                .await?
                .size()
                .get()
                .saturating_sub(command.limit),
        };
        let end = start.saturating_add(command.limit);
        let page = client
            .entries(LeafIndex::new(start), LeafIndex::new(end))
            .await?;
        Ok((start, page))
    };
    let (start, page) = session::read(settings, read).await?;
    let view = LogView {
        origin: page.checkpoint.origin().to_owned(),
        tree_size: page.checkpoint.size().get(),
        root: page.checkpoint.root().to_string(),
        entries: page.entries.iter().map(EntryView::new).collect(),
    };
    output::data(settings, || text(&page.entries), &view)?;
    let (origin, size) = (plain(&view.origin), view.tree_size);
    let listed = page.entries.len();
    let words = format!("{origin}: {size} entries, {listed} listed from leaf {start}");
    output::say(settings, &words);
    Ok(())
}

fn text(entries: &[PageEntry]) -> String {
    if entries.is_empty() {
        return "no entries".into();
    }
    let mut table = output::table(["leaf", "logged at", "says", "about", "issuers", "claim"]);
    for entry in entries {
        let at = time::rfc3339_of_ms(entry.entry.logged_at_ms());
        let [says, about, issuers, claim] = match &entry.claim {
            Some(Ok(claim)) => columns(claim),
            Some(Err(e)) => {
                let says = format!("does not verify: {}", plain(&e.to_string()));
                [says, String::new(), String::new(), String::new()]
            }
            None => {
                let says = "index commitment".to_owned();
                [says, String::new(), "the log".to_owned(), String::new()]
            }
        };
        table.add_row([entry.index.to_string(), at, says, about, issuers, claim]);
    }
    table.to_string()
}

/// What a claim says, what about, its issuers, and its id.
fn columns(claim: &VerifiedClaim) -> [String; 4] {
    let mut issuers: Vec<String> = Vec::new();
    for (issuer, _) in claim.signers() {
        let issuer = issuer.to_string();
        let short = words::shorten(&issuer).to_owned();
        if issuers.last() != Some(&short) {
            issuers.push(short);
        }
    }
    let statement = claim.statement();
    [
        claim::kind(statement.predicate_type(), claim.body()),
        words::short_list(statement.subjects()),
        issuers.join("\n"),
        claim.id().to_string(),
    ]
}
