//! What a node does with heads, without a network.

use super::holding::{Holding, OwnLog, prove};
use super::known::{Place, Places};
use super::serve::Desk;
use super::state::Gossip;
use super::{http, link};
use crate::misbehavior::{Evidence, known::Known, made};
use crate::records;
use crate::storage::{Batch, Table, Tables as _, memory::Memory};
use crate::view::View;
use assay_tlog::Hash;
use assay_tlog::checkpoint::Checkpoint;
use assay_tlog::gossip::{
    Answer, CulpritId, EvidenceLine, Exchange, Question, Source, Standing, Turn,
};
use assay_tlog::hash::leaf_hash;
use assay_tlog::limits::GOSSIP_EVIDENCE_BYTES;
use assay_tlog::note::SignerKey;
use assay_tlog::tree::{Frontier, Tile, TileIndex, TileReader, TreeSize};
use futures::{StreamExt as _, stream};
use std::{
    collections::BTreeMap,
    convert::Infallible,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::sync::oneshot;
use tonic::Code;

const ORIGIN: &str = "log.example/a";

/// One history of the log, with the tiles of its largest tree.
#[derive(Clone)]
struct Branch {
    leaves: Vec<Hash>,
    tiles: BTreeMap<TileIndex, Arc<Tile>>,
}

fn key() -> SignerKey {
    SignerKey::from_seed(ORIGIN, &[1; 32]).unwrap()
}

impl Branch {
    fn new(same: usize, size: usize, other: &str) -> Self {
        let leaf = |n| {
            let whose = if n < same { "same" } else { other };
            leaf_hash(format!("{whose} {n}").as_bytes())
        };
        let leaves: Vec<Hash> = (0..size).map(leaf).collect();
        let tiles = Frontier::new().append(&leaves).into_iter();
        let tiles = tiles.map(|(at, hashes)| (at, Arc::new(Tile::from_hashes(hashes).unwrap())));
        Branch {
            tiles: tiles.collect(),
            leaves,
        }
    }

    fn note(&self, size: usize) -> String {
        let mut tree = Frontier::new();
        tree.append(&self.leaves[..size]);
        let checkpoint = Checkpoint {
            origin: ORIGIN.into(),
            size: tree.size(),
            root: tree.root(),
        };
        checkpoint.sign(&key())
    }
}

impl TileReader for Branch {
    type Error = Infallible;

    fn tiles(&self, wanted: &[TileIndex], _: TreeSize) -> Result<Vec<Arc<Tile>>, Infallible> {
        Ok(wanted.iter().map(|at| self.tiles[at].clone()).collect())
    }
}

/// A copy of a branch, whose head is told once.
struct Copy(Branch, Mutex<Option<String>>);

impl Copy {
    fn of(branch: &Branch) -> Box<dyn Holding> {
        let head = branch.note(branch.leaves.len());
        Box::new(Copy(branch.clone(), Mutex::new(Some(head))))
    }
}

impl Holding for Copy {
    fn changed(&self) -> Vec<String> {
        self.1.lock().unwrap().take().into_iter().collect()
    }

    fn answer(&self, question: &Question) -> Option<Answer> {
        let held = TreeSize::new(self.0.leaves.len() as u64);
        (question.newer().size() <= held).then(|| prove(&self.0, question))?
    }
}

fn gossip(data: &Path, holdings: Vec<Box<dyn Holding>>) -> Arc<Gossip> {
    alarmed(data, holdings, 60_000)
}

fn alarmed(data: &Path, holdings: Vec<Box<dyn Holding>>, alarm_after_ms: u64) -> Arc<Gossip> {
    let mut known = Known::default();
    known.own_log(&key().verifier());
    let evidence = Arc::new(Evidence::open(&[data], known).unwrap());
    let (gossip, _) = Gossip::new(evidence, holdings, Places::default(), alarm_after_ms);
    gossip.follow(&[]);
    gossip
}

/// It has the stores of what it compares, and whoever tells of heads has one of them: none would
/// ever be closed.
#[test]
fn who_tells_of_heads_keeps_no_gossip() {
    let folder = tempfile::tempdir().unwrap();
    let gossip = gossip(folder.path(), Vec::new());
    let (weak, desk) = (Arc::downgrade(&gossip), Desk::new(gossip));
    let seen = desk.seen();
    drop(desk);
    assert!(weak.upgrade().is_none());
    drop(seen);
}

fn stored(data: &Path) -> usize {
    std::fs::read_dir(data.join("misbehavior")).map_or(0, Iterator::count)
}

/// An exchange from its first turn to its last.
fn meet(one: &Gossip, other: &Gossip) {
    let (mut opens, mut turn) = one.open();
    let mut answers = Exchange::answer();
    for said in 0.. {
        let next;
        if said % 2 == 0 {
            (answers, next) = other.turn(answers, &turn).unwrap();
        } else {
            (opens, next) = one.turn(opens, &turn).unwrap();
        }
        match next {
            Some(next) => turn = next,
            None => return,
        }
    }
}

#[test]
fn two_heads_of_one_size_are_stored_as_evidence_and_told_to_whoever_is_met() {
    let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let [here, there] = folders
        .each_ref()
        .map(|folder| gossip(folder.path(), Vec::new()));
    let [branch, fork] = [Branch::new(3, 20, "a"), Branch::new(3, 20, "b")];
    assert_eq!(here.submit(&[branch.note(9)]).new, 1);
    let found = here.submit(&[fork.note(9), branch.note(9)]);
    assert_eq!((found.new, found.evidence.len()), (1, 1));
    assert_eq!(here.standing(ORIGIN), Standing::Convicted);
    assert_eq!(stored(folders[0].path()), 1);
    // Who has not seen any head of the log knows its keys.
    meet(&there, &here);
    assert_eq!(there.standing(ORIGIN), Standing::Convicted);
    assert_eq!(stored(folders[1].path()), 1);
    assert_eq!(there.submit(&[branch.note(12)]).new, 0);

    let again = gossip(folders[1].path(), Vec::new());
    assert_eq!(again.standing(ORIGIN), Standing::Convicted);
}

/// Also where the size is a power of two, which is not in a consistency proof.
#[test]
fn own_tiles_show_what_is_not_the_beginning_of_them() {
    for older in [7, 8, 300] {
        let folder = tempfile::tempdir().unwrap();
        let [branch, fork] = [Branch::new(3, 600, "a"), Branch::new(3, 600, "b")];
        let holds = gossip(folder.path(), vec![Copy::of(&branch)]);
        assert_eq!(holds.submit(&[branch.note(older), branch.note(599)]).new, 2);
        assert_eq!(holds.standing(ORIGIN), Standing::Clear);
        assert!(holds.tips()[0] == branch.note(600), "the largest is told");
        assert_eq!(stored(folder.path()), 0);
        holds.submit(&[fork.note(older)]);
        assert_eq!(holds.standing(ORIGIN), Standing::Convicted, "{older}");
        assert_eq!(stored(folder.path()), 1);
    }
}

/// A log can sign a tree of any size that extends what it showed, if only hashes are asked of it.
/// That becomes the tip, and nobody proves anything about it any more. What the node itself has
/// shows a fork all the same.
#[test]
fn a_tip_that_nobody_has_hides_no_fork_of_what_the_node_has() {
    let [branch, poison] = [20, 600].map(|size| Branch::new(20, size, "a"));
    for size in [7, 8, 20] {
        let folder = tempfile::tempdir().unwrap();
        let here = gossip(folder.path(), vec![Copy::of(&branch)]);
        assert_eq!(here.submit(&[poison.note(600)]).new, 1);
        let question = here.questions().pop().unwrap();
        assert!(here.judge(&question, &prove(&poison, &question).unwrap()));
        assert!(here.tips()[0] == poison.note(600));
        here.submit(&[branch.note(9)]);
        assert_eq!(here.standing(ORIGIN), Standing::Clear);
        here.submit(&[Branch::new(3, 20, "b").note(size)]);
        assert_eq!(here.standing(ORIGIN), Standing::Convicted, "{size}");
    }
}

/// A copy that grows.
struct Growing(Branch, Arc<AtomicUsize>);

impl Holding for Growing {
    fn changed(&self) -> Vec<String> {
        vec![self.0.note(self.1.load(Ordering::SeqCst))]
    }

    fn answer(&self, question: &Question) -> Option<Answer> {
        let held = TreeSize::new(self.1.load(Ordering::SeqCst) as u64);
        (question.newer().size() <= held).then(|| prove(&self.0, question))?
    }
}

#[test]
fn a_head_that_came_before_the_copy_grew_is_held_against_it_when_it_is_asked_about() {
    let folder = tempfile::tempdir().unwrap();
    let size = Arc::new(AtomicUsize::new(5));
    let branch = Branch::new(3, 20, "a");
    let copy = Growing(branch, size.clone());
    let here = gossip(folder.path(), vec![Box::new(copy)]);
    here.submit(&[Branch::new(3, 20, "b").note(7)]);
    assert_eq!(here.standing(ORIGIN), Standing::Clear);
    size.store(12, Ordering::SeqCst);
    here.refresh();
    for question in here.questions() {
        here.judge_by_own(&question);
    }
    assert_eq!(here.standing(ORIGIN), Standing::Convicted);
}

/// What a witness cosigned, of which it has no tiles.
struct Cosigned(Branch, Arc<AtomicUsize>);

impl Holding for Cosigned {
    fn changed(&self) -> Vec<String> {
        vec![self.0.note(self.1.load(Ordering::SeqCst))]
    }

    fn answer(&self, _: &Question) -> Option<Answer> {
        None
    }
}

#[test]
fn a_log_that_a_witness_cosigns_as_it_grows_waits_for_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let size = Arc::new(AtomicUsize::new(5));
    let branch = Branch::new(3, 40, "a");
    let cosigned = Cosigned(branch.clone(), size.clone());
    let here = gossip(folder.path(), vec![Box::new(cosigned)]);
    for grown in [6, 9, 20] {
        size.store(grown, Ordering::SeqCst);
        here.refresh();
        assert!(here.tips()[0] == branch.note(grown), "{grown}");
        assert_eq!(here.questions(), []);
    }
}

