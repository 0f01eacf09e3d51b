//! Two peers, and peers that are none.

use super::*;
use std::collections::{BTreeMap, BTreeSet};

/// A peer with its pool, the texts that it has, and the branch whose tiles it has.
struct Peer {
    pool: Pool,
    texts: BTreeMap<Hash, String>,
    tiles: Option<Branch>,
}

impl Peer {
    fn new(heads: &[VerifiedHead]) -> Self {
        let mut pool = pool();
        for head in heads {
            let _ = pool.take(head, 0, 0);
        }
        Peer {
            pool,
            texts: BTreeMap::new(),
            tiles: None,
        }
    }

    fn with_tiles(mut self, branch: &Branch) -> Self {
        self.tiles = Some(branch.clone());
        self
    }

    /// Does with what came what a node does. The text stands for one of misbehavior.
    fn settle(&mut self, received: Received) -> Vec<String> {
        let mut forks = received.forks;
        for question in &received.questions {
            let Some(tiles) = &self.tiles else { continue };
            let newer = usize::try_from(question.newer().size().get()).unwrap();
            if question.newer().root() != tiles.root(newer) {
                continue;
            }
            match question.judge(&tiles.answer(question)) {
                Judged::Linked(link) => forks.extend(self.pool.link(&link)),
                Judged::Fork(fork) => forks.push(fork),
                Judged::Nothing(error) => panic!("{error}"),
            }
        }
        for fork in forks {
            check(&fork);
            let mut notes = [fork.older().note(), fork.newer().note()];
            notes.sort_unstable();
            self.hold(notes.concat());
        }
        for text in received.evidence {
            self.hold(text);
        }
        let wanted = received.evidence_wanted.iter();
        wanted.map(|id| self.texts[id].clone()).collect()
    }

    fn hold(&mut self, text: String) {
        let id = Hash::of(text.as_bytes());
        self.pool.hold(CulpritId::of_log(ORIGIN), id);
        self.texts.insert(id, text);
    }

    fn is_convinced(&self) -> bool {
        self.pool.standing(ORIGIN, 0) == Standing::Convicted && !self.texts.is_empty()
    }
}

/// One exchange. Returns its turns.
fn meet(one: &mut Peer, other: &mut Peer) -> Vec<Turn> {
    let (mut opens, first) = Exchange::open(&mut one.pool, SALT);
    let mut answers = Exchange::answer();
    let mut turns = vec![first];
    loop {
        let turn = turns.last().unwrap().clone();
        let (peer, exchange) = if turns.len() % 2 == 1 {
            (&mut *other, &mut answers)
        } else {
            (&mut *one, &mut opens)
        };
        let received = exchange.receive(&mut peer.pool, &turn, 0, 0).unwrap();
        let texts = peer.settle(received);
        match exchange.reply(&peer.pool, texts) {
            Some(turn) => turns.push(turn),
            None => return turns,
        }
    }
}

#[test]
fn peers_that_have_the_same_say_no_more_than_that() {
    let tree = Branch::new(20);
    let [mut one, mut other] = [7, 7].map(|size| Peer::new(&[tree.head(size)]));
    let turns = meet(&mut one, &mut other);
    assert_eq!(turns.len(), 2);
    assert_eq!(turns[0].lines, turns[1].lines);
    assert_eq!(
        turns[1],
        Turn {
            lines: turns[1].lines.clone(),
            ..Turn::default()
        }
    );
}

#[test]
fn either_gets_the_heads_of_the_other() {
    let tree = Branch::new(20);
    for (here, there) in [(7, 12), (12, 7)] {
        let [mut one, mut other] =
            [here, there].map(|size| Peer::new(&[tree.head(size)]).with_tiles(&tree));
        let _ = meet(&mut one, &mut other);
        for peer in [&one, &other] {
            assert_eq!(peer.pool.tip(ORIGIN), Some(&tree.head(12)));
            assert_eq!(peer.pool.heads(ORIGIN).count(), 1);
        }
        // Whoever was behind is known to have been.
        assert_eq!(meet(&mut one, &mut other).len(), 2);
        let mut behind = Peer::new(&[tree.head(7)]);
        let turns = meet(&mut behind, &mut one);
        assert_eq!(turns[1].wanted, vec![]);
        assert_eq!(turns[2].wanted.len(), 1);
    }
}

