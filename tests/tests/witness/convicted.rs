//! Logs that sign two histories, as real processes: who finds it, keeps it, and tells it.

use super::{ORIGIN, TEXT, said, text};
use anyhow::{Context, ensure};
use assay_claims::misbehavior::{Culprit, KnownKeys, VerifiedMisbehavior};
use assay_proto::v1::{
    ListMisbehaviorRequest, ListMisbehaviorResponse, ReportMisbehaviorRequest,
    federation_service_client::FederationServiceClient,
};
use assay_tests::{
    ports::free_address,
    process::Node,
    witness::{History, Witness, request},
};
use assay_tlog::Hash;
use assay_tlog::head::LogVerifier;
use std::{fs, path::Path};
use tonic::{Code, transport::Channel};

const OTHER: &str = "log.example/b";
const CONVICTED: &str = "this log has signed two histories and is not cosigned any more\n";

/// What a verifier knows that trusts this log.
fn keys(log: &History) -> anyhow::Result<KnownKeys> {
    let verifier = LogVerifier::new(&log.origin, vec![log.key().verifier()])?;
    Ok(KnownKeys {
        logs: vec![verifier],
        ..KnownKeys::default()
    })
}

/// Two trees of one size, as a text.
fn split(log: &History, size: usize) -> anyhow::Result<VerifiedMisbehavior> {
    let verifier = LogVerifier::new(&log.origin, vec![log.key().verifier()])?;
    let heads = [log, &log.fork(0)].map(|branch| verifier.verify(&branch.note(size)));
    let [a, b] = heads;
    Ok(VerifiedMisbehavior::of_log(&a?, &b?, None)?)
}

async fn connect(url: &str) -> anyhow::Result<FederationServiceClient<Channel>> {
    Ok(FederationServiceClient::connect(url.to_owned()).await?)
}

/// What a node tells of these culprits, or of all, after an id.
async fn listed(
    url: &str,
    after: &[u8],
    culprits: &[&str],
) -> anyhow::Result<Vec<ListMisbehaviorResponse>> {
    let request = ListMisbehaviorRequest {
        after: after.to_vec().into(),
        culprits: culprits.iter().map(|name| (*name).to_owned()).collect(),
        ..ListMisbehaviorRequest::default()
    };
    let stream = connect(url).await?.list_misbehavior(request).await?;
    let mut stream = stream.into_inner();
    let mut files = Vec::new();
    while let Some(next) = stream.message().await? {
        files.push(next);
    }
    Ok(files)
}

async fn report(url: &str, file: &[u8]) -> anyhow::Result<Result<(Hash, bool), tonic::Status>> {
    let request = ReportMisbehaviorRequest {
        file: file.to_vec().into(),
    };
    let answer = match connect(url).await?.report_misbehavior(request).await {
        Ok(answer) => answer.into_inner(),
        Err(status) => return Ok(Err(status)),
    };
    let id = Hash::from_slice(&answer.id).context("no id")?;
    Ok(Ok((id, answer.new)))
}

/// The files of a data folder.
fn stored(data: &Path) -> usize {
    fs::read_dir(data.join("misbehavior")).map_or(0, Iterator::count)
}

/// Two heads of one size, by one key: found by the witness that held one of them.
#[tokio::test]
async fn a_log_that_signs_two_histories_is_convicted_for_good() -> anyhow::Result<()> {
    let logs = [History::new(ORIGIN, 8)?, History::new(OTHER, 8)?];
    let mut witness = Witness::start(&[&logs[0], &logs[1]])?;
    assert_eq!(witness.get("/misbehavior").await?.body, "");
    for log in &logs {
        assert_eq!(witness.add(log.request(0, 5)?).await?.status, 200);
    }
    let fork = logs[0].fork(2);
    assert_eq!(witness.add(fork.request(5, 5)?).await?.status, 422);

    // What was found says it by itself.
    let keys = keys(&logs[0])?;
    let list = witness.get("/misbehavior").await?;
    let (id, rest) = list.body.split_once(' ').context("nothing is listed")?;
    assert_eq!(rest, format!("split log {ORIGIN}\n"));
    let file = witness.get(&format!("/misbehavior/{id}")).await?;
    let caching = ("cache-control", "public, max-age=31536000, immutable");
    assert_eq!(
        file,
        said(200, &[caching, ("content-type", TEXT)], &file.body)
    );
    let found = VerifiedMisbehavior::verify(file.body.as_bytes(), &keys)?;
    assert_eq!(found.culprit(), &Culprit::Log(ORIGIN.into()));
    assert_eq!(found.id().to_string(), id);
    for note in [logs[0].note(5), fork.note(5)] {
        assert!(found.text().contains(&note));
    }
    let none = witness
        .get(&format!("/misbehavior/{}", Hash::of(b"")))
        .await?;
    assert_eq!(none.status, 404);
    assert_eq!(witness.get("/misbehavior/x").await?.status, 404);

    // Nothing of it is cosigned again, whatever it was; the other log does not feel it.
    for start in 0..2 {
        for body in [
            logs[0].request(5, 8)?,
            logs[0].request(0, 8)?,
            fork.request(5, 5)?,
        ] {
            assert_eq!(witness.add(body).await?, text(403, CONVICTED), "{start}");
        }
        assert_eq!(witness.add(logs[1].request(5, 5)?).await?.status, 200);
        assert_eq!(witness.admin("/readyz").await?.body, "ready\n");
        assert_eq!(witness.get("/misbehavior").await?, list);
        let files = listed(&witness.ready()?.url, &[], &[]).await?;
        assert_eq!(files.len(), 1);
        assert_eq!(files[0].file, file.body);
        if start == 0 {
            let metrics = witness.admin("/metrics").await?.body;
            let counted = "assay_misbehavior_total{kind=\"split\"} 1";
            assert!(metrics.contains(counted), "{metrics}");
            assert!(witness.stderr().contains("misbehavior is proven"));
            witness.kill()?;
            witness.run()?;
        }
    }
    Ok(())
}

