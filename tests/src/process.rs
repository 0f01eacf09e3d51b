//! Real processes: builds the project's binaries once, starts a node on loopback, kills it, starts
//! it again.

use anyhow::{Context, bail, ensure};
use assay_tlog::note::SignerKey;
use serde::Deserialize;
use std::{
    fs::{self, File},
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

/// The origin of every test log.
pub const ORIGIN: &str = "test.assay.example/log";

/// Longest time that a node gets to start or to stop. It needs a hundredth of it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A variable of the environment. Where it is set, the binaries are up to date: scripts/guards runs
/// each test by itself, and thousands of them.
const BUILT: &str = "ASSAY_TESTS_BUILT";

/// Builds the binaries, once a process, and returns the folder that they are in.
///
/// `cargo test` builds the libraries of the workspace's members but not their binaries, so a test
/// would otherwise run whatever was built last.
pub fn binaries() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        build().unwrap_or_else(|error| panic!("the binaries cannot be built: {error:#}"))
    })
}

fn build() -> anyhow::Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("the workspace has no folder")?;
    // A test's own binary is in <target>/<profile>/deps, the benchmark's one folder above. The same
    // target folder, whoever started this: building RocksDB into another one would take half an
    // hour.
    let own = std::env::current_exe()?;
    let folder = own.parent().map(|folder| {
        if folder.ends_with("deps") {
            folder.parent()
        } else {
            Some(folder)
        }
    });
    let folder = folder
        .flatten()
        .context("this program is in no target folder")?;
    if std::env::var_os(BUILT).is_none() {
        let target = folder.parent();
        build_into(root, target.context("this program is in no target folder")?)?;
    }
    ensure!(
        folder.join("assay-node").exists(),
        "assay-node was built into another folder than this program"
    );
    Ok(folder.to_owned())
}

fn build_into(root: &Path, target: &Path) -> anyhow::Result<()> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["build", "--quiet", "--workspace", "--bins"])
        .current_dir(root);
    cargo.arg("--target-dir").arg(target);
    let profile = env!("ASSAY_TEST_PROFILE");
    if profile == "release" {
        cargo.arg("--release");
    }
    ensure!(cargo.status()?.success(), "cargo build failed");
    Ok(())
}

/// Runs `assay` with arguments, from `folder`, with a state folder of its own. The environment's
/// `ASSAY_*` is left out.
pub fn assay(folder: &Path, arguments: &[&str]) -> anyhow::Result<Output> {
    Ok(assay_command(folder, arguments).output()?)
}

/// Makes a signing key in `folder`. It takes no log, and refuses to be given one.
pub fn new_key(folder: &Path, file: &str) -> anyhow::Result<()> {
    let output = assay(folder, &["key", "new", file])?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "assay key new {file}: {said}");
    Ok(())
}

/// The same as [`assay`], not run yet.
pub fn assay_command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(binaries().join("assay"));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy().to_ascii_uppercase();
        if text.starts_with("ASSAY_") || text.ends_with("_PROXY") {
            command.env_remove(name);
        }
    }
    command
        .env("HOME", folder)
        .env("XDG_CONFIG_HOME", folder.join("config"))
        .env("XDG_STATE_HOME", folder.join("state"));
    command
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null());
    command
}

/// What a node writes once it answers.
#[derive(Debug, Clone, Deserialize)]
pub struct Ready {
    /// Public address, as a URL.
    pub url: String,
    /// Admin address, as a URL.
    pub admin: String,
    /// The log's origin.
    pub origin: String,
    /// The log's verifier key.
    pub vkey: String,
}

/// A node's folder, with or without a process.
#[derive(Debug)]
pub struct Node {
    folder: PathBuf,
    /// The folder's owner, unless another node owns it.
    _owned: Option<tempfile::TempDir>,
    /// Name of the configuration file in the folder, and of this process's other files.
    name: String,
    process: Option<Child>,
    ready: Option<Ready>,
    /// Set for the process, for tests that make the system misbehave.
    pub environment: Vec<(String, String)>,
    /// A program with arguments that becomes the node (`env --ignore-signal=XFSZ`), so that the
    /// process id stays the node's.
    pub wrapper: Vec<String>,
    /// More arguments of `assay-node run`.
    pub arguments: Vec<String>,
}

impl Node {
    /// Makes a log in a folder of its own; nothing runs yet.
    pub fn init() -> anyhow::Result<Self> {
        Node::init_as(ORIGIN)
    }

    /// Makes a log with an origin of its own.
    pub fn init_as(origin: &str) -> anyhow::Result<Self> {
        Node::init_with(origin, &[])
    }

    /// The same, with more arguments for `assay-node init`.
    pub fn init_with(origin: &str, arguments: &[&str]) -> anyhow::Result<Self> {
        Node::init_within(origin, arguments, Vec::new())
    }

