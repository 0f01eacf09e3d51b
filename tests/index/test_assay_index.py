#!/usr/bin/env python3
"""Small tests of assay_index.py against definitions that are plainer still: python3 tests/index/test_assay_index.py"""

import base64
import hashlib
import itertools
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import unittest

import assay_ask as asking
import assay_index as index
import make_vectors as make

HERE = os.path.dirname(os.path.abspath(__file__))


def program(*arguments, given=""):
    command = [sys.executable, os.path.join(HERE, "assay_index.py"), *arguments]
    return subprocess.run(command, input=given, capture_output=True, text=True, encoding="utf-8", check=False)


def flip(data, number):
    """The bytes with one bit turned round."""
    return (int.from_bytes(data, "big") ^ 1 << (8 * len(data) - 1 - number)).to_bytes(len(data), "big")


def rfc_6962_root(hashes, tag=b"\x01"):
    """MTH of RFC 6962, section 2.1, with the domain byte of inner nodes."""
    if not hashes:
        return index.sha256(b"")
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while 2 * k < len(hashes):
        k *= 2
    return index.sha256(tag + rfc_6962_root(hashes[:k], tag) + rfc_6962_root(hashes[k:], tag))


def plain_trie_root(leaves, bits=0):
    """The root by the definition: bit by bit, a node wherever both sides have labels."""
    if not leaves:
        return index.sha256(b"\x10")
    if len(leaves) == 1:
        return leaves[0].hash
    sides = [[leaf for leaf in leaves if index.bit(leaf.label, bits) == side] for side in (0, 1)]
    if not sides[0] or not sides[1]:
        return plain_trie_root(sides[0] or sides[1], bits + 1)
    text = "".join(str(index.bit(leaves[0].label, i)) for i in range(bits)).ljust(256, "0")
    prefix = int(text, 2).to_bytes(32, "big")
    counts = b"".join(index.u64be(len(side)) for side in sides)
    left, right = (plain_trie_root(side, bits + 1) for side in sides)
    return index.sha256(b"\x12" + bytes([0, bits]) + prefix + counts + left + right)


def some_leaves(chance, count):
    """Leaves whose labels share prefixes of all lengths."""
    labels = {bytes(32)}
    while len(labels) < count + 1:
        near = chance.choice(sorted(labels))
        start = chance.randrange(256)
        rest = 256 - start
        labels.add((int.from_bytes(near, "big") >> rest << rest | chance.getrandbits(rest)).to_bytes(32, "big"))
    chosen = sorted(labels)[:count]
    return [index.new_leaf(label, i + 1, index.list_root(range(i + 1))) for i, label in enumerate(chosen)]


class Trees(unittest.TestCase):
    def test_roots_are_those_of_rfc_6962(self):
        self.assertEqual(
            index.tree_root([]).hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        )
        self.assertEqual(
            index.leaf_hash(b"").hex(), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
        )
        hashes = [index.leaf_hash(bytes([i])) for i in range(70)]
        for size in range(71):
            self.assertEqual(index.tree_root(hashes[:size]), rfc_6962_root(hashes[:size]))

    def test_lists_have_the_same_shape_and_hashes_of_their_own(self):
        hashes = [index.sha256(b"\x13" + bytes(7) + bytes([i])) for i in range(70)]
        for size in range(1, 71):
            self.assertEqual(index.list_root(range(size)), rfc_6962_root(hashes[:size], b"\x14"))

    def test_every_set_of_leaves_of_small_trees_is_proven(self):
        for size in range(1, 9):
            hashes = [index.leaf_hash(bytes([i])) for i in range(size)]
            root = index.tree_root(hashes)
            for count in range(1, size + 1):
                for targets in itertools.combinations(range(size), count):
                    leaves = [(i, hashes[i]) for i in targets]
                    proof = index.make_multiproof(hashes, list(targets))
                    index.check_multiproof(size, root, leaves, proof)
                    for i in range(len(proof)):
                        self.refused(size, root, leaves, proof[:i] + [flip(proof[i], 7)] + proof[i + 1 :])
                        self.refused(size, root, leaves, proof[:i] + proof[i + 1 :])
                    self.refused(size, root, leaves, proof + [root])
                    self.refused(size, root, leaves[:-1] + [(targets[-1], root + b"x")], proof)

    def refused(self, *arguments):
        with self.assertRaises(index.Refused):
            index.check_multiproof(*arguments)


