use super::*;
use crate::checkpoint::Checkpoint;
use crate::hash::Hash;
use crate::limits;
use crate::note::{Algorithm, CosignerKey, KeyError, Note, NoteError, SignerKey, VerifierKey};
use crate::tree::TreeSize;
use base64::prelude::{BASE64_STANDARD, Engine};
use ed25519_dalek::{Signer, SigningKey};

fn log() -> SignerKey {
    SignerKey::from_seed("example.com/log", &[99; 32]).unwrap()
}

/// The key of a witness, which signs under `name`.
fn witness(name: &str, seed: u8) -> VerifierKey {
    let key = SigningKey::from_bytes(&[seed; 32]).verifying_key();
    VerifierKey::new(name, Algorithm::CosignatureV1, key.as_bytes()).unwrap()
}

/// A policy with the witnesses w1 to w4, and these lines after them.
fn text(rest: &str) -> String {
    let mut text = format!("log {}\n", log().verifier());
    for i in 1..=4 {
        text.push_str(&format!(
            "witness w{i} {}\n",
            witness(&format!("witness{i}"), i)
        ));
    }
    text + rest
}

fn policy(rest: &str) -> TlogPolicy {
    TlogPolicy::parse(&text(rest)).unwrap()
}

fn fault(rest: &str) -> TlogPolicyFault {
    TlogPolicy::parse(&text(rest)).unwrap_err().fault
}

/// A checkpoint that the log signed, and these witnesses cosigned at these times.
fn checkpoint(cosigned: &[(u8, u64)]) -> String {
    let checkpoint = Checkpoint {
        origin: "example.com/log".into(),
        size: TreeSize::new(7),
        root: Hash::of(b"root"),
    };
    let mut note = checkpoint.sign(&log());
    for (i, time) in cosigned {
        let key = witness(&format!("witness{i}"), *i);
        let message = format!("cosignature/v1\ntime {time}\n{}", checkpoint.body());
        let signature = SigningKey::from_bytes(&[*i; 32])
            .sign(message.as_bytes())
            .to_bytes();
        let bytes = [
            &key.key_id().to_be_bytes()[..],
            &time.to_be_bytes(),
            &signature,
        ]
        .concat();
        note.push_str(&format!(
            "\u{2014} {} {}\n",
            key.name(),
            BASE64_STANDARD.encode(bytes)
        ));
    }
    note
}

#[test]
fn a_threshold_of_zero_does_not_load() {
    for stated in [
        "0",
        "00",
        "-1",
        "+1",
        "1.0",
        "5",
        "",
        "none",
        "18446744073709551617",
    ] {
        let fault = fault(&format!("group g {stated} w1 w2 w3 w4\nquorum g\n"));
        match stated {
            // Without a threshold the first member is read as one.
            "" => assert_eq!(
                fault,
                TlogPolicyFault::Threshold {
                    stated: "w1".into(),
                    members: 3
                }
            ),
            _ => assert_eq!(
                fault,
                TlogPolicyFault::Threshold {
                    stated: stated.into(),
                    members: 4
                },
                "{stated}"
            ),
        }
    }
}

#[test]
fn a_quorum_counts_members_and_never_signatures() {
    let policy = policy("group a 2 w1 w2 w3\ngroup b all a w4\nquorum b\n");
    for (cosigned, accepted) in [
        (&["w1", "w2", "w4"][..], true),
        (&["w1", "w2", "w3", "w4"], true),
        (&["w1", "w2", "w3"], false),
        (&["w1", "w4"], false),
        (&["w1", "w1", "w1", "w4"], false),
        (&["w1", "nobody", "w4"], false),
        (&[], false),
    ] {
        assert_eq!(
            policy.is_quorum(cosigned.iter().copied()),
            accepted,
            "{cosigned:?}"
        );
    }
    assert_eq!(policy.quorum(), Some("b"));
    assert_eq!(
        policy.members(&policy.groups()[1]).collect::<Vec<_>>(),
        ["a", "w4"]
    );
}

