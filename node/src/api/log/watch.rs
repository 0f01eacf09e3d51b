//! What is new under names, at each checkpoint (`LogService.Watch`).
//!
//! A watch is a question that is asked again at every checkpoint. It is computed where questions
//! are, under the same quota, some names at a time so that others get their turn in between. A name
//! under which nothing changed costs some steps down the directory and reads nothing.

use crate::{
    api::{look_ups::LookUps, status},
    held::{Account, Hold, Kind},
    index::StoredPages,
    storage::Tables,
    view::View,
};
use assay_claims::index::{Name, Query};
use assay_claims::limits;
use assay_proto::v1::{WatchRequest, WatchResponse, WatchedName};
use assay_tlog::Hash;
use bytes::Bytes;
use std::{collections::BTreeMap, mem, sync::Arc};
use tonic::Status;

/// Names, each with how much of its lists the caller knows.
pub(super) type Known = BTreeMap<Name, u64>;

/// Most speakers of a name whose lists are counted. Of more, only they are: that costs nothing, and
/// callers ask for themselves from time to time, too.
const COUNTED: u64 = 4096;

/// Names of one turn: a few milliseconds' worth, if there is something new under all of them.
const TURN: usize = 64;

/// Parses the names of a request. Refuses none, more than a page, and malformed ones.
pub(super) fn parse(request: WatchRequest) -> Result<Known, Status> {
    if request.names.is_empty() || request.names.len() > limits::PAGE {
        let message = format!(
            "{} names to watch; from 1 to {} are",
            request.names.len(),
            limits::PAGE
        );
        return Err(status::invalid("names", message));
    }
    let mut known = Known::new();
    for watched in request.names {
        let name = Name::from_slice(&watched.name).ok_or_else(|| {
            let length = watched.name.len();
            let message = format!("a name has 16 bytes; this one has {length}");
            status::invalid("names", message)
        })?;
        known.insert(name, watched.known);
    }
    Ok(known)
}

/// A name, how much of its lists the caller knows, and what the index was like under it when that
/// was compared.
struct Watched {
    name: Name,
    known: u64,
    compared: Option<Hash>,
}

/// One watch.
pub(super) struct Watch<S> {
    view: Arc<View<S>>,
    look_ups: LookUps,
    /// The names of each turn.
    turns: Vec<Vec<Watched>>,
    _place: Hold,
}

/// What a turn found.
struct Found {
    names: Vec<Watched>,
    grown: Vec<WatchedName>,
    tree_size: u64,
}

impl<S: Tables + 'static> Watch<S> {
    /// Returns a watch that has compared nothing yet. `place` is its place among all watches.
    pub(super) fn new(view: Arc<View<S>>, look_ups: LookUps, known: Known, place: Hold) -> Self {
        let watched = known.into_iter().map(|(name, known)| Watched {
            name,
            known,
            compared: None,
        });
        let mut watched = watched.peekable();
        let mut turns = Vec::new();
        while watched.peek().is_some() {
            turns.push(watched.by_ref().take(TURN).collect());
        }
        Watch {
            view,
            look_ups,
            turns,
            _place: place,
        }
    }

    /// Returns the names under which more is listed than the caller knows, who knows it from now
    /// on. Returns `None` if there are none. Waits for its turns as long as it takes.
    pub(super) async fn news(
        &mut self,
        account: &Arc<Account>,
    ) -> Result<Option<WatchResponse>, Status> {
        let mut news = WatchResponse::default();
        for names in &mut self.turns {
            let turn = account.clone().wait(Kind::Question, 1).await;
            let (view, some) = (self.view.clone(), mem::take(names));
            let found = self.look_ups.run(turn, move || compare(&view, some));
            let mut found = found.await??;
            *names = found.names;
            news.tree_size = found.tree_size;
            news.names.append(&mut found.grown);
        }
        Ok((!news.names.is_empty()).then_some(news))
    }
}

/// Compares what is listed under names with what is known.
fn compare<S: Tables>(view: &View<S>, mut names: Vec<Watched>) -> Result<Found, Status> {
    let published = view.published()?;
    let mut grown = Vec::new();
    // Between a start and the next checkpoint there may be no index; that checkpoint announces
    // itself.
    if let Some(map) = published.index() {
        let pages = StoredPages(view.store());
        for watched in &mut names {
            let prefix = watched.name.prefix();
            let state = map.state(&prefix);
            if state == watched.compared {
                continue;
            }
            watched.compared = state;
            let mut now = map.count(&prefix).labels;
            if now <= COUNTED {
                let proven = map.prove(&Query::Census(prefix), &pages).map_err(|error| {
                    tracing::error!(%error, "a watch cannot read the index");
                    Status::internal("this node cannot read its own store; its operator was told")
                })?;
                now = proven.found.iter().map(|listed| listed.length).sum();
            }
            if now > watched.known {
                watched.known = now;
                grown.push(WatchedName {
                    name: Bytes::copy_from_slice(watched.name.as_bytes()),
                    known: now,
                });
            }
        }
    }
    Ok(Found {
        names,
        grown,
        tree_size: published.size().get(),
    })
}
