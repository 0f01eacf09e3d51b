//! grype and Trivy with what `assay export vex` writes: they lose the findings that those cleared
//! whose word clears under the policy, and no other.

use super::Row;
use super::known::{Differs, KNOWN};
use super::scanners::{Found, Kind};
use crate::world::World;
use anyhow::{Context, ensure};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

/// The product of the first SBOM.
const APP: &str = "pkg:generic/app@1";

/// Another product.
const OTHER: &str = "pkg:generic/other@1";

/// The product of the second SBOM, which is a package itself.
pub(super) const OWN: &str = "pkg:cargo/own@1.0.0";

/// What somebody says of a vulnerability in a component.
#[derive(Debug, Clone, Copy)]
enum Word {
    NotAffected(&'static str),
    Fixed(&'static str),
    Affected(&'static str),
    Asks(&'static str),
    /// Of the component as a part of a product alone.
    Within(&'static str, &'static str),
    /// That it harms there.
    Harms(&'static str, &'static str),
    /// That it is not affected, and takes it back.
    Withdrawn(&'static str),
}

use Word::{Affected, Asks, Fixed, Harms, NotAffected, Withdrawn, Within};

/// A vulnerability of a component.
struct Case {
    purl: &'static str,
    /// The end of its names; the second half of the cases has no CVE.
    number: u16,
    has_cve: bool,
    words: &'static [Word],
    /// Whether a scanner may lose it.
    cleared: bool,
}

const fn case(purl: &'static str, number: u16, words: &'static [Word], cleared: bool) -> Case {
    Case {
        purl,
        number,
        has_cve: number < 500,
        words,
        cleared,
    }
}

pub(super) const GOOD: &str = "pkg:cargo/good@1.0.0";
pub(super) const PART: &str = "pkg:cargo/part@1.0.0";
const TORN: &str = "pkg:cargo/torn@1.0.0";
const BUILT: &str = "pkg:cargo/built@1.0.0%2Bb.1";
const SCOPED: &str = "pkg:npm/%40scope/good@1.0.0";
const PYTHON: &str = "pkg:pypi/foo-bar@1.0.post1";
const MODULE: &str = "pkg:golang/example.com/mod@v1.0.0";
pub(super) const TWIN: &str = "pkg:cargo/twin@1.0.0";
pub(super) const PRIVATE: &str = "pkg:cargo/twin@1.0.0?repository_url=https:%2F%2Fcrates.example";
const WHOLE: &str = "pkg:golang/example.com/whole@v1.0.0";
const BELOW: &str = "pkg:golang/example.com/whole@v1.0.0#below";

pub(super) const INNER: &str = "pkg:cargo/inner@1.0.0";
const OUTER: &str = "pkg:cargo/outer@1.0.0";

/// Components of a product that scanners know nothing about.
const OF_APP: &[Case] = &[
    case(GOOD, 1, &[NotAffected("makers")], true),
    case(GOOD, 2, &[NotAffected("stranger")], false),
    case(GOOD, 3, &[Withdrawn("makers")], false),
    case(GOOD, 4, &[], false),
    case(GOOD, 5, &[Asks("makers")], false),
    case(
        TORN,
        6,
        &[NotAffected("makers"), Affected("auditors")],
        false,
    ),
    case(
        TORN,
        7,
        &[NotAffected("makers"), NotAffected("auditors")],
        true,
    ),
    case(
        TORN,
        8,
        &[NotAffected("makers"), Affected("stranger")],
        true,
    ),
    // The same vulnerability, which harms one and not the other.
    case(TORN, 1, &[Affected("makers")], false),
    case(PART, 9, &[Within("makers", APP)], true),
    case(PART, 10, &[Within("makers", OTHER)], false),
    case(PART, 11, &[Within("stranger", APP)], false),
    case(PART, 12, &[Fixed("auditors")], true),
    case(
        PART,
        22,
        &[NotAffected("auditors"), Harms("makers", APP)],
        false,
    ),
    case(BUILT, 13, &[NotAffected("makers")], true),
    case(SCOPED, 14, &[NotAffected("makers")], true),
    case(SCOPED, 15, &[NotAffected("stranger")], false),
    case(PYTHON, 16, &[Fixed("makers")], true),
    case(PYTHON, 17, &[Fixed("stranger")], false),
    case(MODULE, 18, &[NotAffected("makers")], true),
    case(MODULE, 19, &[NotAffected("stranger")], false),
    // What is said of one of two that readers take for one is not handed on.
    case(TWIN, 20, &[NotAffected("makers")], false),
    case(PRIVATE, 20, &[], false),
    case(WHOLE, 21, &[], false),
    case(BELOW, 21, &[NotAffected("makers")], false),
    case(GOOD, 501, &[NotAffected("makers")], true),
    case(PART, 502, &[Fixed("auditors")], true),
    case(PART, 503, &[NotAffected("stranger")], false),
];

/// Components that need each other, of a product that is a package, too.
const OF_OWN: &[Case] = &[
    case(OWN, 31, &[], false),
    case(INNER, 31, &[Within("makers", OWN)], true),
    case(OUTER, 32, &[NotAffected("makers")], true),
    case(INNER, 32, &[], false),
    case(OWN, 33, &[NotAffected("makers")], true),
    case(INNER, 33, &[], false),
    case(INNER, 34, &[NotAffected("makers")], true),
];

/// An SBOM.
pub(super) struct Bom {
    pub(super) name: &'static str,
    product: &'static str,
    cases: &'static [Case],
    /// What needs what.
    edges: &'static [(&'static str, &'static str)],
}

pub(super) static BOMS: [Bom; 2] = [
    Bom {
        name: "app.cdx.json",
        product: APP,
        cases: OF_APP,
        edges: &[],
    },
    Bom {
        name: "own.cdx.json",
        product: OWN,
        cases: OF_OWN,
        edges: &[(OWN, OUTER), (OUTER, INNER)],
    },
];

/// All cases.
fn cases() -> impl Iterator<Item = &'static Case> {
    BOMS.iter().flat_map(|bom| bom.cases)
}

impl Case {
    fn id(&self) -> String {
        format!("GHSA-xxxx-xxxx-x{:03}", self.number)
    }

    fn cve(&self) -> Option<String> {
        self.has_cve
            .then(|| format!("CVE-2026-1{:03}", self.number))
    }

    /// The package, as OSV has it.
    fn package(&self) -> Value {
        let path = self.purl.split(['@', '?', '#']).next().unwrap_or_default();
        let path = path.replace("%40", "@");
        let (ecosystem, name) = match path.trim_start_matches("pkg:").split_once('/') {
            Some(("cargo", name)) => ("crates.io", name),
            Some(("npm", name)) => ("npm", name),
            Some(("pypi", name)) => ("PyPI", name),
            Some((_, name)) => ("Go", name),
            None => ("", ""),
        };
        json!({"ecosystem": ecosystem, "name": name})
    }
}

/// What somebody says, as OpenVEX.
fn statement(case: &Case, word: Word) -> (&'static str, Value) {
    let mut vulnerability = json!({"name": case.cve().unwrap_or_else(|| case.id())});
    if case.has_cve {
        vulnerability["aliases"] = json!([case.id()]);
    }
    let mut said = json!({"vulnerability": vulnerability});
    let (who, status) = match word {
        NotAffected(who) | Within(who, _) | Withdrawn(who) => (who, "not_affected"),
        Fixed(who) => (who, "fixed"),
        Affected(who) | Harms(who, _) => (who, "affected"),
        Asks(who) => (who, "under_investigation"),
    };
    said["status"] = status.into();
    match status {
        "not_affected" => said["justification"] = "vulnerable_code_not_present".into(),
        "affected" => said["action_statement"] = "Update.".into(),
        _ => {}
    }
    if let Within(_, product) | Harms(_, product) = word {
        let parts = json!([{"@id": case.purl}]);
        said["products"] = json!([{"@id": product, "subcomponents": parts}]);
    }
    (who, said)
}

/// A log in which all of it is said, and the records of the vulnerabilities.
pub(super) fn world() -> anyhow::Result<(World, Vec<PathBuf>)> {
    let mut world = World::new()?;
    for case in cases() {
        for word in case.words {
            let (who, said) = statement(case, *word);
            let subject = match word {
                Within(_, product) | Harms(_, product) => product,
                _ => case.purl,
            };
            let context = "https://openvex.dev/ns/v0.2.0";
            let document = json!({
                "@context": context,
                "@id": format!("https://example.org/{who}/{}/{}", case.purl, case.number),
                "author": who,
                "version": 1,
                "timestamp": "2026-01-01T00:00:00Z",
                "statements": [said],
            });
            let claim = world.say(who, subject, context, &document)?;
            if let Withdrawn(_) = word {
                world.withdraw(who, &claim)?;
            }
        }
    }
    let mut records: BTreeMap<String, Value> = BTreeMap::new();
    for case in cases() {
        let record = records.entry(case.id()).or_insert_with(|| {
            json!({"id": case.id(), "modified": "2026-01-01T00:00:00Z", "affected": [],
                "aliases": case.cve().into_iter().collect::<Vec<_>>(),
                "summary": "Something is wrong"})
        });
        let affected = json!({"package": case.package(),
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]});
        let all = record["affected"].as_array_mut().context("no list")?;
        if !all.contains(&affected) {
            all.push(affected);
        }
    }
    let mut files = Vec::new();
    for (id, record) in records {
        let name = format!("{id}.json");
        world.write(&name, &record.to_string())?;
        files.push(world.path(&name));
    }
    Ok((world, files))
}

/// An SBOM in CycloneDX.
pub(super) fn sbom(bom: &Bom) -> Value {
    let purls: BTreeSet<&str> = bom.cases.iter().map(|case| case.purl).collect();
    let component = |purl: &str| {
        let case = bom.cases.iter().find(|case| case.purl == purl);
        let name = case.map(Case::package).unwrap_or_default()["name"].clone();
        let version = purl.split('@').next_back().unwrap_or_default();
        let version = version.split(['?', '#']).next().unwrap_or_default();
        json!({"type": "library", "bom-ref": format!("ref of {purl}"), "name": name,
            "version": version.replace("%2B", "+"), "purl": purl})
    };
    let parts: Vec<&str> = purls
        .into_iter()
        .filter(|purl| *purl != bom.product)
        .collect();
    let components: Vec<Value> = parts.iter().map(|purl| component(purl)).collect();
    let mut product = component(bom.product);
    product["type"] = "application".into();
    if product["name"].is_null() {
        product["name"] = "app".into();
    }
    let mut needs: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let of_product = parts.iter().map(|purl| (bom.product, *purl));
    let edges = bom.edges.iter().copied();
    let edges: Vec<(&str, &str)> = if bom.edges.is_empty() {
        of_product.collect()
    } else {
        edges.collect()
    };
    for (from, to) in edges {
        needs.entry(from).or_default().push(format!("ref of {to}"));
    }
    let needs: Vec<Value> = needs
        .iter()
        .map(|(from, to)| json!({"ref": format!("ref of {from}"), "dependsOn": to}))
        .collect();
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79",
        "version": 1,
        "metadata": {"component": product},
        "components": components,
        "dependencies": needs,
    })
}

/// Trivy has one component for those of one name and version.
fn is_found(kind: Kind, found: &Found, case: &Case, names: &[String]) -> bool {
    let base = |purl: &str| purl.split(['?', '#']).next().map(str::to_owned);
    found.iter().any(|(purl, id)| {
        let is_it = match kind {
            Kind::Grype => *purl == case.purl,
            Kind::Trivy => base(purl) == base(case.purl),
        };
        is_it && names.contains(id)
    })
}

/// How a scanner is given a format: its name, and options.
type Given = (&'static str, &'static [&'static str]);

fn formats(kind: Kind) -> &'static [Given] {
    match kind {
        // It names what it finds as GitHub does, and CSAF has CVEs.
        Kind::Grype => &[
            ("openvex", &[]),
            ("openvex", &["--by-cve"]),
            ("csaf", &[]),
            ("csaf", &["--by-cve"]),
            ("cyclonedx-vex", &[]),
        ],
        Kind::Trivy => &[("openvex", &[]), ("csaf", &[]), ("cyclonedx-vex", &[])],
    }
}

/// What a scanner makes of each format.
///
/// # Errors
/// Where a program cannot be run.
pub fn rows(kind: Kind) -> anyhow::Result<Vec<Row>> {
    let (world, records) = world()?;
    let scanner = kind.build(world.folder.path())?;
    scanner.know(&records)?;
    let mut rows = Vec::new();
    for bom in &BOMS {
        world.write(bom.name, &sbom(bom).to_string())?;
        let input = world.path(bom.name);
        for (format, options) in formats(kind) {
            let arguments = ["export", "vex", bom.name, "--output", format];
            let written = world.ask_at(&world.node.ready().url, &arguments)?;
            ensure!(written.code == Some(0), "{}", written.stderr);
            let name = format!("{format}.json");
            world.write(&name, &written.stdout)?;
            let before = scanner.scan(&input, None, options)?;
            let after = scanner.scan(&input, Some(&world.path(&name)), options);
            let given = [&[*format], *options].concat().join(" ");
            rows.push(row(kind, bom, &given, &before, after));
        }
    }
    Ok(rows)
}

impl Row {
    /// Notes that a scanner differs, as is known of it or not.
    fn differs(&mut self, kind: Kind, given: &str, how: Differs, of: Option<&Case>, text: &str) {
        let of = of.map(|case| (case.purl, case.number));
        let mut known = KNOWN.iter();
        let known = known.find(|one| {
            (one.kind, one.given, one.how) == (kind, given, how)
                && (one.of.is_none() || one.of == of)
        });
        match known {
            Some(known) => self.known.push(format!("{text}: {}", known.why)),
            None => self.differ.push(text.to_owned()),
        }
    }

    /// Notes what was known of a scanner and is so no more.
    fn expects(&mut self, kind: Kind, given: &str, bom: &Bom) {
        let ours = KNOWN
            .iter()
            .filter(|one| (one.kind, one.given) == (kind, given));
        for one in ours {
            let mut cases = bom.cases.iter();
            if !cases.any(|case| one.of == Some((case.purl, case.number))) {
                continue;
            }
            if !self.known.iter().any(|text| text.ends_with(one.why)) {
                let text = format!("is so no more: {:?}: {}", one.of, one.why);
                self.differ.push(text);
            }
        }
    }
}

/// Holds what a scanner lost against what was cleared.
pub(super) fn row(
    kind: Kind,
    bom: &Bom,
    given: &str,
    before: &Found,
    after: anyhow::Result<Found>,
) -> Row {
    let mut row = Row {
        judge: kind.name().to_owned(),
        input: format!("{} with {given}", bom.name),
        compared: bom.cases.len(),
        found: before.len(),
        differ: Vec::new(),
        known: Vec::new(),
    };
    let after = match after {
        Ok(after) => after,
        Err(why) => {
            let why = why.to_string();
            let why: Vec<&str> = why.lines().take(3).collect();
            row.differs(kind, given, Differs::Fails, None, &why.join(" "));
            return row;
        }
    };
    for case in bom.cases {
        let names: Vec<String> = [Some(case.id()), case.cve()]
            .into_iter()
            .flatten()
            .collect();
        let is_in = |found: &Found| is_found(kind, found, case, &names);
        let how = match (is_in(before), is_in(&after), case.cleared) {
            (true, true, false) | (true, false, true) => continue,
            (true, true, true) => Differs::Kept,
            (true, false, false) => Differs::Lost,
            (false, ..) => Differs::NotFound,
        };
        let text = format!("{how:?}: {} in {}", names.join(" "), case.purl);
        row.differs(kind, given, how, Some(case), &text);
    }
    row.expects(kind, given, bom);
    row
}
