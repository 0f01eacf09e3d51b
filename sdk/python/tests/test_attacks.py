"""What an attacker tried who may serve anything, or has the log's key: it ends soon and is said."""

import http.server
import json
import threading
import time
import tracemalloc
import unittest
from unittest import mock

import made
from assay_log import (
    CallerError,
    IssuerError,
    LogError,
    ServerError,
    UnavailableError,
    client,
    limits,
    verify_receipt,
    wire,
)
from assay_log.http import Body, get
from test_client import AT, LEAVES, NOTE, SIZE, Node, index, log_at, make

KEYS = [made.VKEY]
field = make.bytes_field


def lying(leaves, *more):
    """A node at a log with other leaves, and its note."""
    leaves = [*leaves, *more]
    leaves.append(make.commitment_over(leaves, made.NOW_MS))
    return Node(leaves, made.note(len(leaves), made.root_of(leaves), (AT, AT)))


class Work(unittest.TestCase):
    """How much a message can cost whoever reads it, before anything of it is verified."""

    def soon(self, run, seconds=5.0):
        started = time.monotonic()
        found = run()
        self.assertLess(time.monotonic() - started, seconds)
        return found

    def refused(self, kind, run, seconds=5.0):
        def refuse():
            with self.assertRaises(ServerError) as caught:
                run()
            self.assertEqual(caught.exception.kind, kind)

        self.soon(refuse, seconds)

    def test_a_list_in_many_pieces_is_joined_as_it_comes(self):
        label = bytes([7]) * 32
        pieces = field(4, field(1, label) + b"\x10\x01") * 80_000
        answer = self.soon(lambda: wire.parse_answer(pieces))
        self.assertEqual(answer.lists, ((label, [1] * 80_000),))
        text = {"lists": [{"label": make.b64(label), "leaves": ["1"]}] * 80_000}
        data = json.dumps(text).encode()
        self.assertEqual(self.soon(lambda: wire.parse_answer_json(data)), answer)
        one = wire.parse_answer(field(4, field(1, label) + b"\x10\x01"))
        self.assertEqual(self.soon(lambda: wire.join([one] * 80_000)), answer)
        self.assertEqual(one.lists, ((label, [1]),))  # joining changes no piece

    def test_a_label_is_looked_at_before_its_list_is_kept(self):
        self.refused("message", lambda: wire.parse_answer(b"\x22\x02\x10\x01" * 80_000), 1.0)
        with mock.patch.object(limits, "LISTED_LEAVES", 1):  # the second list would be too much
            self.refused("message", lambda: wire.parse_answer(b"\x22\x02\x10\x01" * 2))

    def test_fields_and_entries_are_counted(self):
        for data in (
            b"\xd0\x05\x01" * 5_000_000, field(4, b"\xd0\x05\x01" * 5_000_000),
            field(5, b"\1" * 131_073), b"\x2a\x00" * 8_000_000,
            b"\x28\x01" * 8_000_000, b"\x32\x00" * 8_000_000,
        ):  # fmt: skip
            self.refused("limit", lambda data=data: wire.parse_answer(data))
        with mock.patch.object(limits, "ENTRIES", 1), mock.patch.object(limits, "FIELDS", 4):
            whole = field(5, b"\1") + field(6, b"x")
            self.assertEqual(wire.parse_answer(whole).entries, ((1, b"x"),))
            self.assertEqual(wire.parse_answer(b"\xd0\x05\x01" * 4).entries, ())
            self.refused("limit", lambda: wire.parse_answer(whole + field(6, b"x")))
            self.refused("limit", lambda: wire.parse_answer(b"\xd0\x05\x01" * 5))
            # The fields of lists are counted with the others.
            inside = field(4, field(1, bytes(32)) + b"\x10\x01")
            self.refused("limit", lambda: wire.parse_answer(inside * 2))

    def test_packed_numbers_are_read_as_others_are_and_soon(self):
        numbers = [0, 1, 127, 128, 2**32, 2**63, 2**64 - 1]
        written = b"".join(map(make.varint, numbers)) + b"\x81" + b"\x80" * 8 + b"\0"
        label = field(1, bytes(32))
        read = wire.parse_answer(field(4, label + field(2, written))).lists[0][1]
        self.assertEqual(read, [*numbers, 1])
        for bad in (b"\1\x80", b"\xff" * 9 + b"\2", b"\x80" * 10 + b"\0", b"\x80" * 10):
            self.refused("message", lambda: wire.parse_answer(field(4, label + field(2, bad))))
        many = field(4, label + field(2, b"\x81\x81\x81\1" * 4_000_000))
        self.assertEqual(len(self.soon(lambda: wire.parse_answer(many)).lists[0][1]), 4_000_000)

    def test_values_of_json_are_counted(self):
        for text in (b'{"a":0},', b"[],", b'"",', b"0,"):
            data = b'{"x":[' + text * (limits.ANSWER_JSON_BYTES // len(text) - 2) + b"0]}"
            tracemalloc.start()
            try:
                self.refused("message", lambda data=data: wire.parse_answer_json(data), 1.0)
                self.assertLess(tracemalloc.get_traced_memory()[1], 64 << 20)
            finally:
                tracemalloc.stop()
        with mock.patch.object(limits, "JSON_VALUES", 3):
            wire.parse_answer_json(b'{"x":[1,2,3]}')
            self.refused("message", lambda: wire.parse_answer_json(b'{"x":[1,2,3,4]}'))

    def test_the_caller_says_how_large_an_answer_may_be(self):
        self.assertEqual((limits.ANSWER_BYTES, limits.ANSWER_JSON_BYTES), (16 << 20, 8 << 20))
        whole = log_at(Node()).lookup(purl="pkg:cargo/rand")
        for media_type in ("application/protobuf", "application/json"):
            node, sizes = Node(media_type=media_type), []

            def fetch(path, accept, node=node, sizes=sizes):
                body = node(path, accept)
                sizes.append(len(body.data) * (2 if "json" in body.media_type else 1))
                return body

            self.assertEqual(log_at(fetch).lookup(purl="pkg:cargo/rand").claims, whole.claims)
            log_at(fetch, most_bytes=max(sizes)).lookup(purl="pkg:cargo/rand")
            with self.assertRaisesRegex(ServerError, "at most"):
                log_at(fetch, most_bytes=max(sizes) - 2).lookup(purl="pkg:cargo/rand")
        claim = made.claim_id(made.RAND)
        size = len(Node().receipt(claim).data)
        log_at(Node(), most_bytes=2 * size).receipt(claim)
        with self.assertRaisesRegex(ServerError, "bytes of JSON"):
            log_at(Node(), most_bytes=2 * size - 1).receipt(claim)

    def test_no_more_is_fetched_than_is_read(self):
        with mock.patch("assay_log.http.get", side_effect=UnavailableError("x", "")) as fetched:
            log = client.Log("http://node.example", KEYS, most_bytes=100)
            for ask in (log.receipt, lambda claim: log.page(bytes.fromhex(claim))):
                with self.assertRaises(UnavailableError):
                    ask("ab" * 32)
        self.assertEqual([call.args[3] for call in fetched.call_args_list], [50, 100])

    def test_requests_without_an_answer_are_counted(self):
        asked = []

        def fetch(path, accept):
            asked.append(path)
            if "/batch" in path or "/lookup" in path:
                raise UnavailableError("too-large", "ask for less")
            return Node()(path, accept)

        with mock.patch.object(client, "_REQUESTS", 3):
            with self.assertRaises(UnavailableError) as caught:
                issuers = [bytes([at]).hex() * 32 for at in range(64)]
                log_at(fetch).lookup(purl="pkg:cargo/rand", issuers=issuers)
        self.assertEqual((caught.exception.kind, len(asked)), ("limit", 3))


class Duplicates(unittest.TestCase):
    def test_of_a_field_that_stands_twice_the_last_one_counts(self):
        first = wire.parse_answer(field(1, b"a") + field(2, b"b") + field(3, b"c"))
        twice = b"".join(field(at, bytes(32)) for at in (1, 2, 3, 7, 8))
        twice += field(1, b"a") + field(2, b"b") + field(3, b"c") + b"\x3a\0" + b"\x42\0"
        self.assertEqual(wire.parse_answer(twice), first)
        label = bytes([1]) * 32
        named_twice = field(1, b"short") + b"\x10\x01" + field(1, label) + b"\x10\x02"
        self.assertEqual(wire.parse_answer(field(4, named_twice)).lists, ((label, [1, 2]),))


class Heads(unittest.TestCase):
    def test_a_head_from_the_future_is_refused(self):
        for max_age in (None, 60.0):
            found = log_at(Node(), max_age=max_age, clock=lambda: AT - 300)
            self.assertTrue(found.lookup(purl="pkg:cargo/rand").is_complete)
            ahead = log_at(Node(), max_age=max_age, clock=lambda: AT - 301)
            label = index.half("package", "pkg:cargo/rand") + made.ALICE_ID[:16]
            for ask in (lambda: ahead.lookup(purl="pkg:cargo/rand"), lambda: ahead.page(label)):
                with self.assertRaises(UnavailableError) as caught:
                    ask()
                self.assertEqual(caught.exception.kind, "clock")

    def test_the_clock_is_this_machines_if_no_other_is_given(self):
        for at, kind in ((AT + 2 * 86_400, "stale"), (AT - 301, "clock")):
            with mock.patch("time.time", lambda at=at: at):
                log = client.Log("http://node.example", KEYS, made.POLICY, fetch=Node())
                with self.assertRaises((ServerError, UnavailableError)) as caught:
                    log.lookup(purl="pkg:cargo/rand")
            self.assertEqual(caught.exception.kind, kind)

    def test_an_older_head_is_refused(self):
        grown, old = lying(LEAVES), Node()
        nodes = [grown]
        log = log_at(lambda path, accept: nodes[0](path, accept))
        log.lookup(purl="pkg:cargo/rand")
        nodes[0] = old
        with self.assertRaises(ServerError) as caught:
            log.lookup(purl="pkg:cargo/rand")
        self.assertEqual(caught.exception.kind, "older")
        # A receipt proves that something is logged, under whichever head.
        self.assertEqual(log.receipt(made.claim_id(made.RAND)).index, 5)
        nodes[0] = grown
        self.assertTrue(log.lookup(purl="pkg:cargo/rand").is_complete)
        log = log_at(lambda path, accept: nodes[0](path, accept))
        log.receipt(made.claim_id(made.RAND))  # which showed a newer head, too
        nodes[0] = old
        with self.assertRaises(ServerError):
            log.lookup(purl="pkg:cargo/rand")

    def test_a_log_that_grows_meanwhile_is_asked_again(self):
        old, grown, asked = Node(), lying(LEAVES), []

        def fetch(path, accept):
            asked.append(path)
            return (old if len(asked) < 3 else grown)(path, accept)

        found = log_at(fetch).lookup(purl="pkg:cargo/rand")
        self.assertEqual((found.is_complete, found.head.checkpoint.size), (True, SIZE + 1))
        self.assertEqual(sum("/prefix" in path for path in asked), 2)

    def test_what_comes_of_several_heads_is_not_complete(self):
        leaves, asked = list(LEAVES), []

        def fetch(path, accept):
            asked.append(path)
            leaves.append(make.commitment_over(leaves, made.NOW_MS))
            note = made.note(len(leaves), made.root_of(leaves), (AT, AT))
            return Node(leaves, note)(path, accept)

        found = log_at(fetch).lookup(purl="pkg:cargo/rand")
        self.assertEqual([one.leaf for one in found.claims], [5, 7])
        self.assertFalse(found.is_complete)
        self.assertEqual(sum("/prefix" in path for path in asked), client._TRIES)

    def both_notes(self, error, first, second):
        def signed(note):
            return note.split("\u2014 w1.example")[0].encode()

        self.assertEqual(error.notes, (signed(first), signed(second)))

    def test_two_entries_at_one_leaf_are_the_logs(self):
        # Alice's and Bob's words are exchanged in the longer history.
        other = lying([*LEAVES[:5], LEAVES[7], LEAVES[6], LEAVES[5], *LEAVES[8:]])
        asked = []

        def fetch(path, accept):
            asked.append(path)
            return (Node() if len(asked) < 3 else other)(path, accept)

        with self.assertRaises(LogError) as caught:
            log_at(fetch).lookup(purl="pkg:cargo/rand")
        self.assertEqual(caught.exception.kind, "split")
        self.both_notes(caught.exception, NOTE, other.note)

    def test_another_commitment_at_a_leaf_is_the_logs(self):
        # A census has no entries but its last leaf, which stands elsewhere in the longer history.
        other = lying([*LEAVES[:-1], made.entry(made.LEFT, [(made.ALICE_ID, made.ALICE)])])
        said = client._Said(log_at(Node()).keys)
        log_at(Node())._census(("package", "pkg:cargo/rand"), said)
        label = index.half("package", "pkg:npm/left-pad") + made.ALICE_ID[:16]
        with self.assertRaisesRegex(LogError, f"leaf {SIZE - 1}"):
            log_at(other)._page(said, label, 0)

    def test_two_roots_of_one_size_are_kept_as_evidence(self):
        leaves = [*LEAVES[:9], LEAVES[11], LEAVES[10], LEAVES[9], *LEAVES[12:-1]]
        other, nodes = lying(leaves), [Node()]
        log = log_at(lambda path, accept: nodes[0](path, accept))
        log.lookup(purl="pkg:cargo/rand")
        nodes[0] = other
        for ask in (
            lambda: log.lookup(purl="pkg:cargo/rand"), lambda: log.receipt(made.claim_id(made.RAND))
        ):  # fmt: skip
            with self.assertRaises(LogError) as caught:
                ask()
            self.assertEqual(caught.exception.kind, "split")
            self.both_notes(caught.exception, NOTE, other.note)

    def test_receipts_that_contradict_each_other_are_kept_as_evidence(self):
        other = lying([*LEAVES[:5], LEAVES[7], LEAVES[6], LEAVES[5], *LEAVES[8:]])
        files = [made.receipt(LEAVES, 5, NOTE), made.receipt(other.leaves, 5, other.note)]
        with self.assertRaises(LogError) as caught:
            verify_receipt(*files[0], KEYS, made.POLICY, files[1:])
        self.both_notes(caught.exception, NOTE, other.note)


class Compromises(unittest.TestCase):
    def judged(self, *subjects):
        own = made.ALICE_ID
        said = {"issuer": own.hex(), "key": made.ALICE.public.hex()}
        claim = made.statement(list(subjects), "urn:assay:key-compromise:v1", said)
        leaves = [LEAVES[0], LEAVES[1], made.entry(claim, [(own, made.ALICE)])]
        note = made.note(len(leaves), made.root_of(leaves))
        first, last = (made.receipt(leaves, leaf, note) for leaf in (1, 2))
        return verify_receipt(*last, KEYS, None, [first])

    def test_a_compromise_is_about_the_issuer_that_it_names(self):
        own, other = ({"digest": {"sha256": one.hex()}} for one in (made.ALICE_ID, made.BOB_ID))
        self.assertEqual([one.id for one in self.judged(own).issuers], [made.ALICE_ID])
        for subjects in (
            [other], [own, other], [own, own], [{"digest": {"sha512": "ab" * 64}}],
            [make.package("pkg:cargo/rand@0.9.0")],
        ):  # fmt: skip
            with self.subTest(subjects=subjects), self.assertRaises(IssuerError) as caught:
                self.judged(*subjects)
            self.assertEqual(caught.exception.kind, "claim")


class Broken(http.server.BaseHTTPRequestHandler):
    """Servers whose connections end in the middle."""

    def do_GET(self):
        status, length, sent = {
            "/short": (200, "100", b"{}"), "/whole": (200, "2", b"{}"),
            "/error": (500, None, b"64\r\nx"), "/short-error": (400, "100", b"{}"),
        }[self.path]  # fmt: skip
        self.send_response(status)
        if length is None:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", length)
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, *_):
        pass


class CutOff(unittest.TestCase):
    def setUp(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Broken)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def tearDown(self):
        self.server.shutdown()
        self.server.server_close()

    def test_what_ends_in_the_middle_is_no_answer(self):
        self.assertEqual(get(self.url + "/whole", "*/*", 5.0, 100).data, b"{}")
        for path, kind in (
            ("/short", "network"), ("/error", "network"), ("/short-error", "status"),
        ):  # fmt: skip
            with self.subTest(path=path), self.assertRaises(UnavailableError) as caught:
                get(self.url + path, "*/*", 5.0, 1_000)
            self.assertEqual(caught.exception.kind, kind)
        with mock.patch("http.client.HTTPResponse.read", side_effect=ConnectionResetError):
            for path in ("/whole", "/short-error"):
                with self.assertRaises(UnavailableError):
                    get(self.url + path, "*/*", 5.0, 1_000)

    def test_what_is_no_address_is_the_callers(self):
        with self.assertRaises(CallerError):
            get("http://[::1", "*/*", 1.0, 10)


if __name__ == "__main__":
    unittest.main()
