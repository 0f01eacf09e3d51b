//! A repository of VEX documents (VEX Repository Specification v0.1 of aquasecurity), to which
//! scanners can be pointed: `trivy image --vex repo`.
//!
//! The documents are those of `assay export vex`, by package: of what those say whose word clears
//! under the policy of the site, or without one, of those whom the operator names.

mod archive;

use super::frame::{fixed, send};
use super::made::{Pages, Short};
use super::site::NoVex;
use archive::Archive;
use assay_client::report::export::Publisher;
use axum::{extract::State, http::StatusCode, response::Response};
use bytes::Bytes;
use serde_json::json;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Mutex as Turn;

/// Where the manifest is, and the archive: the end of its name says to readers what it is.
pub const MANIFEST: &str = "/.well-known/vex-repository.json";
pub const ARCHIVE: &str = "/vex-repository.tar.gz";

const JSON: &str = "application/json";
const GZIP: &str = "application/gzip";

/// The version of the specification. Readers take no other, before there is a 1.0.
const VERSION: &str = "0.1";

/// How often readers are to look for something new: what was withdrawn is cleared there until then.
const INTERVAL: &str = "1h";

/// How long an archive is good while the log stays as it is: other logs may have more, and words
/// may have expired.
const KEPT: Duration = Duration::from_secs(600);

/// How many times as long as it took to make one the next is not begun, whatever was logged: of a
/// busy log there is always something new, and all of them together take a fifth of a core.
const REST: u32 = 4;

/// Longest that somebody waits for one that is being made.
const PATIENCE: Duration = Duration::from_secs(120);

/// The archive that was made last, if it could be made.
#[derive(Default)]
pub struct Shelf {
    kept: Mutex<Option<Arc<Kept>>>,
    turn: Arc<Turn<()>>,
}

struct Kept {
    state: (u64, usize),
    made: Instant,
    took: Duration,
    /// The archive, or why there is none.
    what: Result<Bytes, String>,
}

impl Kept {
    /// Whether it is still good at this age, when this is the federation's state.
    fn is_good(&self, state: (u64, usize), age: Duration) -> bool {
        let is_current = self.what.is_ok() && self.state == state && age < KEPT;
        is_current || age < self.took * REST
    }
}

impl Shelf {
    fn good(&self, state: (u64, usize)) -> Option<Arc<Kept>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = kept.clone();
        kept.filter(|kept| kept.is_good(state, kept.made.elapsed()))
    }

    fn put(&self, kept: Arc<Kept>) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
    }
}

pub async fn manifest(State(pages): State<Arc<Pages>>, Short(asked): Short) -> Response {
    let address = match pages.site.vex() {
        Ok((_, address)) => address,
        Err(why) => return pages.nothing(&asked, &why.to_string()).await,
    };
    let whose = &pages.site.operator;
    let description = match &pages.site.stated {
        Some(_) => format!(
            "What those say of vulnerabilities whom {whose} trusts: OpenVEX made of signed claims \
             of public logs, each named with its log and leaf."
        ),
        None => format!(
            "What issuers say of vulnerabilities whom {whose} names: OpenVEX made of signed claims \
             of a public log, each named with its leaf."
        ),
    };
    let manifest = json!({
        "name": format!("Assay: {whose}"),
        "description": description,
        "versions": [{
            "spec_version": VERSION,
            "locations": [{"url": format!("{}{ARCHIVE}", address.trim_end_matches('/'))}],
            "update_interval": INTERVAL,
        }],
    });
    fixed(&asked, JSON, manifest.to_string().into())
}

pub async fn archive(State(pages): State<Arc<Pages>>, Short(asked): Short) -> Response {
    if let Err(why) = pages.site.vex() {
        return pages.nothing(&asked, &why.to_string()).await;
    }
    match pages.vex_archive().await.map(|kept| kept.what.clone()) {
        Some(Ok(archive)) => send(StatusCode::OK, &asked, GZIP, archive).await,
        Some(Err(why)) => pages.unasked(&asked, &why).await,
        None => pages.busy(&asked, StatusCode::SERVICE_UNAVAILABLE).await,
    }
}

