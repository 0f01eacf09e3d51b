//! The demo that the README promises: it runs to its end, and shows what it is there to show.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test reports by panicking"
)]

use assay_tests::process::binaries;
use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
};

/// What a command printed: what stands between the line `$ command` and the next one like it,
/// however its lines were broken.
fn printed(output: &str, command: &str) -> String {
    let start = format!("\n$ {command}");
    let from = output
        .find(&start)
        .unwrap_or_else(|| panic!("it did not run {command}:\n{output}"));
    let rest = &output[from + 1..];
    let own = &rest[..rest.find("\n$ ").unwrap_or(rest.len())];
    own.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The demo, not run yet.
fn demo() -> Command {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let target = binaries().parent().unwrap();
    let mut demo = Command::new(root.join("scripts/demo"));
    demo.env("CARGO_TARGET_DIR", target).current_dir(root);
    demo
}

#[test]
fn the_demo_ends_with_a_lookup_and_a_check_that_show_what_does_not_count_any_more() {
    let demo = demo().output().unwrap();
    let output = String::from_utf8(demo.stdout).unwrap();
    assert!(
        demo.status.success(),
        "{output}\n{}",
        String::from_utf8_lossy(&demo.stderr)
    );

    let lookup = printed(&output, "assay lookup pkg:cargo/serde@");
    for said in [
        "withdraws it: \"We had reviewed another version.\"",
        "complete",
    ] {
        assert!(lookup.contains(said), "no {said:?} in:\n{lookup}");
    }
    // Public records were bridged, or what stands for them.
    let bridged = printed(&output, "assay bridge ");
    assert!(bridged.contains("published "), "{bridged}");
    assert!(!bridged.contains("published 0"), "{bridged}");
    let hyper = printed(&output, "assay lookup pkg:cargo/hyper@");
    for said in ["by public records", "it is only about other products"] {
        assert!(hyper.contains(said), "no {said:?} in:\n{hyper}");
    }
    let check = printed(&output, "assay check Cargo.lock");
    for said in [
        "1 past end of support",
        "pkg:cargo/tokio@",
        "pkg:cargo/serde@",
        "1 whose only claim found was withdrawn",
        "nothing was left out",
    ] {
        assert!(check.contains(said), "no {said:?} in:\n{check}");
    }
    assert!(output.contains("\nexit code 1\n"), "{output}");

    // The log was stopped, and a mirror answered the same in its place.
    let through = printed(&output, "assay check Cargo.lock --mirror ");
    for said in [
        "1 past end of support",
        "nothing was left out",
        "its own node does not answer, and its mirror http://127.0.0.1:",
    ] {
        assert!(through.contains(said), "no {said:?} in:\n{through}");
    }

    // The log's key signed two histories, and the log was refused for it.
    let forged = printed(&output, "assay-forge");
    assert!(forged.contains("answer 422"), "{forged}");
    // Who was not shown it heard of it, and cosigns nothing more.
    let heard = output.matches("split  log a.example/log").count();
    assert!(heard >= 2, "{output}");
    assert!(output.contains("answer    403"), "{output}");
    let refused = output.find("\nexit code 4\n").unwrap();
    let last = output.rfind("\nexit code 4\n").unwrap();
    assert!(refused < last, "{output}");
    let verified = printed(&output, "assay misbehavior verify");
    assert!(verified.contains("a.example/log"), "{verified}");
}

/// A process with all that it started, which end with it.
struct Group(Child);

impl Group {
    /// Sends a signal to all of them, as a terminal does. Returns whether there is anybody.
    fn signal(&self, signal: &str) -> bool {
        let group = format!("-{}", self.0.id());
        let kill = Command::new("kill")
            .args([signal, "--", &group])
            .stderr(Stdio::null())
            .status();
        kill.unwrap().success()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal("-TERM");
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_of_the_demo_are_kept_until_ctrl_c_which_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let script = demo();
    // Where tests run in the background of a script, that script's shell ignores Ctrl-C, and so
    // would all that it starts.
    let mut demo = Command::new("env");
    demo.arg("--default-signal=INT")
        .arg(script.get_program())
        .envs(
            script
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .current_dir(script.get_current_dir().unwrap())
        .env("KEEP", "1")
        .env("TMPDIR", folder.path())
        .stdout(Stdio::piped())
        .process_group(0);
    let mut demo = Group(demo.spawn().unwrap());
    let mut lines = BufReader::new(demo.0.stdout.take().unwrap()).lines();
    let mut printed = String::new();
    let mut addresses = Vec::new();
    // The end of the output would be the end of the demo.
    while addresses.len() < 2 {
        let Some(line) = lines.next().transpose().unwrap() else {
            panic!("it ended before it showed two pages:\n{printed}");
        };
        printed += &format!("{line}\n");
        if line.starts_with("http://") {
            addresses.push(line);
        }
    }
    assert!(printed.contains("until you press Ctrl-C"), "{printed}");
    for (address, says) in addresses.iter().zip(["support until", "withdr"]) {
        let answer = reqwest::get(address).await.unwrap();
        assert_eq!(answer.status(), 200, "{address}");
        let page = answer.text().await.unwrap();
        assert!(page.contains("class=\"sentence"), "{address}: {page}");
        assert!(page.contains(says), "{address}: {page}");
    }
    assert!(demo.0.try_wait().unwrap().is_none(), "it ended by itself");

    assert!(demo.signal("-INT"));
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    let status = demo.0.wait().unwrap();
    assert!(status.success(), "{status}: {rest:?}");
    assert!(!demo.signal("-0"), "something of it still runs");
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}
