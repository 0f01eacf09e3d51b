//! What is forged or malformed is charged to nobody: whoever sends it, in whose name.

use assay_tests::add_checkpoint::{HELD, respelled, rows};
use assay_tests::stranger::client_from;
use assay_tests::witness::{History, Witness, add, request};
use assay_tlog::Hash;
use base64::prelude::{BASE64_STANDARD, Engine as _};

/// How many larger heads a log of these tests has cosigned in an hour.
const QUOTA: usize = 2;

/// Forged requests beside those of the table: what a stranger makes who has seen what the log
/// published, and has none of its keys.
fn forged(log: &History) -> anyhow::Result<Vec<(&'static str, String)>> {
    let held = HELD as u64;
    let proof = log.proof(HELD, 8)?;
    let body = log.checkpoint(8).body();
    let id = log.key().verifier().key_id().to_be_bytes();
    let line = |name: &str, id: [u8; 4], signature: &[u8]| {
        let bytes = [&id[..], signature].concat();
        format!("\u{2014} {name} {}\n", BASE64_STANDARD.encode(bytes))
    };
    let own = |signature: &[u8]| line(&log.origin, id, signature);
    let note = |lines: &str| request(held, &proof, &format!("{body}\n{lines}"));
    let mut strangers = String::new();
    for n in 0..15 {
        let stranger = History::new(&format!("stranger{n}.example"), 1)?;
        strangers += &stranger.key().sign(&body);
    }
    let moved = log.key().sign(&log.checkpoint(7).body());
    let good = log.key().sign(&body);
    let unpadded = good.replacen("=\n", "\n", 1);
    let spelled = respelled(good.trim_end()) + "\n";
    let many = vec![Hash::of(b"hash"); 64];
    let other_root = log.fork(0).checkpoint(8).body();
    Ok(vec![
        ("a made-up signature", note(&own(&[7; 64]))),
        ("a signature of zeros", note(&own(&[0; 64]))),
        ("a short signature", note(&own(&[7; 63]))),
        ("no signature at all", note(&own(&[]))),
        (
            "another key's number",
            note(&line(&log.origin, [7; 4], &[7; 64])),
        ),
        ("the signature of another head", note(&moved)),
        (
            "a wrong line beside the right one",
            note(&format!("{good}{}", own(&[7; 64]))),
        ),
        ("signatures of strangers alone", note(&strangers)),
        ("a signature without padding", note(&unpadded)),
        ("a signature in another base64", note(&spelled)),
        (
            "a root that the log did not sign",
            request(held, &proof, &format!("{other_root}\n{good}")),
        ),
        (
            "64 lines of proof, forged",
            request(held, &many, &format!("{body}\n{}", own(&[7; 64]))),
        ),
        ("old 010", log.request(HELD, 8)?.replace("old 5", "old 010")),
        (
            "a head of size 010",
            log.request(HELD, 8)?.replacen("\n8\n", "\n010\n", 1),
        ),
        (
            "a head of size 08",
            log.request(HELD, 8)?.replacen("\n8\n", "\n08\n", 1),
        ),
    ])
}

/// What is sent about one log that is no honest request of it.
struct Bad {
    log: History,
    case: &'static str,
    held: usize,
    body: String,
}

/// Each with a log of its own, whose quota it must not touch.
fn all() -> anyhow::Result<Vec<Bad>> {
    let mut all = Vec::new();
    for (log, row) in rows()? {
        // The log signed these two itself, and is convicted by them.
        let convicting = [
            "never: size 0 with another root",
            "the same size, another root",
        ];
        if !convicting.contains(&row.case) {
            let (case, held, body) = (row.case, row.held, row.body);
            all.push(Bad {
                log,
                case,
                held,
                body,
            });
        }
    }
    let count = forged(&History::new("any.example", 8)?)?.len();
    for number in 0..count {
        let log = History::new(&format!("log.example/forged{number}"), 8)?;
        let (case, body) = forged(&log)?.swap_remove(number);
        all.push(Bad {
            log,
            case,
            held: HELD,
            body,
        });
    }
    Ok(all)
}

/// More of each than a log's quota has, and then the log has what it would have had without.
#[tokio::test]
async fn forged_and_malformed_requests_burn_nobodys_quota() -> anyhow::Result<()> {
    let all = all()?;
    let mut witness = Witness::init()?;
    witness.configure("requests_per_hour = 36000", "requests_per_hour = 1")?;
    witness.configure("burst = 60", &format!("burst = {QUOTA}"))?;
    for bad in &all {
        witness.add_log(&bad.log.origin, &bad.log.vkey())?;
    }
    witness.run()?;
    let url = witness.ready()?.url.clone();
    for (number, bad) in all.iter().enumerate() {
        let Bad {
            log,
            case,
            held,
            body,
        } = bad;
        // A stranger's address has a limit of its own, and is charged for all of it.
        let stranger = client_from(u8::try_from(number % 100 + 2)?)?;
        let honest = async |old, new| add(&stranger, &url, log.request(old, new)?).await;
        if *held > 0 {
            assert_eq!(honest(0, *held).await?.status, 200, "{case}");
        }
        for _ in 0..2 * QUOTA {
            let said = add(&stranger, &url, body.clone()).await?;
            assert!(
                (400..500).contains(&said.status) && said.status != 429,
                "{case}: {said:?}"
            );
        }
        if *held == 0 {
            assert_eq!(honest(0, HELD).await?.status, 200, "{case}");
        }
        assert_eq!(honest(HELD, 7).await?.status, 200, "{case}");
        // That was all that the log has: its quota counts.
        assert_eq!(honest(7, 8).await?.status, 429, "{case}");
    }
    Ok(())
}
