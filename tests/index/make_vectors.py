#!/usr/bin/env python3
"""Writes the vectors of the verifiable index into tests/vectors/index (its README.md says what each field is).

    make_vectors.py           writes them
    make_vectors.py --check   writes nothing, and exits with 1 if a file is not what would be written

Nothing is random: hashes and labels that mean nothing are SHA-256 of a text that is their name. Signatures are such
hashes too; the index does not look at them.
"""

import base64
import hashlib
import json
import os
import sys

import assay_index as index

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "vectors", "index")


def noise(*name):
    """32 bytes that mean nothing."""
    return hashlib.sha256(("assay.vectors:" + ":".join(map(str, name))).encode()).digest()


def b64(data):
    return base64.b64encode(data).decode()


def hexes(values):
    return [value.hex() for value in values]


# --- Entries ----------------------------------------------------------------------------------------------------------


def varint(number):
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def number_field(field, number):
    return varint(field << 3) + varint(number) if number else b""


def bytes_field(field, data, always=False):
    return varint(field << 3 | 2) + varint(len(data)) + data if data or always else b""


ALICE, BOB = noise("issuer", "alice"), noise("issuer", "bob")


def signature(issuer, key):
    body = bytes_field(1, noise("signature", key) * 2) + bytes_field(2, noise("key", key)) + bytes_field(3, issuer)
    return bytes_field(3, body, always=True)


def claim_entry(payload, issuers=(ALICE,), logged_at_ms=1767225600000, payload_type="application/vnd.in-toto+json"):
    if isinstance(payload, dict):
        payload = json.dumps(payload, separators=(",", ":"), ensure_ascii=False)
    if isinstance(payload, str):
        payload = payload.encode()
    claim = bytes_field(1, payload) + bytes_field(2, payload_type.encode())
    claim += b"".join(signature(issuer, i) for i, issuer in enumerate(issuers))
    return number_field(1, logged_at_ms) + bytes_field(2, claim, always=True)


def commitment_entry(root, labels, mapping_version=1, logged_at_ms=1767225600000):
    body = bytes_field(1, root) + number_field(2, labels) + number_field(3, mapping_version)
    return number_field(1, logged_at_ms) + bytes_field(3, body, always=True)


def commitment_over(entries, logged_at_ms=1767225600000):
    node, lists = index.build_index([index.labels_of(entry) for entry in entries])
    return commitment_entry(index.root_of(node), len(lists), logged_at_ms=logged_at_ms)


def statement(subjects, predicate_type="urn:x", predicate=None):
    return {
        "_type": index.STATEMENT_TYPE,
        "subject": subjects,
        "predicateType": predicate_type,
        "predicate": {} if predicate is None else predicate,
    }


def package(purl):
    return {"uri": purl, "digest": {"purl": hashlib.sha256(purl.encode()).hexdigest()}}


def artifact(name, **digests):
    return {"name": name, "digest": digests or {"sha256": noise("file", name).hex()}}


def vex(*vulnerabilities, predicate_type="https://openvex.dev/ns/v0.2.0"):
    listed = [{"vulnerability": v, "status": "fixed", "products": [{"@id": "pkg:cargo/rand@0.9.0"}]} for v in vulnerabilities]
    predicate = {
        "@context": predicate_type, "@id": "https://example.org/vex/1", "author": "Example", "version": 1,
        "timestamp": "2026-01-01T00:00:00Z", "statements": listed,
    }  # fmt: skip
    return statement([package("pkg:cargo/rand@0.9.0")], predicate_type, predicate)


def vulns(*ids, subjects=None):
    scanner = {"uri": "https://example.org/scanner", "result": [{"id": i} for i in ids]}
    times = {"scanStartedOn": "2026-01-01T00:00:00Z", "scanFinishedOn": "2026-01-01T00:00:01Z"}
    predicate = {"scanner": scanner, "metadata": times}
    return statement(subjects or [artifact("app.tar.gz")], index.VULNS, predicate)


def finding(osv, **more):
    predicate = {"salt": noise("salt").hex(), "osv": osv, **more}
    return statement([package("pkg:npm/%40acme/left@1.0.0")], index.FINDING, predicate)


TARGET = noise("claim", "target").hex()
RAND = "pkg:cargo/rand@0.9.0"


def withdrawal(target):
    return statement([artifact("a.whl")], "urn:assay:withdrawal:v1", {"target": target, "reason": "wrong version"})


def response(target):
    predicate = {"target": target, "stance": "disputes", "text": "It is not reachable."}
    return statement([artifact("a.whl")], "urn:assay:response:v1", predicate)


# --- Files ------------------------------------------------------------------------------------------------------------

FILES = {}


def file(kind, about, **tables):
    FILES[kind] = {"kind": kind, "about": about, **tables, "cases": [], "bad": []}
    return FILES[kind]["cases"], FILES[kind]["bad"]


def labels_file():
    cases, _ = file("labels", "The label of a kind and a value.")
    for kind, value in [
        ("package", "pkg:cargo/rand"),
        ("package", "pkg:npm/%40acme/left"),
        ("version", RAND),
        ("digest", "sha256:" + noise("file", "app.tar.gz").hex()),
        ("digest", "sha512:" + "0f" * 64),
        ("digest", "gitCommit:68bc59901773ab4c051dfcea0cc4201a1567ab32"),
        ("issuer", ALICE.hex()),
        ("claim", TARGET),
        ("vuln", "CVE-2026-0001"),
        ("vuln", "GHSA-aaaa-bbbb-cccc"),
        ("vuln", "cve-2026-0001"),
        ("vuln", "Schwachstelle №7"),
        ("vuln", "two\nlines"),
    ]:
        cases.append(
            {"name": kind + " " + value[:40], "label_kind": kind, "value": value, "label": index.label(kind, value).hex()}
        )


