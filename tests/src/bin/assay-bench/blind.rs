//! The baseline of `publish_indexed`: a node that keeps no index, and is the program's own node in
//! everything else.

use anyhow::Context;
use assay_node::{
    config::Config,
    index::Index,
    node::{Node, write_ready_file},
    telemetry,
};
use std::path::Path;
use tokio::signal::unix::{SignalKind, signal};

/// Runs until it is told to stop. It is called with the command line of a node, the program's name
/// included.
pub fn serve(arguments: &[String]) -> anyhow::Result<()> {
    let after = |flag: &str| {
        let at = arguments.iter().position(|argument| argument == flag);
        at.and_then(|at| arguments.get(at + 1))
            .with_context(|| format!("{flag} is missing"))
    };
    let config = Config::load(Path::new(after("--config")?))?;
    let ready = after("--ready-file")?;
    telemetry::traces(&config.trace)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let node = Node::start_with(config, |_, _, _| Ok(Index::blind())).await?;
        write_ready_file(Path::new(ready), &node)?;
        terminate.recv().await;
        anyhow::Ok(node.stop().await?)
    })
}

/// The program and the word that make a node's command line run this one.
pub fn wrapper() -> anyhow::Result<Vec<String>> {
    let own = std::env::current_exe()?.to_string_lossy().into_owned();
    Ok(vec![own, "blind".into()])
}
