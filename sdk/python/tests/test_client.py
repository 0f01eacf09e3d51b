"""Looking up at a node over HTTP: an honest one, and ones that lie, hang or flood."""

import http.server
import json
import threading
import time
import unittest
from dataclasses import replace
from unittest import mock
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
from assay_log import client, limits
from assay_log.http import Body, get
from assay_log.purl import is_canonical
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
        self.most_labels, self.most_leaves = 1_000, 1_000

    def page(self, path):
        query = parse_qs(urlsplit(path).query)
        label, start = bytes.fromhex(query["label"][0]), int(query["from"][0])
        node, lists = index.build_index([index.labels_of(leaf) for leaf in self.leaves[:-1]])
        listed = lists.get(label, [])
        some = listed[start : start + self.most_leaves]
        hashes = [index.leaf_hash(leaf) for leaf in self.leaves]
        proof = index.make_multiproof(hashes, [*some, len(hashes) - 1])
        place = () if some == listed else index.make_range(listed, start, start + len(some))
        answer = index.Answer(
            self.leaves[-1],
            index.make_cut(node, index.Names((label[:16],), (label[16:],))),
            [(label, some)] if listed else [],
            [(leaf, self.leaves[leaf]) for leaf in some],
            proof,
            tuple(place),
        )
        return made.message(answer, self.note)

    def receipt(self, claim_id):
        files = {}
        for leaf in (5, 1, 3):
            envelope, proof = made.receipt(self.leaves, leaf, self.note)
            files[leaf] = {"envelope": envelope.decode(), "proof": proof.decode()}
        value = {"claim": claim_id, **files[5], "issuers": [files[1], files[3]]}
        return Body(json.dumps(value).encode(), "application/json")

    def __call__(self, path, accept):
        self.asked.append(path)
        if "/receipt/" in path:
            return self.receipt(path.rpartition("/")[2])
        if "/lookup" in path:
            return Body(self.page(path), self.media_type)
        question = question_of(path)
        answer = index.make_answer(self.leaves, question)
        if "/batch" in path and len(question.names) * len(question.by) > self.most_labels:
            raise UnavailableError("too-large", "ask for less")
        if self.media_type == "application/json":
            return Body(made.answer_json(answer, self.note), self.media_type)
        return Body(made.message(answer, self.note), self.media_type)


