//! What a log that watches learns of private questions: the test plays the log.

use crate::world::{self, World, exits, issuer, package, payload, purl};
use assay_claims::claim::ClaimId;
use assay_claims::index::{By, Kind, Name, Prefix, Query};
use assay_proto::v1::Wait;
use assay_tests::issuer::Actor;
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

/// What the log was asked.
fn heard(world: &World) -> Vec<Query> {
    let lies = world.proxy.lies();
    lies.heard.iter().map(|(query, _)| query.clone()).collect()
}

/// What somebody asks about by its whole name.
fn named(heard: &[Query]) -> BTreeSet<Name> {
    let mut named = BTreeSet::new();
    for query in heard {
        match query {
            Query::Names { names, .. } => named.extend(names.iter().copied()),
            Query::Page { label, .. } => drop(named.insert(label.name())),
            Query::Crowd { prefix, .. } | Query::Census(prefix) => {
                let whole = prefix.bits() >= Name::BITS;
                named.extend(whole.then(|| prefix.first().name()));
            }
        }
    }
    named
}

/// Whoever listens to everyone, and whoever asks about an issuer, names it no more than who asks
/// what a policy's own issuers said.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_looked_up_privately_is_named() -> anyhow::Result<()> {
    let world = World::start().await?;
    let asked = package(world::ASKED);
    let told = world.program(&["lookup", &purl(world::ASKED), "--private", "--everyone"])?;
    exits(&told, 0, "Asked privately");
    assert!(!named(&heard(&world)).contains(&asked));

    world.proxy.lies().heard.clear();
    let stranger = Actor::new(&[4], 1).id;
    let told = world.program(&["lookup", &format!("issuer:{stranger}"), "--private"])?;
    exits(&told, 0, "Asked privately");
    let named = named(&heard(&world));
    assert!(!named.contains(&issuer(&stranger)));
    let digest = Name::new(Kind::Digest, &format!("sha256:{stranger}"));
    assert!(!named.contains(&digest));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_watches_private_questions_learns_a_few_bits() -> anyhow::Result<()> {
    let world = World::start().await?;
    publish_all(&world).await?;
    let names: Vec<String> = (0..ASKED).map(|number| name(number * 7)).collect();
    let file = world.lock_file_of(&names)?;
    let told = world.program(&["check", &file, "--private"])?;
    exits(&told, 0, "instead of names");

    let heard = heard(&world);
    let asked = named(&heard);
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
            assert!(asked.contains(&claim), "{number} is left out of {prefix:?}");
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
