//! What each quota lets through.

use super::{
    rate::{KEYS, Recent},
    *,
};
use governor::{nanos::Nanos, state::StateStore};

/// Quotas of `claims` a second and KiB a second, for networks, issuers and all.
fn quotas(limits: [(u32, u32); 3]) -> Arc<Quotas> {
    let [network, issuer, all] = limits;
    let config = AdmissionConfig {
        address_claims_per_second: network.0,
        address_kib_per_second: Some(network.1),
        issuer_claims_per_second: issuer.0,
        issuer_kib_per_second: Some(issuer.1),
        claims_per_second: all.0,
        kib_per_second: Some(all.1),
        registrations_per_hour: 2,
        ..AdmissionConfig::default()
    };
    Arc::new(Quotas::new(&config, &["127.0.0.1".parse().unwrap()]))
}

fn claim(bytes: usize) -> Claim {
    Claim {
        payload: vec![b' '; bytes].into(),
        ..Claim::default()
    }
}

fn address(text: &str) -> Option<IpAddr> {
    Some(text.parse().unwrap())
}

/// How many of a hundred claims of so many bytes are taken at once, and which limit met the
/// others.
fn taken(mut charge: impl FnMut() -> Result<(), Exceeded>) -> (usize, Option<&'static str>) {
    let results: Vec<_> = (0..100).map(|_| charge()).collect();
    let refused = results.iter().find_map(|result| result.as_ref().err());
    if let Some(exceeded) = refused {
        assert!((1..=3600).contains(&exceeded.retry_s), "{exceeded:?}");
    }
    let taken = results.iter().filter(|result| result.is_ok()).count();
    (taken, refused.map(|exceeded| exceeded.limit))
}

#[test]
fn a_network_is_charged_before_a_signature_is_verified_and_a_shared_address_is_not() {
    let quotas = quotas([(2, 0), (0, 0), (0, 0)]);
    let small = claim(10);
    let arrive = |from| taken(|| quotas.arrived(&small, address(from)));
    assert_eq!(arrive("2001:db8::1"), (20, Some("address_claims")));
    assert_eq!(arrive("2001:db8::2"), (0, Some("address_claims")));
    assert_eq!(arrive("2001:db8:0:1::"), (20, Some("address_claims")));
    assert_eq!(arrive("127.0.0.1"), (100, None));
    assert_eq!(arrive("::ffff:127.0.0.1"), (100, None));
}

/// Each is verified, whoever made it.
#[test]
fn a_claim_is_charged_to_a_network_for_each_signature() {
    let quotas = quotas([(32, 0), (32, 0), (32, 0)]);
    for (signatures, arrived) in [(1, 100), (15, 21), (16, 20), (1000, 20)] {
        let claim = Claim {
            signatures: vec![Default::default(); signatures],
            ..claim(10)
        };
        let from = address(&format!("192.0.2.{}", signatures % 256));
        assert_eq!(
            taken(|| quotas.arrived(&claim, from)).0,
            arrived,
            "{signatures}"
        );
    }
}

#[test]
fn bytes_are_counted_beside_claims() {
    let quotas = quotas([(0, 16), (0, 32), (0, 0)]);
    let large = claim(32 << 10);
    let network = taken(|| quotas.arrived(&large, address("192.0.2.1")));
    assert_eq!(network, (4, Some("address_bytes")));
    let issuer = IssuerId::from_slice(&[7; 32]).unwrap();
    let issuer = taken(|| quotas.verified(&large, 0, vec![issuer]).map(Charge::keep));
    assert_eq!(issuer, (9, Some("issuer_bytes")));
}

