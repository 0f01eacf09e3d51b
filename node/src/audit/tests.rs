//! An auditor over a mirror's store in memory: honest logs, logs that break each rule, crashes, and
//! damage.

use super::auditor::{Auditor, Next};
use super::shown::{CopiedLog, State};
use super::{Clock, Copied, CopyView, Shared};
use crate::mirror::clock::ClockError;
use crate::misbehavior::{Evidence, known::Known};
use crate::{
    index::StoredPages,
    mirror::{shelf::ShownLog, store::Rows},
    records,
    storage::{
        Batch, Reads, Table, Tables,
        memory::{Fault, Memory},
    },
};
use arc_swap::ArcSwap;
use assay_claims::claim::{PublicKey, SigningKey, sign};
use assay_claims::entry::{self, wire};
use assay_claims::index::map::{Resident, Serial, Whole};
use assay_claims::index::{Commitment, Label, Map, Query, labels_of_entry};
use assay_claims::issuer::IssuerId;
use assay_tlog::Hash;
use assay_tlog::checkpoint::Checkpoint;
use assay_tlog::cosigner::CosignerVerifier;
use assay_tlog::hash::leaf_hash;
use assay_tlog::head::LogVerifier;
use assay_tlog::mirror::Write;
use assay_tlog::note::{Algorithm, CosignerKey, SignerKey};
use assay_tlog::tree::{Frontier, LeafIndex, TreeSize, bundle};
use assay_tlog::witness::WitnessKeys;
use bytes::Bytes;
use std::{ops::Range, sync::Arc};

mod breaches;

const ORIGIN: &str = "log.example/a";
const NOW: u64 = 1_800_000_000;
const AT: u64 = NOW * 1000 - 1_000_000;

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> u64 {
        NOW
    }

    fn state(&self, last: u64) -> Result<u64, ClockError> {
        Ok(NOW.max(last))
    }
}

/// The entries of a log, and the index that they give.
#[derive(Default, Clone)]
struct Log {
    entries: Vec<Bytes>,
    map: Map<Whole>,
    pending: Vec<(Label, LeafIndex)>,
}

impl Log {
    /// With claims 1 to `claims` by a few issuers, and a commitment every so many.
    fn honest(claims: u64, period: u64) -> Self {
        let mut log = Log::default();
        log.commit();
        log.grow(1..claims + 1, period);
        log
    }

    /// Adds claims, a commitment every so many, and one at the end.
    fn grow(&mut self, numbers: Range<u64>, period: u64) {
        for number in numbers {
            self.push(claim(number, 1 + (number % 5) as u8));
            if number % period == 0 {
                self.commit();
            }
        }
        self.commit();
    }

    fn size(&self) -> u64 {
        self.entries.len() as u64
    }

    fn at(&self) -> u64 {
        AT + self.size()
    }

    fn push(&mut self, claim: wire::Claim) {
        self.push_at(self.at(), claim);
    }

    fn push_at(&mut self, at: u64, claim: wire::Claim) {
        let entry = entry::encode(at, claim).unwrap();
        let leaf = LeafIndex::new(self.size());
        let read = entry::Entry::parse(entry.clone()).unwrap();
        let labels = labels_of_entry(&read).into_iter();
        self.pending.extend(labels.map(|label| (label, leaf)));
        self.entries.push(entry);
    }

    fn next_commitment(&mut self) -> Commitment {
        self.pending.sort();
        let size = TreeSize::new(self.size());
        let update = self.map.update(&self.pending, size, &Resident, &Serial);
        self.map = update.unwrap().map;
        self.pending.clear();
        self.map.commitment()
    }

    fn commit(&mut self) {
        let said = self.next_commitment();
        self.say(said);
    }

    fn say(&mut self, said: Commitment) {
        let entry = entry::encode(self.at(), said.to_wire());
        self.entries.push(entry.unwrap());
    }
}

fn claim(number: u64, seed: u8) -> wire::Claim {
    let key = SigningKey::from_bytes(&[seed; 32]);
    let issuer = IssuerId::of_key(&PublicKey::from(&key));
    let payload = format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"digest":{{"sha256":"{number:064x}"}}}}],"predicateType":"https://e.org/x","predicate":{{}}}}"#
    );
    sign(payload.as_bytes(), &[(issuer, &key)])
}

fn log_key() -> SignerKey {
    SignerKey::from_seed(ORIGIN, &[1; 32]).unwrap()
}

