"""Ed25519, verified strictly: RFC 8032, section 5.1.7, and no more than one key per signature.

Verifiers disagree on crafted signatures (C2SP/CCTV `ed25519`). The rule here is that of
ed25519-dalek's `verify_strict`, which everybody in Assay uses:

- public key A and R are encoded canonically (y < p);
- neither A nor R has small order, for such keys and signatures fit any message;
- S < L;
- the equation S B = R + k A holds without the cofactor, by comparing the bytes of R.

The last two are what `cryptography` (OpenSSL) checks; the others are checked here before.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, P - 2, P) % P

# The y of the two pairs of points of order 8; the other points of small order have y 0, 1 and -1.
_ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_SMALL_ORDER_Y = frozenset((0, 1, P - 1, _ORDER_8, P - _ORDER_8))


def is_sound_point(encoded: bytes) -> bool:
    """Whether 32 bytes encode y canonically, and not that of a point of small order.

    That they are on the curve is not asked: a key that is not verifies nothing.
    """
    y = int.from_bytes(encoded, "little") & (1 << 255) - 1
    return len(encoded) == 32 and y < P and y not in _SMALL_ORDER_Y


def is_on_curve(encoded: bytes) -> bool:
    """Whether 32 bytes with a canonical y are a point of the curve (RFC 8032, section 5.1.3)."""
    y = int.from_bytes(encoded, "little") & (1 << 255) - 1
    square = (y * y - 1) * pow(_D * y * y + 1, P - 2, P) % P
    return square == 0 or pow(square, (P - 1) // 2, P) == 1


def is_sound_key(public_key: bytes) -> bool:
    """Whether 32 bytes are a key that signatures may be checked with."""
    return is_sound_point(public_key) and is_on_curve(public_key)


def verifies(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether 64 bytes are the key's signature of the message, by the strict rule."""
    if len(public_key) != 32 or len(signature) != 64:
        return False
    if not is_sound_point(public_key) or not is_sound_point(signature[:32]):
        return False
    if int.from_bytes(signature[32:], "little") >= L:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
