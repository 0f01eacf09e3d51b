//! Misbehavior that a node keeps (docs/federation.md): what it tells of it, and telling it; and the
//! heads by which it finds some.
//!
//! Nothing that comes from a node is verified when it comes. Whoever calls has the [`Keys`].

use crate::{
    ClientError, Tls, call,
    channel::{NodeChannel, below},
    plain,
};
use assay_claims::limits::MISBEHAVIOR_BYTES;
use assay_claims::misbehavior::breach::BreachError;
use assay_claims::misbehavior::{
    self, AssayKeys, KnownKeys, Rewrite, VerifiedMisbehavior, VerifiedText,
};
use assay_proto::v1::{
    ListMisbehaviorRequest, ReportMisbehaviorRequest, SubmitHeadsRequest,
    federation_service_client::FederationServiceClient,
};
use assay_tlog::Hash;
use assay_tlog::checkpoint::Checkpoint;
use assay_tlog::cosigner::CosignerVerifier;
use assay_tlog::head::LogVerifier;
use assay_tlog::note::VerifierKey;
use assay_tlog::tlog_policy::Role;
use std::collections::{BTreeMap, BTreeSet};

/// Most files that are taken from a node, and most bytes of all: what a node keeps.
const FILES: usize = 1000;
const BYTES: usize = 64 << 20;

/// Largest message: a file, its id, and the heads of their fields.
const MESSAGE_BYTES: usize = MISBEHAVIOR_BYTES + 64;

/// The keys that texts of misbehavior are verified with.
#[derive(Debug, Clone, Default)]
pub struct Keys {
    known: KnownKeys,
    assay: AssayKeys,
}

impl Keys {
    /// Takes keys of logs, which are held to the rules of Assay, and of witnesses. All keys of one
    /// name are one culprit's; a witness whose name ends in `/audit` is an auditor, too.
    ///
    /// Fails with [`ClientError::Usage`] if keys of one name cannot be used together.
    pub fn new<'k>(
        logs: impl IntoIterator<Item = &'k VerifierKey>,
        witnesses: impl IntoIterator<Item = &'k VerifierKey>,
    ) -> Result<Self, ClientError> {
        let mut keys = Keys::default();
        for (origin, of_log) in by_name(logs) {
            let log = LogVerifier::new(origin, of_log).map_err(|e| unusable(origin, &e))?;
            keys.known.logs.push(log);
        }
        for (name, of_witness) in by_name(witnesses) {
            let witness = CosignerVerifier::new(of_witness).map_err(|e| unusable(name, &e))?;
            if Role::of(name) == Role::Audit {
                keys.assay.auditors.push(witness.clone());
            }
            // Its keys may have signed as a mirror's: that is said by the accusation.
            keys.known.mirrors.push(witness.clone());
            keys.known.witnesses.push(witness);
        }
        keys.assay.logs.clone_from(&keys.known.logs);
        Ok(keys)
    }

    /// Verifies a text of any kind. Fails with [`BreachError`].
    pub fn verify(&self, text: &[u8]) -> Result<VerifiedText, BreachError> {
        VerifiedText::verify(text, &self.known, &self.assay)
    }

    /// What convicts the witnesses who cosigned both of these notes of a log, which cannot both be
    /// true.
    pub(crate) fn cosigned_both(
        &self,
        first: &str,
        second: &str,
        rewrite: Option<Rewrite<'_>>,
    ) -> Vec<VerifiedMisbehavior> {
        let mut guilty = Vec::new();
        for witness in &self.known.witnesses {
            let (Ok(first), Ok(second)) = (witness.verify(first), witness.verify(second)) else {
                continue;
            };
            let role = match Role::of(witness.name()) {
                Role::Witness => misbehavior::Role::Witness,
                Role::Mirror | Role::Audit => misbehavior::Role::Mirror,
            };
            let found = VerifiedMisbehavior::of_cosigner(role, &first, &second, rewrite);
            guilty.extend(found.ok());
        }
        guilty
    }

    /// The auditor that signed a note in the form of a checkpoint, and what it says.
    pub(crate) fn audited(&self, note: &str) -> Option<(String, Checkpoint)> {
        let auditors = self.assay.auditors.iter();
        let mut signed = auditors.filter_map(|auditor| auditor.verify(note).ok());
        let said = signed.next()?;
        Some((said.cosigner().to_owned(), said.checkpoint().clone()))
    }

    /// Whoever can be found guilty with these keys, as
    /// [`Culprit`](assay_claims::misbehavior::Culprit) writes them.
    pub(crate) fn culprits(&self) -> Vec<String> {
        let logs = self.known.logs.iter();
        let mut culprits: Vec<String> = logs.map(|log| format!("log {}", log.origin())).collect();
        let witnesses = self.known.witnesses.iter();
        culprits.extend(witnesses.map(|witness| format!("witness {}", witness.name())));
        let mirrors = self.known.mirrors.iter();
        culprits.extend(mirrors.map(|mirror| format!("mirror {}", mirror.name())));
        culprits
    }
}

