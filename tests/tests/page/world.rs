//! A node with pages, and issuers who say things.

use anyhow::{Context, ensure};
use assay_claims::purl::Purl;
use assay_proto::v1::Wait;
use assay_tests::{issuer::Actor, log::Log, process::Node};
use reqwest::{Response, redirect};
use serde_json::{Value, json};
use std::fs;

/// The file of the policy, as the configuration's example has it.
pub const POLICY: &str = "page.policy.toml";

/// A node, those whom its policy trusts, and somebody else.
pub struct World {
    pub node: Node,
    pub log: Log,
    pub makers: Actor,
    pub auditors: Actor,
    pub stranger: Actor,
    http: reqwest::Client,
}

/// A page that was sent.
pub struct Page {
    pub status: u16,
    pub text: String,
}

impl World {
    /// A node whose pages are weighed by the starting policy, which trusts the makers and the
    /// auditors; `head` stands at its beginning.
    pub async fn new(head: &str) -> anyhow::Result<Self> {
        World::weighed(head, ["our makers", "our auditors"]).await
    }

    /// The same by a policy that has names of its own for the makers and the auditors.
    pub async fn weighed(head: &str, names: [&str; 2]) -> anyhow::Result<Self> {
        let node = Node::init()?;
        let (makers, auditors) = (named("Makers", 1), named("Auditors", 2));
        let anchors = [
            anchor(names[0], &makers, "maintainer"),
            anchor(names[1], &auditors, "auditor"),
        ];
        let policy = format!(
            "{head}\n{}{}",
            assay_policy::rules::STARTING,
            anchors.concat()
        );
        fs::write(node.folder().join(POLICY), policy)?;
        let file = node.folder().join("node.toml");
        let text = fs::read_to_string(&file)?;
        let (policy, operator) = (format!("policy = \"{POLICY}\""), "operator = \"Example");
        ensure!(text.contains(&format!("# {policy}")) && text.contains(&format!("# {operator}")));
        let text = text.replace(&format!("# {policy}"), &policy);
        let text = text.replace(&format!("# {operator}"), operator);
        fs::write(&file, text)?;
        World::of(node, makers, auditors).await
    }

    /// A node without a policy.
    pub async fn unweighed() -> anyhow::Result<Self> {
        World::of(Node::init()?, named("Makers", 1), named("Auditors", 2)).await
    }

    async fn of(mut node: Node, makers: Actor, auditors: Actor) -> anyhow::Result<Self> {
        node.configure("log.publish_interval_ms = 1")?;
        node.run()?;
        let log = Log::connect(node.ready()).await?;
        let http = reqwest::Client::builder().redirect(redirect::Policy::none());
        let world = World {
            node,
            log,
            makers,
            auditors,
            stranger: named("Somebody", 3),
            http: http.build()?,
        };
        for issuer in [&world.makers, &world.auditors, &world.stranger] {
            world.register(issuer).await?;
        }
        Ok(world)
    }

    /// The same, with this line in what the node's configuration says of pages.
    pub async fn with(mut self, line: &str) -> anyhow::Result<Self> {
        self.node.stop()?;
        let file = self.node.folder().join("node.toml");
        let text = fs::read_to_string(&file)?;
        let (before, after) = text.split_once("[page]\n").context("no [page]")?;
        fs::write(&file, format!("{before}[page]\n{line}\n{after}"))?;
        self.node.run()?;
        self.log = Log::connect(self.node.ready()).await?;
        Ok(self)
    }

    /// Registers an issuer.
    pub async fn register(&self, issuer: &Actor) -> anyhow::Result<()> {
        self.log
            .publish(issuer.registration()?, Wait::Integrated)
            .await?;
        Ok(())
    }

    /// An issuer says something of a package. Returns the claim's id.
    pub async fn say(
        &self,
        who: &Actor,
        purl: &str,
        predicate_type: &str,
        predicate: Value,
    ) -> anyhow::Result<String> {
        self.say_of_all(who, &[purl], predicate_type, predicate)
            .await
    }

    /// The same of several packages, in one claim.
    pub async fn say_of_all(
        &self,
        who: &Actor,
        purls: &[&str],
        predicate_type: &str,
        predicate: Value,
    ) -> anyhow::Result<String> {
        let mut subjects = Vec::new();
        for purl in purls {
            let purl = Purl::canonicalize(purl)?;
            let digest = purl.digest().to_hex();
            subjects.push(json!({"uri": purl.as_str(), "digest": {"purl": digest}}));
        }
        self.state(who, subjects.into(), predicate_type, predicate)
            .await
    }

