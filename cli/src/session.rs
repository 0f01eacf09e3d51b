//! Connecting with the settings, and naming issuers, claims and leaves on the command line.

use crate::{config::Settings, exit::Failure, keys::Key, output, policy_file};
use assay_claims::claim::ClaimId;
use assay_claims::issuer::IssuerId;
use assay_client::ask::LogAddress;
use assay_client::{
    Client, ClientError, Config, Convictions, LeafRef, copy_url, is_exposed, one_line,
};
use assay_policy::rules::Policy;
use assay_tlog::Hash;
use assay_tlog::note::VerifierKey;
use assay_tlog::tree::LeafIndex;

/// Looks at the addresses that will be asked, before they are.
///
/// Says which can be read on the way. Fails with [`Failure::Usage`] if TLS files were given on the
/// command line and no address is one of TLS: they would be ignored.
pub fn look_at_addresses<'a>(
    settings: &Settings,
    urls: impl IntoIterator<Item = &'a str>,
) -> Result<(), Failure> {
    let (mut any, mut tls) = (false, false);
    for url in urls {
        any = true;
        tls |= url.starts_with("https://");
        if is_exposed(url) {
            output::say(
                settings,
                &format!(
                    "warning: {url} is not encrypted: others on the way can read what you ask and \
                     send, and hold answers back; what they change does not verify. Use https://"
                ),
            );
        }
    }
    for (id, written) in [
        ("tls_ca", "--tls-ca"),
        ("tls_cert", "--tls-cert"),
        ("tls_key", "--tls-key"),
    ] {
        if any && !tls && settings.given.has(id) {
            return Err(Failure::Usage(format!(
                "{written} is for an address that begins with https://, and none does"
            )));
        }
    }
    Ok(())
}

/// Connects to the node that the settings name, to publish there.
pub async fn connect(settings: &Settings) -> Result<Client, Failure> {
    let url = settings.log()?;
    look_at_addresses(settings, [url.as_str()])?;
    let log_key = settings.log_key()?;
    demand_unconvicted(settings, &log_key)?;
    Ok(Client::connect(config(
        settings,
        url,
        log_key.clone(),
        older(settings, &log_key),
    ))
    .await?)
}

/// The other keys of this log that the policy states, if there is one. It is not asked about, so
/// what is wrong with it is not said here.
pub fn older(settings: &Settings, log_key: &VerifierKey) -> Vec<VerifierKey> {
    let policy = policy_file::load(&settings.policy(None)).ok();
    let keys = policy.as_ref().and_then(Policy::tlog).into_iter();
    keys.flat_map(|tlog| tlog.keys_of_log(log_key.name()))
        .filter(|key| *key != log_key)
        .cloned()
        .collect()
}

/// Fails with [`Failure::Failed`] if this machine knows that the log with this key misbehaved, and
/// as [`Convictions::remembered`] does.
pub fn demand_unconvicted(settings: &Settings, log_key: &VerifierKey) -> Result<(), Failure> {
    let older = older(settings, log_key);
    let keys = [log_key].into_iter().chain(&older);
    let convicted = Convictions::remembered(None, keys, &settings.state_dir)?;
    match convicted.of_log(log_key.name()) {
        None => Ok(()),
        Some(why) => Err(Failure::Failed(convicted_words(log_key.name(), &why))),
    }
}

/// That a log is convicted, and by what.
pub fn convicted_words(origin: &str, why: &str) -> String {
    let origin = output::plain(origin);
    format!("the log {origin}: {why}; nothing that it says counts")
}

/// Reads from the node that the settings name, or, while that does not answer, from the first
/// mirror whose answer holds, which is said. What a mirror answers that does not hold is said with
/// its name, and not held against the log.
pub async fn read<T>(
    settings: &Settings,
    read: impl AsyncFn(&Client) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let url = settings.log()?;
    let mirrors = settings.mirrors.iter().map(String::as_str);
    look_at_addresses(settings, [url.as_str()].into_iter().chain(mirrors))?;
    let log_key = settings.log_key()?;
    let log = LogAddress {
        url: Some(url.clone()),
        older: older(settings, &log_key),
        key: log_key,
        mirrors: settings.mirrors.clone(),
    };
    demand_unconvicted(settings, &log.key)?;
    let mut failures = Vec::new();
    for place in 0..=log.mirrors.len() {
        if let Some(mirror) = mirror_at(&log, place) {
            let words = format!("{url} does not answer; its mirror {mirror} is asked");
            output::say(settings, &output::plain(&words));
        }
        let read = async {
            let client = connect_at(settings, &log, place).await?;
            read(&client).await
        };
        match read.await.map_err(|failure| at_place(&log, place, failure)) {
            Err(Failure::Client(error @ ClientError::Unavailable { .. })) => failures.push(error),
            ended => return ended,
        }
    }
    match <[ClientError; 1]>::try_from(failures) {
        Ok([only]) => Err(only.into()),
        Err(failures) => {
            let whys: Vec<String> = failures.iter().map(|error| one_line(error)).collect();
            Err(unavailable(&whys))
        }
    }
}

