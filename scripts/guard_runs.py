"""Tests that run by themselves, for scripts/guards: which guards fire in a test, and which test fails without a guard."""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import tomllib

from guard_forms import ROOT

# Seconds on the processor, beside some times what a test needs with all guards: longer than it takes however busy the machine.
PATIENCE = 20
# The same of the clock on the wall, for tests that wait for processes, which give up after 60 seconds themselves.
WAITS = 90
# What a test may take with all guards there, on the processor or of those that wait on the wall, so that it takes part.
USUAL = 240
# Of the tests in which a guard fires so many run without it: those of a page fire hundreds of times.
MOST = int(os.environ.get("MOST", 10**6))
# As cargo would run them: the same cases of properties each time, and no snapshot written.
SETTINGS = tomllib.loads((ROOT / ".cargo/config.toml").read_text())["env"] | {
    "PROPTEST_MAX_SHRINK_ITERS": "0",
    # A case that one guard's absence failed on would be there for the next.
    "PROPTEST_DISABLE_FAILURE_PERSISTENCE": "1",
    "INSTA_UPDATE": "no",
    # Nobody else builds in the target folder of the copy.
    "ASSAY_TESTS_BUILT": "1",
}
# Tests that judge with programs of others.
OTHERS = re.compile(r"(^|::)(needs_go|judges|pictures)::")


class Kept:
    """What was seen of test programs, by their hashes: lines of a file that only grows."""

    def __init__(self, path):
        self.lock = threading.Lock()
        self.seen = {}
        for line in path.read_text().splitlines() if path.exists() else []:
            try:
                key, value = json.loads(line)
            except ValueError:
                continue  # The last line of a run that was cut.
            self.seen[tuple(key)] = value
        self.file = path.open("a")

    def of(self, key, find):
        """What is known by this key, or what `find` finds, which is kept."""
        if key not in self.seen:
            value = find()
            with self.lock:
                self.seen[key] = value
                print("\n" + json.dumps([key, value]), file=self.file, flush=True)
        return self.seen[key]


class Late(Exception):
    """A test did not end in its time, which may be the machine's fault."""


