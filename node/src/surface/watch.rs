//! What is new under labels, at each checkpoint (`LogService.Watch`).

use super::status;
use crate::{index::StoredPages, storage::Tables, view::View};
use assay_claims::index::Label;
use assay_claims::limits;
use assay_proto::v1::{WatchRequest, WatchResponse, WatchedLabel};
use bytes::Bytes;
use std::collections::BTreeMap;
use tonic::Status;

/// Labels, with the length of the list that the caller knows.
pub(super) type Known = BTreeMap<Label, u64>;

pub(super) fn parse(request: WatchRequest) -> Result<Known, Status> {
    if request.labels.is_empty() || request.labels.len() > limits::PAGE {
        let message = format!(
            "{} labels to watch; from 1 to {} are",
            request.labels.len(),
            limits::PAGE
        );
        return Err(status::invalid("labels", message));
    }

    request
        .labels
        .into_iter()
        .map(
            |watched: WatchedLabel| match Label::from_slice(&watched.label) {
                Some(label) => Ok((label, watched.known)),
                None => Err(status::invalid(
                    "labels",
                    format!("a label has 32 bytes; this one has {}", watched.label.len()),
                )),
            },
        )
        .collect()
}

/// What the published index has more than is known, which is known from then on; `None` if there is
/// nothing.
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
