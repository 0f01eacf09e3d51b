//! Who sends and who reads a byte at a time.

use super::{Target, target::NETWORKS};
use crate::stranger::framed;
use assay_proto::v1::StreamEntriesRequest;
use futures::{FutureExt, StreamExt, future::LocalBoxFuture, stream};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{interval, sleep},
};

/// A byte comes, or is read, so often.
const EVERY: Duration = Duration::from_millis(100);

/// Connections of each network.
const EACH: usize = 16;

/// Bytes that the system keeps of an answer for who reads slowly: as few as it can.
const BUFFER: u32 = 1 << 10;

/// Heads of requests, and bodies that a head announced.
pub fn sending(target: Target) -> LocalBoxFuture<'static, ()> {
    const HEAD: &[u8] = b"GET /checkpoint HTTP/1.1\r\nhost: log\r\nx-of-no-use: ";
    const BODY: &[u8] = b"POST /heads HTTP/1.1\r\nhost: log\r\n\
        content-type: application/json\r\ncontent-length: 100000\r\n\r\n";
    async move {
        target
            .each(EACH * NETWORKS, async |number: usize| {
                let mut stream = target.connect(number % NETWORKS).await?;
                let body = number / NETWORKS % 2 == 1;
                stream.write_all(if body { BODY } else { b"" }).await?;
                let mut turns = interval(EVERY);
                let bytes = if body { b" " } else { HEAD };
                for byte in bytes.iter().chain([b'x'; 1].iter().cycle()) {
                    turns.tick().await;
                    target.did(1);
                    stream.write_all(&[*byte]).await?;
                }
                Ok(())
            })
            .await;
    }
    .boxed_local()
}

/// Long answers.
pub fn reading(target: Target) -> LocalBoxFuture<'static, ()> {
    async move {
        target
            .each(EACH * NETWORKS, async |number: usize| {
                let network = number % NETWORKS;
                let connecting =
                    target.connect_with(network, |socket| socket.set_recv_buffer_size(BUFFER));
                let mut stream = connecting.await?;
                let ask = b"GET /tile/entries/000 HTTP/1.1\r\nhost: log\r\n\r\n";
                // Some at once, as HTTP/1.1 lets them.
                stream.write_all(&ask.repeat(8)).await?;
                let mut byte = [0; 1];
                while stream.read(&mut byte).await? > 0 {
                    target.did(1);
                    sleep(EVERY).await;
                }
                Ok(())
            })
            .await;
    }
    .boxed_local()
}

/// Long answers over HTTP/2, of which a piece is read now and then: too much to be closed.
pub fn sipping(target: Target) -> LocalBoxFuture<'static, ()> {
    const STREAMS: usize = 50;
    async move {
        target
            .each(2 * NETWORKS, async |number: usize| {
                let stranger = &target.stranger(number, 1 << 10)?;
                let streams = (0..STREAMS).map(async |_| {
                    let all = framed(&StreamEntriesRequest::default());
                    let call = stranger.grpc("LogService/StreamEntries").body(all);
                    let Ok(answer) = call.send().await else {
                        return sleep(EVERY).await;
                    };
                    let mut pieces = answer.bytes_stream();
                    while let Some(Ok(_)) = pieces.next().await {
                        target.did(1);
                        sleep(EVERY).await;
                    }
                });
                stream::iter(streams)
                    .buffer_unordered(STREAMS)
                    .for_each(async |()| {})
                    .await;
                Ok(())
            })
            .await;
    }
    .boxed_local()
}