pub(crate) fn by_name<'k>(
    keys: impl IntoIterator<Item = &'k VerifierKey>,
) -> BTreeMap<&'k str, Vec<VerifierKey>> {
    let mut named: BTreeMap<&str, Vec<VerifierKey>> = BTreeMap::new();
    for key in keys {
        let of_one = named.entry(key.name()).or_default();
        if !of_one.contains(key) {
            of_one.push(key.clone());
        }
    }
    named
}

fn unusable(name: &str, error: &dyn std::error::Error) -> ClientError {
    ClientError::Usage(format!("the keys of {}: {error}", plain(name)))
}

/// What is asked for. Neither takes the room of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// What convicts.
    Convicting,
    /// Breaches, which do not.
    Breaches,
}

impl Which {
    fn request(self, culprits: Vec<String>) -> ListMisbehaviorRequest {
        ListMisbehaviorRequest {
            culprits,
            breaches: self == Which::Breaches,
            ..ListMisbehaviorRequest::default()
        }
    }
}

/// Returns the files that the node at `url` keeps, unverified: what convicts, then breaches, each
/// in the order in which they came. Fails with [`ClientError::Unverified`] if there are more than
/// 1,000 of one sort, or than 64 MiB.
pub async fn list(url: &str, tls: &Tls) -> Result<Vec<Vec<u8>>, ClientError> {
    let mut all = Vec::new();
    let mut ids = BTreeSet::new();
    for which in [Which::Convicting, Which::Breaches] {
        let mut files = Vec::new();
        let request = which.request(Vec::new());
        take(url, tls, request, (FILES, BYTES), &mut files).await?;
        // An older node has one sort, and lists it twice.
        all.extend(files.into_iter().filter(|file| ids.insert(Hash::of(file))));
    }
    Ok(all)
}

/// The same of these culprits and one sort only, as
/// [`Culprit`](assay_claims::misbehavior::Culprit) writes them: at most 64 files and 4 MiB. What
/// had come before it fails, or is given up, is in `files`.
pub(crate) async fn about(
    url: &str,
    tls: &Tls,
    which: Which,
    culprits: Vec<String>,
    files: &mut Vec<Vec<u8>>,
) -> Result<(), ClientError> {
    let request = which.request(culprits);
    take(url, tls, request, (64, 4 << 20), files).await
}

async fn take(
    url: &str,
    tls: &Tls,
    request: ListMisbehaviorRequest,
    (most, most_bytes): (usize, usize),
    files: &mut Vec<Vec<u8>>,
) -> Result<(), ClientError> {
    let mut service = connect(url, tls).await?;
    let doing = "listing misbehavior";
    let mut bytes = 0;
    let call = service.list_misbehavior(request);
    call::each(doing, call, |next| {
        bytes += next.file.len();
        if files.len() == most || bytes > most_bytes {
            return Err(ClientError::unverified(
                "it lists more misbehavior than a node keeps",
            ));
        }
        files.push(next.file.to_vec());
        Ok(())
    })
    .await
}

/// Hands a file to the node at `url`. Returns whether the node did not know it before. Fails with
/// [`ClientError::Refused`] if the node cannot verify it.
pub async fn report(url: &str, tls: &Tls, file: &[u8]) -> Result<bool, ClientError> {
    let mut service = connect(url, tls).await?;
    let request = ReportMisbehaviorRequest {
        file: file.to_vec().into(),
    };
    let call = service.report_misbehavior(request);
    let answer = call::short("reporting misbehavior", call).await?;
    if Hash::from_slice(&answer.id) == Some(Hash::of(file)) {
        Ok(answer.new)
    } else {
        Err(ClientError::unverified("it names another file than it got"))
    }
}

/// Hands heads to the node at `url`: at most 16, of 64 KiB together. Returns how many said
/// something new to it.
pub async fn submit(url: &str, tls: &Tls, notes: Vec<String>) -> Result<u32, ClientError> {
    let mut service = connect(url, tls).await?;
    let call = service.submit_heads(SubmitHeadsRequest { notes });
    Ok(call::short("submitting heads", call).await?.new)
}

async fn connect(
    url: &str,
    tls: &Tls,
) -> Result<FederationServiceClient<NodeChannel>, ClientError> {
    let channel = NodeChannel::connect(url, tls).await?;
    let service = FederationServiceClient::with_origin(channel, below(url)?);
    Ok(service.max_decoding_message_size(MESSAGE_BYTES))
}
