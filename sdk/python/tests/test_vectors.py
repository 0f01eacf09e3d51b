"""The vectors of other projects: C2SP, Go's sumdb, transparency-dev."""

import base64
import contextlib
import json
import unittest

import made
from assay_log import AssayError, CallerError, TlogPolicy, VerifierKey, ed25519, verify_tlog_proof
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


if __name__ == "__main__":
    unittest.main()
