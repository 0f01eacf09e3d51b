"""Signed notes and their keys (C2SP signed-note, tlog-cosignature).

    text, one or more lines, the last line break included
                                                         an empty line
    — <key name> base64(u32be(key id) ‖ signature)       one line or more

    verifier key:  <name>+<key id, 8 hex digits>+base64(algorithm ‖ public key)
    key id:        SHA-256(name ‖ 0x0A ‖ algorithm ‖ public key)[:4]

Algorithms: 0x01 Ed25519 over the text; 0x04 a timestamped Ed25519 cosignature of a checkpoint;
0x06 a timestamped ML-DSA-44 signature of one. Every reader takes one spelling only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from . import ed25519, limits, mldsa
from .encoding import base64_bytes, base64_text, has_control, sha256, u64be
from .errors import AssayError, CallerError, ServerError

ED25519, COSIGNATURE_V1, ML_DSA_44 = 0x01, 0x04, 0x06
_KEY_BYTES = {ED25519: 32, COSIGNATURE_V1: 32, ML_DSA_44: mldsa.PUBLIC_KEY_BYTES}
_KEY_ID = re.compile(r"[0-9a-f]{8}")
_LINE_START = "\u2014 "


def is_key_name(name: str) -> bool:
    """Whether a key may be called so: not empty, no white space, no control character, no plus."""
    has_space = any(c.isspace() for c in name)
    return name != "" and "+" not in name and not has_space and not has_control(name)


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key that verifies notes, with the name that it signs under."""

    name: str
    key_id: bytes
    algorithm: int
    public_key: bytes

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Reads a verifier key. Fails with `CallerError`: keys are the caller's."""
        parts = text.split("+", 2)  # base64 may have plus signs of its own
        if len(parts) != 3:
            raise CallerError("key", "not a key of the form name+id+base64; was it cut off?")
        name, stated, encoded = parts
        material = base64_bytes(encoded)
        if not is_key_name(name) or _KEY_ID.fullmatch(stated) is None or not material:
            raise CallerError("key", "not a key of the form name+id+base64; was it cut off?")
        algorithm, public_key = material[0], material[1:]
        if algorithm not in _KEY_BYTES:
            raise CallerError("key", f"keys of type 0x{algorithm:02x} are not supported")
        if len(public_key) != _KEY_BYTES[algorithm]:
            raise CallerError("key", "the key has another length than those of its type")
        if algorithm != ML_DSA_44 and not ed25519.is_sound_key(public_key):
            raise CallerError("key", "not a sound Ed25519 public key")
        key = cls(name, key_id_of(name, material), algorithm, public_key)
        if key.key_id.hex() != stated:
            raise CallerError("key", "the key does not belong to its id; was its name changed?")
        return key

    @property
    def is_of_log(self) -> bool:
        """Whether a log signs checkpoints with such a key (C2SP tlog-checkpoint)."""
        return self.algorithm in (ED25519, ML_DSA_44)

    @property
    def is_of_witness(self) -> bool:
        """Whether a witness cosigns with such a key (C2SP tlog-cosignature)."""
        return self.algorithm in (COSIGNATURE_V1, ML_DSA_44)

    @property
    def can_check(self) -> bool:
        """Whether the installed cryptography can check its signatures."""
        return self.algorithm != ML_DSA_44 or mldsa.is_available()

    def verify(self, text: str, signature: bytes) -> int | None:
        """Verifies a signature of a note's text, without the key id before it.

        Returns when a cosignature was made, in seconds since 1970, and None for a plain signature.
        Fails with `ValueError`, which says no more: only an attacker could use it.
        """
        if self.algorithm == ED25519:
            _check(ed25519.verifies(self.public_key, text.encode(), signature))
            return None
        _check(len(signature) > 8)
        time, signature = int.from_bytes(signature[:8], "big"), signature[8:]
        _check(time < 1 << 63)  # "It MUST NOT exceed 2^63 - 1."
        if self.algorithm == COSIGNATURE_V1:
            message = f"cosignature/v1\ntime {time}\n{text}".encode()
            _check(ed25519.verifies(self.public_key, message, signature))
        else:
            tree = _tree_message(self.name, time, text)
            _check(mldsa.verifies(self.public_key, tree, signature))
        return time


def _check(condition: bool) -> None:
    if not condition:
        raise ValueError("the signature is wrong")


def key_id_of(name: str, material: bytes) -> bytes:
    """The key id of algorithm ‖ public key under a name, 4 bytes."""
    return sha256(name.encode() + b"\n" + material)[:4]


