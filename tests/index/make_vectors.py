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


def signature(issuer, key, signature_bytes=64, key_bytes=32):
    fields = (noise("signature", key) * 3)[:signature_bytes], (noise("key", key) * 2)[:key_bytes], issuer
    body = b"".join(bytes_field(1 + number, field) for number, field in enumerate(fields))
    return bytes_field(3, body, always=True)


def claim_entry(payload, issuers=(ALICE,), logged_at_ms=1767225600000, payload_type="application/vnd.in-toto+json"):
    if isinstance(payload, dict):
        payload = json.dumps(payload, separators=(",", ":"), ensure_ascii=False)
    if isinstance(payload, str):
        payload = payload.encode()
    claim = bytes_field(1, payload) + bytes_field(2, payload_type.encode())
    claim += b"".join(signature(issuer, i) for i, issuer in enumerate(issuers))
    return number_field(1, logged_at_ms) + bytes_field(2, claim, always=True)


def commitment_entry(root, labels, mapping_version=2, logged_at_ms=1767225600000, admission_version=1):
    body = bytes_field(1, root) + number_field(2, labels)
    body += number_field(3, mapping_version) + number_field(4, admission_version)
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
    cases, _ = file("labels", "The label of a kind, a value and a speaker (an issuer id; for kind issuer, a predicate type).")
    for kind, value, by in [
        ("package", "pkg:cargo/rand", ALICE.hex()),
        ("package", "pkg:cargo/rand", BOB.hex()),
        ("package", "pkg:npm/%40acme/left", ALICE.hex()),
        ("version", RAND, ALICE.hex()),
        ("digest", "sha256:" + noise("file", "app.tar.gz").hex(), ALICE.hex()),
        ("digest", "sha512:" + "0f" * 64, ALICE.hex()),
        ("digest", "gitCommit:68bc59901773ab4c051dfcea0cc4201a1567ab32", BOB.hex()),
        ("issuer", ALICE.hex(), "urn:assay:endorsement:v1"),
        ("issuer", ALICE.hex(), "https://openvex.dev/ns/v0.2.0"),
        ("issuer", ALICE.hex(), ""),
        ("issuer", ALICE.hex(), "urn:pr\u00fcfung\n7"),
        ("claim", TARGET, BOB.hex()),
        ("vuln", "CVE-2026-0001", ALICE.hex()),
        ("vuln", "GHSA-aaaa-bbbb-cccc", ALICE.hex()),
        ("vuln", "cve-2026-0001", ALICE.hex()),
    ]:
        halves = index.half(kind, value), index.by_half(kind, by)
        cases.append(
            {
                "name": "%s %s by %s" % (kind, value[:40], by[:8] if kind != "issuer" else repr(by)),
                "label_kind": kind,
                "value": value,
                "by": by,
                "name_half": halves[0].hex(),
                "by_half": halves[1].hex(),
                "label": index.label(kind, value, by).hex(),
            }
        )


def mapping_file():
    cases, bad = file("mapping", "The labels of an entry, mapping version 2.")

    def case(name, entry):
        names = sorted(map(list, index.named_labels(entry)))
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
    subjects_that_map(claim, plain)
    purls_that_map(claim)
    signers_that_map(claim, case, plain)
    predicates_that_map(claim)
    payloads_that_are_no_statement(claim, plain)

    # Commitments.
    case("a commitment to the empty index", commitment_entry(index.EMPTY_ROOT, 0))
    case("a commitment", commitment_entry(noise("root"), 300))
    case("a commitment of other versions", commitment_entry(noise("root"), 300, 2**32 - 1, admission_version=2**32 - 1))
    case("a commitment that says nothing", b"\x1a\x00")

    entries_that_are_none(refused, plain)


def subjects_that_map(claim, plain):
    claim("a package without a version", statement([package("pkg:cargo/rand")]))
    claim("a package with a version", statement([package(RAND)]))
    claim("a digest sha256", plain)
    claim("a digest sha512", statement([artifact("a", sha512="0f" * 64)]))
    claim("a digest gitCommit, SHA-1", statement([artifact("a", gitCommit="68bc59901773ab4c051dfcea0cc4201a1567ab32")]))
    claim("a digest gitCommit, SHA-256", statement([artifact("a", gitCommit="ab" * 32)]))
    others = dict(sha1="0a" * 20, md5="0b" * 16, sha3_256="0c" * 32, gitTree="0d" * 20, dirHash="h1:A/b=", SHA256="0e" * 32)
    claim("digests of other algorithms are no labels", statement([artifact("a", **others)]))
    claim("three digests of one subject", statement([artifact("a", sha256="01" * 32, sha512="02" * 64, gitCommit="03" * 20)]))
    both = {"name": "rand", "uri": RAND, "digest": {"sha256": "04" * 32}}
    claim("an artifact with a purl", statement([both]))
    claim("several subjects", statement([package(RAND), package("pkg:pypi/django@5.2"), artifact("a"), artifact("b"), both]))
    claim("a uri that is no purl", statement([{"uri": "git+https://example.org/r", "digest": {"sha1": "05" * 20}}]))
    claim("the name is no label", statement([{"name": RAND, "uri": None, "digest": {"sha1": "05" * 20}}]))
    claim("a predicate of null", dict(plain, predicate=None))
    claim("no predicate at all", {key: value for key, value in plain.items() if key != "predicate"})
    claim("fields that in-toto does not name", dict(plain, more=[1.5e3, {"deep": [True]}]))
    claim("escapes and white space", '\n{"_type" : "https:\\/\\/in-toto.io\\/Statement\\/v1", "subject":[{"uri":"pkg:cargo/\\u0072and",'
          '"digest":{"sha1":"%s"}}], "predicateType":"x", "predicate":{"\\ud83d\\ude00":-0.5E-3}} \r\n' % ("06" * 20))  # fmt: skip

    # Each subject by itself, and each part of it: what is not as it should be does not touch what is.
    good = package(RAND)
    for name, subject in [
        ("a string", "a"), ("null", None), ("a list", [good]), ("an object without anything", {}),
        ("without a digest", {"uri": "pkg:cargo/serde"}), ("with a digest that is a list", {"uri": "pkg:cargo/serde", "digest": []}),
        ("with a digest in upper case", artifact("a", sha256="AB" * 32)), ("with a digest that is too short", artifact("a", sha512="ab" * 32)),
        ("with a digest that is too long", artifact("a", sha256="ab" * 64)), ("with an empty digest", artifact("a", sha256="")),
        ("with digests that are no strings", artifact("a", sha256=7, sha512=None, gitCommit=["03" * 20])),
        ("with one good digest of two", artifact("a", sha256="ab" * 32, sha512="ab" * 32)),
        ("with another purl's digest", dict(package(RAND), uri="pkg:cargo/serde")), ("with a purl's digest and no purl", {"digest": {"purl": "07" * 32}}),
        ("with a uri that is a number", dict(artifact("a"), uri=7)), ("with a uri that is a list", dict(artifact("a"), uri=[RAND])),
        ("with a name that is a number", dict(artifact("a"), name=1)), ("with a purl of spaces", dict(artifact("a"), uri="pkg:cargo/a b@1")),
    ]:  # fmt: skip
        claim("a subject beside a good one: " + name, statement([subject, good]))
    claim("no subject", statement([]))
    claim("subjects that are an object", statement(package(RAND)))
    claim("subjects that are null", statement(None, "urn:assay:withdrawal:v1", {"target": TARGET}))
    claim("no member `subject`", {key: value for key, value in withdrawal(TARGET).items() if key != "subject"})
    claim("an empty predicate type", statement([artifact("a")], ""))
    claim("a predicate that is a list", statement([artifact("a")], predicate=[{"target": TARGET}]))
    claim("a predicate that is a string", statement([artifact("a")], "urn:assay:response:v1", TARGET))
    claim("a predicate type that is not ASCII", statement([artifact("a")], "urn:pr\u00fcfung \U0001f600"))
    claim("more than 1,024 subjects", statement([{"uri": "pkg:a/b"}] * 1100 + [package("pkg:cargo/last@1")]))


