use super::*;
use crate::note::SignerKey;

/// Whoever looks for long enough finds an origin with the 64 bits of another. Here they are put
/// where they would be.
#[test]
fn a_log_with_the_id_of_another_is_not_taken_for_it() {
    let (first, second) = ("a.example", "b.example");
    let verifier = |origin: &str| {
        let key = SignerKey::from_seed(origin, &[1; 32]).unwrap();
        LogVerifier::new(origin, vec![key.verifier()]).unwrap()
    };
    let alarm_after_ms = 60_000;
    let mut pool = Pool::new(Settings { alarm_after_ms });
    pool.add_log(verifier(first)).unwrap();
    let known = pool.logs.remove(&LogId::of(first)).unwrap();
    pool.logs.insert(LogId::of(second), known);
    let refused = AddError::SameId(second.to_owned(), first.to_owned());
    assert_eq!(pool.add_log(verifier(second)), Err(refused));
    assert_eq!(pool.bytes(second), 0);
    pool.remove_log(second);
    assert_eq!(pool.logs.len(), 1);
}
