//! Putting stored pages together again.

use super::directory::{MapError, Node, Page, PageBytes};
use crate::index::label::{Label, Prefix};
use crate::index::page::{self, PAGE_LABELS, PageError};
use assay_tlog::tree::TreeSize;
use std::sync::Arc;

/// A stored page, to make a map of.
#[derive(Debug)]
pub struct StoredPage<S> {
    /// Its key.
    pub key: Prefix,
    /// See [`Page::through`].
    pub through: TreeSize,
    /// Its bytes, which are read once, here.
    pub bytes: PageBytes,
    /// The slot that it gets.
    pub slot: S,
}

/// A stored page that was read.
#[derive(Debug)]
pub struct LoadedPage<S> {
    page: Page<S>,
    first: Label,
}

impl<S> StoredPage<S> {
    /// Reads the page: about one hash a label.
    pub fn load<E>(self) -> Result<LoadedPage<S>, MapError<E>> {
        let StoredPage {
            key,
            through,
            bytes,
            slot,
        } = self;
        let records = page::records(&bytes)?;
        let ends = records.first().zip(records.last());
        let (first, last) = ends
            .map(|(a, b)| (a.label, b.label))
            .ok_or(PageError::Empty)?;
        if !key.holds(&first) || !key.holds(&last) {
            return Err(MapError::Misplaced(key));
        }
        if records.len() > PAGE_LABELS {
            return Err(PageError::Full.into());
        }
        let page = Page::new(key, &records, through, slot);
        Ok(LoadedPage { page, first })
    }
}

/// Returns the directory over pages, given in the order of their keys. That of no pages is `None`.
pub(super) fn load<S, E>(
    pages: impl IntoIterator<Item = Result<LoadedPage<S>, MapError<E>>>,
) -> Result<Option<Node<S>>, MapError<E>> {
    let mut loaded: Vec<(Label, Node<S>)> = Vec::new();
    let mut last: Option<Label> = None;
    for page in pages {
        let LoadedPage { page, first } = page?;
        if last.is_some_and(|last| last >= *page.key().first()) {
            return Err(MapError::Misplaced(*page.key()));
        }
        last = Some(page.key().last());
        loaded.push((first, Node::Page(Arc::new(page))));
    }
    Ok(directory(&loaded))
}

/// Joins pages, each with its first label, under inner nodes.
fn directory<S>(pages: &[(Label, Node<S>)]) -> Option<Node<S>> {
    match pages {
        [] => None,
        [(_, only)] => Some(only.clone()),
        [(first, _), .., (last, _)] => {
            let prefix = Prefix::of(first, first.common(last));
            let at = prefix.bits().min(255) as u8;
            let (left, right) = pages.split_at(pages.partition_point(|(label, _)| !label.bit(at)));
            Some(Node::join(prefix, directory(left)?, directory(right)?))
        }
    }
}
