"""Checkpoints: the signed size and root of a log (C2SP tlog-checkpoint).

    <origin>
    <tree size, decimal>
    <base64 of the root hash>

Assay's have no extension lines and none are taken (docs/design.md 3.1), so that a cosignature of
any type covers all there is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from . import limits
from .encoding import base64_bytes, decimal, has_control
from .errors import CallerError, ServerError, UnsupportedError
from .note import Note, VerifierKey


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The size and root of a log, as a note's text states them. Nothing of it is verified."""

    origin: str
    size: int
    root: bytes

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Reads the text of a checkpoint's note. Fails with `ServerError` of kind `checkpoint`."""
        lines = text.split("\n")
        if len(lines) != 4 or lines[3] != "":
            raise _odd("a checkpoint has three lines: origin, tree size and root hash")
        origin, stated, encoded = lines[:3]
        if not is_origin(origin):
            raise _odd("the checkpoint names no origin")
        size, root = decimal(stated), base64_bytes(encoded)
        if size is None:
            raise _odd("the tree size of the checkpoint is not a decimal number")
        if root is None or len(root) != 32:
            raise _odd("the root hash of the checkpoint is not the base64 of 32 bytes")
        return cls(origin, size, root)


def is_origin(text: str) -> bool:
    """Whether a log may be called so: one line, not empty, no control character."""
    return text != "" and not has_control(text)


def log_keys(keys: Sequence[VerifierKey | str]) -> tuple[VerifierKey, ...]:
    """The keys of one log, which is called as they are. Fails with `CallerError`."""
    read = tuple(VerifierKey.parse(key) if isinstance(key, str) else key for key in keys)
    if not 1 <= len(read) <= limits.LOG_KEYS:
        raise CallerError("key", f"a log has 1 to {limits.LOG_KEYS} keys")
    if not all(key.is_of_log for key in read):
        raise CallerError("key", "this key is a witness's; a log's key has type 0x01 or 0x06")
    if len({key.name for key in read}) != 1:
        raise CallerError("key", "the keys of a log have its origin as their name")
    return read


def verify_checkpoint(note: Note, keys: Sequence[VerifierKey]) -> Checkpoint:
    """Returns what the log signed: its origin is the keys' name, one of them signed, and no
    signature by one of them is wrong. Fails with `ServerError` of kind `checkpoint`; with
    `CallerError` of kind `log` if it states that it is of another log; and with
    `UnsupportedError` if only keys signed that cannot be checked here."""
    checkpoint = Checkpoint.parse(note.text)
    if checkpoint.origin != keys[0].name:
        reason = f"this is of the log {checkpoint.origin}, not of {keys[0].name}"
        raise CallerError("log", reason)
    signers = note.verify(keys)
    if not signers.times:
        if signers.unchecked:
            reason = "the log signed with ML-DSA-44 only, which this cryptography does not have"
            raise UnsupportedError("checkpoint", reason)
        raise _odd(f"the checkpoint is not signed by the log {checkpoint.origin}")
    return checkpoint


def _odd(reason: str) -> ServerError:
    return ServerError("checkpoint", reason)
