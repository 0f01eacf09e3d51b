"""Receipts: what verifies, what does not, and who is to blame (docs/design.md 3.6)."""

import json
import unittest

import made
from assay_log import (
    AssayError,
    CallerError,
    IssuerError,
    LogError,
    ServerError,
    WitnessError,
    verify_receipt,
    verify_tlog_proof,
)
from assay_log.claim import verify_claim
from assay_log.dsse import Envelope
from assay_log.entry import parse_entry
from assay_log.issuer import Registry
from assay_log.receipt import attach

LEAVES = made.log()
ROOT = made.root_of(LEAVES)
AT = made.NOW_MS // 1000
COSIGNED = made.note(len(LEAVES), ROOT, (AT, AT + 5, None))


def receipt(leaf, note=COSIGNED, leaves=LEAVES):
    return made.receipt(leaves, leaf, note)


def log_of(*entries):
    """Entries with commitments between them: the leaves are 1, 3, 5 ..."""
    leaves = [made.make.commitment_over([], made.NOW_MS)]
    for entry in entries:
        leaves.append(entry)
        leaves.append(made.make.commitment_over(leaves, made.NOW_MS))
    return leaves


class Receipts(unittest.TestCase):
    def refused(self, culprit, kind, files, keys=(made.VKEY,), policy=None, records=()):
        with self.assertRaises(culprit) as caught:
            verify_receipt(*files, keys, policy, records)
        self.assertEqual((type(caught.exception), caught.exception.kind), (culprit, kind))

    def test_a_receipt_says_who_signed_and_who_cosigned(self):
        found = verify_receipt(*receipt(5), [made.VKEY], made.POLICY, [receipt(1), receipt(3)])
        self.assertEqual((found.origin, found.index), (made.ORIGIN, 5))
        self.assertEqual(found.head.witnesses, ("w0", "w1"))
        self.assertEqual(found.head.cosigned_at, AT)
        self.assertEqual([one.id for one in found.issuers], [made.ALICE_ID])
        self.assertEqual(found.claim.id.hex(), made.claim_id(made.RAND))
        self.assertEqual(found.claim.statement.subjects[0].uri, "pkg:cargo/rand@0.9.0")
        self.assertEqual(found.claim.statement.predicate, {"says": 1})

    def test_without_records_nobody_is_proven_to_have_signed(self):
        found = verify_receipt(*receipt(5), [made.VKEY])
        self.assertEqual((found.issuers, found.unproven_issuers), ((), (made.ALICE_ID,)))

    def test_a_policy_can_state_the_log(self):
        policy = f"log {made.VKEY}\n" + made.POLICY
        self.assertEqual(verify_receipt(*receipt(5), policy=policy).index, 5)
        self.refused(CallerError, "log", receipt(5), keys=(), policy=made.POLICY)
        other = f"log {made.Key(2).vkey(made.ORIGIN)}\n" + made.POLICY
        self.refused(CallerError, "log", receipt(5), policy=other)
        self.refused(CallerError, "log", receipt(5), keys=())

    def test_the_culprit_is_named(self):
        envelope, proof = receipt(5)
        other = made.Key(2).vkey(made.ORIGIN)
        for culprit, kind, files, keys in [
            (ServerError, "envelope", (envelope[:-3], proof), made.VKEY),
            (ServerError, "envelope", (b"[" * 100_000, proof), made.VKEY),
            (ServerError, "proof", (envelope, proof[:40]), made.VKEY),
            (ServerError, "proof", (envelope + b" " * 600_000, proof), made.VKEY),
            (ServerError, "entry", (receipt(9)[0], proof), made.VKEY),
            (ServerError, "checkpoint", (envelope, proof), other),
            (ServerError, "checkpoint", (envelope, proof.replace(b"\n15\n", b"\n14\n")), made.VKEY),
            (ServerError, "inclusion", (envelope, proof.replace(b"ex 5", b"ex 7")), made.VKEY),
            (ServerError, "match", (envelope.replace(b'"keyid"', b' "keyid"'), proof), made.VKEY),
        ]:  # fmt: skip
            self.refused(culprit, kind, files, (keys,))
        self.refused(CallerError, "key", receipt(5), ("nonsense",))
        self.refused(CallerError, "policy", receipt(5), policy="quorum w\n")

    def test_envelopes_are_base64_of_either_alphabet_with_or_without_padding(self):
        def read(payload):
            signatures = [{"sig": "AAAA"}]
            value = {"payload": payload, "payloadType": "x", "signatures": signatures}
            return Envelope.parse(json.dumps(value).encode()).payload

        for payload in ("+/8=", "-_8=", "+/8", "-_8", "+/8"):
            self.assertEqual(read(payload), b"\xfb\xff")
        self.assertEqual([read(one) for one in ("AA==", "AA=", "AA", "")], [b"\0"] * 3 + [b""])
        odd = ("A", "AAAAA", "AB==", "AAAA=", "AAAA==", "AA===", "=", "A A=", "+_8=", "AA=A")
        for payload in odd:
            with self.assertRaises(ServerError, msg=payload):
                read(payload)
        for value in (
            {}, [], {"payload": "", "payloadType": "x", "signatures": []},
            {"payload": "", "payloadType": "x", "signatures": [{}]},
            {"payload": "", "payloadType": 7, "signatures": [{"sig": ""}]},
            {"payload": "", "payloadType": "x", "signatures": [{"sig": "", "keyid": 7}]},
        ):  # fmt: skip
            with self.assertRaises(ServerError):
                Envelope.parse(json.dumps(value).encode())

    def test_a_detached_entry_fits_its_payload_and_nothing_else(self):
        payload = json.dumps(made.RAND).encode()
        at = LEAVES[5].index(payload)
        rest = LEAVES[5][:at] + LEAVES[5][at + len(payload) :]
        extra = at.to_bytes(4, "big") + rest
        self.assertEqual(attach(extra, payload).data, LEAVES[5])
        commitment = (0).to_bytes(4, "big") + LEAVES[0]
        for extra, payload, why in (
            (extra[:3], payload, "cut off"),
            ((1 << 30).to_bytes(4, "big") + rest, payload, "cut off"),
            (extra, payload + b" ", "length"), (extra, b"", "length"),
            (extra, bytes(70_000), "too long"), (commitment, payload, "length"),
            ((at + 1).to_bytes(4, "big") + rest, payload, "length"),
        ):  # fmt: skip
            with self.assertRaisesRegex(ServerError, why):
                attach(extra, payload)

    def test_a_quorum_is_needed_and_its_signatures_are_right(self):
        few = made.note(len(LEAVES), ROOT, (AT, None, None))
        self.refused(WitnessError, "witnesses", receipt(5, few), policy=made.POLICY)
        self.assertEqual(verify_receipt(*receipt(5, few), [made.VKEY]).head.witnesses, ())
        first, last = COSIGNED.rsplit("\u2014", 1)
        wrong = first + "\u2014" + last[:40] + ("A" if last[40] != "A" else "B") + last[41:]
        self.refused(ServerError, "witnesses", receipt(5, wrong), policy=made.POLICY)
        asked_of_none = made.POLICY.replace("quorum g", "quorum none")
        head = verify_receipt(*receipt(5), [made.VKEY], asked_of_none).head
        self.assertEqual((head.witnesses, head.cosigned_at), (("w0", "w1"), None))
        late = made.note(len(LEAVES), ROOT, (AT - 301, AT - 301, None))
        self.refused(LogError, "time", receipt(5, late), policy=made.POLICY)

    def test_claims_that_the_log_holds_and_that_do_not_verify_are_the_issuers(self):
        entry = bytearray(LEAVES[5])
        entry[-80] ^= 1  # inside the signature
        changed = [*LEAVES[:5], bytes(entry), *LEAVES[6:]]
        note = made.note(len(changed), made.root_of(changed))
        self.refused(IssuerError, "claim", receipt(5, note, changed))
        signer = [(made.ALICE_ID, made.ALICE)]
        for statement in (
            {**made.RAND, "_type": "x"}, {**made.RAND, "subject": []},
            {**made.RAND, "predicate": []}, {**made.RAND, "predicateType": ""},
            made.statement([{"uri": "pkg:a/b", "digest": {"purl": "0" * 64}}], "urn:x"),
            made.statement([{"digest": {"sha256": "AB" * 32}}], "urn:x"),
            made.statement([7], "urn:x"), made.statement([{"digest": {}}], "urn:x"),
            made.statement([{"digest": {"a": 7}}], "urn:x"), {**made.RAND, "subject": {}},
            made.statement([{"digest": {"a": "b"}, "uri": 7}], "urn:x"),
            made.statement([{"digest": {"a": "b"}}] * 1025, "urn:x"), [], 7,
        ):  # fmt: skip
            leaves = log_of(made.entry(statement, signer))
            note = made.note(len(leaves), made.root_of(leaves))
            self.refused(IssuerError, "claim", receipt(1, note, leaves))

    def test_two_entries_at_one_leaf_are_the_logs(self):
        other = log_of(*[LEAVES[i] for i in (3, 1, 5)])
        note = made.note(len(other), made.root_of(other))
        self.refused(LogError, "log", receipt(1), records=[made.receipt(other, 1, note)])

    def test_a_key_that_is_not_the_issuers_is_noticed(self):
        self.refused(IssuerError, "issuers", receipt(13), records=[receipt(1), receipt(3)])
        missing = made.note(len(LEAVES), ROOT)
        files = receipt(13, missing)  # what is wrong is worse than what is missing
        self.refused(IssuerError, "issuers", files, policy=made.POLICY, records=[receipt(1)])

    def test_any_leaf_has_a_proof(self):
        index, head = verify_tlog_proof(receipt(7)[1], LEAVES[7], [made.VKEY], made.POLICY)
        self.assertEqual((index, head.witnesses), (7, ("w0", "w1")))


