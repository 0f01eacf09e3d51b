//! The first sentence, one of five, and what stands under it.

use super::world::{World, practice};
use assay_claims::claim::PublicKey;
use assay_tests::ports::free_address;
use assay_tlog::Hash;
use assay_tlog::note::{Algorithm, CosignerKey, SignerKey};
use serde_json::Value;
use std::fs;

/// What was said of some packages.
async fn world(head: &str) -> anyhow::Result<World> {
    let world = World::new(head).await?;
    let (makers, auditors) = (&world.makers, &world.auditors);
    for purl in ["pkg:cargo/good@1.0.0", "pkg:cargo/old@1.0.0"] {
        world.built(makers, purl).await?;
        world.reviewed(auditors, purl).await?;
    }
    world
        .supported(makers, "pkg:cargo/good", "2090-05-01")
        .await?;
    world
        .supported(makers, "pkg:cargo/old", "2020-01-01")
        .await?;
    world.affected(makers, "pkg:cargo/bad@1.0.0").await?;
    world
        .affected(&world.stranger, "pkg:cargo/rumor@1.0.0")
        .await?;
    Ok(world)
}

/// Of some packages which sentence stands on their page, in which style, and why.
const SENTENCES: [(&str, &str, &str, &str); 5] = [
    ("bad", "act", "Do something about it.", "CVE-2026-0001"),
    (
        "old",
        "plan",
        "Plan to do something about it.",
        "security support until 2020-01-01",
    ),
    (
        "good",
        "quiet",
        "Nothing that this site knows of speaks against it, and it was reviewed by our \
         auditors, whom this site trusts as auditor.",
        "",
    ),
    (
        "nobody",
        "unsaid",
        "Nobody whom this site trusts has said anything about it.",
        "No claims from issuers this site trusts.",
    ),
    (
        "rumor",
        "unsaid",
        "Nobody whom this site trusts has said anything about it.",
        "No claims from issuers this site trusts; 1 claim from others.",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn each_state_has_its_sentence_with_date_and_reason() -> anyhow::Result<()> {
    let world = world("").await?;
    for (name, stand, sentence, why) in SENTENCES {
        let page = world.page(&format!("/p/pkg:cargo/{name}@1.0.0")).await?;
        assert_eq!(page.status, 200);
        let block = page.sentence();
        assert!(
            block.contains(&format!("class=\"sentence {stand}\"")),
            "{name}: {block}"
        );
        assert!(
            block.contains(&format!("<strong>{sentence}</strong>")),
            "{name}: {block}"
        );
        assert!(block.contains(why), "{name}: {block}");
        assert!(
            block.contains("As of 20") && block.contains("just now"),
            "{name}: {block}"
        );
        assert!(block.contains("Example Foundation"), "{name}: {block}");
        // It stands before everything else that is said.
        let first = page.text.find("class=\"sentence").unwrap();
        assert!(
            page.text.find("<h2>").is_none_or(|heading| first < heading),
            "{name}"
        );
        // It is a reader of the site who reads, and not who wrote its policy.
        for word in [
            "you trust",
            "Your policy",
            "your policy",
            "you do not trust",
        ] {
            assert!(!page.text.contains(word), "{name}: {word}");
        }
    }
    // A stranger's word is shown, and as what it is.
    let rumor = world.page("/p/pkg:cargo/rumor@1.0.0").await?;
    let problems = rumor.section("Which problems are known")?;
    assert!(problems.contains("CVE-2026-0001: affected"), "{problems}");
    assert!(
        problems.contains("whom this site does not trust for anything"),
        "{problems}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_checked_is_said_first() -> anyhow::Result<()> {
    // Nothing listens there.
    let url = format!("http://{}", free_address()?);
    let gone = SignerKey::from_seed("gone.example/log", &[3; 32])?.verifier();
    let mut world = world("").await?;
    let own = world.log.key.to_string();
    let file = world.node.folder().join("page.policy.toml");
    let before = fs::read_to_string(&file)?;
    let two = format!("[[log]]\nkey = \"{own}\"\n\n[[log]]\nkey = \"{gone}\"\nurl = \"{url}\"\n");
    let witness = CosignerKey::from_seed("witness.example/w", Algorithm::CosignatureV1, &[4; 32])?;
    let witness = witness.verifier();
    let unwitnessed =
        format!("[[log]]\nkey = \"{own}\"\n\n[[witness]]\nname = \"w\"\nkey = \"{witness}\"\n");
    for (policy, says, is_one_there) in [
        (
            format!("{before}\n{two}"),
            "no answer from the log gone.example/log",
            true,
        ),
        (
            format!("quorum = 1\n{before}\n{unwitnessed}"),
            "no answer that enough witnesses confirm from the log",
            false,
        ),
    ] {
        fs::write(&file, policy)?;
        world.node.stop()?;
        world.node.run()?;
        for name in ["good", "bad", "nobody"] {
            let page = world.page(&format!("/p/pkg:cargo/{name}@1.0.0")).await?;
            let block = page.sentence();
            assert!(
                block.contains("class=\"sentence unchecked\""),
                "{name}: {block}"
            );
            assert!(
                block.contains("This could not be checked fully."),
                "{name}: {block}"
            );
            assert!(block.contains(says), "{name}: {block}");
            // What speaks against it does not speak for that.
            let heading = page.text.contains("What is known all the same");
            let is_known = is_one_there && name == "bad";
            assert_eq!(heading, is_known, "{name}: {}", page.text);
            assert!(!page.text.contains("What else speaks for that"), "{name}");
            let (note, heading) = (page.text.find("<p class=\"note\">"), page.text.find("<h2>"));
            assert!(
                note.zip(heading)
                    .is_some_and(|(note, heading)| note < heading),
                "{name}"
            );
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_stand_in_their_order_and_replies_in_what_they_answer() -> anyhow::Result<()> {
    let world = world("").await?;
    let (makers, purl) = (&world.makers, "pkg:cargo/bad@1.0.0");
    let rumor = world.affected(&world.stranger, purl).await?;
    let denial = "This was never in a release.";
    world.reply(makers, &rumor, denial).await?;
    let names = practice("Names of users.", &["name"]);
    world
        .say(makers, purl, "urn:assay:practice:v1", names)
        .await?;
    let page = world.page(&format!("/p/{purl}")).await?;
    let headings = [
        "Until when is it supported, and who says so?",
        "Which problems are known, and do they reach you?",
        "What data does it handle?",
        "Who has looked at it?",
        "Where does it come from?",
        "Where can you report a problem?",
    ];
    let places = headings.map(|heading| page.text.find(&format!("<h2>{heading}</h2>")));
    assert!(
        places.iter().all(Option::is_some) && places.is_sorted(),
        "{places:?}"
    );
    assert!(
        page.section(headings[0])?
            .contains("Nobody has said anything.")
    );
    assert!(
        page.section(headings[2])?
            .contains("collects name, sends to nobody")
    );
    let report = page.section(headings[5])?;
    assert!(
        report.contains("how to report one: https://example.org/report"),
        "{report}"
    );
    let problems = page.section(headings[1])?;
    assert!(
        problems.contains("CVE-2026-0001: it reaches this, says our makers"),
        "{problems}"
    );
    // The reply is in the item of the stranger's claim, and of no other.
    let items = problems
        .split("<li>\n")
        .chain(problems.split("<li class=\"idle\">\n"));
    let answered: Vec<&str> = items.filter(|item| item.contains(&rumor)).collect();
    let reply = "Answer: <bdi>our makers, whom this site trusts as maintainer: disputes it";
    assert!(problems.matches(reply).count() == 1, "{problems}");
    let item = answered.iter().min_by_key(|item| item.len()).unwrap();
    assert!(item.contains(reply), "{item}");
    // And how to check it all.
    let command = "assay lookup pkg:cargo/bad@1.0.0 --log ADDRESS";
    assert!(page.text.contains(command));
    assert!(page.text.contains("--policy page.policy.toml"));
    let proof = format!("api/v1/receipt/{rumor}.tlog-proof");
    assert!(page.text.contains(&proof));
    assert_eq!(world.get(&format!("/{proof}")).await?.status(), 200);
    Ok(())
}

/// Whoever signs the same statement makes a claim of the same id: a proof is of the line's signer.
#[tokio::test(flavor = "multi_thread")]
async fn a_line_leads_to_its_own_proof_and_not_to_who_said_the_same_first() -> anyhow::Result<()> {
    let world = World::new("").await?;
    let purl = "pkg:cargo/copied@1.0.0";
    let claim = world.reviewed(&world.stranger, purl).await?;
    assert_eq!(world.reviewed(&world.auditors, purl).await?, claim);
    let page = world.page(&format!("/p/{purl}")).await?;
    let reviews = page.section("Who has looked at it?")?;
    let mut proven = Vec::new();
    for item in reviews.split("<li").skip(1) {
        let leaf = item.split("data-leaf=\"").nth(1).unwrap();
        let leaf = leaf.split('"').next().unwrap();
        let proof = format!("api/v1/receipt/{claim}.tlog-proof?leaf={leaf}");
        assert!(item.contains(&format!("{proof}\"")), "{item}");
        let text = world.get(&format!("/{proof}")).await?.text().await?;
        assert!(text.contains(&format!("index {leaf}\n")), "{text}");
        let whole = format!("/api/v1/receipt/{claim}?leaf={leaf}");
        let whole: Value = serde_json::from_slice(&world.get(&whole).await?.bytes().await?)?;
        let envelope = whole["envelope"].as_str().unwrap();
        let is_trusted = item.contains("our auditors");
        let signer = if is_trusted {
            &world.auditors
        } else {
            &world.stranger
        };
        let key = PublicKey::from(&signer.keys[0]);
        let key = Hash::of(key.as_bytes()).to_hex();
        assert!(envelope.contains(&key), "{envelope}");
        proven.push(is_trusted);
    }
    proven.sort_unstable();
    assert_eq!(proven, [false, true], "{reviews}");
    for wrong in ["0", "100000", "18446744073709551615"] {
        let file = format!("/api/v1/receipt/{claim}.tlog-proof?leaf={wrong}");
        assert_eq!(world.get(&file).await?.status(), 404, "{wrong}");
    }
    let claims = world.page(&format!("/c/{claim}")).await?.text;
    assert!(
        claims.contains("Others may have signed the same"),
        "{claims}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_is_shown_and_whose_it_is() -> anyhow::Result<()> {
    let world = world("").await?;
    let page = world.page("/policy").await?;
    assert!(
        page.text
            .contains("These are the rules of Example Foundation."),
        "{}",
        page.text
    );
    assert!(
        page.text.contains("name = &#34;our makers&#34;"),
        "{}",
        page.text
    );
    let file = world.get("/policy.toml").await?.text().await?;
    assert!(file.contains("name = \"our makers\""), "{file}");
    let home = world.page("/").await?;
    assert!(
        home.text
            .contains("weighed by the policy of <bdi>Example Foundation</bdi>")
    );
    Ok(())
}
