//! What a host serves, by path, as the programs do: one port for HTTP and gRPC.

use super::cast::{LIAR, LOGS};
use super::client::Client;
use super::federation::Desk;
use super::host::{Caller, Host, lock};
use super::hostile::{Mirror, lie};
use super::log::Log;
use super::node::Node;
use super::witness::Witness;
use assay_tlog::Hash;
use assay_tlog::tree::TilePath;
use axum::body::Bytes;
use axum::http::{StatusCode, Uri};
use axum::{Extension, Router};
use std::sync::Arc;
use tonic::service::Routes;

/// The parts that a host has.
pub(super) struct Surface {
    pub(super) host: Arc<Host>,
    pub(super) node: Option<Arc<Node>>,
    pub(super) witness: Option<Arc<Witness>>,
    /// A history for each who may be shown one.
    pub(super) logs: Vec<Arc<Log>>,
    pub(super) mirror: Option<Arc<Mirror>>,
    pub(super) client: Option<Arc<Client>>,
}

impl Surface {
    pub(super) fn router(self) -> Router {
        let lies = self.host.name == LIAR || self.host.plan.signs_all(self.host.name);
        let lie = lies.then_some(lie as fn(&Node, &mut _));
        let is_hostile = self.logs.iter().any(|log| log.is_hostile());
        let node = self.node.clone().filter(|_| !is_hostile);
        let federation = node.map(|node| Routes::new(Desk::server(node, lie)));
        let federation = federation.map(|routes| routes.prepare().into_axum_router());
        let surface = Arc::new(self);
        let plain = move |Extension(caller): Extension<Caller>, uri: Uri, body: Bytes| {
            let surface = surface.clone();
            async move {
                let answer = surface.answer(&caller.0, uri.path(), &body).await;
                let (status, body) = answer.unwrap_or((404, Vec::new()));
                let status = StatusCode::from_u16(status);
                (status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), body)
            }
        };
        federation.unwrap_or_default().fallback(plain)
    }

    /// The status and the body, if there is such a path.
    async fn answer(&self, caller: &str, path: &str, body: &[u8]) -> Option<(u16, Vec<u8>)> {
        if path == "/add-checkpoint" {
            let answer = self.witness.as_ref()?.add_checkpoint(body).await;
            return Some((answer.status, answer.body.into_bytes()));
        }
        if let (Some(client), "/compare") = (&self.client, path) {
            client.compare(str::from_utf8(body).ok()?).await;
            return Some((200, Vec::new()));
        }
        if let Some(mirror) = &self.mirror {
            let (log, path) = behind(path)?;
            return Some((200, mirror.pass_on(log, &path).await?));
        }
        if let Some(rest) = path.strip_prefix("/mirror/") {
            let (digest, tile) = rest.split_once('/')?;
            let width = TilePath::parse(tile).ok()?.width();
            return Some((200, self.node.as_ref()?.copied(digest, width.into())?));
        }
        let log = self.log(caller)?;
        if path == "/checkpoint" {
            let shown = lock(&log.shown).clone()?;
            self.host.chronicle().served(self.host.name, &shown);
            return Some((200, shown.into_bytes()));
        }
        let width = TilePath::parse(path.strip_prefix('/')?).ok()?.width();
        // A log that shows two histories proves what it likes.
        let log = match self.host.below(3) {
            0 if log.is_hostile() => return None,
            1 if log.is_hostile() => &self.logs[self.host.below(self.logs.len())],
            _ => log,
        };
        let tile = lock(&log.history).tile(width.into())?;
        Some((200, tile))
    }

    /// The history that this caller is shown.
    fn log(&self, caller: &str) -> Option<&Arc<Log>> {
        let side = self.host.plan.side(caller);
        self.logs.get(side).or(self.logs.first())
    }
}

/// What a mirror is asked that has nothing of its own: which log, and the path there.
fn behind(path: &str) -> Option<(&'static str, String)> {
    let mut logs = LOGS.into_iter();
    if let Some(rest) = path.strip_prefix("/via/") {
        let (log, path) = rest.split_once('/')?;
        let log = logs.find(|host| *host == log)?;
        return Some((log, format!("/{path}")));
    }
    let (digest, path) = path.strip_prefix("/mirror/")?.split_once('/')?;
    let of = |host: &&str| Hash::of(format!("{host}.example/log").as_bytes()).to_hex();
    let log = logs.find(|host| of(host) == digest)?;
    Some((log, format!("/{path}")))
}