/// Connects to a log's own node at place 0, or to a mirror of it at those after it.
pub async fn connect_at(
    settings: &Settings,
    log: &LogAddress,
    place: usize,
) -> Result<Client, Failure> {
    let url = match mirror_at(log, place) {
        Some(mirror) => copy_url(mirror, log.key.name()),
        None => log.url.clone().map_or_else(|| settings.log(), Ok)?,
    };
    Ok(Client::connect(config(settings, url, log.key.clone(), log.older.clone())).await?)
}

/// A failure of what was asked at a place, as [`ClientError::of_mirror`] has it.
pub fn at_place(log: &LogAddress, place: usize, failure: Failure) -> Failure {
    match (failure, mirror_at(log, place)) {
        (Failure::Client(error), Some(mirror)) => Failure::Client(error.of_mirror(mirror)),
        (failure, _) => failure,
    }
}

fn mirror_at(log: &LogAddress, place: usize) -> Option<&String> {
    log.mirrors.get(place.checked_sub(1)?)
}

/// That a log is not available, for all of these reasons.
pub fn unavailable(why: &[impl AsRef<str>]) -> Failure {
    let why: Vec<&str> = why.iter().map(AsRef::as_ref).collect();
    Failure::Client(ClientError::Unavailable {
        what: why.join("; "),
        retry_after: None,
        source: None,
    })
}

fn config(
    settings: &Settings,
    url: String,
    log_key: VerifierKey,
    older: Vec<VerifierKey>,
) -> Config {
    Config {
        url,
        log_key,
        older,
        state_dir: settings.state_dir.clone(),
        tls: settings.tls.clone(),
    }
}

/// The issuer to act for: the one given, by argument or settings, or else the one that all keys
/// sign for.
///
/// Fails with [`Failure::Usage`] if they sign for different ones.
pub fn one_issuer<K: AsRef<[Key]>>(
    settings: &Settings,
    given: Option<IssuerId>,
    keys: impl FnOnce() -> Result<K, Failure>,
) -> Result<IssuerId, Failure> {
    if let Some(id) = settings.issuer(given)? {
        return Ok(id);
    }
    let mut ids: Vec<_> = keys()?.as_ref().iter().map(Key::issuer).collect();
    ids.sort_unstable();
    ids.dedup();
    match ids[..] {
        [id] => Ok(id),
        _ => Err(Failure::Usage(
            "these keys sign for different issuers; choose one with --issuer ID".into(),
        )),
    }
}

/// Reads a claim id: 64 lower-case hex digits.
pub fn claim(text: &str) -> Result<ClaimId, String> {
    ClaimId::from_hex(text)
        .ok_or_else(|| format!("{text:?} is not a claim id, which has 64 lower-case hex digits"))
}

/// Reads how a leaf is named: a claim id (64 hex digits), a leaf number, or `leaf:` and a leaf
/// hash.
pub fn leaf(text: &str) -> Result<LeafRef, String> {
    if let Some(hex) = text.strip_prefix("leaf:") {
        return Hash::from_hex(hex)
            .map(LeafRef::LeafHash)
            .ok_or_else(|| "a leaf hash has 64 lower-case hex digits".into());
    }
    if text.len() == 2 * Hash::LEN {
        return claim(text).map(LeafRef::Claim);
    }
    match text.parse() {
        Ok(index) => Ok(LeafRef::Index(LeafIndex::new(index))),
        Err(_) => {
            Err("name a claim by its id (64 hex digits), its leaf number, or leaf:LEAFHASH".into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{Given, Global};

    #[test]
    fn tls_files_that_no_address_uses_are_refused() {
        let settings = |given: &[&str]| {
            let global = Global {
                config: Some("/dev/null".into()),
                tls_ca: Some("ca.pem".into()),
                given: Given::new(given),
                ..Global::default()
            };
            Settings::load(&global).unwrap()
        };
        let look = |given: &[&str], urls: &[&str]| {
            look_at_addresses(&settings(given), urls.iter().copied())
        };
        let (far, near) = ("https://log.example", "http://127.0.0.1:1");
        assert!(look(&["tls_ca"], &[near, far]).is_ok());
        let error = look(&["tls_ca"], &[near]).unwrap_err();
        assert!(matches!(&error, Failure::Usage(text) if text.contains("--tls-ca")));
        // Set for all commands, it is not meant for this one; and offline nobody is asked.
        assert!(look(&[], &[near]).is_ok() && look(&["tls_ca"], &[]).is_ok());
    }

    #[test]
    fn a_leaf_is_named_in_three_ways() {
        let hash = Hash::of(b"x");
        assert_eq!(leaf("7"), Ok(LeafRef::Index(LeafIndex::new(7))));
        assert_eq!(leaf(&hash.to_hex()), Ok(LeafRef::Claim(ClaimId::new(hash))));
        assert_eq!(leaf(&format!("leaf:{hash}")), Ok(LeafRef::LeafHash(hash)));
        for wrong in ["", "-1", "leaf:7", "abc", &hash.to_hex().to_uppercase()] {
            assert!(leaf(wrong).is_err(), "{wrong}");
        }
    }
}
