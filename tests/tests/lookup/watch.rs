//! `assay watch`: nothing is missed, whatever ends: the program, the command that it runs, the
//! node.

use crate::{AT_ONCE, person::Person};
use anyhow::{Context, bail, ensure};
use assay_tests::ports::free_address;
use assay_tests::process::{Node, new_key};
use assay_tests::receiver::Receiver;
use serde_json::Value;
use std::{
    fs,
    io::{BufRead, BufReader, Read},
    process::{Child, ChildStderr, ChildStdout, Command, Stdio},
};

/// What is watched.
const ALPHA: &str = "pkg:cargo/alpha";

/// A watch that runs.
struct Watch {
    process: Child,
    out: BufReader<ChildStdout>,
    err: BufReader<ChildStderr>,
}

impl Watch {
    /// Starts it, and waits until it watches: from here on, what is published is shown.
    fn start(person: &Person, more: &[&str]) -> anyhow::Result<Self> {
        let mut command = person.command(&[&["watch", ALPHA, "--output", "json"], more].concat());
        let mut process = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let out = BufReader::new(process.stdout.take().context("no stdout")?);
        let err = BufReader::new(process.stderr.take().context("no stderr")?);
        let mut watch = Watch { process, out, err };
        watch.wait_for("watching")?;
        Ok(watch)
    }

    /// Reads what it says to people, up to a line with these words.
    fn wait_for(&mut self, words: &str) -> anyhow::Result<()> {
        let mut said = String::new();
        while self.err.read_line(&mut said)? > 0 {
            if said.lines().last().is_some_and(|line| line.contains(words)) {
                return Ok(());
            }
        }
        bail!("it ended without saying {words:?}: {said}")
    }

    /// The next claim.
    fn next(&mut self) -> anyhow::Result<Value> {
        let mut line = String::new();
        ensure!(self.out.read_line(&mut line)? > 0, "it ended");
        Ok(serde_json::from_str(&line)?)
    }

