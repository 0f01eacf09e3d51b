//! Flipped bits and lost ends, at drawn places of a witness's database: it cosigns no second
//! history of a log, whatever became of what it knows.

use super::{
    Draw, Row,
    bits::{Damage, damageable, spoil},
    known::assert_advice,
};
use crate::witness::{History, Witness};
use anyhow::ensure;

/// The log that is witnessed.
const ORIGIN: &str = "log.example/tortured";

/// How much of it the witness cosigned.
const HELD: usize = 12;

/// A witness to torture, again and again from the same beginning.
pub struct Database {
    witness: Witness,
    log: History,
}

impl Database {
    /// Makes the witness, which was stopped and started in between, so that tables and write-ahead
    /// log both have part of what it knows, and then killed.
    pub async fn new() -> anyhow::Result<Self> {
        let log = History::new(ORIGIN, 30)?;
        let mut witness = Witness::start(&[&log])?;
        ensure!(witness.add(log.request(0, 5)?).await?.status == 200);
        witness.stop()?;
        witness.run()?;
        for (old, new) in [(5, 8), (8, HELD)] {
            ensure!(witness.add(log.request(old, new)?).await?.status == 200);
        }
        witness.kill()?;
        Ok(Database { witness, log })
    }

    /// Damages one place of one file in each cycle.
    pub async fn each(&self, damage: Damage, cycles: usize, seed: u64) -> anyhow::Result<Row> {
        let mut row = Row::new(format!("{damage:?} in a file of a witness"));
        let mut draw = Draw(seed);
        for _ in 0..cycles {
            let mut witness = Witness::copy_of(&self.witness)?;
            let mut files = damageable(&witness.folder().join("data"))?;
            let floor = witness.folder().join("witness.floor");
            files.extend(Some(floor).filter(|path| path.exists()));
            let what = spoil(&files, damage, &mut draw)?;
            let came = self.cycle(&mut witness).await;
            row.note(&what, came);
        }
        Ok(row)
    }

    async fn cycle(&self, witness: &mut Witness) -> anyhow::Result<&'static str> {
        if let Err(error) = witness.run() {
            assert_advice(&format!("{error:#}"), "exit status: 3")?;
            return Ok("refused");
        }
        // From the first leaf on: of the tree that is held, and of the empty one. Not of the size
        // that is held, for which it would rightly convict the log.
        let fork = self.log.fork(0);
        for request in [fork.request(HELD, 20)?, fork.request(0, 7)?] {
            let said = witness.add(request).await?;
            ensure!(said.status != 200, "FORK: {}", said.body);
        }
        let said = witness.add(self.log.request(HELD, 20)?).await?;
        let outcome = match said.status {
            200 => "served",
            503 => "said to be damaged",
            other => anyhow::bail!("WRONG: {other}: {}", said.body),
        };
        let stderr = witness.stderr();
        ensure!(!stderr.contains("panicked"), "PANIC: {stderr}");
        witness.stop()?;
        Ok(outcome)
    }
}