class Tries(unittest.TestCase):
    def test_roots_are_those_of_the_definition(self):
        chance = random.Random(1)
        for count in list(range(20)) * 3 + [100]:
            leaves = some_leaves(chance, count)
            chance.shuffle(leaves)
            self.assertEqual(index.root_of(index.build_trie(leaves)), plain_trie_root(leaves))
        twice = some_leaves(chance, 3)
        with self.assertRaises(index.Refused):
            index.build_trie(twice + twice[1:2])

    def test_the_deepest_trie_there_is(self):
        for last in (0, 1):
            labels = [((1 << n) - 1 << 256 - n).to_bytes(32, "big") for n in range(257)]
            if last:
                labels = [flip(label, 255 - 8 * last) for label in labels]
            leaves = [index.new_leaf(label, 1, index.list_root([7])) for label in labels]
            node = index.build_trie(leaves)
            self.assertEqual(index.root_of(node), plain_trie_root(leaves))
            for label in labels[::50] + labels[-2:] + [bytes(32), b"\xff" * 32]:
                cut = index.read_cut(index.make_cut(node, make.one(label)), node.hash, 257)
                self.assertEqual(len(index.ask(cut, make.one(label))), int(label in labels))

    def test_cuts_answer_every_question(self):
        chance = random.Random(2)
        for count in [*range(14), 40]:
            leaves = some_leaves(chance, count)
            node = index.build_trie(leaves)
            labels = {leaf.label for leaf in leaves}
            near = sorted(labels | {flip(label, chance.randrange(256)) for label in labels} | {b"\xa5" * 32})
            for label in near:
                self.check(node, leaves, make.one(label))
                bits = chance.choice((0, 1, 5, 8, 64, 127, 128, 255, 256, chance.randrange(256)))
                self.check(node, leaves, make.census(label, bits))
                self.check_crowd(node, leaves, make.crowd(label[:16], min(bits, 128), [near[0][16:], label[16:]]))
            self.check(node, leaves, make.all_of(near))
            self.check(node, leaves, make.all_of(chance.sample(near, min(5, len(near)))))
            for name in {label[:16] for label in near}:
                cut = self.check(node, leaves, make.those([name], [near[0][16:]]))
                self.assertEqual(index.speakers(cut, name), len([leaf for leaf in leaves if leaf.label[:16] == name]))

    def check(self, node, leaves, question):
        """Compares the answer with what a plain search finds; returns the cut."""
        cut = index.read_cut(index.make_cut(node, question), index.root_of(node), len(leaves))
        wanted = [leaf for leaf in leaves if self.is_asked_for(question, leaf.label)]
        self.assertEqual(index.ask(cut, question), wanted)
        return cut

    def is_asked_for(self, question, label):
        if isinstance(question, index.Names):
            return any(label == name + by for name in question.names for by in question.by)
        start = index.prefix_of(label, question.bits) == question.prefix
        return start and (isinstance(question, index.Census) or label[16:] in question.by)

    def check_crowd(self, node, leaves, question):
        cut = self.check(node, leaves, question)
        names = {leaf.label[:16] for leaf in leaves if index.prefix_of(leaf.label, question.bits) == question.prefix}
        self.assertEqual(index.crowd_names(cut, *question[:2]), sorted(names))
        for name in names:
            self.assertEqual(index.speakers(cut, name), len([leaf for leaf in leaves if leaf.label[:16] == name]))

    def test_a_changed_cut_is_refused(self):
        leaves = some_leaves(random.Random(4), 9)
        node = index.build_trie(leaves)
        for label in (leaves[4].label, flip(leaves[4].label, 3)):
            cut = index.make_cut(node, make.one(label))
            for number in range(8 * len(cut)):
                with self.assertRaises(index.Refused):
                    index.read_cut(flip(cut, number), node.hash, 9)
            for length in range(len(cut)):
                with self.assertRaises(index.Refused):
                    index.read_cut(cut[:length], node.hash, 9)

    def test_noise_is_refused(self):
        chance = random.Random(5)
        for _ in range(2000):
            noise = bytes(chance.choice((0, 1, 2, 3, 255, chance.randrange(256))) for _ in range(chance.randrange(1, 300)))
            with self.assertRaises(index.Refused):
                index.read_cut(noise, index.EMPTY_ROOT, chance.choice((0, 1)))


