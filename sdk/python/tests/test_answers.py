"""Complete answers: on the wire, in JSON, from a node, and from one that lies (docs/index.md 8)."""

import json
import random
import time
import tracemalloc
import unittest
from unittest import mock

import made
from assay_log import AssayError, CallerError, LogError, ServerError, UnsupportedError, WitnessError
from assay_log import limits, verify_receipt, wire
from assay_log.answer import check_answer, check_page
from assay_log.checkpoint import log_keys
from assay_log.cut import read_cut
from assay_log.policy import TlogPolicy, verify_head
from assay_log.question import Census, Crowd, Names

index, make = made.index, made.make
LEAVES = made.log()
ROOT, SIZE = made.root_of(LEAVES), len(LEAVES)
AT = made.NOW_MS // 1000
NOTE = made.note(SIZE, ROOT, (AT, AT, None))
KEYS, POLICY = log_keys([made.VKEY]), TlogPolicy.parse(made.POLICY)
RAND_NAME = index.half("package", "pkg:cargo/rand")
BOTH = index.Names((RAND_NAME,), (made.ALICE_ID[:16], made.BOB_ID[:16]))
ASKED = Names.of(BOTH.names, BOTH.by)


def verify(data, question=ASKED, parse=wire.parse_answer):
    answer = parse(data)
    head = verify_head(answer.checkpoint, KEYS, POLICY)
    size, root = head.checkpoint.size, head.checkpoint.root
    return check_answer(size, root, question, answer, head.cosigned_at)


