//! Feeds of what is newest (Atom, RFC 4287): of what those say of a package whom the site trusts,
//! and of what an issuer signed.
//!
//! What strangers wrote is text in them, never markup or a link. Identifiers follow from the log
//! and the leaf, so that an entry is known again wherever the site is reached. A feed follows from
//! the claims alone, and not from the time at which it is made.

use super::frame::Asked;
use super::made::{Made, NO_POLICY, Pages, Short, Unmade};
use super::places::{feed as place, place as page};
use super::text::{seen, shown};
use assay_claims::purl::Purl;
use assay_client::ask::About;
use assay_client::percent_encoded;
use assay_client::report::{Line, Report, words};
use axum::{extract::State, http::StatusCode, response::Response};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

const ATOM: &str = "application/atom+xml; charset=utf-8";

/// What names of feeds and of entries begin with.
const FEED: &str = "urn:assay:feed";
const ENTRY: &str = "urn:assay:leaf";

/// Most entries: as many as are found of what an issuer signed, and some more of a package.
const ENTRIES: usize = 50;

/// Most things that an entry says: one claim may speak of a thousand vulnerabilities.
const SAID: usize = 20;

/// When a feed was last changed that has no entry: it must say when.
const NEVER: &str = "1970-01-01T00:00:00Z";

/// The feed of what a question names: `?purl=PURL`, or `?issuer=ID`.
pub async fn feed(State(pages): State<Arc<Pages>>, Short(asked): Short) -> Response {
    let about = match wanted(&asked) {
        Err(why) => return pages.nothing(&asked, &why).await,
        Ok(about) => about,
    };
    let place = place(&about).unwrap_or_default();
    let query = asked.uri.query().unwrap_or_default();
    if place != format!("feed.atom?{query}") {
        return asked.see(StatusCode::MOVED_PERMANENTLY, &place);
    }
    // Of an issuer it is what it signed itself, whoever trusts it.
    if pages.site.stated.is_none() && matches!(about, About::Package(_)) {
        return pages.nothing(&asked, NO_POLICY).await;
    }
    let key = place.clone();
    let made = pages.made(&asked, key, ATOM, |pages| async move {
        let report = pages.site.report_of_trusted(about.clone()).await?;
        if !report.is_whole() {
            let why = "a log did not answer in full; the page says which";
            return Err(Unmade::Unasked(why.to_owned()));
        }
        let site = Site {
            origin: &pages.site.origin(),
            operator: &pages.site.operator,
            address: pages.site.address.as_deref().unwrap_or_default(),
        };
        Ok(Made {
            body: document(&report, &about, &place, &site).into(),
            is_whole: true,
        })
    });
    made.await
}

/// What a question asks about. Fails with what to ask instead.
fn wanted(asked: &Asked) -> Result<About, String> {
    let pairs = asked.query();
    let how = "A feed is of a package or an issuer: feed.atom?purl=pkg:cargo/serde, for example, \
        or feed.atom?issuer= and its id.";
    let [(name, text)] = &pairs[..] else {
        return Err(how.to_owned());
    };
    match &name[..] {
        "purl" => {
            let purl = Purl::canonicalize(text).map_err(|error| error.to_string())?;
            Ok(About::Package(purl))
        }
        "issuer" => match About::parse(&format!("issuer:{text}")) {
            Ok(Some(about @ About::Issuer(_))) => Ok(about),
            Ok(_) => Err("These are not 64 hex digits.".to_owned()),
            Err(error) => Err(error.to_string()),
        },
        _ => Err(how.to_owned()),
    }
}

/// Whose feed it is, and where.
struct Site<'s> {
    /// The node's own log.
    origin: &'s str,
    /// Whose pages they are.
    operator: &'s str,
    /// Where they are, with a slash at its end; nothing if nobody said so, and then links are as of
    /// the feed.
    address: &'s str,
}

/// Where a claim stands, in the order of a feed: the newest first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Leaf<'r> {
    logged_at_ms: Reverse<u64>,
    log: &'r str,
    index: Reverse<u64>,
}

