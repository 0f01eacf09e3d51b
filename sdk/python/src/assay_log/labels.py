"""Labels: under which names and speakers an entry is listed (docs/index.md 3).

Halves only select. Whoever relies on an entry compares full names and 32-byte issuer ids.
"""

from __future__ import annotations

import re

from . import jsontext
from .encoding import sha256
from .entry import Claim, Commitment, Entry
from .jsontext import Json, items, members, text

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
_DIGESTS = {"sha256": (64,), "sha512": (128,), "gitCommit": (40, 64)}
_HEX = re.compile("[0-9a-f]*")
_IDENTIFIER = re.compile("[!-~]{1,128}")
_PURL = re.compile("pkg:[!-~]*")
_FOLD = re.compile("%..|[-_.]+|[A-Z]+")

FINDING = "urn:assay:finding:v1"
_TARGETING = ("urn:assay:withdrawal:v1", "urn:assay:response:v1", FINDING)
_VULNS = "https://in-toto.io/attestation/vulns/v0.2"
_OPENVEX = (
    "https://openvex.dev/ns",
    "https://openvex.dev/ns/v0.0.1",
    "https://openvex.dev/ns/v0.2.0",
)

# A kind and a value (docs/index.md 3.1).
Name = tuple[str, str]


def half(kind: str, value: str) -> bytes:
    """The 16 bytes that stand for a kind and a value (docs/index.md 3.1)."""
    return sha256(b"assay.index.v2\n" + kind.encode() + b"\n" + value.encode())[:16]


def by_half(kind: str, by: str) -> bytes:
    """The second half of a label: `by` is a predicate type for a name of kind `issuer`, otherwise
    an issuer id in hex."""
    return half("type", by) if kind == "issuer" else bytes.fromhex(by)[:16]


def named_labels(entry: Entry) -> set[tuple[str, str, str]]:
    """The labels of an entry as (kind, value, by), mapping version 2 (docs/index.md 3.3)."""
    if isinstance(entry.body, Commitment):
        return set()
    predicate_type, names = said(entry.body)
    found: set[tuple[str, str, str]] = set()
    for issuer in {one.issuer_id.hex() for one in entry.body.signatures}:
        found.update((kind, value, issuer) for kind, value in names)
        found.add(("issuer", issuer, predicate_type))
    return found


def labels_of(entry: Entry) -> set[bytes]:
    """The labels of an entry, 32 bytes each."""
    return {half(kind, value) + by_half(kind, by) for kind, value, by in named_labels(entry)}


def said(claim: Claim) -> tuple[str, set[Name]]:
    """The predicate type of a claim, and what it is about. What is no statement has the empty type
    and no names."""
    try:
        statement = jsontext.parse(claim.payload)
    except jsontext.NotStrict:
        return "", set()
    predicate_type = text(statement, "predicateType")
    if text(statement, "_type") != STATEMENT_TYPE or predicate_type is None:
        return "", set()
    return predicate_type, _names(statement, predicate_type)


def _names(statement: Json, predicate_type: str) -> set[Name]:
    names: set[Name] = set()
    for subject in items(statement, "subject"):
        for algorithm, value in members(members(subject).get("digest")).items():
            if isinstance(value, str) and _is_hex(value, _DIGESTS.get(algorithm, ())):
                names.add(("digest", f"{algorithm}:{value}"))
        names.update(package_names(text(subject, "uri") or ""))
    predicate = members(statement).get("predicate")
    target = text(predicate, "target")
    if predicate_type in _TARGETING and target is not None and _is_hex(target, (64,)):
        names.add(("claim", target))
    for value in _vulnerabilities(predicate_type, predicate):
        if isinstance(value, str) and _IDENTIFIER.fullmatch(value):
            names.add(("vuln", value))
    return names


def _is_hex(value: str, lengths: tuple[int, ...]) -> bool:
    return len(value) in lengths and _HEX.fullmatch(value) is not None


def package_names(uri: str) -> list[Name]:
    """The package and the version that a purl names (docs/index.md 3.2); nothing else names one."""
    if _PURL.fullmatch(uri) is None:
        return []
    path, _, qualifiers = uri.partition("#")[0].partition("?")
    at = path.rfind("@")
    package, version = (path[:at], path[at + 1 :]) if at > path.rfind("/") else (path, "")
    package = _folded(package)
    if not version:
        return [("package", package)]
    epochs = [one.removeprefix("epoch=") for one in qualifiers.split("&") if one[:6] == "epoch="]
    suffix = f"?epoch={epochs[0]}" if epochs and epochs[0] not in ("", "0") else ""
    return [("package", package), ("version", f"{package}@{version}{suffix}")]


def _folded(package: str) -> str:
    """The name of a package of PyPI or NuGet is folded: what stands after the last slash."""
    is_pypi = package.startswith("pkg:pypi/")
    if not is_pypi and not package.startswith("pkg:nuget/"):
        return package
    space, slash, name = package.rpartition("/")

    def fold(found: re.Match[str]) -> str:
        part = found[0]
        if part[0] == "%" and len(part) == 3:
            return part
        return "-" if is_pypi and part[0] in "-_." else part.lower()

    return space + slash + _FOLD.sub(fold, name)


def _vulnerabilities(predicate_type: str, predicate: Json) -> list[Json]:
    """What stands where a predicate names vulnerabilities (docs/index.md 3.4)."""
    if predicate_type == _VULNS:
        scanner = members(predicate).get("scanner")
        return [members(result).get("id") for result in items(scanner, "result")]
    if predicate_type in _OPENVEX:
        names: list[Json] = []
        for statement in items(predicate, "statements"):
            named = members(statement).get("vulnerability")
            names += [named, members(named).get("name"), *items(named, "aliases")]
        return names
    if predicate_type == FINDING:
        osv = members(predicate).get("osv")
        return [members(osv).get("id"), *items(osv, "aliases")]
    return []
