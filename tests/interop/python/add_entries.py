"""A log that pushes its entries into a mirror: C2SP tlog-mirror, from the specification alone.

It shares nothing with Assay: hashing, tree proofs, packages, notes and tiles are written here. What is asked of the
mirror and what it has to answer stands in `story`, step by step, and is checked as it comes. At the end everything that
the mirror serves is compared with what the log has.

    add_entries.py vkey                                prints the log's verifier key
    add_entries.py push PREFIX COPY VKEY VKEY          pushes; PREFIX is the submission prefix, COPY the monitoring
                                                       prefix of the log, VKEY the mirror's keys; prints what was met
"""

import base64
import functools
import gzip
import hashlib
import http.client
import json
import struct
import sys
import urllib.parse

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

ORIGIN = "python.example/log"
WIDTH = 256
PACKAGES = 32
EMPTY = hashlib.sha256(b"").digest()


def need(holds, what):
    """Ends the program if something is not as it must be."""
    if not holds:
        sys.exit(f"add_entries: {what}")


def b64(data):
    return base64.b64encode(data).decode()


# --- RFC 6962, and the subtrees of draft-ietf-plants-merkle-tree-certs ------------------------------------------------


class Tree:
    """All entries that the log will ever have, and the hashes over any part of them."""

    def __init__(self, count):
        self.entries = [f"entry {number} ".encode() + b"." * (number % 97) for number in range(count)]
        self.entries[3] = b""
        self.entries[5] = b"x" * 65535
        self.leaves = [hashlib.sha256(b"\0" + entry).digest() for entry in self.entries]

    @functools.cache
    def hash(self, start, end):
        """MTH(D[start:end])."""
        if start == end:
            return EMPTY
        if end - start == 1:
            return self.leaves[start]
        middle = start + split(end - start)
        return hashlib.sha256(b"\1" + self.hash(start, middle) + self.hash(middle, end)).digest()

    def proof(self, start, end, size):
        """SUBTREE_PROOF(start, end, D[0:size])."""
        return self._proof(start, end, 0, size, True)

    def _proof(self, start, end, low, high, is_known):
        if (start, end) == (low, high):
            return [] if is_known else [self.hash(low, high)]
        middle = low + split(high - low)
        if end <= middle:
            return self._proof(start, end, low, middle, is_known) + [self.hash(middle, high)]
        if start >= middle:
            return self._proof(start, end, middle, high, is_known) + [self.hash(low, middle)]
        return self._proof(middle, end, middle, high, False) + [self.hash(low, middle)]

    def tile(self, level, index, size):
        """The bytes of a tile in the tree of a size, if there is one; and how wide it is."""
        of = WIDTH**level
        first, last = index * WIDTH, min((index + 1) * WIDTH, size // of)
        return b"".join(self.hash(at * of, (at + 1) * of) for at in range(first, last)), last - first

    def bundle(self, index, size):
        """The bytes of a bundle of entries."""
        entries = self.entries[index * WIDTH : min((index + 1) * WIDTH, size)]
        return b"".join(struct.pack(">H", len(entry)) + entry for entry in entries)


def split(count):
    """The largest power of two that is smaller."""
    return 1 << (count - 1).bit_length() - 1


# --- Notes: signed-note, tlog-checkpoint, tlog-cosignature ------------------------------------------------------------


class Signer:
    """The log's key."""

    def __init__(self):
        self.key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(ORIGIN.encode()).digest())
        public = b"\1" + self.key.public_key().public_bytes_raw()
        self.id = hashlib.sha256(ORIGIN.encode() + b"\n" + public).digest()[:4]
        self.vkey = f"{ORIGIN}+{self.id.hex()}+{b64(public)}"

    def note(self, tree, size):
        body = text(tree, size)
        return f"{body}\n\u2014 {ORIGIN} {b64(self.id + self.key.sign(body.encode()))}\n"


def text(tree, size):
    return f"{ORIGIN}\n{size}\n{b64(tree.hash(0, size))}\n"


class Cosigner:
    """One of the mirror's keys."""

    def __init__(self, vkey):
        self.name, hexed, key = vkey.split("+", 2)
        self.id, key = bytes.fromhex(hexed), base64.b64decode(key, validate=True)
        need(self.id == hashlib.sha256(self.name.encode() + b"\n" + key).digest()[:4], f"the id of {vkey}")
        need(key[0] in (4, 6), f"the type of {vkey}")
        self.is_ed25519 = key[0] == 4
        of = Ed25519PublicKey if self.is_ed25519 else MLDSA44PublicKey
        self.key = of.from_public_bytes(key[1:])

    def time(self, line, tree, size):
        """Verifies a signature line over a tree of the log, and returns its time."""
        dash, name, blob = line.split(" ")
        blob = base64.b64decode(blob, validate=True)
        need((dash, name, blob[:4]) == ("\u2014", self.name, self.id), f"another line than {self.name}'s: {line}")
        (time,), signature = struct.unpack(">Q", blob[4:12]), blob[12:]
        if self.is_ed25519:
            signed = f"cosignature/v1\ntime {time}\n{text(tree, size)}".encode()
        else:
            name, origin = (struct.pack("B", len(word)) + word for word in (self.name.encode(), ORIGIN.encode()))
            range_of = struct.pack(">QQ", 0, size)
            signed = b"subtree/v1\n\0" + name + struct.pack(">Q", time) + origin + range_of + tree.hash(0, size)
        self.key.verify(signature, signed)
        return time


