//! The steps of one case.

use super::expect::{self, Answer};
use super::shop::{Shop, real};
use anyhow::{Context, bail};
use regex_lite::RegexBuilder;
use serde_json::Value;
use std::{fs, path::Path};

/// Runs a case. Returns what did not come out right.
pub fn run(folder: &Path, policy: &Path) -> anyhow::Result<Vec<String>> {
    let text = real(&fs::read_to_string(folder.join("expect.json"))?);
    let plan: Value = serde_json::from_str(&text)?;
    let mut shop = Shop::open(folder, policy)?;
    let mut failures = Vec::new();
    for step in plan["steps"].as_array().context("no steps")? {
        if step["fresh"] == true {
            shop = Shop::open(folder, policy)?;
            continue;
        }
        failures.extend(run_step(&shop, step)?);
    }
    Ok(failures)
}

fn run_step(shop: &Shop, step: &Value) -> anyhow::Result<Vec<String>> {
    if let Some(files) = step["write"].as_object() {
        for (name, content) in files {
            shop.write(name, content)?;
        }
        return Ok(Vec::new());
    }
    if step.get("publish").is_some() {
        return publish(shop, step);
    }
    if step.get("check").is_some() {
        return check(shop, step);
    }
    if let Some(about) = step["lookup"].as_str() {
        return lookup(shop, about, step);
    }
    if step.get("formats").is_some() {
        return formats(shop, step);
    }
    if step.get("scans").is_some() {
        return scans(shop, step);
    }
    bail!("a step of an unknown kind: {step}")
}

/// One text or several.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(texts) => texts.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// A document has to be taken as one of the kinds, and then to have its effect, or else to say that
/// it has none.
fn publish(shop: &Shop, step: &Value) -> anyhow::Result<Vec<String>> {
    let file = step["publish"].as_str().context("no file")?;
    let mut said = String::new();
    for kind in texts(&step["kind"]) {
        let (kind, about) = match kind.split_once(" about ") {
            Some((kind, about)) => (kind, Some(about)),
            None => (kind, step["subject"].as_str()),
        };
        let ran = shop.publish(kind, file, about)?;
        said = format!("{said}{}{}", ran.stdout, ran.stderr);
        if ran.code != Some(0) {
            continue;
        }
        let mut failures = Vec::new();
        for effect in step["effect"].as_array().into_iter().flatten() {
            failures.extend(run_step(shop, effect)?);
        }
        let told = step["unless"]
            .as_str()
            .is_some_and(|unless| finds(unless, &said));
        return Ok(if told { Vec::new() } else { failures });
    }
    Ok(vec![format!("publish {file}: {said}")])
}

fn check(shop: &Shop, step: &Value) -> anyhow::Result<Vec<String>> {
    let choices = step["check"].as_array().context("no arguments")?;
    let commands: Vec<Vec<&str>> = if choices.iter().all(Value::is_array) {
        choices.iter().map(texts).collect()
    } else {
        vec![texts(&step["check"])]
    };
    let policies = match step.get("policy") {
        Some(policies) => texts(policies),
        None => vec!["plain"],
    };
    let mut failures = Vec::new();
    for command in &commands {
        for policy in &policies {
            let Some(answer) = ask(shop, command, policy)? else {
                continue;
            };
            let wrong = expect::wrong(&step["expect"], &answer);
            if wrong.is_empty() {
                return Ok(Vec::new());
            }
            failures.push(format!(
                "check {} ({policy}): {}",
                command.join(" "),
                wrong.join("; ")
            ));
        }
    }
    if failures.is_empty() {
        failures.push(format!("no policy of {policies:?} is known here"));
    }
    Ok(failures)
}

/// The answer for programs, with what people see beside it.
fn ask(shop: &Shop, files: &[&str], policy: &str) -> anyhow::Result<Option<Answer>> {
    let command = [&["check"], files].concat();
    let Some(text) = shop.ask(&command, policy)? else {
        return Ok(None);
    };
    let json = [&command[..], &["--output", "json"]].concat();
    let Some(ran) = shop.ask(&json, policy)? else {
        return Ok(None);
    };
    let report = match ran.stdout.as_str() {
        "" => Value::Null,
        stdout => serde_json::from_str(stdout)?,
    };
    Ok(Some(Answer {
        code: ran.code,
        report,
        text: format!("{}{}", text.stdout, text.stderr),
    }))
}