#[test]
fn a_checkpoint_needs_a_known_log_and_the_quorum() {
    let policy = policy("group g 2 w1 w2 w3\nquorum g\n");
    let verified = policy.verify(&checkpoint(&[(1, 100), (2, 50)])).unwrap();
    assert_eq!(verified.checkpoint().size, TreeSize::new(7));
    assert_eq!(verified.witnesses(), ["w1", "w2"]);
    for cosigned in [&[][..], &[(1, 100)], &[(1, 100), (4, 100)]] {
        assert!(
            matches!(
                policy.verify(&checkpoint(cosigned)),
                Err(QuorumError::Quorum(_))
            ),
            "{cosigned:?}"
        );
    }
    let twice = policy.verify(&checkpoint(&[(1, 100), (1, 101)]));
    let name = "witness1".into();
    assert_eq!(
        twice,
        Err(QuorumError::Note(NoteError::SignatureTwice { name }))
    );
    let wrong =
        checkpoint(&[(1, 100), (2, 50)]).replace("example.com/log\n7", "example.com/log\n8");
    assert!(matches!(policy.verify(&wrong), Err(QuorumError::Note(_))));
    let origin = String::from("elsewhere.example/log");
    let elsewhere = Checkpoint {
        origin: origin.clone(),
        size: TreeSize::new(7),
        root: Hash::of(b"root"),
    }
    .sign(&log());
    assert_eq!(
        self::policy("quorum none\n").verify(&elsewhere),
        Err(QuorumError::Log(origin))
    );
    let stranger = TlogPolicy::parse(&format!(
        "witness w1 {}\nquorum w1\n",
        witness("witness1", 1)
    ))
    .unwrap();
    let outcome = stranger.verify(&checkpoint(&[(1, 100)]));
    assert_eq!(outcome, Err(QuorumError::Log("example.com/log".into())));
}

#[test]
fn one_late_cosignature_does_not_make_a_checkpoint_fresh() {
    let policy = policy("group g 2 w1 w2 w3\nquorum g\n");
    let time = |cosigned: &[(u8, u64)]| policy.verify(&checkpoint(cosigned)).unwrap().cosigned_at();
    assert_eq!(time(&[(1, 900), (2, 50)]), Some(50));
    assert_eq!(time(&[(1, 900), (2, 50), (3, 700)]), Some(700));
    assert_eq!(
        self::policy("quorum none\n")
            .verify(&checkpoint(&[]))
            .unwrap()
            .cosigned_at(),
        None
    );
}

#[test]
fn one_operator_with_two_keys_counts_once() {
    let second = witness("witness1", 9);
    let two = |rest: &str| TlogPolicy::parse(&text(&format!("witness second {second}\n{rest}")));
    let refused = TlogPolicyFault::OneOperator("w1".into(), "second".into());
    for rest in [
        "group g 2 w1 second w2\nquorum g\n",
        "group g all w1 second\nquorum g\n",
        "group a any w1 w2\ngroup b any second w3\ngroup g all a b\nquorum g\n",
    ] {
        assert_eq!(two(rest).unwrap_err().fault, refused, "{rest}");
    }
    assert!(two("group mine any w1 second\ngroup g 2 mine w2 w3\nquorum g\n").is_ok());
    assert!(two("quorum w2\n").is_ok());
}

