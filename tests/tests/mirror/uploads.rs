//! Logs that bring their entries themselves: every status of C2SP tlog-mirror, with headers and
//! body, byte for byte, and what a stranger may cost.

mod client;
mod hostile;

use anyhow::Context as _;
use assay_tests::add_checkpoint::{Row, accepted, rows};
use assay_tests::witness::{History, Said};
use client::{Body, Pushed, body, header, info, text, upload};

/// `add-checkpoint` is a witness's, but that it does not cosign.
#[tokio::test]
async fn every_refusal_of_a_checkpoint_is_a_witnesss() -> anyhow::Result<()> {
    let rows = rows()?;
    let logs: Vec<&History> = rows.iter().map(|(log, _)| log).collect();
    let mirror = Pushed::start(&logs)?;
    let answer = |row: &Row| match row.status {
        409 => client::said(409, &[("content-type", "text/x.tlog.size")], row.answer),
        status => text(status, row.answer),
    };
    for (log, row) in &rows {
        if row.held > 0 {
            let first = mirror.add(log.request(0, row.held)?).await?;
            assert_eq!(first, text(200, ""), "{}", row.case);
        }
        assert_eq!(
            mirror.add(row.body.clone()).await?,
            answer(row),
            "{}",
            row.case
        );
    }
    let (log, _) = rows.last().context("no rows")?;
    for (case, body) in accepted(log)? {
        assert_eq!(mirror.add(body).await?, text(200, ""), "{case}");
    }
    Ok(())
}

/// A row of the table: what is sent, and what is answered.
struct Case {
    case: &'static str,
    body: Vec<u8>,
    answer: Said,
}

fn case(case: &'static str, body: Vec<u8>, answer: Said) -> Case {
    Case { case, body, answer }
}

/// Uploads that are refused by a mirror that has 2,500 entries of 3,000.
fn refused(log: &History, info: &dyn Fn(u64) -> Said) -> anyhow::Result<Vec<Case>> {
    let ended = "the body ended before its first package was whole\n";
    let after = "the upload starts at 301, which is after its end, 300\n";
    let hashes = "the proof of a package has 64 hashes, and at most 63 are allowed\n";
    // 60 entries of no bytes come first.
    let mut malformed = header(log, 2500, 3000, b"");
    malformed.extend([0; 120]);
    malformed.push(64);
    let unknown = History::new("log.example/unknown", 3)?;
    let cases = vec![
        case(
            "unknown",
            body(&unknown, 0, 3),
            upload(404, "this log is not mirrored here\n"),
        ),
        case("not pending", body(log, 2500, 2999), info(2500)),
        case("before the mirrored", body(log, 2000, 2499), info(2500)),
        case("start after next", body(log, 2501, 3000), info(2500)),
        case("too much is here", body(log, 451, 3000), info(2500)),
        case("empty", vec![], upload(400, ended)),
        case(
            "a header alone",
            header(log, 2500, 3000, b""),
            upload(400, ended),
        ),
        case(
            "start after end",
            header(log, 301, 300, b""),
            upload(400, after),
        ),
        case("64 hashes", malformed, upload(400, hashes)),
    ];
    Ok(cases)
}

