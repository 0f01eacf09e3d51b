use crate::components::Format::YarnLock;
use crate::components::tests::{found, lines, notes, refusal, unidentified};

const COMMIT: &str = "17620a225744b4a18845d4f7bf63354e01109b91";

#[test]
fn version_1_is_read_with_its_aliases_and_addresses() {
    let text = format!(
        "# yarn lockfile v1\n\n\n\"@s/a@^1.0.0\", \"@s/a@^1.1.0\":\n  version \"1.2.0\"\n  \
         resolved \"https://registry.yarnpkg.com/@s/a/-/a-1.2.0.tgz#{0}\"\n  \
              dependencies:\n    \
         version \"^9\"\n\nb@npm:Other@^2:\n  version \"2.0.0\"\n  resolved \
         \"https://registry.npmjs.org/Other/-/Other-2.0.0.tgz#{0}\"\n  integrity \
         sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=\n\nc@https://host/c.git:\n  version \"3.0.0\"\n  \
         resolved \"https://host/c.git#{0}\"\n\nd@link:./d:\n  version \"0.0.0\"\n\ne@^1:\n  \
              version \
         \"1.0.0\"\n  resolved \"https://mirror.test/npm/e/-/e-1.0.0.tgz\"\n",
        COMMIT
    );
    let found = found(YarnLock, &text);
    assert_eq!(
        lines(&found),
        [
            "pkg:npm/%40s/a@1.2.0 sha1 :4".to_owned(),
            "pkg:npm/Other@2.0.0 sha1 :10".to_owned(),
            format!(
                "pkg:npm/c@3.0.0?vcs_url=git%2Bhttps:%2F%2Fhost%2Fc.git%40{COMMIT} gitCommit \
                 :15"
            ),
            "pkg:npm/d@0.0.0 own :19".to_owned(),
            "pkg:npm/e@1.0.0?repository_url=https:%2F%2Fmirror.test%2Fnpm :22".to_owned(),
        ]
    );
}

#[test]
fn a_file_beside_the_project_is_somebody_elses_and_a_folder_may_be() {
    for (text, expected, by_path) in [
        (
            "# yarn lockfile v1\n\"a@file:./a.tgz\":\n  version \"3.0.0\"\n  resolved \
             \"file:./a.tgz#2jmj\"\n",
            "pkg:npm/a@3.0.0?download_url=file:a.tgz :2",
            false,
        ),
        (
            "__metadata:\n\"a@file:./a.tgz::locator=x\":\n  version: 3.0.0\n  resolution: \
             \"a@file:./a.tgz#./a.tgz::hash=0&locator=x\"\n",
            "pkg:npm/a@3.0.0?download_url=file:a.tgz :2",
            false,
        ),
        (
            "# yarn lockfile v1\n\"a@file:./a\":\n  version \"3.0.0\"\n",
            "pkg:npm/a@3.0.0 own :2",
            true,
        ),
        (
            "# yarn lockfile v1\n\"a@../a\":\n  version \"3.0.0\"\n",
            "pkg:npm/a@3.0.0 own :2",
            true,
        ),
        (
            "# yarn lockfile v1\n\"a@./a.tgz\":\n  version \"3.0.0\"\n",
            "pkg:npm/a@3.0.0?download_url=file:a.tgz :2",
            false,
        ),
        (
            "__metadata:\n\"a@portal:./a\":\n  version: 0.0.0-use.local\n  resolution: \
             \"a@portal:./a::locator=x\"\n",
            "pkg:npm/a@0.0.0-use.local own :2",
            false,
        ),
        (
            "__metadata:\n\"a@workspace:a\":\n  version: 1.0.0\n  resolution: \
             \"a@workspace:a\"\n",
            "pkg:npm/a@1.0.0 own :2",
            false,
        ),
    ] {
        let found = found(YarnLock, text);
        assert_eq!(lines(&found), [expected]);
        assert_eq!(found.list[0].by_path, by_path, "{text}");
    }
}

#[test]
fn later_versions_say_by_a_protocol_what_each_is() {
    let text = format!(
        "__metadata:\n  version: 8\n  cacheKey: 10c0\n\n\"a@npm:^1, a@npm:^1.1\":\n  version: \
         1.2.0\n  resolution: \"a@npm:1.2.0\"\n  dependencies:\n    version: 9\n  checksum: \
         10c0/00\n\n\"b@npm:@s/b@^2\":\n  version: 2.0.0\n  resolution: \"@s/b@npm:2.0.0\"\n\n\
         \"own@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \
              \"own@workspace:.\"\n\n\
         \"c@https://host/c.git\":\n  version: 3.0.0\n  resolution: \
         \"c@https://host/c.git#commit={COMMIT}\"\n\n\"a@patch:a@npm%3A^1\":\n  version: \
              1.2.0\n  \
         resolution: \"a@patch:a@npm%3A1.2.0#~/x.patch\"\n"
    );
    let found = found(YarnLock, &text);
    assert_eq!(
        lines(&found),
        [
            "pkg:npm/a@1.2.0 :5".to_owned(),
            "pkg:npm/%40s/b@2.0.0 :12".to_owned(),
            "pkg:npm/own@0.0.0-use.local own :16".to_owned(),
            format!(
                "pkg:npm/c@3.0.0?vcs_url=git%2Bhttps:%2F%2Fhost%2Fc.git%40{COMMIT} gitCommit \
                 :20"
            ),
        ]
    );
    assert!(notes(&found).contains("patched by the project"));
}