/// Logs and witnesses have keys of type 0x06, too; both keys of one witness are one voice.
#[test]
fn ml_dsa_44_counts_for_logs_and_witnesses() {
    let ml_dsa = |name: &str, seed: u8| {
        CosignerKey::from_seed(name, Algorithm::MlDsa44, &[seed; 32]).unwrap()
    };
    let (of_log, of_witness) = (ml_dsa("example.com/log", 50), ml_dsa("witness1", 51));
    let lines = format!(
        "log {}\nwitness w1ml {}\n",
        of_log.verifier(),
        of_witness.verifier()
    );
    let rest = format!("{lines}group one any w1 w1ml\ngroup g 2 one w2\nquorum g\n");
    let policy = policy(&rest);
    let stated = Checkpoint {
        origin: "example.com/log".into(),
        size: TreeSize::new(7),
        root: Hash::of(b"root"),
    };
    let line = |key: &CosignerKey, time| key.cosign(&stated, time).unwrap();
    let both = checkpoint(&[(2, 50)]) + &line(&of_witness, 70);
    let verified = policy.verify(&both).unwrap();
    assert_eq!(verified.witnesses(), ["w2", "w1ml"]);
    assert_eq!(verified.cosigned_at(), Some(50));
    assert_eq!(verified.voices().names(), ["one", "w2"]);
    // One operator's two keys are one.
    let one = checkpoint(&[(1, 50)]) + &line(&of_witness, 70);
    let Err(QuorumError::Quorum(voices)) = policy.verify(&one) else {
        panic!("one voice is not two");
    };
    assert_eq!(voices.to_string(), "1 of 2 needed: one; missing: w2");
    assert_eq!((voices.operators(), voices.counted[0].at), (2, 70));
    // The log's own line may be the one of type 0x06.
    let body = stated.body();
    let cosigned = both.strip_prefix(&stated.sign(&log())).unwrap();
    let alone = format!("{body}\n{}{cosigned}", line(&of_log, 60));
    assert!(policy.verify(&alone).is_ok());
    let unsigned = format!("{body}\n{cosigned}");
    assert!(matches!(policy.verify(&unsigned), Err(QuorumError::Log(_))));

    let apart = format!("{lines}group g 2 w1 w1ml\nquorum g\n");
    let refused = TlogPolicyFault::OneOperator("w1".into(), "w1ml".into());
    assert_eq!(fault(&apart), refused);
}

#[test]
fn every_rule_of_the_format_is_checked() {
    let key = witness("witness1", 1);
    for (rest, expected) in [
        (format!("witness x {key}\n"), TlogPolicyFault::KeyTwice),
        (
            format!("witness x {}\n", witness("other-name", 1)),
            TlogPolicyFault::KeyTwice,
        ),
        (
            format!("log {}\n", log().verifier()),
            TlogPolicyFault::KeyTwice,
        ),
        (
            format!("witness w1 {}\n", witness("x", 8)),
            TlogPolicyFault::NameTaken("w1".into()),
        ),
        (
            format!("witness none {}\n", witness("x", 8)),
            TlogPolicyFault::NameTaken("none".into()),
        ),
        (
            format!("log {}\n", witness("x", 8)),
            TlogPolicyFault::KeyType,
        ),
        ("log x\n".into(), TlogPolicyFault::Key(KeyError::Format)),
        (
            "group g any w1\ngroup h any w1\n".into(),
            TlogPolicyFault::MemberTwice("w1".into()),
        ),
        (
            "group g any\n".into(),
            TlogPolicyFault::Form("group NAME any|all|NUMBER MEMBER…"),
        ),
        (
            "group g any g\n".into(),
            TlogPolicyFault::Undefined("g".into()),
        ),
        (
            "group g any none\n".into(),
            TlogPolicyFault::Undefined("none".into()),
        ),
        (
            "quorum none\nquorum none\n".into(),
            TlogPolicyFault::QuorumTwice,
        ),
        (
            "quorum w1 w2\n".into(),
            TlogPolicyFault::Form("quorum NAME|none"),
        ),
        ("quorum none\r\n".into(), TlogPolicyFault::Control),
        ("".into(), TlogPolicyFault::NoQuorum),
    ] {
        assert_eq!(fault(&rest), expected, "{rest}");
    }
}

