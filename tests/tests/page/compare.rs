//! Two packages side by side.

use super::world::{Page, World};
use anyhow::Context;

/// Titles of rows, and what stands in each, of one side and of the other.
const ROWS: [(&str, &str, &str); 7] = [
    (
        "What follows",
        "speaks against it",
        "Do something about it.",
    ),
    ("Until when", "2090-05-01", "Nobody has said anything."),
    (
        "Which problems",
        "Nobody has said anything.",
        "CVE-2026-0001",
    ),
    (
        "What data",
        "Nobody has said anything.",
        "Nobody has said anything.",
    ),
    (
        "Who has looked",
        "our auditors",
        "Nobody has said anything.",
    ),
    (
        "Where does it come from",
        "our makers",
        "Nobody has said anything.",
    ),
    ("Where can you report", "Nobody has said", "Nobody has said"),
];

/// What stands in a row of the table, of each side.
fn row<'p>(page: &'p Page, title: &str) -> anyhow::Result<Vec<&'p str>> {
    let of = |body: &&str| {
        body.split("</th>")
            .next()
            .is_some_and(|head| head.contains(title))
    };
    let mut bodies = page.text.split("<tbody").skip(1);
    let body = bodies
        .find(of)
        .with_context(|| format!("{title}: {}", page.text))?;
    let body = body.split("</tbody>").next().unwrap_or_default();
    Ok(body.split("<td>").skip(1).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_is_said_of_both() -> anyhow::Result<()> {
    let world = World::new("").await?;
    let (good, bad) = ("pkg:cargo/good@1.0.0", "pkg:npm/%40a/bad@2.0.0");
    world.built(&world.makers, good).await?;
    world.supported(&world.makers, good, "2090-05-01").await?;
    world.reviewed(&world.auditors, good).await?;
    let problem = world.affected(&world.makers, bad).await?;
    world
        .reply(&world.auditors, &problem, "We do not think so.")
        .await?;
    let to = "/compare?a=pkg:cargo/good@1.0.0&b=pkg:npm/%2540a/bad@2.0.0";
    let page = world.page(to).await?;
    assert_eq!(page.status, 200);
    for (title, first, second) in ROWS {
        let cells = row(&page, title)?;
        assert_eq!(cells.len(), 2, "{title}: {}", page.text);
        for (cell, (said, other)) in cells.iter().zip([(first, second), (second, first)]) {
            assert!(cell.contains(said), "{title}: {said}: {cell}");
            assert!(said == other || !cell.contains(other), "{title}: {cell}");
        }
    }
    let answered = row(&page, "Which problems")?;
    assert!(
        answered[1].contains("We do not think so."),
        "{}",
        answered[1]
    );
    for word in ["winner", "recommend", "points", "worse than"] {
        assert!(!page.text.contains(word), "{word}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_package_is_asked_for() -> anyhow::Result<()> {
    let world = World::new("").await?;
    // Its place is told on the page of a package, and the other one is asked for there.
    let one = world.page("/p/pkg:cargo/good@1.0.0").await?;
    let link = "compare?a=pkg:cargo/good@1.0.0";
    assert!(one.text.contains(&format!("./{link}\"")), "{}", one.text);
    let form = world.page(&format!("/{link}")).await?;
    assert!(
        form.text.contains("value=\"pkg:cargo/good@1.0.0\""),
        "{}",
        form.text
    );
    assert!(!form.text.contains("<table"), "{}", form.text);
    // What is still to be named is not wrong.
    assert!(!form.text.contains("role=\"status\""), "{}", form.text);
    let wrong = world.page("/compare?a=%3Cb%3E&b=pkg:cargo/a").await?;
    assert!(wrong.text.contains("role=\"status\""), "{}", wrong.text);
    let same = world.page("/compare?a=pkg:cargo/a&b=pkg:cargo/a").await?;
    assert!(
        same.text.contains("Both are the same package."),
        "{}",
        same.text
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_policy_both_are_shown_and_neither_is_judged() -> anyhow::Result<()> {
    let world = World::unweighed().await?;
    world.affected(&world.makers, "pkg:cargo/bad@1.0.0").await?;
    let page = world
        .page("/compare?a=pkg:cargo/bad@1.0.0&b=pkg:cargo/other")
        .await?;
    assert!(row(&page, "Which problems")?[0].contains("CVE-2026-0001"));
    assert!(row(&page, "What follows").is_err());
    for word in ["Do something", "trust as", "Plan to"] {
        assert!(!page.text.contains(word), "{word}: {}", page.text);
    }
    Ok(())
}