/// A hundred names in a claim of a few bytes cost the index more than the largest payload does.
#[test]
fn labels_are_counted_as_bytes() {
    let quotas = quotas([(0, 16), (0, 32), (0, 0)]);
    let small = claim(10);
    let issuer = IssuerId::from_slice(&[7; 32]).unwrap();
    let publish = |labels| {
        taken(|| {
            let charged = quotas.verified(&small, labels, vec![issuer]);
            charged.map(Charge::keep)
        })
    };
    assert_eq!(publish(128), (9, Some("issuer_bytes")));
    let [one, other] = ["192.0.2.1", "192.0.2.2"].map(address);
    let arrive = |labels, from| taken(|| quotas.labeled(labels, from));
    assert_eq!(arrive(128, one), (5, Some("address_bytes")));
    // More than a bucket holds is a full one, and no other's.
    assert_eq!(arrive(2048, other), (1, Some("address_bytes")));
    assert_eq!(arrive(2048, address("127.0.0.1")), (100, None));
}

/// What costs more than a bucket holds comes back as what was taken.
#[test]
fn a_full_bucket_that_comes_back_is_full() {
    let quotas = quotas([(0, 0), (0, 16), (0, 0)]);
    let small = claim(10);
    let issuer = IssuerId::from_slice(&[7; 32]).unwrap();
    let refused = taken(|| quotas.verified(&small, 2048, vec![issuer]).map(drop));
    assert_eq!(refused, (100, None));
}

#[test]
fn an_issuer_over_its_quota_takes_nothing_from_others() {
    let quotas = quotas([(0, 0), (1, 0), (3, 0)]);
    let small = claim(10);
    let [one, other, third, fourth] =
        [1, 2, 3, 4].map(|byte| IssuerId::from_slice(&[byte; 32]).unwrap());
    let publish = |issuer| taken(|| quotas.verified(&small, 0, vec![issuer]).map(Charge::keep));
    for issuer in [one, other, third] {
        assert_eq!(publish(issuer), (10, Some("issuer_claims")));
    }
    // These took all that there is for everybody, and no more.
    assert_eq!(publish(fourth), (0, Some("claims")));
}

#[test]
fn bytes_follow_from_claims_where_none_are_configured() {
    let config = AdmissionConfig {
        issuer_claims_per_second: 4,
        issuer_kib_per_second: None,
        ..AdmissionConfig::default()
    };
    let quotas = Arc::new(Quotas::new(&config, &[]));
    let issuer = IssuerId::from_slice(&[7; 32]).unwrap();
    let large = claim(32 << 10);
    let taken = taken(|| quotas.verified(&large, 0, vec![issuer]).map(Charge::keep));
    assert_eq!(taken, (4, Some("issuer_bytes")));
}

#[test]
fn new_issuers_are_counted_by_network_whoever_passes_them_on() {
    let quotas = quotas([(0, 0); 3]);
    for from in ["127.0.0.1", "2001:db8::1"] {
        let register = taken(|| quotas.registered(address(from)));
        assert_eq!(register, (2, Some("registrations")));
    }
    let neighbor = taken(|| quotas.registered(address("2001:db8::2")));
    assert_eq!(neighbor, (0, Some("registrations")));
}

#[test]
fn the_state_of_a_quota_is_bounded() {
    let recent = Recent::new();
    for key in 0..4 * KEYS {
        let taken = recent.measure_and_replace(&key, |state| {
            assert_eq!(state, None, "{key} was not there");
            Ok::<_, ()>(((), Nanos::new(1)))
        });
        assert_eq!(taken, Ok(()));
    }
    assert!(recent.len() <= KEYS, "{} keys are kept", recent.len());
}