#[test]
fn an_error_names_its_line_and_lines_are_bounded() {
    let error = TlogPolicy::parse("# a comment\n\t \nqourum none\n").unwrap_err();
    assert_eq!(
        (error.line, error.fault),
        (3, TlogPolicyFault::Keyword("qourum".into()))
    );
    let mut most = format!("witness w {}\ngroup g1 any w\n", witness("x", 8));
    for i in 1..limits::POLICY_LINES {
        most += &format!("group g{} any g{i}\n", i + 1);
    }
    let whole = |rest: &str| TlogPolicy::parse(&format!("{most}{rest}quorum g100\n"));
    assert_eq!(whole("").map(|policy| policy.groups().len()), Ok(100));
    let error = whole("group g101 any g100\n").unwrap_err();
    assert_eq!((error.line, error.fault), (102, TlogPolicyFault::TooMany));
}

/// Sigsum's rule: of n witnesses, 1 + two thirds of n, rounded down.
#[test]
fn how_large_a_quorum_is_and_whether_that_is_safe() {
    for (rest, least, operators, spare, safe) in [
        ("quorum w1", 1, 1, 0, true),
        ("group q 3 w1 w2 w3 w4\nquorum q", 3, 4, 1, true),
        ("group q 2 w1 w2 w3 w4\nquorum q", 2, 4, 2, false),
        ("group q 2 w1 w2 w3\nquorum q", 2, 3, 1, false),
        ("group q all w1 w2 w3\nquorum q", 3, 3, 0, true),
        (
            "group a any w1 w2\ngroup b all w3 w4\ngroup q any a b\nquorum q",
            1,
            4,
            2,
            false,
        ),
        (
            "group a any w1 w2\ngroup b all w3 w4\ngroup q all a b\nquorum q",
            3,
            4,
            0,
            true,
        ),
    ] {
        let size = policy(rest).quorum_size().unwrap();
        assert_eq!(
            (size.least, size.operators, size.spare, size.is_safe()),
            (least, operators, spare, safe),
            "{rest}"
        );
    }
    assert_eq!(policy("quorum none").quorum_size(), None);
}

