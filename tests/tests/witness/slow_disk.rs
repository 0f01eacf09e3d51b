//! A disk that takes seconds for a sync: the witness says so, ends all the same, and forgets
//! nothing.

use super::ORIGIN;
use anyhow::ensure;
use assay_tests::{
    faults::Faults,
    process::poll_async,
    witness::{History, Witness},
};
use std::time::{Duration, Instant};

/// How long it takes to end at most, with room for a machine that does much else: ten seconds for
/// who waits and a quarter of a minute are promised.
const END: Duration = Duration::from_secs(10 + 15 + 10);

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_ends_on_a_disk_that_hardly_answers() -> anyhow::Result<()> {
    let log = History::new(ORIGIN, 30)?;
    let mut witness = Witness::start(&[&log])?;
    witness.stop()?;
    let folder = tempfile::tempdir()?;
    let faults = Faults::new(folder.path(), witness.folder())?;
    witness.environment = faults.environment();
    witness.run()?;
    ensure!(witness.add(log.request(0, 5)?).await?.status == 200);
    faults.slow(Duration::from_secs(60))?;
    let (url, body) = (witness.ready()?.url.clone(), log.request(5, 9)?);
    let waits = tokio::spawn(async move {
        let answer = assay_tests::witness::add(&reqwest::Client::new(), &url, body).await;
        answer.map(|said| (said.status, said.body))
    });
    let said = poll_async(async || {
        let said = witness.admin("/readyz").await?;
        Ok((said.status == 503).then_some(said.body))
    });
    let said = said.await?;
    ensure!(said.contains("the disk is slow"), "{said}");

    let began = Instant::now();
    witness.stop()?;
    ensure!(began.elapsed() < END, "{:?}", began.elapsed());
    let (status, body) = waits.await??;
    ensure!(
        status == 503 && body.contains("stopping"),
        "{status} {body}"
    );

    faults.slow(Duration::ZERO)?;
    witness.run()?;
    // Nobody was told that 9 is cosigned, and it may be stored all the same.
    let mut held = 5;
    let asked = witness.add(log.request(5, 12)?).await?;
    if asked.status == 409 {
        held = asked.body.trim().parse()?;
        ensure!(witness.add(log.request(held, 12)?).await?.status == 200);
    }
    ensure!([5, 9].contains(&held), "{held}");
    // What was held is held: another history is not cosigned.
    let fork = log.fork(0).request(12, 20)?;
    ensure!(witness.add(fork).await?.status == 422);
    witness.stop()
}
