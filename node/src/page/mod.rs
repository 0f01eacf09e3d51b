//! Pages for people, useful without JavaScript: what is known of a package, an artifact, a
//! vulnerability, an issuer or a claim, and of the public record itself.
//!
//! The client asks and reports, as it does for `assay lookup` and `assay check`; here its words
//! become HTML. Strangers' words are text and never markup or links, and what they can make of a
//! page is bounded in length (`view`), height and direction (`text`). Without `[page] policy`
//! nothing is judged. docs/page.md is for readers and operators.

mod badge;
mod calendar;
mod compare;
mod feed;
mod frame;
mod made;
mod places;
mod record;
mod site;
mod text;
mod vex;
mod view;

pub use record::Federation;
pub use site::{PageError, Site};

use crate::api::peer::Peer;
use crate::config::Config;
use crate::rotation::SharedLogKeys;
use askama::Template;
use assay_claims::kind::is_vulnerability_id;
use assay_claims::purl::Purl;
use assay_client::ask::About;
use assay_client::is_path;
use assay_client::report::badge::{Badge, Show, badge_place};
use axum::{
    Extension, Router,
    extract::{Path, Request, State},
    http::StatusCode,
    response::Response,
    routing::get,
};
use badge::Form;
use bytes::Bytes;
use frame::{Asked, Frame, Plain, answer, fixed};
use made::{NO_POLICY, Pages, Short};
use places::{Choice, named, place};
use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};
use tokio::net::TcpListener;

/// Folder of the heads that the pages have seen, beside the store's files.
const STATE: &str = "page";

const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Returns the routes of a node's pages, none if there are to be none, or if nobody says where they
/// reach the node; and a port on which they ask it, if they cannot on the public one. Must be
/// called on the runtime that is to make them.
pub async fn of_node(
    config: &Config,
    keys: SharedLogKeys,
    address: SocketAddr,
    federation: Federation,
) -> Result<(Router, Option<TcpListener>), PageError> {
    if !config.page.enabled {
        return Ok((Router::new(), None));
    }
    let own = own_port(config, address).await?;
    let at = own.as_ref().map_or(Ok(address), TcpListener::local_addr)?;
    let Some(url) = own_url(config, at) else {
        tracing::warn!("there are no pages: with TLS, page.url says where they reach this node");
        return Ok((Router::new(), None));
    };
    let state = config.storage.path.join(STATE);
    let site = Site::open(&config.page, keys, url, state)?;
    Ok((router(site, federation), own))
}

/// A port where they come from the address of a proxy, whose connections begin with a header. Only
/// this machine reaches it.
async fn own_port(config: &Config, address: SocketAddr) -> io::Result<Option<TcpListener>> {
    let proxies = config.server.proxies();
    let asks = config.page.url.is_none() && config.server.tls.is_none();
    if asks && proxies.passes_on() && proxies.trusts(reached(address).ip()) {
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map(Some)
    } else {
        Ok(None)
    }
}

/// Where the pages reach the node: where it listens, unless something else is said.
fn own_url(config: &Config, address: SocketAddr) -> Option<String> {
    if let Some(url) = &config.page.url {
        return Some(url.clone());
    }
    let is_plain = config.server.tls.is_none();
    is_plain.then(|| format!("http://{}", reached(address)))
}

