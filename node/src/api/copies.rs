//! Copies of other logs that this node mirrors and has replayed: below `/mirror/<digest>`, the
//! SHA-256 of an origin in lower-case hex, `LogService`, `IndexService` and the read API answer as
//! that log does. So a mirror is the log at another address.

use super::{index::IndexApi, log::LogApi, look_ups::LookUps, read};
use crate::audit::{Copied, Copies, CopyView};
use assay_tlog::Hash;
use axum::Router;
use http::{Request, Uri, uri::PathAndQuery};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::watch;

/// The services of every copy.
pub struct CopyApis {
    copies: Copies,
    look_ups: LookUps,
    stopping: watch::Receiver<bool>,
    /// By the digest of the origin.
    made: Mutex<HashMap<String, (Arc<CopyView>, Arc<CopyApi>)>>,
}

/// The services of one copy.
pub struct CopyApi {
    /// Everything that proves what is in the log. It takes no claims.
    pub log: Arc<LogApi<Copied>>,
    /// Complete answers.
    pub index: Arc<IndexApi<Copied>>,
    /// The same over plain HTTP.
    pub read: Router,
}

impl CopyApis {
    /// The services of what `copies` shows. Calls that never end by themselves end when `stopping`
    /// becomes true.
    pub fn new(copies: Copies, look_ups: LookUps, stopping: watch::Receiver<bool>) -> Self {
        CopyApis {
            copies,
            look_ups,
            stopping,
            made: Mutex::default(),
        }
    }

    /// The services of the copy of the log whose origin has this SHA-256, if there is one.
    pub fn of(&self, digest: &str) -> Option<Arc<CopyApi>> {
        // Nothing panics under the lock.
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(log) = self.copies.log(digest) else {
            made.remove(digest);
            return None;
        };
        // A log that goes and comes back has another view.
        if let Some((view, api)) = made.get(digest)
            && Arc::ptr_eq(view, &log.view)
        {
            return Some(api.clone());
        }
        let (view, look_ups) = (log.view.clone(), self.look_ups.clone());
        let log = LogApi::copy(view.clone(), look_ups.clone(), self.stopping.clone());
        let log = Arc::new(log);
        let index = Arc::new(IndexApi::new(view.clone(), look_ups));
        let read = read::router(log.clone(), index.clone());
        let api = Arc::new(CopyApi { log, index, read });
        made.insert(digest.to_owned(), (view, api.clone()));
        Some(api)
    }
}

/// Takes the prefix of a copy off a request. Returns the digest, or `None` if it has no such
/// prefix.
pub fn take_prefix<B>(request: &mut Request<B>) -> Option<String> {
    let path = request.uri().path_and_query()?.as_str();
    let (digest, rest) = path
        .strip_prefix("/mirror/")?
        .split_at_checked(2 * Hash::LEN)?;
    let rest = rest
        .starts_with('/')
        .then(|| PathAndQuery::try_from(rest))?;
    let digest = digest.to_owned();
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = Some(rest.ok()?);
    *request.uri_mut() = Uri::from_parts(parts).ok()?;
    Some(digest)
}

/// The same for a request of the read API, and only for one: below the same prefix, mirrors show
/// tiles.
pub fn take_read_prefix<B>(request: &mut Request<B>) -> Option<String> {
    let path = request.uri().path().strip_prefix("/mirror/")?;
    let (_, rest) = path.split_at_checked(2 * Hash::LEN)?;
    read::is_of(rest).then(|| take_prefix(request))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_of_a_copy_is_taken_off_whole_or_not_at_all() {
        let digest = "0a".repeat(32);
        let method = "/assay.v1.IndexService/Lookup";
        for (uri, rest) in [
            (format!("/mirror/{digest}{method}"), Some(method.to_owned())),
            (
                format!("http://a.example:1/mirror/{digest}{method}"),
                Some(format!("http://a.example:1{method}")),
            ),
            (method.to_owned(), None),
            (format!("/mirror/{digest}"), None),
            (format!("/mirror/{digest}0{method}"), None),
            (format!("/mirror/{}{method}", &digest[1..]), None),
            (format!("/x/mirror/{digest}{method}"), None),
        ] {
            let mut request = Request::builder().uri(&uri).body(()).unwrap();
            let taken = take_prefix(&mut request);
            assert_eq!(taken, rest.as_ref().map(|_| digest.clone()), "{uri}");
            assert_eq!(request.uri().to_string(), rest.unwrap_or(uri));
        }
    }
}
