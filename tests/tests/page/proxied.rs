//! Pages behind a proxy on the same machine that passes on connections.

use super::world::World;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// As HAProxy does with `send-proxy`.
const CONFIGURATION: &str =
    "server.trusted_proxies = [\"127.0.0.1\"]\nserver.proxy_protocol = true";

const CALLER: &str = "PROXY TCP4 192.0.2.1 10.0.0.1 4711 80\r\n";

const PATIENCE: Duration = Duration::from_secs(60);

async fn get(world: &World, header: &str, path: &str) -> anyhow::Result<String> {
    let address = world.node.ready().url.replace("http://", "");
    let mut stream = TcpStream::connect(address).await?;
    let question = format!("GET {path} HTTP/1.1\r\nHost: log\r\nConnection: close\r\n\r\n");
    // Who does not say for whom it speaks is closed, maybe before it has asked.
    let _ = stream
        .write_all(format!("{header}{question}").as_bytes())
        .await;
    let mut answer = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// The pages come from the proxy's address, too, and are no proxy.
#[tokio::test(flavor = "multi_thread")]
async fn pages_ask_the_node_that_a_proxy_of_its_machine_speaks_to() -> anyhow::Result<()> {
    let mut world = World::new("").await?;
    world.affected(&world.makers, "pkg:cargo/bad@1.0.0").await?;
    world.node.stop()?;
    world.node.configure(CONFIGURATION)?;
    world.node.run()?;
    let page = get(&world, CALLER, "/p/pkg:cargo/bad@1.0.0").await?;
    assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
    assert!(page.contains("Do something about it."), "{page}");
    let badge = get(&world, CALLER, "/badge/pkg:cargo/bad@1.0.0.json").await?;
    assert!(badge.contains("read this"), "{badge}");
    // Whoever else comes from there says for whom it speaks.
    assert_eq!(get(&world, "", "/checkpoint").await?, "");
    Ok(())
}
