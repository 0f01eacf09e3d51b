//! A connection that has to leave does so whatever it waits for.

use super::*;
use crate::held::tests::roomy;
use futures::FutureExt;
use std::net::Ipv4Addr;
use tower::service_fn;

fn account(held: &Arc<Held>, last: u8) -> Arc<Account> {
    held.connection(Ipv4Addr::new(192, 0, 2, last).into())
}

/// A connection that has sent these bytes, and the caller's end of it.
async fn begun(bytes: &[u8]) -> (StdTcpStream, TcpStream) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let caller = TcpStream::connect(listener.local_addr().unwrap());
    let caller = caller.await.unwrap();
    caller.try_write(bytes).unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    (stream.into_std().unwrap(), caller)
}

#[tokio::test]
async fn a_connection_that_has_to_leave_does_so_at_once_however_it_began() {
    let http2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    for bytes in [&b""[..], b"PRI", http2, b"GET / HT"] {
        let (held, places) = (roomy(), Places::new(2));
        let mine = account(&held, 1);
        let place = places.take(mine.clone()).await.unwrap();
        let _another = places.take(account(&held, 1)).await.unwrap();
        let (stream, _caller) = begun(bytes).await;
        let accepted = Accepted {
            stream,
            peer: Peer {
                address: (Ipv4Addr::new(192, 0, 2, 1), 1).into(),
                account: mine.clone(),
            },
            place: Arc::new(place),
            of_network: of_address(&mine).unwrap(),
            proxy: None,
        };
        let counts = (held.clone(), frames::idle(&[]));
        let app = service_fn(async |_| Ok::<_, Infallible>(Response::new(Body::empty())));
        let (_stop, stopped) = watch::channel(false);
        let _newcomer = places.take(account(&held, 2)).await.unwrap();
        let ended = connection(accepted, counts, app, None, stopped).now_or_never();
        assert!(ended.is_some(), "{bytes:?}");
    }
}
