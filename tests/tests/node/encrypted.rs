//! Key files that a passphrase encrypts, and keys that a service is given: nodes and commands that
//! open them, change them, and say what to do if they cannot.

use assay_tests::process::{Node, ORIGIN, assay, assay_command};
use assay_tlog::note::SignerKey;
use std::{
    fs,
    io::{Read as _, Write as _},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// A file of mode 0600 in `folder`.
fn private(folder: &Path, name: &str, content: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, content).unwrap();
    with_mode(&path, 0o600);
    path
}

fn with_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn assert_done(output: &Output) {
    assert!(output.status.success(), "{}", said(output));
}

/// The key files of a node with every part.
const KEYS: [&str; 7] = [
    "log.key",
    "mirror.key",
    "mirror-ml-dsa-44.key",
    "audit.key",
    "audit-ml-dsa-44.key",
    "witness/witness.key",
    "witness/witness-ml-dsa-44.key",
];

/// A node with a witness, a mirror and an auditor, whose keys are encrypted with what `passphrase`
/// holds.
fn encrypted_node(passphrase: &Path) -> Node {
    let arguments = [
        ["--witness", "test.assay.example/witness"],
        ["--mirror", "test.assay.example/mirror"],
        ["--audit", "test.assay.example/audit"],
        ["--passphrase-file", text(passphrase)],
    ];
    let mut arguments = arguments.concat();
    arguments.push("--encrypt-keys");
    Node::init_with(ORIGIN, &arguments).unwrap()
}

/// Sets what `run` finds in its environment.
fn given(node: &mut Node, name: &str, value: &Path) {
    node.environment = vec![(name.to_owned(), text(value).to_owned())];
}

const BY_FILE: &str = "ASSAY_NODE_PASSPHRASE_FILE";
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

fn assert_refused(node: &mut Node, words: &[&str]) {
    let (status, said) = node.run_refused().unwrap();
    assert_eq!(status.code(), Some(3), "{said}");
    for word in words {
        assert!(said.contains(word), "{word:?} is missing: {said}");
    }
}

fn assert_encrypted(node: &Node, key: &str) {
    let path = node.folder().join(key);
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{key}");
    let text = fs::read_to_string(&path).unwrap();
    assert!(
        text.starts_with("-----BEGIN AGE ENCRYPTED FILE-----"),
        "{key}: {text}"
    );
}

#[test]
fn a_node_with_encrypted_keys_runs_with_the_passphrase_and_with_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let [one, two] = ["one", "two"].map(|it| private(folder.path(), it, &format!("{it}\n")));
    let mut node = encrypted_node(&one);
    KEYS.iter().for_each(|key| assert_encrypted(&node, key));
    assert_refused(&mut node, &["log.key is encrypted", "--passphrase-file"]);
    given(&mut node, BY_FILE, &two);
    assert_refused(
        &mut node,
        &["log.key cannot be opened", "the passphrase is wrong"],
    );
    given(&mut node, BY_FILE, &folder.path().join("none"));
    assert_refused(&mut node, &["there is no key file", "none"]);
    let log_key = node.folder().join("log.key");
    let whole = fs::read_to_string(&log_key).unwrap();
    given(&mut node, BY_FILE, &one);
    fs::write(&log_key, &whole[..whole.len() / 2]).unwrap();
    assert_refused(&mut node, &["log.key cannot be opened", "it is cut"]);
    fs::write(&log_key, whole).unwrap();

    node.run().unwrap();
    // A node that runs makes the next key, and keeps it as it keeps the one of now.
    assert_done(
        &node
            .assay_node(
                &["key", "rotate", "log"],
                &["--passphrase-file", text(&one)],
            )
            .unwrap(),
    );
    assert_encrypted(&node, "log.key.next");
    node.stop().unwrap();

    for part in ["log", "witness", "mirror", "audit"] {
        change(&node, part, &one, &["--new-passphrase-file", text(&two)]);
        // As after a run that was cut off.
        change(&node, part, &one, &["--new-passphrase-file", text(&two)]);
    }
    assert_refused(&mut node, &["the passphrase is wrong"]);
    // A service's credential, as systemd gives it: readable by a group of that service alone.
    let credentials = folder.path().join("credentials");
    fs::create_dir(&credentials).unwrap();
    with_mode(&private(&credentials, "assay-passphrase", "two"), 0o440);
    given(&mut node, CREDENTIALS, &credentials);
    node.run().unwrap();
    node.stop().unwrap();

    for part in ["log", "witness", "mirror", "audit"] {
        change(&node, part, &two, &["--remove"]);
    }
    node.environment.clear();
    node.run().unwrap();
    assert_eq!(node.vkey().unwrap(), node.ready().vkey);
    node.stop().unwrap();
}

