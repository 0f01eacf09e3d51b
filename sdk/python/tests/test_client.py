"""Looking up at a node over HTTP: an honest one, and ones that lie, hang or flood."""

import http.server
import threading
import time
import unittest
from urllib.parse import parse_qs, urlsplit

import made
from assay_log import (
    CallerError,
    IssuerError,
    Log,
    LogError,
    ServerError,
    UnavailableError,
)
from assay_log.http import Body, get
from assay_log.wire import parse_answer

index, make = made.index, made.make
LEAVES = made.log()
SIZE, ROOT = len(LEAVES), made.root_of(LEAVES)
AT = made.NOW_MS // 1000
NOTE = made.note(SIZE, ROOT, (AT, AT, None))


def question_of(path):
    """The question that a path and query ask, as the read API has them."""
    parts = urlsplit(path)
    query = parse_qs(parts.query, keep_blank_values=True)
    by = tuple(bytes.fromhex(one) for one in query.get("by", ()))
    if parts.path.endswith("/batch"):
        return index.Names(tuple(bytes.fromhex(one) for one in query["name"]), by)
    prefix = bytes.fromhex(query["prefix"][0]).ljust(32, b"\0")
    bits = int(query["bits"][0])
    return index.Crowd(prefix, bits, by) if by else index.Census(prefix, bits)


class Node:
    """A node without a network."""

    def __init__(self, leaves=LEAVES, note=NOTE, media_type="application/protobuf"):
        self.leaves, self.note, self.media_type = leaves, note, media_type
        self.asked = []

    def __call__(self, path):
        self.asked.append(path)
        answer = index.make_answer(self.leaves, question_of(path))
        if self.media_type == "application/json":
            return Body(made.answer_json(answer, self.note), self.media_type)
        return Body(made.message(answer, self.note), self.media_type)


def log_at(node, **more):
    more = {"max_age": None, **more}
    return Log("http://node.example", [made.VKEY], made.POLICY, fetch=node, **more)


class LookingUp(unittest.TestCase):
    def test_a_package_is_looked_up(self):
        for media_type in ("application/protobuf", "application/json"):
            found = log_at(Node(media_type=media_type)).lookup(purl="pkg:cargo/rand@0.9.0")
            self.assertTrue(found.is_complete)
            self.assertEqual([one.leaf for one in found.claims], [5, 7])
            self.assertEqual([one.issuers[0].name for one in found.claims], ["Example"] * 2)
            self.assertEqual([one.leaf for one in found.refused], [13])  # not Alice's key
            self.assertIsInstance(found.refused[0].error, IssuerError)
            self.assertEqual(found.head.witnesses, ("w0", "w1"))
            self.assertEqual(found.as_of_ms, made.NOW_MS)

    def test_only_those_who_are_asked_for_are_heard(self):
        node = Node()
        found = log_at(node).lookup(purl="pkg:cargo/rand", issuers=[made.BOB_ID.hex()])
        self.assertEqual([one.leaf for one in found.claims], [7])
        self.assertFalse(any("/prefix" in path for path in node.asked))
        half = made.BOB_ID[:16].hex() + "00" * 16  # halves only select
        self.assertEqual(log_at(node).lookup(purl="pkg:cargo/rand", issuers=[half]).claims, ())

    def test_withdrawals_come_along(self):
        (claim,) = log_at(Node()).lookup(purl="pkg:npm/left-pad@1.3.0").claims
        self.assertTrue(claim.is_withdrawn)
        self.assertEqual(claim.withdrawals[0].statement.predicate["target"], claim.claim.id.hex())

    def test_nothing_is_proven_to_be_nothing(self):
        for more in ({}, {"issuers": [made.ALICE_ID.hex()]}):
            found = log_at(Node()).lookup(purl="pkg:cargo/nobody-spoke-of-it", **more)
            self.assertEqual((found.claims, found.is_complete), ((), True))

    def test_digests_and_vulnerabilities_are_looked_up(self):
        artifact = made.statement([{"digest": {"sha256": "ab" * 32}}], "urn:x")
        vex = make.vex("CVE-2026-1")
        signer = [(made.issuer_id([made.ALICE]), made.ALICE)]
        leaves = [made.make.commitment_over([], made.NOW_MS)]
        leaves += [made.entry(one, signer) for one in (artifact, vex)]
        leaves.append(make.commitment_over(leaves, made.NOW_MS))
        note = made.note(len(leaves), made.root_of(leaves), (AT, AT))
        log = log_at(Node(leaves, note))
        self.assertEqual(len(log.lookup(digest="sha256:" + "ab" * 32).claims), 1)
        self.assertEqual(len(log.lookup(vulnerability="CVE-2026-1").claims), 1)

    def test_compromised_keys_are_marked(self):
        own = made.ALICE_ID
        said = {"issuer": own.hex(), "key": made.ALICE.public.hex(), "origin": made.ORIGIN}
        compromise = made.statement(
            [{"digest": {"sha256": own.hex()}}], "urn:assay:key-compromise:v1", said
        )
        leaves = LEAVES[:-1] + [made.entry(compromise, [(own, made.ALICE)])]
        leaves.append(make.commitment_over(leaves, made.NOW_MS))
        note = made.note(len(leaves), made.root_of(leaves), (AT, AT))
        found = log_at(Node(leaves, note)).lookup(purl="pkg:cargo/rand@0.9.0")
        keys = [one.compromised_keys for one in found.claims]
        self.assertEqual(keys, [(made.ALICE.public,), ()])
        self.assertEqual(len(found.key_compromises), 1)

    def test_questions_that_cannot_be_asked_are_the_callers(self):
        log = log_at(Node())
        for more in (
            {}, {"purl": "cargo/rand"}, {"purl": "pkg:cargo/ra nd"},
            {"purl": "pkg:a/b", "digest": "x"},
            {"purl": "pkg:a/b", "issuers": []}, {"purl": "pkg:a/b", "issuers": ["AB" * 32]},
        ):  # fmt: skip
            with self.assertRaises(CallerError):
                log.lookup(**more)
        with self.assertRaises(CallerError):
            Log("http://node.example", [])
        with self.assertRaises(CallerError):
            Log("file:///etc/passwd", [made.VKEY]).lookup(purl="pkg:a/b")

    def test_old_answers_are_refused(self):
        with self.assertRaises(ServerError) as caught:
            log_at(Node(), max_age=60).lookup(purl="pkg:cargo/rand")
        self.assertEqual(caught.exception.kind, "stale")

    def test_two_roots_of_one_size_are_the_logs(self):
        node = Node()
        log = log_at(node)
        log.lookup(purl="pkg:cargo/rand")
        node.leaves = [*LEAVES[:9], LEAVES[11], LEAVES[10], LEAVES[9], *LEAVES[12:-1]]
        node.leaves.append(make.commitment_over(node.leaves, made.NOW_MS))
        node.note = made.note(SIZE, made.root_of(node.leaves), (AT, AT))
        with self.assertRaises(LogError) as caught:
            log.lookup(purl="pkg:cargo/rand")
        self.assertEqual(caught.exception.kind, "split")

    def test_pages_are_fetched(self):
        label = index.half("package", "pkg:cargo/rand") + made.ALICE_ID[:16]

        def page(path):
            self.assertEqual(path, f"/api/v1/lookup?label={label.hex()}&from=0")
            question = index.Names((label[:16],), (label[16:],))
            return Body(made.answer_bytes(LEAVES, question, NOTE), "application/protobuf")

        found = log_at(page).page(label)
        self.assertEqual((found.leaf.length, found.indices), (2, [5, 13]))