impl Pages {
    /// The archive, if it is good or can be made now. Whoever asks for it meanwhile waits for the
    /// same; `None` if that takes too long.
    async fn vex_archive(self: &Arc<Self>) -> Option<Arc<Kept>> {
        if let Some(kept) = self.vex.good(self.federation.state()) {
            return Some(kept);
        }
        let turn = self.vex.turn.clone().lock_owned();
        let turn = tokio::time::timeout(PATIENCE, turn).await.ok()?;
        let state = self.federation.state();
        if let Some(kept) = self.vex.good(state) {
            return Some(kept);
        }
        let pages = self.clone();
        // Whoever leaves does not end it.
        let making = self.runtime().spawn(async move {
            let _turn = turn;
            let begun = Instant::now();
            let what = pages.make_vex().await;
            if let Err(why) = &what {
                tracing::warn!(%why, "the VEX repository cannot be made");
            }
            let kept = Arc::new(Kept {
                state,
                made: Instant::now(),
                took: begun.elapsed(),
                what,
            });
            pages.vex.put(kept.clone());
            kept
        });
        let made = tokio::time::timeout(PATIENCE, making).await.ok()?;
        made.ok()
    }

    async fn make_vex(self: &Arc<Self>) -> Result<Bytes, String> {
        let spoken = self.site.spoken().await.map_err(|why| why.to_string())?;
        let spoken = spoken.ok_or_else(|| NoVex::Nobody.to_string())?;
        let pages = self.clone();
        // It may take seconds, in which a thread that serves pages would serve nobody.
        let making = tokio::task::spawn_blocking(move || {
            let publisher = Publisher {
                name: pages.site.operator.clone(),
                namespace: pages.site.address.clone().unwrap_or_default(),
            };
            let packages = spoken.weigh()?;
            let archive = Archive::new(&packages, &publisher).map_err(|error| error.to_string())?;
            tracing::info!(
                packages = packages.packages.len(),
                statements = packages.len(),
                disputed = packages.disputed.len(),
                too_wide = packages.too_wide.len(),
                incomplete = packages.incomplete.len(),
                without_room = archive.left_out,
                lists_not_read_to_the_end = spoken.unread(),
                "made the VEX repository"
            );
            Ok(Bytes::from(archive.bytes))
        });
        let made = making.await;
        made.unwrap_or_else(|_| Err("this node failed to make the repository".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_is_made_once_a_head_and_not_again_at_once() {
        let (now, minute) = (Duration::ZERO, Duration::from_secs(60));
        let archive = || Ok(Bytes::new());
        let failed = || Err(String::new());
        for (is_good, what, took, age, state) in [
            (true, archive(), now, minute, (7, 0)),
            (false, archive(), now, minute, (8, 0)),
            (false, archive(), now, minute, (7, 1)),
            (false, archive(), now, KEPT, (7, 0)),
            (false, failed(), now, minute, (7, 0)),
            // It took long, so that the next one waits; also to fail.
            (true, archive(), minute, 3 * minute, (8, 0)),
            (true, failed(), minute, 3 * minute, (7, 0)),
            (false, archive(), minute, 4 * minute, (8, 0)),
        ] {
            let kept = Kept {
                state: (7, 0),
                made: Instant::now(),
                took,
                what,
            };
            assert_eq!(kept.is_good(state, age), is_good);
        }
    }

    #[test]
    fn what_was_made_last_is_on_the_shelf() {
        let shelf = Shelf::default();
        assert!(shelf.good((7, 0)).is_none());
        for size in [7, 8] {
            shelf.put(Arc::new(Kept {
                state: (size, 0),
                made: Instant::now(),
                took: Duration::ZERO,
                what: Ok(Bytes::new()),
            }));
            assert!(shelf.good((size, 0)).is_some());
        }
        assert!(shelf.good((7, 0)).is_none());
    }
}
