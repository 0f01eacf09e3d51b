"""Inclusion proofs that stand on their own (C2SP tlog-proof, version 1).

    c2sp.org/tlog-proof@v1
    extra <base64>                            optional; of empty data, nothing follows the space
    index <decimal>
    <base64 of a hash>                        none or more, from the leaf's sibling upward
                                              an empty line
    <the checkpoint's note, verbatim>
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from . import limits
from .checkpoint import log_keys
from .encoding import base64_bytes, decimal
from .errors import AssayError, ServerError
from .merkle import check_inclusion, leaf_hash
from .note import VerifierKey
from .policy import TlogPolicy, VerifiedHead, verify_head

_HEADER = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True, slots=True)
class TlogProof:
    """A proof that was read and not verified. `extra` is not authenticated; None if there is no
    such line."""

    extra: bytes | None
    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes

    @classmethod
    def parse(cls, data: bytes) -> TlogProof:
        """Reads a proof in its one spelling. Fails with `ServerError` of kind `proof`."""
        if len(data) > limits.RECEIPT_BYTES:
            raise _odd(f"the proof has {len(data)} bytes; at most {limits.RECEIPT_BYTES} are read")
        try:
            content = data.decode("utf-8")
        except UnicodeDecodeError:
            raise _odd("the proof is not UTF-8 text") from None
        head, empty, checkpoint = content.partition("\n\n")
        lines = head.split("\n")
        if not empty or not checkpoint or lines.pop(0) != _HEADER:
            raise _odd(f"the proof does not begin with {_HEADER}, or has no checkpoint")
        extra = None
        if lines and lines[0].startswith("extra "):
            extra = base64_bytes(lines.pop(0).removeprefix("extra "))
            if extra is None:
                raise _odd("the extra data of the proof is not base64")
        stated = lines.pop(0) if lines else ""
        index = decimal(stated.removeprefix("index "))
        if not stated.startswith("index ") or index is None:
            raise _odd("the proof has no line with its index")
        if len(lines) > limits.PROOF_HASHES:
            raise _odd(f"the proof has more than {limits.PROOF_HASHES} hashes")
        return cls(extra, index, tuple(_hash(line) for line in lines), checkpoint.encode())

    @property
    def stated_origin(self) -> str:
        """The origin that the checkpoint states. Nothing of it is verified."""
        return self.checkpoint.split(b"\n", 1)[0].decode()


def _hash(line: str) -> bytes:
    found = base64_bytes(line)
    if found is None or len(found) != 32:
        raise _odd("a line of the proof is not the base64 of a 32-byte hash")
    return found


def verify_tlog_proof(
    data: bytes,
    entry: bytes,
    keys: Sequence[VerifierKey | str],
    policy: TlogPolicy | str | None = None,
) -> tuple[int, VerifiedHead]:
    """Checks that the bytes of a leaf are in the log with these keys, by a tlog-proof of any log
    ("Verifying a tlog proof"), and that the policy's quorum cosigned if one is given.

    Returns the leaf's index and the head that it is under. Fails with `AssayError`.
    """
    log = log_keys(keys)
    read = TlogPolicy.parse(policy) if isinstance(policy, str) else policy
    proof = TlogProof.parse(data)
    head = verify_head(proof.checkpoint, log, read)
    size, root = head.checkpoint.size, head.checkpoint.root
    check_inclusion(leaf_hash(entry), proof.index, size, proof.path, root)
    return proof.index, head


def _odd(reason: str) -> AssayError:
    return ServerError("proof", reason)
