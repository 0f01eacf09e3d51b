use crate::components::Format::Requirements;
use crate::components::tests::{found, lines, notes, refusal, unidentified};

const COMMIT: &str = "17620a225744b4a18845d4f7bf63354e01109b91";

#[test]
fn pinned_requirements_are_components_with_their_hashes() {
    let hash = "ab".repeat(32);
    let text = format!(
        "# a comment \\\nTyping_Extensions==4.0  # another\nb[x, y] == 1.0 ; python_version < \
         \"3\" \\\n    --hash=sha256:{hash} \\\n    --hash sha512:{}\r\n\nc \
         (===2!1.0+l)\t--hash=md5:{0}\nb==2.0\n\n",
        hash.repeat(2)
    );
    let found = found(Requirements, &text);
    assert_eq!(
        lines(&found),
        [
            "pkg:pypi/typing-extensions@4.0 :2",
            "pkg:pypi/b@1.0 sha256 sha512 :3",
            "pkg:pypi/c@2%211.0%2Bl :7",
            "pkg:pypi/b@2.0 :8"
        ]
    );
    assert_eq!(found.list[0].name, "Typing_Extensions");
    assert_eq!(
        notes(&found),
        "without a hash, so that whoever serves it may serve something else: \
         Typing_Extensions, c, b"
    );
}

#[test]
fn whatever_else_would_be_installed_is_counted() {
    for (line, said) in [
        ("a", "a is not pinned"),
        ("a>=1.0", "a>=1.0 is not pinned"),
        ("a==1.*", "a==1.* is not pinned"),
        ("a>=1.0,!=1.1", "a>=1.0,!=1.1 is not pinned"),
        ("a==1.0,==1.1", "a==1.0,==1.1 is not pinned"),
        ("a==1.*,>1", "a==1.*,>1 is not pinned"),
        ("a==", "a== is not pinned"),
        ("a~=1.0", "a~=1.0 is not pinned"),
        ("-r other.txt", "-r other.txt names another file"),
        ("-rother.txt", "-r other.txt names another file"),
        (
            "--requirement=other.txt",
            "--requirement other.txt names another file",
        ),
        ("-e .", "-e . is editable"),
        (
            "https://u:secret@host/a.whl",
            "https://host/a.whl is an address without name",
        ),
        ("./a.whl", "./a.whl is a local file"),
        (
            "a-1.0-py3-none-any.whl",
            "a-1.0-py3-none-any.whl is a local file",
        ),
        (
            "a @ https://host/a.whl",
            "a is from an address, without a hash",
        ),
        (
            "a @ git+https://host/a@main",
            "a is from git at \"main\", which says no version",
        ),
        ("--odd=1", "--odd is an option that is not known here"),
    ] {
        let found = found(Requirements, &format!("\n{line}\n"));
        assert!(
            found.list.is_empty() && found.unidentified.len() == 1,
            "{line}"
        );
        assert!(
            unidentified(&found)[0].starts_with(&format!(":2 {said}")),
            "{:?}",
            unidentified(&found)
        );
    }
}

#[test]
fn sources_are_of_the_version_that_is_their_commit() {
    let named =
        format!("pkg:pypi/a@{COMMIT}?vcs_url=git%2Bhttps:%2F%2Fhost%2Fa%40{COMMIT} gitCommit :1");
    for (line, said) in [
        (format!("a @ git+https://host/a@{COMMIT}"), named.clone()),
        (
            format!("git+https://host/a@{COMMIT}#egg=a[x]"),
            named.clone(),
        ),
        (format!("-e git+https://host/a@{COMMIT}#egg=a"), named),
        (
            format!("git+https://host/a@{COMMIT}"),
            format!("(git+https://host/a@{COMMIT}) gitCommit :1"),
        ),
        (
            format!("-e git+https://host/a@{COMMIT}"),
            format!("(git+https://host/a@{COMMIT}) gitCommit :1"),
        ),
        (
            "a @ git+https://u:s@host/a@v1.2.0#egg=a".to_owned(),
            "pkg:pypi/a@1.2.0?vcs_url=git%2Bhttps:%2F%2Fhost%2Fa%40v1.2.0 :1".to_owned(),
        ),
    ] {
        assert_eq!(lines(&found(Requirements, &line)), [said], "{line}");
    }
    // The user is no revision.
    for (line, said) in [
        (
            "a @ git+ssh://git@host/o/a",
            ":1 a is from git, and pinned to nothing",
        ),
        (
            "a @ git+https://host/a@main",
            ":1 a is from git at \"main\"",
        ),
        (
            "-e git+https://host/a@v1.2.0",
            "is from git, and has neither a name nor a commit",
        ),
    ] {
        let found = unidentified(&found(Requirements, line)).concat();
        assert!(found.contains(said), "{found}");
    }
}

