//! Who does not answer, or not to the end, says nothing: that is no lie, and no answer.

use crate::world::{ASKED, World, package};
use assay_client::ClientError;
use assay_tests::lying::hanging_up;

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_hangs_up_is_unavailable() -> anyhow::Result<()> {
    let world = World::start().await?;
    let labels = [package("alpha"), package("beta")];
    let mut answered = 0;
    for most in [0, 10, 100, 200, 400, 800, 1_200, 1_600, 100_000] {
        let url = hanging_up(&world.node.ready().url, most).await?;
        let looked = match world.client_at(&url, world.log.key.clone()).await {
            Ok(client) => client.lookup(&labels).await.map(drop),
            Err(error) => Err(error.downcast::<ClientError>()?),
        };
        match looked {
            Ok(()) => answered += 1,
            Err(ClientError::Unavailable { .. }) => assert_eq!(answered, 0, "{most}"),
            Err(other) => panic!("after {most} bytes: {other:?}"),
        }
    }
    assert!((1..9).contains(&answered), "{answered} of 9 answered");
    for most in [0, 400] {
        let url = hanging_up(&world.node.ready().url, most).await?;
        world.exits(&world.program_at(&url, &world.node.ready().vkey, &["lookup", ASKED])?, 3, "");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_gone_is_unavailable() -> anyhow::Result<()> {
    let mut world = World::start().await?;
    let client = world.client_at(&world.node.ready().url, world.log.key.clone()).await?;
    world.node.kill()?;
    let error = client.lookup(&[package("alpha")]).await.unwrap_err();
    assert!(matches!(error, ClientError::Unavailable { .. }), "{error:?}");
    let url = world.node.ready().url.clone();
    world.exits(&world.program_at(&url, &world.node.ready().vkey, &["lookup", ASKED])?, 3, "");
    Ok(())
}