class Mapping(unittest.TestCase):
    def names(self, payload, **options):
        return {(kind, value) for kind, value, _ in index.named_labels(make.claim_entry(payload, **options))}

    def packages(self, uri):
        return [value for _, value in index.package_names(uri)]

    def test_nothing_is_capped(self):
        ids = [str(i) for i in range(1200)]
        found = {value for kind, value in self.names(make.vulns("5", *ids, *ids[::3])) if kind == "vuln"}
        self.assertEqual(found, set(ids))
        entry = make.claim_entry(make.vulns(*ids), [make.noise(i) for i in range(16)])
        self.assertEqual(len(index.labels_of(entry)), 16 * 1202)
        self.assertIn(("package", "pkg:cargo/a"), self.names(make.statement([{}] * 5000 + [make.package("pkg:cargo/a")])))

    def test_a_subject_does_not_touch_another(self):
        good = make.artifact("a")
        alone = self.names(make.statement([good]))
        for bad in (None, 7, "a", [good], {}, {"digest": 1}, {"digest": {"sha256": 1}}, {"uri": "pkg:\u00e9"}, {"uri": {}}):
            self.assertEqual(self.names(make.statement([bad, good, bad])), alone)

    def test_every_signer_has_every_name(self):
        issuers = [make.noise(i) for i in range(3)]
        found = index.named_labels(make.claim_entry(make.vulns("CVE-1"), issuers))
        names = {(kind, value) for kind, value, _ in found if kind != "issuer"}
        self.assertEqual({kind for kind, _ in names}, {"digest", "vuln"})
        wanted = {(*name, issuer.hex()) for name in names for issuer in issuers}
        wanted |= {("issuer", issuer.hex(), index.VULNS) for issuer in issuers}
        self.assertEqual(found, wanted)
        none = index.named_labels(make.claim_entry("{}", issuers))
        self.assertEqual(none, {("issuer", issuer.hex(), "") for issuer in issuers})

    def test_purls_are_cut_by_syntax(self):
        for uri, found in [
            ("pkg:cargo/serde@1.0", ["pkg:cargo/serde", "pkg:cargo/serde@1.0"]), ("pkg:cargo/serde@", ["pkg:cargo/serde"]),
            ("pkg:npm/%40a/b@1?x=y#z", ["pkg:npm/%40a/b", "pkg:npm/%40a/b@1"]), ("pkg:npm/@a/b", ["pkg:npm/@a/b"]),
            ("pkg:npm/b@1@2", ["pkg:npm/b@1", "pkg:npm/b@1@2"]), ("pkg:npm/b#@1/x", ["pkg:npm/b"]),
            ("pkg:npm/b?x=@1", ["pkg:npm/b"]), ("pkg:b@1", ["pkg:b", "pkg:b@1"]), ("pkg:", ["pkg:"]), ("PKG:a/b", []),
            ("pkg:a/\u00e9", []), ("pkg:a/b c", []), ("pkg:a/b\n", []), ("p\u212ag:a/b", []), ("", []),
            ("pkg:rpm/f/a@1?arch=x&epoch=2", ["pkg:rpm/f/a", "pkg:rpm/f/a@1?epoch=2"]),
            ("pkg:rpm/f/a@1?epoch=&epoch=2", ["pkg:rpm/f/a", "pkg:rpm/f/a@1"]), ("pkg:rpm/f/a?epoch=2", ["pkg:rpm/f/a"]),
        ]:  # fmt: skip
            self.assertEqual(self.packages(uri), found, uri)

    def test_pypi_and_nuget_fold_their_names(self):
        for uri, found in [
            ("pkg:pypi/Zope..Inter_-face", "pkg:pypi/zope-inter-face"), ("pkg:pypi/NS/a.B", "pkg:pypi/NS/a-b"),
            ("pkg:pypi/a%2EB%2", "pkg:pypi/a%2Eb%2"), ("pkg:pypi/%-_X", "pkg:pypi/%-_x"), ("pkg:pypi/%%41B", "pkg:pypi/%%41b"),
            ("pkg:nuget/Newtonsoft.Json", "pkg:nuget/newtonsoft.json"), ("pkg:nuget/A%5FB", "pkg:nuget/a%5Fb"),
            ("pkg:npm/A.B_c", "pkg:npm/A.B_c"), ("pkg:PyPI/A.b", "pkg:PyPI/A.b"),
        ]:  # fmt: skip
            self.assertEqual(self.packages(uri), [found], uri)

    def test_large_numbers_and_deep_nesting_do_no_harm(self):
        payload = json.dumps(make.statement([make.artifact("a")], predicate={"n": 0})).replace('"n": 0', '"n": ' + "9" * 9000)
        self.assertEqual(len(self.names(payload)), 2)
        self.assertEqual(len(self.names("[" * 30000)), 1)

    def test_bounds(self):
        index.parse_entry(make.claim_entry(b" " * 32768, [make.ALICE] * 16))
        for entry in (
            make.claim_entry(b" " * 32769), make.claim_entry(b"", [make.ALICE] * 17), bytes(65_536),
            make.bytes_field(2, b"\x1a\x00" * 20_000), make.commitment_entry(b"x" * 65_500, 1) + bytes(36),
        ):  # fmt: skip
            with self.assertRaises(index.Refused):
                index.parse_entry(entry)

    def test_a_changed_entry_is_another_or_none(self):
        entry = make.claim_entry(make.statement([make.package("pkg:cargo/a@1")]))
        for number in range(8 * len(entry)):
            try:
                index.labels_of(flip(entry, number))
            except index.Refused:
                pass
        for length in range(len(entry)):
            with self.assertRaises(index.Refused):
                index.labels_of(entry[:length])


