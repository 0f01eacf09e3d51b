//! Peers that are gone, or lie: what they cost is bounded, and they are named. Honest ones are met
//! all the while.

use super::peer::{Lie, liar, offer, say, silent};
use super::world::{ORIGIN, World, card, until};
use anyhow::ensure;
use assay_proto::v1::HeadsTurn;
use assay_tests::ports::free_address;
use assay_tests::witness::History;
use bytes::Bytes;
use std::sync::atomic::Ordering;
use tonic::Code;

/// Turns of an exchange, by both sides together.
const TURNS: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peers_that_lie_are_named_and_hold_nobody_up() -> anyhow::Result<()> {
    let log = History::new(ORIGIN, 20)?;
    let mut cards = Vec::new();
    let mut counts = Vec::new();
    let lies = [
        (Lie::Endless, "lies"),
        (Lie::Oversized, "lies"),
        (Lie::Unasked, "lies"),
        (Lie::Malformed, "lies"),
        (Lie::Silent, "late"),
    ];
    for (lie, _) in lies {
        let (url, count) = liar(lie).await?;
        cards.push(card(&format!("{lie:?}"), &url, None, "\"gossip\""));
        counts.push(count);
    }
    let gone = format!("http://{}", free_address()?);
    cards.push(card("gone", &gone, None, "\"gossip\""));
    cards.push(card("f.example", &gone, Some(&log), "\"witness\""));
    let mut world = World::new(&["a", "b"], &cards.join("\n"), &[])?;
    world.run()?;
    ensure!(world.add(0, log.request(0, 9)?).await? == 200);
    ensure!(world.add(1, log.fork(3).request(0, 9)?).await? == 200);
    for at in 0..2 {
        world.evidence(at).await?;
    }
    let kinds = lies.map(|(lie, kind)| (format!("{lie:?}"), kind));
    let kinds = kinds
        .into_iter()
        .chain([("gone".to_owned(), "unreachable")]);
    for (name, kind) in kinds {
        let failures = "assay_gossip_failures_total";
        until(&format!("{name} as {kind}"), async || {
            let label = format!("peer=\"{name}\"");
            let failed = world.metric(0, failures, &label).await?;
            Ok((failed > 0.0).then_some(()))
        })
        .await?;
        assert_named(&world, &name, kind).await?;
    }
    for (count, (lie, _)) in counts.iter().zip(lies) {
        let exchanges = count.exchanges.load(Ordering::SeqCst);
        let turns = count.turns.load(Ordering::SeqCst);
        ensure!(
            turns <= exchanges * TURNS / 2,
            "{lie:?}: {turns} in {exchanges}"
        );
    }
    // Nothing that they said counts against anybody.
    let listed = world.get(&format!("{}/misbehavior", world.url(0))).await?;
    ensure!(listed.lines().count() == 1, "{listed}");
    Ok(())
}

/// The first node says once that a peer fails, and how.
async fn assert_named(world: &World, name: &str, kind: &str) -> anyhow::Result<()> {
    let metrics = world
        .get(&format!("{}/metrics", world.nodes[0].ready().admin))
        .await?;
    let named = metrics.lines().any(|line| {
        let is_its = line.contains(&format!("peer=\"{name}\""));
        is_its && line.contains(&format!("kind=\"{kind}\""))
    });
    ensure!(named, "{name} {kind}: {metrics}");
    let said = world.nodes[0].stderr();
    let warned = said
        .lines()
        .filter(|line| line.contains("no heads are exchanged") && line.contains(name));
    ensure!(warned.count() == 1, "{name}: {said}");
    Ok(())
}

fn salted(turn: HeadsTurn) -> HeadsTurn {
    HeadsTurn {
        salt: Bytes::from_static(&[7; 16]),
        ..turn
    }
}