#[tokio::test]
async fn every_status_of_an_upload() -> anyhow::Result<()> {
    let log = History::new("log.example/a", 3000)?;
    let mirror = Pushed::start(&[&log])?;
    let nothing = "no checkpoint of this log came here yet: send one to add-checkpoint first\n";
    let first = mirror.upload(body(&log, 0, 300)).await?;
    assert_eq!(first, upload(422, nothing), "never pending");

    mirror.add(log.request(0, 2500)?).await?;
    let lines = mirror.upload(body(&log, 0, 2500)).await?;
    assert_eq!(lines, upload(200, &lines.body));
    mirror.check(&log, 2500, &lines.body).await?;
    mirror.add(log.request(2500, 3000)?).await?;
    let ticket = mirror.ticket(&log).await?;
    let info = |next| client::info(409, 3000, next, &ticket);
    let mut wrong = body(&log, 2500, 3000);
    *wrong.last_mut().context("an empty body")? ^= 1;
    for Case { case, body, answer } in refused(&log, &info)? {
        assert_eq!(mirror.upload(body).await?, answer, "{case}");
    }
    // Packages before the wrong one stay: 2500..2560, and then one that is wrong in 2816..3000.
    let said = mirror.upload(wrong).await?;
    let unproven = "the entries from 2816 on are not proven to be in the tree of size 3000\n";
    assert_eq!(said, upload(422, unproven));
    assert_eq!(mirror.upload(body(&log, 2817, 3000)).await?, info(2816));
    // Of the first package nothing is saved.
    let mut wrong = body(&log, 2816, 3000);
    *wrong.last_mut().context("an empty body")? ^= 1;
    assert_eq!(mirror.upload(wrong).await?, upload(422, unproven));
    assert_eq!(mirror.upload(body(&log, 2817, 3000)).await?, info(2816));
    let lines = mirror.upload(body(&log, 2816, 3000)).await?;
    assert_eq!(lines.status, 200);
    mirror.check(&log, 3000, &lines.body).await?;
    // Nothing is missing: it is cosigned, and again at a new time after a while.
    let again = mirror.upload(header(&log, 3000, 3000, b"")).await?;
    assert_eq!(again, lines);
    // The mirrored head has passed it.
    assert_eq!(mirror.upload(body(&log, 2500, 2500)).await?, info(3000));
    Ok(())
}

#[tokio::test]
async fn types_and_encodings_that_are_not_taken() -> anyhow::Result<()> {
    let log = History::new("log.example/a", 3)?;
    let mirror = Pushed::start(&[&log])?;
    mirror.add(log.request(0, 3)?).await?;
    let kind = "the body must be of the type application/octet-stream\n";
    let packed = "the body may be packed with gzip, and not otherwise\n";
    let send = |headers: &'static [(&'static str, &'static str)]| {
        mirror.send(Body::Plain(body(&log, 0, 3)), headers)
    };
    assert_eq!(send(&[]).await?, upload(415, kind));
    assert_eq!(
        send(&[("content-type", "text/plain")]).await?,
        upload(415, kind)
    );
    let zstd = [
        ("content-type", "application/octet-stream"),
        ("content-encoding", "zstd"),
    ];
    let said = mirror.send(Body::Plain(body(&log, 0, 3)), &zstd).await?;
    assert_eq!(said, upload(415, packed));
    assert_eq!(mirror.upload_packed(&body(&log, 0, 3)).await?.status, 200);
    Ok(())
}

/// A stream that is cut anywhere: 400 if no package was whole, 202 if one was, 200 at its end. As
/// it is, and packed.
#[tokio::test]
async fn a_stream_may_be_cut_at_every_byte() -> anyhow::Result<()> {
    let log = History::new("log.example/a", 258)?;
    let mut mirror = Pushed::start(&[&log])?;
    mirror.add(log.request(0, 258)?).await?;
    let whole = body(&log, 0, 258);
    let ticket = mirror.ticket(&log).await?;
    let start = header(&log, 0, 258, b"").len();
    let second = body(&log, 256, 258).len() - start;
    let first = whole.len() - second;
    let ended = upload(400, "the body ended before its first package was whole\n");
    for end in 0..first {
        let said = mirror.upload(whole[..end].to_vec()).await?;
        assert_eq!(said, ended, "cut at {end}");
    }
    // A package is saved whole or not at all: not in memory, nor on the disk.
    assert_eq!(mirror.state(&log).await?, info(409, 258, 0, &ticket));
    mirror.kill_and_run()?;
    let ticket = mirror.ticket(&log).await?;
    assert_eq!(mirror.state(&log).await?, info(409, 258, 0, &ticket));
    for end in first..whole.len() {
        let said = mirror.upload(whole[..end].to_vec()).await?;
        assert_eq!(said, info(202, 258, 256, &ticket), "cut at {end}");
    }
    mirror.kill_and_run()?;
    let ticket = mirror.ticket(&log).await?;
    assert_eq!(mirror.state(&log).await?, info(409, 258, 256, &ticket));
    // Packed, a piece that is missing takes a little more with it. The last bytes are a checksum of
    // what has come by then.
    let packed = client::gzip(&whole);
    for end in (0..packed.len() - 16).step_by(97) {
        let said = mirror.send_packed(packed[..end].to_vec()).await?;
        let is_right = said == ended || said == info(202, 258, 256, &ticket);
        assert!(is_right, "cut at {end}: {said:?}");
    }
    let lines = mirror.send_packed(packed).await?;
    assert_eq!(lines.status, 200);
    mirror.check(&log, 258, &lines.body).await
}

