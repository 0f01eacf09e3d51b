//! What a node tells of misbehavior, and what it says when it is told.

use assay_client::{ClientError, Tls, misbehavior};
use assay_proto::v1::federation_service_server::{FederationService, FederationServiceServer};
use assay_proto::v1::{
    ExchangeHeadsRequest, ExchangeHeadsResponse, ListMisbehaviorRequest, ListMisbehaviorResponse,
    ReportMisbehaviorRequest, ReportMisbehaviorResponse, SubmitHeadsRequest, SubmitHeadsResponse,
};
use assay_tlog::Hash;
use bytes::Bytes;
use std::pin::Pin;
use tokio_stream::{Stream, wrappers::TcpListenerStream};
use tonic::{Request, Response, Status, Streaming};

type Messages<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// A node that lists so many files of so many bytes, each another, and says of a file that it has
/// this id.
struct Node {
    files: u32,
    bytes: usize,
    id: Hash,
}

impl Node {
    async fn start(self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut server = tonic::transport::Server::builder();
        let server = server.add_service(FederationServiceServer::new(self));
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        url
    }
}

#[tonic::async_trait]
impl FederationService for Node {
    type ListMisbehaviorStream = Messages<ListMisbehaviorResponse>;
    type ExchangeHeadsStream = Messages<ExchangeHeadsResponse>;

    async fn list_misbehavior(
        &self,
        asked: Request<ListMisbehaviorRequest>,
    ) -> Result<Response<Self::ListMisbehaviorStream>, Status> {
        // Of one sort alone.
        let files = if asked.into_inner().breaches {
            0
        } else {
            self.files
        };
        let bytes = self.bytes;
        let files = (0..files).map(move |number| {
            let mut file = vec![b' '; bytes];
            file.extend_from_slice(&number.to_be_bytes());
            let id = Bytes::copy_from_slice(Hash::of(&file).as_bytes());
            let file = file.into();
            Ok(ListMisbehaviorResponse { id, file })
        });
        Ok(Response::new(Box::pin(tokio_stream::iter(files))))
    }

    async fn report_misbehavior(
        &self,
        _: Request<ReportMisbehaviorRequest>,
    ) -> Result<Response<ReportMisbehaviorResponse>, Status> {
        let id = Bytes::copy_from_slice(self.id.as_bytes());
        Ok(Response::new(ReportMisbehaviorResponse { id, new: true }))
    }

    async fn exchange_heads(
        &self,
        _: Request<Streaming<ExchangeHeadsRequest>>,
    ) -> Result<Response<Self::ExchangeHeadsStream>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn submit_heads(
        &self,
        _: Request<SubmitHeadsRequest>,
    ) -> Result<Response<SubmitHeadsResponse>, Status> {
        Err(Status::unimplemented(""))
    }
}

/// A node keeps a thousand files of one sort, and 64 MiB.
#[tokio::test]
async fn a_node_lists_no_more_than_it_keeps() {
    for (files, bytes, is_taken) in [
        (1000, 0, true),
        (1001, 0, false),
        (300, 200 << 10, true),
        (330, 200 << 10, false),
    ] {
        let id = Hash::of(b"");
        let url = Node { files, bytes, id }.start().await;
        match misbehavior::list(&url, &Tls::default()).await {
            Ok(all) => assert!(is_taken && all.len() == files as usize, "{files}"),
            Err(ClientError::Unverified { .. }) => assert!(!is_taken, "{files}"),
            Err(other) => panic!("{files}: {other}"),
        }
    }
}

#[tokio::test]
async fn what_is_reported_is_what_the_node_says_that_it_got() {
    let file = b"two histories";
    for (id, is_taken) in [(Hash::of(file), true), (Hash::of(b"another"), false)] {
        let (files, bytes) = (0, 0);
        let url = Node { files, bytes, id }.start().await;
        match misbehavior::report(&url, &Tls::default(), file).await {
            Ok(is_new) => assert!(is_new && is_taken),
            Err(ClientError::Unverified { .. }) => assert!(!is_taken),
            Err(other) => panic!("{other}"),
        }
    }
}