/// A log that asks for the size first, with its other head, is told it, and convicted.
#[tokio::test]
async fn the_other_head_convicts_whatever_it_is_answered() -> anyhow::Result<()> {
    let log = History::new(ORIGIN, 8)?;
    let witness = Witness::start(&[&log])?;
    assert_eq!(witness.add(log.request(0, 5)?).await?.status, 200);
    let fork = log.fork(2);
    // Of other sizes nothing is proven.
    assert_eq!(witness.add(fork.request(5, 8)?).await?.status, 422);
    assert_eq!(witness.add(fork.request(0, 4)?).await?.status, 409);
    assert_eq!(witness.add(log.request(5, 5)?).await?.status, 200);
    assert_eq!(
        witness.add(request(0, &[], &fork.note(5))).await?.status,
        409
    );
    assert_eq!(witness.add(log.request(5, 8)?).await?.status, 403);
    Ok(())
}

async fn refuses_what_it_cannot_verify(
    url: &str,
    found: &VerifiedMisbehavior,
    unknown: &VerifiedMisbehavior,
) -> anyhow::Result<()> {
    let refused = report(url, unknown.text().as_bytes()).await?.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    let message = format!("this node has no key of log {OTHER}");
    assert_eq!(refused.message(), message);
    let text = found.text().as_bytes();
    let honest = found.text().replace("kind split", "kind omission");
    let mut forged = vec![honest.into_bytes(), vec![b'x'; 256 << 10], Vec::new()];
    for i in (0..text.len()).step_by(7) {
        let mut changed = text.to_vec();
        changed[i] ^= 1;
        forged.push(changed);
    }
    for file in forged {
        let refused = report(url, &file).await?.unwrap_err();
        let code = refused.code();
        let codes = [Code::InvalidArgument, Code::FailedPrecondition];
        assert!(codes.contains(&code), "{refused}");
    }
    let long = report(url, &vec![b'x'; (256 << 10) + 64]).await?;
    assert!(long.is_err());
    Ok(())
}

/// A node, which is a witness, too, learns of it from somebody else.
#[tokio::test]
async fn a_node_takes_what_it_can_verify_and_nothing_else() -> anyhow::Result<()> {
    let logs = [History::new(ORIGIN, 8)?, History::new(OTHER, 8)?];
    let witness = Witness::init()?;
    witness.add_log(ORIGIN, &logs[0].vkey())?;
    let config = witness.folder().join("witness.toml");
    let mut node = Node::init()?;
    node.append_configuration(&format!("[witness]\nconfig = {config:?}"))?;
    node.configure(&format!("server.listen = \"{}\"", free_address()?))?;
    node.run()?;
    let url = node.ready().url.clone();
    let folders = [node.folder().join("data"), witness.folder().join("data")];
    let post = |body: String| {
        let add = reqwest::Client::new().post(format!("{url}/add-checkpoint"));
        async move { anyhow::Ok(add.body(body).send().await?.status()) }
    };
    assert_eq!(post(logs[0].request(0, 5)?).await?, 200);

    let found = split(&logs[0], 3)?;
    let text = found.text().as_bytes();
    refuses_what_it_cannot_verify(&url, &found, &split(&logs[1], 3)?).await?;
    assert_eq!(listed(&url, &[], &[]).await?, []);
    assert_eq!(folders.each_ref().map(|data| stored(data)), [0, 0]);
    assert_eq!(post(logs[0].request(5, 6)?).await?, 200);

    assert_eq!(report(&url, text).await?.unwrap(), (found.id(), true));
    assert_eq!(report(&url, text).await?.unwrap(), (found.id(), false));
    assert_eq!(folders.each_ref().map(|data| stored(data)), [1, 1]);
    for start in 0..2 {
        assert_eq!(post(logs[0].request(6, 8)?).await?, 403, "{start}");
        let list = reqwest::get(format!("{}/misbehavior", node.ready().url));
        let line = format!("{} split log {ORIGIN}\n", found.id());
        assert_eq!(list.await?.text().await?, line);
        if start == 0 {
            node.kill()?;
            node.run()?;
        }
    }

    // Lists go on, and are of whom was asked.
    let more = split(&logs[0], 4)?;
    assert_eq!(
        report(&url, more.text().as_bytes()).await?.unwrap(),
        (more.id(), true)
    );
    let all = listed(&url, &[], &[]).await?;
    ensure!(all.len() == 2, "{all:?}");
    assert!(all[0].id < all[1].id);
    assert_eq!(listed(&url, &all[0].id, &[]).await?, all[1..]);
    let of = |name: &str| format!("log {name}");
    assert_eq!(listed(&url, &[], &[&of(ORIGIN), &of(OTHER)]).await?, all);
    assert_eq!(listed(&url, &[], &[&of(OTHER)]).await?, []);
    Ok(())
}
