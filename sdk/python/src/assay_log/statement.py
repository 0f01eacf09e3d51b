"""in-toto Statement v1, the frame of a claim, read strictly (docs/design.md 3.3).

Whether a purl is canonical is a rule of admission, and what a predicate must look like is its
type's: neither is judged here, but for the records of issuers (`issuer`). The predicate is handed
on as it was read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from . import jsontext, limits
from .encoding import sha256
from .errors import IssuerError
from .jsontext import Json
from .labels import STATEMENT_TYPE

_HEX = re.compile("[0-9a-f]*")
# Hex digits of the algorithms whose values are hex of one length (in-toto, "DigestSet").
_DIGITS: dict[str, tuple[int, ...]] = {
    "md5": (32,),
    **dict.fromkeys(("sha1", "ripemd160"), (40,)),
    **dict.fromkeys(("sha224", "sha512_224", "sha3_224"), (56,)),
    **dict.fromkeys(("sha256", "sha512_256", "sha3_256", "sm3", "purl"), (64,)),
    **dict.fromkeys(("sha384", "sha3_384"), (96,)),
    **dict.fromkeys(("sha512", "sha3_512"), (128,)),
    **dict.fromkeys(("gitCommit", "gitTree", "gitBlob", "gitTag"), (40, 64)),
}


@dataclass(frozen=True, slots=True)
class Subject:
    """What a statement is about: an artifact by its digests, or a package by its purl."""

    name: str | None
    uri: str | None
    digests: dict[str, str]


@dataclass(frozen=True, slots=True)
class Statement:
    """What is said (the predicate, JSON that was read) about what (the subjects, at least one)."""

    subjects: tuple[Subject, ...]
    predicate_type: str
    predicate: dict[str, Json] | None = field(hash=False)

    @classmethod
    def parse(cls, payload: bytes) -> Statement:
        """Reads the payload of a claim. Fails with `IssuerError` of kind `claim`."""
        try:
            value = jsontext.parse(payload)
        except jsontext.NotStrict as error:
            raise odd(f"the payload is {error}") from None
        if not isinstance(value, dict) or value.get("_type") != STATEMENT_TYPE:
            raise odd("the payload is no in-toto statement v1")
        listed, predicate_type = value.get("subject"), value.get("predicateType")
        if not isinstance(listed, list) or not 1 <= len(listed) <= limits.SUBJECTS:
            raise odd(f"$.subject must have from 1 to {limits.SUBJECTS} entries")
        if not isinstance(predicate_type, str) or not predicate_type:
            raise odd("$.predicateType must be a URI")
        predicate = value.get("predicate")
        if not isinstance(predicate, dict | None):
            raise odd("$.predicate must be an object")
        return cls(tuple(_subject(one) for one in listed), predicate_type, predicate)


def _subject(value: Json) -> Subject:
    if not isinstance(value, dict):
        raise odd("a subject must be an object")
    name, uri, digests = value.get("name"), value.get("uri"), value.get("digest")
    if not isinstance(name, str | None) or not isinstance(uri, str | None):
        raise odd("the name and the uri of a subject must be strings")
    if not isinstance(digests, dict) or not digests:
        raise odd("a subject must have at least one digest")
    for algorithm, digest in digests.items():
        if not isinstance(digest, str) or not algorithm or not digest:
            raise odd("a digest must be named, and a string that is not empty")
        lengths = _DIGITS.get(algorithm)
        if lengths and not (len(digest) in lengths and _HEX.fullmatch(digest)):
            raise odd(f"a digest is none of {algorithm}")
    stated = digests.get("purl")
    if stated is not None:
        is_purl = uri is not None and uri[:4].lower() == "pkg:"
        if uri is None or not is_purl or sha256(uri.encode()).hex() != stated:
            raise odd("the digest `purl` of a subject must be SHA-256 of its purl")
    return Subject(name, uri, digests)


def odd(reason: str) -> IssuerError:
    """Why a claim is refused: whoever made it is to blame."""
    return IssuerError("claim", reason)
