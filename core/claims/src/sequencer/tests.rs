use super::*;
use crate::claim::{self, PublicKey, SigningKey, VerifiedClaim};
use crate::entry::Entry;
use crate::index::Commitment;
use crate::issuer::{
    IssuerId, IssuerRecord, Registry, authorize, genesis_id, hold_to_rules, statement,
};
use crate::json::Value;
use crate::kind::issuer::Issuer;
use crate::statement::{Statement, Subject};
use assay_tlog::Hash;
use assay_tlog::tree::{Frontier, LeafIndex};

fn key() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

fn record(sequence: u32, previous: Option<claim::ClaimId>) -> Issuer {
    Issuer {
        name: "Example".into(),
        contacts: vec![],
        keys: vec![PublicKey::from(&key())],
        threshold: 1,
        rotation: None,
        sequence,
        previous,
        namespaces: vec![],
        roles: vec![],
    }
}

fn signed(statement: &Statement) -> VerifiedClaim {
    let id = genesis_id(&record(0, None));
    claim::verify(
        &claim::sign(statement.to_json().as_bytes(), &[(id, &key())]),
        &(),
    )
    .unwrap()
}

fn ordinary(number: u8) -> VerifiedClaim {
    let subject = Subject::artifact(None, &Hash::of(&[number]));
    signed(
        &Statement::new(
            vec![subject],
            "https://example.com/p",
            Value::Object(vec![]),
        )
        .unwrap(),
    )
}

fn registration() -> VerifiedClaim {
    signed(&statement(&id(), &record(0, None)).unwrap())
}

fn rotation() -> VerifiedClaim {
    signed(&statement(&id(), &record(1, Some(registration().id()))).unwrap())
}

fn id() -> IssuerId {
    genesis_id(&record(0, None))
}

fn empty() -> Sequencer {
    let empty = Sequencer::empty();
    assert!(Sequencer::new(empty.head(), empty.frontier().clone()).is_some());
    empty
}

/// A registry with the issuer in it, as after leaf 0.
fn registered() -> Registry {
    let mut registry = Registry::new();
    let authorized = authorize(&registration(), &registry).unwrap();
    registry
        .apply(LeafIndex::new(0), authorized.change().cloned().unwrap())
        .unwrap();
    registry
}

fn candidate(claim: VerifiedClaim, registry: &Registry) -> Candidate {
    let authorized = authorize(&claim, registry).unwrap();
    Candidate::new(claim, &authorized).unwrap()
}

/// A candidate of a log that takes any valid signature.
fn unregistered(claim: VerifiedClaim, registry: &Registry) -> Candidate {
    let authorized = hold_to_rules(&claim, registry).unwrap();
    Candidate::new(claim, &authorized).unwrap()
}

