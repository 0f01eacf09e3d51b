//! Where a witness signs: on the thread that asks, if its keys are in its files; and on one thread
//! of its own, if somebody else holds one.
//!
//! Whoever holds it may take seconds, and threads that serve connections must not wait for him. Who
//! waits for a signature gets an answer within twice the time that the holder has: if one signature
//! fails, all who wait are told so.

use super::known::Latest;
use crate::leaving::Leaving;
use arc_swap::ArcSwap;
use assay_tlog::note::CosignError;
use assay_tlog::witness::WitnessKeys;
use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};
use tokio::sync::oneshot;

/// Signatures that are waited for. Further ones are not made.
const QUEUE: usize = 1024;

/// How soon a holder that did not sign is asked again, though nobody waits for a signature.
const AGAIN: Duration = Duration::from_secs(1);

/// Why a head has no cosignature.
#[derive(Debug, thiserror::Error)]
pub enum Unsigned {
    /// It could not be signed.
    #[error(transparent)]
    Key(#[from] CosignError),
    /// Too many wait for signatures, or the witness is stopping.
    #[error("too many wait for a signature, or the witness is stopping")]
    Busy,
}

/// A head that is to be signed, and where the answer goes.
struct Asked {
    latest: Arc<Latest>,
    reply: oneshot::Sender<Result<(), CosignError>>,
}

/// Signs what is durable.
pub struct Signing {
    keys: Arc<ArcSwap<WitnessKeys>>,
    queue: Option<SyncSender<Asked>>,
}

impl Signing {
    /// Signs with these keys, which may change. Who holds one is looked for at once, so that the
    /// operator knows. The thread for it, if there is one, ends when this is dropped.
    pub fn start(
        keys: Arc<ArcSwap<WitnessKeys>>,
    ) -> std::io::Result<(Self, Option<JoinHandle<()>>)> {
        if !keys.load().are_elsewhere() {
            return Ok((Signing { keys, queue: None }, None));
        }
        let (queue, asked) = sync_channel(QUEUE);
        let signer = keys.clone();
        let thread = thread::Builder::new().name("cosign".into());
        let thread = thread.spawn(move || run(&signer, &asked))?;
        let queue = Some(queue);
        Ok((Signing { keys, queue }, Some(thread)))
    }

    /// The keys.
    pub fn keys(&self) -> &ArcSwap<WitnessKeys> {
        &self.keys
    }

    /// Signs, unless it was signed. Nobody is waited for once `leaving` comes.
    pub async fn sign(
        &self,
        latest: &Arc<Latest>,
        leaving: Option<&Leaving>,
    ) -> Result<(), Unsigned> {
        let Some(queue) = &self.queue else {
            return Ok(latest.sign(&self.keys.load()).map(drop)?);
        };
        if latest.cosigned().is_some() {
            return Ok(());
        }
        let (reply, answer) = oneshot::channel();
        let latest = latest.clone();
        let asked = Asked { latest, reply };
        queue.try_send(asked).map_err(|_| Unsigned::Busy)?;
        let answer = match leaving {
            Some(leaving) => leaving.before(answer).await,
            None => Some(answer.await),
        };
        match answer {
            Some(Ok(signed)) => Ok(signed?),
            _ => Err(Unsigned::Busy),
        }
    }
}

/// What could not be done, and is tried again.
enum Owed {
    Look,
    Sign(Arc<Latest>),
}

/// Signs one after the other, until nobody can ask any more.
fn run(keys: &ArcSwap<WitnessKeys>, queue: &Receiver<Asked>) {
    // It was told when it failed.
    let mut owed = keys.load().look_for().err().map(|_| Owed::Look);
    loop {
        let next = match owed {
            Some(_) => queue.recv_timeout(AGAIN),
            None => queue.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        let keys = keys.load_full();
        owed = match next {
            Ok(asked) => answer(&keys, asked, queue),
            Err(RecvTimeoutError::Timeout) => owed.filter(|owed| !owed.done(&keys)),
            Err(RecvTimeoutError::Disconnected) => return,
        };
    }
}

/// Signs a head and answers, or has all who wait know that it failed. Returns what is owed then.
fn answer(keys: &WitnessKeys, asked: Asked, queue: &Receiver<Asked>) -> Option<Owed> {
    let Asked { latest, reply } = asked;
    let signed = latest.sign(keys).map(drop);
    let _ = reply.send(signed.clone());
    let failed = signed.err()?;
    let mut last = latest;
    for Asked { latest, reply } in queue.try_iter() {
        let _ = reply.send(Err(failed.clone()));
        last = latest;
    }
    Some(Owed::Sign(last))
}

impl Owed {
    fn done(&self, keys: &WitnessKeys) -> bool {
        match self {
            Owed::Look => keys.look_for().is_ok(),
            Owed::Sign(latest) => latest.sign(keys).is_ok(),
        }
    }
}