class Answers(unittest.TestCase):
    def refused(self, culprit, kind, data, question=ASKED):
        with self.assertRaises(culprit) as caught:
            verify(data, question)
        self.assertEqual((type(caught.exception), caught.exception.kind), (culprit, kind))

    def changed(self, note=NOTE, **fields):
        answer = index.make_answer(LEAVES, BOTH)
        return made.message(answer._replace(**fields), note)

    def test_an_answer_is_the_same_in_protobuf_json_and_pieces(self):
        answer = index.make_answer(LEAVES, BOTH)
        found = verify(made.message(answer, NOTE))
        self.assertEqual(sorted(sum(found.lists.values(), [])), [5, 7, 13])
        as_json = made.answer_json(answer, NOTE)
        self.assertEqual(found, verify(as_json, ASKED, wire.parse_answer_json))
        whole = wire.parse_answer(made.message(answer, NOTE))
        for at in range(len(answer.cut)):
            first = answer._replace(cut=answer.cut[:at], proof=[], entries=answer.entries[:1])
            rest = answer._replace(
                cut=answer.cut[at:], commitment=b"", lists=[], entries=answer.entries[1:]
            )
            pieces = [made.message(first, NOTE), made.message(rest, "")]
            self.assertEqual(wire.join(map(wire.parse_answer, pieces)), whole)

    def test_every_kind_of_question_is_answered(self):
        prefix = RAND_NAME.ljust(32, b"\0")
        for question, asked, lists in (
            (index.Crowd(prefix, 128, BOTH.by), Crowd(prefix, 128, ASKED.by), 2),
            (index.Crowd(bytes(32), 0, BOTH.by), Crowd(bytes(32), 0, ASKED.by), None),
            (index.Census(prefix, 128), Census(prefix, 128), 0),
            (index.Names((bytes(16),), BOTH.by), Names.of([bytes(16)], BOTH.by), 0),
        ):
            found = verify(made.answer_bytes(LEAVES, question, NOTE), asked)
            if lists is not None:
                self.assertEqual(len(found.lists), lists)
            self.assertEqual(bool(found.found), lists != 0 or isinstance(asked, Census))

    def test_lies_of_whoever_serves_are_the_servers(self):
        answer = index.make_answer(LEAVES, BOTH)
        other = index.make_answer(LEAVES, index.Names((bytes(16),), BOTH.by))
        for kind, data in [
            ("message", b"\x0a\xff"), ("message", b"\x3b"), ("message", b"\x0d1234"),
            ("message", made.message(answer, NOTE) * 2),
            ("message", self.changed(lists=answer.lists[::-1])),
            ("message", self.changed(proof=[b"short"])),
            ("message", made.message(answer, NOTE) + make.bytes_field(8, bytes(129 * 32))),
            ("checkpoint", self.changed(made.note(SIZE, ROOT, (AT, AT), made.Key(2)))),
            ("checkpoint", self.changed("")),
            ("witnesses", self.changed(NOTE[:-8] + "AAAAAA=\n")),
            ("inclusion", self.changed(proof=answer.proof[:-1])),
            ("inclusion", self.changed(entries=answer.entries[:-1])),
            ("inclusion", self.changed(commitment=LEAVES[0])),
            ("cut", self.changed(cut=answer.cut[:-1])), ("cut", self.changed(cut=b"")),
            ("question", self.changed(cut=other.cut)),
            ("lists", self.changed(lists=answer.lists[:-1])),
            ("lists", self.changed(lists=[(answer.lists[0][0], [1]), *answer.lists[1:]])),
            ("range", self.changed(range=(bytes(32),))),
        ]:  # fmt: skip
            with self.subTest(kind=kind, data=data[:40]):
                self.refused(ServerError, kind, data)

    def test_the_answer_of_another_log_is_said_to_be_one(self):
        self.refused(CallerError, "log", self.changed(NOTE.replace(made.ORIGIN, "other/log", 1)))

    def test_an_entry_that_is_withheld_is_missed(self):
        answer = index.make_answer(LEAVES, BOTH)
        kept = answer.entries[:-1]
        leaves = [leaf for leaf, _ in kept] + [SIZE - 1]
        proof = index.make_multiproof([index.leaf_hash(leaf) for leaf in LEAVES], leaves)
        self.refused(ServerError, "entries", self.changed(entries=kept, proof=proof))

    def test_what_the_log_signed_for_is_the_logs(self):
        empty = made.note(0, index.sha256(b""), (AT, AT))
        self.refused(LogError, "empty", self.changed(empty))
        leaves = LEAVES[:-1]  # the last leaf is a claim
        note = made.note(len(leaves), made.root_of(leaves), (AT, AT))
        self.refused(LogError, "commitment", made.answer_bytes(leaves, BOTH, note))
        lying = [*LEAVES[:-1], make.commitment_over(LEAVES[:4], made.NOW_MS)]
        newer = make.commitment_entry(bytes(32), 9, mapping_version=3)
        for last, culprit, kind in (
            (newer, UnsupportedError, "unsupported"),
            (make.commitment_entry(bytes(31), 9), LogError, "commitment"),
            (b"no entry", LogError, "commitment"),
        ):
            lying = [*LEAVES[:-1], last]
            proof = index.make_multiproof([index.leaf_hash(leaf) for leaf in lying], [SIZE - 1])
            answer = index.Answer(last, b"", [], [], proof)
            note = made.note(SIZE, made.root_of(lying), (AT, AT))
            self.refused(culprit, kind, made.message(answer, note))

    def lying_log(self, listed, leaves=LEAVES, length=None):
        """The answer of a log that committed to this list of leaves for both labels."""
        labels = sorted(RAND_NAME + by for by in BOTH.by)
        root, length = index.list_root(listed), length or len(listed)
        node = index.build_trie([index.new_leaf(label, length, root) for label in labels])
        last = make.commitment_entry(node.hash, 2, logged_at_ms=made.NOW_MS)
        lying = [*leaves[:-1], last]
        shown = sorted({leaf for leaf in listed if leaf < SIZE - 1})
        hashes = [index.leaf_hash(leaf) for leaf in lying]
        proof = index.make_multiproof(hashes, [*shown, SIZE - 1])
        entries = [(leaf, lying[leaf]) for leaf in shown]
        lists = [(label, listed) for label in labels]
        answer = index.Answer(last, index.make_cut(node, BOTH), lists, entries, proof)
        return made.message(answer, made.note(SIZE, made.root_of(lying), (AT, AT)))

    def test_lists_that_the_log_committed_to_and_that_are_wrong_are_the_logs(self):
        self.refused(LogError, "entries", self.lying_log([9]))  # it does not have the labels
        self.refused(LogError, "lists", self.lying_log([7, 5]))
        self.refused(LogError, "lists", self.lying_log([5, 5]))
        self.refused(LogError, "lists", self.lying_log([5, SIZE - 1]))
        self.refused(LogError, "entries", self.lying_log([5], [*LEAVES[:5], b"x", *LEAVES[6:]]))
        self.refused(ServerError, "lists", self.lying_log([5], length=2))

    def test_the_leaves_of_an_answer_are_counted(self):
        whole = wire.parse_answer(self.changed())
        for most, taken in ((3, True), (2, False)):
            with mock.patch.object(limits, "LISTED_LEAVES", most):
                if taken:
                    check_answer(SIZE, ROOT, ASKED, whole)
                    continue
                with self.assertRaises(ServerError) as caught:
                    check_answer(SIZE, ROOT, ASKED, whole)
                self.assertEqual(caught.exception.kind, "limit")
                with self.assertRaises(ServerError) as caught:
                    wire.parse_answer(self.changed())
                self.assertEqual(caught.exception.kind, "limit")

    def test_times_and_quorums_are_held_to(self):
        few = made.note(SIZE, ROOT, (AT, None, None))
        self.refused(WitnessError, "witnesses", self.changed(few))
        for at, fits in ((AT - 300, 1), (AT - 301, 0), (AT + 4200, 1), (AT + 4201, 0)):
            note = made.note(SIZE, ROOT, (at, at, None))
            if fits:
                verify(self.changed(note))
            else:
                self.refused(LogError, "time", self.changed(note))
        # One witness alone does not make a head look fresh.
        verify(self.changed(made.note(SIZE, ROOT, (AT, AT, AT + 90_000))))


