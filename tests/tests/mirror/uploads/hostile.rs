//! Strangers who send what costs a mirror much.

use super::client::{Body, Pushed, body, gzip, header, upload};
use assay_tests::memory::peak_mib;
use assay_tests::stranger::{Stranger, client_from};
use assay_tests::witness::History;
use futures::{StreamExt as _, future::join_all, stream};
use std::{io::Write as _, time::Duration};

const KIND: [(&str, &str); 1] = [("content-type", "application/octet-stream")];

/// 192 MiB of one byte behind a header, packed.
fn bomb(log: &History, end: u64, byte: u8) -> Vec<u8> {
    let encoder = flate2::Compression::fast();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), encoder);
    encoder.write_all(&header(log, 0, end, b"")).unwrap();
    for _ in 0..192 {
        encoder.write_all(&vec![byte; 1 << 20]).unwrap();
    }
    encoder.finish().unwrap()
}

/// A body that begins so, and does not end.
fn endless(start: Vec<u8>) -> reqwest::Body {
    let pieces = stream::once(async move { Ok::<_, std::io::Error>(start) });
    reqwest::Body::wrap_stream(pieces.chain(stream::pending()))
}

/// What a bomb unpacks to costs no more than the longest package.
#[tokio::test]
async fn gzip_bombs_end_early() -> anyhow::Result<()> {
    let log = History::new("log.example/a", 300)?;
    let mirror = Pushed::start(&[&log])?;
    mirror.add(log.request(0, 300)?).await?;
    let before = peak_mib(mirror.node.pid()?)?;
    let unproven = "the entries from 0 on are not proven to be in the tree of size 300\n";
    let hashes = "the proof of a package has 255 hashes, and at most 63 are allowed\n";
    // Entries of no bytes and no proof; entries of 65,535 bytes and a proof of 255 hashes.
    for (byte, answer) in [(0, upload(422, unproven)), (0xff, upload(400, hashes))] {
        let said = mirror.send_packed(bomb(&log, 300, byte)).await?;
        assert_eq!(said, answer, "{byte}");
    }
    // A log that nobody knows, and something that is no gzip.
    let unknown = History::new("log.example/b", 1)?;
    let said = mirror.send_packed(bomb(&unknown, 300, 0)).await?;
    assert_eq!(said, upload(404, "this log is not mirrored here\n"));
    let ended = upload(400, "the body ended before its first package was whole\n");
    assert_eq!(mirror.send_packed(b"no gzip".to_vec()).await?, ended);
    // Members that are empty.
    let said = mirror.send_packed(gzip(b"").repeat(100_000)).await?;
    assert_eq!(said, ended);
    let more = peak_mib(mirror.node.pid()?)? - before;
    assert!(more < 96.0, "{more:.0} MiB");
    assert_eq!(mirror.upload_packed(&body(&log, 0, 300)).await?.status, 200);
    Ok(())
}

/// Four uploads of a log at once. A fifth is told to come again; other logs are not disturbed, nor
/// is what is served.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fifth_upload_of_a_log_comes_again() -> anyhow::Result<()> {
    let logs = ["log.example/a", "log.example/b"].map(|origin| History::new(origin, 300));
    let [first, second] = logs;
    let (first, second) = (first?, second?);
    let mirror = Pushed::start(&[&first, &second])?;
    for log in [&first, &second] {
        mirror.add(log.request(0, 300)?).await?;
    }
    let start = header(&first, 0, 300, b"");
    let idle = (0..4).map(|_| {
        let body = Body::Stream(endless(start.clone()));
        mirror.send(body, &KIND)
    });
    let idle = join_all(idle);
    let busy = "as many uploads of this log as may be are going on\n";
    let others = async {
        let mut refused = None;
        for _ in 0..100 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let said = mirror.upload(header(&first, 0, 300, b"")).await?;
            if said.status == 429 {
                refused = Some(said);
                break;
            }
        }
        let refused = refused.unwrap();
        assert_eq!(refused.body, busy);
        let retry = ("retry-after".to_owned(), "5".to_owned());
        assert!(refused.headers.contains(&retry), "{refused:?}");
        let said = mirror.upload(body(&second, 0, 300)).await?;
        assert_eq!(said.status, 200);
        anyhow::Ok(said)
    };
    // Who sends nothing for 30 seconds has ended.
    let (ended, other) = tokio::join!(idle, others);
    mirror.check(&second, 300, &other?.body).await?;
    let nothing = upload(400, "the body ended before its first package was whole\n");
    for said in ended {
        assert_eq!(said?, nothing);
    }
    assert_eq!(mirror.upload(body(&first, 0, 300)).await?.status, 200);
    Ok(())
}