/// Neither who is silent nor who does not read keeps a place for longer than that.
#[tokio::test]
async fn a_place_is_free_again_although_nobody_reads_the_answers() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::new(gossip(folder.path(), Vec::new()));
    let from = Some("192.0.2.1".parse().unwrap());
    let silent = || {
        let (holds, dropped) = oneshot::channel::<()>();
        let come = stream::pending().map(move |come| {
            let _ = &holds;
            come
        });
        let answers = desk.exchange(from, come);
        (answers.map(Box::pin), dropped)
    };
    let (first, first_gone) = silent();
    let (second, second_gone) = silent();
    assert!(first.is_ok());
    let refused = silent().0.err().map(|status| status.code());
    assert_eq!(refused, Some(Code::ResourceExhausted));
    // Neither is looked at: it ends by itself.
    assert!(first_gone.await.is_err() && second_gone.await.is_err());
    let late = second.unwrap().next().await.unwrap().unwrap_err();
    assert_eq!(late.code(), Code::DeadlineExceeded);
    assert!(silent().0.is_ok());
}

/// Texts are read until one turn is full.
#[test]
fn what_a_peer_wants_is_read_until_a_turn_is_full() {
    let folder = tempfile::tempdir().unwrap();
    let here = gossip(folder.path(), Vec::new());
    let [branch, fork] = [Branch::new(3, 20, "a"), Branch::new(3, 20, "b")];
    here.submit(&[branch.note(9), fork.note(9)]);
    let (_, first) = here.open();
    let id = first.evidence_ids[0].id;
    let text = here.texts(&[id]).pop().unwrap();
    let most = GOSSIP_EVIDENCE_BYTES / text.len();
    assert_eq!(here.texts(&vec![id; most + 2]).len(), most);
}