class Program:
    """The tests of a program, with how long each takes and which guards fire in it."""

    def __init__(self, name, path, copy, folder, memory, beside=()):
        """It runs in a folder of the copy of the tree. `beside` are the programs that its tests run; those wait for them."""
        self.name, self.path, self.copy, self.memory, self.waits = name, path, copy, memory, bool(beside)
        self.folder = copy / folder
        digests = (hashlib.sha256(pathlib.Path(it).read_bytes()).digest() for it in (path, *beside))
        self.hash = hashlib.sha256(b"".join(digests)).hexdigest()[:16]
        self.tests = []

    def observe_all(self, pool, kept):
        listed = subprocess.run([self.path, "--list"], cwd=self.folder, check=True, text=True, capture_output=True).stdout
        names = [it for it in re.findall(r"^(\S+): test$", listed, re.M) if not OTHERS.search(it)]
        seen = list(pool.map(lambda name: kept.of((self.hash, name), lambda: self.observe(name)), names))
        for name, (seconds, fired) in zip(names, seen):
            if isinstance(fired, str):
                print(f"{self.name}: left out, for it {fired} with all guards there: {name}", file=sys.stderr)
            else:
                self.tests.append((seconds, name, set(fired)))

    def observe(self, name):
        """How many seconds a test takes, and the guards that fire in it, or why it tells nothing."""
        for _ in range(2):
            with tempfile.TemporaryDirectory(prefix="guards-", ignore_cleanup_errors=True) as folder:
                told = pathlib.Path(folder, "fired")
                begun = time.time()
                try:
                    said = self.run(name, 0, USUAL, USUAL, told)
                except Late:
                    return USUAL, "takes too long"
                if not said:
                    fired = told.read_text().split() if told.exists() else []
                    return time.time() - begun, sorted({int(it) for it in fired})
        return 0, "fails"

    def run(self, name, guard, seconds, wall, told=None):
        """How a test fails without a guard, or "" if it passes. Raises Late if that cannot be said."""
        limit = f"ulimit -v {self.memory >> 10}; ulimit -S -t {seconds}; exec \"$0\" --test-threads 1 --exact \"$1\""
        environment = dict(os.environ, **SETTINGS, INSTA_WORKSPACE_ROOT=str(self.copy), GUARD_TAKEN_AWAY=str(guard))
        if told:
            environment["GUARDS_FIRED"] = str(told)
        # What is left by processes that are killed goes with it, but for the locks of ports, which all share.
        with tempfile.TemporaryDirectory(prefix="guards-", ignore_cleanup_errors=True) as folder:
            ports = pathlib.Path(tempfile.gettempdir(), "assay-test-ports")
            ports.mkdir(exist_ok=True)
            pathlib.Path(folder, ports.name).symlink_to(ports)
            environment["TMPDIR"] = folder
            with open(f"{folder}/said", "w+") as said:
                running = subprocess.Popen(["sh", "-c", limit, self.path, name], cwd=self.folder, env=environment,
                                           start_new_session=True, stdout=said, stderr=subprocess.DEVNULL)
                try:
                    code = running.wait(wall)
                except subprocess.TimeoutExpired as late:
                    raise Late(f"{name} did not end in {wall} s") from late
                finally:
                    end(running)
                said.seek(0)
                if re.search(r"^test \S+ .*FAILED$|^test result: FAILED", said.read(), re.M):
                    return name
        if code == -signal.SIGXCPU:
            return f"{name}, which does not end"
        if code in (-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT):
            raise Late(f"{name} was ended by somebody else")
        return f"{name}, which ends with {code}" if code else ""

    def fails(self, name, guard, usual):
        """How a test fails without a guard, or "". It has to fail twice, so that no single run decides it, unless it says
        itself that it failed, and no other process had a part in it."""
        seconds = PATIENCE + int(5 * usual)
        wall = WAITS + int(20 * usual) if self.waits else 20 * seconds
        said = self.run(name, guard, seconds, wall)
        return self.run(name, guard, seconds, wall) if said and (said != name or self.waits) else said


def end(running):
    """Ends a test program with all that it has started."""
    try:
        os.killpg(running.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    running.wait()


def notices(programs, kept, guard, file):
    """What fails in these programs without a guard of this file, or "", and in how many tests it fires, and how many of them
    were tried. Tests that are named like the file come first, and then the shortest."""
    words = {it for it in re.split(r"\W", file.split("/", 2)[-1]) if len(it) > 3}
    fires = [(not any(word in f"{it.name}::{name}" for word in words), seconds, name, it)
             for it in programs for seconds, name, fired in it.tests if guard in fired]
    fires.sort(key=lambda it: it[:3])
    tried, late = 0, []
    for _, seconds, name, program in fires[:MOST]:
        tried += 1
        try:
            said = kept.of((program.hash, name, guard), lambda: program.fails(name, guard, seconds))
        except Late:
            late.append((seconds, name, program))
            continue
        if said:
            return said, tried, len(fires)
    for seconds, name, program in late:
        try:
            said = kept.of((program.hash, name, guard), lambda: program.fails(name, guard, seconds))
        except Late as again:
            # A test that only computes is judged by the time that it had.
            if program.waits:
                said = kept.of((program.hash, name, guard), lambda: f"{name}, which does not end")
            else:
                print(f"guards: {again}", file=sys.stderr)
                continue
        if said:
            return said, tried, len(fires)
    return "", tried, len(fires)


def judge(programs, guards, kept, jobs):
    """What fails in these programs without each of these guards: pairs of a guard and what `notices` says, as they come."""
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for program in programs:
            if not program.tests:
                program.observe_all(pool, kept)
        tasks = {pool.submit(notices, programs, kept, guard[0], guard[1]): guard for guard in guards}
        for task in concurrent.futures.as_completed(tasks):
            yield tasks[task], task.result()
