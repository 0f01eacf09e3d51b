"""Trees, and the vectors that this repository shares with Rust and JavaScript."""

import contextlib
import io
import json
import unittest
from dataclasses import replace
from unittest import mock

import made
from assay_log import (
    AssayError,
    CallerError,
    Checkpoint,
    ServerError,
    TlogPolicy,
    UnsupportedError,
    VerifierKey,
    WitnessError,
    limits,
    merkle,
    mldsa,
    verdicts,
)
from assay_log.checkpoint import log_keys, verify_checkpoint
from assay_log.jsontext import NotStrict, parse
from assay_log.note import Note
from assay_log.protobuf import canonical
from assay_log.question import Names
from assay_log.tlog_proof import TlogProof


class Keys(unittest.TestCase):
    def test_a_key_is_read_in_one_spelling(self):
        name, key_id, material = made.VKEY.split("+", 2)
        self.assertEqual(VerifierKey.parse(made.VKEY).public_key, made.LOG.public)
        weak = made.Key(1)
        weak.public = bytes([1]) + bytes(31)
        no_point = made.Key(1)
        no_point.public = bytes([2]) + bytes(31)
        for text, why in (
            (f"{name}+{key_id}", "cut off"), (made.VKEY[:-1], "form"), ("x" + made.VKEY, "its id"),
            (made.VKEY.replace(key_id, key_id.upper()), "form"), (" " + made.VKEY, "form"),
            (f"{name}+00000000+{material}", "its id"), (made.LOG.vkey("", 1), "form"),
            (made.LOG.vkey("a b", 1), "form"), (made.LOG.vkey("a\x85b", 1), "form"),
            (made.LOG.vkey(name, 2), "type 0x02"), (made.LOG.vkey(name, 6), "length"),
            (weak.vkey(name), "sound"), (no_point.vkey(name), "sound"),
        ):  # fmt: skip
            with self.assertRaisesRegex(CallerError, why):
                VerifierKey.parse(text)
        other = made.LOG.vkey("b")
        for keys in ([], [made.VKEY] * 9, [made.LOG.vkey(name, 4)], [made.VKEY, other]):
            with self.assertRaises(CallerError):
                log_keys(keys)


