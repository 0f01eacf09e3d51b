//! The Python implementation asks a running node over gRPC, and verifies what it answers.

use super::python;
use assay_proto::v1::Wait;
use assay_tests::{issuer::Actor, log::Log, process::Node};
use serde_json::Value;

/// Runs `assay_index.py ask`; returns what was verified, or why nothing was.
fn ask(url: &str, key: &str, question: &[&str]) -> Result<Value, String> {
    run(&[&["ask", url, key], question].concat())
}

fn run(arguments: &[&str]) -> Result<Value, String> {
    let output = python()
        .arg("assay_index.py")
        .args(arguments)
        .output()
        .unwrap();
    if output.status.success() {
        Ok(serde_json::from_slice(&output.stdout).unwrap())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// How many lists an answer has, and the hashes of its entries by leaf.
fn said(answer: &Value) -> (usize, &serde_json::Map<String, Value>) {
    assert_eq!(answer["missing"], serde_json::json!([]));
    (
        answer["lists"].as_object().unwrap().len(),
        answer["entries"].as_object().unwrap(),
    )
}

#[tokio::test]
async fn it_asks_a_running_node_and_verifies_the_answer() -> anyhow::Result<()> {
    let node = Node::start_with("log.publish_interval_ms = 1")?;
    let ready = node.ready();
    let log = Log::connect(ready).await?;
    let (issuer, stranger) = (Actor::new(&[1], 1), Actor::new(&[2], 1));
    for actor in [&issuer, &stranger] {
        log.publish(actor.registration()?, Wait::Integrated).await?;
    }
    let claim = log.publish(issuer.claim(7), Wait::Integrated).await?;
    log.publish(stranger.claim(7), Wait::Integrated).await?;

    let (id, other) = (issuer.id.to_hex(), stranger.id.to_hex());
    let name = format!("digest:sha256:{:064x}", 7);
    let ask = |question: &[&str]| ask(&ready.url, &ready.vkey, question);

    // What one of the two said, and only that.
    let answer = ask(&[&name, &id]).unwrap();
    let (lists, entries) = said(&answer);
    let leaf = claim.leaf_index.to_string();
    assert_eq!((lists, entries.len()), (1, 1));
    assert_eq!(entries[&leaf], hex::encode(&claim.leaf_hash));

    let both = ask(&[&name, &id, &other]).unwrap();
    assert_eq!(said(&both).0, 2);
    let crowd = ask(&[&format!("{name}#6"), &id]).unwrap();
    assert_eq!(said(&crowd).1[&leaf], hex::encode(&claim.leaf_hash));
    let census = ask(&[&format!("{name}#128")]).unwrap();
    assert_eq!(said(&census).0, 0);
    assert_eq!(census["census"].as_object().unwrap().len(), 2);

    // Nothing is said of another artifact, and nothing but its registration by type.
    let unknown = ask(&[&format!("digest:sha256:{:064x}", 8), &id]).unwrap();
    assert_eq!(said(&unknown).0, 0);
    let records = ask(&[&format!("issuer:{id}"), "urn:assay:issuer:v1"]).unwrap();
    assert_eq!(said(&records).1.keys().collect::<Vec<_>>(), ["1"]);
    Ok(())
}

/// Each page of a list by itself, at its place.
#[tokio::test]
async fn it_asks_for_pages_and_verifies_each() -> anyhow::Result<()> {
    let node = Node::start_with("log.publish_interval_ms = 1")?;
    let ready = node.ready();
    let log = Log::connect(ready).await?;
    let issuer = Actor::new(&[1], 1);
    log.publish(issuer.registration()?, Wait::Integrated)
        .await?;
    let mut leaves = Vec::new();
    for number in 0..20 {
        let claim = log.publish(issuer.claim(number), Wait::Integrated).await?;
        leaves.push(claim.leaf_index);
    }
    let name = format!("issuer:{}", issuer.id);
    let by = "https://in-toto.io/attestation/test-result/v0.1";
    let page = |from: usize| {
        let from = from.to_string();
        run(&["page", &ready.url, &ready.vkey, &name, by, &from])
    };
    for from in [0, 7, 19, 20] {
        let page = page(from).unwrap();
        assert_eq!(page["length"], 20);
        assert_eq!(page["indices"], serde_json::json!(leaves[from..]));
        assert_eq!(page["hashes"] == 0, from == 0 || from == 20, "{page}");
    }
    assert!(page(21).unwrap_err().contains("beyond the list's end"));
    Ok(())
}

#[tokio::test]
async fn it_refuses_the_answer_of_another_log() -> anyhow::Result<()> {
    let (node, other) = (Node::start()?, Node::start()?);
    let refused = ask(
        &node.ready().url,
        &other.ready().vkey,
        &["package:pkg:cargo/serde#128"],
    );
    let said = refused.unwrap_err();
    assert!(said.contains("not signed by the log"), "{said}");
    Ok(())
}
