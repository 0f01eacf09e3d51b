"""Complete answers and pages (docs/index.md 8): what they hold, and what a verifier refuses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from . import limits
from .cut import Leaf, Node, found, read_cut
from .entry import Commitment, Entry, parse_entry
from .errors import LogError, ServerError, UnsupportedError
from .labels import labels_of
from .merkle import check_multiproof, check_range, leaf_hash, list_root
from .question import Census, Names, Question

MAPPING_VERSION = 2


@dataclass(frozen=True, slots=True)
class Answer:
    """What a node answers; nothing of it is verified. `wire` reads it."""

    checkpoint: bytes
    commitment: bytes
    cut: bytes
    # A label and leaf indices, for every label that is said to be found.
    lists: tuple[tuple[bytes, list[int]], ...]
    # A leaf index and the bytes of the entry there.
    entries: tuple[tuple[int, bytes], ...]
    proof: tuple[bytes, ...]
    # The range proof of a page.
    range: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Checked:
    """What a checked answer shows: what was asked for and is neither in `lists` nor `overlong` is
    in no leaf that the index covers."""

    commitment: Commitment
    # When the log says that it committed, in milliseconds since 1970.
    committed_at_ms: int
    node: Node | None
    # Whole lists, by label.
    lists: dict[bytes, list[int]]
    # Those whose lists are too long to come; their lengths are proven.
    overlong: tuple[Leaf, ...]
    # Indices in the lists whose entries did not come.
    missing: tuple[int, ...]
    # The entries that came, by leaf, ascending.
    entries: dict[int, Entry]
    # All labels that were found: of a census there is nothing else.
    found: tuple[Leaf, ...]


@dataclass(frozen=True, slots=True)
class CheckedPage:
    """What a checked page shows: these indices stand from a position on in the list of a label. It
    says nothing about the rest."""

    commitment: Commitment
    committed_at_ms: int
    # The label's leaf with the length of its list; None if the index does not have the label.
    leaf: Leaf | None
    indices: list[int]
    entries: dict[int, Entry]


def check_answer(
    size: int, root: bytes, question: Question, answer: Answer, cosigned_at: int | None = None
) -> Checked:
    """Checks an answer to a question under a checkpoint that was verified (docs/index.md 8.2), and
    that a quorum had cosigned at a time, in seconds since 1970, if one is asked for.

    Fails with `ServerError`; with `LogError` where the log signed for what is wrong; and with
    `UnsupportedError` for another mapping version.
    """
    last, commitment = check_commitment(size, root, answer)
    check_time(last.logged_at_ms, cosigned_at)
    node = read_cut(answer.cut, commitment.root, commitment.labels)
    leaves = found(node, question)
    listed = [] if isinstance(question, Census) else leaves
    overlong = tuple(leaf for leaf in listed if leaf.length > limits.WHOLE_LIST)
    listed = [leaf for leaf in listed if leaf.length <= limits.WHOLE_LIST]
    if sum(leaf.length for leaf in listed) > limits.LISTED_LEAVES:
        raise ServerError("limit", "the lists have more leaves together than may come at once")
    if [label for label, _ in answer.lists] != [leaf.label for leaf in listed]:
        raise ServerError("lists", "the lists are not those that the cut shows")
    for leaf, (_, indices) in zip(listed, answer.lists):
        _check_list(leaf, indices, size)
    if answer.range:
        raise ServerError("range", "there is a range proof and no page")
    lists = dict(answer.lists)
    entries, missing = _check_entries(lists, answer.entries)
    return Checked(
        commitment, last.logged_at_ms, node, lists, overlong, missing, entries, tuple(leaves)
    )


def _check_list(leaf: Leaf, indices: Sequence[int], size: int) -> None:
    """The list is the committed one. One of the right length and root that is out of order, or
    names what the commitment does not cover, is what the log committed to."""
    if len(indices) != leaf.length:
        raise ServerError("lists", "a list is not as long as the index says")
    if list_root(indices) != leaf.list_root:
        raise ServerError("lists", "a list is another one than the index's")
    if any(a >= b for a, b in zip(indices, indices[1:])):
        raise LogError("lists", "a list is not ascending")
    if indices[-1] >= size - 1:
        raise LogError("lists", "a list names a leaf that the commitment does not cover")


def _check_entries(
    lists: dict[bytes, list[int]], entries: Iterable[tuple[int, bytes]]
) -> tuple[dict[int, Entry], tuple[int, ...]]:
    """The entries are those that the lists name, and each has the labels whose lists name it. They
    are proven to be in the log, so that what is wrong inside one is the log's."""
    came = dict(entries)
    listed = {index for indices in lists.values() for index in indices}
    if not came.keys() <= listed:
        raise ServerError("entries", "an entry is in none of the lists")
    missing = listed - came.keys()
    must = {index for indices in lists.values() for index in indices[: limits.LABEL_ENTRIES]}
    if must & missing:
        raise ServerError("entries", "an entry is missing")
    read = {index: _read(index, data) for index, data in came.items()}
    borne = {index: labels_of(entry) for index, entry in read.items()}
    for label, indices in lists.items():
        if any(index in borne and label not in borne[index] for index in indices):
            raise LogError("entries", "an entry does not have the label that its list is for")
    return read, tuple(sorted(missing))


