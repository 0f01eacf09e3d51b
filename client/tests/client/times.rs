//! What the times of a head are worth to whoever asks, and to whoever watches.

use crate::fake::{Fake, State, claim, id, registration};
use assay_claims::index::{Kind, Name};
use assay_client::ask::{AskedLog, Asker, How, Inquiry, LogAddress, LogState};
use assay_client::{Cel, Tls};
use assay_policy::rules::Policy;
use assay_policy::verdict::Answer;
use assay_tlog::note::{Algorithm, SignerKey, VerifierKey};
use base64::prelude::{BASE64_STANDARD, Engine};
use std::path::Path;

/// A log whose last leaf is a commitment, dated in its second second of 1970.
async fn log() -> Fake {
    let fake = Fake::start().await;
    fake.state().publish(&registration(1));
    fake.state().publish(&claim(1, 7));
    fake
}

/// Has the witness cosign the checkpoint that is shown at this time, in seconds since 1970, and
/// returns its key (C2SP tlog-cosignature).
pub fn cosign(fake: &Fake, at_s: u64) -> VerifierKey {
    cosign_head(&mut fake.state(), at_s)
}

fn cosign_head(state: &mut State, at_s: u64) -> VerifierKey {
    let signer = SignerKey::from_seed("witness.example", &[9; 32]).unwrap();
    let public = signer.verifier().public_key().to_vec();
    let key = VerifierKey::new(signer.name(), Algorithm::CosignatureV1, &public).unwrap();
    let note = state.checkpoint_at(state.size());
    let (body, _) = note.split_once("\n\n").unwrap();
    let signed = signer.sign(&format!("cosignature/v1\ntime {at_s}\n{body}\n"));
    let (_, encoded) = signed.trim_end().rsplit_once(' ').unwrap();
    let bytes = BASE64_STANDARD.decode(encoded).unwrap();
    let id = key.key_id().to_be_bytes();
    let line = BASE64_STANDARD.encode([&id[..], &at_s.to_be_bytes(), &bytes[4..]].concat());
    state.checkpoint = Some(format!("{note}\u{2014} {} {line}\n", key.name()));
    key
}

/// What the log answers under a policy that asks for that witness.
async fn asked(fake: &Fake, witness: &VerifierKey, state_dir: &Path) -> AskedLog {
    let log = fake.log_key();
    let text = format!(
        "version = 1\nquorum = 1\n[[log]]\nkey = \"{log}\"\n[[witness]]\nname = \"w\"\n\
         key = \"{witness}\"\n[[anchor]]\nname = \"it\"\nissuer = \"{}\"\n\
         roles = [\"auditor\"]\nscopes = [\"pkg:*\"]\n",
        id(1)
    );
    let policy = Policy::parse(&text, &Cel).unwrap();
    let address = LogAddress {
        key: log,
        url: Some(fake.url.clone()),
        older: Vec::new(),
        mirrors: Vec::new(),
    };
    let asker = Asker::new(
        policy,
        vec![address],
        How::Openly,
        0,
        state_dir,
        &Tls::default(),
    );
    let inquiry = Inquiry {
        names: vec![Name::new(Kind::Package, "pkg:cargo/none")],
        ..Inquiry::default()
    };
    asker.ask(&inquiry).await.unwrap().logs.remove(0)
}

#[tokio::test]
async fn a_head_whose_last_leaf_is_far_from_the_quorum_is_refused() {
    // 70 minutes are 4,200 s; the last leaf is of second 1, and the quorum's time in whole seconds.
    for (at_s, is_believed) in [
        (1, true),
        (4_201, true),
        (4_202, false),
        (1_800_000_000, false),
    ] {
        let (fake, folder) = (log().await, tempfile::tempdir().unwrap());
        let witness = cosign(&fake, at_s);
        let asked = asked(&fake, &witness, folder.path()).await;
        match asked.answer {
            Answer::Complete { head_at_ms } if is_believed => {
                // As fresh as the older of its times.
                assert_eq!(head_at_ms, 1_004.min(at_s * 1000));
            }
            Answer::None { why } if !is_believed => {
                assert!(why.contains("before the witnesses cosigned it"), "{why}");
            }
            other => panic!("{at_s}: {other:?}"),
        }
        let state = if is_believed {
            LogState::Answered
        } else {
            LogState::Unconfirmed
        };
        assert_eq!(asked.state, state);
        // Who stands behind it is told, and when.
        if is_believed {
            assert_eq!(asked.voices.names(), ["w"]);
            assert_eq!(asked.voices.counted[0].at, at_s);
            assert_eq!(asked.quorum_at_ms, Some(at_s * 1000));
        }
    }
}

/// An answer is as of the oldest of its heads, and rests on all of them. The log grows between two
/// questions: its next head is cosigned long after it was made.
#[tokio::test]
async fn every_head_of_an_answer_is_held_to_its_times() {
    for (at_s, is_believed) in [(4_201, true), (4_202, false)] {
        let (fake, folder) = (log().await, tempfile::tempdir().unwrap());
        let witness = cosign(&fake, 1);
        let mut questions = 0;
        fake.state().rewrite = Some(Box::new(move |state, query, answer| {
            questions += 1;
            if questions != 2 {
                return Ok(vec![answer]);
            }
            state.publish(&claim(1, 9));
            cosign_head(state, at_s);
            Ok(vec![state.answer(query)])
        }));
        let asked = asked(&fake, &witness, folder.path()).await;
        match asked.answer {
            Answer::Complete { head_at_ms } if is_believed => assert_eq!(head_at_ms, 1_000),
            Answer::None { why } if !is_believed => {
                assert!(why.contains("before the witnesses cosigned it"), "{why}");
            }
            other => panic!("{at_s}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn the_time_of_the_last_commitment_is_proven() {
    let (fake, folder) = (log().await, tempfile::tempdir().unwrap());
    let client = fake.client(folder.path()).await;
    let head = client.checkpoint().await.unwrap();
    assert_eq!(client.committed_at_ms(&head).await.unwrap(), 1_004);
    fake.state().publish(&claim(1, 8));
    let head = client.checkpoint().await.unwrap();
    assert_eq!(client.committed_at_ms(&head).await.unwrap(), 1_006);
}