fn lookup(shop: &Shop, about: &str, step: &Value) -> anyhow::Result<Vec<String>> {
    let ran = shop
        .ask(&["lookup", about], "plain")?
        .context("no policy")?;
    let mut failures = Vec::new();
    for shown in texts(&step["shows"]) {
        if !ran.stdout.contains(shown) {
            failures.push(format!(
                "lookup {about} does not show {shown}: {}",
                ran.stderr
            ));
        }
    }
    for hidden in texts(&step["hides"]) {
        if ran.stdout.contains(hidden) {
            failures.push(format!("lookup {about} shows {hidden}"));
        }
    }
    Ok(failures)
}

/// Files of many formats, each of which has to be read, by its name or as the format that is named.
fn formats(shop: &Shop, step: &Value) -> anyhow::Result<Vec<String>> {
    let mut failures = Vec::new();
    for format in step["formats"].as_array().context("no formats")? {
        let tier = format["tier"].as_str().context("no tier")?;
        let file = format["file"].as_str().context("no file")?;
        let options = texts(&format["options"]);
        let wrong = read(shop, &[&[file], &options[..]].concat(), format)?;
        match (wrong.is_empty(), step["tiers"][tier] == "must") {
            (true, _) => {}
            (false, true) => failures.push(format!("{file}: {}", wrong.join("; "))),
            (false, false) => println!("not yet read: {file} ({tier}): {}", wrong.join("; ")),
        }
    }
    Ok(failures)
}

fn read(shop: &Shop, files: &[&str], format: &Value) -> anyhow::Result<Vec<String>> {
    let mut expected = format.clone();
    if let Some(has) = format["has"].as_array() {
        let each = has
            .iter()
            .filter_map(Value::as_str)
            .map(|key| (key.to_owned(), "listed".into()));
        expected["each"] = Value::Object(each.collect());
    }
    let answer = ask(shop, files, "plain")?.context("no policy")?;
    let wrong = expect::wrong(&expected, &answer);
    let Some(names) = format["format"].as_str().filter(|_| !wrong.is_empty()) else {
        return Ok(wrong);
    };
    let help = shop.run(&["check", "--help"])?.stdout;
    let words = help.split(|c: char| !c.is_alphanumeric() && !"-._".contains(c));
    let mut words: Vec<&str> = words.filter(|word| finds(names, word)).collect();
    words.sort_unstable();
    words.dedup();
    for word in words {
        let named = [files, &["--format", word]].concat();
        let answer = ask(shop, &named, "plain")?.context("no policy")?;
        if expect::wrong(&expected, &answer).is_empty() {
            return Ok(Vec::new());
        }
    }
    Ok(wrong)
}

/// Scans of many tools, each of which has to be taken, or refused with advice.
fn scans(shop: &Shop, step: &Value) -> anyhow::Result<Vec<String>> {
    let mut failures = Vec::new();
    for scan in step["scans"].as_array().context("no scans")? {
        let file = scan["file"].as_str().context("no file")?;
        let kinds = match scan.get("kinds") {
            Some(kinds) => texts(kinds),
            None => vec!["scan"],
        };
        let subject = scan["subject"].as_str();
        let advice = scan["advice"].as_str().unwrap_or("^$");
        let mut said = String::new();
        let mut taken = false;
        for kind in kinds {
            let ran = shop.publish(kind, file, subject)?;
            said = format!("{said}{}{}", ran.stdout, ran.stderr);
            taken |= ran.code == Some(0);
        }
        let shown = match (taken, subject, scan["shows"].as_str()) {
            (true, Some(subject), Some(shows)) => {
                let ran = shop
                    .ask(&["lookup", subject], "plain")?
                    .context("no policy")?;
                finds(shows, &ran.stdout)
            }
            (taken, ..) => taken,
        };
        if !shown && !finds(advice, &said) {
            failures.push(format!("publish scan {file}: {said}"));
        }
    }
    Ok(failures)
}

/// Whether a pattern of a case is found in a text, in any case.
pub fn finds(pattern: &str, text: &str) -> bool {
    let built = RegexBuilder::new(pattern)
        .case_insensitive(true)
        .dot_matches_new_line(true)
        .build();
    built
        .unwrap_or_else(|e| panic!("{pattern}: {e}"))
        .is_match(text)
}
