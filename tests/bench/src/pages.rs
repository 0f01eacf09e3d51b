//! What pages for people cost a node, and what their checks cost a browser.

use crate::{
    load::{publish_claims, publish_stream, spread},
    material::Material,
    observed::{UNLIMITED, median, published_size},
    report::Report,
};
use anyhow::{Context, ensure};
use assay_tests::{
    aics::run,
    js::{require_browser, require_node},
    npm::require_npm,
    process::{Node, poll},
};
use axum::body::{Body, to_bytes};
use http::{Request, header};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};
use tokio::net::TcpStream;

/// Claims of the log, each about a package of its own.
pub const CLAIMS: u64 = 20_000;

/// Callers, each with a connection, one page after the other.
const CALLERS: usize = 64;

/// Those who ask for pages that nobody asked for yet: as many as a node makes for one network.
const MAKING: usize = 4;

/// Pages that are asked for in turn. A node keeps as many.
const KEPT: u64 = 200;

/// How long each side is asked.
const LASTING: Duration = Duration::from_secs(3);

/// Claims of somebody whom nobody trusts, about the first package.
const SPAM: u64 = 500;

/// Packages of one check in a browser.
const CHECKED: u64 = 500;

/// What a page about a package loads.
const LOADED: [&str; 3] = ["/style.css", "/check.js", "/verify.js"];

/// A file of the server's that a page is compared with: the smallest, so that the ratio is strict.
const FILE: &str = "/style.css";

/// Longest body that is read.
const BODY_BYTES: usize = 1 << 20;

/// A page's rate by that of a file, what callers wait, how large it is, and what a browser takes.
pub fn bench(material: &Material, claims: u64, report: &mut Report) -> anyhow::Result<()> {
    eprintln!("showing pages…");
    let claims = claims.min(CLAIMS);
    let node = shown(material, claims)?;
    let url = &node.ready().url;
    serving(url, report)?;
    making(url, claims, report)?;
    size(url, report)?;
    checking(material, &node, report)
}

/// A node whose pages are weighed by a policy that trusts everybody but the spammer. All that is
/// published is in its head.
fn shown(material: &Material, claims: u64) -> anyhow::Result<Node> {
    let mut node = Node::init()?;
    node.configure(UNLIMITED)?;
    let file = node.folder().join("node.toml");
    let (text, policy) = (fs::read_to_string(&file)?, "policy = \"page.policy.toml\"");
    let commented = format!("# {policy}");
    ensure!(
        text.contains(&commented),
        "the configuration has no policy of pages"
    );
    fs::write(&file, text.replace(&commented, policy))?;
    fs::write(node.folder().join("page.policy.toml"), material.policy())?;
    node.run()?;
    let runtime = tokio::runtime::Runtime::new()?;
    let url = &node.ready().url;
    runtime.block_on(material.register(url))?;
    publish_stream(url, material, 0..claims)?;
    let spam = material.spam(1, SPAM)?;
    // Whoever speaks is registered before.
    runtime.block_on(publish_claims(url, &spam[..1]))?;
    runtime.block_on(publish_claims(url, &spam[1..]))?;
    let least = claims + SPAM;
    poll(|| Ok((runtime.block_on(published_size(url))? > least).then_some(())))?;
    // A head after the last one would make every page be made again.
    node.stop()?;
    node.run()?;
    Ok(node)
}

fn place(number: u64) -> String {
    format!("/p/pkg:cargo/bench-{number}@1.0.0")
}

/// Pages that the node has made, by turns with a file.
fn serving(url: &str, report: &mut Report) -> anyhow::Result<()> {
    let places: Vec<String> = (1..=KEPT).map(place).collect();
    let file = [FILE.to_owned()];
    // Each is made once, and neither side is measured cold.
    each(url, &places)?;
    let (mut pages, mut files, mut times) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..3 {
        let (rate, waited) = asking(url, &places)?;
        pages.push(rate);
        times.extend(waited);
        files.push(asking(url, &file)?.0);
    }
    times.sort_by(f64::total_cmp);
    let part = |percent: usize| times.get(times.len() * percent / 100).copied();
    let (p50, p99) = (part(50).unwrap_or(0.0), part(99).unwrap_or(0.0));
    let (pages, files) = (median(pages), median(files));
    let detail = format!("{pages:.0} pages/s that were made before; {files:.0} of {FILE}");
    report.ratio("page", pages / files, 0.3, detail);
    let detail = format!("ms, {CALLERS} callers; p50 {p50:.1}");
    report.less("page_p99_ms", p99, 50.0, detail);
    Ok(())
}

/// Pages that nobody asked for yet.
fn making(url: &str, claims: u64, report: &mut Report) -> anyhow::Result<()> {
    let started = Instant::now();
    let made = spread((0..MAKING as u64).collect(), async |caller: u64| {
        let mut caller = Caller::connect(url, KEPT + 1 + caller).await?;
        let mut made = 0_u64;
        while caller.next < claims && started.elapsed() < LASTING {
            caller.get(&place(caller.next)).await?;
            caller.next += MAKING as u64;
            made += 1;
        }
        Ok(made)
    })?;
    let made: u64 = made.into_iter().sum();
    let rate = made as f64 / started.elapsed().as_secs_f64();
    let each = format!("{rate:.0}/s by {MAKING} callers, {made} in all");
    report.note("pages that nobody asked for before", each);
    Ok(())
}