def log_at(node, **more):
    more = {"max_age": None, "clock": lambda: AT, **more}
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
            log_at(Node(), max_age=60, clock=lambda: AT + 61).lookup(purl="pkg:cargo/rand")
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
        label, node = index.half("package", "pkg:cargo/rand") + made.ALICE_ID[:16], Node()
        found = log_at(node).page(label, 1)
        self.assertEqual(node.asked, [f"/api/v1/lookup?label={label.hex()}&from=1"])
        self.assertEqual((found.leaf.length, found.indices), (2, [13]))

    def test_long_lists_come_in_pages(self):
        node = Node()
        node.most_leaves = 1
        with mock.patch.object(index, "WHOLE_LIST", 1), mock.patch.object(limits, "WHOLE_LIST", 1):
            found = log_at(node).lookup(purl="pkg:cargo/rand")
            self.assertEqual([one.leaf for one in found.claims], [5, 7])
            self.assertEqual([one.leaf for one in found.refused], [13])
            self.assertTrue(found.is_complete)
            self.assertEqual(sum("/lookup" in path for path in node.asked), 2)
            found = log_at(node, most_claims=1).lookup(purl="pkg:cargo/rand")
            self.assertFalse(found.is_complete)

    def test_pages_of_another_history_do_not_make_up_a_list(self):
        other = [*LEAVES[:5], LEAVES[9], *LEAVES[6:9], LEAVES[5], *LEAVES[10:], LEAVES[9]]
        other.append(make.commitment_over(other, made.NOW_MS))
        note = made.note(len(other), made.root_of(other), (AT, AT))
        first, later = Node(), Node(other, note)
        first.most_leaves = 1
        pages = iter((first, later))

        def fetch(path, accept):
            return (next(pages) if "/lookup" in path else first)(path, accept)

        with mock.patch.object(index, "WHOLE_LIST", 1), mock.patch.object(limits, "WHOLE_LIST", 1):
            with self.assertRaisesRegex(ServerError, "do not make up"):
                log_at(fetch).lookup(purl="pkg:cargo/rand", issuers=[made.ALICE_ID.hex()])

    def test_answers_that_are_too_large_are_asked_for_in_parts(self):
        node = Node()
        whole = log_at(node).lookup(purl="pkg:cargo/rand")
        for most in (1, 0):  # 0: not even a single label comes but in pages
            node = Node()
            node.most_labels = most
            found = log_at(node).lookup(purl="pkg:cargo/rand")
            self.assertEqual((found.claims, found.is_complete), (whole.claims, True))
        self.assertTrue(any("/lookup" in path for path in node.asked))

    def test_a_node_that_cannot_answer_is_not_asked_for_parts(self):
        node = Node()

        def fetch(path, accept):
            if "/batch" in path:
                node.asked.append(path)
                raise UnavailableError("status", "out of order")
            return node(path, accept)

        with self.assertRaises(UnavailableError):
            log_at(fetch).lookup(purl="pkg:cargo/rand")
        self.assertEqual(sum("/batch" in path for path in node.asked), 1)

    def test_too_many_speakers_are_not_asked(self):
        with mock.patch.object(limits, "LOOKUP_BY", 1), self.assertRaises(CallerError):
            log_at(Node()).lookup(purl="pkg:cargo/rand")

    def test_pages_follow_one_another(self):
        node = Node()
        node.most_leaves = 1
        label = index.half("package", "pkg:cargo/rand") + made.ALICE_ID[:16]
        log = log_at(node)
        first = log.page(label)
        last = replace(first, indices=[5], entries={5: first.entries[5]})
        for pages, why in (
            ((first, last), "follow"),
            ((first, replace(last, leaf=None, indices=[], entries={})), "shorter"),
            ((replace(last, leaf=replace(first.leaf, length=1)),), "make up"),
        ):
            with mock.patch.object(Log, "_page", side_effect=pages):
                with self.assertRaisesRegex(ServerError, why):
                    log._pages(client._Said(log.keys), label)
        absent = replace(last, leaf=None, indices=[], entries={})
        with mock.patch.object(Log, "_page", side_effect=[absent]):
            self.assertEqual(log._pages(client._Said(log.keys), label), {})

    def test_a_node_that_answers_in_crumbs_is_left(self):
        node = Node()
        node.most_labels = 1
        with mock.patch.object(client, "_REQUESTS", 3), self.assertRaises(UnavailableError):
            log_at(node).lookup(purl="pkg:cargo/rand")

    def test_receipts_are_fetched_and_verified(self):
        found = log_at(Node()).receipt(made.claim_id(made.RAND))
        self.assertEqual((found.index, found.issuers[0].name), (5, "Example"))
        with self.assertRaises(ServerError) as caught:
            log_at(Node()).receipt("ab" * 32)
        self.assertEqual(caught.exception.kind, "match")
        self.assertEqual(log_at(Node()).receipt(made.claim_id(made.RAND), leaf=5).index, 5)
        with self.assertRaises(ServerError) as caught:
            log_at(Node()).receipt(made.claim_id(made.RAND), leaf=6)
        self.assertEqual(caught.exception.kind, "match")
        with self.assertRaises(CallerError):
            log_at(Node()).receipt("../checkpoint")
        for data in (b"", b"[]", b"{}", b'{"envelope":"x"}', b'{"envelope":"x","proof":7}'):
            with self.assertRaises(ServerError) as caught:
                log_at(lambda *_, data=data: Body(data, "application/json")).receipt("ab" * 32)
            self.assertEqual(caught.exception.kind, "message")