class Answers(unittest.TestCase):
    def test_every_leaf_is_found_and_none_can_be_left_out(self):
        log = make.answer_log()
        hashes = [index.leaf_hash(entry) for entry in log]
        root = index.tree_root(hashes)
        lists = index.index_lists([index.labels_of(entry) for entry in log])
        for label, wanted in lists.items():
            question = make.one(label)
            answer = index.make_answer(log, question)
            self.assertEqual(index.check_answer(len(log), root, question, answer).lists, {label: wanted})
            for gone in wanted:
                entries = [(i, entry) for i, entry in answer.entries if i != gone]
                proof = index.make_multiproof(hashes, [i for i, _ in entries] + [len(log) - 1])
                for indices in (wanted, [i for i in wanted if i != gone]):
                    shorter = answer._replace(lists=[(label, indices)], entries=entries, proof=proof)
                    with self.assertRaises(index.Refused):
                        index.check_answer(len(log), root, question, shorter)

    def test_a_list_that_is_too_long_does_not_come(self):
        claims = [make.commitment_over([])]
        claims += [make.claim_entry("{}", [make.ALICE], 1767225600000 + i) for i in range(index.WHOLE_LIST)]
        name = index.half("issuer", make.ALICE.hex())
        question = make.those([name], [index.half("type", "")])
        for more, lists, overlong in (([], 1, 0), ([make.claim_entry("[]", [make.ALICE], 1767225700000)], 0, 1)):
            log = claims + more
            log.append(make.commitment_over(log, 1767225700000))
            root = index.tree_root([index.leaf_hash(entry) for entry in log])
            answer = index.make_answer(log, question)
            found = index.check_answer(len(log), root, question, answer)
            self.assertEqual((len(found.lists), len(found.overlong), len(answer.lists)), (lists, overlong, lists))
            self.assertTrue(all(leaf.length > index.WHOLE_LIST for leaf in found.overlong))


    def test_the_first_thousand_entries_of_a_list_must_come_and_no_others(self):
        log = [make.commitment_over([])]
        log += [make.claim_entry("{}", [make.ALICE], 1767225600000 + i) for i in range(index.LABEL_ENTRIES + 1)]
        log.append(make.commitment_over(log, 1767225700000))
        hashes = [index.leaf_hash(entry) for entry in log]
        root = index.tree_root(hashes)
        name = index.half("issuer", make.ALICE.hex())
        for question in (make.those([name], [index.half("type", "")]), make.crowd(name, 0, [index.half("type", "")])):
            answer = index.make_answer(log, question)
            for gone in (1, 500, index.LABEL_ENTRIES, index.LABEL_ENTRIES + 1):
                entries = [(i, entry) for i, entry in answer.entries if i != gone]
                proof = index.make_multiproof(hashes, [i for i, _ in entries] + [len(log) - 1])
                shorter = answer._replace(entries=entries, proof=proof)
                with self.assertRaisesRegex(index.Refused, "an entry is missing"):
                    index.check_answer(len(log), root, question, shorter)
                if gone > index.LABEL_ENTRIES:
                    self.assertEqual(index.check_answer(len(log), root, question, shorter, whole=False).missing, [gone])
                    continue
                with self.assertRaisesRegex(index.Refused, "an entry is missing"):
                    index.check_answer(len(log), root, question, shorter, whole=False)

    def test_every_page_of_every_list_is_proven_at_its_place_only(self):
        log = make.answer_log()
        root, last = make.root_at(log), len(log) - 1
        node, lists = index.build_index([index.labels_of(entry) for entry in log[:-1]])
        hashes = [index.leaf_hash(entry) for entry in log]

        def page(label, start, end, place=None):
            listed = lists[label][start:end]
            proof = index.make_multiproof(hashes, listed + [last])
            entries = [(leaf, log[leaf]) for leaf in listed]
            cut = index.make_cut(node, index.Names((label[:16],), (label[16:],)))
            place = index.make_range(lists[label], start, end) if place is None else place
            return index.Answer(log[-1], cut, [(label, listed)], entries, proof, tuple(place))

        pages = 0
        for label, listed in lists.items():
            for start, end in itertools.combinations(range(len(listed) + 1), 2):
                answer = page(label, start, end)
                leaf, found = index.check_page(len(log), root, label, start, answer)
                self.assertEqual((leaf.length, found), (len(listed), listed[start:end]))
                pages += bool(answer.range)
                for other in range(len(listed) + 2):
                    if other != start:
                        with self.assertRaises(index.Refused):
                            index.check_page(len(log), root, label, other, answer)
                for place in (answer.range[1:] if answer.range else [make.noise("more")], answer.range + (make.noise("more"),)):
                    with self.assertRaises(index.Refused):
                        index.check_page(len(log), root, label, start, page(label, start, end, place))
            self.assertEqual(index.check_page(len(log), root, label, len(listed), page(label, len(listed), len(listed)))[1], [])
            with self.assertRaisesRegex(index.Refused, "stops in the middle"):
                index.check_page(len(log), root, label, 0, page(label, 0, 0))
        self.assertGreater(pages, 5)

    def test_lists_that_are_too_long_together_are_refused(self):
        count = index.LISTED_LEAVES // index.WHOLE_LIST
        lengths = [index.WHOLE_LIST] * count + [index.LISTED_LEAVES - count * index.WHOLE_LIST, index.WHOLE_LIST + 1]
        by = index.half("type", "")
        for more, why in (([], "the lists are not those"), ([1], "more leaves together")):
            leaves = [index.new_leaf(index.u64be(0) + index.u64be(i) + by, length, make.noise("any")) for i, length in enumerate(lengths + more)]
            node = index.build_trie(leaves)
            commitment = make.commitment_entry(node.hash, len(leaves))
            question = make.crowd(bytes(16), 0, [by])
            answer = index.Answer(commitment, index.make_cut(node, question), [], [], [])
            with self.assertRaisesRegex(index.Refused, why):
                index.check_answer(1, index.leaf_hash(commitment), question, answer)


