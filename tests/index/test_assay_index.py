#!/usr/bin/env python3
"""Small tests of assay_index.py against definitions that are plainer still: python3 tests/index/test_assay_index.py"""

import base64
import itertools
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import unittest

import assay_index as index
import make_vectors as make

HERE = os.path.dirname(os.path.abspath(__file__))


def program(*arguments, given=""):
    command = [sys.executable, os.path.join(HERE, "assay_index.py"), *arguments]
    return subprocess.run(command, input=given, capture_output=True, text=True, encoding="utf-8", check=False)


def flip(data, number):
    """The bytes with one bit turned round."""
    return (int.from_bytes(data, "big") ^ 1 << (8 * len(data) - 1 - number)).to_bytes(len(data), "big")


def rfc_6962_root(hashes):
    """MTH of RFC 6962, section 2.1."""
    if not hashes:
        return index.sha256(b"")
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while 2 * k < len(hashes):
        k *= 2
    return index.node_hash(rfc_6962_root(hashes[:k]), rfc_6962_root(hashes[k:]))


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
    left, right = (plain_trie_root(side, bits + 1) for side in sides)
    return index.sha256(b"\x12" + bytes([0, bits]) + prefix + left + right)


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
            index.list_root([]).hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        )
        self.assertEqual(
            index.leaf_hash(b"").hex(), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
        )
        hashes = [index.leaf_hash(bytes([i])) for i in range(70)]
        for size in range(71):
            self.assertEqual(index.tree_root(hashes[:size]), rfc_6962_root(hashes[:size]))

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

    def test_cuts_answer_for_labels(self):
        chance = random.Random(2)
        for count in range(14):
            leaves = some_leaves(chance, count)
            node = index.build_trie(leaves)
            present = {leaf.label: leaf for leaf in leaves}
            asked = set(present) | {flip(label, chance.randrange(256)) for label in present} | {b"\xa5" * 32}
            for label in sorted(asked):
                cut = index.make_cut(node, [label])
                self.assertEqual(index.look_up(index.read_cut(cut, index.root_of(node)), label), present.get(label))
            cut = index.read_cut(index.make_cut(node, sorted(asked)), index.root_of(node))
            for label in asked:
                self.assertEqual(index.look_up(cut, label), present.get(label))

    def test_cuts_answer_for_prefixes(self):
        chance = random.Random(3)
        for count in range(12):
            leaves = some_leaves(chance, count)
            node = index.build_trie(leaves)
            for label in [leaf.label for leaf in leaves] + [b"\xa5" * 32]:
                for bits in (0, 1, 5, 8, 64, 255, 256, chance.randrange(256)):
                    for query in (label, flip(label, max(bits - 1, 0))):
                        cut = index.read_cut(index.make_cut(node, [], [(query, bits)]), index.root_of(node))
                        begin = [leaf for leaf in leaves if index.prefix_of(leaf.label, bits) == index.prefix_of(query, bits)]
                        self.assertEqual(index.look_up_prefix(cut, query, bits), begin)

    def test_a_changed_cut_is_refused(self):
        leaves = some_leaves(random.Random(4), 9)
        node = index.build_trie(leaves)
        for label in (leaves[4].label, flip(leaves[4].label, 3)):
            cut = index.make_cut(node, [label])
            for number in range(8 * len(cut)):
                with self.assertRaises(index.Refused):
                    index.read_cut(flip(cut, number), node.hash)
            for length in range(len(cut)):
                with self.assertRaises(index.Refused):
                    index.read_cut(cut[:length], node.hash)

    def test_noise_is_refused(self):
        chance = random.Random(5)
        for _ in range(2000):
            noise = bytes(chance.choice((0, 1, 2, 3, 255, chance.randrange(256))) for _ in range(chance.randrange(1, 300)))
            with self.assertRaises(index.Refused):
                index.read_cut(noise, index.EMPTY_ROOT)