    /// An issuer replies to a claim.
    pub async fn reply(&self, who: &Actor, claim: &str, text: &str) -> anyhow::Result<String> {
        let subject = json!([{"name": "claim", "digest": {"sha256": claim}}]);
        let said = json!({"target": claim, "stance": "dispute", "text": text});
        self.state(who, subject, "urn:assay:response:v1", said)
            .await
    }

    /// An issuer withdraws a claim.
    pub async fn withdraw(&self, who: &Actor, claim: &str) -> anyhow::Result<String> {
        let subject = json!([{"name": "claim", "digest": {"sha256": claim}}]);
        let said = json!({"target": claim, "reason": "It was wrong."});
        self.state(who, subject, "urn:assay:withdrawal:v1", said)
            .await
    }

    /// An issuer vouches that another has a role.
    pub async fn vouch(&self, who: &Actor, whom: &Actor, role: &str) -> anyhow::Result<String> {
        let id = whom.id.to_string();
        let subject = json!([{"name": "issuer", "digest": {"sha256": id}}]);
        let said = json!({
            "issuer": id,
            "role": role,
            "scope": ["pkg:*"],
            "validUntil": "2090-01-01T00:00:00Z",
        });
        self.state(who, subject, "urn:assay:endorsement:v1", said)
            .await
    }

    async fn state(
        &self,
        who: &Actor,
        subjects: Value,
        predicate_type: &str,
        predicate: Value,
    ) -> anyhow::Result<String> {
        let statement = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": subjects,
            "predicateType": predicate_type,
            "predicate": predicate,
        });
        let claim = who.sign(statement.to_string().as_bytes());
        let answer = self.log.publish(claim, Wait::Integrated).await?;
        let (id, _, _) = assay_tests::log::stated(&answer)?;
        Ok(id.to_string())
    }

    /// Somebody says until when it is supported.
    pub async fn supported(&self, who: &Actor, purl: &str, until: &str) -> anyhow::Result<String> {
        let dates = json!({
            "end_of_security_support": until,
            "end_of_life": until,
            "last_updated": "2019-01-01T00:00:00Z",
        });
        self.say(who, purl, "urn:assay:lifecycle:v1", dates).await
    }

    /// Somebody says that a vulnerability can be exploited.
    pub async fn affected(&self, who: &Actor, purl: &str) -> anyhow::Result<String> {
        self.affected_by(who, purl, &["CVE-2026-0001"]).await
    }

    /// The same of several vulnerabilities, in one claim.
    pub async fn affected_by(
        &self,
        who: &Actor,
        purl: &str,
        vulnerabilities: &[&str],
    ) -> anyhow::Result<String> {
        let statements = vulnerabilities.iter().map(|name| {
            json!({
                "vulnerability": {"name": name},
                "status": "affected",
                "action_statement": "Update.",
            })
        });
        let vex = json!({
            "@context": "https://openvex.dev/ns/v0.2.0",
            "@id": "https://example.org/vex",
            "author": who.record.name,
            "version": 1,
            "timestamp": "2026-01-01T00:00:00Z",
            "statements": statements.collect::<Vec<_>>(),
        });
        self.say(who, purl, "https://openvex.dev/ns/v0.2.0", vex)
            .await
    }

    /// Somebody reviewed it.
    pub async fn reviewed(&self, who: &Actor, purl: &str) -> anyhow::Result<String> {
        let audit = json!({"criteria": ["safe-to-run"], "verdict": "pass", "scope": "version"});
        self.say(who, purl, "urn:assay:audit:v1", audit).await
    }

    /// Somebody says how it was built, which the starting policy demands.
    pub async fn built(&self, who: &Actor, purl: &str) -> anyhow::Result<String> {
        let provenance = json!({
            "buildDefinition": {
                "buildType": "https://example.org/build",
                "externalParameters": {"tag": "v1"},
            },
            "runDetails": {"builder": {"id": "https://example.org/builder"}},
        });
        self.say(who, purl, "https://slsa.dev/provenance/v1", provenance)
            .await
    }

    pub async fn get(&self, path: &str) -> anyhow::Result<Response> {
        let url = format!("{}{path}", self.node.ready().url);
        Ok(self.http.get(url).send().await?)
    }

    /// A page, which must be HTML, with nothing that runs in it, whoever is quoted on it.
    pub async fn page(&self, path: &str) -> anyhow::Result<Page> {
        let response = self.get(path).await?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let text = response.text().await?;
        assert_eq!(
            headers["content-type"], "text/html; charset=utf-8",
            "{path}: {text}"
        );
        let policy = headers["content-security-policy"].to_str()?;
        for part in [
            "default-src 'none'",
            "script-src 'self';",
            "connect-src 'self';",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(
            !policy.contains("unsafe") && !policy.contains('*'),
            "{policy}"
        );
        assert_eq!(headers["referrer-policy"], "no-referrer");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        for own in ["cross-origin-opener-policy", "cross-origin-resource-policy"] {
            assert_eq!(headers[own], "same-origin", "{path}");
        }
        harmless(path, &text);
        Ok(Page { status, text })
    }
}

