//! What a witness that was stopped anyhow still knows.

use super::{ORIGIN, TEXT, size};
use assay_node::storage::{
    Batch, Reads, Table, Tables,
    rocks::{Options, Rocks},
};
use assay_tests::witness::{History, Witness};
use assay_tlog::Hash;
use std::{fs, os::unix::fs::PermissionsExt};
use tokio::sync::watch;

/// Between requests, and each time another history is tried.
#[tokio::test]
async fn a_killed_witness_goes_on_with_what_it_cosigned() -> anyhow::Result<()> {
    let log = History::new(ORIGIN, 65)?;
    let mut witness = Witness::start(&[&log])?;
    let mut held = 0;
    for new in [1, 5, 5, 8, 33, 64] {
        // Never of the size that is held: two roots of one size convict.
        let fork = log.fork(0);
        if held > 0 {
            assert_eq!(witness.add(fork.request(held, new + 1)?).await?.status, 422);
        }
        assert_eq!(witness.add(log.request(held, new)?).await?.status, 200);
        let before = witness.monitored(ORIGIN).await?;
        witness.kill()?;
        witness.run()?;
        // Both algorithms are deterministic: the same signatures are made again.
        assert_eq!(witness.monitored(ORIGIN).await?, before);
        assert_eq!(
            witness.add(fork.request(0, new + 1)?).await?,
            size(new as u64)
        );
        held = new;
    }
    witness.stop()?;
    Ok(())
}

/// Killed while a log asks without a break: whatever was answered is still known.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_was_answered_is_forgotten() -> anyhow::Result<()> {
    let log = History::new(ORIGIN, 1000)?;
    let mut witness = Witness::start(&[&log])?;
    let mut held = 0;
    for _ in 0..4 {
        let url = format!("{}/add-checkpoint", witness.ready()?.url);
        let (seen, mut answered) = watch::channel(held);
        let (log, asking) = (log.clone(), log.clone());
        let asks = tokio::spawn(async move {
            let http = reqwest::Client::new();
            for at in held.. {
                let body = asking.request(at, at + 1).unwrap();
                let Ok(answer) = http.post(&url).body(body).send().await else {
                    return;
                };
                assert_eq!(answer.status(), 200);
                seen.send_replace(at + 1);
            }
        });
        answered.wait_for(|size| *size >= held + 10).await?;
        witness.kill()?;
        asks.await?;
        witness.run()?;
        let now = witness.add(log.request(0, 1000)?).await?;
        assert_eq!(now.status, 409);
        held = now.body.trim_end().parse()?;
        let answered = *answered.borrow();
        assert!(held >= answered, "{held} is less than {answered}");
    }
    Ok(())
}

/// The record of one log is damaged: that log is not cosigned, and the others are.
#[tokio::test]
async fn a_damaged_record_stops_one_log() -> anyhow::Result<()> {
    let logs = [History::new(ORIGIN, 8)?, History::new("log.example/b", 8)?];
    let mut witness = Witness::start(&[&logs[0], &logs[1]])?;
    for log in &logs {
        assert_eq!(witness.add(log.request(0, 5)?).await?.status, 200);
    }
    witness.stop()?;
    let key = [b"w/", &Hash::of(ORIGIN.as_bytes()).as_bytes()[..]].concat();
    let store = Rocks::open(&witness.folder().join("data"), Options::default())?;
    let mut record = store.get(Table::Witness, &key)?.unwrap().to_vec();
    record[15] ^= 1;
    let mut batch = Batch::new();
    batch.put(Table::Witness, key, record);
    store.commit(batch)?;
    drop(store);

    witness.run()?;
    let said = witness.add(logs[0].request(5, 8)?).await?;
    let body = "what this witness stored of this log is damaged, so that it is not cosigned; the \
        operator has to look\n";
    assert_eq!((said.status, said.body.as_str()), (503, body));
    assert_eq!(said.headers, [("content-type".into(), TEXT.into())]);
    let told = "Bring back a copy of the data folder that is not older than the last cosignature";
    assert!(witness.stderr().contains(told), "{}", witness.stderr());
    assert_eq!(witness.monitored(ORIGIN).await?.status, 404);
    assert_eq!(witness.add(logs[1].request(5, 8)?).await?.status, 200);
    Ok(())
}

/// A witness without its state does not begin anew.
#[test]
fn without_its_store_or_with_open_keys_it_does_not_start() -> anyhow::Result<()> {
    let mut witness = Witness::init()?;
    let key = witness.folder().join("witness-ml-dsa-44.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640))?;
    let refused = witness.run().unwrap_err().to_string();
    assert!(refused.contains("chmod 600"), "{refused}");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600))?;
    fs::remove_dir_all(witness.folder().join("data"))?;
    let refused = witness.run().unwrap_err().to_string();
    assert!(refused.contains("holds no store"), "{refused}");
    Ok(())
}

/// A data folder that was copied back does not know what its floor file knows.
#[tokio::test]
async fn an_older_copy_of_the_store_is_refused() -> anyhow::Result<()> {
    let log = History::new(ORIGIN, 8)?;
    let mut witness = Witness::start(&[&log])?;
    assert_eq!(witness.add(log.request(0, 5)?).await?.status, 200);
    witness.stop()?;
    let file = witness.folder().join("witness.floor");
    let known: u64 = fs::read_to_string(&file)?.trim_end().parse()?;
    // As it would be if the store had been used for an hour since.
    fs::write(&file, format!("{}\n", known + 3600))?;
    let refused = witness.run().unwrap_err().to_string();
    assert!(refused.contains("is an older copy"), "{refused}");
    assert!(refused.contains("retire the keys"), "{refused}");
    fs::write(&file, format!("{known}\n"))?;
    witness.run()?;
    assert_eq!(witness.add(log.request(0, 8)?).await?.status, 409);
    Ok(())
}