class Notes(unittest.TestCase):
    NOTE = made.note(7, bytes(32), (1, 2, 3))

    def test_a_note_is_read_in_one_spelling(self):
        note, line = self.NOTE, self.NOTE.split("\n\n")[1].split("\n")[0] + "\n"
        self.assertEqual(len(Note.parse(note.encode()).signatures), 4)
        for data, why in (
            (note.encode() + b"\xff", "UTF-8"), (note.encode() + b"\r\n", "UTF-8"),
            (b"x" * 1_100_000, "at most"), (note[:-1].encode(), "end is missing"),
            (b"text\n", "no signatures"), (b"text\n\n", "no signatures"),
            ((note + line).encode(), "two signatures"),
            ((note + "\u2014 a AAAAAAA=\n" * 101).encode(), "too many"),
            ((note + "- a AAAAAAA=\n").encode(), "not a signature"),
            ((note + "\u2014 a AAAAAAB=\n").encode(), "not a signature"),
            ((note + "\u2014 a AAAAAA==\n").encode(), "not a signature"),
            ((note + "\u2014 a+b AAAAAAA=\n").encode(), "not a signature"),
            ((note + "\u2014 AAAAAAA=\n").encode(), "not a signature"),
        ):  # fmt: skip
            with self.assertRaisesRegex(ServerError, why):
                Note.parse(data)

    def test_a_checkpoint_is_read_in_one_spelling(self):
        root = "A" * 43 + "="
        self.assertEqual(Checkpoint.parse(f"o\n{2**64 - 1}\n{root}\n").size, 2**64 - 1)
        for text in (
            "", f"o\n1\n{root}", f"o\n1\n{root}\nextension\n", f"\n1\n{root}\n",
            f"a\x7f\n1\n{root}\n", f"o\n01\n{root}\n", f"o\n-1\n{root}\n", f"o\n+1\n{root}\n",
            f"o\n{2**64}\n{root}\n", f"o\n\u0661\n{root}\n", f"o\n1\n{root[:-1]}\n",
            f"o\n1\n{'A' * 42}B=\n", "o\n1\nAAAA\n", "o\n" + "9" * 5000 + f"\n{root}\n",
        ):  # fmt: skip
            with self.assertRaises(ServerError):
                Checkpoint.parse(text)

    def test_every_line_by_a_known_key_must_be_right(self):
        key = VerifierKey.parse(made.VKEY)
        witness = VerifierKey.parse(made.WITNESSES[0].vkey(made.WITNESS_NAMES[0], 4))
        note = Note.parse(self.NOTE.encode())
        self.assertEqual(note.verify([key, witness]).times, {key: None, witness: 1})
        self.assertEqual(note.verify([]).times, {})
        at = (1 << 63).to_bytes(8, "big") + bytes(64)
        for bad in (at, bytes(64), bytes(72), b"x"):
            line = made.WITNESSES[0].line(made.WITNESS_NAMES[0], bad, 4)
            forged = Note.parse((made.note(7, bytes(32)) + line).encode())
            with self.assertRaisesRegex(ServerError, "wrong"):
                forged.verify([witness])
            self.assertEqual(forged.verify([key]).times, {key: None})
        same = replace(key, public_key=made.ALICE.public)
        with self.assertRaisesRegex(CallerError, "share"):
            note.verify([key, same])

    @unittest.skipUnless(mldsa.is_available(), "this cryptography has no ML-DSA-44")
    def test_ml_dsa_44_counts_where_it_can_be_checked_and_else_not(self):
        from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

        private = MLDSA44PrivateKey.from_seed_bytes(bytes(32))
        public, name = private.public_key().public_bytes_raw(), "pq.example/witness"
        material = bytes([6]) + public
        key_id = made.hashlib.sha256(name.encode() + b"\n" + material).digest()[:4]
        key = VerifierKey.parse(f"{name}+{key_id.hex()}+{made.make.b64(material)}")
        origin = made.ORIGIN.encode()
        message = b"subtree/v1\n\0" + bytes([len(name)]) + name.encode() + (9).to_bytes(8, "big")
        message += bytes([len(origin)]) + origin + bytes(8) + (7).to_bytes(8, "big") + bytes(32)
        signature = (9).to_bytes(8, "big") + private.sign(message)
        line = f"\u2014 {name} {made.make.b64(key_id + signature)}\n"
        note = Note.parse((made.note(7, bytes(32)) + line).encode())
        self.assertEqual(note.verify([key]).times, {key: 9})
        other = Note.parse((made.note(8, bytes(32)) + line).encode())
        with self.assertRaises(ServerError):
            other.verify([key])
        with mock.patch.object(mldsa, "_available", False):
            self.assertEqual(other.verify([key]).unchecked, (key,))
            policy = TlogPolicy.parse(f"witness w {name}+{key_id.hex()}+{made.make.b64(material)}\n"
                                      "quorum w\n")  # fmt: skip
            with self.assertRaises(WitnessError):
                policy.verify(note, log_keys([made.VKEY]))
            key_id = made.hashlib.sha256(origin + b"\n" + material).digest()[:4]
            line = f"\u2014 {made.ORIGIN} {made.make.b64(key_id + signature)}\n"
            own = VerifierKey.parse(f"{made.ORIGIN}+{key_id.hex()}+{made.make.b64(material)}")
            alone = Note.parse((note.text + "\n" + line).encode())
            with self.assertRaises(UnsupportedError):
                verify_checkpoint(alone, [own])