fn verifier() -> LogVerifier {
    LogVerifier::new(ORIGIN, vec![log_key().verifier()]).unwrap()
}

fn keys() -> WitnessKeys {
    let name = "node.example/audit";
    let ed25519 = CosignerKey::from_seed(name, Algorithm::CosignatureV1, &[2; 32]).unwrap();
    let ml_dsa = CosignerKey::from_seed(name, Algorithm::MlDsa44, &[3; 32]).unwrap();
    WitnessKeys::new(ed25519, Some(ml_dsa)).unwrap()
}

/// Stores entries as a mirror does, and their head as mirrored.
fn mirror(store: &Memory, entries: &[Bytes]) {
    let rows = Rows::of(ORIGIN);
    let mut frontier = Frontier::new();
    for (index, some) in (0..).zip(entries.chunks(256)) {
        let mut bytes = Vec::new();
        for entry in some {
            bundle::push(&mut bytes, entry).unwrap();
        }
        let leaves: Vec<Hash> = some.iter().map(|entry| leaf_hash(entry)).collect();
        let tiles = frontier.append(&leaves);
        let mut batch = Batch::new();
        let write = Write {
            bundle: index,
            bytes,
            tiles,
            entries: frontier.size(),
            new: some.len() as u64,
            new_bytes: 0,
        };
        rows.put_bundle(&mut batch, write, 0);
        store.commit(batch).unwrap();
    }
    let checkpoint = Checkpoint {
        origin: ORIGIN.into(),
        size: frontier.size(),
        root: frontier.root(),
    };
    let head = verifier().verify(&checkpoint.sign(&log_key())).unwrap();
    let mut batch = Batch::new();
    rows.put_cosigned(&mut batch, &head, NOW, "");
    store.commit(batch).unwrap();
}

/// An auditor over a store, as it is after a start.
struct Started {
    auditor: Auditor,
    copied: Arc<CopiedLog>,
    signs: Arc<ArcSwap<WitnessKeys>>,
}

fn start(store: &Arc<Memory>) -> Started {
    start_with(store, evidence())
}

/// What is kept of misbehavior, in no folder. Of the log it has the key only.
fn evidence() -> Arc<Evidence> {
    let mut known = Known::default();
    known.log(&log_key().verifier());
    Arc::new(Evidence::open(&[], known).unwrap())
}

fn start_with(store: &Arc<Memory>, evidence: Arc<Evidence>) -> Started {
    let store: Arc<dyn Tables> = store.clone();
    let signs = Arc::new(ArcSwap::from_pointee(keys()));
    let shared = Shared::new(store.clone(), signs.clone(), Arc::new(Fixed), evidence, 1);
    let rows = Rows::of(ORIGIN);
    let part = Arc::new(Copied::new(store, rows.digest()));
    let view = Arc::new(CopyView::new(part, 1));
    let copied = Arc::new(CopiedLog::new(ORIGIN, view));
    let shown = ShownLog::new(&verifier());
    Started {
        auditor: Auditor::new(Arc::new(shared.unwrap()), verifier(), shown, copied.clone()),
        copied,
        signs,
    }
}

impl Started {
    /// Goes on until there is nothing to do. Fails if the store does.
    fn run(&mut self) -> Result<(), String> {
        while self.auditor.round().map_err(|e| e.to_string())? == Next::More {}
        Ok(())
    }

    fn state(&self) -> State {
        self.copied.status.load().state
    }

    /// The rule that was not kept, its leaf, and the one that it is held against.
    fn found(&self) -> (&'static str, u64, Option<u64>) {
        let status = self.copied.status.load();
        let finding = status.finding.as_ref().unwrap();
        let other = finding.other.map(LeafIndex::get);
        (finding.rule.name(), finding.leaf.get(), other)
    }

    /// The size that was cosigned last, from the note that is shown.
    fn cosigned(&self) -> u64 {
        let Some(note) = self.copied.audited.load_full() else {
            return 0;
        };
        let own = CosignerVerifier::new(keys().verifiers()).unwrap();
        let cosigned = own.verify(&note).unwrap();
        assert_eq!(cosigned.statements().len(), 2, "one line for each key");
        cosigned.checkpoint().size.get()
    }

