//! What must be refused: with which code, with which words, and with nothing appended.

use crate::{AT_ONCE, Fixture, STARTED, assert_refused, hex, stream_all};
use assay_claims::entry::wire;
use assay_claims::limits;
use assay_proto::v1::{
    GetRequest, PublishItem, PublishStreamRequest, PutHeader, PutRequest, PutResponse, Wait,
    attachment_service_client::AttachmentServiceClient, publish_result::Result as Outcome,
    put_request::Part,
};
use assay_tests::issuer::{Actor, payload};
use assay_tlog::Hash;
use futures::stream;
use std::borrow::Cow;
use tonic::{Code, Status, transport::Channel};

/// A claim, why it is refused, and what the refusal must say.
struct Case {
    name: &'static str,
    claim: wire::Claim,
    code: Code,
    words: Vec<Cow<'static, str>>,
}

fn case<const N: usize>(
    name: &'static str,
    claim: wire::Claim,
    code: Code,
    words: [&'static str; N],
) -> Case {
    Case {
        name,
        claim,
        code,
        words: words.into_iter().map(Cow::from).collect(),
    }
}

/// A good statement with one part of its text replaced. The claim is signed as it stands, so that
/// only that is wrong.
fn replaced(issuer: &Actor, from: &str, to: &str) -> wire::Claim {
    let text = String::from_utf8(payload(1)).unwrap();
    assert!(text.contains(from));
    issuer.sign(text.replacen(from, to, 1).as_bytes())
}

fn payloads(issuer: &Actor) -> Vec<Case> {
    use Code::InvalidArgument as Invalid;
    let case = |name, claim, words: &[&'static str]| Case {
        name,
        claim,
        code: Invalid,
        words: words.iter().copied().map(Cow::from).collect(),
    };
    let mut not_utf8 = payload(1);
    let at = not_utf8.iter().position(|byte| *byte == b'P').unwrap();
    not_utf8[at] = 0xff;
    let deep = format!(
        "{}{}",
        "[".repeat(limits::JSON_DEPTH + 1),
        "]".repeat(limits::JSON_DEPTH + 1)
    );
    let mut too_long = payload(1);
    too_long.resize(limits::PAYLOAD_BYTES + 1, b' ');
    vec![
        case("empty", issuer.sign(b""), &["line 1, column 1"]),
        case(
            "not JSON",
            replaced(issuer, ":[{", ":{["),
            &["line 1, column", "$.subject"],
        ),
        case(
            "trailing bytes",
            issuer.sign(&[&payload(1)[..], b"x"].concat()),
            &["line 1, column"],
        ),
        case(
            "a key twice",
            replaced(issuer, r#""_type""#, r#""predicateType":"x","_type""#),
            &["line 1", "predicateType"],
        ),
        case(
            "a key twice inside",
            replaced(issuer, r#""name""#, r#""name":"a","name""#),
            &["$.subject[0]"],
        ),
        case(
            "too deep",
            replaced(issuer, "[]", &deep),
            &["deep", "$.predicate.configuration"],
        ),
        case("not UTF-8", issuer.sign(&not_utf8), &["UTF-8", "line 1"]),
        case(
            "lone surrogate",
            replaced(issuer, "PASSED", "\\ud800"),
            &["$.predicate.result"],
        ),
        case(
            "another statement type",
            replaced(issuer, "Statement/v1", "Statement/v0.1"),
            &["Statement/v0.1"],
        ),
        case(
            "no subject",
            replaced(issuer, r#""subject""#, r#""subjects""#),
            &["$.subject"],
        ),
        case(
            "no predicate type",
            replaced(issuer, "predicateType", "predicatetype"),
            &["$.predicateType"],
        ),
        case(
            "a digest of another length",
            replaced(issuer, r#""sha256":"00"#, r#""sha256":""#),
            &["$.subject[0].digest"],
        ),
        case(
            "upper-case hex",
            replaced(issuer, &format!("{:064x}", 1), &"AB".repeat(32)),
            &["$.subject[0].digest"],
        ),
        case(
            "no array of subjects",
            replaced(issuer, r#"[{"name""#, r#"[{"x":1},{"name""#),
            &["$.subject[0].digest"],
        ),
        case(
            "too long",
            issuer.sign(&too_long),
            &["32769 bytes", "at most 32768", "attachment", "SHA-256"],
        ),
        case(
            "a purl that is not canonical",
            replaced(
                issuer,
                r#""name":"artifact-1""#,
                r#""uri":"pkg:Cargo/serde@1.0?z=1&a=2""#,
            ),
            &["pkg:cargo/serde@1.0?a=2&z=1"],
        ),
        case(
            "a digest of another purl",
            replaced(
                issuer,
                r#""name":"artifact-1","digest":{"sha256""#,
                r#""uri":"pkg:cargo/serde@1.0","digest":{"purl""#,
            ),
            &["$.subject[0]"],
        ),
        case(
            "a predicate that is not of its type",
            replaced(
                issuer,
                "https://in-toto.io/attestation/test-result/v0.1",
                "https://in-toto.io/attestation/vulns/v0.2",
            ),
            &["$.predicate", "vulns"],
        ),
        case(
            "an issuer record without keys",
            replaced(
                issuer,
                "https://in-toto.io/attestation/test-result/v0.1",
                "urn:assay:issuer:v1",
            ),
            &["$.predicate"],
        ),
    ]
}

/// Adds the order of the group to a signature's scalar: the same signature, spelled a second way.
fn not_canonical(signature: &[u8]) -> Vec<u8> {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut spelled = signature.to_vec();
    let mut carry = 0;
    for (byte, order) in spelled[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
    assert_eq!(carry, 0);
    spelled
}

fn signatures(issuer: &Actor) -> Vec<Case> {
    use Code::{InvalidArgument as Invalid, PermissionDenied as Denied};
    let good = || issuer.claim(1);
    let changed = |change: fn(&mut wire::ClaimSignature)| {
        let mut claim = issuer.claim(1);
        change(&mut claim.signatures[0]);
        claim
    };
    let flip = |bytes: &mut bytes::Bytes, at: usize| {
        let mut changed = bytes.to_vec();
        changed[at] ^= 1;
        *bytes = changed.into();
    };
    let mut cases = Vec::new();
    for at in [0, 31, 32, 62] {
        let mut claim = good();
        flip(&mut claim.signatures[0].signature, at);
        cases.push(case("a changed signature", claim, Invalid, ["signature 1"]));
    }
    let mut second = good();
    second.signatures.push(second.signatures[0].clone());
    flip(&mut second.signatures[1].signature, 3);
    cases.push(case(
        "the second of two",
        second,
        Invalid,
        ["signature 2", "does not fit"],
    ));
    let mut other = good();
    other.payload = payload(2).into();
    cases.push(case(
        "of another payload",
        other,
        Invalid,
        ["signature 1", "does not fit"],
    ));
    cases.push(case(
        "a second spelling",
        changed(|signature| signature.signature = not_canonical(&signature.signature).into()),
        Invalid,
        ["signature 1", "canonical"],
    ));
    // Under a key of small order, R = identity and S = 0 fit any message for a lenient verifier.
    let weak_keys = [
        (
            "identity",
            "0100000000000000000000000000000000000000000000000000000000000000",
        ),
        (
            "order 2",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        ),
        (
            "order 4",
            "0000000000000000000000000000000000000000000000000000000000000000",
        ),
        (
            "order 8",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        ),
    ];
    for (name, point) in weak_keys {
        let mut claim = good();
        let mut signature = vec![0; 64];
        signature[0] = 1;
        claim.signatures[0].signature = signature.into();
        claim.signatures[0].public_key = hex::decode(point).unwrap().into();
        cases.push(case(name, claim, Invalid, ["signature 1", "weak"]));
    }
    cases.extend([
        case(
            "no point",
            changed(|s| s.public_key = [&[2][..], &[0; 31]].concat().into()),
            Invalid,
            ["signature 1"],
        ),
        case(
            "a short key",
            changed(|s| s.public_key = vec![1; 31].into()),
            Invalid,
            ["signature 1", "32 bytes"],
        ),
        case(
            "a long signature",
            changed(|s| s.signature = vec![1; 65].into()),
            Invalid,
            ["signature 1", "64 bytes"],
        ),
        case(
            "no issuer",
            changed(|s| s.issuer_id = vec![].into()),
            Invalid,
            ["signature 1", "issuer id"],
        ),
        case(
            "no signature",
            wire::Claim {
                signatures: vec![],
                ..good()
            },
            Invalid,
            ["0 signatures", "from 1 to 16"],
        ),
        case(
            "17 signatures",
            wire::Claim {
                signatures: vec![good().signatures[0].clone(); 17],
                ..good()
            },
            Invalid,
            ["17 signatures", "from 1 to 16"],
        ),
        case(
            "another payload type",
            wire::Claim {
                payload_type: "application/json".into(),
                ..good()
            },
            Invalid,
            ["application/json", "application/vnd.in-toto+json"],
        ),
        case("nothing", wire::Claim::default(), Invalid, []),
    ]);

    let stranger = Actor::new(&[9], 1);
    let mut unregistered = case(
        "nobody's",
        stranger.claim(1),
        Denied,
        ["not registered", "assay issuer register"],
    );
    unregistered.words.push(hex(&stranger.id).into());
    cases.push(unregistered);
    // A key of nobody, and a key of another issuer, in the issuer's name.
    let in_its_name = issuer.sign_by(&payload(1), &[&stranger.keys[0]]);
    cases.push(case(
        "a stranger's in its name",
        in_its_name,
        Denied,
        ["is no key of issuer"],
    ));
    let beside = issuer.sign_by(&payload(1), &[&issuer.keys[0], &stranger.keys[0]]);
    cases.push(case(
        "a stranger's beside its own",
        beside,
        Denied,
        ["is no key of issuer"],
    ));
    cases
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_claim_is_refused_with_its_reason_and_nothing_is_appended() -> anyhow::Result<()>
{
    let fixture = Fixture::start(AT_ONCE).await?;
    let (log, issuer) = (&fixture.log, &fixture.issuer);
    let cases: Vec<Case> = payloads(issuer)
        .into_iter()
        .chain(signatures(issuer))
        .collect();
    for case in &cases {
        let status = match log.publish(case.claim.clone(), Wait::Sequenced).await {
            Err(status) => status,
            Ok(answer) => panic!("{}: logged at {}", case.name, answer.leaf_index),
        };
        assert_eq!(
            status.code(),
            case.code,
            "{}: {}",
            case.name,
            status.message()
        );
        for word in &case.words {
            assert!(
                status.message().contains(&**word),
                "{}: {:?} is not in: {}",
                case.name,
                word,
                status.message()
            );
        }
        // gRPC carries messages in a header: they are one line, and not as long as the claim.
        assert!(
            status.message().len() < 2000 && !status.message().contains('\n'),
            "{}",
            case.name
        );
    }
    // By a stream, all at once.

    let items = cases
        .iter()
        .enumerate()
        .map(|(id, case): (usize, &Case)| PublishItem {
            id: id as u64,
            claim: Some(case.claim.clone()),
        })
        .collect();
    let answers = stream_all(
        log,
        vec![PublishStreamRequest {
            wait: Wait::Sequenced.into(),
            items,
        }],
    )
    .await?;
    assert_eq!(answers.len(), cases.len());
    for (id, answer) in answers {
        let case = &cases[id as usize];
        let Outcome::Refused(refused) = answer else {
            panic!("{}: logged", case.name)
        };
        assert_eq!(refused.code, i32::from(case.code), "{}", case.name);
        assert!(
            case.words
                .iter()
                .all(|word| refused.message.contains(&**word)),
            "{}: {}",
            case.name,
            refused.message
        );
    }
    // The next good claim gets the next leaf: nothing is there, published or not.
    assert_eq!(
        log.publish(issuer.claim(1), Wait::Integrated)
            .await?
            .leaf_index,
        STARTED
    );
    assert_eq!(log.size().await?, STARTED + 2);
    assert_eq!(log.rederive().await?.index.claims(), 2);
    Ok(())
}

/// The limit is exact: what is refused above it is taken at it.
#[tokio::test(flavor = "multi_thread")]
async fn a_claim_at_the_limits_is_taken() -> anyhow::Result<()> {
    let fixture = Fixture::start(AT_ONCE).await?;
    let keys: Vec<u8> = (100..116).collect();
    let crowd = Actor::new(&keys, 16);
    fixture
        .log
        .publish(crowd.registration()?, Wait::Integrated)
        .await?;
    let mut longest = payload(1);
    longest.resize(limits::PAYLOAD_BYTES, b' ');
    let answer = fixture
        .log
        .publish(crowd.sign(&longest), Wait::Integrated)
        .await?;
    let found = fixture
        .log
        .entry(assay_tests::log::Leaf::Index(answer.leaf_index))
        .await?;
    assert_eq!(found.entry.claim()?.payload, longest);
    assert_eq!(found.entry.claim()?.signatures.len(), 16);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_and_requests_over_their_limits_are_refused() -> anyhow::Result<()> {
    let fixture = Fixture::start(AT_ONCE).await?;
    let (log, issuer) = (&fixture.log, &fixture.issuer);
    let huge = wire::Claim {
        payload: vec![b' '; 1 << 20].into(),
        ..issuer.claim(1)
    };
    let status = log.publish(huge, Wait::Sequenced).await.unwrap_err();
    assert!(
        matches!(status.code(), Code::OutOfRange | Code::ResourceExhausted),
        "{status:?}"
    );
    assert_refused(
        log.service
            .clone()
            .publish(assay_proto::v1::PublishRequest {
                claim: None,
                wait: 0,
            })
            .await,
        Code::InvalidArgument,
        &["no claim"],
    );
    let unknown = assay_proto::v1::PublishRequest {
        claim: Some(issuer.claim(1)),
        wait: 9,
    };
    assert_refused(
        log.service.clone().publish(unknown).await,
        Code::InvalidArgument,
        &["no wait 9"],
    );

    let items = |count| {
        let items = (0..count).map(|id| PublishItem { id, claim: None });
        vec![PublishStreamRequest {
            wait: 0,
            items: items.collect(),
        }]
    };
    assert_refused(
        stream_all(log, items(1025)).await,
        Code::InvalidArgument,
        &["1025 items", "at most 1024"],
    );
    assert_eq!(stream_all(log, items(1024)).await?.len(), 1024);
    let unknown = vec![PublishStreamRequest {
        wait: 9,
        items: Vec::new(),
    }];
    assert_refused(
        stream_all(log, unknown).await,
        Code::InvalidArgument,
        &["no wait 9"],
    );
    assert_eq!(log.size().await?, STARTED);

    // Headers beyond 16 KiB, and garbage instead of a message.
    let long = "x".repeat(20 << 10);
    let http = reqwest::Client::new();
    let url = format!("{}/checkpoint", fixture.node.ready().url);
    let answer = http.get(&url).header("x-long", &long).send().await;
    assert!(answer.is_err() || answer.is_ok_and(|answer| answer.status().is_client_error()));
    let method = format!("{}/assay.v1.LogService/Publish", fixture.node.ready().url);
    let garbage = reqwest::Client::builder().http2_prior_knowledge().build()?;
    let answer = garbage
        .post(method)
        .header("content-type", "application/grpc")
        .body(vec![0, 0, 0, 0, 3, 0xff, 0xff, 0xff])
        .send()
        .await?;
    assert_ne!(
        answer
            .headers()
            .get("grpc-status")
            .map(|status| status.as_bytes()),
        Some(&b"0"[..])
    );
    log.publish(issuer.claim(1), Wait::Integrated).await?;
    Ok(())
}

/// A claim that names an attachment.
fn naming(issuer: &Actor, digest: &Hash) -> wire::Claim {
    let attachments = format!(
        r#""predicate":{{"attachments":[{{"name":"a.bin","digest":{{"sha256":"{digest}"}}}}],"#
    );
    replaced(issuer, r#""predicate":{"#, &attachments)
}

async fn put(
    client: &mut AttachmentServiceClient<Channel>,
    header: Option<PutHeader>,
    chunks: &[&[u8]],
) -> Result<PutResponse, Status> {
    let chunks = chunks
        .iter()
        .map(|chunk| Part::Chunk(chunk.to_vec().into()));
    let parts: Vec<_> = header.map(Part::Header).into_iter().chain(chunks).collect();
    let parts = parts
        .into_iter()
        .map(|part| PutRequest { part: Some(part) });
    client
        .put(stream::iter(parts))
        .await
        .map(tonic::Response::into_inner)
}

async fn get(
    client: &mut AttachmentServiceClient<Channel>,
    digest: &Hash,
) -> Result<Vec<u8>, Status> {
    let request = GetRequest {
        sha256: digest.as_bytes().to_vec().into(),
    };
    let mut chunks = client.get(request).await?.into_inner();
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.message().await? {
        bytes.extend_from_slice(&chunk.chunk);
    }
    Ok(bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn attachments_are_taken_only_whole_and_only_as_a_claim_names_them() -> anyhow::Result<()> {
    let mut fixture = Fixture::start(AT_ONCE).await?;
    let mut client = AttachmentServiceClient::connect(fixture.node.ready().url.clone()).await?;
    let content: Vec<u8> = (0..600_000_u32).map(|n| (n % 251) as u8).collect();
    let digest = Hash::of(&content);
    let header = |size: usize| {
        Some(PutHeader {
            sha256: digest.as_bytes().to_vec().into(),
            size: size as u64,
        })
    };
    let chunks: Vec<&[u8]> = content.chunks(200_000).collect();
    let whole = content.len();

    let unnamed = put(&mut client, header(whole), &chunks).await;
    assert_refused(
        unnamed,
        Code::FailedPrecondition,
        &[
            "no logged claim names",
            "publish the claim that names it first",
        ],
    );
    fixture
        .log
        .publish(naming(&fixture.issuer, &digest), Wait::Integrated)
        .await?;
    assert_refused(
        get(&mut client, &digest).await,
        Code::NotFound,
        &["no attachment"],
    );

    // Other content, less, more, none; no header, two headers, a short digest, too large.
    use Code::InvalidArgument as Invalid;
    let mut other = content.clone();
    other[77] ^= 1;
    let others: Vec<&[u8]> = other.chunks(200_000).collect();
    assert_refused(
        put(&mut client, header(whole), &others).await,
        Invalid,
        &["SHA-256", "nothing was stored"],
    );
    assert_refused(
        put(&mut client, header(whole), &chunks[..2]).await,
        Invalid,
        &["fewer", "nothing was stored"],
    );
    assert_refused(
        put(&mut client, header(whole - 1), &chunks).await,
        Invalid,
        &["more", "nothing was stored"],
    );
    assert_refused(
        put(&mut client, header(whole), &[]).await,
        Invalid,
        &["fewer"],
    );
    assert_refused(put(&mut client, None, &chunks).await, Invalid, &["header"]);
    assert_refused(put(&mut client, None, &[]).await, Invalid, &["header"]);
    let short = Some(PutHeader {
        sha256: vec![1; 31].into(),
        size: 1,
    });
    assert_refused(
        put(&mut client, short, &[b"x"]).await,
        Invalid,
        &["31 bytes"],
    );
    let large = limits::ATTACHMENT_BYTES as usize + 1;
    assert_refused(
        put(&mut client, header(large), &chunks).await,
        Invalid,
        &["67108865 bytes", "at most 67108864"],
    );
    let twice = stream::iter([0, 1].map(|_| PutRequest {
        part: header(whole).map(Part::Header),
    }));
    assert_refused(client.put(twice).await, Invalid, &[]);
    assert_refused(get(&mut client, &digest).await, Code::NotFound, &[]);
    assert_refused(
        get(&mut client, &Hash::of(b"other")).await,
        Code::NotFound,
        &[],
    );

    assert!(
        !put(&mut client, header(whole), &chunks)
            .await?
            .already_stored
    );
    assert_eq!(get(&mut client, &digest).await?, content);
    assert!(
        put(&mut client, header(whole), &chunks)
            .await?
            .already_stored
    );
    assert!(
        put(&mut client, header(whole), &[]).await?.already_stored,
        "what is there is not sent again"
    );

    // It is there after a crash; and deleting the file harms no log.
    fixture.node.kill()?;
    fixture.run().await?;
    let mut client = AttachmentServiceClient::connect(fixture.node.ready().url.clone()).await?;
    assert_eq!(get(&mut client, &digest).await?, content);
    fixture.node.stop()?;
    std::fs::remove_dir_all(fixture.node.folder().join("data/blobs"))?;
    fixture.run().await?;
    let mut client = AttachmentServiceClient::connect(fixture.node.ready().url.clone()).await?;
    assert_refused(
        get(&mut client, &digest).await,
        Code::NotFound,
        &["The claim stands without it"],
    );
    let index = fixture.log.rederive().await?.index;
    assert_eq!((index.size(), index.claims()), (STARTED + 2, 2));
    Ok(())
}
