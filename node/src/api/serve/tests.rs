//! A connection that has to leave does so whatever it waits for; and which threads serve whom.

use super::*;
use crate::held::{Limits, tests::roomy};
use futures::FutureExt;
use std::net::Ipv4Addr;
use tokio::io::AsyncReadExt;
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

fn accepted(stream: StdTcpStream, account: Arc<Account>, place: Place) -> Accepted {
    Accepted {
        stream,
        of_network: of_address(&account).unwrap(),
        peer: Peer {
            address: (Ipv4Addr::new(192, 0, 2, 1), 1).into(),
            account,
        },
        place: Arc::new(place),
        proxy: None,
    }
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
        let accepted = accepted(stream, mine, place);
        let counts = (held.clone(), frames::idle(&[]));
        let app = service_fn(async |_| Ok::<_, Infallible>(Response::new(Body::empty())));
        let (_stop, stopped) = watch::channel(false);
        let _newcomer = places.take(account(&held, 2)).await.unwrap();
        let ended = connection(accepted, counts, app, None, stopped).now_or_never();
        assert!(ended.is_some(), "{bytes:?}");
    }
}

/// Says which thread serves the call.
async fn by_whom(_: Request<RequestBody>) -> Result<Response<Body>, Infallible> {
    let thread = thread::current().name().unwrap_or_default().to_owned();
    Ok(Response::builder()
        .header("by", thread)
        .body(Body::empty())
        .unwrap())
}

#[tokio::test]
async fn a_network_with_many_connections_is_served_by_threads_of_its_own() {
    let held = Held::new(Limits {
        bytes: 64 << 20,
        connections: 1024,
        stall: Duration::from_secs(60),
        shared: Vec::new(),
    });
    let server = Server {
        app: service_fn(by_whom),
        tls: None,
        threads: 1,
        connections: 100,
        held: held.clone(),
        drain: Duration::from_secs(1),
        proxies: Arc::default(),
    };
    let (stop, stopped) = watch::channel(false);
    let idle = frames::idle(&[]);
    let (workers, ends) = Workers::start(&server, 1, &idle, &stopped).unwrap();
    let places = Places::new(server.connections);
    let (mut many, mut served) = (Vec::new(), Vec::new());
    for (last, others) in [(1, 0), (2, FEW - 1), (3, FEW)] {
        let hold = |_| of_address(&account(&held, last)).unwrap();
        many.extend((0..others).map(hold));
        let account = account(&held, last);
        let place = places.take(account.clone()).await.unwrap();
        let (stream, mut caller) =
            begun(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
        workers.hand(accepted(stream, account, place));
        let mut answer = String::new();
        caller.read_to_string(&mut answer).await.unwrap();
        let by = answer.lines().find_map(|line| line.strip_prefix("by: "));
        served.push(by.unwrap_or(&answer).to_owned());
    }
    assert_eq!(served, ["serve-0", "serve-0", "serve-many-0"]);
    stop.send(true).unwrap();
    drop(workers);
    let ended = tokio::task::spawn_blocking(|| ends.into_iter().all(|end| end.join().is_ok()));
    assert!(ended.await.unwrap());
}