    /// What is shown answers for every label as the log's own index does.
    fn check(&self, log: &Log) {
        let view = &self.copied.view;
        let published = view.published().unwrap();
        assert_eq!(published.size().get(), log.size());
        let map = published.index().unwrap();
        assert_eq!(map.commitment(), log.map.commitment());
        let labels: Vec<Label> = (1..40)
            .map(|number| Label::from_bytes(*Hash::of(&[number]).as_bytes()))
            .chain((1..log.size().min(60)).flat_map(|leaf| {
                let entry = records::read_entry(view.store(), LeafIndex::new(leaf)).unwrap();
                labels_of_entry(&entry::Entry::parse(entry).unwrap())
            }))
            .collect();
        let query = Query::labels(&labels);
        let copied = map.prove(&query, &StoredPages(view.store())).unwrap();
        let own = log.map.prove(&query, &Resident).unwrap();
        assert_eq!(copied, own);
        let leaf = LeafIndex::new(log.size() / 2);
        let path = view.inclusion(leaf, published.size()).unwrap();
        assert!(!path.is_empty());
        let hash = leaf_hash(&log.entries[leaf.get() as usize]);
        assert_eq!(
            records::find_leaf_hash(view.store(), &hash).unwrap(),
            Some(leaf)
        );
    }
}

#[test]
fn an_honest_log_is_replayed_cosigned_and_answers_as_it_grows() {
    let store = Arc::new(Memory::new());
    let mut auditor = start(&store);
    auditor.run().unwrap();
    assert_eq!(auditor.state(), State::Waiting);
    let mut log = Log::honest(1, 37);
    for numbers in [2..2, 2..70, 70..300, 300..1_200] {
        log.grow(numbers, 37);
        mirror(&store, &log.entries);
        auditor.run().unwrap();
        assert_eq!(auditor.state(), State::Audited);
        assert_eq!(auditor.cosigned(), log.size());
        auditor.check(&log);
        // Another process shows the same, before anything is replayed.
        let mut later = start(&store);
        later.run().unwrap();
        assert_eq!(later.cosigned(), log.size());
        later.check(&log);
    }
    // Stopped as it should be.
    auditor.auditor.close().unwrap();
    log.grow(1_200..1_300, 37);
    mirror(&store, &log.entries);
    let mut later = start(&store);
    later.run().unwrap();
    later.check(&log);
}

/// A commit that fails, and a power cut: the replay goes on from what was stored before, whichever
/// commit it was.
#[test]
fn a_replay_that_was_cut_off_goes_on() {
    let log = Log::honest(9_000, 500);
    let copied = Memory::new();
    mirror(&copied, &log.entries);
    for fault in [Fault::NotPersisted, Fault::PersistedButFailed] {
        for sound in 0..4 {
            let store = Arc::new(copied.crash());
            let mut auditor = start(&store);
            store.fail_commit_after(sound, fault);
            let stopped = auditor.run();
            assert!(stopped.is_err(), "{fault:?} after {sound}");
            let store = Arc::new(store.crash());
            let mut auditor = start(&store);
            auditor.run().unwrap();
            assert_eq!(auditor.cosigned(), log.size());
            auditor.check(&log);
        }
    }
}

#[test]
fn a_log_that_breaks_a_rule_is_cosigned_up_to_the_last_good_head() {
    let good = Log::honest(300, 37);
    let end = good.size();
    let mut cases: Vec<(&str, Log, Option<u64>, State)> = Vec::new();
    let mut broken = |rule, state, other, change: &dyn Fn(&mut Log)| {
        let mut log = good.clone();
        change(&mut log);
        for number in 1_000..1_010 {
            log.push(claim(number, 1));
        }
        log.commit();
        cases.push((rule, log, other, state));
    };
    broken("index", State::Disputed, None, &|log| {
        log.say(Commitment::empty());
    });
    broken("repeated", State::Broken, Some(5), &|log| {
        log.push(claim(5, 1))
    });
    broken("time", State::Broken, Some(end - 1), &|log| {
        log.push_at(AT, claim(900, 1));
    });
    broken("claim", State::Broken, None, &|log| {
        let mut wrong = claim(900, 1);
        wrong.payload = claim(901, 1).payload;
        log.push(wrong);
    });
    broken("signers", State::Broken, None, &|log| {
        let key = SigningKey::from_bytes(&[1; 32]);
        let other = IssuerId::of_key(&PublicKey::from(&SigningKey::from_bytes(&[9; 32])));
        log.push(sign(&claim(900, 1).payload, &[(other, &key)]));
    });
    broken("entry", State::Broken, None, &|log| {
        log.entries.push(Bytes::from_static(b"no entry"));
    });
    for (rule, log, other, state) in cases {
        let store = Arc::new(Memory::new());
        mirror(&store, &good.entries);
        let mut auditor = start(&store);
        auditor.run().unwrap();
        mirror(&store, &log.entries);
        auditor.run().unwrap();
        assert_eq!(auditor.state(), state, "{rule}");
        assert_eq!(auditor.found(), (rule, end, other));
        assert_eq!(auditor.cosigned(), end, "{rule}");
        auditor.check(&good);
        let dispute = auditor.copied.dispute.load_full();
        assert_eq!(dispute.is_some(), state == State::Disputed);
        // It stays so, and what is shown with it.
        let mut later = start(&store);
        later.run().unwrap();
        assert_eq!((later.state(), later.found()), (state, auditor.found()));
        assert_eq!(later.cosigned(), end);
        later.check(&good);
        assert_eq!(later.copied.dispute.load_full(), dispute);
    }
}

