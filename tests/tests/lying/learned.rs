//! What a log that watches learns of private questions: the test plays the log.

use crate::world::{World, exits, package, payload};
use assay_claims::claim::ClaimId;
use assay_claims::index::{By, Kind, Name, Prefix, Query};
use assay_proto::v1::Wait;
use std::collections::BTreeSet;

/// Packages in the log, which the log knows all of.
const PACKAGES: usize = 3000;

/// Packages in the lock file.
const ASKED: usize = 12;

fn name(number: usize) -> String {
    format!("p{number}")
}

/// A statement about each package.
async fn publish_all(world: &World) -> anyhow::Result<()> {
    let numbers: Vec<usize> = (0..PACKAGES).collect();
    for numbers in numbers.chunks(500) {
        let mut calls = Vec::new();
        for number in numbers {
            let statement = payload(&format!("pkg:cargo/{}", name(*number)))?;
            calls.push(
                world
                    .log
                    .publish(world.first.sign(&statement), Wait::Integrated),
            );
        }
        for answer in futures::future::join_all(calls).await {
            answer?;
        }
    }
    Ok(())
}

/// The packages that begin like a prefix.
fn fitting(prefix: &Prefix) -> BTreeSet<usize> {
    let mut fitting = BTreeSet::new();
    for number in 0..PACKAGES {
        if prefix.holds(package(&name(number)).prefix().first()) {
            fitting.insert(number);
        }
    }
    fitting
}

/// The claims that somebody asks about by name.
fn claims_asked_about(heard: &[Query]) -> BTreeSet<Name> {
    let mut asked = BTreeSet::new();
    for query in heard {
        if let Query::Names { names, .. } = query {
            asked.extend(names.iter().copied());
        }
    }
    asked
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_watches_private_questions_learns_a_few_bits() -> anyhow::Result<()> {
    let world = World::start().await?;
    publish_all(&world).await?;
    let names: Vec<String> = (0..ASKED).map(|number| name(number * 7)).collect();
    let file = world.lock_file_of(&names)?;
    let told = world.program(&["check", &file, "--private"])?;
    exits(&told, 0, "instead of names");

    let heard: Vec<Query> = world
        .proxy
        .lies()
        .heard
        .iter()
        .map(|(query, _)| query.clone())
        .collect();
    let asked = claims_asked_about(&heard);
    let mut crowds = Vec::new();
    for query in &heard {
        let Query::Crowd { prefix, by } = query else {
            continue;
        };
        // How many names share how many bits is measured by asking what nobody said.
        if *by == [By::predicate_type("")] {
            continue;
        }
        assert!(prefix.bits() <= 12, "{prefix:?}");
        let crowd = fitting(prefix);
        // What follows is asked for the whole crowd: it tells nothing that the prefix does not.
        for number in &crowd {
            let id = ClaimId::of_payload(&payload(&format!("pkg:cargo/{}", name(*number)))?);
            let claim = Name::new(Kind::Claim, &id.to_hex());
            let is_asked = asked.contains(&claim);
            assert!(
                is_asked || crowds.is_empty(),
                "{number} is left out of {prefix:?}"
            );
        }
        crowds.push(crowd);
    }
    for number in (0..ASKED).map(|number| number * 7) {
        let name = package(&name(number));
        assert!(!asked.contains(&name), "{number} was named");
        let among = crowds.iter().filter(|crowd| crowd.contains(&number));
        let among = among.map(BTreeSet::len).min().unwrap_or_default();
        assert!(among >= 48, "{number} hides among {among} packages");
    }
    let mut sizes: Vec<usize> = crowds.iter().map(BTreeSet::len).collect();
    sizes.sort_unstable();
    println!(
        "of {PACKAGES} packages, {ASKED} were asked for; the log can tell that each is one of \
         {sizes:?}"
    );
    Ok(())
}