/// The largest page with all that it loads.
fn size(url: &str, report: &mut Report) -> anyhow::Result<()> {
    // The first package is the one that the spammer speaks of.
    let pages = each(url, &[place(0), place(1)])?;
    let loaded: usize = each(url, &LOADED.map(str::to_owned))?.iter().sum();
    let page = pages.iter().max().copied().unwrap_or_default();
    let kib = |bytes: usize| bytes as f64 / 1024.0;
    let detail = format!(
        "KiB; the page {:.1}, style and scripts {:.1}; {SPAM} claims of a stranger",
        kib(page),
        kib(loaded)
    );
    report.less("page_kib", kib(page + loaded), 80.0, detail);
    Ok(())
}

/// What the SDK takes for answers about one package and about many, in a browser if there is one.
fn checking(material: &Material, node: &Node, report: &mut Report) -> anyhow::Result<()> {
    #[derive(Deserialize)]
    struct Taken {
        engine: String,
        one: f64,
        many: f64,
    }
    let what = "the speed of the JavaScript SDK";
    let Some(program) = require_node(what) else {
        return Ok(());
    };
    let browser = require_browser(what).and_then(|it| Some((it, require_npm(what)?)));
    let (browser, packages) = browser.unwrap_or((PathBuf::from("-"), node.folder()));
    let purls: Vec<String> = (1..=CHECKED)
        .map(|number| format!("pkg:cargo/bench-{number}@1.0.0"))
        .collect();
    let question = node.folder().join("question.json");
    let asked = json!({
        "url": node.ready().url,
        "key": node.ready().vkey,
        "issuers": material.issuer_ids(),
        "purls": purls,
    });
    fs::write(&question, asked.to_string())?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../interop/sdk/speed.mjs");
    let mut command = Command::new(program);
    command
        .arg(script)
        .arg(browser)
        .arg(&question)
        .current_dir(packages);
    let Taken { engine, one, many } = serde_json::from_str(&run(&mut command)?)?;
    let issuers = material.issuer_ids().len();
    let detail = format!("ms, {engine}, one package, {issuers} issuers, asked and verified");
    report.less("browser_one_ms", one, 100.0, detail);
    let detail = format!("ms, {engine}, {CHECKED} packages, {issuers} issuers");
    report.less("browser_500_ms", many, 1000.0, detail);
    Ok(())
}

/// Asks for each of some places once. Returns the bytes of each.
fn each(url: &str, places: &[String]) -> anyhow::Result<Vec<usize>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut caller = Caller::connect(url, 0).await?;
        let mut bytes = Vec::with_capacity(places.len());
        for place in places {
            bytes.push(caller.get(place).await?);
        }
        Ok(bytes)
    })
}

/// Asks for places in turn, by all callers. Returns answers a second, and what each took in
/// milliseconds.
fn asking(url: &str, places: &[String]) -> anyhow::Result<(f64, Vec<f64>)> {
    let started = Instant::now();
    let times = spread((0..CALLERS as u64).collect(), async |caller: u64| {
        let mut caller = Caller::connect(url, caller * 7).await?;
        let mut times = Vec::new();
        while started.elapsed() < LASTING {
            let place = places
                .get(caller.next as usize % places.len())
                .context("nothing to ask")?;
            caller.next += 1;
            let asked = Instant::now();
            caller.get(place).await?;
            times.push(asked.elapsed().as_secs_f64() * 1e3);
        }
        Ok(times)
    })?;
    let seconds = started.elapsed().as_secs_f64();
    let times = times.concat();
    Ok((times.len() as f64 / seconds, times))
}

/// One connection over HTTP/1.1, as a browser's without TLS is.
struct Caller {
    send: http1::SendRequest<Body>,
    host: String,
    next: u64,
}

impl Caller {
    async fn connect(url: &str, next: u64) -> anyhow::Result<Self> {
        let host = url.strip_prefix("http://").context("no address")?;
        let stream = TcpStream::connect(host).await?;
        stream.set_nodelay(true)?;
        let (send, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Caller {
            send,
            host: host.to_owned(),
            next,
        })
    }

    /// Asks for a place, which must be there. Returns the bytes of the answer.
    async fn get(&mut self, place: &str) -> anyhow::Result<usize> {
        self.send.ready().await?;
        let request = Request::get(place)
            .header(header::HOST, &self.host)
            .body(Body::empty())?;
        let response = self.send.send_request(request).await?;
        let status = response.status();
        ensure!(status == 200, "{place}: {status}");
        let body = to_bytes(Body::new(response.into_body()), BODY_BYTES).await?;
        Ok(body.len())
    }
}
