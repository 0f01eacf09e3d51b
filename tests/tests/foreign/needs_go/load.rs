//! The load test of transparency-dev/witness, against a witness of ours.

use anyhow::{Context, ensure};
use assay_tests::{
    interop::{Foreign, build, require_go},
    witness::Witness,
};
use assay_tlog::cosigner::CosignerVerifier;
use assay_tlog::head::LogVerifier;
use assay_tlog::note::VerifierKey;
use std::{
    path::Path,
    process::{Command, Output, Stdio},
};

/// Logs that ask.
const LOGS: usize = 20;

fn loadtest(program: &Path, arguments: &[&str]) -> anyhow::Result<Output> {
    let count = LOGS.to_string();
    let mut run = Command::new(program);
    run.args(["--log_count", &count]).args(arguments);
    Ok(run.stdin(Stdio::null()).output()?)
}

/// The logs' keys, which follow from their numbers: the program prints what another witness would
/// be configured with.
fn keys(program: &Path) -> anyhow::Result<Vec<VerifierKey>> {
    let printed = String::from_utf8(loadtest(program, &[])?.stdout)?;
    let keys = printed
        .lines()
        .filter_map(|line| line.trim().strip_prefix("PublicKey: "));
    let keys: Result<Vec<_>, _> = keys.map(VerifierKey::parse).collect();
    let keys = keys?;
    ensure!(keys.len() == LOGS, "{printed}");
    Ok(keys)
}

/// What monitors are served of each log: its size, cosigned with both keys.
async fn sizes(witness: &Witness, logs: &[VerifierKey]) -> anyhow::Result<Vec<u64>> {
    let vkeys = witness.ready()?.vkeys.iter();
    let vkeys: Result<Vec<_>, _> = vkeys.map(|key| VerifierKey::parse(key)).collect();
    let cosigner = CosignerVerifier::new(vkeys?)?;
    let mut sizes = Vec::new();
    for key in logs {
        let served = witness.monitored(key.name()).await?;
        ensure!(served.status == 200, "{}: {}", key.name(), served.body);
        let head = LogVerifier::new(key.name(), vec![key.clone()])?.verify(&served.body)?;
        let cosigned = cosigner.verify(&served.body)?;
        ensure!(cosigned.statements().len() == 2, "{}", served.body);
        sizes.push(head.size().get());
    }
    Ok(sizes)
}

/// It ends well once the witness takes more than so many checkpoints a second, and badly at the
/// first refusal. Then it comes back, with logs that the witness has cosigned already, and with
/// signatures of strangers.
#[tokio::test(flavor = "multi_thread")]
async fn the_load_test_of_others_ends_well_twice() -> anyhow::Result<()> {
    if !require_go("the load test of other witnesses") {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let program = Foreign {
        module: "loadtest",
        package: "github.com/transparency-dev/witness/cmd/loadtest",
    };
    let program = build(program, &folder.path().join("loadtest"));
    let program = program.map_err(anyhow::Error::msg)?;
    let logs = keys(&program)?;
    let mut witness = Witness::init()?;
    for key in &logs {
        witness.add_log(key.name(), &key.to_string())?;
    }
    witness.run()?;
    let url = witness.ready()?.url.clone();
    let mut held = vec![0; LOGS];
    for strangers in ["0", "3"] {
        let arguments = [
            ["--target", &url],
            // It raises its rate only if it kept up with it, which its own timers do not at many a
            // second on a busy machine.
            ["--start_qps", "10"],
            ["--success_qps", "9"],
            ["--timeout", "20s"],
            ["--num_extra_sigs", strangers],
            ["--logtostderr", "true"],
        ];
        let arguments = arguments.map(|[name, value]| format!("{name}={value}"));
        let output = loadtest(&program, &arguments.each_ref().map(String::as_str))?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{said}\n{}", witness.stderr());
        said.find("Exiting successfully")
            .context("how did it end?")?;
        let now = sizes(&witness, &logs).await?;
        assert!(
            now.iter().zip(&held).all(|(now, held)| now >= held),
            "{now:?} after {held:?}"
        );
        assert!(now.iter().sum::<u64>() > held.iter().sum(), "{said}");
        held = now;
    }
    // A stranger's log is refused, and that ends it: it does notice refusals.
    let mut other = Witness::init()?;
    other.run()?;
    let target = format!("--target={}", other.ready()?.url);
    let refused = loadtest(&program, &[&target])?;
    ensure!(!refused.status.success(), "it was not refused");
    Ok(())
}
