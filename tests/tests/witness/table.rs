//! Every status of C2SP tlog-witness, `add-checkpoint`, with headers and body, byte for byte.

use super::{ORIGIN, TEXT, cosigned, said, size, text};
use assay_tests::add_checkpoint::{Row, accepted, rows};
use assay_tests::process::poll;
use assay_tests::stranger::client_from;
use assay_tests::witness::{History, Said, Witness, add, request};
use assay_tlog::note::SignerKey;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// What the specification leaves to a witness.
fn chosen(log: &History) -> anyhow::Result<Vec<(&'static str, String, Said)>> {
    let good = log.request(5, 8)?;
    let note = "the checkpoint of the request cannot be read\n";
    let long = "the request has more than 131072 bytes\n";
    let extended = good.replacen("=\n\n\u{2014}", "=\nextension\n\n\u{2014}", 1);
    Ok(vec![
        ("extension lines", extended, text(400, note)),
        ("too long", "x".repeat(131_073), text(413, long)),
    ])
}

/// Our answer to a row, byte for byte.
fn answer(row: &Row) -> Said {
    if row.status == 409 {
        return said(409, &[("content-type", "text/x.tlog.size")], row.answer);
    }
    text(row.status, row.answer)
}

#[tokio::test]
async fn every_refusal_has_its_status_headers_and_body() -> anyhow::Result<()> {
    let rows = rows()?;
    let logs: Vec<&History> = rows.iter().map(|(log, _)| log).collect();
    let witness = Witness::start(&logs)?;
    let nothing = said(
        404,
        &[("cache-control", "no-store"), ("content-type", TEXT)],
        "no checkpoint of this log was cosigned here\n",
    );
    assert_eq!(witness.monitored("unknown.example").await?, nothing);
    for (log, row) in &rows {
        if row.held > 0 {
            let first = witness.add(log.request(0, row.held)?).await?;
            assert_eq!(first.status, 200);
        }
        let before = witness.monitored(&log.origin).await?;
        assert!(row.held > 0 || before == nothing);
        let said = witness.add(row.body.clone()).await?;
        assert_eq!(said, answer(row), "{}", row.case);
        // It changed nothing that was cosigned.
        assert_eq!(witness.monitored(&log.origin).await?, before);
    }
    let (log, _) = rows.last().unwrap();
    for (case, body, expected) in chosen(log)? {
        assert_eq!(witness.add(body).await?, expected, "{case}");
    }
    for (case, body) in accepted(log)? {
        assert_eq!(witness.add(body).await?.status, 200, "{case}");
    }
    Ok(())
}

/// Another root at the size that is held is signed evidence: nothing more of the log is cosigned.
#[tokio::test]
async fn another_root_at_the_same_size_ends_the_cosigning_of_the_log() -> anyhow::Result<()> {
    let log = History::new(ORIGIN, 8)?;
    let witness = Witness::start(&[&log])?;
    assert_eq!(witness.add(log.request(0, 5)?).await?.status, 200);
    let before = witness.monitored(ORIGIN).await?;
    let stranger = History::new("stranger.example", 1)?;
    let unsigned = log.checkpoint(8).sign(stranger.key());
    let other = "the checkpoint that was cosigned here has another root at this size\n";
    let convicted = "this log has signed two histories and is not cosigned any more\n";
    let nobody = "no key of this log that is known here signed the checkpoint\n";
    for (body, expected) in [
        (log.fork(4).request(5, 5)?, text(422, other)),
        (log.request(5, 8)?, text(403, convicted)),
        (request(5, &[], &unsigned), text(403, nobody)),
    ] {
        assert_eq!(witness.add(body).await?, expected);
    }
    assert_eq!(witness.monitored(ORIGIN).await?, before);
    Ok(())
}

