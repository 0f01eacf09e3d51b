//! What stands between a person and a node: a proxy that has to be asked, and sites that are no
//! node. Neither is evidence against anybody.

use crate::world::{ASKED, World, exits, purl};
use assay_tests::process::assay_command;
use axum::{
    Router,
    http::StatusCode,
    response::{Html, Redirect},
};
use std::{
    process::Output,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};

/// A name that the proxy alone knows.
const NAMED: &str = "http://node.example:7480";

/// A proxy that connects whatever it is asked for to one address. Remembers the first line of each
/// request.
struct HttpProxy {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl HttpProxy {
    async fn start(to: String) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let heard = asked.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(pass(stream, to.clone(), heard.clone()));
            }
        });
        Ok(HttpProxy { url, asked })
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

async fn pass(
    mut stream: TcpStream,
    to: String,
    heard: Arc<Mutex<Vec<String>>>,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    let line = text.lines().next().unwrap_or_default().to_owned();
    heard.lock().unwrap().push(line.clone());
    let mut node = TcpStream::connect(&to).await?;
    if line.starts_with("CONNECT ") {
        stream.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").await?;
    } else {
        node.write_all(&head).await?;
    }
    copy_bidirectional(&mut stream, &mut node).await?;
    Ok(())
}

/// The program at an address, with something in its environment.
fn program_in(
    world: &World,
    environment: &[(&str, &str)],
    url: &str,
    arguments: &[&str],
) -> anyhow::Result<Output> {
    let arguments = [
        arguments,
        &["--log", url, "--log-key", &world.node.ready().vkey],
    ]
    .concat();
    let mut command = assay_command(world.folder(), &arguments);
    command.envs(environment.iter().copied());
    Ok(tokio::task::block_in_place(|| command.output())?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_is_reached_through_the_proxy_of_the_environment() -> anyhow::Result<()> {
    let world = World::start().await?;
    let url = world.node.ready().url.clone();
    let proxy = HttpProxy::start(url.trim_start_matches("http://").into()).await?;
    let look_up = ["lookup", &purl(ASKED), "--policy", "policy.toml"];
    for (environment, at, is_asked) in [
        (vec![("HTTP_PROXY", proxy.url.as_str())], NAMED, true),
        (vec![("all_proxy", proxy.url.as_str())], NAMED, true),
        // This machine needs none.
        (
            vec![("HTTP_PROXY", proxy.url.as_str())],
            url.as_str(),
            false,
        ),
    ] {
        exits(&program_in(&world, &environment, at, &look_up)?, 0, ASKED);
        exits(&program_in(&world, &environment, at, &["audit"])?, 0, "");
        let asked = proxy.asked();
        let connects = asked
            .iter()
            .any(|it| it.starts_with("CONNECT node.example:7480 "));
        let gets = asked
            .iter()
            .any(|it| it.starts_with("GET http://node.example:7480/"));
        assert_eq!((connects, gets), (is_asked, is_asked), "{asked:?}");
        assert_eq!(asked.is_empty(), !is_asked, "{asked:?}");
    }
    let beside = [
        ("HTTP_PROXY", proxy.url.as_str()),
        ("NO_PROXY", "node.example"),
    ];
    let alone = program_in(&world, &beside, NAMED, &look_up)?;
    exits(&alone, 3, "no log answers");
    assert_eq!(proxy.asked(), [] as [String; 0]);
    let other = [("HTTP_PROXY", "https://proxy.example")];
    exits(
        &program_in(&world, &other, NAMED, &["receipt", &"0".repeat(64)])?,
        2,
        "NO_PROXY",
    );
    Ok(())
}

/// Serves a site that is no node, and returns its address.
async fn site(routes: Router) -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Ok(url)
}

/// Speaks HTTP/1 only, as proxies do that were set up for web sites.
async fn old_site() -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 100]).await;
            let page = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
            let _ = stream.write_all(page.as_bytes()).await;
            // Else what was answered may be lost with the connection.
            tokio::spawn(async move { stream.read_to_end(&mut Vec::new()).await });
        }
    });
    Ok(url)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_node_is_said_to_be_none() -> anyhow::Result<()> {
    let world = World::start().await?;
    let page = Router::new().fallback(|| async { Html("<!doctype html><p>Welcome") });
    let down = Router::new().fallback(|| async { (StatusCode::BAD_GATEWAY, Html("<p>Sorry")) });
    let moved = Router::new().fallback(|| async { Redirect::permanent("https://new.example/") });
    let text = Router::new().fallback(|| async { "hello" });
    for (url, said) in [
        (site(page).await?, "what the server answers is a web page"),
        (
            site(down).await?,
            "answered 502 Bad Gateway with a web page",
        ),
        (site(moved).await?, "redirects to https://new.example/"),
        (site(text).await?, "what the server answers is of no node"),
        (old_site().await?, "does not speak HTTP/2"),
    ] {
        let of_one = program_in(
            &world,
            &[],
            &url,
            &["issuer", "show", &world.first.id.to_string()],
        )?;
        exits(&of_one, 3, said);
        let looked = program_in(
            &world,
            &[],
            &url,
            &["lookup", &purl(ASKED), "--policy", "policy.toml"],
        )?;
        exits(&looked, 3, said);
    }
    Ok(())
}
