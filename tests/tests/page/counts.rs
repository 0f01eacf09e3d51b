//! What does not count looks like it, what has no room is counted, and nothing has no heading.

use super::world::World;

const TARGET: &str = "pkg:cargo/target@1.0.0";

/// The items of a section, without what stands before the first one.
fn items(section: &str) -> impl Iterator<Item = &str> {
    section.split("<li").skip(1)
}

/// How many lines a section says that it leaves out.
fn left_out(section: &str) -> Option<usize> {
    let (before, _) = section.split_once(" more are not shown here")?;
    before.rsplit('>').next()?.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_count_looks_like_it_and_says_why() -> anyhow::Result<()> {
    let world = World::new("").await?;
    let claim = world.supported(&world.makers, TARGET, "2090-05-01").await?;
    world.reply(&world.makers, &claim, "A word.").await?;
    // Whoever did not sign it takes nothing back.
    world.withdraw(&world.stranger, &claim).await?;
    let auditors = &world.auditors;
    let taken_back = world.supported(auditors, TARGET, "2077-05-01").await?;
    world.withdraw(auditors, &taken_back).await?;
    let page = world.page(&format!("/p/{TARGET}")).await?;
    let mut seen = [0; 4];
    for item in items(page.section("Until when")?) {
        let is_idle = item.starts_with(" class=\"idle\"");
        if item.contains("Answer: ") {
            let is_others = item.contains("Somebody");
            assert_eq!(is_idle, is_others, "{item}");
            seen[usize::from(is_others)] += 1;
        } else {
            let is_taken_back = item.contains("2077-05-01");
            assert_eq!(is_idle, is_taken_back, "{item}");
            assert_eq!(item.contains("Does not count:"), is_taken_back, "{item}");
            seen[2 + usize::from(is_taken_back)] += 1;
        }
    }
    assert!(seen.iter().all(|count| *count > 0), "{}", page.text);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_that_have_no_room_are_counted() -> anyhow::Result<()> {
    let world = World::new("").await?;
    let ids: Vec<String> = (0..60).map(|n| format!("CVE-2026-{n:04}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    world.affected_by(&world.makers, TARGET, &ids).await?;
    let page = world.page(&format!("/p/{TARGET}")).await?;
    let section = page.section("Which problems")?;
    let lines = section.matches("<p class=\"says\">").count();
    assert_eq!(
        left_out(section).map(|more| lines + more),
        Some(60),
        "{section}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_calendar_has_no_heading_for_nothing() -> anyhow::Result<()> {
    let world = World::new("").await?;
    world.supported(&world.makers, TARGET, "2090-05-01").await?;
    let page = world.page(&format!("/calendar?purl={TARGET}")).await?;
    assert!(page.text.contains("2090-05-01"), "{}", page.text);
    for heading in [
        "To be announced",
        "Not known",
        "Nobody whom this site trusts says",
        "not all could be checked",
    ] {
        assert!(!page.text.contains(heading), "{}", page.text);
    }
    Ok(())
}