#[test]
fn a_file_is_named_by_its_address() {
    let (pypi, sum) = ("https://files.pythonhosted.org/p", "ab".repeat(32));
    for (line, said) in [
        (
            format!("{pypi}/Six_URL-1.16.0-py2.py3-none-any.whl#sha256={sum}"),
            "pkg:pypi/six-url@1.16.0 sha256 :1",
        ),
        (format!("{pypi}/a-b-1.0.tar.gz"), "pkg:pypi/a-b@1.0 :1"),
        (
            format!("https://host/my-branch.tar.gz#egg=a&sha256={sum}"),
            "(a) sha256 :1",
        ),
        (
            "https://host/a-1.0.tar.gz".to_owned(),
            "pkg:pypi/a@1.0?download_url=https:%2F%2Fhost%2Fa-1.0.tar.gz :1",
        ),
    ] {
        assert_eq!(lines(&found(Requirements, &line)), [said], "{line}");
    }
}

#[test]
fn what_pins_does_so_whatever_stands_beside_it() {
    for line in ["a==1.0,!=1.1", "a>=0.5, ==1.0", "a (==1.0,<2)", "a===1.0"] {
        assert_eq!(
            lines(&found(Requirements, line)),
            ["pkg:pypi/a@1.0 :1"],
            "{line}"
        );
    }
}

#[test]
fn a_digest_is_enough_without_a_version() {
    let hash = "ab".repeat(32);
    for (line, digest) in [
        (format!("a @ https://host/a.whl#sha256={hash}"), "sha256"),
        (
            format!("a @ https://host/a.whl --hash=sha256:{hash}"),
            "sha256",
        ),
        (format!("a>=1.0 --hash=sha256:{hash}"), "sha256"),
    ] {
        let found = found(Requirements, &line);
        assert_eq!(lines(&found), [format!("(a) {digest} :1")]);
        assert_eq!(notes(&found), "known only by digest: a");
    }
}

#[test]
fn options_that_change_where_packages_come_from_are_noted() {
    let text = "-i https://u:secret@host/simple\n--extra-index-url=https://b\n-c \
        c.txt\n--pre\n--require-hashes\n";
    let found = found(Requirements, text);
    assert!(!notes(&found).contains("secret"));
    assert_eq!(unidentified(&found), ["the whole file names no components"]);
    assert_eq!(
        notes(&found),
        "-i https://host/simple: packages may come from there instead of PyPI\n\
         --extra-index-url https://b: packages may come from there instead of PyPI\n\
         -c c.txt constrains versions, and is not followed"
    );
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    for (text, said) in [
        (
            "a==1\nThis is none!\n",
            "x:2: \"This is none!\" is no requirement",
        ),
        ("a==1 \\\n", "x:1: the line is continued by \\"),
        (
            "a==1 --hash=sha256:12\n",
            "x:1: \"--hash=sha256:12\" is no sha256 in hex",
        ),
        ("a==1 --hash\n", "x:1: \"--hash\" is no digest"),
        ("a==1 2\n", "x:1: \"1 2\" is no version"),
        (
            "a @ https://h/a#sha256=1\n",
            "x:1: \"1\" is no sha256 in hex",
        ),
        ("a[b==1", "x:1: \"a[b==1\" is no requirement"),
    ] {
        let error = refusal(Requirements, text);
        assert!(
            error.starts_with(said) && error.ends_with("correct the line"),
            "{error}"
        );
    }
}
