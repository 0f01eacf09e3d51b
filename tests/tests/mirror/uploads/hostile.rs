//! Strangers who send what costs a mirror much.

use super::client::{Body, Pushed, body, gzip, header, upload};
use assay_tests::witness::History;
use futures::stream;
use std::{fs, io::Write as _, time::Duration};

/// The most memory that a process ever had, in MiB.
fn peak_mib(mirror: &Pushed) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", mirror.node.pid()?))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next());
    Ok(kib.map_or(Ok(0), str::parse)? / 1024)
}

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

/// What a bomb unpacks to costs no more than the longest package.
#[tokio::test]
async fn gzip_bombs_end_early() -> anyhow::Result<()> {
    let log = History::new("log.example/a", 300)?;
    let mirror = Pushed::start(&[&log])?;
    mirror.add(log.request(0, 300)?).await?;
    let before = peak_mib(&mirror)?;
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
    let more = peak_mib(&mirror)?.saturating_sub(before);
    assert!(more < 96, "{more} MiB");
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
    let kind = [("content-type", "application/octet-stream")];
    let start = header(&first, 0, 300, b"");
    let idle = (0..4).map(|_| {
        let start = start.clone();
        let pieces = stream::once(async move { Ok::<_, std::io::Error>(start) });
        let forever = stream::pending();
        let body = futures::StreamExt::chain(pieces, forever);
        mirror.send(Body::Stream(reqwest::Body::wrap_stream(body)), &kind)
    });
    let idle = futures::future::join_all(idle);
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