/// What is no turn of an exchange, by what is wrong with it. Nobody asked for the note.
fn no_turns(note: String) -> [(&'static str, Vec<HeadsTurn>); 7] {
    [
        ("salt", vec![HeadsTurn::default()]),
        (
            "salt",
            vec![HeadsTurn {
                salt: Bytes::from_static(b"short"),
                ..offer(1)
            }],
        ),
        ("a second salt", vec![salted(offer(1)), salted(offer(2))]),
        (
            "unasked",
            vec![salted(HeadsTurn {
                notes: vec![note],
                ..HeadsTurn::default()
            })],
        ),
        (
            "long",
            vec![salted(HeadsTurn {
                notes: vec!["x".repeat(4097)],
                ..HeadsTurn::default()
            })],
        ),
        (
            "lines",
            vec![salted(HeadsTurn {
                logs: vec![1; 257],
                heads: vec![1; 257],
                ..HeadsTurn::default()
            })],
        ),
        (
            "evidence",
            vec![salted(HeadsTurn {
                evidence: vec!["x".into()],
                ..HeadsTurn::default()
            })],
        ),
    ]
}

/// Whoever calls is answered within the limits, and refused beyond.
#[tokio::test]
async fn strangers_who_open_exchanges_are_refused_what_no_peer_does() -> anyhow::Result<()> {
    let log = History::new(ORIGIN, 20)?;
    let url = format!("http://{}", free_address()?);
    let known = card("f.example", &url, Some(&log), "\"witness\"");
    let mut world = World::new(&["a"], &known, &[])?;
    world.run()?;
    let url = world.url(0);
    for (what, turns) in no_turns(log.note(9)) {
        let (_, ended) = say(url, turns).await?;
        let code = ended.err().map(|status| status.code());
        ensure!(code == Some(Code::InvalidArgument), "{what}: {code:?}");
    }
    let large = HeadsTurn {
        notes: vec!["x".repeat(700 << 10)],
        ..HeadsTurn::default()
    };
    let (_, ended) = say(url, vec![salted(large)]).await?;
    ensure!(ended.is_err());
    // So many parts that they would take a hundred times their bytes.
    let parts = HeadsTurn {
        notes: vec![String::new(); 100_000],
        ..HeadsTurn::default()
    };
    let (_, ended) = say(url, vec![salted(parts)]).await?;
    ensure!(ended.unwrap_err().code() == Code::ResourceExhausted);
    // Four of its turns are heard, and no more.
    let mut turns = vec![salted(offer(0))];
    turns.extend((1..20).map(offer));
    let (heard, ended) = say(url, turns).await?;
    ensure!(heard == TURNS / 2, "{heard}");
    ensure!(ended.unwrap_err().code() == Code::InvalidArgument);
    // What is true is taken all the same: one of them opens an honest exchange.
    let (heard, ended) = say(url, vec![salted(offer(1))]).await?;
    ensure!(heard <= 1 && ended.is_ok());
    Ok(())
}

/// Strangers come from addresses of their own, as they do on the network. Who opens exchanges and
/// says nothing has two of the places, and not for long.
#[tokio::test]
async fn one_network_does_not_hold_the_places_of_others() -> anyhow::Result<()> {
    let log = History::new(ORIGIN, 20)?;
    let gone = format!("http://{}", free_address()?);
    let known = card("f.example", &gone, Some(&log), "\"witness\"");
    let mut world = World::new(&["a"], &known, &[])?;
    world.run()?;
    let url = world.url(0);
    let stranger = "127.0.0.2";
    let mut held = Vec::new();
    for _ in 0..2 {
        held.push(silent(url, stranger).await??);
    }
    let refused = silent(url, stranger).await?.err();
    ensure!(refused.map(|status| status.code()) == Some(Code::ResourceExhausted));
    let (_, ended) = say(url, vec![salted(offer(1))]).await?;
    ensure!(ended.is_ok(), "{ended:?}");
    for silent in held {
        let code = silent.end().await.err().map(|status| status.code());
        ensure!(code == Some(Code::DeadlineExceeded), "{code:?}");
    }
    ensure!(silent(url, stranger).await?.is_ok());
    Ok(())
}