/// 32 packages a request; the rest comes in another one. The mirror is killed between the two.
#[tokio::test]
async fn an_upload_goes_on_after_32_packages_and_after_a_kill() -> anyhow::Result<()> {
    let log = History::new("log.example/a", 9000)?;
    let mut mirror = Pushed::start(&[&log])?;
    mirror.add(log.request(0, 9000)?).await?;
    let ticket = mirror.ticket(&log).await?;
    let said = mirror.upload(body(&log, 0, 9000)).await?;
    assert_eq!(said, info(202, 9000, 8192, &ticket));
    mirror.kill_and_run()?;
    let lines = mirror.upload_packed(&body(&log, 8192, 9000)).await?;
    assert_eq!(lines.status, 200);
    mirror.check(&log, 9000, &lines.body).await?;
    mirror.kill_and_run()?;
    mirror.check(&log, 9000, &lines.body).await
}

/// Several at once, of the same and of other entries: nothing is lost, and all of it is stored.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uploads_run_beside_each_other() -> anyhow::Result<()> {
    let log = History::new("log.example/a", 2000)?;
    let mirror = Pushed::start(&[&log])?;
    mirror.add(log.request(0, 1500)?).await?;
    mirror.add(log.request(1500, 2000)?).await?;
    let sends = [1500, 2000, 1500, 2000].map(|end| mirror.upload(body(&log, 0, end)));
    let mut sizes = Vec::new();
    for said in futures::future::try_join_all(sends).await? {
        // Who is overtaken is told so.
        assert!([200, 409].contains(&said.status), "{said:?}");
        sizes.push(said.status);
    }
    assert!(sizes.contains(&200), "{sizes:?}");
    let lines = mirror.upload(header(&log, 2000, 2000, b"")).await?;
    mirror.check(&log, 2000, &lines.body).await
}

/// The log has gone on more often than the mirror remembers. Who has a ticket ends what it began.
#[tokio::test]
async fn a_ticket_recalls_an_older_size() -> anyhow::Result<()> {
    let log = History::new("log.example/a", 700)?;
    let mirror = Pushed::start(&[&log])?;
    mirror.add(log.request(0, 100)?).await?;
    let ticket = mirror.ticket(&log).await?;
    for size in 101..=110 {
        mirror.add(log.request(size - 1, size)?).await?;
    }
    let newest = mirror.ticket(&log).await?;
    let said = mirror.upload(body(&log, 0, 100)).await?;
    assert_eq!(said, info(409, 110, 0, &newest));
    let mut forged = ticket.clone();
    forged[0] ^= 1;
    let said = mirror
        .upload(client::body_with(&log, 0, 100, &forged))
        .await?;
    assert_eq!(said, info(409, 110, 0, &newest));
    let lines = mirror
        .upload(client::body_with(&log, 0, 100, &ticket))
        .await?;
    assert_eq!(lines.status, 200, "{lines:?}");
    mirror.check(&log, 100, &lines.body).await?;
    let lines = mirror.upload(body(&log, 100, 110)).await?;
    mirror.check(&log, 110, &lines.body).await
}