/// Changes the passphrase of a part of a node.
fn change(node: &Node, part: &str, by: &Path, arguments: &[&str]) {
    let by = ["--passphrase-file", text(by)];
    let done = node.assay_node(&["key", "passphrase", part], &[&by, arguments].concat());
    assert_done(&done.unwrap());
}

#[test]
fn a_passphrase_that_cannot_be_changed_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let [one, two] = ["one", "two"].map(|it| private(folder.path(), it, it));
    let node = encrypted_node(&one);
    let files = || KEYS.map(|key| fs::read(node.folder().join(key)).unwrap());
    let before = files();
    for (arguments, words) in [
        (&["--remove"][..], "--passphrase-file"),
        (&["--remove", "--passphrase-file", text(&two)], "is wrong"),
        (
            &[
                "--passphrase-file",
                text(&two),
                "--new-passphrase-file",
                text(&two),
            ],
            "is wrong",
        ),
        (
            &["--passphrase-file", text(&one)],
            "no passphrase to encrypt with",
        ),
        (
            &[
                "--passphrase-file",
                text(&one),
                "--new-passphrase-file",
                "/dev/null",
            ],
            "/dev/null",
        ),
    ] {
        let output = node.assay_node(&["key", "passphrase", "log"], arguments);
        let output = output.unwrap();
        assert_eq!(output.status.code(), Some(3), "{arguments:?}");
        assert!(
            said(&output).contains(words),
            "{arguments:?}: {}",
            said(&output)
        );
        assert_eq!(files(), before, "{arguments:?}");
    }
}

/// Keys of services are often readable by a group, on memory disks or as credentials.
#[test]
fn a_key_that_a_group_reads_is_used_if_it_is_a_credential() {
    let folder = tempfile::tempdir().unwrap();
    let mut node = Node::init().unwrap();
    let key = folder.path().join("log.key");
    fs::rename(node.folder().join("log.key"), &key).unwrap();
    node.configure(&format!("log.key = {key:?}")).unwrap();
    with_mode(&key, 0o440);
    assert_refused(&mut node, &["mode 0440", "chmod 600"]);
    given(&mut node, CREDENTIALS, folder.path());
    node.run().unwrap();
    node.stop().unwrap();
    for mode in [0o444, 0o460] {
        with_mode(&key, mode);
        assert_refused(&mut node, &["Kubernetes"]);
    }
}

/// What a command answers, and what it wrote.
fn key_command(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = assay(folder, &[&["key"], arguments].concat()).unwrap();
    let both = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(both).unwrap())
}

fn key_refused(folder: &Path, arguments: &[&str], words: &str) {
    let (code, said) = key_command(folder, arguments);
    assert_eq!(code, Some(2), "{arguments:?}: {said}");
    assert!(said.contains(words), "{arguments:?}: {said}");
}

#[test]
fn a_signing_key_is_encrypted_changed_and_decrypted_and_stays_the_same_key() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for name in ["one", "two"] {
        private(folder, name, name);
    }
    let done = |arguments: &[&str]| {
        let (code, said) = key_command(folder, arguments);
        assert_eq!(code, Some(0), "{arguments:?}: {said}");
        said
    };
    let by_one = ["--passphrase-file", "one"];
    let by_two = ["--passphrase-file", "two"];
    let public = |said: &str| {
        let line = said.lines().find(|line| line.starts_with("public key"));
        line.unwrap().to_owned()
    };
    key_refused(
        folder,
        &["new", "k", "--encrypt"],
        "no passphrase to encrypt with",
    );
    assert!(!folder.join("k").exists());
    let made = public(&done(&[&["new", "k", "--encrypt"], &by_one[..]].concat()));
    key_refused(folder, &["new", "k"], "is not overwritten");
    assert!(
        !fs::read_to_string(folder.join("k"))
            .unwrap()
            .contains("PRIVATE KEY")
    );
    key_refused(folder, &["show", "k"], "--passphrase-file");
    key_refused(
        folder,
        &[&["show", "k"], &by_two[..]].concat(),
        "the passphrase is wrong",
    );
    assert_eq!(public(&done(&[&["show", "k"], &by_one[..]].concat())), made);

    let to_two = ["passphrase", "k", "--new-passphrase-file", "two"];
    key_refused(
        folder,
        &[&to_two, &by_two[..]].concat(),
        "the passphrase is wrong",
    );
    done(&[&to_two, &by_one[..]].concat());
    assert!(done(&[&to_two, &by_one[..]].concat()).contains("already"));
    assert_eq!(public(&done(&[&["show", "k"], &by_two[..]].concat())), made);
    let removed = [
        &["passphrase", "k", "--remove", "--output", "json"],
        &by_two[..],
    ]
    .concat();
    assert!(done(&removed).contains("\"encrypted\": false"));
    assert_eq!(public(&done(&["show", "k"])), made);
}