class Wire(unittest.TestCase):
    """Messages that are no answers, whatever a key or a field is."""

    def test_json_of_another_shape_is_refused_or_reads_as_nothing(self):
        whole = json.loads(made.answer_json(index.make_answer(LEAVES, BOTH), NOTE))
        odd = (None, 7, -1, 1.5, 2**64, True, "x", "07", "A===", [], {}, [1], ["x"], [None], [{}])
        empty = wire.parse_answer(b"")
        for key in whole:
            for value in odd:
                changed = json.dumps({**whole, key: value}).encode()
                with self.subTest(key=key, value=value):
                    try:
                        answer = wire.parse_answer_json(changed)
                    except ServerError as error:
                        self.assertEqual(error.kind, "message")
                        continue
                    with self.assertRaises(AssayError):
                        verify(changed, ASKED, lambda _, answer=answer: answer)
        for value in odd:
            data = json.dumps({"lists": [{"label": value, "leaves": value}]}).encode()
            with self.assertRaises(ServerError):
                wire.parse_answer_json(data)
        self.assertEqual(wire.parse_answer_json(b"{}"), empty)
        for data in (b"", b"[]", b"7", b"\xff", b'{"cut":"","cut":""}'):
            with self.assertRaises(ServerError):
                wire.parse_answer_json(data)
        numbers = {**whole, "leaves": [int(one) for one in whole["leaves"]]}
        verify(json.dumps(numbers).encode(), ASKED, wire.parse_answer_json)

    def test_odd_messages_are_refused(self):
        field = make.bytes_field
        for data, why in (
            (field(4, field(1, bytes(31))), "32 bytes"),
            (field(4, field(1, b"b" * 32)) + field(4, field(1, b"a" * 32)), "order"),
            (field(5, b"\1"), "no index"), (field(6, b"x"), "no index"),
            (field(5, b"\x80"), "too long"), (field(7, bytes(33)), "32 bytes"),
            (b"\x08\x01", "another type"), (b"\x0d1234", "another type"),
            (b"\x29" + bytes(8), "another type"), (b"\x00\x01", "impossible"),
            (b"\x0a\x05x", "inside a field"), (b"\x0b", "wire type"),
            (b"\x0a" + b"\xff" * 9 + b"\x7f", "too large"),
        ):  # fmt: skip
            with self.assertRaisesRegex(ServerError, why):
                wire.parse_answer(data)

    def test_pieces_are_joined_in_their_order(self):
        whole = wire.parse_answer(made.message(index.make_answer(LEAVES, BOTH), NOTE))
        for pieces in ([], [whole, whole]):
            with self.assertRaises(ServerError):
                wire.join(pieces)


