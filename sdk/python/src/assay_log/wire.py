"""Answers as they travel: the protobuf message `assay.v1.Answer`, and its JSON mapping
(docs/index.md 9; proto/proto/assay/v1/index.proto).

Of a message whose pieces come one by one, join what `parse_answer` gives with `join`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from . import jsontext, limits
from .answer import Answer
from .encoding import base64_bytes, decimal
from .errors import AssayError, ServerError
from .jsontext import Json
from .protobuf import Room, Value, count_varints, fields, packed

_Lists = list[tuple[bytes, list[int]]]


def parse_answer(data: bytes, most_bytes: int | None = None) -> Answer:
    """Reads a protobuf `Answer`, of at most so many bytes. Of a field that stands twice, and is not
    a list, the last one counts, and unknown fields are passed over, as protobuf asks.

    Fails with `ServerError` of kind `message`, or `limit` if it has more fields than are read.
    """
    most = limits.ANSWER_BYTES if most_bytes is None else most_bytes
    if len(data) > most:
        raise _odd(f"the answer has {len(data)} bytes; at most {most} are read")
    single: dict[int, bytes] = {}
    lists: _Lists = []
    leaves: list[int] = []
    entries: list[bytes] = []
    room, space = limits.LISTED_LEAVES, Room(limits.FIELDS)
    for number, value in fields(data, space):
        if number == 5:
            leaves += _numbers(value, limits.ENTRIES - len(leaves))
        elif number == 4:
            label, some = _list(_bytes(value), room, space)
            room -= len(some)
            _add(lists, label, some)
        elif number == 6:
            if len(entries) == limits.ENTRIES:
                raise ServerError("limit", "the answer has more entries than may come at once")
            entries.append(_bytes(value))
        elif number in (1, 2, 3, 7, 8):
            single[number] = _bytes(value)
    note, commitment, cut, proof, place = (single.get(number, b"") for number in (1, 2, 3, 7, 8))
    return _answer(note, commitment, cut, lists, leaves, entries, (proof, place))


def parse_answer_json(data: bytes, most_bytes: int | None = None) -> Answer:
    """Reads the JSON mapping of an `Answer` (protobuf, "ProtoJSON format"): bytes in standard
    base64, numbers of 64 bits as decimal text (or as whole numbers), unknown members passed over.
    Of at most so many bytes.

    Fails with `ServerError` of kind `message`.
    """
    most = limits.ANSWER_JSON_BYTES if most_bytes is None else most_bytes
    if len(data) > most:
        raise _odd(f"the answer has {len(data)} bytes of JSON; at most {most} are read")
    try:
        value = jsontext.parse(data)
    except jsontext.NotStrict as error:
        raise _odd(str(error)) from None
    return answer_of_json(value)


def answer_of_json(value: Json) -> Answer:
    """The `Answer` in JSON that was read; as `parse_answer_json`."""
    if not isinstance(value, dict):
        raise _odd("the answer is not an object")
    lists: _Lists = []
    for item in _json_list(value, "lists"):
        if not isinstance(item, dict):
            raise _odd("a list of the answer is not an object")
        label = _json_bytes(item.get("label", ""))
        _add(lists, label, [_json_number(one) for one in _json_list(item, "leaves")])
    note = value.get("checkpoint", "")
    if not isinstance(note, str):
        raise _odd("the checkpoint is not a text")
    return _answer(
        note.encode("utf-8"),
        _json_bytes(value.get("commitment", "")),
        _json_bytes(value.get("cut", "")),
        lists,
        [_json_number(one) for one in _json_list(value, "leaves")],
        [_json_bytes(one) for one in _json_list(value, "entries")],
        (_json_bytes(value.get("inclusion", "")), _json_bytes(value.get("range", ""))),
    )


def join(pieces: Iterable[Answer]) -> Answer:
    """The answer whose pieces came in this order (docs/index.md 9): checkpoint and commitment stand
    in the first one only. Fails with `ServerError` of kind `message`."""
    parts = list(pieces)
    if not parts or any(part.checkpoint or part.commitment for part in parts[1:]):
        raise _odd("only the first piece of an answer has a checkpoint and a commitment")
    lists: _Lists = []
    for part in parts:
        for label, some in part.lists:
            _add(lists, label, list(some))  # which is gone on with, and is not the piece's
    return Answer(
        parts[0].checkpoint,
        parts[0].commitment,
        b"".join(part.cut for part in parts),
        tuple(lists),
        tuple(pair for part in parts for pair in part.entries),
        tuple(one for part in parts for one in part.proof),
        tuple(one for part in parts for one in part.range),
    )


def _answer(
    note: bytes,
    commitment: bytes,
    cut: bytes,
    lists: _Lists,
    leaves: Sequence[int],
    entries: Sequence[bytes],
    proofs: tuple[bytes, bytes],
) -> Answer:
    if len(leaves) != len(entries):
        raise _odd("an entry has no index, or an index no entry")
    if len(proofs[1]) > 32 * limits.RANGE_HASHES:
        raise _odd("the range proof has more hashes than any needs")
    inclusion, place = (_hashes(joined) for joined in proofs)
    return Answer(
        note, commitment, cut, tuple(lists), tuple(zip(leaves, entries)), inclusion, place
    )


def _hashes(joined: bytes) -> tuple[bytes, ...]:
    if len(joined) % 32 != 0:
        raise _odd("a hash of a proof does not have 32 bytes")
    return tuple(joined[at : at + 32] for at in range(0, len(joined), 32))


def _add(lists: _Lists, label: bytes, leaves: list[int]) -> None:
    """Adds a list, or goes on with the one before it, in place: a list may come in many pieces."""
    if len(label) != 32:
        raise _odd("a label does not have 32 bytes")
    if lists and lists[-1][0] == label:
        lists[-1][1].extend(leaves)
    elif lists and lists[-1][0] > label:
        raise _odd("the lists are not in the order of their labels")
    else:
        lists.append((label, leaves))


def _list(data: bytes, room: int, space: Room) -> tuple[bytes, list[int]]:
    label = b""
    leaves: list[int] = []
    for number, value in fields(data, space):
        if number == 1:
            label = _bytes(value)
        elif number == 2:
            leaves += _numbers(value, room - len(leaves))
    return label, leaves


def _numbers(value: Value | None, room: int) -> list[int]:
    """Repeated numbers: one by itself, or several, packed. Counted before they are read."""
    count = 1 if isinstance(value, int) else count_varints(_bytes(value))
    if count > room:
        raise ServerError("limit", "the answer has more leaves than may come at once")
    return [value] if isinstance(value, int) else packed(_bytes(value))


def _bytes(value: Value | None) -> bytes:
    if not isinstance(value, bytes):
        raise _odd("a field is of another type")
    return value


def _json_list(value: dict[str, Json], key: str) -> list[Json]:
    found = value.get(key)
    if found is None:
        return []
    if not isinstance(found, list) or len(found) > limits.LISTED_LEAVES:
        raise _odd(f"{key} is no array, or too long")
    return found


def _json_bytes(value: Json) -> bytes:
    data = base64_bytes(value) if isinstance(value, str) else None
    if data is None:
        raise _odd("a value is not the base64 of bytes")
    return data


def _json_number(value: Json) -> int:
    if isinstance(value, str):
        number = decimal(value)
        if number is not None:
            return number
    elif type(value) is int and 0 <= value < 1 << 64:
        return value
    raise _odd("a value is not a whole number of 64 bits")


def _odd(reason: str) -> AssayError:
    return ServerError("message", reason)