#[test]
fn a_note_on_another_index_says_which_one_and_is_signed() {
    let mut log = Log::honest(30, 7);
    let right = log.next_commitment();
    log.say(Commitment::empty());
    let store = Arc::new(Memory::new());
    mirror(&store, &log.entries);
    let mut auditor = start(&store);
    auditor.run().unwrap();
    let note = auditor.copied.dispute.load_full().unwrap();
    let own = CosignerVerifier::new(keys().verifiers()).unwrap();
    let said = own.verify(&note).unwrap().checkpoint().clone();
    assert_eq!(said.origin, format!("assay.disputed-index/v1 {ORIGIN}"));
    assert_eq!((said.size.get(), said.root), (log.size(), right.root));
    assert_eq!(auditor.cosigned(), 0);
    assert!(auditor.copied.view.published().is_err());
}

#[test]
fn a_head_that_ends_in_a_claim_is_not_cosigned() {
    let mut log = Log::honest(30, 7);
    let good = log.size();
    let store = Arc::new(Memory::new());
    mirror(&store, &log.entries);
    let mut auditor = start(&store);
    auditor.run().unwrap();
    log.push(claim(31, 1));
    mirror(&store, &log.entries);
    auditor.run().unwrap();
    assert_eq!(auditor.found(), ("uncommitted", good, None));
    assert_eq!(auditor.cosigned(), good);
}

#[test]
fn what_holds_no_assay_entries_is_mirrored_only() {
    let store = Arc::new(Memory::new());
    let entries: Vec<Bytes> = (0..300).map(|n: u32| n.to_string().into()).collect();
    mirror(&store, &entries);
    let mut auditor = start(&store);
    auditor.run().unwrap();
    assert_eq!(auditor.state(), State::Foreign);
    // One that only begins as another does is no foreign one.
    let mut log = Log::default();
    log.push(claim(1, 1));
    log.commit();
    let store = Arc::new(Memory::new());
    mirror(&store, &log.entries);
    let mut auditor = start(&store);
    auditor.run().unwrap();
    assert_eq!(auditor.found(), ("first_leaf", 0, None));
}

#[test]
fn a_last_leaf_from_the_future_is_not_cosigned_yet() {
    let mut log = Log::default();
    log.commit();
    log.push_at(NOW * 1000 + 11 * 60_000, claim(1, 1));
    let said = log.next_commitment();
    let entry = entry::encode(NOW * 1000 + 11 * 60_000, said.to_wire()).unwrap();
    log.entries.push(entry);
    let store = Arc::new(Memory::new());
    mirror(&store, &log.entries);
    let mut auditor = start(&store);
    auditor.run().unwrap();
    assert_eq!(auditor.state(), State::Ahead);
    assert_eq!(auditor.cosigned(), 0);
}

/// A disk that damaged an entry blames no log.
#[test]
fn damage_here_is_not_the_logs_fault() {
    let log = Log::honest(300, 37);
    let store = Arc::new(Memory::new());
    mirror(&store, &log.entries);
    let key = [Rows::of(ORIGIN).digest().as_bytes(), &[0; 8][..]].concat();
    let row = store.get(Table::Segments, &key).unwrap().unwrap();
    for at in [3, 90, 300, 5_000] {
        let mut bytes = row.to_vec();
        bytes[at] ^= 4;
        let mut batch = Batch::new();
        batch.put(Table::Segments, key.clone(), bytes);
        let damaged = Arc::new(store.crash());
        damaged.commit(batch).unwrap();
        let mut auditor = start(&damaged);
        assert!(auditor.run().is_err(), "byte {at}");
        assert!(auditor.copied.status.load().finding.is_none());
    }
}