#[test]
fn a_head_that_waits_is_passed_on_beside_the_tip() {
    let tree = Branch::new(20);
    let other = tree.fork(3);
    let mut here = Peer::new(&[tree.head(12), other.head(7)]);
    let mut there = Peer::new(&[tree.head(12)]);
    let turns = meet(&mut here, &mut there);
    assert_eq!(turns[0].lines.len(), 2);
    assert_eq!(there.pool.heads(ORIGIN).count(), 2);
    // The next one has the tiles, and tells both.
    let mut mirror = Peer::new(&[tree.head(12)]).with_tiles(&tree);
    let _ = meet(&mut there, &mut mirror);
    assert!(mirror.is_convinced() && there.is_convinced());
}

#[test]
fn a_split_view_convinces_both_at_once_and_others_by_the_text() {
    let tree = Branch::new(20);
    let other = tree.fork(3);
    let mut here = Peer::new(&[tree.head(7)]);
    let mut there = Peer::new(&[other.head(7)]);
    let _ = meet(&mut here, &mut there);
    assert!(here.is_convinced() && there.is_convinced());
    assert_eq!(here.texts, there.texts);
    // Nothing is said of the log any more.
    let turns = meet(&mut here, &mut there);
    assert!(turns.iter().all(|turn| turn.lines.is_empty()));

    let mut third = Peer::new(&[tree.head(7)]);
    let turns = meet(&mut here, &mut third);
    assert!(third.is_convinced());
    assert_eq!(turns.len(), 3);
    // Long after, whoever still counts the log among the honest is told by its lines.
    for _ in 0..=limits::GOSSIP_FRESH_ROUNDS {
        here.pool.next_round();
    }
    let mut late = Peer::new(&[tree.head(9)]);
    let _ = meet(&mut late, &mut here);
    assert!(late.is_convinced());
}

/// The side with the larger tree has the tiles, and makes evidence that the other one cannot.
#[test]
fn a_rewrite_convinces_both_within_one_exchange() {
    let tree = Branch::new(20);
    let other = tree.fork(3);
    for larger_opens in [true, false] {
        for old in [7, 8] {
            let mut smaller = Peer::new(&[tree.head(old)]).with_tiles(&tree);
            let mut larger = Peer::new(&[other.head(15)]).with_tiles(&other);
            if larger_opens {
                let _ = meet(&mut larger, &mut smaller);
            } else {
                let _ = meet(&mut smaller, &mut larger);
            }
            assert!(larger.is_convinced() && smaller.is_convinced(), "{old}");
        }
    }
}

/// An exchange that was just opened with a peer that has one head.
pub(super) fn opened() -> (Pool, Exchange, Line) {
    let mut pool = pool();
    let _ = pool.take(&Branch::new(20).head(7), 0, 0);
    let (exchange, first) = Exchange::open(&mut pool, SALT);
    (pool, exchange, first.lines[0])
}

fn refused(turn: &Turn) -> ExchangeFault {
    let (mut pool, mut exchange, _) = opened();
    let before = format!("{pool:?}");
    let fault = exchange.receive(&mut pool, turn, 0, 0).unwrap_err();
    assert_eq!(format!("{pool:?}"), before);
    fault
}

#[test]
fn a_turn_that_is_too_large_is_refused() {
    let (_, _, line) = opened();
    let lines = |count| vec![line; count];
    let id = EvidenceLine {
        culprit: CulpritId(1),
        id: Hash::of(b""),
    };
    let empty = Turn::default;
    let large = [
        Turn {
            lines: lines(257),
            ..empty()
        },
        Turn {
            wanted: lines(65),
            ..empty()
        },
        Turn {
            notes: vec![String::new(); 65],
            ..empty()
        },
        Turn {
            notes: vec!["n".repeat(4097)],
            ..empty()
        },
        Turn {
            evidence_ids: vec![id; 65],
            ..empty()
        },
        Turn {
            evidence_wanted: vec![id.id; 65],
            ..empty()
        },
        Turn {
            evidence: vec![String::new(); 65],
            ..empty()
        },
        Turn {
            evidence: vec!["e".repeat(1 << 17), "e".repeat((1 << 17) + 1)],
            ..empty()
        },
    ];
    for turn in large {
        let fault = turn.check().unwrap_err();
        assert_eq!(fault.found, fault.most + 1);
        assert_eq!(refused(&turn), ExchangeFault::Turn(fault));
    }
}

