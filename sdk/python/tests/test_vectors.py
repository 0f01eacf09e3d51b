"""The vectors of other projects (C2SP, Go's sumdb, transparency-dev) and of the index."""

import base64
import contextlib
import io
import json
import unittest

import made
from assay_log import AssayError, CallerError, TlogPolicy, VerifierKey, ed25519, verify_tlog_proof
from assay_log import merkle, verdicts
from assay_log.note import Note
from assay_log.tlog_proof import TlogProof

REFUSED = {"low_order_A", "low_order_R", "non_canonical_R", "low_order_residue", "reencoded_k"}


class Ed25519(unittest.TestCase):
    def test_only_what_the_strict_rule_takes_verifies(self):
        accepted = refused = 0
        for path in sorted(made.data_folder("ed25519").glob("*.json")):
            for vector in json.loads(path.read_text()):
                key, signature = bytes.fromhex(vector["key"]), bytes.fromhex(vector["sig"])
                verifies = ed25519.verifies(key, vector["msg"].encode(), signature)
                wanted = not REFUSED & set(vector["flags"] or ())
                self.assertEqual(verifies, wanted, (path.name, vector["number"]))
                accepted, refused = accepted + verifies, refused + (not verifies)
        self.assertGreater(accepted, 0)
        self.assertGreater(refused, accepted)

    def test_odd_lengths_and_other_spellings_are_refused(self):
        key, message = made.ALICE, b"message"
        signature = key.private.sign(message)
        self.assertTrue(ed25519.verifies(key.public, message, signature))
        larger = int.from_bytes(signature[32:], "little") + ed25519.L
        for public, signed in (
            (key.public, signature[:32] + larger.to_bytes(32, "little")),
            (key.public, signature[:-1]),
            (key.public, signature + b"\0"),
            (key.public[:-1], signature),
            (key.public, b""),
            (b"", signature),
        ):
            self.assertFalse(ed25519.verifies(public, message, signed))
        for y in (*range(ed25519.P, 2**255), 0, 1, ed25519.P - 1):
            for sign in (0, 1 << 255):
                self.assertFalse(ed25519.is_sound_point((y | sign).to_bytes(32, "little")))


class Notes(unittest.TestCase):
    def test_keys_are_those_of_go(self):
        vectors = json.loads((made.data_folder("signed-note") / "go-note-vectors.json").read_text())
        for text in vectors["vkeys"]["good"]:
            self.assertEqual(VerifierKey.parse(text).name, text.split("+")[0])
        for text in vectors["vkeys"]["bad"]:
            with self.assertRaises(CallerError):
                VerifierKey.parse(text)

    def test_a_cosignature_of_a_real_witness_verifies(self):
        path = made.data_folder("cosignature") / "pixel-armored-witness.json"
        vectors = json.loads(path.read_text())
        note = Note.parse(vectors["note"].encode())
        keys = [VerifierKey.parse(text) for text in vectors["cosignature_vkeys"]]
        times = {key.name: time for key, time in note.verify(keys).times.items()}
        self.assertEqual(times, vectors["timestamps"])
        others = [VerifierKey.parse(text) for text in vectors["must_not_verify_with"]]
        with contextlib.suppress(AssayError):
            self.assertEqual(note.verify(others).times, {})


class Policies(unittest.TestCase):
    def vectors(self):
        path = made.data_folder("tlog-policy") / "tlog-policy-vectors.json"
        return json.loads(path.read_text())

    def test_good_policies_are_read_and_bad_ones_refused(self):
        for case in self.vectors()["valid"]:
            TlogPolicy.parse(base64.b64decode(case["policy_b64"]).decode())
        for case in self.vectors()["invalid"]:
            with self.assertRaises(CallerError, msg=case["name"]):
                TlogPolicy.parse(base64.b64decode(case["policy_b64"]).decode())

    def test_one_operator_is_not_counted_twice(self):
        keys = [made.Key(seed) for seed in (31, 32, 33)]
        names = ("a.example/witness", "a.example/mirror", "b.example")
        lines = "".join(
            f"witness w{i} {key.vkey(name, 4)}\n" for i, (key, name) in enumerate(zip(keys, names))
        )
        with self.assertRaisesRegex(CallerError, "operator"):
            TlogPolicy.parse(lines + "group g 2 w0 w1 w2\nquorum g\n")
        policy = TlogPolicy.parse(lines + "group a any w0 w1\ngroup g 2 a w2\nquorum g\n")
        self.assertFalse(policy.is_quorum(["w0", "w1"]))
        self.assertTrue(policy.is_quorum(["w1", "w2"]))

    def test_policies_that_rely_on_nothing_by_accident_are_refused(self):
        witness = f"witness w {made.WITNESSES[0].vkey('w.example', 4)}\n"
        for text in (
            "", "quorum none\nquorum none\n", "quorum w\n", witness + "group g 0 w\nquorum g\n",
            witness + "group g 2 w\nquorum g\n", witness + witness + "quorum none\n",
            witness + "group g 1 g\nquorum g\n", witness + "group g 1 w w\nquorum g\n",
            f"log {made.WITNESSES[0].vkey('w.example', 4)}\nquorum none\n",
            f"witness w {made.LOG.vkey('log.example')}\nquorum none\n",
            "# " + "x" * 2_000_000,
        ):  # fmt: skip
            with self.assertRaises(CallerError, msg=text[:60]):
                TlogPolicy.parse(text)


class Proofs(unittest.TestCase):
    def test_proofs_of_another_log_verify(self):
        folder = made.data_folder("tlog-proof")
        key = (folder / "log.vkey").read_text().strip()
        entries = {"size1-index0": b"one", "size3-index2": b"three", "size5-index4": b"five",
                   "size8-index3-extra": b"four", "size12-index6": b"seven",
                   "size15-index14": b"fivten"}  # fmt: skip
        found = 0
        for path in sorted((folder / "valid").glob("*.tlog-proof")):
            entry = entries.get(path.name.removesuffix(".tlog-proof"))
            if entry is None:
                continue
            found += 1
            index, _ = verify_tlog_proof(path.read_bytes(), entry, [key])
            self.assertIn(f"index{index}", path.name)
            with self.assertRaises(AssayError):
                verify_tlog_proof(path.read_bytes(), entry + b"x", [key])
        self.assertGreater(found, 0)
        for path in sorted((folder / "invalid").glob("*.tlog-proof")):
            for entry in entries.values():
                with self.assertRaises(AssayError, msg=path.name):
                    verify_tlog_proof(path.read_bytes(), entry, [key])

    def test_the_format_is_read_in_one_spelling(self):
        path = made.data_folder("tlog-proof") / "format-vectors.json"
        vectors = json.loads(path.read_text())
        for case in vectors["marshal"]:
            proof = TlogProof.parse(case["text"].encode())
            hashes = [base64.b64decode(one) for one in case["fields"]["hashes"]]
            self.assertEqual((proof.index, list(proof.path)), (case["fields"]["index"], hashes))
        for case in vectors["parse_errors"]:
            with self.assertRaises(AssayError, msg=case["name"]):
                TlogProof.parse(case["text"].encode())


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
