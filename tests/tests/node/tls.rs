//! TLS from files: who is let in, and what happens when the files change while the node runs.

use crate::{Fixture, assert_all_there};
use assay_proto::v1::{
    GetCheckpointRequest, PublishRequest, Wait, log_service_client::LogServiceClient,
};
use assay_tests::{
    issuer::Actor,
    log::Log,
    process::{Node, poll},
};
use assay_tlog::checkpoint::VerifiedCheckpoint;
use assay_tlog::note::VerifierKey;
use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair};
use std::{fs, net::IpAddr, os::unix::fs::PermissionsExt, path::Path};
use tonic::transport::{self, Channel, ClientTlsConfig, Endpoint, Identity};

/// A certificate authority.
struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> anyhow::Result<Self> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?;
        Ok(Authority {
            certificate,
            issuer: Issuer::new(params, key),
        })
    }

    /// A certificate for 127.0.0.1 and its key, both in PEM.
    fn issue(&self) -> anyhow::Result<(String, String)> {
        let mut params = CertificateParams::new(Vec::new())?;
        params
            .subject_alt_names
            .push(rcgen::SanType::IpAddress(IpAddr::from([127, 0, 0, 1])));
        let key = KeyPair::generate()?;
        Ok((
            params.signed_by(&key, &self.issuer)?.pem(),
            key.serialize_pem(),
        ))
    }

    /// Puts a new certificate and key where the node looks for them.
    fn install(&self, folder: &Path) -> anyhow::Result<()> {
        let (certificate, key) = self.issue()?;
        fs::write(folder.join("tls.crt"), certificate)?;
        write_key(folder, &key)
    }

    /// TLS settings of a client that trusts this authority only.
    fn trusted(&self) -> ClientTlsConfig {
        ClientTlsConfig::new()
            .ca_certificate(transport::Certificate::from_pem(self.certificate.pem()))
    }

    /// The same, with a client certificate of this authority.
    fn identified(&self) -> anyhow::Result<ClientTlsConfig> {
        let (certificate, key) = self.issue()?;
        Ok(self
            .trusted()
            .identity(Identity::from_pem(certificate, key)))
    }
}

fn write_key(folder: &Path, key: &str) -> anyhow::Result<()> {
    let path = folder.join("tls.key");
    fs::write(&path, key)?;
    Ok(fs::set_permissions(
        path,
        fs::Permissions::from_mode(0o600),
    )?)
}

fn node(authority: &Authority, clients: bool) -> anyhow::Result<Node> {
    let node = Node::init()?;
    node.configure(crate::AT_ONCE)?;
    authority.install(node.folder())?;
    let mut table = "[server.tls]\ncertificate = \"tls.crt\"\nkey = \"tls.key\"".to_owned();
    if clients {
        fs::write(
            node.folder().join("clients.crt"),
            authority.certificate.pem(),
        )?;
        table.push_str("\nclient_authorities = \"clients.crt\"");
    }
    node.append_configuration(&table)?;
    Ok(node)
}

async fn connect(node: &Node, tls: ClientTlsConfig) -> anyhow::Result<LogServiceClient<Channel>> {
    let endpoint = Endpoint::from_shared(node.ready().url.clone())?.tls_config(tls)?;
    Ok(LogServiceClient::new(endpoint.connect().await?))
}

/// Connects anew and asks. A refused client certificate shows only when something is asked (TLS
/// 1.3).
async fn ask(node: &Node, tls: ClientTlsConfig) -> anyhow::Result<VerifiedCheckpoint> {
    let mut client = connect(node, tls).await?;
    let note = client
        .get_checkpoint(GetCheckpointRequest {})
        .await?
        .into_inner()
        .checkpoint;
    Ok(VerifiedCheckpoint::verify(
        &note,
        &VerifierKey::parse(&node.ready().vkey)?,
    )?)
}