# --- The client -------------------------------------------------------------------------------------------------------


class Mirror:
    """A mirror, as its submission prefix; and what was asked of it and answered."""

    def __init__(self, prefix):
        self.at = urllib.parse.urlsplit(prefix)
        self.met = []

    def send(self, path, body, headers):
        connection = http.client.HTTPConnection(self.at.hostname, self.at.port, timeout=60)
        connection.request("POST", f"{self.at.path}/{path}", body, headers)
        answer = connection.getresponse()
        said = answer.status, answer.headers.get("Content-Type"), answer.read()
        connection.close()
        self.met.append([path, answer.status])
        return said

    def checkpoint(self, log, old, new):
        """Sends add-checkpoint; returns the status, the type and the body."""
        proof = log.tree.proof(0, old, new) if 0 < old < new else []
        lines = [f"old {old}", *map(b64, proof), "", log.signer.note(log.tree, new)]
        return self.send("add-checkpoint", "\n".join(lines).encode(), {})

    def entries(self, body, is_packed=False):
        """Sends add-entries."""
        headers = {"Content-Type": "application/octet-stream"}
        if is_packed:
            headers["Content-Encoding"] = "gzip"
            body = gzip.compress(body)
        return self.send("add-entries", body, headers)

    def overtaken(self, body, meanwhile):
        """Sends add-entries, but for the last byte; does something else; and sends that."""
        connection = http.client.HTTPConnection(self.at.hostname, self.at.port, timeout=60)
        connection.putrequest("POST", f"{self.at.path}/add-entries")
        connection.putheader("Content-Type", "application/octet-stream")
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body[:-1])
        meanwhile()
        connection.send(body[-1:])
        answer = connection.getresponse()
        said = answer.status, answer.headers.get("Content-Type"), answer.read()
        connection.close()
        self.met.append(["add-entries", answer.status])
        return said


class Log:
    """The log, and where the mirror says that it goes on."""

    def __init__(self, count):
        self.tree, self.signer = Tree(count), Signer()
        self.next, self.ticket = 0, b""

    def header(self, start, end, ticket, origin=ORIGIN):
        name = origin.encode()
        return b"".join(
            (
                struct.pack(">H", len(name)) + name,
                struct.pack(">QQ", start, end),
                struct.pack(">H", len(ticket)) + ticket,
            )
        )

    def packages(self, start, end):
        """The packages from an entry on."""
        low = start // WIDTH * WIDTH
        for first in range(low, end, WIDTH):
            last = min(first + WIDTH, end)
            entries = self.tree.entries[max(first, start) : last]
            proof = self.tree.proof(first, last, end)
            yield b"".join(
                (
                    b"".join(struct.pack(">H", len(entry)) + entry for entry in entries),
                    struct.pack("B", len(proof)),
                    *proof,
                )
            )

    def body(self, start, end, ticket=b""):
        return self.header(start, end, ticket) + b"".join(self.packages(start, end))

    def follow(self, said, status, size, next_entry):
        """Checks an answer that says where to go on, and keeps it."""
        need(said[:2] == (status, "text/x.tlog.mirror-info"), f"{said}, not {status} with where to go on")
        lines = said[2].decode().split("\n")
        need(len(lines) == 4 and lines[3] == "", f"{said} is not three lines")
        need(lines[:2] == [str(size), str(next_entry)], f"{said}, not {size} and {next_entry}")
        self.next, self.ticket = next_entry, base64.b64decode(lines[2], validate=True)

    def stored(self, said, size, keys):
        """Checks that all of the tree of a size is cosigned. Returns the lines."""
        need(said[0] == 200, f"{said[0]} {said[2]!r}, not 200")
        lines = said[2].decode().split("\n")
        need(len(lines) == len(keys) + 1 and lines[-1] == "", f"{said[2]!r} has other lines than one for each key")
        times = {key.time(line, self.tree, size) for key, line in zip(keys, lines)}
        need(len(times) == 1 and 0 not in times, f"times {times}")
        self.next = max(self.next, size)
        return lines[:-1]