def mapping_file():
    cases, bad = file("mapping", "The labels of an entry, mapping version 1.")

    def case(name, entry):
        names = sorted([kind, value] for kind, value in index.named_labels(entry))
        cases.append({"name": name, "entry": b64(entry), "names": names, "labels": hexes(index.labels_of(entry))})

    def claim(name, payload, **options):
        case(name, claim_entry(payload, **options))

    def refused(name, entry):
        try:
            index.parse_entry(entry)
        except index.Refused as why:
            bad.append({"name": name, "entry": b64(entry), "reason": str(why)})
        else:
            raise AssertionError(name)

    plain = statement([artifact("app.tar.gz")])

    # Subjects.
    claim("a package without a version", statement([package("pkg:cargo/rand")]))
    claim("a package with a version", statement([package(RAND)]))
    full = "pkg:deb/debian/curl@7.50.3-1?arch=i386&distro=jessie#usr/bin"
    claim("qualifiers and subpath are in no label", statement([package(full)]))
    claim("qualifiers and subpath without a version", statement([package("pkg:deb/debian/curl?arch=i386#usr/bin")]))
    claim("percent-encoded separators", statement([package("pkg:npm/%40a/b%40c@1.0%2F2?k=v%3F#s/t")]))
    claim("a digest sha256", plain)
    claim("a digest sha512", statement([artifact("a", sha512="0f" * 64)]))
    claim("a digest gitCommit, SHA-1", statement([artifact("a", gitCommit="68bc59901773ab4c051dfcea0cc4201a1567ab32")]))
    claim("a digest gitCommit, SHA-256", statement([artifact("a", gitCommit="ab" * 32)]))
    others = dict(sha1="0a" * 20, md5="0b" * 16, sha3_256="0c" * 32, gitTree="0d" * 20, dirHash="h1:A/b=")
    claim("digests of other algorithms are no labels", statement([artifact("a", **others)]))
    claim("three digests of one subject", statement([artifact("a", sha256="01" * 32, sha512="02" * 64, gitCommit="03" * 20)]))
    both = {"name": "rand", "uri": RAND, "digest": {"sha256": "04" * 32}}
    claim("an artifact with a purl", statement([both]))
    claim("several subjects", statement([package(RAND), package("pkg:pypi/django@5.2"), artifact("a"), artifact("b"), both]))
    claim("a uri that is no purl", statement([{"uri": "git+https://example.org/r", "digest": {"sha1": "05" * 20}}]))
    claim("the name is no label", statement([{"name": RAND, "uri": None, "digest": {"sha1": "05" * 20}}]))
    claim("a predicate of null", dict(plain, predicate=None))
    without = dict(plain)
    del without["predicate"]
    claim("no predicate at all", without)
    claim("fields that in-toto does not name", dict(plain, more=[1.5e3, {"deep": [True]}]))
    claim("escapes and white space", '\n{"_type" : "https:\\/\\/in-toto.io\\/Statement\\/v1", "subject":[{"uri":"pkg:cargo/\\u0072and",'
          '"digest":{"sha1":"%s"}}], "predicateType":"x", "predicate":{"\\ud83d\\ude00":-0.5E-3}} \r\n' % ("06" * 20))  # fmt: skip

    # Signers.
    claim("two signers", plain, issuers=(ALICE, BOB))
    claim("two signatures for one issuer", plain, issuers=(ALICE, ALICE))
    claim("an issuer id that is too short, and none", plain, issuers=(ALICE[:31], b"", BOB))
    claim("an issuer id that is too long", plain, issuers=(ALICE + b"\x00",))
    claim("no signature", plain, issuers=())
    claim("logged at 0", plain, logged_at_ms=0)
    claim("the payload type is not looked at", plain, payload_type="application/json")
    claim("no payload type", plain, payload_type="")
    claim("logged at the last millisecond", plain, logged_at_ms=2**64 - 1)

    # Labels that come twice count once.
    claim("labels that stand twice", vulns("CVE-2026-0001", "CVE-2026-0001", subjects=[both, both, package(RAND), package("pkg:cargo/rand")]),
          issuers=(BOB, ALICE, BOB))  # fmt: skip

    # Vulnerabilities.
    claim("vulns with two results", vulns("CVE-2026-0001", "GHSA-aaaa-bbbb-cccc"))
    claim("vulns without results", vulns())
    claim("a vulnerability is taken as it is written", vulns("cve-2026-0001", "CVE-2026-0001", "!~", "pkg:a/b?c=d"))
    claim("128 characters, and 129", vulns("A" * 128, "B" * 129))
    claim("vulnerabilities that are not visible ASCII", vulns("CVE-1 ", "CVE 1", "CVE-1\n", "CVE-\u0000", "CVE-\u007f", "№7", "é"))
    odd = {"scanner": {"result": [7, {"id": 7}, {"id": ""}, {}, {"id": "CVE-2026-0002"}, None, {"id": None}]}}
    claim("malformed results are passed over", statement([artifact("a")], index.VULNS, odd))
    claim("results that are no list", statement([artifact("a")], index.VULNS, {"scanner": {"result": {"id": "CVE-2026-0002"}}}))
    claim("a scanner that is a list", statement([artifact("a")], index.VULNS, {"scanner": [{"result": []}]}))
    claim("vulns of an unknown version", dict(vulns("CVE-2026-0001"), predicateType="https://in-toto.io/attestation/vulns/v9"))
    named = {"name": "CVE-2026-0003", "@id": "https://example.org/CVE-2026-0003", "aliases": ["GHSA-dddd-eeee-ffff", "PYSEC-2026-1"]}
    claim("OpenVEX 0.2.0, aliases", vex(named, {"name": "CVE-2026-0004"}))
    claim("OpenVEX 0.0.1, strings", vex("CVE-2026-0003", "CVE-2026-0004", predicate_type="https://openvex.dev/ns/v0.0.1"))
    claim("OpenVEX without a version, both spellings", vex("CVE-2026-0003", named, predicate_type="https://openvex.dev/ns"))
    crooked = [{"name": 1, "aliases": ["CVE-2026-0005", "", None, 2]}, {"name": "CVE-2026-0006", "aliases": "x"}, ["CVE-1"], None, ""]
    claim("OpenVEX, malformed names are passed over", vex(*crooked))
    claim("finding", finding({"id": "ACME-2026-1", "aliases": ["CVE-2026-0007"]}))
    claim("finding with a target", finding({"id": "ACME-2026-1"}, target=TARGET))
    claim("finding with a target that is no claim id", finding({"aliases": ["CVE-2026-0007"]}, target="the other one"))
    commit = {"digest": noise("salted").hex(), "embargo": "2026-06-01", "target": TARGET}
    claim("a finding's commitment names nothing", statement([artifact("a")], "urn:assay:finding-commitment:v1", commit))

    # Targets.
    claim("withdrawal", withdrawal(TARGET))
    claim("response", response(TARGET))
    claim("a target in upper case", response(TARGET.upper()))
    claim("a target that is too short", withdrawal(TARGET[:62]))
    claim("a target that is no string", withdrawal([TARGET]))
    claim("what other predicates call a target", statement([artifact("a")], "https://example.org/x", {"target": TARGET}))
    claim("supersededBy is no label", statement([artifact("a")], "urn:assay:withdrawal:v1",
          {"target": TARGET, "reason": "newer", "supersededBy": noise("claim", "newer").hex()}))  # fmt: skip

    # Payloads that are no statement: only the issuers count.
    def not_statement(name, payload, **options):
        claim("no statement: " + name, payload, **options)

    text = json.dumps(plain, separators=(",", ":"))
    not_statement("nothing", b"")
    not_statement("not JSON", b"hello")
    not_statement("not UTF-8", text.encode().replace(b"app.tar.gz", b"\xc3\x28"))
    not_statement("a byte order mark", "\ufeff" + text)
    not_statement("something after it", text + "{}")
    not_statement("a comma too many", text.replace('"predicate":{}', '"predicate":{},'))
    not_statement("a key twice", text.replace('"predicate":{}', '"predicate":{"a":1,"\\u0061":2}'))
    not_statement("nested too deep", text.replace('"predicate":{}', '"predicate":{"a":%s}' % ("[" * 31 + "]" * 31)))
    claim("nested as deep as may be", text.replace('"predicate":{}', '"predicate":{"a":%s}' % ("[" * 30 + "]" * 30)))
    not_statement("half a surrogate pair", text.replace('"predicate":{}', '"predicate":{"a":"\\ud83d"}'))
    not_statement("NaN", text.replace('"predicate":{}', '"predicate":{"a":NaN}'))
    not_statement("a number with a zero in front", text.replace('"predicate":{}', '"predicate":{"a":01}'))
    not_statement("a control character", text.replace('"predicate":{}', '"predicate":{"a":"\t"}'))
    not_statement("an array", "[" + text + "]")
    not_statement("an older type", dict(plain, _type="https://in-toto.io/Statement/v0.1"))
    not_statement("no subject", statement([]))
    not_statement("a subject that is no object", statement(["a"]))
    not_statement("a subject without a digest", statement([artifact("a"), {"uri": "pkg:cargo/rand"}]))
    not_statement("a digest in upper case", statement([artifact("a", sha256="AB" * 32)]))
    not_statement("a digest that is too short", statement([artifact("a", sha512="ab" * 32)]))
    not_statement("a digest of no known algorithm that is a number", statement([artifact("a", own=1)]))
    not_statement("a purl that is not canonical", statement([{"uri": "pkg:Cargo/rand", "digest": {"sha1": "06" * 20}}]))
    not_statement("a purl with a superfluous escape", statement([{"uri": "pkg:cargo/%72and", "digest": {"sha1": "06" * 20}}]))
    not_statement("a purl without its encoding", statement([{"uri": "pkg:npm/@a/b", "digest": {"sha1": "06" * 20}}]))
    not_statement("a purl without a name", statement([{"uri": "pkg:cargo/", "digest": {"sha1": "06" * 20}}]))
    not_statement("a purl's digest of another purl", statement([dict(package(RAND), uri="pkg:cargo/rand")]))
    not_statement("a purl's digest without a purl", statement([{"digest": {"purl": "07" * 32}}]))
    not_statement("a name that is a number", statement([dict(artifact("a"), name=1)]))
    not_statement("an empty predicate type", statement([artifact("a")], ""))
    not_statement("a predicate that is a list", statement([artifact("a")], predicate=[]))

    # Commitments.
    case("a commitment to the empty index", commitment_entry(index.EMPTY_ROOT, 0))
    case("a commitment", commitment_entry(noise("root"), 300))
    case("a commitment of another mapping version", commitment_entry(noise("root"), 300, mapping_version=2))

    # Bytes that are no entry: no log may have them.
    good = claim_entry(plain)
    refused("nothing", b"")
    refused("a time and nothing else", number_field(1, 7))
    refused("an unknown field", good + b"\x50\x01")
    refused("a field twice", good + b"\x08\x07")
    refused("a number with a superfluous byte", b"\x08\x87\x00" + claim_entry(plain, logged_at_ms=0))
    refused("a zero that is spelled out", b"\x08\x00" + claim_entry(plain, logged_at_ms=0))
    refused("a body of both kinds", good + bytes_field(3, bytes_field(1, noise("root"))))
    refused("it ends inside a field", good[:-1])
    refused("an empty payload that is spelled out", bytes_field(2, b"\x0a\x00"))
    refused("a field of another type", bytes_field(2, b"\x08\x01"))
    refused("signatures before the payload", bytes_field(2, signature(ALICE, 0) + bytes_field(1, b"{}")))
    refused("a payload type that is not UTF-8", bytes_field(2, bytes_field(1, b"{}") + bytes_field(2, b"\xc3\x28")))
    refused("a mapping version of 33 bits", bytes_field(3, bytes_field(1, noise("root")) + number_field(3, 2**32 + 1)))
    refused("a number of 65 bits", b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02" + claim_entry(plain, logged_at_ms=0))


def lists_file():
    cases, _ = file("lists", "The root of a label's list.")

    def case(name, indices):
        cases.append({"name": name, "indices": list(indices), "root": index.list_root(indices).hex()})

    for length in range(21):
        case("the first %d leaves" % length, range(length))
    for length in range(1, 10):
        case("%d leaves with gaps" % length, [3 * i * i + 1 for i in range(length)])
    for length in (63, 64, 65, 255, 256, 257):
        case("%d leaves" % length, range(1, 2 * length, 2))
    case("large indices", [0, 255, 256, 2**32 - 1, 2**32, 2**53 + 1, 2**63, 2**64 - 2])


def with_bits(name, bits, value):
    """A label whose first bits are replaced by value."""
    rest = index.LABEL_BITS - bits
    return (value << rest | int.from_bytes(name, "big") & (1 << rest) - 1).to_bytes(32, "big")


def list_of(number):
    """The list of the label with that number in a trie."""
    return [number + 3 * i for i in range(1 + number * 7 % 5)]


def tries():
    """The tries that vectors are about: leaves by name."""

    def leaves(labels):
        out = []
        for i, name in enumerate(sorted(labels)):
            indices = list_of(i)
            out.append(index.new_leaf(name, len(indices), index.list_root(indices)))
        return out

    low, high = noise("twin")[:31] + b"\x40", noise("twin")[:31] + b"\x41"
    zero, ones = bytes(32), b"\xff" * 32
    # A comb: each label parts from the last at one bit more, so that every inner node has a leaf beside it.
    comb = [(((1 << n) - 1) << (256 - n)).to_bytes(32, "big") for n in range(0, 65)]
    deep = [(((1 << n) - 1) << (256 - n)).to_bytes(32, "big") for n in range(0, 66)]
    return {
        "empty": [],
        "one": leaves([noise("label", 0)]),
        "two": leaves([with_bits(noise("label", 0), 1, 0), with_bits(noise("label", 1), 1, 1)]),
        "three": leaves([with_bits(noise("label", i), 3, v) for i, v in enumerate((0b001, 0b010, 0b111))]),
        "twins, 255 bits in common": leaves([low, high]),
        "twins and a stranger": leaves([low, high, bytes([low[0] ^ 0x80]) + low[1:]]),
        "twins of twins": leaves([low, high, low[:30] + b"\x00\x00", low[:30] + b"\x00\x01", zero, ones]),
        "all zeros, all ones": leaves([zero, ones]),
        "all zeros and one": leaves([zero, zero[:31] + b"\x01"]),
        "a prefix above the root's": leaves([with_bits(noise("label", i), 13, 0b1010000000000 | i) for i in range(6)]),
        "prefixes of every length": leaves([with_bits(zero, n, 1) for n in (1, 2, 7, 8, 9, 15, 16, 17, 100, 248, 255, 256)]),
        "comb of 64 inner nodes": leaves(comb),
        "comb of 65 inner nodes": leaves(deep),
        "two dozen": leaves([noise("label", i) for i in range(24)]),
        "large list": [index.new_leaf(noise("label", 0), 2**64 - 1, noise("list root"))],
    }


def leaf_items(leaves):
    items = []
    for number, leaf in enumerate(leaves):
        indices = list_of(number) if leaf.length < 2**63 else None
        items.append({"label": leaf.label.hex(), "indices": indices, "length": leaf.length, "list_root": leaf.list_root.hex()})
    return items


def tries_file():
    cases, _ = file("tries", "The root of a trie of labels with their lists.")
    for name, leaves in tries().items():
        if name == "comb of 64 inner nodes":
            continue  # the one of 65 says as much about roots
        root = index.root_of(index.build_trie(leaves))
        cases.append({"name": name, "leaves": leaf_items(leaves), "root": root.hex()})


def logs_file():
    cases, _ = file("logs", "The index over all leaves of a log, each given as its labels.")

    def case(name, leaves):
        node, lists = index.build_index(leaves)
        cases.append(
            {
                "name": name,
                "leaves": [None if names is None else hexes(names) for names in leaves],
                "root": index.root_of(node).hex(),
                "labels": len(lists),
                "lists": [{"label": label.hex(), "indices": lists[label]} for label in sorted(lists)],
            }
        )

    a, b, c = (noise("label", i) for i in range(3))
    case("no leaf", [])
    case("leaf 0, a commitment", [None])
    case("a claim without labels", [None, []])
    case("one label", [None, [a]])
    case("one label in two leaves", [None, [a], [b, a], None])
    case("a label twice in a leaf", [None, [a, b, a], [c]])
    case("the index holds on over commitments", [None, [a], None, [b], None, [c, a], [a], None])
    names = [noise("label", i) for i in range(8)]
    case("thirty leaves", [None if i % 7 == 0 else [names[i * j % 8] for j in range(1, 1 + i % 4)] for i in range(30)])


def prefix_item(prefix, bits):
    prefix = index.prefix_of(prefix, bits) if bits else bytes(32)
    return {"prefix": prefix[: (bits + 7) // 8].hex(), "bits": bits}


def cuts_file():
    used = tries()
    cases, bad = file(
        "cuts",
        "Cuts of tries, what they answer, and cuts that are refused.",
        tries={name: {"leaves": leaf_items(leaves)} for name, leaves in used.items()},
    )
    nodes = {name: index.build_trie(leaves) for name, leaves in used.items() if name != "comb of 65 inner nodes"}
    del FILES["cuts"]["tries"]["comb of 65 inner nodes"]

    def case(name, trie, labels=(), prefixes=(), cut=None):
        node = nodes[trie]
        smallest = cut is None
        if smallest:
            cut = index.make_cut(node, labels, prefixes)
        read = index.read_cut(cut, index.root_of(node))
        asked = []
        for label in labels:
            leaf = index.look_up(read, label)
            found = leaf and {"length": leaf.length, "list_root": leaf.list_root.hex()}
            asked.append({"label": label.hex(), "found": found})
        begun = []
        for prefix, bits in prefixes:
            leaves = index.look_up_prefix(read, prefix, bits)
            begun.append({**prefix_item(prefix, bits), "found": hexes(leaf.label for leaf in leaves)})
        root = index.root_of(node).hex()
        cases.append(
            {"name": name, "trie": trie, "root": root, "cut": cut.hex(), "smallest": smallest, "labels": asked, "prefixes": begun}
        )

    def labels_in(trie):
        return [leaf.label for leaf in used[trie]]

    def flipped(label, number):
        """The label with one bit turned round."""
        return (int.from_bytes(label, "big") ^ 1 << (255 - number)).to_bytes(32, "big")

    stranger = noise("label", "stranger")
    # Presence.
    for trie in nodes:
        step = 1 if len(used[trie]) < 4 else 40 if len(used[trie]) > 20 else 4
        for number, label in list(enumerate(labels_in(trie)))[::step]:
            case("present in %s: %d" % (trie, number), trie, [label])
    case("present, at the end of the comb", "comb of 64 inner nodes", labels_in("comb of 64 inner nodes")[-1:])
    # Absence.
    case("absent: the empty trie", "empty", [stranger])
    case("absent: another label is the only one", "one", [stranger])
    case("absent: differs from the only one in the last bit", "one", [flipped(labels_in("one")[0], 255)])
    case("absent: differs from the only one in the first bit", "one", [flipped(labels_in("one")[0], 0)])
    case("absent: another leaf stands there", "two dozen", [stranger])
    first = labels_in("two dozen")[0]
    case("absent: differs from a leaf in the last bit", "two dozen", [flipped(first, 255)])
    above = labels_in("a prefix above the root's")[0]
    case("absent: above the root's prefix", "a prefix above the root's", [flipped(above, 0)])
    case("absent: at the last bit of the root's prefix", "a prefix above the root's", [flipped(above, 9)])
    twin = labels_in("twins, 255 bits in common")[0]
    case("absent: at bit 254 of a prefix of 255", "twins, 255 bits in common", [flipped(twin, 254)])
    case("absent: inside, between two nodes", "twins and a stranger", [flipped(twin, 100)])
    # A stub on either side of the node where the label parts: its prefix stands in the cut.
    case("absent: inside, no leaf in the cut", "twins of twins", [flipped(twin, 3)])
    case("absent: a prefix of whole bytes and more", "prefixes of every length", [with_bits(bytes(32), 10, 0b11)])
    # Batches.
    some = labels_in("two dozen")
    case("a batch of present labels", "two dozen", some[::6])
    case("a batch of present and absent labels", "two dozen", [some[5], flipped(some[5], 255), some[21], stranger, flipped(some[0], 1)])
    case("a batch of all labels", "three", labels_in("three"))
    case("a label asked for twice", "three", [labels_in("three")[1]] * 2)
    case("nothing asked", "two dozen")
    case("nothing asked of the empty trie", "empty")
    # Prefixes.
    for bits in (0, 1, 2, 3, 5, 8):
        case("%d bits" % bits, "two dozen" if bits else "three", [], [(labels_in("two dozen")[13] if bits else bytes(32), bits)])
    case("a whole label as prefix", "two dozen", [], [(some[7], 256)])
    case("a whole label that is absent, as prefix", "two dozen", [], [(flipped(some[7], 255), 256)])
    case("a prefix of one that is alone", "one", [], [(labels_in("one")[0], 17)])
    case("a prefix that the only label does not begin with", "one", [], [(flipped(labels_in("one")[0], 16), 17)])
    case("a prefix in the empty trie", "empty", [], [(stranger, 20)])
    case("no bits in the empty trie", "empty", [], [(bytes(32), 0)])
    case("no bits and one label", "one", [], [(bytes(32), 0)])
    case("a prefix shorter than the root's", "a prefix above the root's", [], [(above, 5)])
    case("a prefix as long as the root's", "a prefix above the root's", [], [(above, 10)])
    case("a prefix one bit longer than the root's", "a prefix above the root's", [], [(above, 11)])
    case("a short prefix that parts from the root's", "a prefix above the root's", [], [(flipped(above, 3), 5)])
    case("a long prefix that parts from the root's", "a prefix above the root's", [], [(flipped(above, 3), 40)])
    case("a prefix of 255 bits with twins below", "twins of twins", [], [(twin, 255)])
    case("a prefix that parts inside", "twins of twins", [], [(flipped(twin, 40), 60)])
    case("two prefixes and labels", "two dozen", [some[3], stranger], [(some[3], 3), (some[19], 2)])
    case("a prefix and a label below it", "two dozen", [some[3]], [(some[3], 3)])
    # A verifier takes a cut that shows more than is asked.
    everything = index.make_cut(nodes["three"], [], [(bytes(32), 0)])
    case("more than is asked", "three", labels_in("three")[:1], cut=everything)
    case("the root as a stub", "two dozen", cut=bytes([index.STUB]) + nodes["two dozen"].hash)

    def refused(name, cut, root, label=None, prefix=None):
        query = prefix_item(*prefix) if prefix else None
        item = {"name": name, "root": root.hex(), "cut": cut.hex(), "label": label and label.hex(), "prefix": query}
        try:
            index.refuse_cut(item, None)
        except index.Refused as why:
            bad.append({**item, "reason": str(why)})
        else:
            raise AssertionError(name)

    def stub(data):
        return bytes([0]) + data

    def leaf(x):
        return bytes([1]) + x.label + index.u64be(x.length) + x.list_root

    def inner(bits, left, right):
        return bytes([2, bits]) + left + right

    def stated(bits, prefix, left, right):
        return bytes([3, bits]) + prefix + left + right

    a, b, c = used["three"]  # 001, 010, 111
    three = nodes["three"]  # inner(0, inner(1, a, b), c)
    ab = three.left
    whole = inner(0, inner(1, leaf(a), leaf(b)), leaf(c))
    index.read_cut(whole, three.hash)
    refused("bytes follow", whole + b"\x00", three.hash)
    refused("a second node follows", whole + stub(c.hash), three.hash)
    for length in (1, 2, 3, 40, 100, len(whole) - 1):
        refused("truncated to %d bytes" % length, whole[:length], three.hash)
    refused("no tag below", inner(0, inner(1, leaf(a), leaf(b)), b""), three.hash)
    refused("tag 4", inner(0, inner(1, leaf(a), leaf(b)), b"\x04" + c.hash), three.hash)
    refused("tag 255 at the root", b"\xff" + c.hash, c.hash)
    refused("the empty cut of a trie that is not empty", b"", three.hash)
    refused("a cut of the empty trie that is not empty", leaf(a), index.EMPTY_ROOT)
    refused("another root", whole, noise("root"))
    refused("a changed list length", inner(0, inner(1, leaf(a), leaf(b)), leaf(c._replace(length=c.length + 1))), three.hash)
    refused("a changed list root", inner(0, inner(1, leaf(a), leaf(b)), leaf(c._replace(list_root=a.list_root))), three.hash)
    refused("a changed label", inner(0, inner(1, leaf(a), leaf(b)), leaf(c._replace(label=c.label[:31] + b"\x00"))), three.hash)
    refused("a changed stub", inner(0, stub(noise("stub")), leaf(c)), three.hash)
    refused("bits lower than the prefix is", inner(0, stated(0, b"", stub(a.hash), stub(b.hash)), leaf(c)), three.hash)
    # From here on the hashes are right: the cut is well made but for what is wrong with it.
    empty_list = index.new_leaf(a.label, 0, index.list_root([]))
    refused("a list of length 0", leaf(empty_list), empty_list.hash)
    same_bits = index.new_inner(0, bytes(32), index.new_inner(0, bytes(32), a, b), c)
    refused("bits equal to the parent's", inner(0, inner(0, leaf(a), leaf(b)), leaf(c)), same_bits.hash)
    upside_down = index.new_inner(1, bytes(32), index.new_inner(0, bytes(32), a, c), b)
    refused("bits lower than the parent's", inner(1, inner(0, leaf(a), leaf(c)), leaf(b)), upside_down.hash)
    prefix = index.prefix_of(above, 10)
    padded = prefix[:1] + bytes([prefix[1] | 1])
    crooked = index.new_inner(10, padded.ljust(32, b"\x00"), a, b)
    refused("a prefix with a bit after its end", stated(10, padded, stub(a.hash), stub(b.hash)), crooked.hash)
    good = index.new_inner(10, prefix, a, b)
    index.read_cut(stated(10, prefix[:2], stub(a.hash), stub(b.hash)), good.hash)
    refused("a prefix with too few bytes", stated(10, prefix[:1], stub(a.hash), stub(b.hash)), good.hash)
    refused("a prefix with too many bytes", stated(10, prefix[:3], stub(a.hash), stub(b.hash)), good.hash)
    refused("tag 2 and no leaf below", inner(0, stub(ab.hash), stub(c.hash)), three.hash)
    refused("tag 2 and no leaf below, under a node", inner(0, inner(1, stub(a.hash), stub(b.hash)), leaf(c)), three.hash)
    refused("tag 3 and a leaf to its right", stated(0, b"", stub(ab.hash), leaf(c)), three.hash)
    refused("tag 3 and a leaf to its left", stated(0, b"", inner(1, leaf(a), stub(b.hash)), stub(c.hash)), three.hash)
    refused("tag 3 with a leaf deeper below", stated(0, b"", inner(1, stub(a.hash), leaf(b)), stub(c.hash)), three.hash)
    swapped = index.new_inner(0, bytes(32), c, ab)
    refused("left and right exchanged", inner(0, leaf(c), inner(1, leaf(a), leaf(b))), swapped.hash)
    both_left = index.new_inner(0, bytes(32), a, b)
    refused("two labels of one side", inner(0, leaf(a), leaf(b)), both_left.hash)
    twice = index.new_inner(1, index.prefix_of(a.label, 1), a, a)
    refused("one label on both sides", inner(1, leaf(a), leaf(a)), twice.hash)
    strange = index.new_inner(3, index.prefix_of(a.label, 3), index.new_leaf(with_bits(a.label, 4, 0b0010), 1, a.list_root), c)
    refused("a label that does not begin with the prefix", inner(3, leaf(strange.left), leaf(c)), strange.hash)
    far = index.new_inner(9, index.prefix_of(b.label, 9), a, b)  # under the left side of bit 0, whose other label is c
    astray = index.new_inner(2, index.prefix_of(a.label, 2), far, a)
    refused("a stated prefix that does not continue the parent's",
            inner(2, stated(9, far.prefix[:2], stub(a.hash), stub(b.hash)), leaf(a)), astray.hash)  # fmt: skip
    wrong_side = index.new_inner(0, bytes(32), far, c)
    index.read_cut(inner(0, stated(9, far.prefix[:2], stub(a.hash), stub(b.hash)), leaf(c)), wrong_side.hash)
    other_side = index.new_inner(0, bytes(32), a, far)
    refused("a stated prefix on the wrong side",
            inner(0, leaf(a), stated(9, far.prefix[:2], stub(a.hash), stub(b.hash))), other_side.hash)  # fmt: skip
    deep = index.build_trie(used["comb of 65 inner nodes"])
    last = used["comb of 65 inner nodes"][-1].label
    refused("65 inner nodes on a path", index.make_cut(deep, [last]), deep.hash)
    # The cut is good, and does not answer what is asked.
    part = inner(0, stub(ab.hash), leaf(c))
    refused("a stub where the label leads", part, three.hash, label=a.label)
    refused("a stub where an absent label leads", part, three.hash, label=flipped(a.label, 255))
    refused("a stub where the prefix leads", part, three.hash, prefix=(a.label, 1))
    refused("a stub below the prefix", part, three.hash, prefix=(bytes(32), 0))
    refused("a stub beside the answer", inner(0, inner(1, leaf(a), stub(b.hash)), leaf(c)), three.hash, prefix=(a.label, 1))
    refused("a stub where the prefix ends", inner(0, inner(1, leaf(a), stub(b.hash)), leaf(c)), three.hash, prefix=(b.label, 2))
    refused("the root is a stub", stub(three.hash), three.hash, label=a.label)
    refused("the root is a stub, no bits", stub(three.hash), three.hash, prefix=(bytes(32), 0))
    refused("the empty trie's hash as a stub", stub(index.EMPTY_ROOT), index.EMPTY_ROOT, label=a.label)


def multiproofs_file():
    cases, bad = file("multiproofs", "Inclusion multiproofs of several leaves of a log tree.")

    def plain(size):
        return [index.leaf_hash(str(i).encode()) for i in range(size)]

    def item(name, size, root, leaves, proof):
        listed = [{"index": i, "leaf_hash": found.hex()} for i, found in leaves]
        return {"name": name, "size": size, "root": root.hex(), "leaves": listed, "proof": hexes(proof)}

    def case(size, targets):
        hashes = plain(size)
        leaves = [(i, hashes[i]) for i in targets]
        name = "size %d: %s" % (size, targets if len(targets) < 8 else "%d leaves" % len(targets))
        cases.append({**item(name, size, index.tree_root(hashes), leaves, index.make_multiproof(hashes, targets)), "plain": True})

    for size in range(1, 7):
        for chosen in range(1, 1 << size):
            if size < 4 or chosen % 5 == 0:
                case(size, [i for i in range(size) if chosen >> i & 1])
    for size, targets in [
        (7, [6]), (8, [0, 7]), (8, [3]), (8, list(range(8))), (9, [8]), (9, [0, 8]), (13, [2, 3, 11, 12]), (64, [0, 31, 63]),
        (257, [255, 256]), (257, [0, 256]),
    ]:  # fmt: skip
        case(size, targets)

    def siblings(low, high, targets):
        """How many hashes a proof takes."""
        if not targets or high - low == 1:
            return 0 if targets else 1
        middle = low + index.split(high - low)
        left = [i for i in targets if i < middle]
        return siblings(low, middle, left) + siblings(middle, high, targets[len(left) :])

    def made_up(name, size, targets):
        leaves = [(i, noise("made-up leaf", i)) for i in targets]
        proof = [noise("made-up sibling", i) for i in range(siblings(0, size, targets))]
        root = index.multiproof_root(size, leaves, proof)
        cases.append({**item(name, size, root, leaves, proof), "plain": False})

    made_up("size 2^63 + 5, made up", 2**63 + 5, [2**63 - 1, 2**63 + 4])
    made_up("size 2^64 - 1, made up", 2**64 - 1, [2**64 - 2])

    def refused(name, size, root, leaves, proof):
        listed = item(name, size, root, leaves, proof)
        try:
            index.refuse_multiproof(listed, None)
        except index.Refused as why:
            bad.append({**listed, "reason": str(why)})
        else:
            raise AssertionError(name)

    hashes = plain(13)
    root = index.tree_root(hashes)
    targets = [2, 3, 11]
    leaves = [(i, hashes[i]) for i in targets]
    proof = index.make_multiproof(hashes, targets)
    index.check_multiproof(13, root, leaves, proof)
    refused("no leaf", 13, root, [], [root])
    refused("no leaf in an empty tree", 0, index.tree_root([]), [], [])
    refused("a leaf in an empty tree", 0, index.tree_root([]), leaves[:1], [])
    refused("a hash is missing", 13, root, leaves, proof[:-1])
    refused("no hash", 13, root, leaves, [])
    refused("a hash too many", 13, root, leaves, proof + [hashes[0]])
    refused("a hash is changed", 13, root, leaves, [noise("sibling")] + proof[1:])
    refused("two hashes are exchanged", 13, root, leaves, [proof[1], proof[0]] + proof[2:])
    refused("a leaf is changed", 13, root, leaves[:2] + [(11, noise("leaf"))], proof)
    refused("two leaves are exchanged", 13, root, [(2, hashes[3]), (3, hashes[2]), leaves[2]], proof)
    refused("another index", 13, root, leaves[:2] + [(10, hashes[11])], proof)
    refused("a leaf is missing", 13, root, leaves[:2], proof)
    refused("a leaf twice", 13, root, [leaves[0], leaves[0]] + leaves[1:], proof)
    refused("leaves out of order", 13, root, [leaves[1], leaves[0], leaves[2]], proof)
    refused("a leaf beyond the tree", 13, root, leaves + [(13, hashes[12])], proof)
    refused("a larger size", 17, root, leaves, proof)
    refused("a smaller size", 12, root, leaves, proof)
    refused("another root", 13, noise("root"), leaves, proof)
    refused("the root is the proof", 13, root, [(0, hashes[0])], [root])


def answers_file():
    log = answer_log()
    cases, bad = file("answers", "Complete answers of a log, and answers that are refused.", log=[b64(entry) for entry in log])

    def item(name, size, root, labels, prefixes, answer):
        return {
            "name": name,
            "size": size,
            "root": root.hex(),
            "labels": hexes(labels),
            "prefix": prefix_item(*prefixes[0]) if prefixes else None,
            "commitment": b64(answer.commitment),
            "cut": answer.cut.hex(),
            "lists": [{"label": name.hex(), "indices": indices} for name, indices in answer.lists],
            "entries": [{"index": i, "entry": b64(entry)} for i, entry in answer.entries],
            "proof": hexes(answer.proof),
        }

    def root_at(entries):
        return index.tree_root([index.leaf_hash(entry) for entry in entries])

    def case(name, labels, prefixes=(), size=len(log)):
        answer = index.make_answer(log[:size], labels, prefixes)
        cases.append(item(name, size, root_at(log[:size]), labels, prefixes, answer))

    rand, rand9 = index.label("package", "pkg:cargo/rand"), index.label("version", RAND)
    django = index.label("package", "pkg:pypi/django")
    alice, cve = index.label("issuer", ALICE.hex()), index.label("vuln", "CVE-2026-0001")
    target = index.label("claim", TARGET)
    unknown = index.label("package", "pkg:cargo/unknown")
    case("a package", [rand])
    case("a version", [rand9])
    case("an issuer, of most entries", [alice])
    case("a vulnerability", [cve])
    case("a withdrawn claim", [target])
    case("nothing is known", [unknown])
    case("a batch, of which one is unknown", sorted([rand, unknown, cve]))
    case("a prefix", [], [(rand, 3)])
    case("a prefix under which nothing is", [], [(index.label("package", "pkg:cargo/nothing"), 12)])
    case("a prefix of two bits", [], [(django, 2)])
    case("the log of one leaf: nothing is known", [rand], [], 1)
    case("an earlier checkpoint", [rand], [], 3)
    case("nothing asked", [])

    size, root = len(log), root_at(log)
    good = index.make_answer(log, [rand])
    hashes = [index.leaf_hash(entry) for entry in log]

    def refused(name, answer, labels=(rand,), prefixes=(), size=size, root=root):
        listed = item(name, size, root, labels, prefixes, answer)
        try:
            index.refuse_answer(listed, None)
        except index.Refused as why:
            bad.append({**listed, "reason": str(why)})
        else:
            raise AssertionError(name)

    def proven(entries):
        return index.make_multiproof(hashes, [i for i, _ in entries] + [size - 1])

    (label, indices), entries = good.lists[0], good.entries
    refused("another root", good, root=noise("root"))
    refused("another size", good, size=size + 1)
    refused("an empty checkpoint", good, size=0, root=index.tree_root([]))
    refused("an entry is left out of all", good._replace(lists=[(label, indices[:-1])], entries=entries[:-1], proof=proven(entries[:-1])))
    refused("an entry is left out, the list is whole", good._replace(entries=entries[:-1], proof=proven(entries[:-1])))
    refused("no list, as if nothing were known", good._replace(lists=[], entries=[], proof=proven([])))
    refused("the first of the list is another leaf", good._replace(lists=[(label, [indices[0] - 1] + indices[1:])]))
    refused("the list is not ascending", good._replace(lists=[(label, indices[::-1])]))
    refused("a leaf twice in the list", good._replace(lists=[(label, indices + indices[-1:])]))
    refused("an empty list", good._replace(lists=[(label, [])], entries=[], proof=proven([])))
    refused("the list names the commitment", good._replace(lists=[(label, indices + [size - 1])]))
    refused("a list for a label that nobody asked for", index.make_answer(log, [rand, cve]))
    begun = index.make_answer(log, [], [(rand, 3)])
    refused("a list of the prefix is missing", begun._replace(lists=begun.lists[:-1]), (), [(rand, 3)])
    refused("a list twice", good._replace(lists=good.lists * 2))
    other = next(i for i in range(size - 1) if i not in indices)
    more = sorted(entries + [(other, log[other])])
    refused("an entry that no list names", good._replace(entries=more, proof=proven(more)))
    refused("an entry is changed", good._replace(entries=[(entries[0][0], claim_entry(statement([package(RAND)])))] + entries[1:]))
    refused("entries are exchanged", good._replace(entries=[(entries[0][0], entries[1][1]), (entries[1][0], entries[0][1])] + entries[2:]))
    refused("entries out of order", good._replace(entries=entries[::-1]))
    refused("a hash of the proof is missing", good._replace(proof=good.proof[:-1]))
    refused("a hash of the proof too many", good._replace(proof=good.proof + [root]))
    refused("no cut", good._replace(cut=b""))
    refused("the cut of an earlier commitment", good._replace(cut=index.make_answer(log[:3], [rand]).cut))
    refused("a cut that does not answer", good._replace(cut=index.make_answer(log, [unknown]).cut))
    refused("a cut that shows only part of the prefix", begun._replace(cut=good.cut), (), [(rand, 1)])
    # Logs that are not made as they should be.
    claims = log[: size - 1]
    claim_last = index.make_answer(claims + [commitment_over(claims)], [rand])
    short = index.Answer(claims[-1], claim_last.cut, claim_last.lists, claim_last.entries, [])
    short = short._replace(proof=index.make_multiproof(hashes[: size - 1], sorted({i for i, _ in entries} | {size - 2})))
    refused("the last leaf is a claim", short, size=size - 1, root=root_at(claims))

    def forged(name, commitment, labels=(rand,), lists=None, earlier=None):
        """A log that ends with another commitment than it should."""
        entries = claims if earlier is None else earlier
        node, found = index.build_index([index.labels_of(entry) for entry in entries]) if lists is None else lists
        indices = sorted({i for label in labels for i in found.get(label, [])})
        forged_log = entries + [commitment(node, found)]
        forged_hashes = [index.leaf_hash(entry) for entry in forged_log]
        answer = index.Answer(
            forged_log[-1],
            index.make_cut(node, labels),
            [(label, found[label]) for label in sorted(labels) if label in found],
            [(i, forged_log[i]) for i in indices],
            index.make_multiproof(forged_hashes, sorted(set(indices) | {len(entries)})),
        )
        refused(name, answer, labels=labels, size=len(forged_log), root=index.tree_root(forged_hashes))

    def with_version(version):
        return lambda node, found: commitment_entry(index.root_of(node), len(found), mapping_version=version)

    forged("mapping version 2", with_version(2))
    forged("mapping version 0", with_version(0))
    forged("mapping version 2^32 - 1", with_version(2**32 - 1))
    forged("a root of 31 bytes", lambda node, found: commitment_entry(index.root_of(node)[:31], len(found)))
    forged("no root", lambda node, found: commitment_entry(b"", len(found)))
    forged("the commitment is to another index", lambda node, found: commitment_entry(noise("root"), len(found)))
    forged("the commitment is no entry", lambda node, found: commitment_over(claims) + b"\x50\x01")
    # An index that lists an entry under a label that it does not bear; and one that lists the commitment itself.
    _, lists = index.build_index([index.labels_of(entry) for entry in claims])

    def index_of(lists):
        leaves = [index.new_leaf(label, len(found), index.list_root(found)) for label, found in lists.items()]
        return index.build_trie(leaves), lists

    as_it_is = with_version(1)
    forged("an entry that does not bear the label", as_it_is, lists=index_of({**lists, rand: sorted(lists[rand] + [other])}))
    forged("a commitment in a list", as_it_is, lists=index_of({**lists, rand: [0] + lists[rand]}))
    forged("the index lists its own commitment", as_it_is, lists=index_of({**lists, rand: lists[rand] + [size - 1]}))


def answer_log():
    """A log with commitments in between, the last leaf being one."""
    second = 1767225600000
    log = []

    def commit():
        log.append(commitment_over(log, second + len(log)))

    def claim(payload, issuers=(ALICE,)):
        log.append(claim_entry(payload, issuers, second + len(log)))

    commit()
    claim(statement([package(RAND)], predicate={"verdict": "sound"}))
    commit()
    claim(vulns("CVE-2026-0001", subjects=[package("pkg:pypi/django@5.2")]), (BOB,))
    claim(statement([artifact("app.tar.gz")]))
    commit()
    named = {"name": "CVE-2026-0001", "aliases": ["GHSA-aaaa-bbbb-cccc"]}
    predicate = {"statements": [{"vulnerability": named, "status": "fixed"}]}
    claim(statement([artifact("b.whl")], "https://openvex.dev/ns/v0.2.0", predicate), (ALICE, BOB))
    claim(withdrawal(TARGET))
    claim(b"no statement")
    claim(statement([package(RAND)], predicate={"verdict": "still sound"}), (BOB,))
    commit()
    return log


# --- Writing ----------------------------------------------------------------------------------------------------------


def dump(value):
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))


def written(file):
    """JSON with one line for each case."""
    lines = []
    for key, value in file.items():
        if isinstance(value, list) and value:
            lines.append(dump(key) + ":[\n" + ",\n".join(map(dump, value)) + "\n]")
        elif isinstance(value, dict):
            lines.append(dump(key) + ":{\n" + ",\n".join(dump(k) + ":" + dump(v) for k, v in value.items()) + "\n}")
        else:
            lines.append(dump(key) + ":" + dump(value))
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main():
    for make in (
        labels_file, mapping_file, lists_file, tries_file, logs_file, cuts_file, multiproofs_file, answers_file,
    ):  # fmt: skip
        make()
    stale = []
    for kind, content in FILES.items():
        for table in (content["cases"], content["bad"]):
            assert len({case["name"] for case in table}) == len(table), "a name stands twice in " + kind
        path = os.path.join(FOLDER, kind + ".json")
        text = written(content)
        if "--check" in sys.argv[1:]:
            try:
                with open(path, encoding="utf-8", newline="") as stream:
                    old = stream.read()
            except FileNotFoundError:
                old = None
            if old != text:
                stale.append(path)
        else:
            with open(path, "w", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
    for path in stale:
        print("not what is generated: " + path, file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
