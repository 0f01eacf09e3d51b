//! Lock files of conda.

use crate::components::Format::{CondaLock, PixiLock};
use crate::components::tests::{found, lines, notes, refusal, unidentified};

const HOST: &str = "https://conda.anaconda.org/conda-forge/linux-64";

fn sha256() -> String {
    "0a".repeat(32)
}

#[test]
fn a_conda_lock_names_both_kinds() {
    let text = format!(
        "version: 1\nmetadata:\n  content_hash:\n    linux-64: {0}\npackage:\n- name: \
         lib-x\n  version: 1.2.3\n  manager: conda\n  platform: linux-64\n  url: \
         {HOST}/lib-x-1.2.3-h1_0.conda\n  hash:\n    md5: {1}\n    sha256: {0}\n  category: \
         dev\n  optional: true\n- name: a\n  version: '2.0'\n  manager: pip\n  url: \
         https://files.pythonhosted.org/packages/a-2.0.whl\n  hash: {{sha256: {0}}}\n- name: \
         b\n  version: 1.0\n  manager: conda\n  url: \
         https://corp.example/t/SECRET/main/noarch/b-1.0-0.tar.bz2\n  hash: {{md5: {1}}}\n- \
         name: g\n  version: '0.1'\n  manager: pip\n  url: \
         git+https://host/g.git@{2}\n  hash: {{}}\n",
        sha256(),
        "0a".repeat(16),
        "17".repeat(20),
    );
    let text = text.replace("version: 1.0\n", "version: '1.0'\n");
    assert_eq!(
        lines(&found(CondaLock, &text)),
        [
            "pkg:conda/lib-x@1.2.3?build=h1_0&channel=conda-forge&subdir=linux-64&type=conda \
             sha256 dev optional",
            "pkg:pypi/a@2.0 sha256",
            "pkg:conda/b@1.0?build=0&channel=main&repository_url=https:%2F%2Fcorp.example&\
             subdir=noarch&type=tar.bz2",
            "pkg:pypi/g@0.1?vcs_url=git%2Bhttps:%2F%2Fhost%2Fg.git%401717171717171717171717171717171717171717 gitCommit",
        ]
    );
}

#[test]
fn an_address_of_another_package_is_none_of_this_one() {
    for place in [HOST, "/home/me/out"] {
        let text = format!(
            "version: 1\nmetadata: {{}}\npackage:\n- {{name: a, version: '1', manager: conda, \
             url: '{place}/b-1-0.conda', hash: {{}}}}\n"
        );
        let said = unidentified(&found(CondaLock, &text));
        assert!(said[0].contains("a 1 is of another package"), "{said:?}");
    }
}

#[test]
fn channels_have_labels_and_lie_anywhere() {
    let local = "download_url=file:l-1.0-0.conda";
    let at = |channel: &str, more: &str| {
        format!("build=0&channel={channel}{more}&subdir=noarch&type=conda")
    };
    let url = "&repository_url=";
    for (place, expected) in [
        (
            "https://conda.anaconda.org/c/label/dev",
            at("c%2Flabel%2Fdev", ""),
        ),
        ("https://conda.anaconda.org/c/labels/dev", at("dev", "")),
        (
            "https://h/label/dev",
            at("dev", &format!("{url}https:%2F%2Fh")),
        ),
        (
            "https://h/t/SECRET/label/dev",
            at("dev", &format!("{url}https:%2F%2Fh")),
        ),
        (
            "https://h/t/SECRET/c/label/dev",
            at("c%2Flabel%2Fdev", &format!("{url}https:%2F%2Fh")),
        ),
        ("s3://bucket/c", at("c", &format!("{url}s3:%2F%2Fbucket"))),
        (
            "oci://u:p@ghcr.io/c",
            at("c", &format!("{url}oci:%2F%2Fghcr.io")),
        ),
        ("file:///chan", local.to_owned()),
        ("/home/me/out", local.to_owned()),
        ("../out", local.to_owned()),
    ] {
        let expected = format!("pkg:conda/l@1.0?{expected} sha256");
        let address = format!("{place}/noarch/l-1.0-0.conda");
        let conda = format!(
            "version: 1\nmetadata: {{}}\npackage:\n- {{name: l, version: '1.0', manager: conda, \
             url: '{address}', hash: {{sha256: {}}}}}\n",
            sha256()
        );
        let pixi = format!(
            "version: 6\nenvironments: {{}}\npackages:\n- conda: {address}\n  sha256: {}\n",
            sha256()
        );
        for (format, text) in [(CondaLock, conda), (PixiLock, pixi)] {
            assert_eq!(
                lines(&found(format, &text)),
                std::slice::from_ref(&expected),
                "{address}"
            );
        }
    }
}

#[test]
fn a_file_of_another_package_is_none_of_this_one() {
    let file = "https://files.pythonhosted.org/packages/other-2.0-py3-none-any.whl";
    let conda = format!(
        "version: 1\nmetadata: {{}}\npackage:\n- {{name: c, version: '1.0', manager: pip, \
         url: '{file}', hash: {{}}}}\n"
    );
    let pixi = format!(
        "version: 6\nenvironments: {{}}\npackages:\n- pypi: {file}\n  name: c\n  version: \
         '1.0'\n"
    );
    for (format, text) in [(CondaLock, conda), (PixiLock, pixi)] {
        let found = found(format, &text);
        let purl = lines(&found).concat();
        assert!(purl.starts_with("pkg:pypi/c@1.0?download_url="), "{purl}");
        assert!(
            notes(&found).ends_with("need not hold: c"),
            "{}",
            notes(&found)
        );
    }
}

