//! The threads that serve, each with connections of its own.

use super::{Accepted, App, Server, connection};
use crate::{api::places::FEW, quota::Reports, threads};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
};
use tokio::{
    runtime::Builder as RuntimeBuilder,
    sync::{mpsc, watch},
    task::JoinSet,
    time::timeout,
};

/// What connections are handed to, each thread in its turn.
///
/// Those of networks with more than a few connections are served by threads that come later than
/// others: whoever has few waits for no core, nor in one queue, behind what strangers ask for on
/// hundreds.
pub(super) struct Workers {
    of_few: Hands,
    of_many: Hands,
}

/// How connections are handed to threads of one kind.
#[derive(Default)]
struct Hands {
    to: Vec<mpsc::UnboundedSender<Accepted>>,
    turn: AtomicUsize,
}

impl Workers {
    /// Starts so many threads of either kind. They end once this is dropped and what they serve has
    /// ended.
    pub(super) fn start<A: App>(
        server: &Server<A>,
        threads: usize,
        idle: &Arc<Reports>,
        stop: &watch::Receiver<bool>,
    ) -> io::Result<(Self, Vec<JoinHandle<()>>)> {
        let (mut of_few, mut of_many) = (Hands::default(), Hands::default());
        let mut ends = Vec::with_capacity(2 * threads);
        for number in 0..threads {
            let (serves, hand) = serving(server, idle, stop)?;
            of_few.to.push(hand);
            ends.push(started(format!("serve-{number}"), serves)?);
            let (serves, hand) = serving(server, idle, stop)?;
            of_many.to.push(hand);
            ends.push(started(format!("serve-many-{number}"), || {
                threads::come_later();
                serves();
            })?);
        }
        Ok((Workers { of_few, of_many }, ends))
    }

    /// Hands a connection to the thread whose turn it is. Whose it is that a proxy passes on is not
    /// known yet.
    pub(super) fn hand(&self, accepted: Accepted) {
        let proxy = accepted.proxy.as_ref();
        let is_passed_on = proxy.is_some_and(|proxy| proxy.passes_on());
        let has_many = !is_passed_on && accepted.peer.account.connections() > FEW;
        let hands = if has_many {
            &self.of_many
        } else {
            &self.of_few
        };
        let turn = hands.turn.fetch_add(1, Ordering::Relaxed);
        let of = turn.checked_rem(hands.to.len());
        if let Some(hand) = of.and_then(|of| hands.to.get(of)) {
            let _ = hand.send(accepted);
        }
    }
}

fn started(name: String, serves: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name).spawn(serves)
}

/// What a thread does, and how it is handed what it serves: until there is nobody who could hand it
/// more.
fn serving<A: App>(
    server: &Server<A>,
    idle: &Arc<Reports>,
    stop: &watch::Receiver<bool>,
) -> io::Result<(
    impl FnOnce() + Send + 'static,
    mpsc::UnboundedSender<Accepted>,
)> {
    let (hand, mut connections) = mpsc::unbounded_channel();
    let runtime = threads::runtime(&mut RuntimeBuilder::new_current_thread())?;
    let (app, tls, drain) = (server.app.clone(), server.tls.clone(), server.drain);
    let (held, idle, stop) = (server.held.clone(), idle.clone(), stop.clone());
    let serve = async move {
        let mut open = JoinSet::new();
        loop {
            tokio::select! {
                accepted = connections.recv() => match accepted {
                    None => break,
                    Some(accepted) => {
                        let (app, tls, stop) = (app.clone(), tls.clone(), stop.clone());
                        let counts = (held.clone(), idle.clone());
                        open.spawn(connection(accepted, counts, app, tls, stop));
                    }
                },
                // Reaps connections as they end.
                Some(_) = open.join_next() => {}
            }
        }
        let ended = async { while open.join_next().await.is_some() {} };
        if timeout(drain, ended).await.is_err() {
            tracing::warn!("calls in flight took longer than server.drain_s; they were cut off");
        }
    };
    Ok((move || runtime.block_on(serve), hand))
}
