//! Pages as they are made: asked, weighed, written, and kept while the log is as it was.

use super::badge::Form;
use super::frame::{Asked, Frame, HTML, Plain, answer, rendered, send, unwritten};
use super::places::{also, place};
use super::record::Federation;
use super::site::{Site, Unasked};
use super::text::{base, for_shell, shown, shown_within};
use super::vex::Shelf;
use super::view::{self, Answered, Check, View};
use crate::api::peer::Peer;
use crate::api::read::PATH_BYTES;
use crate::held::{Hold, Kind};
use askama::Template;
use assay_claims::purl::Purl;
use assay_client::ask::About;
use assay_client::report::badge::{Badge, Show};
use assay_client::report::words::Stand;
use assay_client::report::{Report, words};
use assay_policy::verdict::Cause;
use axum::{
    Extension,
    extract::{FromRequest, FromRequestParts, Request},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use quick_cache::{Weighter, sync::Cache};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
};

/// Pages that are made at once.
const AT_ONCE: usize = 8;

/// How long one waits for its turn before it is refused.
const TURN: Duration = Duration::from_secs(2);

/// How long a page is good while the log stays as it is. It says how long ago things were.
const KEPT: Duration = Duration::from_secs(60);

/// Memory for pages that were made, in bytes, and about how many there are.
const KEPT_BYTES: u64 = 8 << 20;
const KEPT_PAGES: usize = 512;

/// Badges that are kept: each has a purl of at most some KiB.
const KEPT_BADGES: usize = 1024;

/// Most reasons that are given for a verdict.
const REASONS: usize = 20;

/// Most characters of why something is to be done: of a package, why of three versions.
const WHY: usize = 1_600;

/// Why a site without a policy does not have what follows from one.
pub const NO_POLICY: &str = "This site has no policy, and gives no verdict.";

/// A page or a badge that was made.
struct Kept<T> {
    state: (u64, usize),
    made: Instant,
    what: T,
}

impl<T> Kept<T> {
    fn new(state: (u64, usize), what: T) -> Arc<Self> {
        let made = Instant::now();
        Arc::new(Kept { state, made, what })
    }

    /// Whether it is still good when this is the federation's state.
    fn is_good(&self, state: (u64, usize)) -> bool {
        self.state == state && self.made.elapsed() < KEPT
    }
}

#[derive(Clone)]
struct Weight;

impl Weighter<String, Arc<Kept<Bytes>>> for Weight {
    fn weight(&self, path: &String, kept: &Arc<Kept<Bytes>>) -> u64 {
        (path.len() + kept.what.len() + 128) as u64
    }
}

/// Makes pages.
pub struct Pages {
    pub site: Site,
    /// What is known of the federation.
    pub federation: Federation,
    turns: Arc<Semaphore>,
    kept: Cache<String, Arc<Kept<Bytes>>, Weight>,
    badges: Cache<String, Arc<Kept<Badge>>>,
    /// The archive of the VEX repository.
    pub vex: Shelf,
    /// Where pages are made: a serving thread that did it would serve nobody else meanwhile.
    runtime: Handle,
}

/// A page about one thing.
#[derive(Template)]
#[template(path = "thing.html")]
struct Thing {
    frame: Frame,
    /// The node's own log, whose proofs it has.
    own: String,
    sentence: Option<words::Sentence>,
    why: Option<String>,
    reasons: Vec<String>,
    /// Whether the sentence is that it could not be checked, for which reasons do not speak.
    is_unchecked: bool,
    lacking: Vec<Answered>,
    paragraph: String,
    own_word: bool,
    is_component: bool,
    view: View,
    /// What a browser needs in order to check the page.
    check: Option<Check>,
    /// What to type in order to ask oneself.
    commands: Vec<String>,
    /// Other pages with more of it: where, and what they are.
    also: Vec<(String, &'static str)>,
}

/// What was made.
pub struct Made {
    pub body: Bytes,
    /// Whether every log answered as it must. What could not be checked now may be in a moment, and
    /// is not kept.
    pub is_whole: bool,
}

/// What a handler has of a request whose address is not too long to be read.
pub struct Short(pub Asked);

impl FromRequest<Arc<Pages>> for Short {
    type Rejection = Response;

    async fn from_request(request: Request, pages: &Arc<Pages>) -> Result<Self, Response> {
        let (mut head, body) = request.into_parts();
        let peer = Extension::<Peer>::from_request_parts(&mut head, pages).await;
        let Extension(peer) = peer.map_err(IntoResponse::into_response)?;
        let asked = Asked::of(Request::from_parts(head, body), peer);
        if asked.is_long() {
            return Err(pages.too_long(&asked).await);
        }
        Ok(Short(asked))
    }
}

/// Why a page was not made.
pub enum Unmade {
    Unasked(String),
    Unwritten(askama::Error),
}

impl From<Unasked> for Unmade {
    fn from(error: Unasked) -> Self {
        Unmade::Unasked(error.to_string())
    }
}

impl From<askama::Error> for Unmade {
    fn from(error: askama::Error) -> Self {
        Unmade::Unwritten(error)
    }
}

impl Pages {
    /// Pages of a site. Must be called on the runtime that is to make them.
    pub fn new(site: Site, federation: Federation) -> Self {
        Pages {
            site,
            federation,
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            kept: Cache::with_weighter(KEPT_PAGES, KEPT_BYTES, Weight),
            badges: Cache::new(KEPT_BADGES),
            vex: Shelf::default(),
            runtime: Handle::current(),
        }
    }