/// It is no conviction: what the log signs counts as before.
#[test]
fn a_breach_is_told_to_whoever_holds_the_log_to_the_rules_and_convicts_nobody() {
    let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let here = gossip(folders[0].path(), Vec::new());
    let mut known = Known::default();
    known.log(&key().verifier());
    let evidence = Arc::new(Evidence::open(&[folders[1].path()], known).unwrap());
    let (there, _) = Gossip::new(evidence.clone(), Vec::new(), Places::default(), 60_000);
    there.follow(&[]);
    let found = made::by_log(&key(), 1, false);
    let offer = |gossip: &Gossip| {
        let line = EvidenceLine {
            culprit: CulpritId::of(&format!("breach log {ORIGIN}")),
            id: found.id(),
        };
        let turn = Turn {
            evidence_ids: vec![line],
            ..Turn::default()
        };
        let (exchange, _) = gossip.open();
        let (exchange, reply) = gossip.turn(exchange, &turn).unwrap();
        let wanted = reply.map(|turn| turn.evidence_wanted).unwrap_or_default();
        (exchange, wanted == [found.id()])
    };
    let (exchange, is_wanted) = offer(&here);
    assert!(is_wanted && !offer(&there).1);
    let turn = Turn {
        evidence: vec![found.text().to_owned()],
        ..Turn::default()
    };
    here.turn(exchange, &turn).unwrap();
    assert_eq!(stored(folders[0].path()), 1);
    assert!(!offer(&here).1, "it is known");
    assert_eq!(here.standing(ORIGIN), Standing::Clear);
    // Clients ask what convicts.
    let submitted = here.submit(&[Branch::new(3, 20, "a").note(9)]);
    assert_eq!((submitted.new, submitted.evidence.len()), (1, 0));

    meet(&there, &here);
    assert_eq!(stored(folders[1].path()), 0);
    evidence.audits(ORIGIN);
    there.refresh();
    meet(&there, &here);
    assert_eq!(stored(folders[1].path()), 1);
    assert_eq!(there.standing(ORIGIN), Standing::Clear);
    assert_eq!(there.tips().len(), 1);

    // It was cleared, and is asked for again.
    evidence.clear(ORIGIN).unwrap();
    assert!(!offer(&there).1);
    there.refresh();
    assert!(offer(&there).1);
}

