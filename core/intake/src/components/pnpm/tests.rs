//! What is read of the packages of each version of the format.

use crate::components::Format::PnpmLock;
use crate::components::tests::{found, lines, notes, refusal, unidentified};

const INTEGRITY: &str = "{integrity: sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=}";

#[test]
fn patched_packages_are_noted() {
    for patch in ["{hash: h, path: patches/a.patch}", "h"] {
        let text = format!(
            "lockfileVersion: '9.0'\npatchedDependencies:\n  a@1.0.0: {patch}\npackages:\n  \
             a@1.0.0:\n    resolution: {INTEGRITY}\n"
        );
        let found = found(PnpmLock, &text);
        assert_eq!(lines(&found), ["pkg:npm/a@1.0.0 sha1"]);
        assert_eq!(
            notes(&found),
            "patched by the project, besides the package itself: a@1.0.0"
        );
    }
}

#[test]
fn every_version_names_its_packages() {
    for (text, expected) in [
        (
            format!(
                "lockfileVersion: '9.0'\nimporters:\n  .: {{}}\npackages:\n  a@1.0.0:\n    \
                 resolution: {INTEGRITY}\n  '@s/b@2.0.0':\n    resolution: {INTEGRITY}\n"
            ),
            ["pkg:npm/a@1.0.0 sha1", "pkg:npm/%40s/b@2.0.0 sha1"],
        ),
        (
            format!(
                "lockfileVersion: '6.0'\npackages:\n  /a@1.0.0(c@3.0.0):\n    resolution: \
                 {INTEGRITY}\n    dev: true\n  /@s/b@2.0.0:\n    resolution: {INTEGRITY}\n"
            ),
            ["pkg:npm/a@1.0.0 sha1 dev", "pkg:npm/%40s/b@2.0.0 sha1"],
        ),
        (
            format!(
                "lockfileVersion: 5.4\npackages:\n  /a/1.0.0_c@3.0.0:\n    resolution: \
                 {INTEGRITY}\n    optional: true\n  /@s/b/2.0.0:\n    resolution: {INTEGRITY}\n"
            ),
            ["pkg:npm/a@1.0.0 sha1 optional", "pkg:npm/%40s/b@2.0.0 sha1"],
        ),
    ] {
        assert_eq!(lines(&found(PnpmLock, &text)), expected, "{text}");
    }
}

#[test]
fn what_is_from_elsewhere_says_where() {
    let commit = "17620a225744b4a18845d4f7bf63354e01109b91";
    let text = format!(
        "lockfileVersion: '9.0'\npackages:\n  a@https://host/a.tgz:\n    resolution: \
         {{tarball: \
         https://host/a.tgz}}\n    version: 1.0.0\n  b@git+https://host/b.git#{commit}:\n    \
         resolution: {{type: git, repo: https://host/b.git, commit: {commit}}}\n    version: \
              2.0.0\n  \
         c@file:c:\n    resolution: {{directory: c, type: directory}}\n  \
         d@https://codeload.github.com/o/d/tar.gz/{commit}:\n    resolution: {{tarball: \
         https://codeload.github.com/o/d/tar.gz/{commit}}}\n    version: 3.0.0\n"
    );
    assert_eq!(
        lines(&found(PnpmLock, &text)),
        [
            "pkg:npm/a@1.0.0?download_url=https:%2F%2Fhost%2Fa.tgz".to_owned(),
            format!("pkg:npm/b@2.0.0?vcs_url=git%2Bhttps:%2F%2Fhost%2Fb.git%40{commit} gitCommit"),
            "(c) own".to_owned(),
            format!(
                "pkg:npm/d@3.0.0?vcs_url=git%2Bhttps:%2F%2Fgithub.com%2Fo%2Fd%40{commit} \
                 gitCommit"
            ),
        ]
    );
}

