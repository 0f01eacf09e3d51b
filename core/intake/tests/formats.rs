//! docs/formats.md is what the code says of the formats that it reads.

use assay_intake::components::{Format, NOT_READ};
use assay_intake::documents;
use std::fmt::Write as _;
use std::path::Path;

const HEAD: &str = "\
# Formats

This page is written from the code: `ASSAY_BLESS=1 cargo test --package assay-intake --test formats`.

## Lock files and SBOMs

What `assay check FILE…` reads. A file is read whole or refused whole, at most 64 MiB (of a program or
a database of rpm 512 MiB) and 100,000 components of it. Its name says what it is, perhaps with a prefix
(`service.Cargo.lock`), else its content; where neither does, `--format NAME` does. Nothing is
resolved, fetched or unpacked: ranges, tags and local files of which neither a version nor a digest
is stated are counted as unidentified, and named. The names of a project's own packages are asked
about if others need them by their path, unless the file says that they are members of its
workspace: they may be copies of what somebody else publishes. With `--own` all of them are. What is built from
git and has no version of its own has that of its commit, also of a short one, or of a tag that is a
version (`v1.2.0`); what is pinned to a branch is unidentified.

`assay check FOLDER` reads every file in it whose name is in the table, or is one of
`requirements*.txt`, `constraints*.txt`, `*.deps.json`, `*.spdx`, `pylock.*.toml`,
`packages.*.lock.json`, `dpkg/status`, `apk/db/installed`, `lib/opkg/status`, `lib/rpm/Packages` and
`rpmmanifest/container-manifest-2`, or ends with `spdx.json`, `bom.json`, `cyclonedx.json`,
`cyclonedx.xml` or `sbom.xml`, and says what it left out. It does not follow links, nor look into
folders in which the files of others lie (`node_modules`, `vendor`, `.venv`, `target` and the like).
Programs in it have to be named one by one.

| `--format` | files | what is read |
| --- | --- | --- |
";

const NOT_READ_HEAD: &str = "
These are known, and not read:

| file | what to do |
| --- | --- |
";

const DOCUMENTS_HEAD: &str = "
## Documents

What `assay publish KIND FILE` makes claims of:

| kind | documents |
| --- | --- |
";

const DOCUMENTS_TAIL: &str = "
What a report of a scan lists as found and ignored or suppressed is taken as found, and named:
whoever runs a scanner does not clear what it finds (design.md, 3.3).
";

fn page() -> Result<String, std::fmt::Error> {
    let mut page = HEAD.to_owned();
    for format in Format::ALL {
        let files: Vec<_> = format
            .files()
            .iter()
            .map(|file| format!("`{file}`"))
            .collect();
        let (id, about) = (format.id(), format.about());
        writeln!(page, "| `{id}` | {} | {about} |", files.join(", "))?;
    }
    page.push_str(NOT_READ_HEAD);
    for (file, advice) in NOT_READ {
        writeln!(page, "| `{file}` | {advice} |")?;
    }
    page.push_str(DOCUMENTS_HEAD);
    for (kind, help) in documents::kinds() {
        writeln!(page, "| `{kind}` | {help} |")?;
    }
    page.push_str(DOCUMENTS_TAIL);
    Ok(page)
}

#[test]
fn the_page_of_formats_is_what_the_code_reads() -> Result<(), Box<dyn std::error::Error>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/formats.md");
    let page = page()?;
    if std::env::var_os("ASSAY_BLESS").is_some() {
        std::fs::write(&path, &page)?;
    }
    let written = std::fs::read_to_string(&path)?;
    assert_eq!(
        written, page,
        "write docs/formats.md again, as its first lines say"
    );
    Ok(())
}
