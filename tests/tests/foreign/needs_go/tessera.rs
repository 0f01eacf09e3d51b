//! A log of another project, witnessed by ours.

use assay_tests::{
    interop::require_go,
    tessera::{TesseraLog, build_posix},
    witness::{Witness, request},
};
use assay_tlog::cosigner::CosignerVerifier;
use assay_tlog::note::{SignerKey, VerifierKey};

pub(super) const ORIGIN: &str = "tessera.example/log";

pub(super) fn entries(numbers: std::ops::Range<u32>, of: &str) -> Vec<String> {
    numbers.map(|n| format!("{of} {n}")).collect()
}

/// It is fed at several sizes, with proofs from the log's own tiles, and cosigned at each. A second
/// log with the same key that has another history gets nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_tessera_log_is_witnessed_and_its_fork_is_not() -> anyhow::Result<()> {
    if !require_go("a log of another project") {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let program = build_posix(folder.path())?;
    let key = || SignerKey::from_seed(ORIGIN, &[5; 32]);
    let log = TesseraLog::start(&program, &folder.path().join("log"), key()?)?;
    let fork = TesseraLog::start(&program, &folder.path().join("fork"), key()?)?;
    let mut witness = Witness::init()?;
    witness.add_log(ORIGIN, &key()?.verifier().to_string())?;
    witness.run()?;
    let keys = witness.ready()?.vkeys.iter();
    let keys = keys.map(|key| VerifierKey::parse(key).unwrap()).collect();
    let verifier = CosignerVerifier::new(keys)?;

    // It begins as the log does, and then is another.
    let forked = async {
        fork.grow(&entries(0..1, "entry")).await?;
        fork.grow(&entries(1..600, "fork")).await
    };
    // Sizes within one tile, beyond it, and of several full ones.
    let fed = async {
        let (mut held, mut first) = (0, None);
        for (from, to) in [(0, 1), (1, 7), (7, 300), (300, 600)] {
            let head = log.grow(&entries(from..to, "entry")).await?;
            assert_eq!(head.size().get(), u64::from(to));
            let answer = witness.add(log.feed(held, &head)?).await?;
            assert_eq!(answer.status, 200, "{}", answer.body);
            let cosigned = verifier.verify(&(head.note().to_owned() + &answer.body))?;
            assert_eq!(cosigned.checkpoint(), head.checkpoint());
            assert_eq!(cosigned.statements().len(), 2);
            held = head.size().get();
            first.get_or_insert(head);
        }
        anyhow::Ok((held, first.unwrap()))
    };
    let (fed, same) = tokio::join!(fed, forked);
    let ((held, first), same) = (fed?, same?);
    let served = witness.monitored(ORIGIN).await?;
    assert!(verifier.verify(&served.body).is_ok());

    let longer = fork.grow(&entries(600..610, "fork")).await?;
    let refused = witness.add(fork.feed(held, &longer)?).await?;
    assert_eq!(refused.status, 422, "{}", refused.body);
    // Where they are the same, it is older than what is held.
    let old = witness.add(request(1, &[], first.note())).await?;
    assert_eq!((old.status, old.body), (409, format!("{held}\n")));
    // Another root at the size that is held: from now on it is known to have two histories.
    let refused = witness.add(request(held, &[], same.note())).await?;
    assert_eq!(refused.status, 422, "{}", refused.body);
    let head = log.checkpoint().await?;
    let refused = witness.add(request(held, &[], head.note())).await?;
    assert_eq!(refused.status, 403, "{}", refused.body);
    assert_eq!(witness.monitored(ORIGIN).await?, served);
    Ok(())
}