def story(log, mirror, copy, keys):
    """Everything that a log may meet, in order."""

    def grows(old, new):
        said = mirror.checkpoint(log, old, new)
        need(said[0] == 200 and said[2] == b"", f"add-checkpoint {old} to {new}: {said}")

    def refused(said, status):
        need(said[0] == status, f"{said}, not {status}")

    # Nobody knows the log, and then nothing of it is pending.
    refused(mirror.entries(log.header(0, 1, b"", "python.example/other")), 404)
    refused(mirror.entries(log.body(0, 1)), 422)
    # The size is what a 409 says.
    need(mirror.checkpoint(log, 7, 300) == (409, "text/x.tlog.size", b"0\n"), "old 7 of nothing")
    grows(0, 300)
    need(mirror.checkpoint(log, 0, 700) == (409, "text/x.tlog.size", b"300\n"), "old 0 of 300")
    grows(300, 700)
    # It asks where to go on: by an end that is no pending size, and by a start after the next entry.
    log.follow(mirror.entries(log.body(0, 500)), 409, 700, 0)
    log.follow(mirror.entries(log.body(5, 300)), 409, 300, 0)
    # A stream is cut: nothing of the first package is stored, all of it, all of the second.
    whole, packages = log.body(0, 700), list(log.packages(0, 700))
    start = len(log.header(0, 700, b""))
    first, second = start + len(packages[0]), start + len(packages[0]) + len(packages[1])
    refused(mirror.entries(whole[: first - 1]), 400)
    log.follow(mirror.entries(whole[:first]), 202, 700, 256)
    log.follow(mirror.entries(log.body(256, 700)[: second - first + start + 9]), 202, 700, 512)
    # A wrong entry, and a hash of its proof: nothing more is stored.
    for place in (start + 7, -1):
        wrong = bytearray(log.body(512, 700))
        wrong[place] ^= 1
        refused(mirror.entries(bytes(wrong)), 422)
    log.follow(mirror.entries(log.body(600, 700)), 409, 700, 512)
    # It begins within a bundle, before the next entry; the mirror has the others.
    lines = log.stored(mirror.entries(log.body(500, 700)), 700, keys)
    compare(log, copy, 700, lines)
    need(log.stored(mirror.entries(log.header(700, 700, b"")), 700, keys), "the same again")

    # 36 packages: 32 of them are taken.
    grows(700, 9700)
    log.follow(mirror.entries(log.body(700, 9700), True), 202, 9700, 512 + PACKAGES * WIDTH)
    log.follow(mirror.entries(log.body(0, 9700)), 409, 9700, log.next)
    log.follow(mirror.entries(log.body(300, 300)), 409, 9700, log.next)
    lines = log.stored(mirror.entries(log.body(log.next - 1000, 9700), True), 9700, keys)
    compare(log, copy, 9700, lines)

    # It grows on while an upload is on its way, further than the mirror remembers without a ticket.
    grows(9700, 9701)
    log.follow(mirror.entries(log.body(9702, 9703)), 409, 9701, 9700)
    ticket = log.ticket
    for size in range(9701, 9707):
        grows(size, size + 1)
    log.follow(mirror.entries(log.body(9700, 9701)), 409, 9707, 9700)
    lines = log.stored(mirror.entries(log.body(9700, 9701, ticket)), 9701, keys)
    compare(log, copy, 9701, lines)
    # The last four pending sizes need none. Who is overtaken on the way is told, and the mirror does not go back.
    lines = []
    late = mirror.overtaken(
        log.body(9701, 9705),
        lambda: lines.extend(log.stored(mirror.entries(log.body(9701, 9707)), 9707, keys)),
    )
    log.follow(late, 409, 9707, 9707)
    log.follow(mirror.entries(log.body(9701, 9705)), 409, 9707, 9707)
    compare(log, copy, 9707, lines)


def compare(log, copy, size, lines):
    """Reads everything that the mirror serves of a size."""
    at = urllib.parse.urlsplit(copy)
    connection = http.client.HTTPConnection(at.hostname, at.port, timeout=60)

    def get(path):
        connection.request("GET", f"{at.path}/{path}")
        answer = connection.getresponse()
        body = answer.read()
        need(answer.status == 200, f"{path}: {answer.status}")
        return gzip.decompress(body) if answer.headers.get("Content-Encoding") == "gzip" else body

    note = get("checkpoint").decode()
    need(note == log.signer.note(log.tree, size) + "".join(f"{line}\n" for line in lines), f"the note of {size}")
    level = 0
    while WIDTH**level <= size:
        for index in range(-(-(size // WIDTH**level) // WIDTH)):
            tile, width = log.tree.tile(level, index, size)
            partial = f".p/{width}" if width < WIDTH else ""
            need(get(f"tile/{level}/{index:03}{partial}") == tile, f"tile {level}/{index} of {size}")
            if level == 0:
                bundle = get(f"tile/entries/{index:03}{partial}")
                need(bundle == log.tree.bundle(index, size), f"bundle {index} of {size}")
        level += 1
    connection.close()


def main(arguments):
    if arguments == ["vkey"]:
        print(Signer().vkey)
    elif len(arguments) == 5 and arguments[0] == "push":
        mirror = Mirror(arguments[1])
        story(Log(9707), mirror, arguments[2], [Cosigner(vkey) for vkey in arguments[3:]])
        print(json.dumps(mirror.met))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