class Pages(unittest.TestCase):
    def test_pages_prove_their_place(self):
        label = RAND_NAME + made.ALICE_ID[:16]
        node, lists = index.build_index([index.labels_of(leaf) for leaf in LEAVES[:-1]])
        listed = lists[label]
        hashes = [index.leaf_hash(leaf) for leaf in LEAVES]
        cut = index.make_cut(node, index.Names((label[:16],), (label[16:],)))
        self.assertEqual(listed, [5, 13])

        def page(start, end, **fields):
            some = listed[start:end]
            proof = index.make_multiproof(hashes, [*some, SIZE - 1])
            entries = [(leaf, LEAVES[leaf]) for leaf in some]
            place = [] if end - start == len(listed) else index.make_range(listed, start, end)
            answer = index.Answer(LEAVES[-1], cut, [(label, some)], entries, proof, tuple(place))
            return wire.parse_answer(made.message(answer._replace(**fields), NOTE))

        for start, end in ((0, 2), (0, 1), (1, 2), (2, 2)):
            found = check_page(SIZE, ROOT, label, start, page(start, end))
            self.assertEqual((found.leaf.length, found.indices), (2, listed[start:end]))
        one = (bytes(32),)
        for start, answer, why in (
            (1, page(0, 1), "another root"), (0, page(1, 2), "another root"),
            (0, page(0, 1, range=()), "too few hashes"), (1, page(0, 2), "beyond"),
            (0, page(0, 0), "in the middle"), (2, page(2, 2, range=one), "no page"),
            (0, page(0, 2, lists=[]), "not the one"), (0, page(0, 2, entries=[]), "inclusion"),
            (0, page(0, 2, lists=[(bytes(32), listed)]), "not the one"),
            (0, page(0, 2, lists=[(label, [13, 5])]), "ascending"),
            (0, page(0, 2, lists=[(label, [5, SIZE - 1])]), "does not cover"),
            (0, page(0, 2, lists=[(label, [5, 12])]), "another root"),
        ):  # fmt: skip
            with self.assertRaisesRegex(ServerError, why):
                check_page(SIZE, ROOT, label, start, answer)
        with mock.patch.object(limits, "PAGE", 1), self.assertRaisesRegex(ServerError, "more"):
            check_page(SIZE, ROOT, label, 0, page(0, 2))
        fewer = index.make_multiproof(hashes, [5, SIZE - 1])
        less = page(0, 2, entries=[(5, LEAVES[5])], proof=fewer)
        with self.assertRaisesRegex(ServerError, "missing"):
            check_page(SIZE, ROOT, label, 0, less)
        self.assertEqual(check_page(SIZE, ROOT, label, 2, page(2, 2)).indices, [])

    def test_a_page_under_a_label_that_an_entry_does_not_have_is_the_logs(self):
        label = RAND_NAME + made.ALICE_ID[:16]
        node = index.build_trie([index.new_leaf(label, 1, index.list_root([9]))])
        last = make.commitment_entry(node.hash, 1, logged_at_ms=made.NOW_MS)
        lying = [*LEAVES[:-1], last]
        proof = index.make_multiproof([index.leaf_hash(leaf) for leaf in lying], [9, SIZE - 1])
        cut = index.make_cut(node, index.Names((label[:16],), (label[16:],)))
        answer = index.Answer(last, cut, [(label, [9])], [(9, LEAVES[9])], proof)
        with self.assertRaises(LogError):
            root = made.root_of(lying)
            check_page(SIZE, root, label, 0, wire.parse_answer(made.message(answer, NOTE)))


