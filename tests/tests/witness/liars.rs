//! Witnesses that answer, and lie: none of them counts, each is named with what it does, and the
//! log goes on with the others.

use super::cosigning::Federation;
use anyhow::{Context, ensure};
use assay_proto::v1::Wait;
use assay_tests::{
    issuer::Actor,
    log::Log,
    process::{assay, poll_async},
    relay::Line,
};
use assay_tlog::Hash;
use assay_tlog::checkpoint::Checkpoint;
use assay_tlog::note::{Algorithm, CosignerKey, VerifierKey};
use axum::{
    Router,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use std::{
    sync::{Arc, Mutex},
    time::{SystemTime, UNIX_EPOCH},
};
use tokio::net::TcpListener;

const HOUR_S: i64 = 3600;
const TEN_YEARS_S: i64 = 10 * 365 * 86_400;

/// How a witness lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lie {
    /// It states a time that is so many seconds from now.
    Time(i64),
    /// It cosigns another root than it was asked about.
    OtherRoot,
    /// It cosigns what it saw first again and again, as if it had never seen more.
    OldSize,
    /// It cosigns once, and says from then on that it has nothing of the log.
    Forgets,
    /// It answers with a line by another key under its name.
    OtherKey,
    /// It answers 200 with what is no signature line.
    NoLine,
}

impl Lie {
    /// All lies, each with a name for its witness and what the log's operator reads of it.
    const ALL: [(Lie, &str, &str); 9] = [
        (Lie::Time(HOUR_S), "hour-ahead", STRANGE_TIME),
        (Lie::Time(-HOUR_S), "hour-behind", STRANGE_TIME),
        (Lie::Time(TEN_YEARS_S), "years-ahead", STRANGE_TIME),
        (Lie::Time(-TEN_YEARS_S), "years-behind", STRANGE_TIME),
        (Lie::OtherRoot, "other-root", "its signature is wrong"),
        (Lie::OldSize, "old-size", "its signature is wrong"),
        (Lie::Forgets, "forgets", "FORGOT what it cosigned"),
        (Lie::OtherKey, "other-key", "without a signature by one of"),
        (Lie::NoLine, "no-line", "its answer is not one of C2SP"),
    ];

    /// Whether it tells the truth once, before it lies.
    fn begins_honest(self) -> bool {
        matches!(self, Lie::OldSize | Lie::Forgets)
    }
}

const STRANGE_TIME: &str = "which is not now; its clock or this one is wrong";

/// A witness that lies, as a server of the test.
struct Liar {
    lie: Lie,
    key: CosignerKey,
    first: Mutex<Option<Checkpoint>>,
}

