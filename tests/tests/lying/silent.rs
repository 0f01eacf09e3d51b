//! Who does not answer, or not to the end, says nothing: that is no lie, and no answer.

use crate::world::{ASKED, World, exits, package, purl};
use assay_claims::index::Query;
use assay_client::ClientError;
use assay_tests::lying::hanging_up;

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_hangs_up_is_unavailable() -> anyhow::Result<()> {
    let world = World::start().await?;
    let asked = Query::names([package(ASKED), package("beta")], world.by());
    let mut answered = 0;
    // The last is enough for every answer.
    let limits = [0, 10, 100, 200, 400, 800, 1_200, 1_600, 100_000];
    for most in limits {
        let url = hanging_up(&world.node.ready().url, most).await?;
        let looked = match world.client_at(&url, world.log.key.clone()).await {
            Ok(client) => client.lookup(&asked).await.map(drop),
            Err(error) => Err(error.downcast::<ClientError>()?),
        };
        match looked {
            Ok(()) => answered += 1,
            Err(ClientError::Unavailable { .. }) => assert_eq!(answered, 0, "{most}"),
            Err(other) => panic!("after {most} bytes: {other:?}"),
        }
    }
    assert!((1..limits.len()).contains(&answered), "{answered} answered");
    let file = world.lock_file(ASKED)?;
    for most in [0, 400] {
        let url = hanging_up(&world.node.ready().url, most).await?;
        exits(
            &world.program_at(&url, &world.node.ready().vkey, &["lookup", &purl(ASKED)])?,
            3,
            "no log answers",
        );
        exits(
            &world.program_at(&url, &world.node.ready().vkey, &["check", &file])?,
            3,
            "No answer from the log",
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_gone_is_unavailable() -> anyhow::Result<()> {
    let mut world = World::start().await?;
    let url = world.node.ready().url.clone();
    let client = world.client_at(&url, world.log.key.clone()).await?;
    world.node.kill()?;
    let error = client.lookup(&world.query(ASKED)).await.unwrap_err();
    assert!(
        matches!(error, ClientError::Unavailable { .. }),
        "{error:?}"
    );
    let key = world.node.ready().vkey.clone();
    exits(
        &world.program_at(&url, &key, &["lookup", &purl(ASKED)])?,
        3,
        "no log answers",
    );
    exits(
        &world.program_at(&url, &key, &["check", &world.lock_file(ASKED)?])?,
        3,
        "No answer from the log",
    );
    Ok(())
}