class Hostile(unittest.TestCase):
    """What is sent to hang a reader or to fill its memory ends soon, and is refused."""

    def ends_soon(self, run):
        tracemalloc.start()
        started = time.monotonic()
        try:
            with self.assertRaises(AssayError):
                run()
            self.assertLess(tracemalloc.get_traced_memory()[1], 128 << 20)
        finally:
            tracemalloc.stop()
        self.assertLess(time.monotonic() - started, 20)

    def test_deep_cuts_do_not_recurse(self):
        # 256 inner nodes in one another, all but the last with a stub beside it.
        cut = b"".join(bytes([3, bits]) + bytes((bits + 7) // 8) for bits in range(256))
        stub = b"\0" + (1).to_bytes(8, "big") + bytes(32)
        self.ends_soon(lambda: read_cut(cut + stub * 257, bytes(32), 257))
        self.ends_soon(lambda: read_cut(bytes([2, 5]) * 1_000_000, bytes(32), 1))
        self.ends_soon(lambda: read_cut(bytes([2, 0]), bytes(32), 1))

    def test_json_does_not_recurse_or_scan_twice(self):
        for text in (b"[" * 1_000_000, b'{"a":' * 300_000, b'"' + b'\\"' * 500_000,
                     b'["' + b'","' * 300_000, b"9" * 1_000_000, b"-" * 1_000_000):  # fmt: skip
            self.ends_soon(lambda text=text: wire.parse_answer_json(text))

    def test_lists_are_counted_before_they_are_read(self):
        label = make.bytes_field(1, bytes(32))
        many = make.bytes_field(4, label + make.bytes_field(2, b"\1" * 5_000_000))
        self.ends_soon(lambda: wire.parse_answer(many))
        self.ends_soon(lambda: wire.parse_answer(make.bytes_field(5, b"\1" * 5_000_000)))
        self.ends_soon(lambda: wire.parse_answer(b"\x80" * 1_000_000))

    def test_answers_are_bounded(self):
        answer = index.make_answer(LEAVES, BOTH)
        for limit, data, parse in (
            ("ANSWER_BYTES", made.message(answer, NOTE), wire.parse_answer),
            ("ANSWER_JSON_BYTES", made.answer_json(answer, NOTE), wire.parse_answer_json),
        ):
            with mock.patch.object(limits, limit, len(data)):
                parse(data)
            with mock.patch.object(limits, limit, len(data) - 1):
                with self.assertRaisesRegex(ServerError, "at most"):
                    parse(data)

    def test_notes_and_receipts_are_bounded(self):
        big = "x" * 2_000_000
        self.ends_soon(lambda: verify_head((NOTE + big).encode(), KEYS))
        lines = "\u2014 a AAAAAAA=\n" * 101
        self.ends_soon(lambda: verify_head((NOTE + lines).encode(), KEYS))
        self.ends_soon(lambda: verify_receipt(big.encode(), b"", KEYS))
        self.ends_soon(lambda: verify_receipt(b"{}", b"\n" * 500_000, KEYS))


class Mutations(unittest.TestCase):
    """What is changed anywhere is refused, or says exactly what was true."""

    def mutated(self, rng, data):
        out = bytearray(data)
        for _ in range(rng.choice((1, 1, 1, 2, 5))):
            at = rng.randrange(len(out))
            kind = rng.randrange(6)
            if kind == 0:
                out[at] ^= 1 << rng.randrange(8)
            elif kind == 1:
                out[at] = rng.randrange(256)
            elif kind == 2:
                del out[at : at + rng.choice((1, 2, 32))]
            elif kind == 3:
                out[at:at] = bytes(rng.randrange(256) for _ in range(rng.choice((1, 32))))
            elif kind == 4:
                other = rng.randrange(len(out))
                size = rng.choice((1, 16, 32, 64))
                out[at : at + size], out[other : other + size] = (
                    out[other : other + size],
                    out[at : at + size],
                )
            else:
                out[at:] = b"" if rng.randrange(4) == 0 else out[at:]
            if not out:
                return b""
        return bytes(out)

    def test_answers(self):
        rng = random.Random(20261128)
        answer = index.make_answer(LEAVES, BOTH)
        for data, parse in (
            (made.message(answer, NOTE), wire.parse_answer),
            (made.answer_json(answer, NOTE), wire.parse_answer_json),
        ):
            true, refused = verify(data, ASKED, parse), 0
            for _ in range(2_500):
                try:
                    found = verify(self.mutated(rng, data), ASKED, parse)
                except AssayError:
                    refused += 1
                    continue
                self.assertEqual(self.said(found), self.said(true))
            self.assertGreater(refused, 2_000)

    def said(self, found):
        """What an answer says. Which leaf's commitment it is, and what a cut shows of what nobody
        asked for, is bound by the same signed root."""
        return found.commitment, found.lists, found.entries, found.overlong, found.missing

    def test_receipts(self):
        rng = random.Random(20261129)
        files = [made.receipt(LEAVES, leaf, NOTE) for leaf in (5, 1, 3)]
        true, refused = verify_receipt(*files[0], KEYS, POLICY, files[1:]), 0
        for _ in range(5_000):
            changed = list(files[0])
            which = rng.randrange(2)
            changed[which] = self.mutated(rng, changed[which])
            try:
                found = verify_receipt(*changed, KEYS, POLICY, files[1:])
            except AssayError:
                refused += 1
                continue
            self.assertEqual(found.claim, true.claim)
            self.assertEqual((found.index, found.issuers), (true.index, true.issuers))
            self.assertEqual(found.head.checkpoint, true.head.checkpoint)
        self.assertGreater(refused, 4_000)


if __name__ == "__main__":
    unittest.main()