    /// Where what takes long is made.
    pub fn runtime(&self) -> &Handle {
        &self.runtime
    }

    pub fn frame(&self, asked: &Asked, title: &str) -> Frame {
        let stated = self.site.stated.as_ref();
        let operator = stated.map(|_| self.site.operator.as_str());
        Frame::new(asked, title, operator)
    }

    /// The page about one thing.
    pub async fn thing(self: &Arc<Self>, asked: &Asked, about: About) -> Response {
        // Ways to write an address do not matter, but for how its links lead back.
        let key = format!("{} {}", base(asked.uri.path()), place(&about));
        let frame = self.frame(asked, "");
        let make = |pages: Arc<Self>| async move { pages.make(frame, about).await };
        self.made(asked, key, HTML, make).await
    }

    /// Sends what a key stands for: what was made of it, if the log is as it was, or what is made
    /// now, in turn.
    pub async fn made<F>(
        self: &Arc<Self>,
        asked: &Asked,
        key: String,
        kind: &'static str,
        make: impl FnOnce(Arc<Self>) -> F,
    ) -> Response
    where
        F: Future<Output = Result<Made, Unmade>> + Send + 'static,
    {
        let state = self.federation.state();
        let kept = || self.kept.get(&key).filter(|kept| kept.is_good(state));
        if let Some(kept) = kept() {
            return send(StatusCode::OK, asked, kind, kept.what.clone()).await;
        }
        let turn = match self.turn(asked).await {
            Ok(turn) => turn,
            Err(status) => return self.busy(asked, status).await,
        };
        // Of many who ask for a page at once, the first made it while the others waited.
        if let Some(kept) = kept() {
            return send(StatusCode::OK, asked, kind, kept.what.clone()).await;
        }
        let (pages, made) = (self.clone(), make(self.clone()));
        // Whoever leaves does not end it; what it takes is counted until it ends.
        let made = self.runtime.spawn(async move {
            let _turn = turn;
            let made = made.await?;
            if made.is_whole {
                pages.kept.insert(key, Kept::new(state, made.body.clone()));
            }
            Ok(made.body)
        });
        match made.await {
            Ok(Ok(body)) => send(StatusCode::OK, asked, kind, body).await,
            Ok(Err(Unmade::Unasked(why))) => self.unasked(asked, &why).await,
            Ok(Err(Unmade::Unwritten(error))) => unwritten(&error),
            Err(_) => {
                self.unasked(asked, "this node failed to make the page")
                    .await
            }
        }
    }

    /// Waits for a turn to make a page, and not for long.
    async fn turn(&self, asked: &Asked) -> Result<(Hold, OwnedSemaphorePermit), StatusCode> {
        let own = asked.peer.account.clone().wait(Kind::Page, 1);
        let own = tokio::time::timeout(TURN, own).await;
        let own = own.map_err(|_| StatusCode::TOO_MANY_REQUESTS)?;
        let turn = tokio::time::timeout(TURN, self.turns.clone().acquire_owned()).await;
        match turn {
            Ok(Ok(turn)) => Ok((own, turn)),
            _ => Err(StatusCode::SERVICE_UNAVAILABLE),
        }
    }

    /// The page of the public record.
    pub async fn record(&self, asked: &Asked) -> Response {
        match self.turn(asked).await {
            Ok(_turn) => {
                let frame = self.frame(asked, "The public record, and how to check it");
                answer(StatusCode::OK, asked, &self.federation.record(frame)).await
            }
            Err(status) => self.busy(asked, status).await,
        }
    }

    /// The badge of a package. Whatever fails is said on it.
    pub async fn badge(
        self: &Arc<Self>,
        asked: &Asked,
        purl: Purl,
        show: Show,
        form: Form,
    ) -> Response {
        let (key, state) = (format!("{show:?} {purl}"), self.federation.state());
        let kept = || self.badges.get(&key).filter(|kept| kept.is_good(state));
        if let Some(kept) = kept() {
            return form.response(asked, &kept.what);
        }
        let Ok(turn) = self.turn(asked).await else {
            return form.response(asked, &Badge::gray("try again"));
        };
        if let Some(kept) = kept() {
            return form.response(asked, &kept.what);
        }
        let pages = self.clone();
        let made = self.runtime.spawn(async move {
            let _turn = turn;
            // No stranger's word is on a badge.
            let about = About::Package(purl);
            let Ok(report) = pages.site.report_of_trusted(about).await else {
                return Badge::gray("not checked");
            };
            let badge = Badge::of(&report, show);
            if report.is_whole() {
                pages.badges.insert(key, Kept::new(state, badge.clone()));
            }
            badge
        });
        let badge = made.await.unwrap_or_else(|_| Badge::gray("not checked"));
        form.response(asked, &badge)
    }

