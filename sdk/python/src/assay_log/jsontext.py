"""JSON as payloads are read (docs/index.md 3.5): a text of RFC 8259 in UTF-8, without a key that
stands twice, half a surrogate pair, or nesting over 32 deep. Numbers may be of any size."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

from . import limits

# What json.loads gives.
Json = Any

# A string, also one that the text ends in, so that no input is scanned twice; or a bracket.
_TOKENS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")


class NotStrict(ValueError):
    """Bytes are not JSON, or JSON that two readers could read differently."""


def parse(data: bytes, depth: int = limits.JSON_DEPTH) -> Json:
    """Reads strict JSON. Fails with `NotStrict`. Whole numbers become int, others float, and what
    is too long for either is an infinite float, so that no input costs more than its length."""
    # Every value but the first, and those in one another, has a comma before it.
    if data.count(b",") >= limits.JSON_VALUES:
        raise NotStrict("not JSON that is read: it has too many values")
    try:
        text = data.decode("utf-8")
        _check_depth(text, depth)
        value = json.loads(
            text,
            object_pairs_hook=_distinct,
            parse_constant=_no_constant,
            parse_int=_whole,
            parse_float=float,
        )
    except (ValueError, RecursionError) as error:
        raise NotStrict(f"not strict JSON: {error}") from None
    _check_strings(value)
    return value


def _check_depth(text: str, depth: int) -> None:
    """Counts brackets before anything recursive reads them."""
    open_now = 0
    for token in _TOKENS.finditer(text):
        if token[0] in "[{":
            open_now += 1
            if open_now > depth:
                raise NotStrict("nested too deep")
        elif token[0] in "]}":
            open_now -= 1


def _distinct(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotStrict("a key stands twice")
    return members


def _no_constant(name: str) -> NoReturn:
    raise NotStrict(f"{name} is not JSON")


def _whole(text: str) -> int | float:
    if text == "-0":
        return -0.0
    return int(text) if len(text) <= 300 else math.inf


def _check_strings(value: Json) -> None:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            if _SURROGATE.search(one):
                raise NotStrict("half a surrogate pair")
        elif isinstance(one, dict):
            waiting.extend(one.keys())
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)


def members(value: Json) -> dict[str, Json]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def text(value: Json, key: str) -> str | None:
    """The member of an object if it is a string."""
    found = members(value).get(key)
    return found if isinstance(found, str) else None


def items(value: Json, key: str) -> list[Json]:
    """The member of an object if it is an array, else an empty one."""
    found = members(value).get(key)
    return found if isinstance(found, list) else []
