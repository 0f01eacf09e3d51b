//! A log of ours is cosigned, and what is cosigned satisfies a policy.

use assay_proto::v1::Wait;
use assay_tests::{
    issuer::Actor,
    log::Log,
    process::Node,
    witness::{Witness, WitnessReady, consistency, request},
};
use assay_tlog::note::VerifierKey;
use assay_tlog::tlog_policy::TlogPolicy;

/// One operator with two keys: one voice of a quorum of one.
fn policy(log: &VerifierKey, witness: &WitnessReady) -> anyhow::Result<TlogPolicy> {
    let [ed25519, ml_dsa] = [0, 1].map(|i| &witness.vkeys[i]);
    let text = format!(
        "log {log}\nwitness w1 {ed25519}\nwitness w2 {ml_dsa}\ngroup w any w1 w2\nquorum w\n"
    );
    Ok(TlogPolicy::parse(&text)?)
}

#[tokio::test]
async fn a_log_of_ours_is_cosigned_as_it_grows() -> anyhow::Result<()> {
    let node = Node::start()?;
    let log = Log::connect(node.ready()).await?;
    let mut witness = Witness::init()?;
    witness.add_log(&node.ready().origin, &node.ready().vkey)?;
    witness.run()?;
    let policy = policy(&log.key, witness.ready()?)?;

    let issuer = Actor::new(&[1], 1);
    let mut old = 0;
    for step in 0..3 {
        if step == 1 {
            log.publish(issuer.registration()?, Wait::Integrated)
                .await?;
        }
        if step == 2 {
            log.publish(issuer.claim(1), Wait::Integrated).await?;
        }
        let note = log.get("/checkpoint").await?.text().await?;
        let whole = log.rederive().await?;
        let size = whole.checkpoint.size();
        assert_eq!(whole.checkpoint.note(), note);
        assert!(policy.verify(&note).is_err(), "nobody cosigned it yet");

        let proof = consistency(&whole.leaves, old)?;
        let answer = witness.add(request(old as u64, &proof, &note)).await?;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let quorum = policy.verify(&(note.clone() + &answer.body))?;
        assert_eq!(quorum.checkpoint().size, size);
        assert_eq!(quorum.witnesses(), ["w1", "w2"]);
        assert!(quorum.cosigned_at().is_some());
        let served = witness.monitored(&node.ready().origin).await?.body;
        assert!(policy.verify(&served).is_ok());
        old = whole.leaves.len();
    }
    Ok(())
}
