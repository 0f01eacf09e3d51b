//! Attachments, in place of which a node may send anything.

use crate::fake::State;
use assay_claims::limits::ATTACHMENT_BYTES;
use assay_client::{Client, ClientError, Config, Tls};
use assay_proto::v1::attachment_service_server::{AttachmentService, AttachmentServiceServer};
use assay_proto::v1::put_request::Part;
use assay_proto::v1::{GetRequest, GetResponse, PutRequest, PutResponse};
use assay_tlog::Hash;
use bytes::Bytes;
use std::{path::Path, pin::Pin, time::Duration};
use tokio_stream::{Stream, wrappers::TcpListenerStream};
use tonic::{Request, Response, Status, Streaming};

const PIECE: usize = 1 << 20;

/// A node that sends these pieces, whatever is asked for, and says whether what it takes is what
/// was announced.
struct Sends(Vec<Bytes>);

#[tonic::async_trait]
impl AttachmentService for Sends {
    async fn put(
        &self,
        put: Request<Streaming<PutRequest>>,
    ) -> Result<Response<PutResponse>, Status> {
        let (mut parts, mut bytes, mut header) = (put.into_inner(), Vec::new(), None);
        while let Some(PutRequest { part }) = parts.message().await? {
            match part {
                Some(Part::Header(first)) => header = Some(first),
                Some(Part::Chunk(chunk)) if !chunk.is_empty() => bytes.extend_from_slice(&chunk),
                _ => return Err(Status::invalid_argument("a part of nothing")),
            }
        }
        // A document of bytes that are so many seconds comes over a slow line.
        if let Some(seconds @ 20..30) = bytes.first() {
            tokio::time::sleep(Duration::from_secs((*seconds).into())).await;
        }
        let header = header.unwrap_or_default();
        let already_stored = header.sha256 == Hash::of(&bytes).as_bytes()[..];
        Ok(Response::new(PutResponse { already_stored }))
    }

    type GetStream = Pin<Box<dyn Stream<Item = Result<GetResponse, Status>> + Send>>;

    async fn get(&self, _: Request<GetRequest>) -> Result<Response<Self::GetStream>, Status> {
        let pieces = self.0.clone().into_iter();
        let messages = pieces.map(|chunk| Ok(GetResponse { chunk }));
        Ok(Response::new(Box::pin(tokio_stream::iter(messages))))
    }
}

async fn client(pieces: Vec<Bytes>, state_dir: &Path) -> Client {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut server = tonic::transport::Server::builder();
    let server = server.add_service(AttachmentServiceServer::new(Sends(pieces)));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    let config = Config {
        url,
        log_key: State::new().log_key(),
        older: Vec::new(),
        state_dir: state_dir.into(),
        tls: Tls::default(),
    };
    Client::connect(config).await.unwrap()
}

#[tokio::test]
async fn what_is_got_is_what_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let client = client(vec!["one ".into(), "and two".into()], folder.path()).await;
    let whole = client.attachment(&Hash::of(b"one and two"), |_| ()).await;
    assert_eq!(whole.unwrap(), "one and two");
    for other in [&b"one and"[..], b"", b"two and one"] {
        let error = client
            .attachment(&Hash::of(other), |_| ())
            .await
            .unwrap_err();
        assert!(matches!(error, ClientError::Unverified { .. }), "{error}");
    }
}

/// What a node sends without end is not kept until it ends.
#[tokio::test]
async fn what_is_longer_than_any_is_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let most = ATTACHMENT_BYTES as usize;
    let longest = vec![Bytes::from(vec![0; PIECE]); most / PIECE];
    let hash = Hash::of(&vec![0; most]);
    let got = client(longest.clone(), folder.path()).await;
    let got = got.attachment(&hash, |_| ()).await.unwrap();
    assert_eq!(got.len(), most);
    let longer = [longest, vec![Bytes::from_static(b"0")]].concat();
    let hash = Hash::of(&[&vec![0; most][..], b"0"].concat());
    let error = client(longer, folder.path()).await;
    let error = error.attachment(&hash, |_| ()).await.unwrap_err();
    assert!(
        error.to_string().contains("longer than any may be"),
        "{error}"
    );
}

#[tokio::test]
async fn what_is_sent_is_whole_and_no_longer_than_a_node_takes() {
    let folder = tempfile::tempdir().unwrap();
    let client = client(Vec::new(), folder.path()).await;
    for bytes in [1, PIECE, PIECE + 1] {
        let put = client.put_attachment(vec![7; bytes].into(), |_| ()).await;
        assert!(put.unwrap(), "{bytes}");
    }
    let longer = vec![7; ATTACHMENT_BYTES as usize + 1];
    let error = client.put_attachment(longer.into(), |_| ()).await;
    assert!(matches!(error, Err(ClientError::Usage(_))), "{error:?}");
}

/// A node answers an upload once all of it has come, which takes as long as the line.
#[tokio::test]
async fn an_upload_over_a_slow_line_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let client = client(Vec::new(), folder.path()).await;
    let document = Bytes::from(vec![22; PIECE]);
    assert!(client.put_attachment(document, |_| ()).await.unwrap());
}
