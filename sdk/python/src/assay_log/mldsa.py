"""ML-DSA-44 (FIPS 204) as C2SP tlog-cosignature uses it: pure, with an empty context.

`cryptography` has it from some version on, and only with a new enough OpenSSL. Without it such
signatures are *not checked*: they count for nothing, and nothing is refused for them.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

PUBLIC_KEY_BYTES = 1312
SIGNATURE_BYTES = 2420

try:
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

    MLDSA44PublicKey.from_public_bytes(bytes(PUBLIC_KEY_BYTES))
    _available = True
except (ImportError, UnsupportedAlgorithm, ValueError):
    _available = False


def is_available() -> bool:
    """Whether the installed `cryptography` can check these signatures."""
    return _available


def verifies(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether these bytes are the key's signature of the message. False where it is not
    available: ask `is_available` to tell the two apart."""
    if not _available or len(signature) != SIGNATURE_BYTES:
        return False
    try:
        MLDSA44PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
