//! What is new under labels, at each checkpoint (`LogService.Watch`).

use crate::{api::status, index::StoredPages, storage::Tables, view::View};
use assay_claims::index::Label;
use assay_claims::limits;
use assay_proto::v1::{WatchRequest, WatchResponse, WatchedLabel};
use bytes::Bytes;
use std::collections::BTreeMap;
use tonic::Status;

/// Labels, each with the length of its list that the caller knows.
pub(super) type Known = BTreeMap<Label, u64>;

/// Parses the labels of a request. Refuses none, more than a page, and malformed ones.
pub(super) fn parse(request: WatchRequest) -> Result<Known, Status> {
    if request.labels.is_empty() || request.labels.len() > limits::PAGE {
        let message = format!(
            "{} labels to watch; from 1 to {} are",
            request.labels.len(),
            limits::PAGE
        );
        return Err(status::invalid("labels", message));
    }
    let mut known = Known::new();
    for watched in request.labels {
        let label = Label::from_slice(&watched.label).ok_or_else(|| {
            let length = watched.label.len();
            status::invalid(
                "labels",
                format!("a label has 32 bytes; this one has {length}"),
            )
        })?;
        known.insert(label, watched.known);
    }
    Ok(known)
}

/// Returns the labels whose published lists are longer than `known` says, and updates `known`.
/// Returns `None` if there are none.
pub(super) fn news<S: Tables>(
    view: &View<S>,
    known: &mut Known,
) -> Result<Option<WatchResponse>, Status> {
    let published = view.published();
    // Between a start and the first checkpoint there is no index; that checkpoint announces itself.
    let Some(map) = published.index() else {
        return Ok(None);
    };
    let labels: Vec<Label> = known.keys().copied().collect();
    let proven = map
        .prove(&labels, &StoredPages(view.store()))
        .map_err(|error| {
            tracing::error!(%error, "a watch cannot read the index");
            Status::internal("this node cannot read its own store; its operator was told")
        })?;
    let mut grown = Vec::new();
    for listed in proven.found {
        let before = known.insert(listed.label, listed.length).unwrap_or(0);
        if listed.length > before {
            let label = Bytes::copy_from_slice(listed.label.as_bytes());
            grown.push(WatchedLabel {
                label,
                known: listed.length,
            });
        }
    }
    Ok((!grown.is_empty()).then(|| WatchResponse {
        tree_size: published.size().get(),
        labels: grown,
    }))
}