/// Up to version 6 of the format, what is not from the project's registry has a host before it.
#[test]
fn a_host_before_a_name_is_that_of_its_registry() {
    for (version, key, said) in [
        (
            "5.4",
            "registry.corp/p/1.0.0_q@2.0.0",
            "p@1.0.0 registry.corp",
        ),
        (
            "5.4",
            "registry.corp/@s/p/1.0.0",
            "@s/p@1.0.0 registry.corp",
        ),
        (
            "6.0",
            "registry.corp/p@1.0.0(q@2.0.0)",
            "p@1.0.0 registry.corp",
        ),
        (
            "6.0",
            "registry.corp+4873/p@1.0.0",
            "p@1.0.0 registry.corp:4873",
        ),
        (
            "6.0",
            "localhost+4873/@s/p@1.0.0",
            "@s/p@1.0.0 localhost:4873",
        ),
        ("5.4", "registry.npmjs.org/p/1.0.0", "p@1.0.0"),
        ("6.0", "registry.yarnpkg.com/p@1.0.0", "p@1.0.0"),
        ("6.0", "/p.js@1.0.0", "p.js@1.0.0"),
    ] {
        let text = format!(
            "lockfileVersion: '{version}'\npackages:\n  {key}:\n    resolution: {INTEGRITY}\n"
        );
        let found = found(PnpmLock, &text);
        let purl = format!("pkg:npm/{} sha1", said.replace("@s", "%40s"));
        let purl = purl.replace(
            " registry.corp",
            "?repository_url=https:%2F%2Fregistry.corp",
        );
        let purl = purl.replace(" localhost", "?repository_url=https:%2F%2Flocalhost");
        assert_eq!(lines(&found), [purl.as_str()], "{text}");
        let told = notes(&found).contains("from another address than npm's registry");
        assert_eq!(told, purl.contains('?'), "{text}");
    }
}

#[test]
fn a_registry_that_is_stated_is_where_a_package_is_from() {
    let registry = "integrity: sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=, registry: 'https://r.corp/'";
    for key in ["r.corp/p/1.0.0", "registry.npmjs.org/p/1.0.0", "/p/1.0.0"] {
        let text = format!(
            "lockfileVersion: 5.4\npackages:\n  {key}:\n    resolution: {{{registry}}}\n    \
             name: p\n    version: 1.0.0\n"
        );
        let expected = "pkg:npm/p@1.0.0?repository_url=https:%2F%2Fr.corp%2F sha1";
        assert_eq!(lines(&found(PnpmLock, &text)), [expected], "{key}");
    }
}

#[test]
fn what_is_fetched_in_a_way_of_its_own_is_none_of_npm() {
    let text = "lockfileVersion: '9.0'\npackages:\n  a@1.0.0:\n    resolution: {type: \
        'custom:cdn', url: 'https://host/a'}\n";
    let said = unidentified(&found(PnpmLock, text));
    assert_eq!(said, ["a 1.0.0 is fetched in a way that is not known"]);
}

/// Where a registry is that has a name is said in the settings of pnpm alone.
#[test]
fn a_name_before_a_version_is_that_of_its_registry() {
    for (key, rest, said) in [
        ("p@npmjs:1.0.0", "", "pkg:npm/p@1.0.0 sha1"),
        (
            "p@work:1.0.0",
            "",
            "pkg:npm/p@1.0.0?repository_url=work: sha1",
        ),
        (
            "'@s/p@gh:1.0.0(q@2.0.0)'",
            "    version: 1.0.0\n",
            "pkg:npm/%40s/p@1.0.0?repository_url=gh: sha1",
        ),
        (
            "p@registry.npmjs.org:1.0.0",
            "",
            "pkg:npm/p@1.0.0?repository_url=registry.npmjs.org: sha1",
        ),
    ] {
        let text = format!(
            "lockfileVersion: '9.0'\npackages:\n  {key}:\n    resolution: {INTEGRITY}\n{rest}"
        );
        let found = found(PnpmLock, &text);
        assert_eq!(lines(&found), [said]);
        assert_eq!(notes(&found).is_empty(), !said.contains('?'), "{key}");
    }
}