#[test]
fn what_was_not_asked_for_is_refused() {
    let note = Branch::new(20).head(9).note().to_owned();
    let unasked = [
        Turn {
            notes: vec![note],
            ..Turn::default()
        },
        Turn {
            evidence: vec!["text".into()],
            ..Turn::default()
        },
    ];
    for turn in unasked {
        assert_eq!(refused(&turn), ExchangeFault::Unasked);
    }
    let salted = Turn {
        salt: Some(SALT),
        ..Turn::default()
    };
    assert_eq!(refused(&salted), ExchangeFault::Salt);
    let mut answers = Exchange::answer();
    let fault = answers.receive(&mut pool(), &Turn::default(), 0, 0);
    assert_eq!(fault, Err(ExchangeFault::Salt));
}

#[test]
fn a_wanted_text_has_to_be_the_one_that_was_named() {
    let (mut pool, mut exchange, _) = opened();
    let named = |text: &str| EvidenceLine {
        culprit: CulpritId::of_log(ORIGIN),
        id: Hash::of(text.as_bytes()),
    };
    let stranger = EvidenceLine {
        culprit: CulpritId::of_log("another"),
        ..named("stranger")
    };
    let turn = Turn {
        evidence_ids: vec![named("one"), named("one"), stranger],
        ..Turn::default()
    };
    let _ = exchange.receive(&mut pool, &turn, 0, 0).unwrap();
    let reply = exchange.reply(&pool, vec![]).unwrap();
    assert_eq!(reply.evidence_wanted, [named("one").id]);
    for (text, is_right) in [("two", false), ("one", true)] {
        let turn = Turn {
            evidence: vec![text.into()],
            ..Turn::default()
        };
        let mut exchange = exchange.clone();
        let received = exchange.receive(&mut pool, &turn, 0, 0);
        assert_eq!(received.is_ok(), is_right);
    }
    // That it was named convicts nobody.
    assert_eq!(pool.standing(ORIGIN, 0), Standing::Clear);
}

#[test]
fn heads_that_were_wanted_have_to_be_heads() {
    let tree = Branch::new(20);
    let line = Line {
        log: LogId::of(ORIGIN),
        note: NoteId(5),
    };
    let wrong = tree.head(9).note().replace("\n9\n", "\n8\n");
    let unsigned = format!("{}\n", tree.checkpoint(9).body());
    let another = tree.head(9).note().replace(ORIGIN, "log.example/b");
    let stranger = SignerKey::from_seed(ORIGIN, &[9; 32]).unwrap();
    let unknown = tree.checkpoint(9).sign(&stranger);
    let notes = [
        (wrong, true),
        (unsigned, false),
        (another, true),
        (unknown, true),
    ];
    for (note, is_taken) in notes {
        let (mut pool, mut exchange, _) = opened();
        let turn = Turn {
            lines: vec![line],
            ..Turn::default()
        };
        let _ = exchange.receive(&mut pool, &turn, 0, 0).unwrap();
        assert_eq!(exchange.reply(&pool, vec![]).unwrap().wanted, [line]);
        let turn = Turn {
            notes: vec![note.clone()],
            ..Turn::default()
        };
        let received = exchange.receive(&mut pool, &turn, 0, 0);
        assert_eq!(received.is_ok(), is_taken, "{note}");
        assert_eq!(pool.heads(ORIGIN).count(), 1);
    }
}

#[test]
fn a_peer_that_does_not_end_is_left() {
    let (mut pool, mut exchange, line) = opened();
    let digest = Turn {
        lines: vec![line],
        ..Turn::default()
    };
    let wants = Turn {
        wanted: vec![line; 33],
        ..Turn::default()
    };
    let _ = exchange.receive(&mut pool, &digest, 0, 0).unwrap();
    assert_eq!(exchange.reply(&pool, vec![]), None);
    let again = exchange.receive(&mut pool, &digest, 0, 0);
    assert_eq!(again, Err(ExchangeFault::SecondDigest));
    let _ = exchange.receive(&mut pool, &wants, 0, 0).unwrap();
    // It gets what it wants once.
    let notes = exchange.reply(&pool, vec![]).unwrap().notes;
    assert_eq!(notes.len(), 1);
    let more = exchange.receive(&mut pool, &wants, 0, 0);
    assert_eq!(more, Err(ExchangeFault::Wants(33)));
    let mut turns = 0;
    while exchange.receive(&mut pool, &Turn::default(), 0, 0).is_ok() {
        let _ = exchange.reply(&pool, vec!["x".into()]);
        turns += 2;
        assert!(turns <= limits::GOSSIP_TURNS);
    }
}