class Policies(unittest.TestCase):
    def test_lines_that_are_none_are_named(self):
        one, two = (key.vkey(f"{at}.example", 4) for at, key in enumerate(made.WITNESSES[:2]))
        for text, why in (
            ("quorum none\nlog\n", "line 2.*form"), (f"log {made.VKEY} u x\n", "form"),
            (f"witness w {one} u x\n", "form"), (f"witness w {one}\ngroup g 1\n", "form"),
            ("quorum a b\n", "form"), ("quibble\n", "one of"), ("# a\x01\n", "control"),
            (f"witness w {one}\nwitness v {one}\n", "another line"),
            (f"witness w {one}\nwitness w {two}\n", "taken"), (f"witness none {one}\n", "taken"),
            (f"witness w {one}\ngroup g 01 w\n", "threshold"), ("quorum w\n", "defines"),
            (f"witness w {one}\n", "no quorum"), ("quorum none\nquorum none\n", "already"),
            (f"witness w {one}\ngroup g 1 w\ngroup h 1 w\n", "already"),
            (f"witness w {made.VKEY}\n", "a log's"), (f"log {one}\n", "a witness's"),
            ("".join(f"log {made.Key(at).vkey('l')}\n" for at in range(101)), "more than"),
        ):  # fmt: skip
            with self.assertRaisesRegex(CallerError, why):
                TlogPolicy.parse(text)

    def test_groups_are_counted_member_by_member(self):
        names = [f"w{at}" for at in range(4)]
        keys = [made.Key(40 + at).vkey(name, 4) for at, name in enumerate(names)]
        lines = [f"witness {name} {key}" for name, key in zip(names, keys)]
        lines += ["group a any w0 w1", "group b all w2 w3", "group q 2 a b", "\t# x", "quorum q"]
        policy = TlogPolicy.parse("\n".join(lines))
        for met, cosigned in (
            (True, "w0 w2 w3"), (True, "w1 w2 w3"), (False, "w0 w1 w2"), (False, "w2 w3"),
            (False, ""),
        ):  # fmt: skip
            self.assertEqual(policy.is_quorum(cosigned.split()), met, cosigned)
        self.assertTrue(TlogPolicy.parse("quorum none\n").is_quorum([]))


class Messages(unittest.TestCase):
    def test_a_message_ends_where_its_fields_do(self):
        self.assertEqual(canonical(b"\x0a\x01x", (), (1,)), {1: [b"x"]})
        twice = b"\x0a\x01x" * 2
        for data in (b"\x0a\x02x", b"\x0a", b"\x0a\x81\x00x", b"\x8a\x00\x01x", twice):
            with self.assertRaises(ServerError):
                canonical(data, (), (1,))


class Json(unittest.TestCase):
    def test_numbers_of_any_size_are_read_and_none_is_taken_for_another(self):
        large = 2**63 + 1
        self.assertEqual(parse(b" [1, -7, 1.5, %d] " % large), [1, -7, 1.5, large])
        self.assertIsInstance(parse(b"-0"), float)
        self.assertEqual(parse(b"9" * 10_000), float("inf"))
        for data in (
            b"", b" ", b"01", b"1.", b"+1", b"NaN", b"-Infinity", b"\xef\xbb\xbf1", b"1 2", b"[1,]",
            b'"\\ud800"', b'{"\\udc00":1}', b'{"a":1,"\\u0061":2}', b'"\t"', b'"\xff"',
            b"[" * 33 + b"]" * 33,
        ):  # fmt: skip
            with self.assertRaises(NotStrict, msg=data):
                parse(data)
        self.assertEqual(parse(b'"' + b"[" * 99 + b'\\"]"'), "[" * 99 + '"]')
        self.assertEqual(parse(b"[" * 32 + b"]" * 32)[0][0], parse(b"[" * 30 + b"]" * 30))


class Trees(unittest.TestCase):
    def test_inclusion_is_proven_for_every_leaf_of_small_trees_and_nothing_else(self):
        for size in range(1, 18):
            leaves = [bytes([leaf]) for leaf in range(size)]
            root = made.root_of(leaves)
            for index in range(size):
                leaf, path = merkle.leaf_hash(leaves[index]), made.path(leaves, index)
                merkle.check_inclusion(leaf, index, size, path, root)
                for other in (index ^ 1, size, -1, 1 << 64):
                    with self.assertRaises(AssayError):
                        merkle.check_inclusion(leaf, other, size, path, root)
                for wrong in (path[:-1], [*path, bytes(32)], path[::-1], [bytes(32)] * len(path)):
                    if wrong != path:
                        with self.assertRaises(AssayError):
                            merkle.check_inclusion(leaf, index, size, wrong, root)
        for index, path, why in ((5, [], "not in a tree"), (4, [bytes(32)] * 3, "need")):
            with self.assertRaisesRegex(AssayError, why):
                merkle.check_inclusion(bytes(32), index, 5, path, bytes(32))
        with self.assertRaisesRegex(AssayError, "not in a tree"):
            merkle.check_inclusion(bytes(32), 0, 0, [], bytes(32))


