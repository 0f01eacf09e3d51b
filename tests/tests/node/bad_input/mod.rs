//! What must be refused: with which code, with which words, and with nothing appended.

pub(crate) mod attachments;
mod messages;
mod payloads;
mod signatures;

use crate::{AT_ONCE, Fixture, STARTED, stream_all};
use assay_claims::claim;
use assay_claims::entry::wire;
use assay_claims::limits;
use assay_proto::v1::{PublishItem, PublishStreamRequest, Wait, publish_result::Result as Outcome};
use assay_tests::issuer::{Actor, payload};
use std::borrow::Cow;
use tonic::{Code, Status};

/// A claim, why it is refused, and what the refusal must say.
struct Case {
    name: &'static str,
    claim: wire::Claim,
    code: Code,
    words: Vec<Cow<'static, str>>,
}

impl Case {
    /// The refusal has the right code and says every word.
    fn assert_refused(&self, code: Code, message: &str) {
        assert_eq!(code, self.code, "{}: {message}", self.name);
        for word in &self.words {
            assert!(
                message.contains(&**word),
                "{}: {word:?} is not in: {message}",
                self.name
            );
        }
    }
}

fn case(name: &'static str, claim: wire::Claim, code: Code, words: &[&'static str]) -> Case {
    Case {
        name,
        claim,
        code,
        words: words.iter().copied().map(Cow::from).collect(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_claim_is_refused_with_its_reason_and_nothing_is_appended() -> anyhow::Result<()>
{
    let fixture = Fixture::start(AT_ONCE).await?;
    let (log, issuer) = (&fixture.log, &fixture.issuer);
    let mut cases = payloads::cases(issuer);
    cases.extend(signatures::cases(issuer));
    for case in &cases {
        let status: Status = match log.publish(case.claim.clone(), Wait::Sequenced).await {
            Err(status) => status,
            Ok(answer) => panic!("{}: logged at {}", case.name, answer.leaf_index),
        };
        case.assert_refused(status.code(), status.message());
        // gRPC carries messages in a header: they are one line, and not as long as the claim.
        assert!(
            status.message().len() < 2000 && !status.message().contains('\n'),
            "{}",
            case.name
        );
    }
    // By a stream, all at once.
    let mut items = Vec::new();
    for (id, case) in cases.iter().enumerate() {
        items.push(PublishItem {
            id: id as u64,
            claim: Some(case.claim.clone()),
        });
    }
    let message = PublishStreamRequest {
        wait: Wait::Sequenced.into(),
        items,
    };
    let answers = stream_all(log, vec![message]).await?;
    assert_eq!(answers.len(), cases.len());
    for (id, answer) in answers {
        let case = &cases[id as usize];
        let Outcome::Refused(refused) = answer else {
            panic!("{}: logged", case.name)
        };
        case.assert_refused(Code::from(refused.code), &refused.message);
    }
    // The next good claim gets the next leaf: nothing is there, published or not.
    let next = log.publish(issuer.claim(1), Wait::Integrated).await?;
    assert_eq!(next.leaf_index, STARTED);
    assert_eq!(log.size().await?, STARTED + 2);
    assert_eq!(log.rederive().await?.index.claims(), 2);
    Ok(())
}

/// The limit is exact: what is refused above it is taken at it.
#[tokio::test(flavor = "multi_thread")]
async fn a_claim_at_the_limits_is_taken() -> anyhow::Result<()> {
    let fixture = Fixture::start(AT_ONCE).await?;
    // As many keys as an issuer can have, twice.
    let crowds = [100..108, 108..116].map(|keys: std::ops::Range<u8>| {
        let keys: Vec<u8> = keys.collect();
        Actor::new(&keys, 8)
    });
    let mut signers = Vec::new();
    for crowd in &crowds {
        let record = crowd.registration()?;
        fixture.log.publish(record, Wait::Integrated).await?;
        signers.extend(crowd.keys.iter().map(|key| (crowd.id, key)));
    }
    let mut longest = payload(1);
    longest.resize(limits::PAYLOAD_BYTES, b' ');
    let signed = claim::sign(&longest, &signers);
    let answer = fixture.log.publish(signed, Wait::Integrated).await?;
    let found = fixture
        .log
        .entry(assay_tests::log::Leaf::Index(answer.leaf_index))
        .await?;
    assert_eq!(found.entry.claim()?.payload, longest);
    assert_eq!(found.entry.claim()?.signatures.len(), 16);
    Ok(())
}