#[test]
fn evidence_is_loaded_once_and_only_if_there_is_any() {
    let (mut pool, mut exchange, _) = opened();
    let (here, nowhere) = (Hash::of(b"here"), Hash::of(b"nowhere"));
    pool.hold(CulpritId::of_log(ORIGIN), here);
    let turn = Turn {
        evidence_wanted: vec![here, nowhere, here, here],
        ..Turn::default()
    };
    let received = exchange.receive(&mut pool, &turn, 0, 0).unwrap();
    assert_eq!(received.evidence_wanted, [here]);
    // What does not fit is left out.
    let texts = vec!["e".repeat(256 * 1024), "e".into()];
    let reply = exchange.reply(&pool, texts).unwrap();
    assert_eq!(reply.evidence.len(), 1);
    assert_eq!(reply.check(), Ok(()));
}

#[test]
fn lines_that_are_made_up_bring_no_more_than_64_questions() {
    let (mut pool, mut exchange, _) = opened();
    let lines = (0..256).map(|note| Line {
        log: LogId::of(ORIGIN),
        note: NoteId(note),
    });
    let turn = Turn {
        lines: lines.collect(),
        ..Turn::default()
    };
    let _ = exchange.receive(&mut pool, &turn, 0, 0).unwrap();
    let reply = exchange.reply(&pool, vec![]).unwrap();
    assert_eq!(reply.wanted.len(), limits::GOSSIP_NOTES);
    assert_eq!(reply.check(), Ok(()));
}

/// A thousand logs, with one head each.
fn thousand(changed: bool) -> Pool {
    let mut pool = Pool::new(SETTINGS);
    for at in 0..1_000 {
        let origin = format!("log {at}");
        let log = LogVerifier::new(&origin, vec![KEY.verifier()]).unwrap();
        pool.add_log(log.clone()).unwrap();
        let checkpoint = Checkpoint {
            origin,
            ..Branch::new(9).checkpoint(9)
        };
        let _ = pool.take(&log.verify(&checkpoint.sign(&KEY)).unwrap(), 0, 0);
    }
    if !changed {
        for _ in 0..=limits::GOSSIP_FRESH_ROUNDS {
            pool.next_round();
        }
    }
    pool
}

#[test]
fn all_logs_have_their_turn_in_a_digest() {
    for (changed, lines) in [
        (false, limits::GOSSIP_IDLE_LINES),
        (true, limits::GOSSIP_LINES),
    ] {
        let mut pool = thousand(changed);
        let mut told = BTreeSet::new();
        for _ in 0..1_000_usize.div_ceil(lines) {
            let (_, turn) = Exchange::open(&mut pool, SALT);
            assert_eq!(turn.lines.len(), lines);
            told.extend(turn.lines.iter().map(|line| line.log));
        }
        assert_eq!(told.len(), 1_000);
    }
}

#[test]
fn what_changed_is_told_first() {
    let mut pool = thousand(false);
    let changed = LogVerifier::new("log 500", vec![KEY.verifier()]).unwrap();
    let checkpoint = Checkpoint {
        origin: "log 500".into(),
        ..Branch::new(20).checkpoint(20)
    };
    let _ = pool.take(&changed.verify(&checkpoint.sign(&KEY)).unwrap(), 0, 0);
    for round in 0..=limits::GOSSIP_FRESH_ROUNDS {
        let (_, turn) = Exchange::open(&mut pool, SALT);
        assert_eq!(turn.lines.len(), limits::GOSSIP_IDLE_LINES, "{round}");
        assert!(
            turn.lines[..2]
                .iter()
                .all(|line| line.log == LogId::of("log 500"))
        );
        pool.next_round();
    }
    // What differs is told whatever has its turn.
    let differs = Line {
        log: LogId::of("log 7"),
        note: NoteId(9),
    };
    let mut exchange = Exchange::answer();
    let turn = Turn {
        salt: Some(SALT),
        lines: vec![differs],
        ..Turn::default()
    };
    let _ = exchange.receive(&mut pool, &turn, 0, 0).unwrap();
    let reply = exchange.reply(&pool, vec![]).unwrap();
    assert_eq!(reply.lines[0].log, differs.log);
    assert_eq!(reply.wanted, [differs]);
}

/// A log can find two trees whose names are alike without salt. With it, they differ in nearly all
/// exchanges: what is named alike in one is not in the next.
#[test]
fn names_change_with_every_exchange() {
    let mut pool = thousand(true);
    let (_, one) = Exchange::open(&mut pool.clone(), SALT);
    let (_, other) = Exchange::open(&mut pool, Salt([4; 16]));
    let pairs = one.lines.iter().zip(&other.lines);
    for (one, other) in pairs {
        assert_eq!(one.log, other.log);
        assert_ne!(one.note, other.note);
    }
}
