//! Room that claims take from the moment they come until they have a leaf.

use crate::held::{Account, Hold, Kind, NoRoom};
use assay_claims::{entry::wire::Claim, index::most_labels, limits, sequencer::Candidate};
use assay_proto::v1::PublishItem;
use std::sync::Arc;

/// Memory that an item takes beside its claim: its answer.
const ITEM_BYTES: usize = 128;

/// Memory that a label takes, and how many of them are in what any claim takes.
const LABEL_BYTES: usize = 32;
const LABELS: usize = 16;

/// About the memory that a claim takes: as it came, and as it will be logged, with its names. Each
/// signature has 128 bytes, in three fields.
fn bytes(payload: usize, signatures: usize, labels: usize) -> usize {
    let more = labels.saturating_sub(LABELS);
    2 * payload + LABEL_BYTES * (LABELS + more) + 256 * signatures
}

fn bytes_of(claim: &Claim, labels: usize) -> usize {
    bytes(claim.payload.len(), claim.signatures.len(), labels)
}

fn bytes_admitted(candidate: &Candidate) -> usize {
    bytes(
        candidate.payload_len(),
        candidate.signatures().len(),
        candidate.labels(),
    )
}

/// Room for the claim of a single call, before it is looked at.
pub(super) fn of_call(account: &Arc<Account>, claim: &Claim) -> Result<Hold, NoRoom> {
    let hold = account.try_hold(Kind::Claim, bytes_of(claim, 0));
    hold.ok_or(NoRoom)
}

/// Makes room for the names of a claim that was let in.
pub(super) fn admitted(mut hold: Hold, candidate: &Candidate) -> Result<Hold, NoRoom> {
    if hold.resize(bytes_admitted(candidate)) {
        Ok(hold)
    } else {
        Err(NoRoom)
    }
}

/// The items of one message of a stream, and the room that they take.
pub(super) struct Received {
    pub(super) items: Vec<PublishItem>,
    pub(super) hold: Hold,
}

impl Received {
    /// Waits for room for the items of a message, and for as many labels as they may have: a stream
    /// that waited once more, when they are known, could wait for one that waits for it. No other
    /// message of the stream is read meanwhile.
    pub(super) async fn take(items: Vec<PublishItem>, account: Arc<Account>) -> Self {
        let claims = items.iter().filter_map(|item| item.claim.as_ref());
        // What has more labels than a log takes is refused before it waits.
        let claims = claims.map(|claim| bytes_of(claim, most_labels(claim).min(limits::LABELS)));
        let bytes = claims.sum::<usize>() + ITEM_BYTES * items.len();
        let hold = account.wait(Kind::Claims, bytes).await;
        Received { items, hold }
    }
}

/// Gives back what a message of so many items turned out not to need, once some were let in.
pub(super) fn settle(hold: &mut Hold, items: usize, candidates: &[Candidate]) {
    let candidates: usize = candidates.iter().map(bytes_admitted).sum();
    hold.resize(candidates + ITEM_BYTES * items);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::held::tests::{address, roomy};
    use assay_claims::claim::{SigningKey, sign, verify};
    use assay_claims::issuer::{IssuerId, Registry, hold_to_rules};

    /// A claim about so many artifacts.
    fn claim(artifacts: u64) -> Claim {
        let key = SigningKey::from_bytes(&[1; 32]);
        let issuer = IssuerId::derive(1, &[key.verifying_key().to_bytes()]);
        let subjects: Vec<_> = (0..artifacts)
            .map(|n| format!(r#"{{"digest":{{"sha256":"{n:064x}"}}}}"#))
            .collect();
        let payload = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{}],"predicateType":"https://example.com/p","predicate":{{}}}}"#,
            subjects.join(",")
        );
        sign(payload.as_bytes(), &[(issuer, &key)])
    }

    fn candidate(claim: &Claim) -> Candidate {
        let verified = verify(claim, &()).unwrap();
        let authorized = hold_to_rules(&verified, &Registry::new()).unwrap();
        Candidate::new(verified, &authorized).unwrap()
    }

    /// What waits for a leaf counts with its names, by whichever way it came.
    #[tokio::test]
    async fn names_count_until_a_claim_has_its_leaf() {
        let held = roomy();
        let account = held.connection(address("127.0.0.1"));
        let claim = claim(200);
        let bytes = 2 * claim.payload.len() + 256 + 32 * 201;

        let hold = of_call(&account, &claim).unwrap();
        let hold = admitted(hold, &candidate(&claim)).unwrap();
        assert_eq!(hold.bytes(), bytes);
        drop(hold);

        let item = PublishItem {
            id: 1,
            claim: Some(claim.clone()),
        };
        let mut received = Received::take(vec![item.clone(), item], account).await;
        assert!(received.hold.bytes() >= 2 * (bytes + ITEM_BYTES));
        settle(&mut received.hold, 2, &[candidate(&claim)]);
        assert_eq!(received.hold.bytes(), bytes + 2 * ITEM_BYTES);
    }
}