def purls_that_map(claim):
    def purl(name, *uris):
        claim("purl: " + name, statement([{"uri": uri} for uri in uris]))

    purl("qualifiers and subpath are in no label", "pkg:deb/debian/curl@7.50.3-1?arch=i386&distro=jessie#usr/bin")
    purl("qualifiers and subpath without a version", "pkg:deb/debian/curl?arch=i386#usr/bin")
    purl("percent triplets are left as they are", "pkg:npm/%40a/b%40c@1.0%2F2?k=v%3F#s/t", "pkg:cargo/%72and@%31", "pkg:npm/%40A/%zz@%")
    purl("an at sign before a slash", "pkg:npm/@a/b", "pkg:npm/@a/b@1", "pkg:cargo/a@1/b")
    purl("two at signs after the last slash", "pkg:npm/b@1@2", "pkg:npm/@@", "pkg:npm/a/@1")
    purl("an at sign and nothing after it", "pkg:cargo/rand@", "pkg:cargo/rand@?epoch=1")
    purl("an at sign after a question or number sign", "pkg:npm/b?x=@1", "pkg:npm/b#@1/x", "pkg:npm/b@1?x=a@2")
    purl("slashes after a question or number sign", "pkg:npm/b@1?x=/y", "pkg:npm/b@1#x/y")
    purl("a number sign before a question mark", "pkg:npm/b@1#x?epoch=3", "pkg:npm/b#@1?epoch=3")
    purl("no type, no name, nothing", "pkg:b@1", "pkg:", "pkg:@", "pkg:@1", "pkg:/", "pkg:?", "pkg:#", "pkg:cargo/")
    purl("the scheme in another case", "PKG:cargo/rand", "Pkg:cargo/rand@1")
    purl("no scheme", "cargo/rand@1", " pkg:cargo/rand", "xpkg:cargo/rand", "")
    purl("the type is not folded", "pkg:Cargo/Rand@1", "pkg:PyPI/A.b", "pkg:NuGet/A.b", "pkg:pypi", "pkg:PYPI/A_b@1")
    purl("a space, a control character, and letters that are not ASCII",
         "pkg:cargo/a b", "pkg:cargo/a\n", "pkg:cargo/a\u007f", "pkg:cargo/\u00e9@1", "pkg:cargo/a@1?x=\u00e9", "pkg:cargo/a#\u0130", "pkg:pypi/\u212a")  # fmt: skip
    purl("every visible character", "pkg:" + "".join(map(chr, range(0x21, 0x7F))))
    purl("pypi: letters and runs of - _ .", "pkg:pypi/Zope..Inter_-face@1.0.A", "pkg:pypi/-_.", "pkg:pypi/a-@1", "pkg:pypi/_", "pkg:pypi/a.b-c_d")
    purl("pypi: only the name", "pkg:pypi/NS_1/a.B@2_0.X", "pkg:pypi/", "pkg:pypi/@1.A")
    purl("pypi: percent triplets", "pkg:pypi/a%2EB", "pkg:pypi/A%5FB", "pkg:pypi/%2", "pkg:pypi/A%", "pkg:pypi/%-_X", "pkg:pypi/%%41B", "pkg:pypi/.%2E.")
    purl("nuget: letters only", "pkg:nuget/Newtonsoft.Json@13.0.1-Beta", "pkg:nuget/A%5FB_-.C", "pkg:nuget/NS/Ab")
    purl("other types are not folded", "pkg:npm/A.B_c", "pkg:github/Foo/Bar@V1", "pkg:pypix/A.b", "pkg:nuget2/A")
    purl("an epoch", "pkg:rpm/f/a@1?arch=x&epoch=2", "pkg:rpm/f/a@1?epoch=2&arch=x", "pkg:rpm/f/a@1?epoch=00", "pkg:rpm/f/a@1?epoch=2=3")
    purl("two epochs: the first", "pkg:rpm/f/a@1?epoch=2&epoch=3", "pkg:rpm/f/b@1?epoch=&epoch=3", "pkg:rpm/f/c@1?epoch=0&epoch=3")
    purl("no epoch", "pkg:rpm/f/a@1?epoch=0", "pkg:rpm/f/b@1?epoch=", "pkg:rpm/f/c@1?epoch", "pkg:rpm/f/d@1?xepoch=2", "pkg:rpm/f/e@1?Epoch=2", "pkg:rpm/f/f?epoch=2")
    purl("a question mark in an epoch", "pkg:rpm/f/a@1?epoch=2?epoch=3", "pkg:rpm/f/a@1??epoch=3")
    purl("a long one", "pkg:generic/" + "a" * 2000 + "@" + "1" * 2000)


def signers_that_map(claim, case, plain):
    claim("two signers", plain, issuers=(ALICE, BOB))
    claim("two signatures for one issuer", plain, issuers=(ALICE, ALICE))
    claim("signatures of two issuers in turn", plain, issuers=(BOB, ALICE, BOB, ALICE))
    claim("issuers that share 16 bytes", plain, issuers=(ALICE, ALICE[:16] + BOB[16:]))
    claim("sixteen signers", plain, issuers=[noise("issuer", number) for number in range(16)])
    claim("an issuer id of zeros", plain, issuers=(bytes(32),))
    claim("logged at 0", plain, logged_at_ms=0)
    claim("logged at the last millisecond", plain, logged_at_ms=2**64 - 1)

    # Labels that come twice count once.
    both = {"name": "rand", "uri": RAND, "digest": {"sha256": "04" * 32}}
    claim("names that stand twice", vulns("CVE-2026-0001", "CVE-2026-0001", subjects=[both, both, package(RAND), package("pkg:cargo/rand")]),
          issuers=(BOB, ALICE, BOB))  # fmt: skip


def predicates_that_map(claim):
    claim("vulns with two results", vulns("CVE-2026-0001", "GHSA-aaaa-bbbb-cccc"))
    claim("vulns without results", vulns())
    claim("a vulnerability is taken as it is written", vulns("cve-2026-0001", "CVE-2026-0001", "!~", "pkg:a/b?c=d"))
    claim("128 characters, and 129", vulns("A" * 128, "B" * 129))
    claim("vulnerabilities that are not visible ASCII", vulns("CVE-1 ", "CVE 1", "CVE-1\n", "CVE-\u0000", "CVE-\u007f", "\u21167", "\u00e9"))
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
    claim("OpenVEX, products are no labels", vex("CVE-2026-0003"))
    claim("finding", finding({"id": "ACME-2026-1", "aliases": ["CVE-2026-0007"]}))
    claim("finding with a target", finding({"id": "ACME-2026-1"}, target=TARGET))
    claim("finding with a target that is no claim id", finding({"aliases": ["CVE-2026-0007"]}, target="the other one"))
    commit = {"digest": noise("salted").hex(), "embargo": "2026-06-01", "target": TARGET}
    claim("a finding's commitment names nothing", statement([artifact("a")], "urn:assay:finding-commitment:v1", commit))

    claim("withdrawal", withdrawal(TARGET))
    claim("response", response(TARGET))
    claim("a target in upper case", response(TARGET.upper()))
    claim("a target that is too short", withdrawal(TARGET[:62]))
    claim("a target that is no string", withdrawal([TARGET]))
    claim("what other predicates call a target", statement([artifact("a")], "https://example.org/x", {"target": TARGET}))
    claim("supersededBy is no label", statement([artifact("a")], "urn:assay:withdrawal:v1",
          {"target": TARGET, "reason": "newer", "supersededBy": noise("claim", "newer").hex()}))  # fmt: skip