/// Headers that unpack to much, and are never whole, on a thousand streams: they have room as other
/// messages have it, and less time than packages.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_that_never_end_take_little_memory() -> anyhow::Result<()> {
    let log = History::new("log.example/a", 300)?;
    let mirror = Pushed::start(&[&log])?;
    mirror.add(log.request(0, 300)?).await?;
    // All but the last byte of the longest ticket.
    let mut start = header(&log, 0, 300, &[0; 65_535]);
    start.pop();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(&start)?;
    packed.flush()?;
    let packed = packed.get_ref();
    assert!(packed.len() < 1000, "{} bytes", packed.len());
    let before = peak_mib(mirror.node.pid()?)?;
    let strangers: Result<Vec<_>, _> = (0..10)
        .map(|_| Stranger::new(&mirror.node, 1, 1 << 16))
        .collect();
    let strangers = strangers?;
    let calls = strangers.iter().flat_map(|stranger| {
        (0..100).map(move |_| {
            let call = stranger.post("/mirror/add-entries");
            let call = call.header("content-type", "application/octet-stream");
            let call = call.header("content-encoding", "gzip");
            call.body(endless(packed.clone())).send()
        })
    });
    let mut statuses = [0, 0];
    for answer in join_all(calls).await {
        match answer?.status().as_u16() {
            // It ended too late, or found no room, or held some for too long while others waited.
            400 => statuses[0] += 1,
            503 => statuses[1] += 1,
            other => panic!("{other}"),
        }
    }
    let more = peak_mib(mirror.node.pid()?)? - before;
    assert!(more < 64.0, "{more:.0} MiB, {statuses:?}");
    assert!(statuses[1] > 900, "{statuses:?}");
    assert_eq!(mirror.upload_packed(&body(&log, 0, 300)).await?.status, 200);
    Ok(())
}

/// A log that is not mirrored is known by its origin, before the rest of the header comes.
#[tokio::test]
async fn an_unknown_origin_is_refused_before_anything_else_comes() -> anyhow::Result<()> {
    let log = History::new("log.example/a", 3)?;
    let mirror = Pushed::start(&[&log])?;
    let unknown = upload(404, "this log is not mirrored here\n");
    let other = header(&History::new("log.example/b", 1)?, 0, 3, b"");
    let origin = other[..2 + "log.example/b".len()].to_vec();
    // The length alone says that it is no log's.
    for start in [origin, vec![1, 0], vec![0xff, 0xff]] {
        let said = mirror.send(Body::Stream(endless(start)), &KIND).await?;
        assert_eq!(said, unknown);
    }
    Ok(())
}

/// A network has one upload of a log at a time, and pays more for entries that are not the log's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_uploads_one_at_a_time_and_not_often() -> anyhow::Result<()> {
    let log = History::new("log.example/a", 300)?;
    let mirror = Pushed::start(&[&log])?;
    mirror.add(log.request(0, 300)?).await?;
    let (one, other) = (client_from(2)?, client_from(3)?);
    let start = header(&log, 0, 300, b"");
    // Until it is the one that is going on.
    let idle = async {
        loop {
            let said = mirror.send_by(&one, Body::Stream(endless(start.clone())), &KIND);
            let said = said.await?;
            if said.status != 429 {
                return anyhow::Ok(said);
            }
        }
    };
    let others = async {
        let own = "an upload of this log from your network address is going on\n";
        let mut refused = None;
        for _ in 0..60 {
            let said = mirror.send_by(&one, Body::Plain(start.clone()), &KIND);
            let said = said.await?;
            if said.status == 429 {
                refused = Some(said.body);
                break;
            }
        }
        assert_eq!(refused.as_deref(), Some(own));
        let mut wrong = body(&log, 0, 300);
        *wrong.last_mut().unwrap() ^= 1;
        let often = "your network address uploads entries too often\n";
        let mut taken = 0;
        while taken < 60 {
            let said = mirror.send_by(&other, Body::Plain(wrong.clone()), &KIND);
            let said = said.await?;
            if said.status != 422 {
                assert_eq!((said.status, &*said.body), (429, often));
                break;
            }
            taken += 1;
        }
        assert!((8..60).contains(&taken), "{taken}");
        anyhow::Ok(())
    };
    tokio::select! {
        said = idle => panic!("{said:?}"),
        done = others => done?,
    }
    assert_eq!(mirror.upload(body(&log, 0, 300)).await?.status, 200);
    Ok(())
}

/// Who sends a log's checkpoints again takes nothing of the log's quota.
#[tokio::test]
async fn whoever_sends_a_logs_checkpoints_again_takes_nothing_of_its_quota() -> anyhow::Result<()> {
    let log = History::new("log.example/a", 300)?;
    let mirror = Pushed::start(&[&log])?;
    assert_eq!(mirror.add(log.request(0, 5)?).await?.status, 200);
    for address in [2, 3, 4] {
        let stranger = client_from(address)?;
        for _ in 0..90 {
            let said = mirror.add_by(&stranger, log.request(0, 5)?).await?;
            assert_eq!(said.status, 409);
            let said = mirror.add_by(&stranger, log.request(5, 5)?).await?;
            assert_eq!(said.status, 200);
        }
    }
    for size in 6..36 {
        let said = mirror.add(log.request(size - 1, size)?).await?;
        assert_eq!(said.status, 200, "{size}");
    }
    Ok(())
}
