"""Reading protobuf: messages as the wire format allows them, and entries in their one spelling.

Both readers are iterative and never take more memory than the bytes they are given.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from .errors import AssayError, ServerError

Value = int | bytes
# The bytes after which a number goes on.
_GO_ON = bytes(range(0x80, 0x100))


def _odd(reason: str) -> AssayError:
    return ServerError("message", reason)


def varint(data: bytes, at: int) -> tuple[int, int]:
    """Reads a base-128 number of 64 bits, in any spelling of at most 10 bytes; returns it and
    where it ends. Fails with `ServerError` of kind `message`."""
    value = shift = 0
    while True:
        if at >= len(data) or shift == 70:
            raise _odd("the message ends inside a number, or a number is too long")
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            if value >= 1 << 64:
                raise _odd("a number is too large")
            return value, at


class Room:
    """How many more fields are read of a message and of those inside it."""

    def __init__(self, most: int) -> None:
        self._left = most

    def take(self) -> None:
        """Counts one. Fails with `ServerError` of kind `limit`."""
        self._left -= 1
        if self._left < 0:
            raise ServerError("limit", "the message has more fields than are read")


def fields(data: bytes, room: Room) -> Iterator[tuple[int, Value | None]]:
    """The fields of a message in the order in which they stand, number and value: None for one of
    fixed width, which no message here has. Groups, which nobody writes, are refused. Fails with
    `ServerError` of kind `message`, or `limit` if there is no room for them."""
    at = 0
    while at < len(data):
        room.take()
        key, at = varint(data, at)
        number, wire_type = key >> 3, key & 7
        if not 1 <= number < 1 << 29:
            raise _odd("a field has an impossible number")
        if wire_type == 0:
            value, at = varint(data, at)
            yield number, value
            continue
        if wire_type == 2:
            length, at = varint(data, at)
        elif wire_type in (1, 5):
            length = 8 if wire_type == 1 else 4
        else:
            raise _odd("a field has an unknown wire type")
        if length > len(data) - at:
            raise _odd("the message ends inside a field")
        yield number, data[at : at + length] if wire_type == 2 else None
        at += length


def count_varints(data: bytes) -> int:
    """How many numbers are packed in these bytes: what is counted is where one ends."""
    return len(data.translate(None, _GO_ON))


def packed(data: bytes) -> list[int]:
    """The numbers that are packed in these bytes, as `varint` reads them, one after another: there
    can be millions. Fails with `ServerError` of kind `message`."""
    numbers, number, shift = [], 0, 0
    for byte in data:
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            if number >= 1 << 64:
                raise _odd("a number is too large")
            numbers.append(number)
            number = shift = 0
        else:
            shift += 7
            if shift == 70:
                break
    if shift:
        raise _odd("the message ends inside a number, or a number is too long")
    return numbers


def canonical_varint(data: bytes, at: int) -> tuple[int, int]:
    """As `varint`, in as few bytes as possible."""
    start = at
    value, at = varint(data, at)
    if at - start > 1 and data[at - 1] == 0:
        raise _odd("a number of the entry has superfluous bytes")
    return value, at


def canonical(
    data: bytes, numbers: Collection[int], texts: Collection[int], repeated: Collection[int] = ()
) -> dict[int, list[Value]]:
    """Reads a message in its one canonical spelling (docs/index.md 1.1).

    `numbers` and `texts` are the fields that it may have; all stand in ascending order, each at
    most once if it is not among `repeated`, and a number 0 is left out. Returns the values by
    field. Fails with `ServerError` of kind `message`.
    """
    at = last = 0
    found: dict[int, list[Value]] = {}
    while at < len(data):
        key, at = canonical_varint(data, at)
        number, wire_type = key >> 3, key & 7
        if not (number > last or (number == last and number in repeated)):
            raise _odd("a field stands twice or in the wrong place")
        last = number
        value, at = canonical_varint(data, at)
        if number in numbers and wire_type == 0:
            if value == 0:
                raise _odd("a zero is spelled out")
            found.setdefault(number, []).append(value)
        elif number in texts and wire_type == 2:
            if value > len(data) - at:
                raise _odd("the entry ends inside a field")
            found.setdefault(number, []).append(data[at : at + value])
            at += value
        else:
            raise _odd("a field is unknown or of another type")
    return found


def bytes_field(number: int, data: bytes) -> bytes:
    """A field of bytes or text, as it is written."""
    return write_varint(number << 3 | 2) + write_varint(len(data)) + data


def write_varint(value: int) -> bytes:
    """A number in as few bytes as possible."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
