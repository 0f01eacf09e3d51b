//! The short form of `make torture`.

use assay_tests::{
    faults::Forgotten,
    torture::{
        bits::{Damage, Files},
        calls::{ALL, Calls},
        witness::Database,
    },
};

/// Cycles of a row of damaged files.
const CYCLES: usize = 24;

/// System calls of each kind that fail.
const CALLS: usize = 4;

const SEED: u64 = 1;

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_bit_of_a_node_is_refused_or_said_and_never_served_wrong() -> anyhow::Result<()> {
    let files = Files::new().await?;
    files.each(Damage::Flip, CYCLES, SEED).await?.passed()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_end_of_a_file_is_refused_or_said_and_never_served_wrong() -> anyhow::Result<()> {
    let files = Files::new().await?;
    files.each(Damage::Cut, CYCLES, SEED).await?.passed()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_witness_cosigns_no_second_history() -> anyhow::Result<()> {
    let database = Database::new().await?;
    for damage in [Damage::Flip, Damage::Cut] {
        database.each(damage, CYCLES, SEED).await?.passed()?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_in_a_system_call_loses_no_claim_and_forks_no_log() -> anyhow::Result<()> {
    let calls = Calls::new().await?;
    for fault in ALL {
        calls.each(fault, CALLS).await?.passed()?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_omits_a_sync_is_found() -> anyhow::Result<()> {
    let calls = Calls::new().await?;
    for what in [Forgotten::WriteAheadLog, Forgotten::Checkpoints] {
        calls.forgetful(what, 4 * CALLS).await?.passed()?;
    }
    Ok(())
}