    async fn make(&self, frame: Frame, about: About) -> Result<Made, Unmade> {
        let report = self.site.report(about.clone(), 1).await?;
        let body = rendered(&self.page(frame, &about, &report))?;
        let is_whole = report.is_whole();
        Ok(Made { body, is_whole })
    }

    fn page(&self, mut frame: Frame, about: &About, report: &Report) -> Thing {
        // Bare digits have become what they are.
        let about = report.about.as_ref().unwrap_or(about);
        let sentence = words::sentence(report);
        let why = sentence.as_ref().and_then(|it| it.why.as_deref());
        let why = why.map(|why| shown_within(why, WHY));
        let is_unchecked = sentence
            .as_ref()
            .is_some_and(|it| it.stand == Stand::Unchecked);
        let lacking = view::lacking(report);
        // Which logs are missing stands above already.
        let reasons = words::against(report);
        let reasons = reasons.filter(|it| lacking.is_empty() || it.cause != Cause::Logs);
        let reasons = reasons.take(REASONS).map(|reason| shown(&reason.text));
        let reasons = reasons.filter(|reason| Some(reason) != why.as_ref());
        frame.title = words::name(about);
        frame.asked = about.spelled();
        let view = View::new(report);
        Thing {
            own: self.site.origin(),
            reasons: reasons.collect(),
            is_unchecked,
            why,
            sentence,
            lacking,
            paragraph: view::paragraph(about, report),
            own_word: matches!(about, About::Issuer(_)),
            is_component: matches!(about, About::Package(_) | About::Artifact(_)),
            check: self.check(about, report, &view),
            view,
            commands: self.commands(about),
            also: also(about, report),
            frame,
        }
    }

    /// What a browser checks the page with, if it is about a package and only this node was asked.
    fn check(&self, about: &About, report: &Report, view: &View) -> Option<Check> {
        let (About::Package(purl), [log]) = (about, &report.logs[..]) else {
            return None;
        };
        let mut sections = view.sections.iter().chain(&view.details);
        Some(Check {
            purl: purl.as_str().to_owned(),
            keys: self.site.keys().join(" "),
            size: log.head.as_ref()?.size,
            is_part: view.is_part || sections.any(|section| section.omitted > 0),
        })
    }

    /// What a reader types in order to ask: of this log, by this policy.
    pub fn commands(&self, about: &About) -> Vec<String> {
        let log = self.log_options();
        let whose = match &self.site.stated {
            Some(stated) => format!("--policy {}", for_shell(&stated.name)),
            None => "--everyone".to_owned(),
        };
        let asked = for_shell(&about.spelled());
        let mut commands = vec![format!("assay lookup {asked} {log} {whose}")];
        if let About::Claim(id) = about {
            commands.push(format!("assay receipt {id} {log} --out receipts"));
            commands.push("assay verify receipts".to_owned());
        }
        commands
    }

    /// How a reader names this log to `assay`.
    pub fn log_options(&self) -> String {
        let key = self.site.key().map(|key| key.to_string());
        format!(
            "--log ADDRESS --log-key {}",
            for_shell(&key.unwrap_or_default())
        )
    }

    /// A page that says one thing.
    pub async fn says(
        &self,
        status: StatusCode,
        asked: &Asked,
        title: &str,
        why: &str,
    ) -> Response {
        let page = Plain {
            frame: self.frame(asked, title),
            paragraphs: vec![shown(why)],
            blocks: Vec::new(),
            links: Vec::new(),
        };
        answer(status, asked, &page).await
    }

    pub async fn nothing(&self, asked: &Asked, why: &str) -> Response {
        let title = "There is no such page";
        self.says(StatusCode::NOT_FOUND, asked, title, why).await
    }

    async fn too_long(&self, asked: &Asked) -> Response {
        let why = format!("An address has at most {PATH_BYTES} bytes here.");
        let title = "This address is too long";
        self.says(StatusCode::URI_TOO_LONG, asked, title, &why)
            .await
    }

    pub async fn unasked(&self, asked: &Asked, why: &str) -> Response {
        let title = "This could not be checked fully.";
        let unavailable = StatusCode::SERVICE_UNAVAILABLE;
        self.says(unavailable, asked, title, why).await
    }

    pub async fn busy(&self, asked: &Asked, status: StatusCode) -> Response {
        metrics::counter!("assay_refused_total", "limit" => "pages").increment(1);
        let why = "This node makes as many pages as it can. Try again in a few seconds.";
        self.says(status, asked, "Try again in a moment", why).await
    }
}

#[cfg(test)]
mod tests;
