"""Spellings that several formats share, each read in its one form only."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import unicodedata

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,19}")
_HEX = re.compile(r"(?:[0-9a-f]{2})*")


def sha256(data: bytes) -> bytes:
    """SHA-256, 32 bytes."""
    return hashlib.sha256(data).digest()


def u64be(number: int) -> bytes:
    """A number from 0 to 2^64 - 1 in 8 bytes, the most significant first."""
    return number.to_bytes(8, "big")


def base64_bytes(text: str) -> bytes | None:
    """Standard base64 with padding (RFC 4648, section 4) in its one spelling, else None.

    Python takes text whose last character has bits that are thrown away; writing what was read
    again shows them.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if base64_text(data) == text else None


def base64_text(data: bytes) -> str:
    """Standard base64 with padding."""
    return base64.b64encode(data).decode("ascii")


def hex_bytes(text: str, length: int) -> bytes | None:
    """So many bytes in lower-case hex, else None."""
    if len(text) != 2 * length or _HEX.fullmatch(text) is None:
        return None
    return bytes.fromhex(text)


def decimal(text: str) -> int | None:
    """A decimal number of 64 bits without sign and leading zeros (C2SP), else None."""
    if _DECIMAL.fullmatch(text) is None:
        return None
    number = int(text)
    return number if number < 1 << 64 else None


def has_control(text: str) -> bool:
    """Whether a text has a control character (Unicode category Cc)."""
    return any(unicodedata.category(c) == "Cc" for c in text)