class Server(http.server.BaseHTTPRequestHandler):
    """What a server may do to a caller, by path."""

    def do_GET(self):
        if self.path.startswith("/api/v1/"):
            body = Node()(self.path, self.headers["Accept"])
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
        elif self.path == "/much":
            self.send_response(400)
            self.end_headers()
            self.wfile.write(b'{"status":400,"code":"OUT_OF_RANGE","detail":"ask for less"}')
        elif self.path in ("/later", "/soon", "/wrong"):
            self.send_response(400 if self.path == "/wrong" else 429)
            self.send_header("Retry-After", "7" if self.path == "/later" else "soon")
            self.end_headers()
            self.wfile.write(b'{"detail":"\\u001b[1mno"}')
        elif self.path in ("/part", "/nothing"):
            self.send_response(206 if self.path == "/part" else 204)
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
        log = Log(self.url + "/", [made.VKEY], made.POLICY, max_age=None, clock=lambda: AT)
        found = log.lookup(purl="pkg:cargo/rand@0.9.0")
        self.assertEqual([one.leaf for one in found.claims], [5, 7])

    def test_time_and_size_are_limited(self):
        for path, kind in (
            ("/slow", "network"), ("/headers", "network"), ("/large", "too-large"),
            ("/claims-large", "too-large"), ("/elsewhere", "redirect"), ("/gzip", "network"),
            ("/missing", "status"), ("/much", "too-large"), ("/part", "status"),
            ("/nothing", "status"), ("/later", "status"), ("/soon", "status"),
        ):  # fmt: skip
            started = time.monotonic()
            with self.subTest(path=path):
                with self.assertRaises(UnavailableError) as caught:
                    get(self.url + path, "*/*", 1.0, 1_000_000)
                self.assertEqual(caught.exception.kind, kind, caught.exception)
                self.assertLess(time.monotonic() - started, 10)

    def test_when_to_try_again_is_told(self):
        for path, seconds in (("/later", 7), ("/soon", None)):
            with self.subTest(path=path), self.assertRaises(UnavailableError) as caught:
                get(self.url + path, "*/*", 1.0, 10)
            self.assertEqual(caught.exception.retry_after, seconds)

    def test_what_the_node_refuses_is_the_callers(self):
        with self.assertRaises(CallerError) as caught:
            get(self.url + "/wrong", "*/*", 1.0, 10)
        self.assertEqual(caught.exception.kind, "refused")
        self.assertNotIn("\x1b", caught.exception.reason)

    def test_a_web_page_is_no_log(self):
        for ask in (lambda log: log.lookup(purl="pkg:cargo/rand"), lambda log: log.receipt("0" * 64)):
            log = log_at(lambda _path, _accept: Body(b"<p>Sign in", "text/html"))
            with self.assertRaises(ServerError) as caught:
                ask(log)
            self.assertIn("something else answers", caught.exception.reason)

    def test_a_purl_in_another_spelling_is_not_asked_for(self):
        node = Node()
        for purl in (
            "pkg:npm/@a/b", "pkg:NPM/a", "pkg:npm//a", "pkg:npm/a/", "pkg:npm/a@1+2", "pkg:npm",
            "pkg:npm/%40a%2fb", "pkg:npm/%61", "pkg:npm/a@1@2", "pkg:npm/a\n",
        ):  # fmt: skip
            with self.subTest(purl=purl), self.assertRaises(CallerError):
                log_at(node).lookup(purl=purl)
        self.assertEqual(node.asked, [])

    def test_a_purl_is_written_as_its_type_has_it(self):
        node = Node()
        for purl in (
            "pkg:github/Foo/bar@1.0.0", "pkg:github/foo/Bar", "pkg:bitbucket/Foo/bar",
            "pkg:golang/Example.org/m@v1.2.3", "pkg:golang/std@1.22.0", "pkg:golang/a.org/b#v2",
            "pkg:golang/a.org/b@v2.1.0#c/v2", "pkg:deb/debian/Foo@1.0", "pkg:rpm/Fedora/foo@1.0",
            "pkg:composer/Vendor/pkg", "pkg:luarocks/a/b@1.0-A", "pkg:oci/a@sha256:AB",
            "pkg:hex/Phoenix", "pkg:vscode-extension/Pub/ext@1.0.0", "pkg:huggingface/a/B@ABC",
            "pkg:cpan/abc/Foo-Bar", "pkg:hackage/a_b", "pkg:pub/a-b", "pkg:github/%C3%84/b",
            "pkg:deb/debian/%FF",
        ):  # fmt: skip
            with self.subTest(purl=purl), self.assertRaises(CallerError):
                log_at(node).lookup(purl=purl)
        self.assertEqual(node.asked, [])
        for purl in (
            "pkg:github/foo/bar@V1.0.0", "pkg:cargo/Inflector@1.0.0", "pkg:npm/JSONStream@1.0.0",
            "pkg:maven/org.A/B@1.0-RC", "pkg:golang/example.org/m@v1.2.3-RC1",
            "pkg:golang/a.org/b@v1.0.0#c/v2", "pkg:golang/a.org/b@v2.0.0%2Bincompatible#v2",
            "pkg:golang/a.org/b/v2@v2.0.0", "pkg:rpm/fedora/Foo@1.0", "pkg:pypi/Foo",
            "pkg:cpan/ABC/Foo-Bar", "pkg:huggingface/a/B@abc", "pkg:generic/Foo",
            "pkg:constructor/Foo", "pkg:pub/a_b", "pkg:github/%F0%9D%90%80/b",
        ):  # fmt: skip
            self.assertTrue(is_canonical(purl), purl)

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