/// Writes a feed, which is at `place`. It has no character that XML has not (section 2.2 of XML
/// 1.0): those are among what cannot be seen.
fn document(report: &Report, about: &About, place: &str, site: &Site<'_>) -> String {
    // A claim can be shown in several lines.
    let mut entries: BTreeMap<Leaf<'_>, Vec<&Line>> = BTreeMap::new();
    let lines: Vec<&Line> = match &report.signed {
        Some(signed) => signed.newest.iter().collect(),
        None => report.lines().collect(),
    };
    for line in lines {
        let leaf = Leaf {
            logged_at_ms: Reverse(line.logged_at_ms),
            log: &line.log,
            index: Reverse(line.leaf_index),
        };
        entries.entry(leaf).or_default().push(line);
    }
    let newest = entries.values().flatten().next();
    let title = match about {
        About::Issuer(_) => format!("What {} signed", words::name(about)),
        _ => format!("What is said of {}", words::name(about)),
    };
    let mut xml = Xml::default();
    xml.0
        .push_str("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
    xml.0
        .push_str("<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"en\">\n");
    let spelled = about.spelled();
    xml.text("id", &urn(FEED, [site.origin, &spelled]));
    xml.text("title", &title);
    xml.text(
        "updated",
        newest.map_or(NEVER, |line| line.logged_at.as_str()),
    );
    xml.author(site.operator);
    xml.link("self", ATOM, &format!("{}{place}", site.address));
    xml.link(
        "alternate",
        HTML,
        &format!("{}{}", site.address, page(about)),
    );
    for lines in entries.values().take(ENTRIES) {
        xml.entry(lines, site);
    }
    xml.0.push_str("</feed>\n");
    seen(&xml.0)
}

const HTML: &str = "text/html";

/// The name of a feed, or of an entry, of two parts that may have anything in them.
fn urn(of: &str, [first, second]: [&str; 2]) -> String {
    let [first, second] = [first, second].map(|part| percent_encoded(part, b""));
    format!("{of}:{first}:{second}")
}

/// XML that is being written.
#[derive(Default)]
struct Xml(String);

impl Xml {
    /// An element with a text.
    fn text(&mut self, name: &str, text: &str) {
        let _ = writeln!(self.0, "<{name}>{}</{name}>", escaped(text));
    }

    fn author(&mut self, name: &str) {
        let _ = writeln!(self.0, "<author><name>{}</name></author>", escaped(name));
    }

    fn link(&mut self, rel: &str, kind: &str, to: &str) {
        let (kind, to) = (escaped(kind), escaped(to));
        let _ = writeln!(
            self.0,
            "<link rel=\"{rel}\" type=\"{kind}\" href=\"{to}\"/>"
        );
    }

    /// What is said in one claim.
    fn entry(&mut self, lines: &[&Line], site: &Site<'_>) {
        let Some(first) = lines.first() else {
            return;
        };
        self.0.push_str("<entry>\n");
        let leaf = first.leaf_index.to_string();
        self.text("id", &urn(ENTRY, [&first.log, &leaf]));
        self.text("title", &shown(&format!("{}: {}", first.about, first.says)));
        self.text("updated", &first.logged_at);
        self.text("published", &first.logged_at);
        for voice in &first.issuers {
            // What an issuer calls itself proves nothing.
            self.author(voice.called.as_ref().unwrap_or(&voice.issuer_id));
        }
        let to = format!("{}c/{}", site.address, first.claim_id);
        self.link("alternate", HTML, &to);
        self.text("content", &said(lines));
        self.0.push_str("</entry>\n");
    }
}

/// All that a claim says, what it is worth, and where it stands: a line each.
fn said(lines: &[&Line]) -> String {
    let mut said: Vec<String> = Vec::new();
    for line in lines.iter().take(SAID) {
        let mut text = line.says.clone();
        if let Some(why) = &line.why_not {
            let worth = if line.effect { "in part" } else { "no" };
            text.push_str(&format!(" ({worth} effect: {why})"));
        }
        let text = shown(&text);
        if !said.contains(&text) {
            said.push(text);
        }
    }
    if lines.len() > SAID {
        said.push(format!("and {} more", lines.len() - SAID));
    }
    if let Some(first) = lines.first() {
        let (claim, leaf, log) = (&first.claim_id, first.leaf_index, &first.log);
        said.push(format!("Claim {claim}, leaf {leaf} of {log}."));
    }
    said.join("\n")
}

/// A text as XML 1.0 has it: nothing in it is markup.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::super::testing::line;
    use super::*;

    #[test]
    fn a_text_is_no_markup() {
        assert_eq!(
            escaped("a<b x=\"'\">&amp;"),
            "a&lt;b x=&quot;&apos;&quot;&gt;&amp;amp;"
        );
        let mut xml = Xml::default();
        xml.text("title", "<b>&");
        xml.author("</name>");
        xml.link("self", ATOM, "a?b=\"c\"&d");
        assert_eq!(
            xml.0,
            "<title>&lt;b&gt;&amp;</title>\n\
             <author><name>&lt;/name&gt;</name></author>\n\
             <link rel=\"self\" type=\"application/atom+xml; charset=utf-8\" \
             href=\"a?b=&quot;c&quot;&amp;d\"/>\n"
        );
        assert_eq!(urn(ENTRY, ["a/b:c", "7"]), "urn:assay:leaf:a%2Fb%3Ac:7");
    }

    /// Whoever writes line ends, or very much, makes no lines of the node's own.
    #[test]
    fn what_is_said_is_a_line_each_and_once() {
        let long = "x".repeat(1000);
        let lines = ["a\nClaim 00", "b", "b", &long].map(|says| line(says, Vec::new()));
        let told = said(&lines.iter().collect::<Vec<_>>());
        let told: Vec<&str> = told.lines().collect();
        let own = format!("Claim {}, leaf 7 of log.example.", "ab".repeat(32));
        assert_eq!((told[0], told[1]), (r"a\nClaim 00", "b"));
        assert!(
            told[2].starts_with("xxx") && told[2].len() < 500,
            "{}",
            told[2]
        );
        assert_eq!(told[3..], [own]);
    }
}