    /// The same, and `environment` is set for this node from `init` on.
    pub fn init_within(
        origin: &str,
        arguments: &[&str],
        environment: Vec<(String, String)>,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("assay-node-").tempdir()?;
        let output = Command::new(binaries().join("assay-node"))
            .args([
                "init",
                "--origin",
                origin,
                "--listen",
                "127.0.0.1:0",
                "--admin",
                "127.0.0.1:0",
                "--dir",
            ])
            .arg(folder.path())
            .args(arguments)
            .envs(environment.iter().map(|(k, v)| (k, v)))
            .output()?;
        ensure!(
            output.status.success(),
            "init failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let path = folder.path().to_owned();
        let mut node = Node::at(path, "node", Some(folder));
        node.environment = environment;
        Ok(node)
    }

    fn at(folder: PathBuf, name: &str, owned: Option<tempfile::TempDir>) -> Self {
        let (environment, wrapper, arguments) = Default::default();
        Node {
            folder,
            _owned: owned,
            name: name.to_owned(),
            process: None,
            ready: None,
            environment,
            wrapper,
            arguments,
        }
    }

    /// A second node on another one's folder, with a copy of its configuration changed by `edits`;
    /// nothing runs yet.
    pub fn beside(first: &Node, edits: &str) -> anyhow::Result<Self> {
        let second = Node::at(first.folder.clone(), "second", None);
        fs::copy(first.config(), second.config())?;
        second.configure(edits)?;
        Ok(second)
    }

    /// A copy of a node that is stopped, in a folder of its own: the same log, and nothing that it
    /// does to its disk reaches the first one. Nothing runs yet.
    pub fn copy_of(first: &Node) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("assay-node-").tempdir()?;
        let path = folder.path().to_owned();
        let copy = Node::at(path, &first.name, Some(folder));
        fs::copy(first.config(), copy.config())?;
        for file in ["log.key", "checkpoints"] {
            fs::copy(first.folder.join(file), copy.folder.join(file))?;
        }
        copy_folder(&first.folder.join("data"), &copy.folder.join("data"))?;
        Ok(copy)
    }

    /// Runs `assay-node` with these words, the configuration and these arguments, to its end.
    pub fn assay_node(&self, words: &[&str], arguments: &[&str]) -> anyhow::Result<Output> {
        let mut command = Command::new(binaries().join("assay-node"));
        command.args(words).arg("--config").arg(self.config());
        command.envs(self.environment.iter().map(|(k, v)| (k, v)));
        Ok(command.args(arguments).stdin(Stdio::null()).output()?)
    }

    /// Makes a log and runs it.
    pub fn start() -> anyhow::Result<Self> {
        Self::start_with("")
    }

    /// Makes a log, changes its configuration by `edits` (`table.key = value` lines), and runs it.
    pub fn start_with(edits: &str) -> anyhow::Result<Self> {
        let mut node = Node::init()?;
        node.configure(edits)?;
        node.run()?;
        Ok(node)
    }

    /// Sets keys of the configuration: one `table.key = value` a line.
    pub fn configure(&self, edits: &str) -> anyhow::Result<()> {
        let mut text = fs::read_to_string(self.config())?;
        for edit in edits.lines().map(str::trim).filter(|edit| !edit.is_empty()) {
            let (name, value) = edit
                .split_once('=')
                .context("an edit is table.key = value")?;
            let (table, key) = name
                .trim()
                .split_once('.')
                .context("an edit is table.key = value")?;
            text = set(&text, table, key, value.trim())
                .with_context(|| format!("{name} is not in the configuration"))?;
        }
        Ok(fs::write(self.config(), text)?)
    }

    /// Appends to the configuration: a table that the file has only as a comment.
    pub fn append_configuration(&self, text: &str) -> anyhow::Result<()> {
        let before = fs::read_to_string(self.config())?;
        Ok(fs::write(self.config(), format!("{before}\n{text}\n"))?)
    }

    /// The log's verifier key, from the key file: also of a node that never ran.
    pub fn vkey(&self) -> anyhow::Result<String> {
        let text = fs::read_to_string(self.folder().join("log.key"))?;
        Ok(SignerKey::parse(text.trim())?.verifier().to_string())
    }

