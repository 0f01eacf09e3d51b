//! What is new under names, at each checkpoint (`LogService.Watch`).

use crate::{api::status, index::StoredPages, storage::Tables, view::View};
use assay_claims::index::{Name, Query};
use assay_claims::limits;
use assay_proto::v1::{WatchRequest, WatchResponse, WatchedName};
use bytes::Bytes;
use std::collections::BTreeMap;
use tonic::Status;

/// Names, each with how much of its lists the caller knows.
pub(super) type Known = BTreeMap<Name, u64>;

/// Most speakers of a name whose lists are counted. Of more, only they are: that costs nothing, and
/// callers ask for themselves from time to time, too.
const COUNTED: u64 = 4096;

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

/// Returns the names under which more is listed than `known` says, and updates `known`. Returns
/// `None` if there are none.
pub(super) fn news<S: Tables>(
    view: &View<S>,
    known: &mut Known,
) -> Result<Option<WatchResponse>, Status> {
    let published = view.published();
    // Between a start and the first checkpoint there is no index; that checkpoint announces itself.
    let Some(map) = published.index() else {
        return Ok(None);
    };
    let pages = StoredPages(view.store());
    let mut grown = Vec::new();
    for (name, known) in known {
        let prefix = name.prefix();
        let mut now = map.count(&prefix).labels;
        if now <= COUNTED {
            let proven = map.prove(&Query::Census(prefix), &pages).map_err(|error| {
                tracing::error!(%error, "a watch cannot read the index");
                Status::internal("this node cannot read its own store; its operator was told")
            })?;
            now = proven.found.iter().map(|listed| listed.length).sum();
        }
        if now > *known {
            *known = now;
            grown.push(WatchedName {
                name: Bytes::copy_from_slice(name.as_bytes()),
                known: now,
            });
        }
    }
    Ok((!grown.is_empty()).then(|| WatchResponse {
        tree_size: published.size().get(),
        names: grown,
    }))
}