/// What could not be stored would be named to peers in vain. The node convicts all the same.
#[test]
fn what_cannot_be_stored_is_not_named() {
    let folder = tempfile::tempdir().unwrap();
    let none = folder.path().join("none");
    let here = gossip(&none, Vec::new());
    let [branch, fork] = [Branch::new(3, 20, "a"), Branch::new(3, 20, "b")];
    here.submit(&[branch.note(9), fork.note(9)]);
    let (_, first) = here.open();
    assert_eq!(first.evidence_ids, []);
    std::fs::create_dir(&none).unwrap();
    here.submit(&[fork.note(9)]);
    let (_, first) = here.open();
    assert_eq!(first.evidence_ids.len(), 1);
}

#[test]
fn a_text_that_proves_nothing_is_asked_for_once() {
    let folder = tempfile::tempdir().unwrap();
    let here = gossip(folder.path(), Vec::new());
    let text = "assay.misbehavior/v1\nkind split\n".to_owned();
    let id = Hash::of(text.as_bytes());
    let offer = |turn| Turn {
        evidence_ids: vec![EvidenceLine {
            culprit: CulpritId::of_log(ORIGIN),
            id,
        }],
        ..turn
    };
    for is_wanted in [true, false] {
        let (exchange, _) = here.open();
        let (exchange, reply) = here.turn(exchange, &offer(Turn::default())).unwrap();
        let wanted = reply.map(|turn| turn.evidence_wanted).unwrap_or_default();
        assert_eq!(wanted == [id], is_wanted);
        if is_wanted {
            let lie = Turn {
                evidence: vec![text.clone()],
                ..Turn::default()
            };
            assert!(here.turn(exchange, &lie).unwrap().1.is_none());
        }
    }
    assert_eq!(here.standing(ORIGIN), Standing::Clear);
    assert_eq!(stored(folder.path()), 0);
}