impl Page {
    /// The block of the sentence, as it is written; empty if there is none.
    pub fn sentence(&self) -> &str {
        let start = self.text.find("<section class=\"sentence ");
        let block = start.and_then(|start| self.text.get(start..));
        block
            .and_then(|block| block.split("</section>").next())
            .unwrap_or_default()
    }

    /// The section under a heading that begins so.
    pub fn section(&self, heading: &str) -> anyhow::Result<&str> {
        let at = self.text.find(&format!("<h2>{heading}"));
        let at = at.with_context(|| format!("no section {heading}: {}", self.text))?;
        let section = self.text.get(at..).unwrap_or_default();
        Ok(section.split("</section>").next().unwrap_or_default())
    }
}

/// Everything that could be more than text: elements that load or run something, attributes with
/// handlers, and links out of the site.
fn harmless(path: &str, text: &str) {
    let lower = unscripted(&text.to_lowercase());
    for element in [
        "<script", "<img", "<iframe", "<svg", "<style", "<object", "<embed", "<base",
    ] {
        assert!(!lower.contains(element), "{path}: {element}");
    }
    for tag in lower.split('<').skip(1) {
        let tag = tag.split('>').next().unwrap_or_default();
        // What stands in quotation marks is a value.
        let names: String = tag.split('"').step_by(2).collect();
        assert!(!names.contains(" on"), "{path}: <{tag}>");
        assert!(!names.contains(" style="), "{path}: <{tag}>");
        for link in tag
            .split("href=\"")
            .skip(1)
            .chain(tag.split("action=\"").skip(1))
        {
            let link = link.split('"').next().unwrap_or_default();
            let scheme = link.split('/').next().unwrap_or_default();
            let is_own = !scheme.contains(':') || link == "data:,";
            assert!(is_own && !link.starts_with("//"), "{path}: {link}");
        }
    }
    for unseen in ['\u{202e}', '\u{200b}', '\u{7}'] {
        assert!(!text.contains(unseen), "{path}: {unseen:?}");
    }
    // What a policy says of itself is its own.
    let said = match path {
        "/policy" => String::new(),
        _ => lower.replace("safe-to-run", ""),
    };
    for word in ["safe", "secure ", "trusted publisher", "score", "grade"] {
        assert!(!said.contains(word), "{path}: {word}");
    }
}

/// A page without its one script, which is the node's own file.
fn unscripted(page: &str) -> String {
    let start = "<script type=\"module\" src=\"";
    let Some((before, rest)) = page.split_once(start) else {
        return page.to_owned();
    };
    let own = rest.trim_start_matches("../");
    let after = own.strip_prefix("check.js\"></script>");
    format!("{before}{}", after.expect("another script"))
}

/// What data something handles, and where problems are reported.
pub fn practice(summary: &str, collects: &[&str]) -> Value {
    json!({
        "data": {"summary": summary, "collects": collects, "sendsTo": []},
        "securityInsights": {
            "schemaVersion": "2.0.0",
            "url": "https://example.org/insights.yml",
            "lastUpdated": "2026-01-01",
            "lastReviewed": "2026-01-01",
            "digest": {"sha256": "ab".repeat(32)},
            "reportsAccepted": true,
            "securityPolicy": "https://example.org/report",
        },
    })
}

/// An issuer with one key, who calls itself something.
pub fn named(name: &str, key: u8) -> Actor {
    let mut actor = Actor::new(&[key], 1);
    actor.record.name = name.to_owned();
    actor
}

fn anchor(name: &str, issuer: &Actor, role: &str) -> String {
    format!(
        "\n[[anchor]]\nname = {name:?}\nissuer = \"{}\"\nroles = [{role:?}]\nscopes = \
         [\"pkg:*\"]\nmay_delegate = 0\n",
        issuer.id
    )
}
