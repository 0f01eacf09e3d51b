//! A federation of real processes, made and run by the commands that operators type: nodes and
//! witnesses with folders, configurations, cards and a `systemctl` of their own.

use crate::ports::free_address;
use crate::process::{binaries, poll};
use anyhow::{Context, ensure};
use std::{
    fs,
    net::SocketAddr,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// `systemctl start|stop|restart|kill|is-active UNIT` for one host, whose unit is the process that
/// its environment describes. `start` returns once calls are answered, or with 1 if it ended.
const SYSTEMCTL: &str = r#"#!/usr/bin/env bash
pid=$(cat "$HOST_STATE/pid" 2>/dev/null)
# One that ended may be there until somebody asks how.
alive() { [ -n "$pid" ] && grep -qs '^State:[[:space:]]*[^ZX]' "/proc/$pid/status"; }
case "$1" in
is-active) if alive; then echo active; else echo inactive; exit 3; fi ;;
stop|kill)
    signal=TERM; [ "$1" = stop ] || signal=KILL
    alive || exit 0
    kill -$signal "$pid"
    for _ in $(seq 600); do alive || break; sleep 0.05; done
    ! alive ;;
restart) "$0" stop "$2" && exec "$0" start "$2" ;;
start)
    alive && exit 0
    rm -f "$HOST_STATE/ready"
    what=(run); [ "$2" = assay-node ] || what=(witness run)
    # In place of `systemctl`: nothing that is read from it may wait for the process.
    $HOST_WRAPPER assay-node "${what[@]}" --config "$NODE" --ready-file "$HOST_STATE/ready" \
        </dev/null >/dev/null 2>"$HOST_STATE/journal" &
    pid=$!
    echo "$pid" > "$HOST_STATE/pid"
    for _ in $(seq 1200); do
        [ ! -e "$HOST_STATE/ready" ] || exit 0
        if ! alive; then rm -f "$HOST_STATE/pid"; exit 1; fi
        sleep 0.05
    done
    exit 1 ;;
*) echo "this systemctl knows no $1" >&2; exit 2 ;;
esac
"#;

/// `journalctl` for one host.
const JOURNALCTL: &str = "#!/bin/sh\ncat \"$HOST_STATE/journal\"\n";

/// What a host is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A log, with a witness and a mirror in it.
    Node,
    /// A witness that runs by itself.
    Witness,
}

/// A machine of an operator.
#[derive(Debug, Clone)]
pub struct Host {
    /// What it is.
    pub kind: Kind,
    /// What people call it.
    pub name: String,
    /// Its folder.
    pub dir: PathBuf,
    /// Public address, as a URL.
    pub url: String,
    /// Admin address, as a URL.
    pub admin: String,
    state: PathBuf,
    /// Further variables of its environment.
    pub environment: Vec<(String, String)>,
}

impl Host {
    /// Its configuration file.
    pub fn config(&self) -> PathBuf {
        self.dir.join(match self.kind {
            Kind::Node => "node.toml",
            Kind::Witness => "witness.toml",
        })
    }

    /// The configuration of its witness.
    pub fn witness_config(&self) -> PathBuf {
        match self.kind {
            Kind::Node => self.dir.join("witness/witness.toml"),
            Kind::Witness => self.config(),
        }
    }

    /// Its unit.
    pub fn unit(&self) -> &'static str {
        match self.kind {
            Kind::Node => "assay-node",
            Kind::Witness => "assay-witness",
        }
    }
}

/// A federation.
#[derive(Debug)]
pub struct World {
    folder: tempfile::TempDir,
    /// Its machines.
    pub hosts: Vec<Host>,
}

impl World {
    /// Makes nodes and witnesses, makes them each other's peers, and starts them. Each node's log
    /// asks all other witnesses, of whom as many must cosign as are safe.
    pub fn start(nodes: &[&str], witnesses: &[&str]) -> anyhow::Result<Self> {
        let world = World::new(nodes, witnesses)?;
        // Witnesses first: a log that meets none waits before it asks again.
        for host in world.hosts.iter().rev() {
            world.systemctl(host, "start")?;
        }
        Ok(world)
    }

    /// The same, of which nothing runs yet.
    pub fn new(nodes: &[&str], witnesses: &[&str]) -> anyhow::Result<Self> {
        World::at(nodes, witnesses, |_| Ok((free_address()?, free_address()?)))
    }

    /// The same, where `addresses` says of each host its public and its admin address, by its
    /// number.
    pub fn at(
        nodes: &[&str],
        witnesses: &[&str],
        addresses: impl Fn(usize) -> anyhow::Result<(SocketAddr, SocketAddr)>,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("assay-fed-").tempdir()?;
        let mut world = World {
            folder,
            hosts: Vec::new(),
        };
        world.tools()?;
        fs::create_dir(world.cards())?;
        let nodes = nodes.iter().map(|name| (*name, Kind::Node));
        for (name, kind) in nodes.chain(witnesses.iter().map(|name| (*name, Kind::Witness))) {
            let host = world.host(name, kind, addresses(world.hosts.len())?)?;
            world.hosts.push(host);
        }
        for host in &world.hosts {
            world.join(host)?;
        }
        Ok(world)
    }

    /// The folder in which operators exchange cards.
    pub fn cards(&self) -> PathBuf {
        self.folder.path().join("cards")
    }

    /// The folder of everything.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The host of a name.
    pub fn of(&self, name: &str) -> anyhow::Result<&Host> {
        let mut hosts = self.hosts.iter();
        hosts
            .find(|host| host.name == name)
            .with_context(|| format!("no host {name}"))
    }