def payloads_that_are_no_statement(claim, plain):
    """Only the issuers count, with the empty type."""

    def not_statement(name, payload):
        claim("no statement: " + name, payload)

    text = json.dumps(plain, separators=(",", ":"))
    not_statement("nothing", b"")
    not_statement("not JSON", b"hello")
    not_statement("not UTF-8", text.encode().replace(b"app.tar.gz", b"\xc3\x28"))
    not_statement("an overlong UTF-8 sequence", text.encode().replace(b"app.tar.gz", b"\xc0\xaf"))
    not_statement("half a surrogate pair in UTF-8", text.encode().replace(b"app.tar.gz", b"\xed\xa0\xbd"))
    not_statement("a byte order mark", "\ufeff" + text)
    not_statement("something after it", text + "{}")
    not_statement("a zero byte after it", text + "\0")
    not_statement("a no-break space before it", "\u00a0" + text)
    not_statement("a comma too many", text.replace('"predicate":{}', '"predicate":{},'))
    not_statement("a key twice", text.replace('"predicate":{}', '"predicate":{"a":1,"\\u0061":2}'))
    not_statement("the subjects twice", text[:-1] + ',"subject":[]}')
    many = ",".join('"k%d":0' % number for number in range(40))
    not_statement("a key twice among many", text.replace('"predicate":{}', '"predicate":{%s,"k20":1}' % many))
    not_statement("nested too deep", text.replace('"predicate":{}', '"predicate":{"a":%s}' % ("[" * 31 + "]" * 31)))
    claim("nested as deep as may be", text.replace('"predicate":{}', '"predicate":{"a":%s}' % ("[" * 30 + "]" * 30)))
    not_statement("three thousand brackets", b"[" * 3000)
    not_statement("half a surrogate pair", text.replace('"predicate":{}', '"predicate":{"a":"\\ud83d"}'))
    not_statement("half a surrogate pair, the second", text.replace('"predicate":{}', '"predicate":{"a":"\\ude00"}'))
    not_statement("half a surrogate pair in a key", text.replace('"predicate":{}', '"predicate":{"\\ud83dx":0}'))
    not_statement("half a surrogate pair before a whole one", text.replace('"predicate":{}', '"predicate":["\\ud83d\\ud83d\\ude00"]'))
    not_statement("NaN", text.replace('"predicate":{}', '"predicate":{"a":NaN}'))
    not_statement("-Infinity", text.replace('"predicate":{}', '"predicate":{"a":-Infinity}'))
    not_statement("a number with a zero in front", text.replace('"predicate":{}', '"predicate":{"a":01}'))
    not_statement("a number with a plus", text.replace('"predicate":{}', '"predicate":{"a":+1}'))
    not_statement("a number with nothing after its point", text.replace('"predicate":{}', '"predicate":{"a":1.}'))
    not_statement("a number in other digits", text.replace('"predicate":{}', '"predicate":{"a":\u0661}'))
    claim("a number beyond all sizes", text.replace('"predicate":{}', '"predicate":{"a":-%s.5E+99999}' % ("9" * 5000)))
    not_statement("an unknown escape", text.replace('"predicate":{}', '"predicate":{"a":"\\x41"}'))
    not_statement("an escape with a sign", text.replace('"predicate":{}', '"predicate":{"a":"\\u+041"}'))
    not_statement("a control character", text.replace('"predicate":{}', '"predicate":{"a":"\t"}'))
    claim("U+007F in a string", text.replace('"predicate":{}', '"predicate":{"a":"\u007f"}'))
    not_statement("a comment", text.replace('"predicate":{}', '"predicate":{/**/}'))
    not_statement("an array", "[" + text + "]")
    not_statement("a string", json.dumps(text))
    not_statement("an older type", dict(plain, _type="https://in-toto.io/Statement/v0.1"))
    not_statement("a type that is a list", dict(plain, _type=[index.STATEMENT_TYPE]))
    not_statement("no type", {key: value for key, value in plain.items() if key != "_type"})
    not_statement("a predicate type that is a number", dict(plain, predicateType=1))
    not_statement("a predicate type of null", dict(plain, predicateType=None))
    not_statement("no predicate type", {key: value for key, value in plain.items() if key != "predicateType"})