/// A log that rotates its key has two that are trusted. A wrong line by one of them is refused,
/// whatever the other one signed.
#[tokio::test]
async fn a_wrong_signature_beside_a_right_one_is_403() -> anyhow::Result<()> {
    let log = History::new(ORIGIN, 8)?;
    let next = SignerKey::from_seed(ORIGIN, &[9; 32])?;
    let mut witness = Witness::init()?;
    witness.add_log(ORIGIN, &log.vkey())?;
    let second = format!("{:?}, {:?}", log.vkey(), next.verifier().to_string());
    witness.configure(&format!("{:?}", log.vkey()), &second)?;
    witness.run()?;
    let wrong = next.sign(&log.checkpoint(7).body());
    let refused = witness
        .add(request(0, &[], &(log.note(8) + &wrong)))
        .await?;
    let expected = text(403, "a signature by a key of this log is wrong\n");
    assert_eq!(refused, expected);
    let right = next.sign(&log.checkpoint(8).body());
    let both = request(0, &[], &(log.note(8) + &right));
    assert_eq!(witness.add(both).await?.status, 200);
    Ok(())
}

/// The answer is the witness's own lines and nothing else; monitors get them behind the log's.
#[tokio::test]
async fn a_checkpoint_is_cosigned_with_both_keys_and_served_to_monitors() -> anyhow::Result<()> {
    let log = History::new(ORIGIN, 8)?;
    let witness = Witness::start(&[&log])?;
    for (old, new) in [(0, 0), (0, 3), (3, 3), (3, 4), (4, 8)] {
        let answer = witness.add(log.request(old, new)?).await?;
        assert_eq!(answer, text(200, &answer.body), "{old} to {new}");
        let note = log.note(new) + &answer.body;
        let (head, at) = cosigned(&witness, &note);
        assert_eq!(head.checkpoint(), &log.checkpoint(new));
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        assert!(now - at < 60, "{at} is not now");
        assert_eq!(answer.body.lines().count(), 2);
        let headers = [("cache-control", "no-cache"), ("content-type", TEXT)];
        assert_eq!(witness.monitored(ORIGIN).await?, said(200, &headers, &note));
    }
    Ok(())
}

/// Unknown signatures beside the log's are ignored, and not handed on.
#[tokio::test]
async fn signatures_of_strangers_are_ignored() -> anyhow::Result<()> {
    let log = History::new(ORIGIN, 8)?;
    let witness = Witness::start(&[&log])?;
    let stranger = History::new("stranger.example", 1)?;
    let line = stranger.key().sign(&log.checkpoint(8).body());
    let answer = witness.add(request(0, &[], &(log.note(8) + &line))).await?;
    assert_eq!(answer.status, 200);
    let served = witness.monitored(ORIGIN).await?.body;
    assert_eq!(served, log.note(8) + &answer.body);
    Ok(())
}

/// An idle log asks again with the same head, for a new time. It gets the same answer for some
/// seconds, as anybody can ask.
#[tokio::test]
async fn the_same_size_again_gets_a_new_time() -> anyhow::Result<()> {
    let log = History::new(ORIGIN, 8)?;
    let witness = Witness::start(&[&log])?;
    let first = witness.add(log.request(0, 8)?).await?;
    let (_, before) = cosigned(&witness, &(log.note(8) + &first.body));
    let again = witness.add(log.request(8, 8)?).await?;
    assert_eq!(again, first);
    poll(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        Ok((now >= before + 10).then_some(()))
    })?;
    let second = witness.add(log.request(8, 8)?).await?;
    let (_, after) = cosigned(&witness, &(log.note(8) + &second.body));
    assert!(after > before, "{after} is not after {before}");
    Ok(())
}

