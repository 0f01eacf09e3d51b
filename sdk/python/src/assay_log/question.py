"""What an index is asked, and where a question goes at each node (docs/index.md 6.3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from . import limits
from .errors import CallerError

LABEL_BITS = 256
NAME_BITS = 128


def prefix_of(name: bytes, bits: int) -> bytes:
    """The first bits of a label, zeros after them, in 32 bytes."""
    rest = LABEL_BITS - bits
    return (int.from_bytes(name, "big") >> rest << rest).to_bytes(32, "big")


def begins(name: bytes, prefix: bytes, bits: int) -> bool:
    """Whether 32 bytes begin with as many bits of a prefix."""
    different = int.from_bytes(name, "big") ^ int.from_bytes(prefix, "big")
    return LABEL_BITS - different.bit_length() >= bits


def bit(name: bytes, number: int) -> int:
    """A bit of a label, the most significant being number 0."""
    return name[number // 8] >> (7 - number % 8) & 1


@dataclass(frozen=True, slots=True)
class Names:
    """What each of some speakers said about each of some names: halves of labels, 16 bytes."""

    names: frozenset[bytes]
    by: frozenset[bytes]

    @classmethod
    def of(cls, names: Iterable[bytes], by: Iterable[bytes]) -> Names:
        """A question for these halves. Fails with `CallerError` over the limits of section 9."""
        question = cls(frozenset(names), frozenset(by))
        if len(question.names) > limits.LOOKUP_NAMES or len(question.by) > limits.LOOKUP_BY:
            raise CallerError("question", "the question has too many names or speakers")
        if any(len(half) != 16 for half in question.names | question.by):
            raise CallerError("question", "half of a label has 16 bytes")
        return question

    def asks_for(self, label: bytes) -> bool:
        return label[:16] in self.names and label[16:] in self.by

    def below(self, bits: int, prefix: bytes) -> tuple[Question | None, Question | None]:
        """What is asked of the two children of an inner node."""
        sides: tuple[list[bytes], list[bytes]] = ([], [])
        if bits < NAME_BITS:
            for name in self.names:
                if begins(name.ljust(32, b"\0"), prefix, bits):
                    sides[bit(name, bits)].append(name)
            return _each(*(Names(frozenset(side), self.by) if side else None for side in sides))
        name = prefix[:16]
        for by in self.by if name in self.names else ():
            if begins(name + by, prefix, bits):
                sides[bit(name + by, bits)].append(by)
        one = frozenset((name,))
        return _each(*(Names(one, frozenset(side)) if side else None for side in sides))


@dataclass(frozen=True, slots=True)
class Crowd:
    """What some speakers said about any name that begins with a prefix of at most 128 bits, given
    in 32 bytes, zeros after its bits."""

    prefix: bytes
    bits: int
    by: frozenset[bytes]

    def asks_for(self, label: bytes) -> bool:
        return begins(label, self.prefix, self.bits) and label[16:] in self.by

    def below(self, bits: int, prefix: bytes) -> tuple[Question | None, Question | None]:
        """What is asked of the two children: each name shows itself; within a name only the
        speakers are asked for."""
        if bits < self.bits or not begins(prefix, self.prefix, self.bits):
            return _toward(self, bits, prefix)
        if bits < NAME_BITS:
            return self, self
        return Names(frozenset((prefix[:16],)), self.by).below(bits, prefix)


@dataclass(frozen=True, slots=True)
class Census:
    """Which labels begin with a prefix of at most 256 bits, without their lists."""

    prefix: bytes
    bits: int

    def asks_for(self, label: bytes) -> bool:
        return begins(label, self.prefix, self.bits)

    def below(self, bits: int, prefix: bytes) -> tuple[Question | None, Question | None]:
        """What is asked of the two children of an inner node."""
        if bits >= self.bits and begins(prefix, self.prefix, self.bits):
            return self, self
        return _toward(self, bits, prefix)


Question = Names | Crowd | Census


def asks_nothing(question: Question | None) -> bool:
    """Whether a node that is asked this need not be visited."""
    if question is None:
        return True
    return isinstance(question, Names) and not (question.names and question.by)


def _toward(
    question: Crowd | Census, bits: int, prefix: bytes
) -> tuple[Question | None, Question | None]:
    """The side of a node where a longer prefix goes on, if it begins as the node does."""
    if bits >= question.bits or not begins(question.prefix, prefix, bits):
        return None, None
    return (None, question) if bit(question.prefix, bits) else (question, None)


def _each(left: Names | None, right: Names | None) -> tuple[Question | None, Question | None]:
    return left, right