#[test]
fn a_pixi_lock_names_both_kinds_in_every_version() {
    let expected = [
        "pkg:conda/_x@0.1?build=f&channel=conda-forge&subdir=linux-64&type=tar.bz2 sha256",
        "pkg:pypi/a@2.0 sha256",
        "(own) own",
    ];
    let wheel = "https://files.pythonhosted.org/packages/a-2.0-py3-none-any.whl";
    let new = format!(
        "version: 6\nenvironments: {{}}\npackages:\n- conda: {HOST}/_x-0.1-f.tar.bz2\n  \
         sha256: {0}\n- pypi: {wheel}\n  name: a\n  version: '2.0'\n  sha256: {0}\n- pypi: \
         ./\n  name: own\n  editable: true\n",
        sha256()
    );
    let old = format!(
        "version: 5\nenvironments: {{}}\npackages:\n- kind: conda\n  name: _x\n  version: \
         '0.1'\n  url: {HOST}/_x-0.1-f.tar.bz2\n  sha256: {0}\n- kind: pypi\n  name: a\n  \
         version: '2.0'\n  url: {wheel}\n  sha256: {0}\n- kind: pypi\n  name: own\n  path: \
         ./\n",
        sha256()
    );
    for text in [new, old] {
        assert_eq!(lines(&found(PixiLock, &text)), expected, "{text}");
    }
}

#[test]
fn what_is_built_from_git_says_its_commit() {
    let commit = "17620a225744b4a18845d4f7bf63354e01109b91";
    let at = "vcs_url=git%2Bhttps:%2F%2Fhost%2Fa%40";
    let text = format!(
        "version: 6\nenvironments: {{}}\npackages:\n- pypi: \
         git+https://host/a?rev=main#{commit}\n  name: a\n  version: '2.0'\n- pypi: \
         git+https://host/a?rev=17620a2#17620a2\n  name: b\n- conda: \
         git+https://host/a#{commit}\n  name: c\n  version: '1.0'\n  build: h_0\n"
    );
    let found = found(PixiLock, &text);
    assert_eq!(
        lines(&found),
        [
            format!("pkg:pypi/a@2.0?{at}{commit} gitCommit"),
            format!("pkg:pypi/b@17620a2?{at}17620a2"),
            format!("pkg:conda/c@1.0?{at}{commit} gitCommit"),
        ]
    );
}

#[test]
fn version_7_names_what_is_built_and_where() {
    let commit = "17620a225744b4a18845d4f7bf63354e01109b91";
    let text = format!(
        "version: 7\nplatforms:\n- name: linux-64\nenvironments: {{}}\npackages:\n- \
         conda_source: x[87dc0b8a] @ x\n  version: 0.1.0\n  source:\n    git: \
         https://host/x.git\n- conda_source: y[87dc0b8a] @ git+https://host/a#{commit}\n- \
         conda_source: z[87dc0b8a] @ .\n"
    );
    let found = found(PixiLock, &text);
    assert_eq!(
        lines(&found),
        [
            "pkg:conda/x@0.1.0 own".to_owned(),
            format!("pkg:conda/y@{commit}?vcs_url=git%2Bhttps:%2F%2Fhost%2Fa%40{commit} gitCommit"),
            "(z) own".to_owned(),
        ]
    );
    let by_path: Vec<_> = found.list.iter().map(|one| one.by_path).collect();
    assert_eq!(by_path, [true, false, false]);
}

#[test]
fn files_beside_the_project_are_no_folders_of_it() {
    let text = format!(
        "version: 6\nenvironments: {{}}\npackages:\n- pypi: ./d/a-2.0-py3-none-any.whl\n  \
         name: a\n  version: '2.0'\n- conda: ../d/lib-x-1.0-h_0.conda\n  sha256: {0}\n- \
         conda: d/odd.conda\n- pypi: https://host/b-1.0.tar.gz\n  name: b\n",
        sha256()
    );
    let found = found(PixiLock, &text);
    assert_eq!(
        lines(&found),
        [
            "pkg:pypi/a@2.0?download_url=file:a-2.0-py3-none-any.whl",
            "pkg:conda/lib-x@1.0?download_url=file:lib-x-1.0-h_0.conda sha256",
            "pkg:pypi/b@1.0?download_url=https:%2F%2Fhost%2Fb-1.0.tar.gz",
        ]
    );
    assert!(unidentified(&found)[0].ends_with("is a local file without digest"));
}

#[test]
fn what_is_wrong_is_said() {
    for (format, text, said) in [
        (CondaLock, "a: 1\n", "$.version: is missing"),
        (CondaLock, "version: 2\npackage: []\n", "is not 1"),
        (CondaLock, "version: 1\n", "$.package: is missing"),
        (
            CondaLock,
            "version: 1\npackage: [{name: a, manager: conda, url: x, hash: {}}]\n",
            "is no archive of conda",
        ),
        (
            CondaLock,
            "version: 1\npackage: [{name: a, manager: apt, url: x, hash: {}}]\n",
            "manager",
        ),
        (
            CondaLock,
            "version: 1\npackage: [{name: a, manager: pip, url: x, hash: {sha256: zz}}]\n",
            "is no sha256 in hex",
        ),
        (PixiLock, "version: 3\npackages: []\n", "is not 4, 5, 6, 7"),
        (PixiLock, "version: 6\npackages: [{}]\n", "has no address"),
        (
            CondaLock,
            "version: 1\npackage: [{name: a, manager: conda, url: \
             'https://h/c/../noarch/a-1-0.conda', hash: {}}]\n",
            "is no archive of conda",
        ),
        (
            PixiLock,
            "version: 6\npackages: [{conda: 'https://h/a.zip'}]\n",
            "is no archive of conda",
        ),
    ] {
        let error = refusal(format, text);
        assert!(error.contains(said), "{error}");
    }
}