def _tree_message(name: str, time: int, text: str) -> bytes:
    """What a key of type 0x06 signs of a checkpoint: the tree from 0 to its size."""
    from .checkpoint import Checkpoint  # a checkpoint is a note, and this signs checkpoints only

    try:
        head = Checkpoint.parse(text)
    except AssayError:
        raise ValueError("the signature is wrong") from None
    names = [name.encode(), head.origin.encode()]
    _check(all(len(one) <= limits.ORIGIN_BYTES for one in names))
    cosigner, origin = (bytes([len(one)]) + one for one in names)
    tree = u64be(0) + u64be(head.size) + head.root
    return b"subtree/v1\n\0" + cosigner + u64be(time) + origin + tree


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """A signature line. It proves nothing until it is verified."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Signers:
    """Who signed a note: for each known key that did, the time of its cosignature (None for a plain
    signature); and the keys whose lines are there and could not be checked."""

    times: dict[VerifierKey, int | None] = field(default_factory=dict)
    unchecked: tuple[VerifierKey, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """A note that was read and not verified. Its text is not to be relied on."""

    text: str
    signatures: tuple[NoteSignature, ...]

    @classmethod
    def parse(cls, data: bytes) -> Note:
        """Reads the note of a checkpoint, which has at most one line for each name and key id.

        Fails with `ServerError` of kind `checkpoint`.
        """
        if len(data) > limits.NOTE_BYTES:
            raise _odd(f"the note has {len(data)} bytes; at most {limits.NOTE_BYTES} are read")
        try:
            note = data.decode("utf-8")
        except UnicodeDecodeError:
            raise _odd("the note is not plain UTF-8 text") from None
        if any(byte < 0x20 and byte != 0x0A for byte in data):
            raise _odd("the note is not plain UTF-8 text")
        end = note.rfind("\n\n")  # the text may have empty lines, too
        if end < 0 or not note.endswith("\n") or end + 2 == len(note):
            raise _odd("the note has no signatures, or its end is missing")
        lines = note[end + 2 : -1].split("\n")
        if len(lines) > limits.NOTE_SIGNATURES:
            raise _odd("the note has too many signatures")
        signatures = tuple(_signature_line(line) for line in lines)
        if len({(one.name, one.key_id) for one in signatures}) != len(signatures):
            raise _odd("the checkpoint has two signatures by one key")
        return cls(note[: end + 1], signatures)

    def signed_by(self, keys: Iterable[VerifierKey]) -> bytes:
        """The note with the lines of these keys only: what it takes to show what they signed."""
        ids = {(key.name, key.key_id) for key in keys}
        lines = [
            f"{_LINE_START}{one.name} {base64_text(one.key_id + one.signature)}\n"
            for one in self.signatures
            if (one.name, one.key_id) in ids
        ]
        return "".join((self.text, "\n", *lines)).encode()

    def verify(self, keys: Iterable[VerifierKey], kind: str = "checkpoint") -> Signers:
        """Verifies every signature by one of the keys; other lines are not looked at.

        Fails with `ServerError` of this kind if one of them is wrong. Who knows a key refuses the
        whole note (C2SP signed-note). Nobody may have signed: look at what is returned.
        """
        known: dict[tuple[str, bytes], VerifierKey] = {}
        for key in keys:
            other = known.setdefault((key.name, key.key_id), key)
            if other != key:
                raise CallerError("key", f"two keys of {key.name} share one id; keep one of them")
        signers, unchecked = Signers(), []
        for line in self.signatures:
            signer = known.get((line.name, line.key_id))
            if signer is None:
                continue
            if not signer.can_check:
                unchecked.append(signer)
                continue
            try:
                signers.times[signer] = signer.verify(self.text, line.signature)
            except ValueError:
                reason = f"the signature by {line.name} is wrong: that key signed something else"
                raise ServerError(kind, reason) from None
        return Signers(signers.times, tuple(unchecked))


def _signature_line(line: str) -> NoteSignature:
    name, space, encoded = line.removeprefix(_LINE_START).partition(" ")
    data = base64_bytes(encoded)
    if not line.startswith(_LINE_START) or not space or data is None or len(data) < 5:
        raise _odd("a line of the note's signatures is not a signature")
    if not is_key_name(name):
        raise _odd("a line of the note's signatures is not a signature")
    return NoteSignature(name, data[:4], data[4:])


def _odd(reason: str) -> ServerError:
    return ServerError("checkpoint", reason)