    /// The folder: `node.toml`, `log.key`, `checkpoints`, `data/`.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn config(&self) -> PathBuf {
        self.folder.join(format!("{}.toml", self.name))
    }

    fn command(&self, ready: &Path) -> anyhow::Result<Command> {
        let node = binaries().join("assay-node");
        let mut command = match self.wrapper.split_first() {
            None => Command::new(node),
            Some((wrapper, arguments)) => {
                let mut command = Command::new(wrapper);
                command.args(arguments).arg(node);
                command
            }
        };
        command
            .arg("run")
            .arg("--config")
            .arg(self.config())
            .arg("--ready-file")
            .arg(ready)
            .args(&self.arguments);
        command.envs(self.environment.iter().map(|(k, v)| (k, v)));
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(self.stderr_path())?);
        Ok(command)
    }

    fn ready_path(&self) -> PathBuf {
        self.folder.join(format!("{}.ready", self.name))
    }

    fn stderr_path(&self) -> PathBuf {
        self.folder.join(format!("{}.stderr", self.name))
    }

    /// What the last process wrote to standard error.
    pub fn stderr(&self) -> String {
        fs::read_to_string(self.stderr_path()).unwrap_or_default()
    }

    /// Runs the node and waits until it answers.
    pub fn run(&mut self) -> anyhow::Result<()> {
        let ready = self.ready_path();
        let _ = fs::remove_file(&ready);
        let mut process = self.command(&ready)?.spawn()?;
        let exited = poll(|| match process.try_wait()? {
            Some(status) => Ok(Some(Some(status))),
            None => Ok(ready.exists().then_some(None)),
        })?;
        if let Some(status) = exited {
            bail!("the node ended with {status}: {}", self.stderr());
        }
        self.ready = Some(serde_json::from_slice(&fs::read(&ready)?)?);
        self.process = Some(process);
        Ok(())
    }

    /// Runs the node, which must refuse to start. Returns how it ended and what it said.
    pub fn run_refused(&mut self) -> anyhow::Result<(ExitStatus, String)> {
        let ready = self.ready_path();
        let _ = fs::remove_file(&ready);
        let mut process = self.command(&ready)?.spawn()?;
        let status = poll(|| {
            if ready.exists() {
                let _ = process.kill();
                bail!("the node started, though it should have refused");
            }
            Ok(process.try_wait()?)
        })?;
        Ok((status, self.stderr()))
    }

    /// Where the node is and what its key is. Panics if it never ran, which is the test's own
    /// mistake.
    #[allow(
        clippy::expect_used,
        reason = "a test that asks before it starts the node is wrong, and no error can mend it"
    )]
    pub fn ready(&self) -> &Ready {
        self.ready.as_ref().expect("the node was started")
    }

    /// The process id.
    pub fn pid(&self) -> anyhow::Result<u32> {
        Ok(self.process.as_ref().context("the node does not run")?.id())
    }

    /// Kills the process at once, as a power cut does to it.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        let mut process = self.process.take().context("the node does not run")?;
        process.kill()?;
        ensure!(
            process.wait()?.signal() == Some(9),
            "the node ended before it was killed: {}",
            self.stderr()
        );
        Ok(())
    }

    /// Sends a signal by name.
    pub fn signal(&self, name: &str) -> anyhow::Result<()> {
        let status = Command::new("kill")
            .arg(format!("-{name}"))
            .arg(self.pid()?.to_string())
            .status()?;
        ensure!(status.success(), "kill -{name} failed");
        Ok(())
    }

    /// Stops the process by SIGTERM, and waits until it has ended well.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        self.signal("TERM")?;
        self.wait()
    }

    /// Waits until the process, which was told to, has ended well.
    pub fn wait(&mut self) -> anyhow::Result<()> {
        let mut process = self.process.take().context("the node does not run")?;
        let status = poll(|| Ok(process.try_wait()?))?;
        ensure!(
            status.success(),
            "the node ended with {status}: {}",
            self.stderr()
        );
        Ok(())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// Asks again until there is an answer. There is no event to wait for: another process makes a
/// file, or ends.
pub fn poll<T>(mut ask: impl FnMut() -> anyhow::Result<Option<T>>) -> anyhow::Result<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask()? {
            return Ok(answer);
        }
        ensure!(
            Instant::now() < deadline,
            "the node took longer than {PATIENCE:?}"
        );
        thread::park_timeout(Duration::from_millis(2));
    }
}

/// The same, for questions that are asked over a network.
pub async fn poll_async<T>(
    mut ask: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask().await? {
            return Ok(answer);
        }
        ensure!(
            Instant::now() < deadline,
            "the node took longer than {PATIENCE:?}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn set(text: &str, table: &str, key: &str, value: &str) -> Option<String> {
    let start = text.find(&format!("[{table}]"))?;
    let body = &text[start..];
    let at = start + body.find(&format!("\n{key} = "))? + 1;
    let end = at + text[at..].find('\n')?;
    Some(format!("{}{key} = {value}{}", &text[..at], &text[end..]))
}

/// The folder that a copy of a node's data can be put in, for tests that restore old copies.
pub fn copy_folder(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else if entry.file_type()?.is_file() {
            // A socket that a killed process left is nothing to copy.
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
