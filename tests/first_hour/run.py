"""Types docs/first-hour.md, block by block, on a machine that is a folder.

    python3 tests/first_hour/run.py PACKAGES NGINX PROMTOOL

PACKAGES is what scripts/release made, NGINX and PROMTOOL are programs. What needs root or a running
systemd stands in: `apt` unpacks the packages, `systemctl` runs what their units say. Paths and ports
are those of the folder; everything else is typed as it stands.
"""

import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
DOCUMENT = HERE.parents[1] / "docs" / "first-hour.md"
PATIENCE = 120  # Seconds for one block, which takes a few.


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, and that the system does not give to whoever connects."""
    ports: list[int] = []
    for port in random.sample(range(10_000, 20_000), 1000):
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        ports.append(port)
        if len(ports) == count:
            return ports
    sys.exit("no port is free")


def blocks(text: str) -> list[tuple[str, list[str]]]:
    """The commands of each block, and the lines that have to be seen."""
    found: list[tuple[str, list[str]]] = []
    for kind, body in re.findall(r"^```(sh|text)\n(.*?)^```$", text, re.M | re.S):
        if kind == "sh":
            found.append((body, []))
        else:
            found[-1][1].extend(body.splitlines())
    return found


def unseen(wanted: list[str], said: str) -> list[str]:
    """The first line that is not seen, if there is one; `…` is anything."""
    lines = iter(said.splitlines())
    for line in wanted:
        pattern = ".*".join(re.escape(part) for part in line.split("…"))
        if not any(re.fullmatch(pattern, it) for it in lines):
            return [line]
    return []


class Machine:
    """A folder that has what a machine has."""

    def __init__(self, root: Path, packages: Path, nginx: str, promtool: str) -> None:
        self.root = root
        self.node, self.admin, self.tls = free_ports(3)
        for folder in ["bin", "home", "etc/nginx/conf.d", "var/lib/assay", "var/backups", "run"]:
            (root / folder).mkdir(parents=True)
        for package in packages.glob("*.deb"):
            shutil.copy(package, root / "home")
        for name in ["sudo", "apt", "systemctl", "journalctl", "nginx"]:
            shutil.copy(HERE / "stand_in.py", root / "bin" / name)
        (root / "bin/promtool").symlink_to(promtool)
        live = root / "etc/letsencrypt/live/localhost"
        live.mkdir(parents=True)
        self.certificate = live / "fullchain.pem"
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        command += ["-subj", "/CN=first hour", "-addext", "subjectAltName=DNS:localhost"]
        command += ["-addext", "basicConstraints=critical,CA:FALSE"]
        command += ["-keyout", str(live / "privkey.pem"), "-out", str(self.certificate)]
        subprocess.run(command, check=True, capture_output=True)
        path = [root / "bin", root / "usr/bin", "/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin"]
        self.environment = {
            "PATH": ":".join(str(folder) for folder in path),
            "HOME": str(root / "home"),
            "ROOT": str(root),
            "NGINX": nginx,
            "PORTS": f"{self.node} {self.admin} {self.tls}",
            "ASSAY_NODE_LISTEN": f"127.0.0.1:{self.node}",
            "ASSAY_NODE_ADMIN": f"127.0.0.1:{self.admin}",
            "ASSAY_TLS_CA": str(self.certificate),
            "CURL_CA_BUNDLE": str(self.certificate),
        }

    def here(self, script: str) -> str:
        """The commands with this machine's paths and ports."""
        script = re.sub(r"(?<!\S)(?=/(?:etc|usr/share|var)/)", str(self.root), script)
        script = script.replace("SITE=log.example.org", "SITE=localhost")
        script = script.replace("https://$SITE/", f"https://$SITE:{self.tls}/")
        return script.replace("127.0.0.1:7481", f"127.0.0.1:{self.admin}")

    def type(self, script: str) -> tuple[bool, str]:
        """Types a block in the shell of the ones before: what they exported is there."""
        state = self.root / "run" / "exported"
        before = f". {state}\n" if state.exists() else ""
        whole = f"set -e\n{before}{self.here(script)}\nexport -p > {state}\n"
        output = self.root / "run" / "said"
        with output.open("w") as said:
            process = subprocess.Popen(
                ["bash", "-c", whole],
                cwd=self.root / "home",
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
            )
            try:
                code = process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                code = -1
        return code == 0, output.read_text()

    def stop(self) -> None:
        """Ends what runs."""
        for unit in ["assay-node", "nginx"]:
            command = [str(self.root / "bin/systemctl"), "stop", unit]
            subprocess.run(command, env=self.environment, check=False)


def main() -> None:
    packages, nginx, promtool = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="first-hour-") as folder:
        machine = Machine(Path(folder), Path(packages), nginx, promtool)
        started = time.monotonic()
        typed = 0
        try:
            for script, wanted in blocks(DOCUMENT.read_text()):
                well, said = machine.type(script)
                missing = unseen(wanted, said)
                if not well or missing:
                    print(f"{script}\n{said}\nfailed: {not well}, not seen: {missing}")
                    print(subprocess.run([machine.root / "bin/journalctl", "-u", "assay-node"],
                                         env=machine.environment, check=False,
                                         capture_output=True, text=True).stdout)
                    sys.exit(1)
                typed += 1
        finally:
            machine.stop()
        print(f"{typed} blocks typed, in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