/// The quota is the log's own, and it is charged for what is larger and proven only.
#[tokio::test]
async fn a_log_that_asks_too_often_is_told_when_to_ask_again() -> anyhow::Result<()> {
    let log = History::new(ORIGIN, 8)?;
    let other = History::new("log.example/b", 8)?;
    let mut witness = Witness::init()?;
    witness.configure("requests_per_hour = 36000", "requests_per_hour = 1")?;
    witness.configure("burst = 60", "burst = 2")?;
    for log in [&log, &other] {
        witness.add_log(&log.origin, &log.vkey())?;
    }
    witness.run()?;
    let unsigned = request(0, &[], &log.checkpoint(8).sign(other.key()));
    for _ in 0..5 {
        assert_eq!(witness.add(unsigned.clone()).await?.status, 403);
    }
    assert_eq!(witness.add(log.request(0, 5)?).await?.status, 200);
    let unproven = request(5, &[], &log.note(8));
    for _ in 0..5 {
        assert_eq!(witness.add(log.request(0, 8)?).await?, size(5));
        assert_eq!(witness.add(unproven.clone()).await?.status, 422);
    }
    assert_eq!(witness.add(log.request(5, 6)?).await?.status, 200);
    assert_eq!(witness.add(log.request(6, 6)?).await?.status, 200);
    let over = witness.add(log.request(6, 8)?).await?;
    let retry = over.headers.iter().find(|(name, _)| name == "retry-after");
    let retry: u64 = retry.unwrap().1.parse()?;
    assert!((3500..=3601).contains(&retry), "{retry}");
    let retry = retry.to_string();
    let headers = [("content-type", TEXT), ("retry-after", &retry)];
    let expected = said(429, &headers, "this log has asked too often\n");
    assert_eq!(over, expected);
    assert_eq!(witness.add(other.request(0, 8)?).await?.status, 200);
    Ok(())
}

/// Everybody has the checkpoints that a log published. Whoever sends them again takes nothing of
/// the log's quota, and is limited by network.
#[tokio::test]
async fn whoever_sends_a_logs_checkpoints_again_takes_nothing_of_its_quota() -> anyhow::Result<()> {
    let log = History::new(ORIGIN, 8)?;
    let mut witness = Witness::init()?;
    witness.configure("requests_per_hour = 36000", "requests_per_hour = 1")?;
    witness.configure("burst = 60", "burst = 3")?;
    witness.add_log(&log.origin, &log.vkey())?;
    witness.run()?;
    let url = witness.ready()?.url.clone();
    assert_eq!(witness.add(log.request(0, 5)?).await?.status, 200);
    for address in [2, 3] {
        let stranger = client_from(address)?;
        for _ in 0..10 {
            assert_eq!(add(&stranger, &url, log.request(0, 5)?).await?, size(5));
            let again = add(&stranger, &url, log.request(5, 5)?).await?;
            assert_eq!(again.status, 200);
        }
    }
    let stranger = client_from(4)?;
    let mut limited = size(5);
    for _ in 0..5000 {
        limited = add(&stranger, &url, log.request(0, 5)?).await?;
        if limited.status != 409 {
            break;
        }
    }
    let headers = [("content-type", TEXT), ("retry-after", "1")];
    let often = "your network address sends checkpoints too often\n";
    assert_eq!(limited, said(429, &headers, often));
    // What the log signed next, sent before the log does: it is charged once.
    let next = log.request(5, 6)?;
    assert_eq!(add(&client_from(2)?, &url, next.clone()).await?.status, 200);
    assert_eq!(witness.add(next).await?, size(6));
    assert_eq!(witness.add(log.request(6, 8)?).await?.status, 200);
    Ok(())
}

/// A body without an announced length ends at the limit, and not when its sender likes.
#[tokio::test]
async fn an_endless_body_is_413() -> anyhow::Result<()> {
    let log = History::new(ORIGIN, 8)?;
    let witness = Witness::start(&[&log])?;
    let address = witness.ready()?.url.replace("http://", "");
    let mut stream = TcpStream::connect(&address).await?;
    let head = format!(
        "POST /add-checkpoint HTTP/1.1\r\nHost: {address}\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    // One byte more than is read, and no end.
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(4096));
    for _ in 0..32 {
        stream.write_all(chunk.as_bytes()).await?;
    }
    stream.write_all(b"1\r\nx\r\n").await?;
    let mut start = [0; 12];
    stream.read_exact(&mut start).await?;
    assert_eq!(&start, b"HTTP/1.1 413");
    Ok(())
}

