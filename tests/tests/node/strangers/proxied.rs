//! Callers behind a proxy: it says who they are, and is believed if the operator says so.

use crate::{AT_ONCE, Fixture};
use assay_proto::v1::{PublishRequest, Wait};
use assay_tests::issuer::Actor;
use tonic::{Code, Request, metadata::AsciiMetadataValue};

/// Registers an issuer, for whom a proxy says so.
async fn register(fixture: &Fixture, seed: u8, said: &'static str) -> anyhow::Result<Code> {
    let mut request = Request::new(PublishRequest {
        claim: Some(Actor::new(&[seed], 1).registration()?),
        wait: Wait::Sequenced.into(),
    });
    let said = AsciiMetadataValue::from_static(said);
    request.metadata_mut().insert("x-forwarded-for", said);
    let answer = fixture.log.service.clone().publish(request).await;
    Ok(answer.map_or_else(|status| status.code(), |_| Code::Ok))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_proxy_says_whom_limits_count() -> anyhow::Result<()> {
    let few = format!("{AT_ONCE}\nadmission.registrations_per_hour = 1");
    let fixture =
        Fixture::start(&format!("{few}\nserver.trusted_proxies = [\"127.0.0.1\"]")).await?;
    for (seed, said, answer) in [
        (11, "192.0.2.1", Code::Ok),
        (12, "192.0.2.1", Code::ResourceExhausted),
        // A caller who makes up an address has its own counted.
        (13, "192.0.2.9, 192.0.2.1", Code::ResourceExhausted),
        (14, "192.0.2.2", Code::Ok),
    ] {
        assert_eq!(register(&fixture, seed, said).await?, answer, "{said}");
    }
    // Of whoever is not trusted, the own address counts, which registered the fixture's issuer.
    let fixture = Fixture::start(&few).await?;
    assert_eq!(
        register(&fixture, 11, "192.0.2.1").await?,
        Code::ResourceExhausted
    );
    Ok(())
}