class Mapping(unittest.TestCase):
    def names(self, payload, **options):
        return index.named_labels(make.claim_entry(payload, **options))

    def test_vulnerabilities_are_limited(self):
        ids = [str(i) for i in range(1100)]
        found = {value for kind, value in self.names(make.vulns("5", *ids, *ids)) if kind == "vuln"}
        self.assertEqual(found, set(ids[:1024]))

    def test_subjects_are_limited(self):
        subjects = [{"digest": {"sha1": "00" * 20}}] * 1023 + [make.package("pkg:cargo/a")]
        self.assertIn(("package", "pkg:cargo/a"), self.names(make.statement(subjects)))
        self.assertEqual(self.names(make.statement(subjects[:1] + subjects), issuers=()), set())

    def test_purls(self):
        for good in [
            "pkg:cargo/a", "pkg:a.b-c1/d", "pkg:generic/a/b/c@1%202", "pkg:x/a%2Fb", "pkg:x/a@b:c~d", "pkg:x/.",
            "pkg:x/a?a=1&b=%C3%A9", "pkg:x/a?a=:", "pkg:x/a#b/c", "pkg:x/" + "a" * 1018,
        ]:  # fmt: skip
            self.assertTrue(index.is_canonical_purl(good), good)
        for bad in [
            "cargo/a", "pkg:cargo", "pkg:cargo/", "pkg:/a", "pkg:1a/b", "pkg:Cargo/a", "PKG:cargo/a", "pkg://cargo/a",
            "pkg:cargo/a/", "pkg:x//a", "pkg:cargo/a@", "pkg:cargo/@1", "pkg:cargo/a?", "pkg:cargo/a#", "pkg:x/a b",
            "pkg:x/%", "pkg:x/%2", "pkg:x/%2f", "pkg:x/%41", "pkg:x/%ff", "pkg:x/%FF", "pkg:x/é", "pkg:x/a@1/2", "pkg:x/@a/b",
            "pkg:x/a?b=2&a=1", "pkg:x/a?a=1&a=2", "pkg:x/a?a=", "pkg:x/a?a", "pkg:x/a?A=1", "pkg:x/a?1=1", "pkg:x/a?a=1&",
            "pkg:x/a#/b", "pkg:x/a#b/", "pkg:x/a#.", "pkg:x/a#b/../c", "pkg:x/a#b%2Fc", "pkg:x/b%2Fc/a", "pkg:x/a+b",
            "pkg:x/a\n", "pkg:x/" + "a" * 1019,
        ]:  # fmt: skip
            self.assertFalse(index.is_canonical_purl(bad), bad)

    def test_only_ascii_spells_a_purl_s_scheme(self):
        subject = {"uri": "p\u212ag:x/y", "digest": {"sha256": "00" * 32}}  # a Kelvin sign
        self.assertEqual(len(self.names(make.statement([subject]))), 2)

    def test_large_numbers_and_deep_nesting_do_no_harm(self):
        payload = json.dumps(make.statement([make.artifact("a")], predicate={"n": 0})).replace('"n": 0', '"n": ' + "9" * 9000)
        self.assertEqual(len(self.names(payload)), 2)
        self.assertEqual(len(self.names("[" * 30000)), 1)

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
            answer = index.make_answer(log, [label])
            self.assertEqual(index.check_answer(len(log), root, [label], [], answer), {label: wanted})
            for gone in wanted:
                entries = [(i, entry) for i, entry in answer.entries if i != gone]
                proof = index.make_multiproof(hashes, [i for i, _ in entries] + [len(log) - 1])
                for indices in (wanted, [i for i in wanted if i != gone]):
                    shorter = answer._replace(lists=[(label, indices)], entries=entries, proof=proof)
                    with self.assertRaises(index.Refused):
                        index.check_answer(len(log), root, [label], [], shorter)


class Specification(unittest.TestCase):
    def test_the_example_is_right(self):
        with open(os.path.join(HERE, "..", "..", "docs", "index.md"), encoding="utf-8") as stream:
            example = stream.read().split("\n## 11. Example\n")[1]
        first, payload, names, listed, trie, last, present, absent, proof = example.split("```")[1::2]
        log = make.answer_log()[:3]
        hashes = [index.leaf_hash(entry) for entry in log]
        node, _ = index.build_index([index.labels_of(entry) for entry in log[:2]])
        self.assertEqual(self.bytes_in(first), log[0] + hashes[0])
        self.assertEqual(payload.replace("\n", "").encode(), index.parse_entry(log[1]).payload)
        for kind, value in index.named_labels(log[1]):
            self.assertRegex(names, "%s +%s\n +%s " % (kind, value, index.label(kind, value).hex()))
        self.assertEqual(self.bytes_in(listed), index.list_root([1]))
        for part in (node, node.left, node.left.left, node.left.right, node.right):
            self.assertIn(part.hash.hex(), trie)
        self.assertEqual(self.bytes_in(last), log[2] + index.tree_root(hashes))
        for name, cut in (("rand", present), ("unknown", absent)):
            label = index.label("package", "pkg:cargo/" + name)
            self.assertIn(label.hex(), example)
            self.assertEqual(self.bytes_in(cut), index.make_cut(node, [label]))
        self.assertEqual([self.bytes_in(proof)], index.make_multiproof(hashes, [1, 2]))

    def bytes_in(self, block):
        """The hex at the beginning of each line, comments left out."""
        lines = (itertools.takewhile(re.compile("([0-9a-f]{2})+").fullmatch, line.split()) for line in block.split("\n"))
        return bytes.fromhex("".join(itertools.chain(*lines)))


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
            wanted = {"root": commitment.root.hex(), "labels": commitment.labels, "mapping_version": 1}
            self.assertEqual(last, {"commitment": wanted})
        self.assertEqual(program("entries", given="AAAA").returncode, 1)

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