impl Liar {
    /// Starts it, on the runtime of the test. Returns its key and where it is.
    async fn start(
        lie: Lie,
        name: &str,
        algorithm: Algorithm,
    ) -> anyhow::Result<(VerifierKey, String)> {
        let seed = Hash::of(name.as_bytes());
        let key = CosignerKey::from_seed(name, algorithm, seed.as_bytes())?;
        let verifier = key.verifier();
        let liar = Arc::new(Liar {
            lie,
            key,
            first: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let answer = move |body: String| {
            let answer = liar.answer(&body);
            async move {
                answer.unwrap_or_else(|error| {
                    (StatusCode::IM_A_TEAPOT, error.to_string()).into_response()
                })
            }
        };
        let router = Router::new().route("/add-checkpoint", post(answer));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok((verifier, url))
    }

    fn answer(&self, body: &str) -> anyhow::Result<Response> {
        let (_, note) = body.split_once("\n\n").context("no checkpoint")?;
        let (text, _) = note.split_once("\n\n").context("no signatures")?;
        let asked = Checkpoint::parse_body(&format!("{text}\n"))?;
        let mut first = self.first.lock().unwrap();
        let is_first = first.is_none();
        let first = first.get_or_insert_with(|| asked.clone());
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        if is_first && self.lie.begins_honest() {
            return Ok(self.key.cosign(&asked, now)?.into_response());
        }
        let lines = match self.lie {
            Lie::Time(by) => self.key.cosign(&asked, now.saturating_add_signed(by))?,
            Lie::OtherRoot => {
                let root = Hash::of(b"another history");
                self.key.cosign(&Checkpoint { root, ..asked }, now)?
            }
            Lie::OldSize => self.key.cosign(first, now)?,
            Lie::Forgets => {
                let size = [(header::CONTENT_TYPE, "text/x.tlog.size")];
                return Ok((StatusCode::CONFLICT, size, "0\n").into_response());
            }
            Lie::OtherKey => {
                let name = self.key.verifier().name().to_owned();
                let other = CosignerKey::from_seed(&name, Algorithm::CosignatureV1, &[9; 32])?;
                other.cosign(&asked, now)?
            }
            Lie::NoLine => "cosigned\n".to_owned(),
        };
        Ok(lines.into_response())
    }
}

/// What the operator of the log reads of each witness: the line of `assay peers` that names it.
fn told(all: &Federation, name: &str) -> anyhow::Result<String> {
    let url = &all.node.ready().url;
    let ended = assay(all.node.folder(), &["peers", "--node", url])?;
    let said = String::from_utf8(ended.stdout)?;
    let mut lines = said.lines().map(str::trim);
    let line = lines.find(|line| line.starts_with(&format!("{name} ")));
    Ok(line.with_context(|| format!("{name}: {said}"))?.to_owned())
}

/// How often a witness failed, by the metrics.
async fn failures(all: &Federation, name: &str) -> anyhow::Result<f64> {
    let url = format!("{}/metrics", all.node.ready().admin);
    let metrics = reqwest::get(url).await?.text().await?;
    let counter = format!("assay_witness_failures_total{{witness=\"{name}\"}} ");
    let count = metrics.lines().find_map(|line| line.strip_prefix(&counter));
    Ok(count.map_or(Ok(0.0), str::parse)?)
}

/// Two honest witnesses, both of whom a quorum takes, and one of every kind of liar. A liar that
/// counted would make a quorum with either of the honest ones, and with each other.
#[tokio::test(flavor = "multi_thread")]
async fn witnesses_that_lie_do_not_count_and_are_named() -> anyhow::Result<()> {
    let mut liars = Vec::new();
    for (at, (lie, name, _)) in Lie::ALL.into_iter().enumerate() {
        let algorithm = [Algorithm::CosignatureV1, Algorithm::MlDsa44][at % 2];
        liars.push(Liar::start(lie, name, algorithm).await?);
    }
    let mut all = Federation::beside(2, 2, Line::Up, &liars).await?;
    all.node.run()?;
    let log = Log::connect(all.node.ready()).await?;
    let issuer = Actor::new(&[1], 1);
    let mut answer = log.publish(issuer.registration()?, Wait::Witnessed).await?;
    for number in 1..=3 {
        ensure!(answer.reached() == Wait::Witnessed, "{}", all.node.stderr());
        answer = log.publish(issuer.claim(number), Wait::Witnessed).await?;
    }
    let honest = ["0-ed25519", "0-ml-dsa", "1-ed25519", "1-ml-dsa"];
    all.covering(&answer).await?;
    for (_, name, why) in Lie::ALL {
        poll_async(async || {
            let line = told(&all, name)?;
            let is_told = line.contains(why) && !line.contains("cosigns,");
            Ok(is_told.then_some(()))
        })
        .await
        .with_context(|| told(&all, name).unwrap_or_default())?;
        ensure!(failures(&all, name).await? > 0.0, "{name}");
        let journal = all.node.stderr();
        let mut lines = journal.lines();
        let is_logged = lines.any(|line| {
            let name = format!("witness={name:?}");
            line.contains(&name) && (line.contains("does not cosign") || line.contains("forgot"))
        });
        ensure!(is_logged, "{name} is not named in {journal}");
    }
    // With every question answered, of the newest none has a line.
    all.until(|quorum| quorum.witnesses() == honest).await?;

    // Liars alone are no quorum, however many: nothing newer is shown until honest ones are back.
    // After a start each is asked at once, and each lies from its first answer on.
    all.node.stop()?;
    all.set(Line::Down);
    all.node.run()?;
    let log = Log::connect(all.node.ready()).await?;
    let answer = log.publish(issuer.claim(4), Wait::Sequenced).await?;
    for (_, name, _) in Lie::ALL {
        poll_async(async || Ok((failures(&all, name).await? > 0.0).then_some(()))).await?;
    }
    let (_, shown) = all.served().await?.context("nothing is shown")?;
    ensure!(shown.checkpoint().size.get() <= answer.leaf_index);
    all.set(Line::Up);
    let shown = all.covering(&answer).await?;
    ensure!(shown.witnesses() == honest, "{:?}", shown.witnesses());
    log.rederive().await?;
    Ok(())
}

/// A witness that comes and goes, as a line of its own decides by chance: no claim waits for it,
/// and it counts again once it stays.
#[tokio::test(flavor = "multi_thread")]
async fn a_witness_that_comes_and_goes_holds_nobody_up() -> anyhow::Result<()> {
    let mut all = Federation::beside(2, 3, Line::Up, &[]).await?;
    all.node.run()?;
    let log = Log::connect(all.node.ready()).await?;
    let issuer = Actor::new(&[1], 1);
    log.publish(issuer.registration()?, Wait::Witnessed).await?;
    let mut word = 23_u64;
    for number in 1..=40 {
        word = word.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        let line = [Line::Up, Line::Down, Line::Held][(word >> 33) as usize % 3];
        all.set_one(0, line);
        let answer = log.publish(issuer.claim(number), Wait::Witnessed).await?;
        ensure!(
            answer.reached() == Wait::Witnessed,
            "claim {number}: {}",
            all.node.stderr()
        );
    }
    ensure!(failures(&all, "witness0.example").await? > 0.0);
    all.set(Line::Up);
    all.until(|quorum| quorum.witnesses().len() == 6).await?;
    Ok(())
}
