//! What documents are that are not read, and what to do instead.

use super::fault::Fault;
use super::input::IMAGE;
use super::not_read::{TEXTS, USE_AN_SBOM};
use super::reader::Head;
use assay_claims::json::Part;

const ADVISORIES: &str =
    "it is an advisory of GitHub's: check what is used; `assay publish vex` makes a claim of it";

/// Members by which documents are known that name components, or what is known of some, and are no
/// list of what something is made of; and what to do.
const OTHERS: &[(&[&str], &str)] = &[
    (
        &["payloadType"],
        "it is a signed envelope (DSSE): take the statement out of it (base64 in \"payload\"), and \
         check that",
    ),
    (
        &["dsseEnvelope"],
        "it is a bundle of Sigstore: take the statement out of it (base64 in \
         \"dsseEnvelope\".\"payload\"), and check that; `assay publish provenance` verifies it",
    ),
    (
        &["detector"],
        "it is a snapshot for GitHub's dependency graph: check the lock file that it was made of, \
         or the SBOM that GitHub exports",
    ),
    (
        &["matches"],
        "it is what grype found: check the SBOM that it scanned; `assay publish scan` makes a \
         claim of its findings",
    ),
    (&["ghsa_id"], ADVISORIES),
    (
        &["runs"],
        "it is what a scan found (SARIF): check what was scanned; `assay publish scan` makes a \
         claim of its findings",
    ),
    (
        &["@context", "statements"],
        "it says which vulnerabilities concern products (OpenVEX): check what these are made of; \
         `assay publish vex` makes claims of it",
    ),
    (
        &["affected", "modified"],
        "it is an advisory (OSV): check what is used; `assay publish vex` makes a claim of it",
    ),
    (&["schemaVersion", "manifests"], IMAGE),
    (&["schemaVersion", "layers"], IMAGE),
    (&["imageLayoutVersion"], IMAGE),
    (
        &["artifacts", "descriptor"],
        "it is what Docker Scout writes: let it write SPDX (--format spdx), and check that",
    ),
    (&["document", "vulnerabilities"], CSAF),
    (&["document", "product_tree"], CSAF),
    (
        &["@context", "spdxId"],
        "it is one element of SPDX 3 by itself: have the tool that wrote it write a document with \
         \"@graph\", and check that",
    ),
];

const CSAF: &str = "it is an advisory (CSAF): check what its products are made of; `assay publish \
    vex` makes claims of it";

/// What to do with lists that package managers write of what is installed.
const LISTED: &[(&[&str], &str)] = &[
    (
        &["name", "version", "dependencies"],
        "it looks like what `npm ls` writes: check the lock file (package-lock.json)",
    ),
    (
        &["name", "path", "dependencies"],
        "it looks like what `pnpm list` writes: check the lock file (pnpm-lock.yaml)",
    ),
    (
        &["name", "version"],
        "it looks like what `pip list` writes: check what `pip freeze` writes, as requirements.txt",
    ),
];

/// What to do with what a package manager lists, if it is that.
fn listed(document: Part<'_>) -> Option<&'static str> {
    let items = document.as_array();
    let is_list = items.is_some();
    let one = items.map_or(Some(document), |mut items| items.next())?;
    let mut lists = LISTED.iter().filter(|(keys, _)| {
        keys.iter().all(|key| one.get(key).is_some()) && (is_list || keys.len() > 2)
    });
    lists.next().map(|(_, advice)| *advice)
}

/// What a document without the member of any format is, if that is known.
pub(super) fn of_members(document: Part<'_>) -> Option<Fault> {
    let mut others = OTHERS.iter();
    if let Some((_, advice)) =
        others.find(|(keys, _)| keys.iter().all(|key| document.get(key).is_some()))
    {
        let reason = "this says nothing of what something is made of";
        return Some(Fault::new(None, reason).advise(advice));
    }
    if let Some(advice) = listed(document) {
        return Some(Fault::new(None, "this is not read").advise(advice));
    }
    let mut members = document.as_object()?;
    let is_platforms =
        members.clone().next().is_some() && members.all(|(_, one)| one.get("SPDX").is_some());
    is_platforms.then(|| {
        Fault::new(None, "these are SBOMs of several platforms").advise(
            "take one of them: docker buildx imagetools inspect IMAGE --format \
             '{{json (index .SBOM \"linux/amd64\")}}'",
        )
    })
}

/// What documents are that are lists themselves: none of them is read.
pub(super) fn of_items(document: Part<'_>) -> Fault {
    let first = document.as_array().and_then(|mut items| items.next());
    let fault = Fault::new(None, "this is a list that is not read");
    let has = |key: &str| first.is_some_and(|first| first.get(key).is_some());
    if has("ghsa_id") {
        return fault.advise(ADVISORIES);
    }
    if has("Layers") && has("Config") {
        return fault.advise(IMAGE);
    }
    fault.advise(listed(document).unwrap_or(USE_AN_SBOM))
}

/// What to do with a file that begins like JSON, and is none.
pub(super) fn of_no_json(text: &str) -> &'static str {
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    if first.contains("\"payloadType\"") && first.trim_end().ends_with('}') {
        "it is signed envelopes (DSSE), one a line: take the statement out of one (base64 in \
         \"payload\"), and check that"
    } else {
        "it begins like JSON, and is none"
    }
}