/// Where this machine reaches itself at an address that is listened on.
fn reached(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

fn router(site: Site, federation: Federation) -> Router {
    let pages = Arc::new(Pages::new(site, federation));
    Router::new()
        .route("/", get(home))
        .route("/p/{*purl}", get(package))
        .route("/i/{id}", get(issuer))
        .route("/c/{id}", get(claim))
        .route("/v/{id}", get(vulnerability))
        .route("/d/{digest}", get(digest))
        .route("/x/{hex}", get(hex))
        .route("/badge/{*purl}", get(badge))
        .route("/calendar", get(calendar::calendar))
        .route("/calendar.ics", get(calendar::calendar_ics))
        .route("/feed.atom", get(feed::feed))
        .route("/compare", get(compare::compare))
        .route(vex::MANIFEST, get(vex::manifest))
        .route(vex::ARCHIVE, get(vex::archive))
        .route("/policy", get(policy))
        .route("/policy.toml", get(policy_file))
        .route("/log", get(log))
        .route("/style.css", get(style))
        .route("/verify.js", get(verifier))
        .route("/check.js", get(checker))
        .with_state(pages)
}

type Shared = State<Arc<Pages>>;
type From = Extension<Peer>;

/// The first page, where things are looked up.
#[derive(Template)]
#[template(path = "home.html")]
struct Home {
    frame: Frame,
    said: Option<String>,
    choices: Vec<Choice>,
}

async fn home(State(pages): Shared, Short(asked): Short) -> Response {
    let mut pairs = asked.query().into_iter();
    let text = pairs.find(|(name, _)| name == "q");
    let text = text.map(|(_, text)| text.trim().to_owned());
    let text = text.filter(|text| !text.is_empty());
    let (said, choices) = match text.as_deref().map(|text| (text, About::parse(text))) {
        None => (None, Vec::new()),
        Some((_, Ok(Some(about)))) => {
            return lead(&pages, &asked, StatusCode::SEE_OTHER, &place(&about)).await;
        }
        Some((_, Err(error))) => (Some(error.to_string()), Vec::new()),
        Some((text, Ok(None))) => (None, named(text)),
    };
    let said = said.or_else(|| {
        let nothing = text.is_some() && choices.is_empty();
        nothing.then(|| "This names no package, file digest, vulnerability or issuer.".to_owned())
    });
    let mut frame = pages.frame(&asked, "What is known about your software?");
    frame.asked = text.unwrap_or_default();
    let home = Home {
        frame,
        said,
        choices,
    };
    answer(StatusCode::OK, &asked, &home).await
}

async fn package(State(pages): Shared, Path(text): Path<String>, Short(asked): Short) -> Response {
    // Qualifiers that a reader did not encode.
    let text = match asked.uri.query() {
        Some(query) if !text.contains('?') => format!("{text}?{query}"),
        _ => text,
    };
    match Purl::canonicalize(&text) {
        Err(error) => pages.nothing(&asked, &error.to_string()).await,
        Ok(purl) => {
            let is_canonical = text == purl.as_str() && asked.uri.query().is_none();
            exactly(&pages, &asked, About::Package(purl), is_canonical).await
        }
    }
}

/// The page about something, if it is asked for as it is spelled; else the way there.
async fn exactly(pages: &Arc<Pages>, asked: &Asked, about: About, is_canonical: bool) -> Response {
    if is_canonical {
        pages.thing(asked, about).await
    } else {
        lead(pages, asked, StatusCode::MOVED_PERMANENTLY, &place(&about)).await
    }
}

/// The way to another page. A name with a part of dots has none: browsers would go anywhere else on
/// this host.
async fn lead(pages: &Arc<Pages>, asked: &Asked, status: StatusCode, to: &str) -> Response {
    if is_path(to) {
        return asked.see(status, to);
    }
    let why = "A name with a part that is only dots has no page here. `assay lookup` takes it.";
    pages.nothing(asked, why).await
}

/// The page about what has a kind and a number of hex digits.
async fn hashed(pages: &Arc<Pages>, asked: &Asked, kind: &str, digits: &str) -> Response {
    match About::parse(&format!("{kind}{digits}")) {
        Ok(Some(about @ (About::Issuer(_) | About::Claim(_) | About::Hex(_)))) => {
            let is_canonical = !digits.bytes().any(|byte| byte.is_ascii_uppercase());
            exactly(pages, asked, about, is_canonical).await
        }
        Ok(_) => pages.nothing(asked, "These are not 64 hex digits.").await,
        Err(error) => pages.nothing(asked, &error.to_string()).await,
    }
}

async fn issuer(State(pages): Shared, Path(id): Path<String>, Short(asked): Short) -> Response {
    hashed(&pages, &asked, "issuer:", &id).await
}

async fn claim(State(pages): Shared, Path(id): Path<String>, Short(asked): Short) -> Response {
    hashed(&pages, &asked, "claim:", &id).await
}

async fn hex(State(pages): Shared, Path(digits): Path<String>, Short(asked): Short) -> Response {
    hashed(&pages, &asked, "", &digits).await
}

async fn vulnerability(
    State(pages): Shared,
    Path(id): Path<String>,
    Short(asked): Short,
) -> Response {
    let text = id.trim();
    let text = text.strip_prefix("vuln:").unwrap_or(text);
    // Nothing is ever said of what cannot be one, and a page that says so would quote anything.
    if !is_vulnerability_id(text) {
        let why = "This is no identifier of a vulnerability, such as CVE-2021-44228.";
        return pages.nothing(&asked, why).await;
    }
    let about = About::vulnerability(text);
    let is_canonical = about == About::Vulnerability(id);
    exactly(&pages, &asked, about, is_canonical).await
}

async fn digest(State(pages): Shared, Path(digest): Path<String>, Short(asked): Short) -> Response {
    match About::parse(&digest) {
        Ok(Some(about @ About::Artifact(_))) => {
            let is_canonical = about.spelled() == digest;
            exactly(&pages, &asked, about, is_canonical).await
        }
        Ok(_) => {
            let why = "This is no digest, such as sha256:….";
            pages.nothing(&asked, why).await
        }
        Err(error) => pages.nothing(&asked, &error.to_string()).await,
    }
}

async fn badge(State(pages): Shared, Path(text): Path<String>, Short(asked): Short) -> Response {
    let forms = [(".svg", Form::Svg), (".json", Form::Json)];
    let mut forms = forms.into_iter();
    let named = forms.find_map(|(end, form)| Some((text.strip_suffix(end)?, end, form)));
    let Some((text, end, form)) = named else {
        let why = "A badge is called as its package, and ends in .svg or .json.";
        return pages.nothing(&asked, why).await;
    };
    let mut pairs = asked.query().into_iter();
    let show = match pairs.find(|(name, _)| name == "show") {
        None => Some(Show::Anything),
        Some((_, name)) => Show::named(&name),
    };
    match (Purl::canonicalize(text), show) {
        (Ok(purl), Some(show)) if purl.as_str() == text => {
            pages.badge(&asked, purl, show, form).await
        }
        (Ok(purl), Some(_)) => {
            let query = asked.uri.query().map(|query| format!("?{query}"));
            let to = format!("{}{end}{}", badge_place(&purl), query.unwrap_or_default());
            lead(&pages, &asked, StatusCode::MOVED_PERMANENTLY, &to).await
        }
        (Err(_), _) => form.response(&asked, &Badge::gray("no such package")),
        (_, None) => form.response(&asked, &Badge::gray("no such fact")),
    }
}

async fn policy(State(pages): Shared, Extension(peer): From, request: Request) -> Response {
    let asked = Asked::of(request, peer);
    let Some(stated) = &pages.site.stated else {
        return pages.nothing(&asked, NO_POLICY).await;
    };
    let operator = &pages.site.operator;
    let page = Plain {
        frame: pages.frame(&asked, "The policy of this site"),
        paragraphs: vec![
            format!("These are the rules of {operator}. They decide what this site says first."),
            "Yours may be others. Whoever uses assay writes a policy of their own.".to_owned(),
        ],
        blocks: vec![stated.text.replace('\r', "").replace('\t', "    ")],
        links: vec![("policy.toml", "The policy as a file")],
    };
    answer(StatusCode::OK, &asked, &page).await
}

async fn policy_file(State(pages): Shared, Extension(peer): From, request: Request) -> Response {
    let asked = Asked::of(request, peer);
    match &pages.site.stated {
        Some(stated) => {
            let text = Bytes::copy_from_slice(stated.text.as_bytes());
            fixed(&asked, "text/plain; charset=utf-8", text)
        }
        None => pages.nothing(&asked, NO_POLICY).await,
    }
}

async fn log(State(pages): Shared, Extension(peer): From, request: Request) -> Response {
    pages.record(&Asked::of(request, peer)).await
}

async fn style(Extension(peer): From, request: Request) -> Response {
    file(peer, request, STYLE, include_bytes!("style.css"))
}

/// The SDK's own module, which a browser checks a page with.
async fn verifier(Extension(peer): From, request: Request) -> Response {
    let module = include_bytes!("../../../sdk/js/verify.js");
    file(peer, request, SCRIPT, module)
}

async fn checker(Extension(peer): From, request: Request) -> Response {
    file(peer, request, SCRIPT, include_bytes!("check.js"))
}

/// A text that is built in.
fn file(peer: Peer, request: Request, kind: &'static str, text: &'static [u8]) -> Response {
    let text = Bytes::from_static(text);
    fixed(&Asked::of(request, peer), kind, text)
}

#[cfg(test)]
mod testing;
