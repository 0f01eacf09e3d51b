"""DSSE envelopes in JSON (secure-systems-lab/dsse, `envelope.md`). A `keyid` is a hint and never a
security input; whose key verifies which signature is `receipt`'s and `claim`'s."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass

from . import jsontext
from .encoding import base64_text, sha256
from .entry import PAYLOAD_TYPE, Claim
from .errors import ServerError
from .jsontext import Json, members, text


@dataclass(frozen=True, slots=True)
class Envelope:
    """An envelope that was read and not verified."""

    payload: bytes
    payload_type: str
    signatures: tuple[bytes, ...]

    @classmethod
    def parse(cls, data: bytes) -> Envelope:
        """Reads the JSON of one envelope with at least one signature; fields that DSSE does not
        name are passed over. Fails with `ServerError` of kind `envelope`."""
        try:
            value = jsontext.parse(data)
        except jsontext.NotStrict as error:
            raise ServerError("envelope", f"the envelope is not JSON: {error}") from None
        payload_type = text(value, "payloadType")
        listed = members(value).get("signatures")
        if payload_type is None or not isinstance(listed, list) or not listed:
            raise ServerError("envelope", "the envelope lacks its payload type or a signature")
        payload = _base64(value, "payload")
        return cls(payload, payload_type, tuple(_signature(one) for one in listed))


def _signature(value: Json) -> bytes:
    if not isinstance(members(value).get("keyid"), str | None):
        raise ServerError("envelope", "a keyid of the envelope is not a string")
    return _base64(value, "sig")


def _base64(value: Json, key: str) -> bytes:
    """Standard or URL-safe base64, with or without padding, as DSSE allows."""
    encoded = text(value, key)
    if encoded is None:
        raise ServerError("envelope", f"the envelope's {key} is not a string of base64")
    bare = encoded.rstrip("=")
    padded = bare + "=" * (-len(bare) % 4)
    for altchars in (b"+/", b"-_") if len(padded) >= len(encoded) else ():
        try:
            data = base64.b64decode(padded, altchars, validate=True)
        except (binascii.Error, ValueError):
            continue
        if base64.b64encode(data, altchars).decode("ascii") == padded:
            return data
    raise ServerError("envelope", f"the envelope's {key} is not base64")


def envelope_file(claim: Claim) -> bytes:
    """A logged claim in the one spelling of a receipt's envelope: compact JSON on one line, each
    `keyid` being SHA-256 of the public key in hex (docs/design.md 3.6)."""
    signatures = [
        {"keyid": sha256(one.public_key).hex(), "sig": base64_text(one.signature)}
        for one in claim.signatures
    ]
    envelope = {
        "payload": base64_text(claim.payload),
        "payloadType": PAYLOAD_TYPE,
        "signatures": signatures,
    }
    return (json.dumps(envelope, separators=(",", ":")) + "\n").encode()