def entries_that_are_none(refused, plain):
    """Bytes that are no entry: no log may have them."""
    good = claim_entry(plain)
    refused("nothing", b"")
    refused("a time and nothing else", number_field(1, 7))
    refused("an unknown field", good + b"\x50\x01")
    refused("a field twice", good + b"\x08\x07")
    refused("a number with a superfluous byte", b"\x08\x87\x00" + claim_entry(plain, logged_at_ms=0))
    refused("a zero that is spelled out", b"\x08\x00" + claim_entry(plain, logged_at_ms=0))
    refused("a body of both kinds", good + bytes_field(3, bytes_field(1, noise("root"))))
    refused("it ends inside a field", good[:-1])
    kind = bytes_field(2, index.PAYLOAD_TYPE)
    signed = signature(ALICE, 0)
    refused("an empty payload that is spelled out", bytes_field(2, b"\x0a\x00" + kind + signed))
    refused("a field of another type", bytes_field(2, b"\x08\x01" + kind + signed))
    refused("signatures before the payload", bytes_field(2, signed + bytes_field(1, b"{}") + kind))
    refused("a mapping version of 33 bits", bytes_field(3, bytes_field(1, noise("root")) + number_field(3, 2**32 + 1)))
    refused("an admission version of 33 bits", bytes_field(3, bytes_field(1, noise("root")) + number_field(4, 2**32 + 1)))
    refused("a number of 65 bits", b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02" + claim_entry(plain, logged_at_ms=0))
    refused("an empty claim", b"\x12\x00")
    refused("a field number of 0", good + b"\x00\x01")
    refused("a group", good + b"\x23\x24")

    # Bounds.
    refused("no signature", claim_entry(plain, issuers=()))
    refused("seventeen signatures", claim_entry(plain, issuers=[ALICE] * 17))
    refused("a thousand empty signatures", bytes_field(2, bytes_field(1, b"{}") + kind + b"\x1a\x00" * 1000))
    refused("an empty signature", bytes_field(2, bytes_field(1, b"{}") + kind + signed + b"\x1a\x00"))
    refused("an issuer id of 31 bytes", claim_entry(plain, issuers=(ALICE, ALICE[:31])))
    refused("an issuer id of 33 bytes", claim_entry(plain, issuers=(ALICE + b"\x01",)))
    refused("no issuer id", claim_entry(plain, issuers=(b"",)))
    for size in (0, 63, 65):
        entry = bytes_field(2, bytes_field(1, b"{}") + kind + signature(ALICE, 0, signature_bytes=size))
        refused("a signature of %d bytes" % size, entry)
    for size in (0, 31, 33):
        entry = bytes_field(2, bytes_field(1, b"{}") + kind + signature(ALICE, 0, key_bytes=size))
        refused("a key of %d bytes" % size, entry)
    refused("another payload type", claim_entry(plain, payload_type="application/json"))
    refused("the payload type in capitals", claim_entry(plain, payload_type="Application/vnd.in-toto+json"))
    refused("no payload type", claim_entry(plain, payload_type=""))
    refused("a payload type that is not UTF-8", bytes_field(2, bytes_field(1, b"{}") + bytes_field(2, b"\xc3\x28") + signed))
    refused("a payload of more than 32 KiB", claim_entry(b" " * (index.MAX_PAYLOAD_BYTES + 1)))


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


def name(number):
    """Half a label: of what."""
    return noise("name", number)[:16]


def speaker(number):
    """The other half: by whom."""
    return noise("speaker", number)[:16]


def near(half, low):
    """Half a label that differs from another one only in a low bit, counted from 1; itself for 0."""
    return (int.from_bytes(half, "big") ^ (1 << low >> 1)).to_bytes(16, "big")


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
    comb = [(((1 << n) - 1) << (256 - n)).to_bytes(32, "big") for n in range(0, 257)]
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
        "comb of 256 levels": leaves(comb),
        "two dozen": leaves([noise("label", i) for i in range(24)]),
        "one name, many speakers": leaves([noise("name")[:16] + speaker(i) for i in range(20)]),
        "names and speakers": leaves([name(i) + speaker(j) for i in range(12) for j in range(6) if (i * j + i) % 5 < 3]),
        "a crowd": leaves([b"\xb5" + name(i)[1:] + speaker(j) for i in range(9) for j in range(1 + i % 3)] + [name(0) + speaker(0)]),
        "ground names": leaves([near(name(0), i) + speaker(j) for i in (0, 1, 2, 8, 126) for j in range(2)]),
        "ground speakers": leaves([name(0) + near(speaker(0), i) for i in (0, 1, 2, 8, 126)] + [name(1) + speaker(0)]),
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


def question_item(question):
    """A question as vectors write it."""
    item = {"names": None, "prefix": None, "bits": None, "by": None}
    if isinstance(question, index.Names):
        item["names"] = hexes(question.names)
    else:
        item["prefix"] = question.prefix[: (question.bits + 7) // 8].hex()
        item["bits"] = question.bits
    if not isinstance(question, index.Census):
        item["by"] = hexes(question.by)
    return item


def one(label):
    """The question for a whole label."""
    return index.Names((label[:16],), (label[16:],))


def those(names, by):
    """Names and speakers as a question of vectors has them: sorted, each once."""
    return index.Names(tuple(sorted(set(names))), tuple(sorted(set(by))))


def all_of(labels):
    """Names and speakers of some labels."""
    return those([label[:16] for label in labels], [label[16:] for label in labels])


def census(label, bits):
    return index.Census(index.prefix_of(label, bits) if bits else bytes(32), bits)


def crowd(label, bits, by):
    return index.Crowd(*census(label.ljust(32, b"\x00"), bits), tuple(sorted(set(by))))


def flipped(label, number):
    """The label with one bit turned round."""
    return (int.from_bytes(label, "big") ^ 1 << (255 - number)).to_bytes(32, "big")


def cuts_file():
    used = tries()
    cases, bad = file(
        "cuts",
        "Cuts of tries, what they answer, and cuts that are refused.",
        tries={name: {"leaves": leaf_items(leaves)} for name, leaves in used.items()},
    )
    nodes = {name: index.build_trie(leaves) for name, leaves in used.items()}

    def case(name, trie, question, speak=None, cut=None):
        node = nodes[trie]
        smallest = cut is None
        cut = index.make_cut(node, question) if smallest else cut
        read = index.read_cut(cut, index.root_of(node), index.labels_in(node))
        names = speak
        if names is None:
            # A question for names shows how many speak of each.
            names = question.names if isinstance(question, index.Names) and question.by else ()
            names = names or (index.crowd_names(read, *question[:2]) if isinstance(question, index.Crowd) else ())
        cases.append(
            {
                "name": name,
                "trie": trie,
                "root": index.root_of(node).hex(),
                "labels": index.labels_in(node),
                "cut": cut.hex(),
                "smallest": smallest,
                "question": question_item(question),
                **index.shown(read, question, hexes(names)),
            }
        )

    labels = {name: [leaf.label for leaf in leaves] for name, leaves in used.items()}
    cuts_for_labels(case, labels)
    cuts_for_names(case, labels)
    cuts_for_crowds(case, labels)
    cuts_for_censuses(case, labels)
    # A verifier takes a cut that shows more than is asked.
    everything = index.make_cut(nodes["three"], census(bytes(32), 0))
    case("more than is asked", "three", one(labels["three"][0]), cut=everything)
    grid = nodes["names and speakers"]
    case("a crowd in a cut that shows all", "names and speakers", crowd(name(3), 2, [speaker(1), speaker(4)]),
         cut=index.make_cut(grid, census(bytes(32), 0)))  # fmt: skip
    some = nodes["two dozen"]
    case("the root as a stub", "two dozen", those([], []), cut=bytes([index.STUB]) + index.u64be(24) + some.hash)

    def refused(name, cut, node, question=None, speak=None, labels=None, root=None):
        item = {
            "name": name,
            "root": (index.root_of(node) if root is None else root).hex(),
            "labels": index.labels_in(node) if labels is None else labels,
            "cut": cut.hex(),
            "question": question and question_item(question),
            "speakers": speak and speak.hex(),
        }
        try:
            index.refuse_cut(item, None)
        except index.Refused as why:
            bad.append({**item, "reason": str(why)})
        else:
            raise AssertionError(name)

    cuts_to_refuse(refused, used, nodes)
    cuts_with_wrong_counts(refused, nodes)
    cuts_that_do_not_answer(refused, used, nodes)


def cuts_for_labels(case, labels):
    stranger = noise("label", "stranger")
    # Presence.
    for trie in labels:
        step = 1 if len(labels[trie]) < 4 else 64 if len(labels[trie]) > 100 else 5
        for number, label in list(enumerate(labels[trie]))[::step]:
            case("present in %s: %d" % (trie, number), trie, one(label))
    # Absence.
    case("absent: the empty trie", "empty", one(stranger))
    case("absent: another label is the only one", "one", one(stranger))
    case("absent: differs from the only one in the last bit", "one", one(flipped(labels["one"][0], 255)))
    case("absent: differs from the only one in the first bit", "one", one(flipped(labels["one"][0], 0)))
    case("absent: another leaf stands there", "two dozen", one(stranger))
    case("absent: differs from a leaf in the last bit", "two dozen", one(flipped(labels["two dozen"][0], 255)))
    above = labels["a prefix above the root's"][0]
    case("absent: above the root's prefix", "a prefix above the root's", one(flipped(above, 0)))
    case("absent: at the last bit of the root's prefix", "a prefix above the root's", one(flipped(above, 9)))
    twin = labels["twins, 255 bits in common"][0]
    case("absent: at bit 254 of a prefix of 255", "twins, 255 bits in common", one(flipped(twin, 254)))
    case("absent: inside, between two nodes", "twins and a stranger", one(flipped(twin, 100)))
    # A stub on either side of the node where the label parts: its prefix stands in the cut.
    case("absent: inside, no leaf in the cut", "twins of twins", one(flipped(twin, 3)))
    case("absent: a prefix of whole bytes and more", "prefixes of every length", one(with_bits(bytes(32), 10, 0b11)))
    case("absent: at the end of the comb", "comb of 256 levels", one(flipped(labels["comb of 256 levels"][-1], 255)))
    case("absent: half down the comb", "comb of 256 levels", one(flipped(labels["comb of 256 levels"][-1], 128)[:17] + bytes(15)))
    case("absent: an unknown speaker of a known name", "names and speakers", one(name(3) + speaker(77)))
    case("absent: a known speaker of an unknown name", "names and speakers", one(name(77) + speaker(1)))


def cuts_for_names(case, labels):
    some, grid = labels["two dozen"], "names and speakers"
    case("labels, present", "two dozen", all_of(some[::6]))
    case("labels, present and absent", "two dozen", all_of([some[5], flipped(some[5], 255), some[21], noise("label", "stranger")]))
    case("all labels", "three", all_of(labels["three"]))
    case("nothing asked", "two dozen", those([], []))
    case("nothing asked of the empty trie", "empty", those([], []))
    case("names by nobody", grid, those([name(1)], []))
    case("nothing by somebody", grid, those([], [speaker(1)]))
    case("one name by one", grid, those([name(3)], [speaker(1)]))
    case("one name by all", grid, those([name(3)], [speaker(i) for i in range(6)]))
    case("one name by strangers", grid, those([name(3)], [speaker(i) for i in (70, 71, 72)]))
    case("all names by one", grid, those([name(i) for i in range(12)], [speaker(2)]))
    case("all names by all", grid, those([name(i) for i in range(12)], [speaker(i) for i in range(6)]))
    case("names known and unknown by speakers known and unknown", grid,
         those([name(i) for i in (1, 4, 5, 80, 81, 82)], [speaker(i) for i in (0, 3, 90, 91)]))  # fmt: skip
    case("two of many speakers", "one name, many speakers", those([noise("name")[:16]], [speaker(3), speaker(15)]))
    case("how many speak of a name, by nobody of them", "one name, many speakers", those([noise("name")[:16]], [speaker(99)]))
    case("a name that differs from the only one in its last bit", "one name, many speakers",
         those([near(noise("name")[:16], 1)], [speaker(3)]))  # fmt: skip
    case("ground names by one", "ground names", those([near(name(0), i) for i in (0, 1, 2, 3, 8)], [speaker(1)]))
    case("a name between ground ones", "ground names", those([near(name(0), 4)], [speaker(0), speaker(1)]))
    case("ground speakers", "ground speakers", those([name(0), name(1)], [near(speaker(0), i) for i in (0, 1, 2, 3, 8)]))
    case("a speaker between ground ones", "ground speakers", those([name(0)], [near(speaker(0), 4)]))


def cuts_for_crowds(case, labels):
    grid, who = "names and speakers", [speaker(i) for i in (0, 2)]
    for bits in (0, 1, 2, 4, 9, 127, 128):
        case("a crowd of %d bits" % bits, grid, crowd(name(3), bits, who))
    case("a crowd by strangers: every name shows itself", grid, crowd(name(3), 1, [speaker(66)]))
    case("a crowd by all", grid, crowd(name(3), 1, [speaker(i) for i in range(6)]))
    case("a crowd under which nothing is", grid, crowd(flipped(name(3).ljust(32, b"\0"), 127), 128, who))
    case("a crowd in the empty trie", "empty", crowd(name(3), 7, who))
    case("a crowd in a trie of one label", "one", crowd(labels["one"][0][:16], 7, [labels["one"][0][16:]]))
    case("a crowd that the only label is not in", "one", crowd(flipped(labels["one"][0], 6)[:16], 7, [labels["one"][0][16:]]))
    case("a crowd of nine names", "a crowd", crowd(b"\xb5" + bytes(15), 8, [speaker(1)]))
    case("half of the nine names", "a crowd", crowd(b"\xb5" + bytes(15), 9, [speaker(0), speaker(1), speaker(5)]))
    case("a crowd shorter than the root's prefix", "a prefix above the root's", crowd(labels["a prefix above the root's"][0][:16], 5, who))
    case("a crowd that is one name", "one name, many speakers", crowd(noise("name")[:16], 12, [speaker(3), speaker(4)]))
    case("a crowd that parts from that name", "one name, many speakers", crowd(flipped(noise("name"), 11)[:16], 12, who))
    case("a crowd of ground names", "ground names", crowd(name(0), 100, [speaker(0)]))
    case("a crowd of two ground names", "ground names", crowd(name(0), 127, [speaker(0)]))
    case("a crowd of one ground name", "ground names", crowd(name(0), 128, [speaker(0)]))
    case("a crowd of ground speakers", "ground speakers", crowd(name(0), 3, [near(speaker(0), i) for i in (0, 2, 3)]))
    case("a crowd of the comb", "comb of 256 levels", crowd(b"\xff" * 16, 120, [bytes(16), b"\xff" * 16]))


def cuts_for_censuses(case, labels):
    some, above = labels["two dozen"], labels["a prefix above the root's"][0]
    twin, stranger = labels["twins, 255 bits in common"][0], noise("label", "stranger")
    for bits in (0, 1, 2, 3, 5, 8):
        case("a census of %d bits" % bits, "two dozen" if bits else "three", census(some[13], bits))
    case("a whole label as prefix", "two dozen", census(some[7], 256))
    case("a whole label that is absent, as prefix", "two dozen", census(flipped(some[7], 255), 256))
    case("a census of one that is alone", "one", census(labels["one"][0], 17))
    case("a prefix that the only label does not begin with", "one", census(flipped(labels["one"][0], 16), 17))
    case("a census in the empty trie", "empty", census(stranger, 20))
    case("no bits in the empty trie", "empty", census(stranger, 0))
    case("no bits and one label", "one", census(stranger, 0))
    case("a prefix shorter than the root's", "a prefix above the root's", census(above, 5))
    case("a prefix as long as the root's", "a prefix above the root's", census(above, 10))
    case("a prefix one bit longer than the root's", "a prefix above the root's", census(above, 11))
    case("a short prefix that parts from the root's", "a prefix above the root's", census(flipped(above, 3), 5))
    case("a long prefix that parts from the root's", "a prefix above the root's", census(flipped(above, 3), 40))
    case("a prefix of 255 bits with twins below", "twins of twins", census(twin, 255))
    case("a prefix that parts inside", "twins of twins", census(flipped(twin, 40), 60))
    case("everybody who spoke of a name", "one name, many speakers", census(noise("name"), 128), [noise("name")[:16]])
    case("everybody who spoke of one name of many", "names and speakers", census(name(3) + bytes(16), 128), [name(3)])
    case("nobody spoke of a name", "names and speakers", census(name(78) + bytes(16), 128), [name(78)])
    case("speakers that begin so", "one name, many speakers", census(noise("name")[:16] + speaker(3), 130))
    case("the whole comb", "comb of 256 levels", census(bytes(32), 0))


def stub(node):
    return bytes([0]) + index.u64be(node.labels) + node.hash


def leaf(x):
    return bytes([1]) + x.label + index.u64be(x.length) + x.list_root


def inner(bits, left, right):
    return bytes([2, bits]) + left + right


def stated(bits, prefix, left, right):
    return bytes([3, bits]) + prefix + left + right


def cuts_to_refuse(refused, used, nodes):
    a, b, c = used["three"]  # 001, 010, 111
    three = nodes["three"]  # inner(0, inner(1, a, b), c)
    ab = three.left
    whole = inner(0, inner(1, leaf(a), leaf(b)), leaf(c))
    index.read_cut(whole, three.hash, 3)
    refused("bytes follow", whole + b"\x00", three)
    refused("a second node follows", whole + stub(c), three)
    for length in (1, 2, 3, 40, 100, len(whole) - 1):
        refused("truncated to %d bytes" % length, whole[:length], three)
    refused("a stub that ends in its count", inner(0, inner(1, leaf(a), leaf(b)), stub(c)[:5]), three)
    refused("a stub that ends after its count", inner(0, inner(1, leaf(a), leaf(b)), stub(c)[:9]), three)
    refused("a stub without a count, as version 1 had it", inner(0, inner(1, leaf(a), leaf(b)), b"\0" + c.hash), three)
    refused("no tag below", inner(0, inner(1, leaf(a), leaf(b)), b""), three)
    refused("tag 4", inner(0, inner(1, leaf(a), leaf(b)), b"\x04" + c.hash), three)
    refused("tag 255 at the root", b"\xff" + c.hash, c)
    refused("the empty cut of a trie that is not empty", b"", three)
    refused("a cut of the empty trie that is not empty", leaf(a), None)
    refused("another root", whole, three, root=noise("root"))
    refused("a changed list length", inner(0, inner(1, leaf(a), leaf(b)), leaf(c._replace(length=c.length + 1))), three)
    refused("a changed list root", inner(0, inner(1, leaf(a), leaf(b)), leaf(c._replace(list_root=a.list_root))), three)
    refused("a changed label", inner(0, inner(1, leaf(a), leaf(b)), leaf(c._replace(label=c.label[:31] + b"\x00"))), three)
    refused("a changed stub", inner(0, stub(index.Stub(noise("stub"), 2)), leaf(c)), three)
    refused("bits lower than the prefix is", inner(0, stated(0, b"", stub(a), stub(b)), leaf(c)), three)
    # From here on the hashes are right: the cut is well made but for what is wrong with it.
    empty_list = index.new_leaf(a.label, 0, index.sha256(b""))
    refused("a list of length 0", leaf(empty_list), empty_list)
    same_bits = index.new_inner(0, bytes(32), index.new_inner(0, bytes(32), a, b), c)
    refused("bits equal to the parent's", inner(0, inner(0, leaf(a), leaf(b)), leaf(c)), same_bits)
    upside_down = index.new_inner(1, bytes(32), index.new_inner(0, bytes(32), a, c), b)
    refused("bits lower than the parent's", inner(1, inner(0, leaf(a), leaf(c)), leaf(b)), upside_down)
    above = used["a prefix above the root's"][0].label
    prefix = index.prefix_of(above, 10)
    padded = prefix[:1] + bytes([prefix[1] | 1])
    crooked = index.new_inner(10, padded.ljust(32, b"\x00"), a, b)
    refused("a prefix with a bit after its end", stated(10, padded, stub(a), stub(b)), crooked)
    good = index.new_inner(10, prefix, a, b)
    index.read_cut(stated(10, prefix[:2], stub(a), stub(b)), good.hash, 2)
    refused("a prefix with too few bytes", stated(10, prefix[:1], stub(a), stub(b)), good)
    refused("a prefix with too many bytes", stated(10, prefix[:3], stub(a), stub(b)), good)
    refused("tag 2 and no leaf below", inner(0, stub(ab), stub(c)), three)
    refused("tag 2 and no leaf below, under a node", inner(0, inner(1, stub(a), stub(b)), leaf(c)), three)
    refused("tag 3 and a leaf to its right", stated(0, b"", stub(ab), leaf(c)), three)
    refused("tag 3 and a leaf to its left", stated(0, b"", inner(1, leaf(a), stub(b)), stub(c)), three)
    refused("tag 3 with a leaf deeper below", stated(0, b"", inner(1, stub(a), leaf(b)), stub(c)), three)
    swapped = index.new_inner(0, bytes(32), c, ab)
    refused("left and right exchanged", inner(0, leaf(c), inner(1, leaf(a), leaf(b))), swapped)
    both_left = index.new_inner(0, bytes(32), a, b)
    refused("two labels of one side", inner(0, leaf(a), leaf(b)), both_left)
    twice = index.new_inner(1, index.prefix_of(a.label, 1), a, a)
    refused("one label on both sides", inner(1, leaf(a), leaf(a)), twice)
    strange = index.new_inner(3, index.prefix_of(a.label, 3), index.new_leaf(with_bits(a.label, 4, 0b0010), 1, a.list_root), c)
    refused("a label that does not begin with the prefix", inner(3, leaf(strange.left), leaf(c)), strange)
    far = index.new_inner(9, index.prefix_of(b.label, 9), a, b)  # under the left side of bit 0, whose other label is c
    astray = index.new_inner(2, index.prefix_of(a.label, 2), far, a)
    far_bytes = stated(9, far.prefix[:2], stub(a), stub(b))
    refused("a stated prefix that does not continue the parent's", inner(2, far_bytes, leaf(a)), astray)
    index.read_cut(inner(0, far_bytes, leaf(c)), index.new_inner(0, bytes(32), far, c).hash, 3)
    other_side = index.new_inner(0, bytes(32), a, far)
    refused("a stated prefix on the wrong side", inner(0, leaf(a), far_bytes), other_side)
    # Nothing bounds the depth but the bits, which have to grow: a 257th inner node repeats some.
    deep = nodes["comb of 256 levels"]
    deepest = index.make_cut(deep, one(used["comb of 256 levels"][-1].label))
    sibling = index.Stub(noise("sibling"), 1)
    deeper = index.new_inner(0, bytes(32), sibling, deep)
    refused("257 inner nodes on a path", inner(0, stub(sibling), deepest), deeper)
    refused("ten thousand inner nodes on a path", b"\x02\x00" * 10000, deep)


def cuts_with_wrong_counts(refused, nodes):
    """A count is in the hash of the node above, and all of them are the commitment's."""
    some = nodes["two dozen"]
    cut = index.make_cut(some, census(bytes(32), 3))
    stubs = []

    def walk(node, at):
        """Where stubs stand in the bytes of a cut."""
        if isinstance(node, index.Stub):
            stubs.append(at)
            return at + 41
        if isinstance(node, index.Leaf):
            return at + 73
        return walk(node.right, walk(node.left, at + 2))

    walk(index.prune(some, census(bytes(32), 3)), 0)

    def changed(*changes):
        out = bytearray(cut)
        for at, by in changes:
            count = int.from_bytes(out[at + 1 : at + 9], "big")
            out[at + 1 : at + 9] = index.u64be((count + by) % 2**64)
        return bytes(out)

    large = [at for at in stubs if int.from_bytes(cut[at + 1 : at + 9], "big") > 1]
    refused("a label is moved from one stub to the other", changed((large[0], -1), (large[1], 1)), some)
    refused("a label is moved to a stub elsewhere", changed((large[-1], -1), (stubs[0], 1)), some)
    refused("a stub has a label more", changed((stubs[0], 1)), some)
    refused("a stub has a label less", changed((large[0], -1)), some)
    refused("a stub has a label more, and the commitment", changed((stubs[0], 1)), some, labels=25)
    refused("a stub has no labels", changed((large[0], -int.from_bytes(cut[large[0] + 1 : large[0] + 9], "big"))), some)
    refused("the commitment has a label more", cut, some, labels=25)
    refused("the commitment has a label less", cut, some, labels=23)
    refused("the commitment has no labels", cut, some, labels=0)
    refused("the empty trie has labels", b"", None, labels=1)
    # Hashes are right, and the numbers are none.
    a, b = index.Stub(noise("a"), 2**63), index.Stub(noise("b"), 2**63)
    node = index.Stub(index.sha256(b"\x12\0\0" + bytes(32) + index.u64be(2**63) * 2 + a.hash + b.hash), 0)
    refused("2^64 labels", stated(0, b"", stub(a), stub(b)), node)
    nobody = index.Stub(noise("a"), 0)
    refused("a stub of nothing, of which the hash is right", stated(0, b"", stub(nobody), stub(b)), index.new_inner(0, bytes(32), nobody, b))
    refused("the root is a stub of another number of labels", stub(some), some, labels=25)
    refused("the empty trie as a stub", stub(index.Stub(index.EMPTY_ROOT, 0)), None)


def cuts_that_do_not_answer(refused, used, nodes):
    """The cut is good, and does not show what is asked."""
    a, b, c = used["three"]
    three, ab = nodes["three"], nodes["three"].left
    part = inner(0, stub(ab), leaf(c))
    beside = inner(0, inner(1, leaf(a), stub(b)), leaf(c))
    refused("a stub where the label leads", part, three, one(a.label))
    refused("a stub where an absent label leads", part, three, one(flipped(a.label, 255)))
    refused("a stub where the prefix leads", part, three, census(a.label, 1))
    refused("a stub below the prefix", part, three, census(bytes(32), 0))
    refused("a stub beside the answer", beside, three, census(a.label, 1))
    refused("a stub where the prefix ends", beside, three, census(b.label, 2))
    refused("the root is a stub", stub(three), three, one(a.label))
    refused("the root is a stub, no bits", stub(three), three, census(bytes(32), 0))
    refused("the root is a stub, a crowd", stub(three), three, crowd(a.label[:16], 0, [a.label[16:]]))
    refused("the root is a stub, speakers", stub(three), three, speak=a.label[:16])
    refused("the empty trie's hash as a stub", stub(index.Stub(index.EMPTY_ROOT, 1)), index.Stub(index.EMPTY_ROOT, 1), one(a.label))
    grid = nodes["names and speakers"]
    shown = index.make_cut(grid, those([name(3)], [speaker(1)]))
    refused("another name", shown, grid, those([name(1)], [speaker(1)]))
    refused("another speaker of the name", shown, grid, those([name(3)], [speaker(0)]))
    refused("a crowd in the cut for one name", shown, grid, crowd(name(3), 2, [speaker(1)]))
    refused("how many speak of another name", shown, grid, speak=name(1))
    several = index.make_cut(grid, crowd(name(3), 1, [speaker(1)]))
    refused("another speaker of the crowd", several, grid, crowd(name(3), 1, [speaker(0), speaker(1)]))
    refused("the census of a crowd", several, grid, census(name(3) + bytes(16), 1))
    refused("a larger crowd", several, grid, crowd(name(3), 0, [speaker(1)]))
    asked = nodes["a crowd"]
    hidden = index.make_cut(asked, those([b"\xb5" + name(2)[1:]], [speaker(0), speaker(1)]))
    refused("a crowd of which a name is hidden", hidden, asked, crowd(b"\xb5" + bytes(15), 8, [speaker(0), speaker(1)]))
    hidden = index.make_cut(grid, those([name(i) for i in range(12)], [speaker(5)]))
    refused("a crowd of which a speaker is hidden", hidden, grid, crowd(bytes(16), 0, [speaker(1), speaker(5)]))


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


def ranges_file():
    cases, bad = file("ranges", "Range proofs: that leaves of a list stand at a position of it.")

    def item(name, length, root, start, indices, proof):
        fields = {"name": name, "length": length, "root": root.hex(), "from": start, "indices": indices}
        return {**fields, "proof": hexes(proof)}

    for length, pages in (
        (1, [(0, 1)]),
        (2, [(0, 1), (1, 2), (0, 2)]),
        (3, [(0, 1), (1, 2), (2, 3), (0, 2), (1, 3), (0, 3)]),
        (7, [(0, 3), (3, 4), (2, 6), (4, 7), (6, 7)]),
        (8, [(0, 4), (3, 5), (7, 8)]),
        (300, [(0, 1), (255, 257), (100, 200), (299, 300), (0, 300)]),
        (10001, [(0, 10), (9000, 9010), (10000, 10001)]),
    ):
        listed = [3 * at + 1 for at in range(length)]
        root = index.list_root(listed)
        for start, end in pages:
            proof = index.make_range(listed, start, end)
            name = "length %d: %d to %d" % (length, start, end)
            cases.append({**item(name, length, root, start, listed[start:end], proof), "plain": True})
    # Two leaves in the middle of the longest list: all other hashes are made up.
    start, indices = 2**63 - 1, [2**63, 2**64 - 1]
    proof = [noise("range %d" % at) for at in range(126)]
    leaves = [(start + at, index.list_leaf_hash(one)) for at, one in enumerate(indices)]
    length = 2**64 - 1
    root = index.multiproof_root(length, leaves, proof, index.list_node_hash)
    cases.append({**item("length 2^64 - 1", length, root, start, indices, proof), "plain": False})
    ranges_to_refuse(item, bad)


def ranges_to_refuse(item, bad):
    listed = [3 * at + 1 for at in range(13)]
    root, page, proof = index.list_root(listed), listed[4:9], index.make_range(listed, 4, 9)
    logs = index.tree_root([index.list_leaf_hash(one) for one in listed])
    for name, length, root, start, indices, proof in (
        ("one leaf is another", 13, root, 4, [13, 16, 20, 22, 25], proof),
        ("a leaf is left out", 13, root, 4, page[:2] + page[3:], proof),
        ("a leaf more", 13, root, 4, page + [28], proof),
        ("the first leaf is left out", 13, root, 4, page[1:], proof),
        ("the last leaf is left out", 13, root, 4, page[:-1], proof),
        ("two leaves are exchanged", 13, root, 4, [13, 19, 16, 22, 25], proof),
        ("one position before", 13, root, 3, page, proof),
        ("one position after", 13, root, 5, page, proof),
        ("at the beginning", 13, root, 0, page, proof),
        ("at the end", 13, root, 8, page, proof),
        ("beyond the end", 13, root, 9, page, proof),
        ("far beyond the end", 13, root, 2**64 - 5, page, proof),
        ("of a list of 17", 17, root, 4, page, proof),
        ("of a list of 12", 12, root, 4, page, proof),
        ("another list", 13, noise("other"), 4, page, proof),
        ("a list with the hashes of the log", 13, logs, 4, page, proof),
        ("no leaves", 13, root, 4, [], proof),
        ("no leaves, and the root", 13, root, 4, [], [root]),
        ("no hashes", 13, root, 4, page, []),
        ("a hash is missing", 13, root, 4, page, proof[:-1]),
        ("the first hash is missing", 13, root, 4, page, proof[1:]),
        ("a hash more", 13, root, 4, page, proof + [noise("more")]),
        ("a hash more in front", 13, root, 4, page, [noise("more")] + proof),
        ("a hash twice", 13, root, 4, page, proof[:1] + proof),
        ("two hashes are exchanged", 13, root, 4, page, proof[1::-1] + proof[2:]),
        ("a hash is another", 13, root, 4, page, [noise("other")] + proof[1:]),
        ("the proof of another page", 13, root, 4, page, index.make_range(listed, 5, 10)),
        ("the proof of the whole list", 13, root, 0, listed, proof),
        ("129 hashes", 13, root, 4, page, [noise("many")] * 129),
    ):
        listed_case = item(name, length, root, start, indices, proof)
        try:
            index.refuse_range(listed_case, None)
        except index.Refused as error:
            bad.append({**listed_case, "reason": str(error)})
            continue
        raise AssertionError("taken: " + name)


def answers_file():
    log = answer_log()
    cases, bad = file("answers", "Complete answers of a log, and answers that are refused.", log=[b64(entry) for entry in log])

    def item(name, size, root, question, answer):
        return {
            "name": name,
            "size": size,
            "root": root.hex(),
            "question": question_item(question),
            "commitment": b64(answer.commitment),
            "cut": answer.cut.hex(),
            "lists": [{"label": name.hex(), "indices": indices} for name, indices in answer.lists],
            "entries": [{"index": i, "entry": b64(entry)} for i, entry in answer.entries],
            "proof": hexes(answer.proof),
        }

    def case(name, question, size=len(log)):
        answer = index.make_answer(log[:size], question)
        cases.append(item(name, size, root_at(log[:size]), question, answer))

    rand, alice, bob = index.half("package", "pkg:cargo/rand"), ALICE[:16], BOB[:16]
    django, cve = index.half("package", "pkg:pypi/django"), index.half("vuln", "CVE-2026-0001")
    unknown = index.half("package", "pkg:cargo/unknown")
    issuer = index.half("issuer", ALICE.hex())
    case("what Alice said of a package", those([rand], [alice]))
    case("what Alice and Bob said of a package", those([rand], [alice, bob]))
    case("what Alice said of a version", those([index.half("version", RAND)], [alice]))
    case("which endorsements Alice has", those([issuer], [index.half("type", "urn:assay:endorsement:v1")]))
    case("which withdrawals Alice has", those([issuer], [index.half("type", "urn:assay:withdrawal:v1")]))
    case("what Alice said that is no statement", those([issuer], [index.half("type", "")]))
    case("what is said of a vulnerability", those([cve], [alice, bob]))
    case("whether its issuer withdrew a claim", those([index.half("claim", TARGET)], [alice]))
    case("whether another issuer withdrew a claim", those([index.half("claim", TARGET)], [bob]))
    case("nothing is known", those([unknown], [alice, bob]))
    case("names known and unknown by issuers known and unknown", those([rand, unknown, cve], [alice, noise("issuer", "carol")[:16]]))
    case("a crowd", crowd(rand, 2, [alice, bob]))
    case("a crowd by one", crowd(rand, 2, [bob]))
    case("a crowd by a stranger", crowd(rand, 1, [noise("issuer", "carol")[:16]]))
    case("a crowd under which nothing is", crowd(unknown, 12, [alice]))
    case("a crowd that is everything", crowd(rand, 0, [alice, bob]))
    case("a census of a package", census(rand + bytes(16), 128))
    case("a census of a few packages", census(django + bytes(16), 3))
    case("a census under which nothing is", census(unknown + bytes(16), 128))
    case("the log of one leaf: nothing is known", those([rand], [alice]), 1)
    case("the log of one leaf: a crowd", crowd(rand, 4, [alice]), 1)
    case("an earlier checkpoint", those([rand], [alice]), 3)
    case("nothing asked", those([], []))
    answers_to_refuse(item, bad, log, rand, cve)


def root_at(entries):
    return index.tree_root([index.leaf_hash(entry) for entry in entries])


def answers_to_refuse(item, bad, log, rand, cve):
    size, root = len(log), root_at(log)
    alice, bob = ALICE[:16], BOB[:16]
    question = those([rand], [bob])
    good = index.make_answer(log, question)
    hashes = [index.leaf_hash(entry) for entry in log]

    def refused(name, answer, question=question, size=size, root=root):
        listed = item(name, size, root, question, answer)
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
    refused("a list for a name that nobody asked for", index.make_answer(log, those([rand, cve], [bob])))
    refused("a list for a speaker whom nobody asked for", index.make_answer(log, those([rand], [alice, bob])))
    several = those([rand, cve], [alice, bob])
    found = index.make_answer(log, several)
    refused("a list of several is missing", found._replace(lists=found.lists[:-1]), several)
    refused("lists out of order", found._replace(lists=found.lists[::-1]), several)
    begun = crowd(rand, 2, [alice, bob])
    under = index.make_answer(log, begun)
    refused("a list of the crowd is missing", under._replace(lists=under.lists[:-1]), begun)
    refused("a crowd in which a name is hidden", index.make_answer(log, question), begun)
    everybody = census(rand + bytes(16), 128)
    refused("a census with lists", index.make_answer(log, those([rand], [alice, bob])), everybody)
    refused("a census that hides a speaker", index.make_answer(log, question)._replace(lists=[], entries=[], proof=proven([])), everybody)
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
    refused("the cut of an earlier commitment", good._replace(cut=index.make_answer(log[:3], question).cut))
    refused("a cut that does not answer", good._replace(cut=index.make_answer(log, those([cve], [alice])).cut))
    refused("a cut for the other speaker", good._replace(cut=index.make_answer(log, those([rand], [noise("x")[:16]])).cut))
    logs_that_are_forged(refused, log, rand, other)


def logs_that_are_forged(refused, log, rand, other):
    """Logs that are not made as they should be."""
    size, hashes, question = len(log), [index.leaf_hash(entry) for entry in log], those([rand], [BOB[:16]])
    claims = log[: size - 1]
    withdrawn = those([index.half("claim", TARGET)], [ALICE[:16]])
    short = index.make_answer(claims + [commitment_over(claims)], withdrawn)._replace(commitment=claims[-1])
    short = short._replace(proof=index.make_multiproof(hashes[: size - 1], [i for i, _ in short.entries] + [size - 2]))
    refused("the last leaf is a claim", short, withdrawn, size - 1, root_at(claims))

    def forged(name, commitment, lists=None):
        """A log that ends with another commitment than it should."""
        node, found = index.build_index([index.labels_of(entry) for entry in claims]) if lists is None else lists
        listed = [(leaf.label, found[leaf.label]) for leaf in index.ask(node, question)]
        indices = sorted({i for _, indices in listed for i in indices} - {len(claims)})
        forged_log = claims + [commitment(node, found)]
        forged_hashes = [index.leaf_hash(entry) for entry in forged_log]
        answer = index.Answer(
            forged_log[-1],
            index.make_cut(node, question),
            listed,
            [(i, forged_log[i]) for i in indices],
            index.make_multiproof(forged_hashes, indices + [len(claims)]),
        )
        refused(name, answer, size=len(forged_log), root=index.tree_root(forged_hashes))

    def with_version(version):
        return lambda node, found: commitment_entry(index.root_of(node), len(found), mapping_version=version)

    forged("mapping version 1", with_version(1))
    forged("mapping version 3", with_version(3))
    forged("mapping version 0", with_version(0))
    forged("mapping version 2^32 - 1", with_version(2**32 - 1))
    forged("a root of 31 bytes", lambda node, found: commitment_entry(index.root_of(node)[:31], len(found)))
    forged("no root", lambda node, found: commitment_entry(b"", len(found)))
    forged("the commitment is to another index", lambda node, found: commitment_entry(noise("root"), len(found)))
    forged("the commitment has a label more", lambda node, found: commitment_entry(index.root_of(node), len(found) + 1))
    forged("the commitment has 2^64 - 1 labels", lambda node, found: commitment_entry(index.root_of(node), 2**64 - 1))
    forged("the commitment has no labels", lambda node, found: commitment_entry(index.root_of(node), 0))
    forged("the commitment is no entry", lambda node, found: commitment_over(claims) + b"\x50\x01")
    # An index that lists an entry under a label that it does not have; and one that lists the commitment itself.
    _, lists = index.build_index([index.labels_of(entry) for entry in claims])

    def index_of(lists):
        leaves = [index.new_leaf(label, len(found), index.list_root(found)) for label, found in lists.items()]
        return index.build_trie(leaves), lists

    as_it_is, label = with_version(2), rand + BOB[:16]
    forged("an entry that does not have the label", as_it_is, index_of({**lists, label: sorted(lists[label] + [other])}))
    spoken = lists[rand + ALICE[:16]][0]
    forged("an entry of another speaker", as_it_is, index_of({**lists, label: sorted(lists[label] + [spoken])}))
    forged("a commitment in a list", as_it_is, index_of({**lists, label: [0] + lists[label]}))
    forged("the index lists its own commitment", as_it_is, index_of({**lists, label: lists[label] + [size - 1]}))


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
    endorsed = {"issuer": BOB.hex(), "role": "auditor", "scope": ["pkg:cargo/*"]}
    claim(statement([{"name": "issuer", "digest": {"sha256": BOB.hex()}}], "urn:assay:endorsement:v1", endorsed))
    claim(statement([package("pkg:cargo/rand@0.9.1")], predicate={"verdict": "unsound"}), (BOB,))
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
        labels_file, mapping_file, lists_file, tries_file, logs_file, cuts_file, multiproofs_file,
        ranges_file, answers_file,
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