#[tokio::test(flavor = "multi_thread")]
async fn only_tls_by_the_right_authority_gets_through() -> anyhow::Result<()> {
    let (authority, other) = (Authority::new()?, Authority::new()?);
    let mut node = node(&authority, false)?;
    node.run()?;
    let url = node.ready().url.clone();
    assert!(url.starts_with("https://"), "{url}");

    let mut client = connect(&node, authority.trusted()).await?;
    let claim = Some(Actor::new(&[1], 1).registration()?);
    let answer = client
        .publish(PublishRequest {
            claim,
            wait: Wait::Integrated.into(),
        })
        .await?
        .into_inner();
    assert_eq!(answer.leaf_index, 1);
    let checkpoint = ask(&node, authority.trusted()).await?;
    assert_eq!(checkpoint.size().get(), crate::STARTED);

    assert!(
        ask(&node, other.trusted()).await.is_err(),
        "the client does not trust this authority"
    );
    let plain = url.replace("https://", "http://");
    assert!(
        reqwest::get(format!("{plain}/checkpoint")).await.is_err(),
        "plain text over HTTP/1.1"
    );
    let refused = match LogServiceClient::connect(plain).await {
        Ok(mut client) => client
            .get_checkpoint(GetCheckpointRequest {})
            .await
            .is_err(),
        Err(_) => true,
    };
    assert!(refused, "plain text over HTTP/2");

    let root = reqwest::Certificate::from_pem(authority.certificate.pem().as_bytes())?;
    let https = reqwest::Client::builder().tls_certs_only([root]).build()?;
    let note = https
        .get(format!("{url}/checkpoint"))
        .send()
        .await?
        .error_for_status()?
        .text()
        .await?;
    assert_eq!(note, checkpoint.note());
    let tile = https
        .get(format!("{url}/tile/0/000.p/3"))
        .send()
        .await?
        .error_for_status()?
        .bytes()
        .await?;
    assert_eq!(tile[32..64], answer.leaf_hash);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_present_a_certificate_where_that_is_demanded() -> anyhow::Result<()> {
    let (authority, other) = (Authority::new()?, Authority::new()?);
    let mut node = node(&authority, true)?;
    node.run()?;
    assert_eq!(ask(&node, authority.identified()?).await?.size().get(), 1);
    assert!(
        ask(&node, authority.trusted()).await.is_err(),
        "no certificate"
    );
    let (certificate, key) = other.issue()?;
    let foreign = authority
        .trusted()
        .identity(Identity::from_pem(certificate, key));
    assert!(
        ask(&node, foreign).await.is_err(),
        "a certificate of another authority"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sighup_changes_the_certificate_for_new_connections_only() -> anyhow::Result<()> {
    let (first, second) = (Authority::new()?, Authority::new()?);
    let mut node = node(&first, false)?;
    node.run()?;
    let mut old = connect(&node, first.trusted()).await?;
    old.get_checkpoint(GetCheckpointRequest {}).await?;
    assert!(ask(&node, second.trusted()).await.is_err());

    second.install(node.folder())?;
    node.signal("HUP")?;
    poll(|| Ok(node.stderr().contains("TLS files read again").then_some(())))?;
    ask(&node, second.trusted()).await?;
    assert!(
        ask(&node, first.trusted()).await.is_err(),
        "new connections get the new certificate"
    );
    // A new connection would not be trusted: this is the one from before.
    old.get_checkpoint(GetCheckpointRequest {}).await?;

    // Files that cannot be used leave things as they are, one by one.
    let (certificate, key) = (node.folder().join("tls.crt"), node.folder().join("tls.key"));
    let good = (fs::read(&certificate)?, fs::read(&key)?);
    let (_, other_key) = second.issue()?;
    let breakages: [(&str, &dyn Fn() -> anyhow::Result<()>); 5] = [
        ("no certificate", &|| {
            Ok(fs::write(&certificate, "nonsense")?)
        }),
        ("certificate gone", &|| Ok(fs::remove_file(&certificate)?)),
        ("no key", &|| Ok(fs::write(&key, "nonsense")?)),
        ("another key", &|| write_key(node.folder(), &other_key)),
        ("key too open", &|| {
            let open = fs::Permissions::from_mode(0o644);
            Ok(fs::set_permissions(&key, open)?)
        }),
    ];
    for (count, (name, break_it)) in breakages.into_iter().enumerate() {
        fs::write(&certificate, &good.0)?;
        fs::write(&key, &good.1)?;
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600))?;
        break_it()?;
        node.signal("HUP")?;
        poll(|| Ok((node.stderr().matches("the old ones stay").count() > count).then_some(())))?;
        ask(&node, second.trusted())
            .await
            .map_err(|error| error.context(name))?;
        old.get_checkpoint(GetCheckpointRequest {}).await?;
    }
    assert!(node.stderr().contains("it holds no certificate"));
    // A start is stricter: there are no old ones.
    node.stop()?;
    let (status, said) = node.run_refused()?;
    assert!(
        status.code() == Some(3) && said.contains("chmod 600"),
        "{said}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sighup_without_tls_changes_nothing() -> anyhow::Result<()> {
    let fixture = Fixture::start(crate::AT_ONCE).await?;
    let answers = fixture.publish(1..3, Wait::Integrated).await?;
    fixture.node.signal("HUP")?;
    poll(|| {
        Ok(fixture
            .node
            .stderr()
            .contains("no TLS is configured")
            .then_some(()))
    })?;
    let log: &Log = &fixture.log;
    assert_all_there(log, &answers).await
}