class Specification(unittest.TestCase):
    def test_the_example_is_right(self):
        with open(os.path.join(HERE, "..", "..", "docs", "index.md"), encoding="utf-8") as stream:
            example = stream.read().split("\n## 12. Example\n")[1]
        first, payload, names, listed, trie, last, *cuts, proof, asked = example.split("```")[1::2]
        log = make.answer_log()[:3]
        hashes = [index.leaf_hash(entry) for entry in log]
        node, _ = index.build_index([index.labels_of(entry) for entry in log[:2]])
        self.assertEqual(self.bytes_in(first), log[0] + hashes[0])
        self.assertEqual(payload.replace("\n", "").encode(), index.parse_entry(log[1]).payload)
        for kind, value, by in index.named_labels(log[1]):
            halves = index.half(kind, value).hex(), index.by_half(kind, by).hex()
            self.assertRegex(names, "%s +%s\n +%s %s " % (kind, value, *halves))
        self.assertEqual(self.bytes_in(listed), index.list_root([1]))
        for part in (node, node.left, node.left.left, node.left.right, node.right):
            self.assertIn(part.hash.hex(), trie)
        self.assertEqual(self.bytes_in(last), log[2] + index.tree_root(hashes))
        self.assertEqual(len(cuts), 3)
        for name, cut in zip(("rand", "missing", "nothing"), cuts):
            half = index.half("package", "pkg:cargo/" + name)
            self.assertIn(half.hex(), example)
            question = make.those([half], [make.ALICE[:16]])
            self.assertEqual(self.bytes_in(cut), index.make_cut(node, question))
        self.assertEqual([self.bytes_in(proof)], index.make_multiproof(hashes, [1, 2]))
        rand = make.bytes_field(1, index.half("package", "pkg:cargo/rand")) + make.bytes_field(2, make.ALICE[:16])
        self.assertEqual(self.bytes_in(asked), bytes([0, 0, 0, 0, len(rand)]) + rand)

    def bytes_in(self, block):
        """The hex at the beginning of each line, comments left out."""
        lines = (itertools.takewhile(re.compile("([0-9a-f]{2})+").fullmatch, line.split()) for line in block.split("\n"))
        return bytes.fromhex("".join(itertools.chain(*lines)))