class Issuers(unittest.TestCase):
    """Chains of records (docs/design.md 3.4)."""

    def standing(self, claims, leaf=-1):
        """The verdict on one of these claims by all of them: the issuers, or the error's class."""
        leaves = log_of(*(made.entry(statement, signers) for statement, signers in claims))
        note = made.note(len(leaves), made.root_of(leaves))
        files = [made.receipt(leaves, 1 + 2 * at, note) for at in range(len(claims))]
        try:
            found = verify_receipt(*files[leaf], [made.VKEY], None, files)
        except IssuerError as error:
            self.assertEqual(error.kind, "issuers")
            return "refused"
        return [one.sequence for one in found.issuers] or "unproven"

    def test_rotations_are_followed(self):
        old, new, own = made.ALICE, made.Key(23), made.ALICE_ID
        first = (made.record(own, [old]), [(own, old)])
        previous = made.claim_id(first[0])
        second = (made.record(own, [new], 1, previous), [(own, old), (own, new)])
        by_new, by_old = (made.RAND, [(own, new)]), (made.LEFT, [(own, old)])
        self.assertEqual(self.standing([first, by_old]), [0])
        self.assertEqual(self.standing([first, second, by_new]), [1])
        self.assertEqual(self.standing([first, second]), [1])
        self.assertEqual(self.standing([first, second, by_old]), "refused")
        self.assertEqual(self.standing([first, by_new, second], 1), "refused")
        self.assertEqual(self.standing([by_old, first], 0), "refused")  # it came too early
        self.assertEqual(self.standing([second]), "unproven")
        self.assertEqual(self.standing([by_new]), "unproven")
        self.assertEqual(self.standing([by_new, second], 0), "unproven")
        silent = (second[0], [(own, old)])
        self.assertEqual(self.standing([first, silent]), "refused")
        taken = (second[0], [(own, new)])
        self.assertEqual(self.standing([first, taken]), "refused")
        apart = (made.record(own, [new], 1, "00" * 32), [(own, old), (own, new)])
        self.assertEqual(self.standing([first, apart]), "refused")
        wider = made.record(own, [old, new], 1, previous)  # Alice's word alone brings no key
        self.assertEqual(self.standing([first, (wider, [(own, old)])]), "refused")
        self.assertEqual(self.standing([first, (wider, second[1])]), [1])
        more = (made.RAND, [(own, old), (own, made.BOB)])
        self.assertEqual(self.standing([first, more]), "refused")
        stranger = (second[0], [*second[1], (own, made.BOB)])
        self.assertEqual(self.standing([first, stranger]), "refused")
        later = (made.record(own, [new], 2, previous), [(own, old), (own, new)])
        self.assertEqual(self.standing([first, later]), "unproven")

    def test_malformed_records_are_no_records(self):
        own, key = made.ALICE_ID, made.ALICE.public.hex()
        good = made.record(own, [made.ALICE])["predicate"]
        weak, other = (bytes([1]) + bytes(31)).hex(), made.BOB.public.hex()
        rotation = {"rotationKeys": [other], "rotationThreshold": 1}
        for more in (
            {"name": None}, {"name": ""}, {"name": "x" * 513}, {"name": "a\x07b"}, {"name": 7},
            {"contacts": "x"}, {"contacts": [7]}, {"contacts": ["x"] * 65}, {"roles": ["king"]},
            {"keys": []}, {"keys": None}, {"keys": [key, key]}, {"keys": [key.upper()]},
            {"keys": [weak]}, {"keys": [7]}, {"keys": [key] * 9}, {"threshold": 0},
            {"threshold": 2}, {"threshold": True}, {"threshold": 1.0}, {"threshold": "1"},
            {"sequence": None}, {"sequence": -1}, {"sequence": 2**32}, {"sequence": 1},
            {"previous": "00" * 32}, {"previous": "x"}, {"previous": 7},
            {"rotationKeys": [other]}, {"rotationThreshold": 1},
            {**rotation, "rotationKeys": [key]}, {**rotation, "rotationThreshold": 2},
        ):  # fmt: skip
            statement = made.record(own, [made.ALICE])
            statement["predicate"] = {**good, **more}
            with self.subTest(more=more), self.assertRaises(IssuerError) as caught:
                leaves = log_of(made.entry(statement, [(own, made.ALICE)]))
                note = made.note(len(leaves), made.root_of(leaves))
                verify_receipt(*made.receipt(leaves, 1, note), [made.VKEY])
            self.assertEqual(caught.exception.kind, "claim")
        for subjects, predicate in (
            ([], good), ([{"digest": {"sha256": own.hex()}}], None),
            ([{"digest": {"sha256": made.BOB_ID.hex()}}], good),
            ([{"digest": {"sha512": "ab" * 64}}], good),
            ([{"digest": {"sha256": own.hex()}}] * 2, good),
        ):  # fmt: skip
            statement = made.statement(subjects, "urn:assay:issuer:v1")
            statement["predicate"] = predicate
            with self.assertRaises(IssuerError):
                leaves = log_of(made.entry(statement, [(own, made.ALICE)]))
                note = made.note(len(leaves), made.root_of(leaves))
                verify_receipt(*made.receipt(leaves, 1, note), [made.VKEY])

    def test_rotation_keys_change_the_record_and_sign_nothing_else(self):
        daily, root, new = made.ALICE, made.BOB, made.Key(23)
        listed = [(1).to_bytes(4, "big") * 2 + one.public for one in (daily, root)]
        own = made.hashlib.sha256(b"assay.issuer.v2\n" + b"".join(listed)).digest()

        def with_root(keys, *more):
            statement = made.record(own, keys, *more)
            statement["predicate"]["rotationKeys"] = [root.public.hex()]
            statement["predicate"]["rotationThreshold"] = 1
            return statement

        first = (with_root([daily]), [(own, daily), (own, root)])
        second = with_root([new], 1, made.claim_id(first[0]))
        self.assertEqual(self.standing([first]), [0])
        self.assertEqual(self.standing([first, (second, [(own, root), (own, new)])]), [1])
        self.assertEqual(self.standing([first, (second, [(own, daily), (own, new)])]), "refused")
        self.assertEqual(self.standing([first, (second, [(own, root)])]), "refused")
        self.assertEqual(self.standing([first, (made.RAND, [(own, daily)])]), [0])
        self.assertEqual(self.standing([first, (made.RAND, [(own, root)])]), "refused")
        both = [*first[1], (made.ALICE_ID, daily)]
        self.assertEqual(self.standing([(first[0], both)]), "refused")

    def test_two_issuers_do_not_share_half_of_an_id(self):
        registry, first = Registry(), made.record(made.ALICE_ID, [made.ALICE])
        claim = verify_claim(parse_entry(made.entry(first, [(made.ALICE_ID, made.ALICE)])).body)
        registry._records[made.ALICE_ID[:16] + bytes(16)] = []
        with self.assertRaisesRegex(IssuerError, "16 bytes"):
            registry.take(claim, 1)

    def test_thresholds_count_distinct_keys(self):
        keys = [made.ALICE, made.BOB]
        own = made.issuer_id(keys, 2)
        both = [(own, key) for key in keys]
        first = (made.record(own, keys, threshold=2), both)
        self.assertEqual(self.standing([first, (made.RAND, both)]), [0])
        self.assertEqual(self.standing([first, (made.RAND, both[:1])]), "refused")
        self.assertEqual(self.standing([first, (made.RAND, both[:1] * 2)]), "refused")
        self.assertEqual(self.standing([(first[0], both[:1])]), "refused")

    def test_keys_and_ids_are_not_taken_from_others(self):
        own = made.ALICE_ID
        first = (made.record(own, [made.ALICE]), [(own, made.ALICE)])
        both = [made.ALICE, made.BOB]
        other = made.issuer_id(both)
        thief = (made.record(other, both), [(other, key) for key in both])
        self.assertEqual(self.standing([thief]), [0])
        self.assertEqual(self.standing([first, thief]), "refused")
        self.assertEqual(self.standing([first, first]), "refused")
        foreign = (made.record(other, [made.BOB]), [(other, made.BOB)])
        self.assertEqual(self.standing([foreign]), "refused")  # its keys make another id
        compromise = made.statement(
            [{"digest": {"sha256": own.hex()}}],
            "urn:assay:key-compromise:v1",
            {"issuer": own.hex(), "key": made.ALICE.public.hex()},
        )
        self.assertEqual(self.standing([first, (compromise, [(own, made.ALICE)])]), [0])
        self.assertEqual(self.standing([first, (compromise, [(own, made.BOB)])]), "refused")
        self.assertEqual(self.standing([first, (compromise, [(other, made.BOB)])]), "refused")
        stranger = (compromise, [(own, made.ALICE), (own, made.BOB)])
        self.assertEqual(self.standing([first, stranger]), "refused")
        self.assertEqual(self.standing([(compromise, [(own, made.ALICE)])]), "unproven")
        nobody = {**compromise, "predicate": {}}
        leaves = log_of(made.entry(nobody, [(own, made.ALICE)]))
        note = made.note(len(leaves), made.root_of(leaves))
        with self.assertRaisesRegex(IssuerError, "issuer id"):
            verify_receipt(*made.receipt(leaves, 1, note), [made.VKEY])


class Misuse(unittest.TestCase):
    def test_errors_say_who_is_to_blame_in_one_line(self):
        try:
            verify_receipt(b"{}", b"", [made.VKEY])
        except AssayError as error:
            self.assertIn("to blame: server", str(error))
            self.assertNotIn("\n", str(error))


if __name__ == "__main__":
    unittest.main()