    /// Runs a script on a host, with `bash -euo pipefail`, in the folder of cards.
    pub fn run(&self, host: &Host, script: &str) -> anyhow::Result<Output> {
        let mut command = Command::new("bash");
        command.args(["-euo", "pipefail", "-c", script]);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("ASSAY_") {
                command.env_remove(name);
            }
        }
        let path = std::env::var("PATH").unwrap_or_default();
        let tools = self.folder.path().join("bin");
        command
            .env("PATH", format!("{}:{path}", tools.display()))
            .env("HOME", &host.state)
            .env("DIR", &host.dir)
            .env("NODE", host.config())
            .env("NAME", &host.name)
            .env("URL", &host.url)
            .env("ADMIN", &host.admin)
            .env("CARDS", self.cards())
            .env("HOST_STATE", &host.state)
            .env("ORIGIN", format!("{}/log", host.name))
            .env("UNIT", host.unit())
            .env("WITNESS", host.witness_config())
            .env("NO_PROXY", "*")
            .envs(host.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .current_dir(self.cards());
        Ok(command.output()?)
    }

    /// The same, which has to succeed. Returns what it printed.
    pub fn done(&self, host: &Host, script: &str) -> anyhow::Result<String> {
        let output = self.run(host, script)?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "{} on {}: {script}: {said}",
            output.status,
            host.name
        );
        Ok(String::from_utf8(output.stdout)?)
    }

    /// `systemctl start`, `stop` or `kill` on a host.
    pub fn systemctl(&self, host: &Host, what: &str) -> anyhow::Result<()> {
        let done = self.done(host, &format!("systemctl {what} {}", host.unit()));
        done.map(drop).with_context(|| self.journal(host))
    }

    /// Waits until a node shows at least so many entries of its log, and returns how many.
    pub fn grown(&self, name: &str, least: u64) -> anyhow::Result<u64> {
        let host = self.of(name)?;
        poll(|| {
            let shown = self.run(host, "curl -fsS $URL/checkpoint | sed -n 2p")?;
            let size = String::from_utf8_lossy(&shown.stdout).trim().parse().ok();
            Ok(size.filter(|size| *size >= least))
        })
        .with_context(|| self.journal(host))
    }

    /// What the last process of a host wrote.
    pub fn journal(&self, host: &Host) -> String {
        fs::read_to_string(host.state.join("journal")).unwrap_or_default()
    }

    fn tools(&self) -> anyhow::Result<()> {
        let bin = self.folder.path().join("bin");
        fs::create_dir(&bin)?;
        for program in ["assay-node", "assay"] {
            symlink(binaries().join(program), bin.join(program))?;
        }
        for (name, text) in [("systemctl", SYSTEMCTL), ("journalctl", JOURNALCTL)] {
            let path = bin.join(name);
            fs::write(&path, text)?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        }
        Ok(())
    }

    /// Makes a node or a witness, and its card.
    fn host(
        &self,
        name: &str,
        kind: Kind,
        (listen, admin): (SocketAddr, SocketAddr),
    ) -> anyhow::Result<Host> {
        let state = self.folder.path().join(name);
        fs::create_dir(&state)?;
        let host = Host {
            kind,
            name: name.to_owned(),
            dir: state.join("log"),
            url: format!("http://{listen}"),
            admin: format!("http://{admin}"),
            state,
            environment: Vec::new(),
        };
        let addresses = format!("--dir $DIR --listen {listen} --admin {admin}");
        let init = match kind {
            Kind::Node => format!(
                "assay-node init {addresses} --origin $NAME/log --witness $NAME/witness \
                 --mirror $NAME/mirror --audit $NAME/audit"
            ),
            Kind::Witness => format!("assay-node witness init {addresses} --name $NAME/witness"),
        };
        self.done(&host, &init)?;
        if kind == Kind::Node {
            // An idle log grows each second.
            self.done(&host, "sed -i 's/^heartbeat_s = .*/heartbeat_s = 1/' $NODE")?;
        }
        self.done(
            &host,
            "assay-node peer card --config $NODE --name $NAME --url $URL > $NAME.peer",
        )?;
        Ok(host)
    }

    /// Makes all others the peers of a host, and asks their witnesses.
    fn join(&self, host: &Host) -> anyhow::Result<()> {
        let others = self.hosts.iter().filter(|other| {
            // A card without a log is nothing that a witness could be asked about.
            other.name != host.name && (host.kind == Kind::Node || other.kind == Kind::Node)
        });
        let cards: Vec<String> = others.map(|other| format!("{}.peer", other.name)).collect();
        if cards.is_empty() {
            return Ok(());
        }
        let mirror = match host.kind {
            Kind::Node => "--mirror",
            Kind::Witness => "",
        };
        let cards = cards.join(" ");
        self.done(
            host,
            &format!("assay-node peer add {mirror} --config $NODE {cards}"),
        )?;
        if host.kind == Kind::Node {
            self.done(
                host,
                "assay-node peer policy --config $NODE > $DIR/quorum.policy
                printf '\\n[quorum]\\npolicy = \"quorum.policy\"\\n' >> $NODE",
            )?;
        }
        Ok(())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for host in &self.hosts {
            if let Ok(pid) = fs::read_to_string(host.state.join("pid")) {
                let _ = Command::new("kill").args(["-9", pid.trim()]).output();
            }
        }
    }
}
