#!/usr/bin/env python3
"""What stands in for commands that need root or systemd, by the name that it is called by.

The machine is the folder $ROOT. Nothing outside it is changed.
"""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(os.environ["ROOT"])
PATIENCE = 60.0  # Seconds until a process that was told to stop has to be gone.


def below(text: str) -> str:
    """A text with the paths of this machine."""
    return re.sub(r"(?<![\w./])(?=/(?:etc|usr/bin|usr/share|var)/)", str(ROOT), text)


def sudo(arguments: list[str]) -> None:
    while arguments[0] == "-u":
        arguments = arguments[2:]
    os.execvp(arguments[0], arguments)


def apt(arguments: list[str]) -> None:
    for package in arguments[1:]:
        subprocess.run(["dpkg-deb", "-x", package, ROOT], check=True)


def journal(unit: str) -> Path:
    return ROOT / "run" / f"{unit}.journal"


def journalctl(arguments: list[str]) -> None:
    sys.stdout.write(journal(arguments[1]).read_text())


def configuration() -> list[str]:
    """nginx with the sites of this machine."""
    node, _, tls = os.environ["PORTS"].split()
    run = ROOT / "run"
    sites = []
    for site in sorted((ROOT / "etc/nginx/conf.d").glob("*.conf")):
        text = below(site.read_text()).replace("127.0.0.1:7480", f"127.0.0.1:{node}")
        text = re.sub(r"listen \[::\].*", "", text)
        sites.append(text.replace("listen 443", f"listen 127.0.0.1:{tls}"))
    kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    folders = "".join(f"{kind}_temp_path {run}/{kind};" for kind in kinds)
    main = run / "nginx.conf"
    main.write_text(
        f"pid {run}/nginx.pid; error_log {run}/nginx.log; events {{}}\n"
        f"http {{ access_log {run}/access.log; {folders}\n" + "\n".join(sites) + "}\n"
    )
    return [os.environ["NGINX"], "-p", str(run), "-c", str(main)]


def nginx(arguments: list[str]) -> None:
    subprocess.run(configuration() + arguments, check=True)


def command_of(unit: str) -> list[str]:
    """What the packaged unit starts, if it may."""
    if unit == "nginx":
        return configuration() + ["-g", "daemon off;"]
    text = below((ROOT / f"usr/lib/systemd/system/{unit}.service").read_text())
    for path in re.findall(r"^AssertPathExists=(.*)", text, re.M):
        if not Path(path).exists():
            sys.exit(f"Assertion failed on job for {unit}.service.")
    found = re.search(r"^ExecStart=(.*)", text, re.M)
    assert found
    return shlex.split(found[1])


def start(unit: str) -> None:
    with journal(unit).open("a") as lines:
        # Its own session: it goes on when the shell that started it ends.
        process = subprocess.Popen(
            command_of(unit),
            stdin=subprocess.DEVNULL,
            stdout=lines,
            stderr=lines,
            start_new_session=True,
        )
    (ROOT / "run" / unit).write_text(str(process.pid))


def stop(unit: str) -> None:
    file = ROOT / "run" / unit
    if not file.exists():
        return
    pid = int(file.read_text())
    file.unlink()
    try:
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            os.kill(pid, 0)
            # A process that nobody waits for is gone all the same.
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return
            time.sleep(0.01)
    except (ProcessLookupError, FileNotFoundError):
        return
    sys.exit(f"{unit} does not stop")


def systemctl(arguments: list[str]) -> None:
    *words, unit = arguments
    match [word for word in words if word != "--now"]:
        case ["enable"] | ["start"]:
            start(unit)
        case ["stop"]:
            stop(unit)
        # A reload of nginx by hand is asynchronous; a start is as good here.
        case ["restart"] | ["reload"]:
            stop(unit)
            start(unit)
        case _:
            sys.exit(f"systemctl {arguments}: not known here")


COMMANDS = {it.__name__: it for it in [sudo, apt, journalctl, nginx, systemctl]}

if __name__ == "__main__":
    COMMANDS[Path(sys.argv[0]).name](sys.argv[1:])