/// What a key states besides is no second voice, and counts only where the quorum names it.
#[test]
fn the_keys_of_a_mirror_and_of_an_auditor_are_their_operators() {
    let key = |name: &str, seed| witness(&format!("a.example/{name}"), seed);
    let (seen, stored, audited) = (key("witness", 11), key("mirror", 12), key("audit", 13));
    let lines = format!("witness a {seen}\nwitness m {stored}\nwitness x {audited}\n");
    for group in ["group g 2 a m w1", "group g all x a", "group g 2 m x"] {
        let refused = fault(&format!("{lines}{group}\nquorum g\n"));
        assert!(
            matches!(refused, TlogPolicyFault::OneOperator(..)),
            "{group}"
        );
    }

    let note = |keys: &[(&str, u8)]| {
        let mut note = checkpoint(&[(1, 100)]);
        let stated = Checkpoint::parse_body(Note::parse_checkpoint(&note).unwrap().text()).unwrap();
        for (name, seed) in keys {
            let name = format!("a.example/{name}");
            let key = CosignerKey::from_seed(&name, Algorithm::CosignatureV1, &[*seed; 32]);
            note.push_str(&key.unwrap().cosign(&stated, 200).unwrap());
        }
        note
    };
    let two = policy(&format!("{lines}group g 2 w1 w2 a\nquorum g\n"));
    // A mirror and an auditor of whom the quorum says nothing.
    let besides = note(&[("mirror", 12), ("audit", 13)]);
    let Err(QuorumError::Quorum(voices)) = two.verify(&besides) else {
        panic!("neither counts");
    };
    assert_eq!(voices.to_string(), "1 of 2 needed: w1; missing: w2, a");
    let names = |voices: &Voices, role| {
        let voices = voices.of_role(role);
        voices.map(|one| one.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(&voices, Role::Audit), ["a.example"]);

    let all = two
        .verify(&note(&[("witness", 11), ("mirror", 12), ("audit", 13)]))
        .unwrap();
    assert_eq!(all.voices().names(), ["w1", "a"]);
    assert_eq!(all.voices().besides[0].name, "a.example");

    // Where it is named, an auditor counts.
    let named = policy(&format!("{lines}group g all w1 x\nquorum g\n"));
    let met = named.verify(&note(&[("audit", 13)])).unwrap();
    assert_eq!(met.voices().names(), ["w1", "x"]);
    assert_eq!(names(met.voices(), Role::Audit), ["x"]);
    // Nobody is asked for: whoever saw it is told all the same.
    let none = policy(&format!("{lines}quorum none\n"));
    let seen = none.verify(&besides).unwrap();
    assert_eq!(
        (seen.voices().names(), seen.voices().least),
        (vec!["w1"], 0)
    );
    let both = all.voices().both(seen.voices());
    assert_eq!(both.names(), ["w1"]);
    assert_eq!(both.missing, ["a", "w2"]);
}

/// Whoever is convicted counts with no key, whatever stands under a checkpoint.
#[test]
fn a_convicted_operator_does_not_count_with_any_of_its_keys() {
    let key = |name: &str, seed| witness(&format!("a.example/{name}"), seed);
    let lines = format!(
        "witness a {}\nwitness x {}\n",
        key("witness", 11),
        key("audit", 13)
    );
    let policy = policy(&format!(
        "{lines}group own any a x\ngroup g 2 w1 w2 own\nquorum g\n"
    ));
    let mut note = checkpoint(&[(1, 100)]);
    let stated = Checkpoint::parse_body(Note::parse_checkpoint(&note).unwrap().text()).unwrap();
    for (name, seed) in [("witness", 11), ("audit", 13)] {
        let name = format!("a.example/{name}");
        let key = CosignerKey::from_seed(&name, Algorithm::CosignatureV1, &[seed; 32]);
        note.push_str(&key.unwrap().cosign(&stated, 200).unwrap());
    }
    assert_eq!(
        policy.verify(&note).unwrap().voices().names(),
        ["w1", "own"]
    );

    // The conviction of the witness is that of the auditor: they are one operator.
    let convicted = policy.without(["a.example/witness"]);
    assert!(policy.is_quorum(["w1", "x"]) && !convicted.is_quorum(["w1", "x"]));
    let Err(QuorumError::Quorum(voices)) = convicted.verify(&note) else {
        panic!("one of two is left");
    };
    assert_eq!(
        voices.to_string(),
        "1 of 2 needed: w1; missing: w2; convicted: own"
    );
    assert_eq!((voices.operators(), voices.least), (3, 2));
    assert_eq!(voices.both(&voices).convicted, ["own"]);
    // The others are a quorum as before, and at their time.
    let met = convicted.verify(&(note + &signed_by_w2(&stated))).unwrap();
    assert_eq!(met.voices().names(), ["w1", "w2"]);
    assert_eq!(met.cosigned_at(), Some(100));
    // Nor can a wrong signature of its refuse a checkpoint to anybody.
    let forged =
        checkpoint(&[(1, 100), (2, 100)]) + &key_line("a.example/witness", 11, 200, [7; 64]);
    assert!(policy.verify(&forged).is_err() && convicted.verify(&forged).is_ok());
}

fn signed_by_w2(stated: &Checkpoint) -> String {
    let key = CosignerKey::from_seed("witness2", Algorithm::CosignatureV1, &[2; 32]);
    key.unwrap().cosign(stated, 100).unwrap()
}

/// A signature line with these bytes.
fn key_line(name: &str, seed: u8, time: u64, signature: [u8; 64]) -> String {
    let id = witness(name, seed).key_id().to_be_bytes();
    let bytes = [&id[..], &time.to_be_bytes(), &signature].concat();
    format!("\u{2014} {name} {}\n", BASE64_STANDARD.encode(bytes))
}

#[test]
fn nothing_is_shown_of_a_private_key() {
    let key = crate::note::SignerKey::from_seed("a.example/log", &[7; 32]).unwrap();
    let text = key.to_private_string();
    let said = TlogPolicy::parse(&text).unwrap_err().to_string();
    assert!(said.contains("holds a private key"), "{said}");
    assert!(!said.contains("a.example/log+"), "{said}");
}