fn index(outcome: &Outcome) -> u64 {
    match outcome {
        Outcome::Sequenced { index, .. } => index.get(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_step_holds_what_its_outcomes_say() {
    let registry = registered();
    let claims: Vec<_> = (0..3).map(|n| candidate(ordinary(n), &registry)).collect();
    let step = empty().plan(1000, claims, &[], &registry);
    assert_eq!(
        step.outcomes.iter().map(index).collect::<Vec<_>>(),
        [0, 1, 2]
    );
    assert_eq!(
        (step.first.get(), step.leaves.len(), step.size().get()),
        (0, 3, 3)
    );
    assert_eq!(step.expected, Head::empty());
    let mut frontier = Frontier::new();
    for (n, leaf) in step.leaves.iter().enumerate() {
        let entry = Entry::parse(leaf.entry.clone()).unwrap();
        assert_eq!(entry.leaf_hash(), leaf.hash);
        assert_eq!(entry.claim(), Ok(ordinary(n as u8).claim()));
        assert_eq!(entry.logged_at_ms(), 1000);
        frontier.append(&[leaf.hash]);
    }
    assert_eq!(
        step.next.head(),
        Head {
            size: frontier.size(),
            root: frontier.root(),
            last_ms: 1000,
            ..Head::empty()
        }
    );
}

#[test]
fn planning_changes_nothing() {
    let registry = registered();
    let state = empty();
    state.plan(1, vec![candidate(ordinary(1), &registry)], &[], &registry);
    assert_eq!(state.head(), Head::empty());
    assert_eq!(state.frontier().size().get(), 0);
}

#[test]
fn the_same_publication_gets_one_leaf() {
    let registry = registered();
    let same = || candidate(ordinary(1), &registry);
    // Known to the store; new; again within the batch.
    let known = [Some(LeafIndex::new(7)), None, None, None];
    let claims = vec![
        candidate(ordinary(2), &registry),
        same(),
        same(),
        candidate(ordinary(3), &registry),
    ];
    let step = empty().plan(1, claims, &known, &registry);
    assert_eq!(step.outcomes[0], Outcome::Existing(LeafIndex::new(7)));
    assert_eq!(index(&step.outcomes[1]), 0);
    assert_eq!(step.outcomes[2], Outcome::Existing(LeafIndex::new(0)));
    assert_eq!(index(&step.outcomes[3]), 1);
    assert_eq!(step.leaves.len(), 2);
}

/// A candidate with the statement of [`ordinary`], signed for each issuer by the key of a seed.
fn signed_by(number: u8, signers: &[(IssuerId, u8)]) -> Candidate {
    let keys: Vec<_> = signers
        .iter()
        .map(|(of, seed)| (*of, SigningKey::from_bytes(&[*seed; 32])))
        .collect();
    let signers: Vec<_> = keys.iter().map(|(of, key)| (*of, key)).collect();
    let payload = ordinary(number).claim().payload.clone();
    let claim = claim::verify(&claim::sign(&payload, &signers), &()).unwrap();
    unregistered(claim, &with_three())
}

/// A registry with [`three`] in it, as after leaf 0.
fn with_three() -> Registry {
    let mut registry = Registry::new();
    let body = Issuer {
        keys: (1..=3)
            .map(|seed| PublicKey::from(&SigningKey::from_bytes(&[seed; 32])))
            .collect(),
        ..record(0, None)
    };
    let record = IssuerRecord {
        id: three(),
        claim_id: ordinary(0).id(),
        body,
    };
    registry.apply(LeafIndex::new(0), record).unwrap();
    registry
}

/// An issuer with the keys of the seeds 1 to 3.
fn three() -> IssuerId {
    IssuerId::from_slice(&[7; 32]).unwrap()
}

/// The issuer of the key of a seed.
fn alone(seed: u8) -> IssuerId {
    IssuerId::of_key(&PublicKey::from(&SigningKey::from_bytes(&[seed; 32])))
}

/// Plans candidates one after the other, each in a step of its own or all in one. What the store
/// knows is what the steps before wrote.
fn outcomes(candidates: &[Candidate], in_one_step: bool) -> Vec<Outcome> {
    let registry = with_three();
    let mut state = empty();
    let mut stored = std::collections::HashMap::new();
    let mut outcomes = Vec::new();
    let size = if in_one_step { candidates.len() } else { 1 };
    for some in candidates.chunks(size) {
        let signatures = some.iter().flat_map(Candidate::signatures);
        let known: Vec<_> = signatures.map(|one| stored.get(one).copied()).collect();
        let step = state.plan(1, some.to_vec(), &known, &registry);
        for (at, leaf) in (step.first.get()..).zip(&step.leaves) {
            for signature in &leaf.signatures {
                let before = stored.insert(*signature, LeafIndex::new(at));
                assert_eq!(before, None, "a signature has one leaf");
            }
        }
        outcomes.extend(step.outcomes);
        state = step.next;
    }
    outcomes
}

#[test]
fn a_leaf_brings_a_new_key_for_each_of_its_issuers() {
    let (three, four, five) = (three(), alone(4), alone(5));
    let candidates = [
        signed_by(1, &[(three, 1)]),
        // The smallest set was logged first, by whoever: it keeps no other signature out.
        signed_by(1, &[(three, 1), (three, 2)]),
        signed_by(1, &[(three, 3)]),
        // The same set as before, a smaller one, and one that no leaf has together.
        signed_by(1, &[(three, 2), (three, 1)]),
        signed_by(1, &[(three, 1)]),
        signed_by(1, &[(three, 3), (three, 1)]),
        // A stranger adds its signature to somebody's claim: its own is enough.
        signed_by(1, &[(three, 1), (four, 4)]),
        signed_by(1, &[(four, 4)]),
        signed_by(1, &[(four, 4), (five, 5), (three, 3)]),
        // Two strangers together, and another claim.
        signed_by(1, &[(five, 5), (alone(6), 6)]),
        signed_by(2, &[(three, 1), (four, 4)]),
    ];
    let existing = |leaf| Outcome::Existing(LeafIndex::new(leaf));
    let nothing_new = |issuer, leaf| {
        let leaf = LeafIndex::new(leaf);
        Outcome::Refused(Refused::NothingNew { issuer, leaf })
    };
    for in_one_step in [false, true] {
        let outcomes = outcomes(&candidates, in_one_step);
        let new = [0, 1, 2, 7, 9, 10];
        assert_eq!(new.map(|at| index(&outcomes[at])), [0, 1, 2, 3, 4, 5]);
        assert_eq!(outcomes[3], existing(1));
        assert_eq!(outcomes[4], existing(0));
        assert_eq!(outcomes[5], existing(2));
        assert_eq!(outcomes[6], nothing_new(three, 0));
        assert_eq!(outcomes[8], nothing_new(three, 2));
    }
}

#[test]
fn time_never_falls() {
    let registry = registered();
    let first = empty().plan(
        5000,
        vec![candidate(ordinary(1), &registry)],
        &[],
        &registry,
    );
    let behind = first.next.plan(
        4000,
        vec![candidate(ordinary(2), &registry)],
        &[],
        &registry,
    );
    assert!(matches!(
        behind.outcomes[0],
        Outcome::Sequenced {
            logged_at_ms: 5000,
            ..
        }
    ));
    assert_eq!(behind.next.head().last_ms, 5000);
    let later = behind.next.plan(
        6000,
        vec![candidate(ordinary(3), &registry)],
        &[],
        &registry,
    );
    assert!(matches!(
        later.outcomes[0],
        Outcome::Sequenced {
            logged_at_ms: 6000,
            ..
        }
    ));
}

#[test]
fn an_issuer_registers_once_in_a_batch() {
    let nobody = Registry::new();
    let register = || candidate(registration(), &nobody);
    let step = empty().plan(1, vec![register(), register()], &[], &nobody);
    assert_eq!(index(&step.outcomes[0]), 0);
    assert_eq!(step.outcomes[1], Outcome::Existing(LeafIndex::new(0)));
    // Another registration of the same issuer, which is another claim, comes too late.
    let mut other = record(0, None);
    other.name = "Other".into();
    let other = candidate(signed(&statement(&id(), &other).unwrap()), &nobody);
    let step = empty().plan(1, vec![register(), other], &[], &nobody);
    assert_eq!(
        step.outcomes[1],
        Outcome::Refused(Refused::IssuerMoved { issuer: id() })
    );
    assert_eq!(step.leaves.len(), 1);
}

#[test]
fn what_was_authorized_under_an_older_record_is_refused() {
    let registry = registered();
    // In the same batch, behind the rotation; and the rotation itself twice over.
    let step = empty().plan(
        1,
        vec![
            candidate(ordinary(1), &registry),
            candidate(rotation(), &registry),
            candidate(ordinary(2), &registry),
        ],
        &[],
        &registry,
    );
    assert_eq!((index(&step.outcomes[0]), index(&step.outcomes[1])), (0, 1));
    assert_eq!(
        step.outcomes[2],
        Outcome::Refused(Refused::IssuerMoved { issuer: id() })
    );
    // In a later batch, when the rotation is in force.
    let mut rotated = registered();
    rotated
        .apply(LeafIndex::new(1), step.leaves[1].change.clone().unwrap())
        .unwrap();
    let late = step
        .next
        .plan(2, vec![candidate(ordinary(3), &registry)], &[], &rotated);
    assert_eq!(
        late.outcomes[0],
        Outcome::Refused(Refused::IssuerMoved { issuer: id() })
    );
    assert!(late.leaves.is_empty());
    assert_eq!(late.next.head(), step.next.head());
}

#[test]
fn what_was_authorized_before_a_registration_of_the_same_batch_is_refused() {
    let nobody = Registry::new();
    let key_2 = SigningKey::from_bytes(&[2; 32]);
    // Another issuer whose record has the key as well, and signs with it.
    let both = Issuer {
        keys: vec![PublicKey::from(&key()), PublicKey::from(&key_2)],
        ..record(0, None)
    };
    let other = genesis_id(&both);
    let payload = statement(&other, &both).unwrap().to_json();
    let signers = [(other, &key()), (other, &key_2)];
    let claim = claim::verify(&claim::sign(payload.as_bytes(), &signers), &()).unwrap();
    let refused = |issuer| Outcome::Refused(Refused::IssuerMoved { issuer });
    let batch = vec![
        candidate(registration(), &nobody),
        candidate(claim.clone(), &nobody),
    ];
    let step = empty().plan(1, batch, &[], &nobody);
    assert_eq!((index(&step.outcomes[0]), step.leaves.len()), (0, 1));
    assert_eq!(step.outcomes[1], refused(other), "a key of two issuers");

    // A signer that was not registered: its key became another's.
    let batch = vec![
        candidate(claim, &nobody),
        unregistered(ordinary(1), &nobody),
    ];
    let step = empty().plan(1, batch, &[], &nobody);
    assert_eq!((index(&step.outcomes[0]), step.leaves.len()), (0, 1));
    assert_eq!(step.outcomes[1], refused(id()), "a key of another");
    // And one that was registered itself meanwhile, with keys that may be others by now.
    let batch = vec![
        candidate(registration(), &nobody),
        unregistered(ordinary(1), &nobody),
    ];
    let step = empty().plan(1, batch, &[], &nobody);
    assert_eq!(step.outcomes[1], refused(id()));
}

#[test]
fn a_half_of_an_id_that_was_registered_meanwhile_is_refused() {
    let nobody = Registry::new();
    let late = candidate(registration(), &nobody);
    let mut registry = Registry::new();
    let (mut twin, mut body) = (*id().as_bytes(), record(0, None));
    twin[31] ^= 1;
    body.keys = vec![PublicKey::from(&SigningKey::from_bytes(&[2; 32]))];
    let twin = IssuerRecord {
        id: IssuerId::from_slice(&twin).unwrap(),
        claim_id: registration().id(),
        body,
    };
    registry.apply(LeafIndex::new(0), twin).unwrap();
    let step = empty().plan(1, vec![late], &[], &registry);
    assert_eq!(
        step.outcomes[0],
        Outcome::Refused(Refused::IssuerMoved { issuer: id() })
    );
}

#[test]
fn a_commitment_makes_the_tree_signable_until_the_next_leaf() {
    let registry = registered();
    let genesis = empty().plan_commitment(7, &Commitment::empty()).unwrap();
    assert!(genesis.next.head().ends_in_commitment() && genesis.leaves[0].signatures.is_empty());
    let entry = Entry::parse(genesis.leaves[0].entry.clone()).unwrap();
    assert_eq!(
        Commitment::of_entry(&entry, LeafIndex::new(0)),
        Ok(Commitment::empty())
    );
    let claimed = genesis
        .next
        .plan(8, vec![candidate(ordinary(1), &registry)], &[], &registry);
    assert!(!claimed.next.head().ends_in_commitment());
    assert_eq!(
        claimed.leaves[0].labels,
        crate::index::labels_of_claim(ordinary(1))
    );
    let other = Commitment {
        root: Hash::of(b"x"),
        labels: 2,
    };
    let commitment = claimed.next.plan_commitment(3, &other).unwrap();
    let head = commitment.next.head();
    assert_eq!(
        (head.size.get(), head.last_commitment.get(), head.last_ms),
        (3, 3, 8)
    );
}

#[test]
fn the_largest_claim_fits_an_entry() {
    let nobody = Registry::new();
    let issuers = 1..=16_u8;
    let keys: Vec<_> = issuers.map(|n| SigningKey::from_bytes(&[n; 32])).collect();
    // Signed sixteen times and filled up to the payload's limit, it still fits: the limits leave
    // room for the framing.
    let signers: Vec<_> = keys
        .iter()
        .map(|key| (IssuerId::of_key(&PublicKey::from(key)), key))
        .collect();
    let head = r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"a":"b"}}],"predicateType":"x:y","predicate":{"p":""#;
    let fill = crate::limits::PAYLOAD_BYTES - head.len() - 3;
    let payload = format!("{head}{}\"}}}}", "x".repeat(fill));
    let verified = claim::verify(&claim::sign(payload.as_bytes(), &signers), &()).unwrap();
    let candidate = unregistered(verified, &nobody);
    let step = empty().plan(u64::MAX, vec![candidate], &[], &nobody);
    assert_eq!(index(&step.outcomes[0]), 0);
    assert!(step.leaves[0].entry.len() <= assay_tlog::limits::ENTRY_BYTES);
}

#[test]
fn a_head_and_another_trees_edge_do_not_make_a_state() {
    let mut frontier = Frontier::new();
    frontier.append(&[Hash::of(b"x")]);
    assert!(Sequencer::new(Head::empty(), frontier.clone()).is_none());
    let head = Head {
        size: frontier.size(),
        root: frontier.root(),
        ..Head::empty()
    };
    assert!(
        Sequencer::new(
            Head {
                root: Hash::of(b"y"),
                ..head
            },
            frontier.clone()
        )
        .is_none()
    );
    assert!(Sequencer::new(head, frontier).is_some());
}

#[test]
fn an_invitation_brings_one_issuer() {
    let nobody = Registry::new();
    let token = Some(Hash::of(b"token"));
    let [first, second] = [1, 2].map(|number| unregistered(ordinary(number), &nobody));
    let batch = vec![first.invited(token), second.invited(token)];
    let step = empty().plan(1, batch, &[], &nobody);
    assert_eq!((step.leaves.len(), step.leaves[0].invitation), (1, token));
    assert_eq!(step.outcomes[1], Outcome::Refused(Refused::InvitationUsed));
}