#[test]
fn notes_stand_one_after_the_other() {
    let branch = Branch::new(0, 9, "a");
    let all = [branch.note(1), branch.note(5), branch.note(9)];
    for between in ["", "\n", "\n\n"] {
        assert_eq!(http::notes(&all.join(between)), all);
        assert_eq!(http::notes(&(all.join(between) + between)), all);
    }
    assert_eq!(http::notes(""), Vec::<String>::new());
    assert_eq!(http::notes("no note"), ["no note"]);
}

#[test]
fn the_log_is_asked_first_and_then_mirrors_that_are_not_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let here = alarmed(folder.path(), Vec::new(), 12);
    let branch = Branch::new(0, 20, "a");
    here.submit(&[branch.note(9), branch.note(20)]);
    let question = here.questions().pop().unwrap();
    let place = |name: &str| Place {
        name: name.into(),
        url: format!("https://{name}"),
    };
    let mut places = Places {
        mirrors: ["log.example", "b", "c"].map(place).into(),
        ..Places::default()
    };
    let digest = Hash::of(ORIGIN.as_bytes());
    let mirror = |name: &str| Some(format!("https://{name}/mirror/{digest}"));
    // Nobody knows where the log is.
    assert_eq!(link::url(&places, &question, 4), mirror("b"));
    let url = "https://log.example".to_owned();
    places.logs.insert(ORIGIN.into(), url.clone());
    assert_eq!(link::url(&places, &question, 4), Some(url.clone()));
    // A log without mirrors is asked again.
    places.mirrors.clear();
    let asks_mirror = loop {
        let questions = here.questions();
        let mut questions = questions.into_iter();
        if let Some(asks) = questions.find(|it| it.source() != Source::Log) {
            break asks;
        }
    };
    assert_eq!(link::url(&places, &asks_mirror, 4), Some(url));
    places.logs.clear();
    assert_eq!(link::url(&places, &asks_mirror, 4), None);
}

/// Its tiles are of one log, and what it has not signed it may never sign.
#[test]
fn a_log_proves_what_it_signed_and_nothing_of_others() {
    let (folder, branch) = (tempfile::tempdir().unwrap(), Branch::new(0, 20, "a"));
    let here = gossip(folder.path(), Vec::new());
    here.submit(&[branch.note(9), branch.note(20)]);
    let question = here.questions().pop().unwrap();
    let (store, mut batch) = (Arc::new(Memory::new()), Batch::new());
    for (tile, hashes) in Frontier::new().append(&branch.leaves) {
        let bytes: Vec<u8> = hashes.iter().flat_map(|hash| *hash.as_bytes()).collect();
        batch.put(Table::Tiles, records::tile_key(tile), bytes);
    }
    store.commit(batch).unwrap();
    for (signed, origin, is_proven) in [
        (20, ORIGIN, true),
        (19, ORIGIN, false),
        (20, "log.example/b", false),
    ] {
        let view = View::new(store.clone(), 1);
        view.sign(TreeSize::new(signed));
        let answer = OwnLog::new(Arc::new(view), origin).answer(&question);
        assert_eq!(answer.is_some(), is_proven, "{signed} {origin}");
    }
}
