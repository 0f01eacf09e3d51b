//! `assay audit`: a whole log, verified from its published tiles.

use crate::{
    config::Settings,
    exit::Failure,
    output, session,
    time::{now_ms, rfc3339_of_ms},
};
use assay_client::{
    HeadStore,
    audit::{self, AuditError, Audited, Mode, Options},
    plain,
};
use clap::{Args, builder::FalseyValueParser};
use serde::Serialize;
use std::time::Instant;

/// Verify a whole log from its published tiles: every entry's hash, every tile and the signed root.
///
/// Unless --hashes-only is given, it also verifies the signatures of every claim, whether its
/// issuers were authorized at its leaf, and the index. Exit code 0: all of it holds. 1: its last
/// leaf is ahead of the clock of this machine. 3: the log cannot be read, what is served is older
/// than a head that was seen before, or the head cannot be kept. 4: a check failed.
#[derive(Debug, Args)]
pub struct Command {
    /// Where the tiles are: http://HOST:PORT or https://HOST:PORT [default: --log]
    url: Option<String>,
    /// Verify hashes only, not what the entries say
    #[arg(long, env = "ASSAY_HASHES_ONLY", value_parser = FalseyValueParser::new())]
    hashes_only: bool,
    /// Most fetches at the same time
    #[arg(long, env = "ASSAY_IN_FLIGHT", default_value_t = 16,
          value_parser = clap::value_parser!(u16).range(1..=256))]
    in_flight: u16,
}

#[derive(Debug, Serialize)]
struct AuditView {
    origin: String,
    tree_size: u64,
    root: String,
    mode: &'static str,
    tiles: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuers: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<u64>,
    /// When the log made its last leaf.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_leaf_at: Option<String>,
    /// Whether it is older than a log that runs lets it become.
    #[serde(skip)]
    is_stale: bool,
    /// Size of the head seen before that the log was found to contain.
    contains_seen: Option<u64>,
    /// Size of the head seen before, if what is served now is an older one.
    #[serde(skip_serializing_if = "Option::is_none")]
    behind_seen: Option<u64>,
    seconds: f64,
    leaves_per_second: f64,
}

/// Two histories that an audit finds convict the log on this machine, as those do that any other
/// command finds.
fn kept(heads: &HeadStore, error: AuditError) -> Failure {
    match error {
        AuditError::Fork { first, second } => heads.split(&first, &second).into(),
        error => error.into(),
    }
}

/// Runs the command.
pub async fn run(command: Command, settings: &Settings) -> Result<(), Failure> {
    let log_key = settings.log_key()?;
    let url = match command.url {
        Some(_) if settings.given.has("log") => {
            return Err(Failure::Usage(
                "the address is named twice, as an argument and by --log; keep one".into(),
            ));
        }
        Some(url) => url,
        None => settings.log()?,
    };
    session::look_at_addresses(settings, [url.as_str()])?;
    let older = session::older(settings, &log_key);
    let heads = HeadStore::new(&settings.state_dir, &log_key).signed_by(&older);
    let known = heads.load()?;
    let options = Options {
        mode: if command.hashes_only {
            Mode::HashesOnly
        } else {
            Mode::Full
        },
        in_flight: command.in_flight.into(),
        known: known.clone(),
        tls: settings.tls.clone(),
        now_ms: Some(now_ms()),
    };
    let bar = output::progress(settings, "audit", 0, output::Unit::Leaves);
    let started = Instant::now();
    let audited = audit::run(&url, &log_key, options, |progress: audit::Progress| {
        bar.set_length(progress.total);
        bar.set_position(progress.done);
    })
    .await
    .map_err(|error| kept(&heads, error))?;
    let seconds = started.elapsed().as_secs_f64();
    bar.finish_and_clear();
    // The audit proved that this head extends the one seen before. If another process stored a head
    // meanwhile, that one stays. What was found is shown even if none can be stored.
    let stored = if known.is_none() || audited.contains_known().is_some() {
        heads
            .advance(known.as_ref(), audited.checkpoint())
            .map(drop)
    } else {
        Ok(())
    };
    let view = view(&audited, seconds);
    output::data(settings, || text(&view), &view)?;
    stored?;
    session::demand_unconvicted(settings, &log_key)?;
    match view.behind_seen {
        Some(seen) => Err(Failure::Unanswered(older_head(view.tree_size, seen))),
        None => Ok(()),
    }
}

/// That the log answers as of an older head, as every command says it: nobody is convicted by that,
/// because a copy may lag, and nothing may rest on it, because what came since is not in it.
fn older_head(size: u64, seen: u64) -> String {
    format!(
        "the log answers as of an older head, of size {size}, than was seen before, of size \
         {seen}: what was logged since is not in its answer; try again later, or ask another node. \
         If it stays so, the log was put back: ask its operator"
    )
}

fn view(audited: &Audited, seconds: f64) -> AuditView {
    let checkpoint = audited.checkpoint();
    let size = checkpoint.size().get();
    let is_full = audited.mode() == Mode::Full;
    AuditView {
        origin: checkpoint.origin().to_owned(),
        tree_size: size,
        root: checkpoint.root().to_string(),
        mode: if is_full { "full" } else { "hashes-only" },
        tiles: audited.tiles(),
        issuers: is_full.then(|| audited.issuers()),
        labels: is_full.then(|| audited.labels()),
        last_leaf_at: audited.last_at_ms().map(rfc3339_of_ms),
        is_stale: audited.is_stale(now_ms()),
        contains_seen: audited.contains_known().map(|size| size.get()),
        behind_seen: audited.behind_known().map(|size| size.get()),
        seconds,
        leaves_per_second: size as f64 / seconds.max(f64::MIN_POSITIVE),
    }
}

/// What was verified ("ok") and what was not ("open").
fn text(view: &AuditView) -> String {
    let mut lines = vec![
        format!("log   {}", plain(&view.origin)),
        format!(
            "size  {} entries, {} tiles, in {:.1} s",
            view.tree_size, view.tiles, view.seconds
        ),
        format!("root  {}", view.root),
        "ok    every published tile and the signed root follow from the entries".into(),
    ];
    lines.push(match view.issuers {
        Some(issuers) => format!(
            "ok    every claim verifies, was authorized, and appears once ({issuers} issuers)"
        ),
        None => "open  what the entries say and who signed them; run without --hashes-only".into(),
    });
    if let Some(labels) = view.labels {
        lines.push(format!(
            "ok    the index is complete: it was rebuilt from the entries ({labels} labels), and \
             every commitment agrees"
        ));
    }
    if let Some(at) = &view.last_leaf_at {
        lines.push(if view.is_stale {
            format!("open  what came after {at}; a log that runs commits every hour")
        } else {
            format!("ok    its last leaf is of {at}")
        });
    }
    lines.push(match (view.contains_seen, view.behind_seen) {
        (Some(size), _) => format!("ok    it extends the head of size {size} that was seen before"),
        (None, Some(seen)) => format!(
            "open  where the entries from {} on are: a head of size {seen} was seen before",
            view.tree_size
        ),
        (None, None) => "open  whether it extends an earlier head; none was seen before".into(),
    });
    lines.push("open  whether everyone is shown this log; compare the root with others".into());
    lines.join("\n")
}