def compress(point):
    inverse = pow(point[2], asking.P - 2, asking.P)
    x, y = point[0] * inverse % asking.P, point[1] * inverse % asking.P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def sign(seed, message):
    """Public key and signature: RFC 8032, sections 5.1.5 and 5.1.6."""
    digest = hashlib.sha512(seed).digest()
    secret = int.from_bytes(digest[:32], "little") & (1 << 254) - 8 | 1 << 254
    key = compress(asking.times(secret, asking.BASE))
    number = int.from_bytes(hashlib.sha512(digest[32:] + message).digest(), "little") % asking.ORDER
    r = compress(asking.times(number, asking.BASE))
    challenge = int.from_bytes(hashlib.sha512(r + key + message).digest(), "little")
    return key, r + ((number + challenge * secret) % asking.ORDER).to_bytes(32, "little")


class Asking(unittest.TestCase):
    NAME = "vectors.assay.example/log"

    def note(self, log, name=NAME, seed=bytes(32)):
        root = make.root_at(log)
        text = "%s\n%d\n%s\n" % (name, len(log), base64.b64encode(root).decode())
        key, signature = sign(seed, text.encode())
        signed = base64.b64encode(asking.note_key_id(name, key) + signature).decode()
        return "%s\n\u2014 %s %s\n\u2014 witness AAAAAAAA\n" % (text, name, signed)

    def verifier(self, name=NAME, seed=bytes(32)):
        key = sign(seed, b"")[0]
        return "%s+%s+%s" % (name, asking.note_key_id(name, key).hex(), base64.b64encode(b"\x01" + key).decode())

    def messages(self, note, answer, packed=True):
        """The answer in pieces, as a node may part it."""
        field = asking.bytes_field
        half = len(answer.cut) // 2
        pieces = [field(1, note.encode()) + field(2, answer.commitment) + field(3, answer.cut[:half]), field(3, answer.cut[half:])]
        for label, leaves in answer.lists:
            for part in (leaves[:1], leaves[1:]):
                if packed:
                    listed = field(2, b"".join(map(make.varint, part)))
                else:
                    listed = b"".join(b"\x10" + make.varint(leaf) for leaf in part)
                pieces.append(field(4, field(1, label) + listed))
        for leaf, entry in answer.entries:
            pieces.append((field(5, make.varint(leaf)) if packed else b"\x28" + make.varint(leaf)) + field(6, entry))
        pieces += [field(7, found) for found in answer.proof]
        return [field(1, piece) for piece in pieces]

    def test_signatures_are_those_of_rfc_8032(self):
        for seed, key, message, signature in [
            ("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
             "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"),
            ("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
             "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
        ]:  # fmt: skip
            key, message, signature = map(bytes.fromhex, (key, message, signature))
            asking.check_signature(key, message, signature)
            self.assertEqual(sign(bytes.fromhex(seed), message), (key, signature))
            for number in range(0, 512, 5):
                with self.assertRaises(index.Refused):
                    asking.check_signature(key, message, flip(signature, number))
            with self.assertRaises(index.Refused):
                asking.check_signature(key, message + b"x", signature)
            larger = int.from_bytes(signature[32:], "little") + asking.ORDER
            with self.assertRaises(index.Refused):
                asking.check_signature(key, message, signature[:32] + larger.to_bytes(32, "little"))
        with self.assertRaises(index.Refused):
            asking.check_signature(bytes([1]) + bytes(31), b"", bytes([1]) + bytes(63))

    def test_keys_are_read(self):
        texts = [self.verifier(seed=bytes([i]) * 32) for i in range(12)]
        self.assertTrue(any("+" in text.split("+", 2)[2] for text in texts))
        for i, text in enumerate(texts):
            self.assertEqual(asking.verifier_key(text), (self.NAME, sign(bytes([i]) * 32, b"")[0]))
        for bad in (texts[0][:-4], "x" + texts[0], texts[0].replace("+A", "+B"), "name", ""):
            with self.assertRaises((index.Refused, ValueError)):
                asking.verifier_key(bad)

    def test_every_answer_is_verified_from_its_pieces(self):
        log, rand = make.answer_log(), "package:pkg:cargo/rand"
        alice, bob = make.ALICE.hex(), make.BOB.hex()
        for arguments, lists, census in [
            ([rand, alice], 1, 0), ([rand, alice, bob], 2, 0), ([rand + "#128", bob], 1, 0), ([rand + "#0", alice, bob], 17, 0),
            (["issuer:" + alice, "urn:assay:endorsement:v1"], 1, 0), (["package:pkg:cargo/none", alice], 0, 0), ([rand + "#128"], 0, 2),
        ]:  # fmt: skip
            question = asking.question_of(arguments)
            answer = index.make_answer(log, question)
            for packed in (True, False):
                called = []

                def call(url, method, request):
                    called.append((url, method, request))
                    return self.messages(self.note(log), answer, packed)

                checkpoint, read, checked = asking.ask("http://x", self.verifier(), question, call)
                self.assertEqual((checkpoint.size, read), (len(log), answer))
                said = asking.report(checkpoint, read, checked, question)
                self.assertEqual((len(said["lists"]), len(said["census"] or [])), (lists, census))
                self.assertEqual(called[0][1], "LookupPrefix" if "#" in arguments[0] else "BatchLookup")

    def test_a_checkpoint_that_the_log_did_not_sign_is_refused(self):
        log = make.answer_log()
        question = asking.question_of(["package:pkg:cargo/rand", make.ALICE.hex()])
        answer = index.make_answer(log, question)
        good = self.note(log)
        for bad in (
            self.note(log, seed=b"\x01" * 32), self.note(log, name="another/log"), good.replace("\n1", "\n2", 1), good[:-1], "",
            good.replace("\n\n", "\nextension\n\n"), good.replace("\u2014", "-"), self.note(log[:3]),
        ):  # fmt: skip
            with self.assertRaises((index.Refused, ValueError)):
                asking.ask("http://x", self.verifier(), question, lambda *_, bad=bad: self.messages(bad, answer))
        with self.assertRaises(index.Refused):
            asking.ask("http://x", self.verifier(), question, lambda *_: self.messages(good, answer)[:-1])


class Programs(unittest.TestCase):
    def test_roots(self):
        a, b = (make.noise(i).hex() for i in range(2))
        logs = [{"leaves": []}, {"leaves": [None, [a], [b, a, a], []]}]
        out = program("roots", given="".join(json.dumps(log) + "\n" for log in logs))
        node, _ = index.build_index([None, [bytes.fromhex(a)], [bytes.fromhex(b), bytes.fromhex(a)], []])
        found = [json.loads(line) for line in out.stdout.splitlines()]
        self.assertEqual(found, [{"root": index.EMPTY_ROOT.hex(), "labels": 0}, {"root": node.hash.hex(), "labels": 2}])

    def test_entries(self):
        log = make.answer_log()
        encoded = [base64.b64encode(entry).decode() for entry in log]
        for given in (json.dumps(encoded[:-1]), "\n".join(encoded[:-1]) + "\n", "\n".join(map(json.dumps, encoded[:-1]))):
            *entries, last = [json.loads(line) for line in program("entries", given=given).stdout.splitlines()]
            self.assertEqual([entry["index"] for entry in entries], list(range(len(log) - 1)))
            self.assertEqual(entries[1]["labels"], [label.hex() for label in index.labels_of(log[1])])
            commitment = index.parse_entry(log[-1])
            wanted = {"root": commitment.root.hex(), "labels": commitment.labels, "mapping_version": 2}
            self.assertEqual(last, {"commitment": wanted})
        self.assertEqual(program("entries", given="AAAA").returncode, 1)

    def test_mapping(self):
        log = make.answer_log()
        given = "".join(base64.b64encode(entry).decode() + "\n" for entry in [b"", *log])
        out = program("mapping", given=given).stdout.splitlines()
        wanted = [index.labels_of(entry) for entry in log]
        self.assertEqual(out, ["no entry"] + ["%d %s" % (len(found), index.sha256(b"".join(found)).hex()) for found in wanted])

    def test_vectors_are_those_that_are_generated(self):
        command = [sys.executable, os.path.join(HERE, "make_vectors.py"), "--check"]
        self.assertEqual(subprocess.run(command, check=False).returncode, 0)

    def test_vectors_hold_and_a_wrong_one_is_noticed(self):
        self.assertEqual(program("vectors", make.FOLDER).returncode, 0)
        for kind in index.VECTORS:
            with open(os.path.join(make.FOLDER, kind + ".json"), encoding="utf-8") as stream:
                file = json.load(stream)
            for table in ("cases", "bad"):
                if not file[table]:
                    continue
                wrong = dict(file, **{table: [dict(file[table][0])]})
                case = wrong[table][0]
                if table == "bad":
                    case["reason"] += " not"
                else:
                    field = {"labels": "label", "mapping": "labels"}.get(kind, "root")
                    case[field] = case[field][:-1] if field == "labels" else make.noise("wrong").hex()
                with tempfile.TemporaryDirectory() as folder:
                    with open(os.path.join(folder, "x.json"), "w", encoding="utf-8") as stream:
                        json.dump(wrong, stream)
                    self.assertEqual(program("vectors", folder).returncode, 1, kind)

    def test_wrong_use_is_explained(self):
        self.assertEqual(program().returncode, 2)
        self.assertEqual(program("vectors", tempfile.gettempdir() + "/no such folder").returncode, 1)


if __name__ == "__main__":
    unittest.main()