class Questions(unittest.TestCase):
    def test_a_question_is_bounded(self):
        halves = [at.to_bytes(16, "big") for at in range(3)]
        self.assertEqual(len(Names.of(halves, halves[:1]).names), 3)
        for names, by in ((halves, [bytes(15)]), ([bytes(17)], halves)):
            with self.assertRaises(CallerError):
                Names.of(names, by)
        for limit in ("LOOKUP_NAMES", "LOOKUP_BY"):
            with mock.patch.object(limits, limit, 2), self.assertRaises(CallerError):
                Names.of(halves, halves)


class Proofs(unittest.TestCase):
    HEAD = "c2sp.org/tlog-proof@v1\n"

    def test_a_proof_is_read_in_one_spelling(self):
        line, note = "A" * 43 + "=\n", "\nnote\n"
        whole = self.HEAD + "extra AA==\nindex 7\n" + line * 64 + note
        proof = TlogProof.parse(whole.encode())
        self.assertEqual((proof.extra, proof.index, len(proof.path)), (b"\0", 7, 64))
        self.assertEqual(proof.checkpoint, b"note\n")
        for text, why in (
            (whole.replace(line, line * 2, 1), "more than"), (whole.replace("AA==", "A"), "base64"),
            (whole.replace("index 7", "index 07"), "index"),
            (whole.replace("index 7\n", ""), "index"),
            (whole.replace(line, "AAAA\n", 1), "32-byte"), (whole + "x" * 600_000, "at most"),
            (whole.replace("\n", "\r\n"), "begin"), (self.HEAD + "index 7\n\n", "no checkpoint"),
            (whole.replace("extra", "index 1\nextra"), "more than"), ("", "begin"),
        ):  # fmt: skip
            with self.assertRaisesRegex(ServerError, why):
                TlogProof.parse(text.encode())
        with self.assertRaisesRegex(ServerError, "UTF-8"):
            TlogProof.parse(whole.encode() + b"\xff")


class Verdicts(unittest.TestCase):
    def run_it(self, *arguments):
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
            code = verdicts.main([str(one) for one in arguments])
        return code, [json.loads(line) for line in out.getvalue().splitlines()]

    def test_every_vector_gets_the_verdict_that_it_states(self):
        code, lines = self.run_it(made.REPOSITORY / "tests/vectors")
        odd = [one for one in lines if (one["verdict"] == "ok") != (one["table"] == "cases")]
        self.assertEqual((odd, code), ([], 0))
        self.assertGreaterEqual(len({one["set"] for one in lines}), 9)
        for one in lines:
            self.assertEqual(one["verdict"] == "ok", one["kind"] is None, one)

    def test_kinds_and_culprits_are_those_that_a_vector_states(self):
        for path in sorted((made.REPOSITORY / "tests/vectors").rglob("*.json")):
            file = json.loads(path.read_text())
            for case in file["bad"]:
                if "culprit" in case:
                    said = verdicts.judge(file["kind"], case, file)
                    for key in ("verdict", "kind", "culprit"):
                        self.assertEqual(said[key], case[key], (path.name, case["name"], said))

    def test_a_wrong_vector_is_noticed(self):
        file = json.loads((made.REPOSITORY / "tests/vectors/index/lists.json").read_text())
        wrong = {**file["cases"][1], "root": bytes(32).hex()}
        self.assertEqual(verdicts.judge("lists", wrong, file)["kind"], "mismatch")

    def test_wrong_use_is_explained(self):
        self.assertEqual(self.run_it()[0], 2)
        self.assertEqual(self.run_it("no such folder")[0], 2)


if __name__ == "__main__":
    unittest.main()