/// npm has a package of the name, which is something else.
#[test]
fn a_runtime_is_no_package_of_npm() {
    let variant = |os: &str| {
        format!(
            "        - resolution:\n            archive: tarball\n            integrity: \
             sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=\n            type: binary\n            url: \
             https://nodejs.org/download/release/v24.6.0/node-v24.6.0-{os}.tar.gz\n          \
             targets:\n            - cpu: x64\n              os: {os}\n"
        )
    };
    for version in ["    version: 24.6.0\n", ""] {
        let text = format!(
            "lockfileVersion: '9.0'\npackages:\n  node@runtime:24.6.0:\n    hasBin: true\n    \
             resolution:\n      type: variations\n      variants:\n{}{}{version}  \
             deno@runtime:2.4.2:\n    resolution: {INTEGRITY}\n  node@24.6.0:\n    \
             resolution: {INTEGRITY}\n",
            variant("linux"),
            variant("darwin")
        );
        let found = found(PnpmLock, &text);
        assert_eq!(
            lines(&found),
            [
                "pkg:generic/node@24.6.0 sha1 sha1",
                "pkg:generic/deno@2.4.2 sha1",
                "pkg:npm/node@24.6.0 sha1",
            ]
        );
        let told = "runtimes, which are no packages of npm: node, deno";
        assert_eq!(notes(&found), told);
    }
}

/// Where a package lies is no version, which a folder may have beside it.
#[test]
fn a_local_folder_is_no_version_of_a_package() {
    for (version, expected) in [
        ("", "(c) own"),
        ("    version: 1.2.0\n", "pkg:npm/c@1.2.0 own"),
    ] {
        let text = format!(
            "lockfileVersion: '9.0'\npackages:\n  c@file:../c:\n    resolution: \
             {{directory: ../c, type: directory}}\n{version}"
        );
        let found = found(PnpmLock, &text);
        assert_eq!(lines(&found), [expected]);
        assert!(found.list[0].by_path);
    }
}

/// What the workspace has no project for is told and counted.
#[test]
fn a_link_out_of_the_workspace_is_counted() {
    let workspace = "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      \
        a:\n        specifier: workspace:*\n        version: link:packages/a\n  \
        packages/a:\n    devDependencies:\n      out:\n        specifier: \
        link:../../../out\n        version: link:../../../out\n      root:\n        \
        specifier: link:../..\n        version: link:../..\n";
    let alone = "lockfileVersion: 5.4\nspecifiers:\n  out: link:../out\ndependencies:\n  out: \
        link:../out\n  a: 1.0.0\n";
    let alone_6 = "lockfileVersion: '6.0'\noptionalDependencies:\n  out:\n    specifier: \
        link:../out\n    version: link:../out\n";
    for (text, expected) in [
        (
            workspace,
            "out is a link to \"../../../out\", of which the file says nothing",
        ),
        (
            alone,
            "out is a link to \"../out\", of which the file says nothing",
        ),
        (
            alone_6,
            "out is a link to \"../out\", of which the file says nothing",
        ),
    ] {
        assert_eq!(unidentified(&found(PnpmLock, text)), [expected], "{text}");
    }
    let inner = workspace.replace("link:../../../out", "link:../../packages/a/");
    let said = unidentified(&found(PnpmLock, &inner)).concat();
    assert!(!said.contains("is a link"), "{said}");
}

#[test]
fn what_is_wrong_is_said() {
    for (text, said) in [
        ("packages: {}\n", "$.lockfileVersion: is missing"),
        ("# lockfileVersion: '9.0'\n", "x:1: the document is empty"),
        ("lockfileVersion: '4.0'\n", "is not one of 5 to 9"),
        ("lockfileVersion: '9.0'\npackages: []\n", "$.packages"),
        (
            "lockfileVersion: '9.0'\npackages:\n  a: {}\n",
            "says no name and version",
        ),
        (
            "lockfileVersion: '9.0'\npackages:\n  a@1: {}\n",
            "resolution: is missing",
        ),
        (
            "lockfileVersion: '9.0'\npackages: &a {}\n",
            "x:2: cannot be read: anchors",
        ),
        (
            "lockfileVersion: '9.0'\na: 1\na: 2\n",
            "x:3: cannot be read",
        ),
    ] {
        let error = refusal(PnpmLock, text);
        assert!(error.contains(said), "{error}");
    }
    let deep = format!(
        "lockfileVersion: '9.0'\npackages: {}\n",
        "[".repeat(100_000)
    );
    assert!(refusal(PnpmLock, &deep).contains("cannot be read"));
}