def _read(index: int, data: bytes) -> Entry:
    try:
        return parse_entry(data)
    except ServerError as error:
        raise LogError("entries", f"leaf {index} is not an entry: {error.reason}") from None


def check_page(
    size: int,
    root: bytes,
    label: bytes,
    start: int,
    answer: Answer,
    cosigned_at: int | None = None,
) -> CheckedPage:
    """Checks a page of a label's list, from the position `start` on, under a checkpoint that was
    verified (docs/index.md 8.3). Fails as `check_answer` does."""
    last, commitment = check_commitment(size, root, answer)
    check_time(last.logged_at_ms, cosigned_at)
    node = read_cut(answer.cut, commitment.root, commitment.labels)
    leaves = found(node, Names.of((label[:16],), (label[16:],)))
    leaf = leaves[0] if leaves else None
    if [one for one, _ in answer.lists] != [label] * len(leaves):
        raise ServerError("lists", "the list is not the one that was asked for")
    indices = answer.lists[0][1] if answer.lists else []
    if any(a >= b for a, b in zip(indices, indices[1:])):
        raise ServerError("lists", "a list is not ascending")
    if indices and indices[-1] >= size - 1:
        raise ServerError("lists", "a list names a leaf that the commitment does not cover")
    if len(indices) > limits.PAGE:
        raise ServerError("limit", "a page has more leaves than may come at once")
    if leaf is not None and start + len(indices) > leaf.length:
        raise ServerError("lists", "the page goes on beyond the list's end")
    if leaf is not None and not indices and start < leaf.length:
        raise ServerError("lists", "the page stops in the middle of the list")
    if leaf is not None and indices:
        check_range(leaf.length, leaf.list_root, start, indices, answer.range)
    elif answer.range:
        raise ServerError("range", "there is a range proof and no page")
    if [index for index, _ in answer.entries] != indices:
        raise ServerError("entries", "an entry is missing, or in no list")
    entries = {index: _read(index, data) for index, data in answer.entries}
    if any(label not in labels_of(entry) for entry in entries.values()):
        raise LogError("entries", "an entry does not have the label that its list is for")
    return CheckedPage(commitment, last.logged_at_ms, leaf, indices, entries)


def check_commitment(size: int, root: bytes, answer: Answer) -> tuple[Entry, Commitment]:
    """Checks that the last leaf is a commitment that can be read here, and that it and all entries
    stand where the answer says (docs/index.md 8.2, 1 to 3)."""
    if size == 0:
        raise LogError("empty", "the log is empty, which no log with an index ever publishes")
    leaves = [(index, leaf_hash(data)) for index, data in answer.entries]
    check_multiproof(size, root, [*leaves, (size - 1, leaf_hash(answer.commitment))], answer.proof)
    try:
        last = parse_entry(answer.commitment)
    except ServerError as error:
        reason = f"the last leaf is not an entry: {error.reason}"
        raise LogError("commitment", reason) from None
    commitment = last.body
    if not isinstance(commitment, Commitment):
        raise LogError("commitment", "the last leaf is no index commitment")
    version = commitment.mapping_version
    if version != MAPPING_VERSION:
        reason = f"unsupported mapping version {version}; version 2 is supported"
        raise UnsupportedError("unsupported", reason)
    if len(commitment.root) != 32:
        raise LogError("commitment", "the commitment's root does not have 32 bytes")
    return last, commitment


# How far a last leaf may be after its quorum's time, and before it (docs/index.md 1.2).
_AHEAD_MS, _BEHIND_MS = 5 * 60 * 1000, 70 * 60 * 1000


def check_time(committed_at_ms: int, cosigned_at: int | None) -> None:
    """Refuses a last leaf that is dated after its quorum, or long before. Fails with `LogError`."""
    if cosigned_at is None:
        return
    check_ahead(committed_at_ms, cosigned_at)
    if cosigned_at * 1000 - committed_at_ms > _BEHIND_MS:
        raise LogError("time", "the last leaf is dated long before the witnesses cosigned it")


def check_ahead(logged_at_ms: int, cosigned_at: int) -> None:
    """Refuses a leaf that is dated after a quorum had cosigned the checkpoint that it is under, but
    for what clocks differ. Fails with `LogError`."""
    if logged_at_ms - cosigned_at * 1000 > _AHEAD_MS:
        raise LogError("time", "a leaf is dated after the witnesses had cosigned its checkpoint")