/// Whoever sends more than is read gets its answer, and not a reset that overtakes it: the
/// connection is good for the next request.
#[tokio::test]
async fn a_body_that_nobody_reads_breaks_no_connection() -> anyhow::Result<()> {
    let log = History::new(ORIGIN, 8)?;
    let witness = Witness::start(&[&log])?;
    let address = witness.ready()?.url.replace("http://", "");
    let mut stream = TcpStream::connect(&address).await?;
    let body = vec![b'x'; 400_000];
    for (route, status) in [
        ("POST /add-checkpoint", "413"),
        ("POST /sign-subtree", "404"),
        ("PUT /add-checkpoint", "405"),
        ("POST /add-checkpoint", "413"),
    ] {
        let length = body.len();
        let head =
            format!("{route} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\n\r\n");
        stream.write_all(head.as_bytes()).await?;
        let answer = http_answer(&mut stream).await?;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
        stream.write_all(&body).await?;
    }
    Ok(())
}

/// Head and body of one answer.
async fn http_answer(stream: &mut TcpStream) -> anyhow::Result<String> {
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await?);
    }
    let head = String::from_utf8(answer)?;
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(Ok(0), str::parse)?];
    stream.read_exact(&mut body).await?;
    Ok(head)
}

/// Of two updates from one size, one wins, and the other is told its size.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_racing_updates_one_wins() -> anyhow::Result<()> {
    let log = History::new(ORIGIN, 60)?;
    let fork = log.fork(0);
    let witness = Witness::start(&[&log])?;
    assert_eq!(witness.add(fork.request(0, 1)?).await?.status, 200);
    let mut held = 1;
    for _ in 0..10 {
        let requests = [fork.request(held, held + 2)?, fork.request(held, held + 5)?];
        let [short, long] = requests.map(|body| witness.add(body));
        let (short, long) = tokio::join!(short, long);
        let (short, long) = (short?, long?);
        held = match (short.status, long.status) {
            (200, 409) => {
                assert_eq!(long, size(held as u64 + 2));
                held + 2
            }
            (409, 200) => {
                assert_eq!(short, size(held as u64 + 5));
                held + 5
            }
            other => panic!("{other:?}"),
        };
    }
    // The other history has lost.
    assert_eq!(witness.add(log.request(held, 60)?).await?.status, 422);
    Ok(())
}

/// Other paths and methods are nobody's.
#[tokio::test]
async fn there_is_nothing_else() -> anyhow::Result<()> {
    let log = History::new(ORIGIN, 8)?;
    let witness = Witness::start(&[&log])?;
    let url = witness.ready()?.url.clone();
    let http = reqwest::Client::new();
    for (request, status) in [
        (http.get(format!("{url}/add-checkpoint")), 405),
        (http.post(format!("{url}/sign-subtree")), 404),
        (http.post(format!("{url}/witness/add-checkpoint")), 404),
        (http.get(format!("{url}/checkpoint")), 404),
        (http.get(format!("{url}/witness/{ORIGIN}/checkpoint")), 404),
        (http.get(format!("{url}/metrics")), 404),
    ] {
        let answer = request.send().await?;
        assert_eq!(answer.status(), status, "{}", answer.url());
    }
    // gzip is not expanded: what it would expand to is nobody's business.
    let gzip = http.post(format!("{url}/add-checkpoint"));
    let gzip = gzip
        .header("content-encoding", "gzip")
        .body(vec![0x1f, 0x8b, 8, 0]);
    assert_eq!(gzip.send().await?.status(), 400);
    Ok(())
}