#[test]
fn a_workspace_of_a_repository_is_of_its_commit() {
    let repository = "https://host/m.git";
    for fragment in [
        format!("workspace=@s/a&commit={COMMIT}"),
        format!("commit={COMMIT}&workspace=@s/a"),
    ] {
        let text = format!(
            "__metadata:\n\"@s/a@{repository}#workspace=@s/a\":\n  version: 1.0.0\n  \
             resolution: \"@s/a@{repository}#{fragment}\"\n"
        );
        let purl = format!(
            "pkg:npm/%40s/a@1.0.0?vcs_url=git%2Bhttps:%2F%2Fhost%2Fm.git%40{COMMIT} gitCommit \
             :2"
        );
        assert_eq!(lines(&found(YarnLock, &text)), [purl]);
    }
}

#[test]
fn quotes_around_all_words_say_nothing() {
    let text = "# yarn lockfile v1\n\n\"a@^1\":\n  \"integrity\" \
        \"sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=\"\n  \"resolved\" \
        \"https://npm.test/a/-/a-1.2.0.tgz\"\n  \"version\" \"1.2.0\"\n  \
        \"dependencies\":\n    \"version\" \"^9\"\n";
    let purl = "pkg:npm/a@1.2.0?repository_url=https:%2F%2Fnpm.test sha1 :3";
    assert_eq!(lines(&found(YarnLock, text)), [purl]);
}

#[test]
fn a_patch_is_of_what_is_patched() {
    let cases = [
        ("a@npm%3A1.0.0", "pkg:npm/a@1.0.0 :2".to_owned()),
        ("a@1.0.0", "pkg:npm/a@1.0.0 :2".to_owned()),
        (
            "a@patch%3Aa@npm%253A1.0.0%23./q.patch",
            "pkg:npm/a@1.0.0 :2".to_owned(),
        ),
        (
            "a@https%3A//host/x/a.git%23commit=17620a225744b4a18845d4f7bf63354e01109b91",
            format!(
                "pkg:npm/a@1.0.0?vcs_url=git%2Bhttps:%2F%2Fhost%2Fx%2Fa.git%40{COMMIT} \
                 gitCommit :2"
            ),
        ),
        (
            "a@https%3A//evil.example/a.tgz",
            "pkg:npm/a@1.0.0?download_url=https:%2F%2Fevil.example%2Fa.tgz :2".to_owned(),
        ),
        (
            "a@file%3A./a.tgz%23./a.tgz%3A%3Ahash=0&locator=x",
            "pkg:npm/a@1.0.0?download_url=file:a.tgz :2".to_owned(),
        ),
        (
            "a@workspace%3Apackages/a",
            "pkg:npm/a@1.0.0 own :2".to_owned(),
        ),
        (
            "a@npm%3A@s/real@1.0.0",
            "pkg:npm/%40s/real@1.0.0 :2".to_owned(),
        ),
        (
            "a@npm%3A1.0.0%3A%3A__archiveUrl=https%253A%252F%252Fnpm.corp%252Fa%252F-%252F\
             a-1.0.0.tgz",
            "pkg:npm/a@1.0.0?repository_url=https:%2F%2Fnpm.corp :2".to_owned(),
        ),
    ];
    for (source, expected) in cases {
        let text = format!(
            "__metadata:\n\"a@patch:x\":\n  version: 1.0.0\n  resolution: \
             \"a@patch:{source}#./p.patch::version=1.0.0&hash=c\"\n"
        );
        let found = found(YarnLock, &text);
        assert_eq!(lines(&found), [expected], "{source}");
        assert!(notes(&found).contains("patched by the project"), "{source}");
    }
    let many = format!("{}npm:1", "patch:a@".repeat(20));
    for source in ["patch:#p", "patch:a#p", &many] {
        let text =
            format!("__metadata:\n\"a@x\":\n  version: 1.0.0\n  resolution: \"a@{source}\"\n");
        let said = unidentified(&found(YarnLock, &text)).concat();
        assert!(
            said.starts_with(":2 a 1.0.0 is a patch of something"),
            "{said}"
        );
    }
}

/// Yarn puts a key of more than 1024 letters before the entry (`stringifySyml`).
#[test]
fn a_long_key_stands_before_its_entry() {
    let text = "__metadata:\n  version: 8\n\n? \"a@npm:^1.0.0, a@npm:^1.2.0\"\n:\n  version: \
                1.2.0\n  resolution: \"a@npm:1.2.0\"\n\n\"b@npm:2\":\n  version: 2.0.0\n  \
                resolution: \"b@npm:2.0.0\"\n";
    let read = found(YarnLock, text);
    assert_eq!(lines(&read), ["pkg:npm/a@1.2.0 :4", "pkg:npm/b@2.0.0 :9"]);
    for wrong in ["\n:\n:\n", "\n: 1\n"] {
        let error = refusal(YarnLock, &text.replacen("\n:\n", wrong, 1));
        assert!(error.starts_with("x:"), "{error}");
    }
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    for (text, said) in [
        ("a@^1:\n  version \"1\"\n", "x: neither the comment"),
        (
            "# yarn lockfile v1\n<<<<<<< HEAD\n",
            "x:2: \"<<<<<<< HEAD\" begins no entry",
        ),
        (
            "# yarn lockfile v1\na@^1:\n  resolved \"x\"\n",
            "x:2: \"a@^1\" has no version",
        ),
        (
            "# yarn lockfile v1\na:\n  version \"1\"\n",
            "x:2: \"a\" is not `NAME@RANGE`",
        ),
        (
            "# yarn lockfile v1\na@1:\n  version \"1\"\n  integrity sha512-!\n",
            "x:2: the integrity of a",
        ),
    ] {
        let error = refusal(YarnLock, text);
        assert!(error.starts_with(said), "{error}");
    }
}