    fn signal(&self, name: &str) -> anyhow::Result<()> {
        let pid = self.process.id().to_string();
        ensure!(
            Command::new("kill")
                .args([format!("-{name}"), pid])
                .status()?
                .success(),
            "kill failed"
        );
        Ok(())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn start() -> anyhow::Result<(Node, Person)> {
    start_with(AT_ONCE)
}

fn start_with(configuration: &str) -> anyhow::Result<(Node, Person)> {
    let node = Node::start_with(configuration)?;
    let person = Person::at(node.ready())?;
    person.register("auditor")?;
    Ok((node, person))
}

fn publish(person: &Person, number: usize) -> anyhow::Result<String> {
    person.audit(
        "auditor",
        "pkg:cargo/alpha@1.0.0",
        &format!("criterion-{number}"),
    )
}

/// The claims that whole lines show.
fn ids(text: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line: &str| {
            serde_json::from_str::<Value>(line).ok()?["claim_id"]
                .as_str()
                .map(str::to_owned)
        })
        .collect()
}

#[test]
fn a_claim_is_shown_once_published_and_the_next_watch_goes_on_behind_it() -> anyhow::Result<()> {
    let (_node, person) = start()?;
    publish(&person, 0)?;
    let mut watch = Watch::start(&person, &[])?;
    let first = publish(&person, 1)?;
    let shown = watch.next()?;
    assert_eq!(shown["claim_id"], first.as_str());
    assert_eq!(shown["watched"][0], ALPHA);
    assert_eq!(shown["lines"][0]["says"], "passed a review for criterion-1");
    assert_eq!(
        (
            &shown["lines"][0]["issuers"][0]["name"],
            &shown["lines"][0]["effect"]
        ),
        (&"auditor".into(), &true.into())
    );
    assert_eq!(
        shown["statement"]["predicate"]["criteria"][0],
        "criterion-1"
    );

    // The same is watched by one process.
    let second = person.run(&["watch", ALPHA, "--once"])?;
    assert_eq!(
        second.status.code(),
        Some(3),
        "{}",
        String::from_utf8_lossy(&second.stderr)
    );
    // It is on the disk before the next one is shown.
    let next = publish(&person, 2)?;
    assert_eq!(watch.next()?["claim_id"], next.as_str());
    watch.signal("INT")?;
    assert!(
        watch.process.wait()?.success(),
        "to be told to stop is no failure"
    );

    let later = [publish(&person, 3)?, publish(&person, 4)?];
    let once = person.run(&["watch", ALPHA, "--once", "--output", "json"])?;
    let shown = ids(&String::from_utf8(once.stdout)?);
    // At most the last one is shown twice: it may have been stopped between the line and the note
    // of it.
    assert!(
        shown == later || shown == [&[next], &later[..]].concat(),
        "{shown:?}"
    );
    let again = person.run(&["watch", ALPHA, "--once"])?;
    assert!(again.status.success() && again.stdout.is_empty());
    let all = person.run(&["watch", ALPHA, "--once", "--from-start", "--output", "json"])?;
    assert_eq!(ids(&String::from_utf8(all.stdout)?).len(), 5);
    Ok(())
}

#[test]
fn killed_in_the_middle_of_its_output_it_loses_nothing() -> anyhow::Result<()> {
    let (_node, person) = start()?;
    let published = (0..120)
        .map(|number| publish(&person, number))
        .collect::<anyhow::Result<Vec<_>>>()?;
    // Nobody reads: once the pipe is full, the watch stands in the middle of a line.
    let mut watch = Watch::start(&person, &["--from-start"])?;
    let mut first = String::new();
    watch.out.read_line(&mut first)?;
    watch.process.kill()?;
    watch.process.wait()?;
    let mut before = Vec::new();
    watch.out.read_to_end(&mut before)?;
    let before = ids(&(first + &String::from_utf8_lossy(&before)));
    assert!(
        !before.is_empty() && before.len() < published.len(),
        "{} lines",
        before.len()
    );

    let rest = person.run(&["watch", ALPHA, "--once", "--output", "json"])?;
    ensure!(
        rest.status.success(),
        "{}",
        String::from_utf8_lossy(&rest.stderr)
    );
    let after = ids(&String::from_utf8(rest.stdout)?);
    let repeated = (before.len() + after.len())
        .checked_sub(published.len())
        .context("something was lost")?;
    assert!(repeated <= 1, "{repeated} claims were shown twice");
    let expected: Vec<&String> = before.iter().chain(&after[repeated..]).collect();
    assert!(
        expected.into_iter().eq(&published),
        "every claim, in the order of the log"
    );
    Ok(())
}

#[test]
fn a_claim_whose_command_fails_is_not_done() -> anyhow::Result<()> {
    let (_node, person) = start()?;
    let published = [
        publish(&person, 0)?,
        publish(&person, 1)?,
        publish(&person, 2)?,
    ];
    let exec = |command: &str, more: &[&str]| {
        person.run(&[&["watch", ALPHA, "--once", "--exec", command], more].concat())
    };
    // The second claim stops it, twice; then all goes well.
    let stops = "cat > now; if grep -q criterion-1 now; then exit 7; fi; cat now >> done";
    for (more, expected) in [(&["--from-start"][..], 1), (&[], 1)] {
        let output = exec(stops, more)?;
        assert_eq!(
            output.status.code(),
            Some(1),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert_eq!(
            ids(&fs::read_to_string(person.folder().join("done"))?).len(),
            expected
        );
    }
    assert!(exec("cat >> done", &[])?.status.success());
    assert_eq!(
        ids(&fs::read_to_string(person.folder().join("done"))?),
        published
    );
    // A command need not read what it is given.
    publish(&person, 3)?;
    assert!(exec("true", &[])?.status.success());
    Ok(())
}

#[test]
fn a_node_that_goes_away_and_comes_back_is_followed_again() -> anyhow::Result<()> {
    let at = format!("server.listen = \"{}\"", free_address()?);
    let (mut node, person) = start_with(&format!("{AT_ONCE}\n{at}"))?;
    let mut watch = Watch::start(&person, &[])?;
    node.stop()?;
    watch.wait_for("does not answer")?;
    node.run()?;
    let claim = publish(&person, 1)?;
    assert_eq!(watch.next()?["claim_id"], claim.as_str());
    // With --once nobody waits for it.
    watch.signal("TERM")?;
    assert!(watch.process.wait()?.success());
    node.stop()?;
    assert_eq!(
        person.run(&["watch", ALPHA, "--once"])?.status.code(),
        Some(3)
    );
    Ok(())
}

/// A webhook that is not there delays a claim, and loses none.
#[test]
fn a_claim_waits_for_the_webhook_that_takes_it() -> anyhow::Result<()> {
    let (_node, person) = start()?;
    new_key(person.folder(), "webhook.pem")?;
    let receiver = Receiver::bind()?;
    let url = receiver.url();
    let webhook = ["--webhook", &url, "--webhook-key", "webhook.pem"];
    let once = [&["watch", ALPHA, "--once"], &webhook[..]].concat();
    let nothing = person.run(&once)?;
    ensure!(nothing.status.success(), "{nothing:?}");
    receiver.refuse(true);
    let first = publish(&person, 1)?;
    let refused = person.run(&once)?;
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(3), "{said}");
    ensure!(said.contains("did not take leaf"), "{said}");
    ensure!(refused.stdout.is_empty(), "it was shown: {refused:?}");

    let mut watch = Watch::start(&person, &webhook)?;
    watch.wait_for("did not take leaf")?;
    receiver.refuse(false);
    let shown = watch.next()?;
    assert_eq!(shown["claim_id"], first.as_str());
    let event = receiver.taken().context("nothing arrived")?;
    assert_eq!(event["type"], "assay.watch.claim");
    assert_eq!(event["time"], shown["logged_at"]);
    assert_eq!(event["data"], shown);
    let second = publish(&person, 2)?;
    assert_eq!(watch.next()?["claim_id"], second.as_str());
    let next = receiver.taken().context("nothing arrived")?;
    assert_eq!(next["data"]["claim_id"], second.as_str());
    ensure!(next["id"] != event["id"], "two events have one id");

    let both = person.run(&[&once[..], &["--exec", "true"]].concat())?;
    assert_eq!(both.status.code(), Some(2));

    // A receiver that is gone ends it, and the claim waits for another one.
    drop(watch);
    receiver.go();
    let third = publish(&person, 3)?;
    let ended = person.run(&[&["watch", ALPHA], &webhook[..]].concat())?;
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(3), "{said}");
    ensure!(
        said.contains("410 Gone; the next watch begins with it"),
        "{said}"
    );
    receiver.refuse(false);
    let mut watch = Watch::start(&person, &webhook)?;
    assert_eq!(watch.next()?["claim_id"], third.as_str());
    Ok(())
}

/// What cannot be an address is refused before anything is asked.
#[test]
fn a_webhook_is_an_address() -> anyhow::Result<()> {
    let (_node, person) = start()?;
    new_key(person.folder(), "webhook.pem")?;
    for address in ["http://", "https://exam ple", "http://127.0.0.1:99999/x"] {
        let hook = ["--webhook", address, "--webhook-key", "webhook.pem"];
        let refused = person.run(&[&["watch", ALPHA], &hook[..]].concat())?;
        let said = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{address}: {said}");
        ensure!(said.contains("is no webhook"), "{address}: {said}");
    }
    Ok(())
}