#[test]
fn what_is_charged_for_a_claim_without_a_leaf_comes_back() {
    let quotas = quotas([(0, 0), (1, 0), (5, 0)]);
    let small = claim(10);
    let [one, other] = [1, 2].map(|byte| IssuerId::from_slice(&[byte; 32]).unwrap());
    // A hundred at a time are never together: each comes back before the next.
    let refused = taken(|| quotas.verified(&small, 0, vec![one, other]).map(drop));
    assert_eq!(refused, (100, None));
    let logged = taken(|| quotas.verified(&small, 0, vec![other]).map(Charge::keep));
    assert_eq!(logged, (10, Some("issuer_claims")));
    // The other has no more, so that nobody pays.
    let both = taken(|| {
        quotas
            .verified(&small, 0, vec![one, other])
            .map(Charge::keep)
    });
    assert_eq!(both, (0, Some("issuer_claims")));
    let alone = taken(|| quotas.verified(&small, 0, vec![one]).map(Charge::keep));
    assert_eq!(alone, (10, Some("issuer_claims")));
}

#[test]
fn what_comes_back_is_what_was_charged() {
    let quotas = quotas([(0, 0), (1, 32), (0, 0)]);
    let large = claim(32 << 10);
    let issuer = IssuerId::from_slice(&[7; 32]).unwrap();
    let waiting: Vec<_> = (0..9)
        .map(|_| quotas.verified(&large, 0, vec![issuer]).unwrap())
        .collect();
    assert!(quotas.verified(&large, 0, vec![issuer]).is_err());
    drop(waiting);
    let logged = taken(|| quotas.verified(&large, 0, vec![issuer]).map(Charge::keep));
    assert_eq!(logged, (9, Some("issuer_bytes")));
    // More than was taken is never given: a bucket is full at most.
    quotas.issuers.give_back(&issuer, LARGEST);
    quotas.issuers.give_back(&issuer, LARGEST);
    let again = taken(|| quotas.verified(&large, 0, vec![issuer]).map(Charge::keep));
    assert!(again.0 <= 4, "{again:?}");
}

/// However few KiB a second there are.
#[test]
fn the_largest_claim_comes_in_at_once() {
    let largest = claim(assay_claims::limits::PAYLOAD_BYTES);
    let quotas = quotas([(0, 1), (0, 0), (0, 0)]);
    quotas.arrived(&largest, address("192.0.2.7")).unwrap();
    assert!(quotas.arrived(&largest, address("192.0.2.7")).is_err());
}

/// A network that uploads keeps its only place, however many others come and go.
#[test]
fn a_place_that_is_used_is_not_forgotten() {
    let senders = senders::Senders::new(&[]);
    let own = "192.0.2.7".parse().unwrap();
    let place = senders.uploading(own, "log.example");
    assert!(place.is_some());
    for number in 0..2_000_u32 {
        let other = IpAddr::from((0x0a00_0000 + number).to_be_bytes());
        assert!(senders.uploading(other, "log.example").is_some());
    }
    assert!(senders.uploading(own, "log.example").is_none());
    drop(place);
    assert!(senders.uploading(own, "log.example").is_some());
}

/// Two addresses of one IPv6 subscriber.
const ONE_NETWORK: [&str; 2] = ["2001:db8::1", "2001:db8::2"];

#[test]
fn uploads_reports_and_places_are_of_a_network() {
    let [own, next] = ONE_NETWORK.map(|text| text.parse().unwrap());
    let uploads = Uploads::new(1, &[]);
    uploads.charge(own, 1 << 20).unwrap();
    assert!(uploads.charge(next, 1).is_err());
    let reports = Reports::new(1, &[]);
    assert_eq!(taken(|| reports.charge(own)).0, 10);
    assert_eq!(taken(|| reports.charge(next)).0, 0);
    let senders = senders::Senders::new(&[]);
    let place = senders.uploading(own, "log.example");
    assert!(place.is_some() && senders.uploading(next, "log.example").is_none());
}

/// A byte costs as much as 4 KiB, which is what it takes of a disk.
#[test]
fn a_small_upload_is_charged_as_a_larger_one() {
    let uploads = Uploads::new(1, &[]);
    let from = "192.0.2.7".parse().unwrap();
    let many = (0..1000).take_while(|_| uploads.charge(from, 1).is_ok());
    assert_eq!(many.count(), 256);
}