/// What texts are that package managers write for people, or for themselves.
pub(super) fn of_text(head: &Head<'_>) -> Option<Fault> {
    let mut lines = head.text().lines().filter(|line| !line.trim().is_empty());
    let advice = if head.has("Desired=Unknown/Install") {
        "it looks like what `dpkg -l` writes: check /var/lib/dpkg/status"
    } else if lines.clone().next().is_some() && lines.all(is_of_apk) {
        "it looks like what apk lists: check /lib/apk/db/installed"
    } else {
        let mut known = TEXTS.iter().filter(|(line, _)| head.has(line));
        known.next().map(|(_, advice)| *advice)?
    };
    Some(Fault::new(None, "this is not read").advise(advice))
}

/// Whether a line is a package as `apk info -v` has it, `musl-1.2.5-r0`, or as `apk list -I` has.
fn is_of_apk(line: &str) -> bool {
    if line.contains(" {") && line.ends_with("[installed]") {
        return true;
    }
    let release = line.trim_end().rsplit_once("-r");
    release.is_some_and(|(package, release)| {
        let is_number = release.bytes().all(|byte| byte.is_ascii_digit()) && !release.is_empty();
        let version = package.rsplit_once('-').map(|(_, version)| version);
        let has_version = version.is_some_and(|one| one.starts_with(|c: char| c.is_ascii_digit()));
        is_number && has_version && !package.contains(char::is_whitespace)
    })
}

#[cfg(test)]
mod tests {
    use crate::components::recognize;

    #[test]
    fn what_is_not_read_is_sent_elsewhere() {
        for (text, said) in [
            (r#"{"payloadType":"x"}"#, "it is a signed envelope"),
            (
                "{\"payloadType\":\"x\"}\n{\"payloadType\":\"x\"}\n",
                "signed envelopes (DSSE), one a line",
            ),
            (
                r#"{"mediaType":"x","dsseEnvelope":{}}"#,
                "a bundle of Sigstore",
            ),
            (r#"{"schemaVersion":2,"manifests":[]}"#, "if it is an image"),
            (r#"{"imageLayoutVersion":"1.0.0"}"#, "if it is an image"),
            (r#"[{"Config":"c","Layers":[]}]"#, "if it is an image"),
            (
                r#"{"linux/amd64":{"SPDX":{}},"linux/arm64":{"SPDX":{}}}"#,
                "SBOMs of several platforms; take one",
            ),
            (
                r#"{"artifacts":[],"descriptor":{},"source":{}}"#,
                "what Docker Scout writes",
            ),
            (
                "Desired=Unknown/Install/Remove/Purge/Hold\nii  a  1  all  x\n",
                "check /var/lib/dpkg/status",
            ),
            ("musl-1.2.5-r0\nlibssl3-3.3.1-r0\n", "what apk lists"),
            (
                "musl-1.2.5-r0 x86_64 {musl} (MIT) [installed]\n",
                "what apk lists",
            ),
            ("a-r0\n", "neither the name nor the content"),
            ("{}", "neither the name nor the content"),
        ] {
            let error = recognize("x", text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