class Server(http.server.BaseHTTPRequestHandler):
    """What a server may do to a caller, by path."""

    def do_GET(self):
        if self.path.startswith("/api/v1/"):
            body = Node()(self.path)
            self.answer(body.data, body.media_type)
        elif self.path == "/slow":
            self.send_response(200)
            self.end_headers()
            self.drip(b"x")
        elif self.path == "/headers":
            self.drip(b"HTTP/1.1 200 OK\r\nX: ", b"x")
        elif self.path == "/large":
            self.send_response(200)
            self.end_headers()
            self.drip(b"x" * 65536)
        elif self.path == "/claims-large":
            self.send_response(200)
            self.send_header("Content-Length", "9" * 12)
            self.end_headers()
        elif self.path == "/elsewhere":
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1:1/")
            self.end_headers()
        elif self.path == "/gzip":
            self.send_response(200)
            self.send_header("Content-Encoding", "gzip")
            self.end_headers()
        else:
            self.send_error(404)

    def answer(self, data, media_type):
        self.send_response(200)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def drip(self, *pieces):
        """Sends without end, the last piece again and again, until the caller has gone."""
        try:
            for piece in pieces[:-1]:
                self.wfile.write(piece)
            while not self.server.over.wait(0.01):
                self.wfile.write(pieces[-1])
        except OSError:
            pass

    def log_message(self, *_):
        pass


class OverHttp(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
        cls.server.over = threading.Event()
        cls.url = f"http://127.0.0.1:{cls.server.server_port}"
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()

    @classmethod
    def tearDownClass(cls):
        cls.server.over.set()
        cls.server.shutdown()
        cls.server.server_close()

    def test_a_node_is_asked(self):
        log = Log(self.url + "/", [made.VKEY], made.POLICY, max_age=None)
        found = log.lookup(purl="pkg:cargo/rand@0.9.0")
        self.assertEqual([one.leaf for one in found.claims], [5, 7])

    def test_time_and_size_are_limited(self):
        for path, kind in (
            ("/slow", "network"), ("/headers", "network"), ("/large", "limit"),
            ("/claims-large", "limit"), ("/elsewhere", "redirect"), ("/gzip", "network"),
            ("/missing", "status"),
        ):  # fmt: skip
            started = time.monotonic()
            with self.subTest(path=path):
                with self.assertRaises(UnavailableError) as caught:
                    get(self.url + path, "*/*", 1.0, 1_000_000)
                self.assertEqual(caught.exception.kind, kind, caught.exception)
                self.assertLess(time.monotonic() - started, 10)

    def test_nobody_is_no_answer(self):
        with self.assertRaises(UnavailableError):
            get("http://127.0.0.1:1/", "*/*", 1.0, 10)


class Wire(unittest.TestCase):
    def test_unknown_fields_are_passed_over(self):
        data = made.answer_bytes(LEAVES, question_of("/api/v1/prefix?prefix=&bits=0"), NOTE)
        more = data + make.bytes_field(90, b"new") + b"\xd5\x051234" + b"\xd0\x05\x01"
        self.assertEqual(parse_answer(more), parse_answer(data))


if __name__ == "__main__":
    unittest.main()
