//! Asking a log, or a mirror of it, whether one head extends another: by its tiles over HTTP (C2SP
//! tlog-tiles), which every log has. Any of them may lie. An answer counts for what it proves.

use super::holding::prove;
use super::known::Places;
use crate::mirror::site::{FetchError, Site};
use assay_tlog::Hash;
use assay_tlog::gossip::{Answer, Question, Source};
use assay_tlog::tree::Fetched;

/// Most tiles of one answer: two in each of eight levels, and as many for the root at the older
/// size. Each has 8 KiB.
const TILES: usize = 32;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum AskError {
    /// Nobody is known who could be asked.
    #[error("nobody is known who could be asked")]
    Nobody,
    /// It cannot be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// What came makes no answer.
    #[error("what came are not the tiles of such a tree")]
    Unusable,
}

/// Where to ask. Of the mirrors one is chosen by `random`: few copy every log. If none is known,
/// the log is asked again.
pub(super) fn url(places: &Places, question: &Question, random: u64) -> Option<String> {
    let origin = question.newer().origin();
    let log = places.logs.get(origin);
    if question.source() == Source::Log && log.is_some() {
        return log.cloned();
    }
    let mirrors = places.mirrors.iter();
    let others: Vec<_> = mirrors.filter(|it| Some(&it.url) != log).collect();
    let Some(at) = random.checked_rem(others.len() as u64) else {
        return log.cloned();
    };
    let mirror = others.get(usize::try_from(at).ok()?)?;
    let digest = Hash::of(origin.as_bytes());
    Some(format!("{}/mirror/{digest}", mirror.url))
}

/// Asks whoever is at `url`.
pub(super) async fn ask(
    http: &reqwest::Client,
    url: &str,
    question: &Question,
) -> Result<Answer, AskError> {
    let site = Site::new(http.clone(), url);
    let mut fetched = Fetched::default();
    // What is wanted is known after the first attempt; nothing more is in the second.
    for _ in 0..2 {
        if let Some(answer) = prove(&fetched, question) {
            return Ok(answer);
        }
        for at in fetched.missing().into_iter().take(TILES) {
            // The older tree has it, too, or a narrower one.
            let width = at.width_at(question.newer().size());
            let tile = site.tile(at, width).await?;
            fetched.insert(at, tile);
        }
    }
    prove(&fetched, question).ok_or(AskError::Unusable)
}