#[test]
fn what_is_no_signing_key_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    private(folder, "one", "one");
    private(folder, "letter", "no key");
    key_refused(
        folder,
        &["passphrase", "letter", "--new-passphrase-file", "one"],
        "holds no Ed25519 private key",
    );
    assert_eq!(fs::read_to_string(folder.join("letter")).unwrap(), "no key");
    let log_key = SignerKey::from_seed("log.example", &[1; 32]).unwrap();
    private(folder, "log.key", &log_key.to_private_string());
    key_refused(folder, &["show", "log.key"], "holds no Ed25519 private key");
}

/// Runs a command on a terminal of its own, at which somebody types these lines.
fn at_a_terminal(folder: &Path, arguments: &[&str], lines: &str) -> Output {
    let command = assay_command(folder, arguments);
    let words: Vec<String> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| format!("'{}'", word.to_str().unwrap()))
        .collect();
    let mut script = Command::new("script");
    script.args([
        "--quiet",
        "--return",
        "--command",
        &words.join(" "),
        "/dev/null",
    ]);
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => script.env(name, value),
            None => script.env_remove(name),
        };
    }
    script.current_dir(folder).stdin(Stdio::piped());
    script.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut script = script.spawn().unwrap();
    let (mut typed, mut shown) = (script.stdin.take().unwrap(), script.stdout.take().unwrap());
    // Each line is typed once it is asked for: what is typed before, the terminal shows.
    let (mut stdout, mut lines, mut byte) = (Vec::new(), lines.lines(), [0]);
    while shown.read(&mut byte).unwrap() > 0 {
        stdout.push(byte[0]);
        if stdout.ends_with(b": ")
            && let Some(line) = lines.next()
        {
            writeln!(typed, "{line}").unwrap();
        }
    }
    let output = script.wait_with_output().unwrap();
    Output { stdout, ..output }
}

#[test]
fn a_passphrase_is_asked_for_at_a_terminal_and_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let new = at_a_terminal(
        folder,
        &["key", "new", "k", "--encrypt"],
        "hidden\nhidden\n",
    );
    assert!(new.status.success(), "{new:?}");
    assert!(!String::from_utf8_lossy(&new.stdout).contains("hidden"));
    assert!(
        !fs::read_to_string(folder.join("k"))
            .unwrap()
            .contains("PRIVATE KEY")
    );
    // Mistyped once, which is forgiven.
    let shown = at_a_terminal(folder, &["key", "show", "k"], "hiden\nhidden\n");
    assert!(shown.status.success(), "{shown:?}");
    assert!(String::from_utf8_lossy(&shown.stdout).contains("public key"));
    let refused = at_a_terminal(folder, &["key", "show", "k"], "a\nb\nc\nhidden\n");
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    let differ = at_a_terminal(folder, &["key", "new", "l", "--encrypt"], "hidden\nhiden\n");
    assert_eq!(differ.status.code(), Some(2), "{differ:?}");
    assert!(!folder.join("l").exists());
}

/// What runs services for others passes variables that nobody set as empty.
#[test]
fn an_empty_variable_is_as_good_as_none() {
    let mut node = Node::init().unwrap();
    given(&mut node, BY_FILE, Path::new(""));
    node.run().unwrap();
    node.stop().unwrap();
}
