//! A network of namespaces: a switch, and a line from it to each host.

use anyhow::{Context, ensure};
use std::{
    net::Ipv4Addr,
    process::{Command, Stdio},
};

/// The address of a host, by its number.
pub fn address(host: usize) -> Ipv4Addr {
    Ipv4Addr::new(10, 77, 0, u8::try_from(host + 1).unwrap_or(u8::MAX))
}

/// A command that runs the program given to it with namespaces of its own for users, mounts and
/// the network, so that nothing of it stays.
pub fn enter() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "--net", "--"]);
    command
}

/// Fails with why the system allows no namespaces.
pub fn is_allowed() -> Result<(), String> {
    // All that the network below takes.
    let try_it = "mount -t tmpfs none /run && ip netns add x && ip link add s type bridge && \
                  ip link add l type veth peer netns x name r && ip netns exec x true";
    let tried = enter()
        .args(["sh", "-c", try_it])
        .stdin(Stdio::null())
        .output();
    match tried {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Err(format!("unshare: {error}")),
    }
}

/// The network, in the namespace of this process.
pub struct Network {
    hosts: Vec<String>,
}

impl Network {
    /// Makes a namespace with an address for each of these hosts, all on one switch.
    pub fn new(hosts: &[&str]) -> anyhow::Result<Self> {
        ip("link set lo up")?;
        run("mount", "-t tmpfs none /run")?;
        ip("link add switch type bridge")?;
        ip("link set switch up")?;
        for (i, host) in hosts.iter().enumerate() {
            ip(&format!("netns add {host}"))?;
            ip(&format!(
                "link add line-{host} type veth peer netns {host} name line"
            ))?;
            ip(&format!("link set line-{host} master switch up"))?;
            ip(&format!("-n {host} link set lo up"))?;
            ip(&format!("-n {host} addr add {}/24 dev line", address(i)))?;
            ip(&format!("-n {host} link set line up"))?;
        }
        Ok(Network {
            hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
        })
    }

    /// Loses so many of a hundred packets on each line, in each direction. Returns what was done:
    /// a system without netem loses none.
    pub fn lose(&self, percent: u8) -> anyhow::Result<String> {
        for host in &self.hosts {
            let loss = format!("root netem loss {percent}%");
            let near = run("tc", &format!("qdisc add dev line-{host} {loss}"));
            let far = format!("netns exec {host} tc qdisc add dev line {loss}");
            if let Err(why) = near.and_then(|()| ip(&far)) {
                return Ok(format!(
                    "left out: this system's tc loses no packets, so that none are lost here: {why}"
                ));
            }
        }
        Ok(format!("{percent} % of all packets are lost"))
    }

    /// Cuts the line of a host.
    pub fn cut(&self, host: &str) -> anyhow::Result<()> {
        ip(&format!("link set line-{host} down"))
    }

    /// Mends it.
    pub fn mend(&self, host: &str) -> anyhow::Result<()> {
        ip(&format!("link set line-{host} up"))
    }
}

fn ip(arguments: &str) -> anyhow::Result<()> {
    run("ip", arguments)
}

fn run(program: &str, arguments: &str) -> anyhow::Result<()> {
    let output = Command::new(program)
        .args(arguments.split(' '))
        .stdin(Stdio::null())
        .output()
        .with_context(|| program.to_owned())?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{program} {arguments}: {}",
        said.trim()
    );
    Ok(())
}
