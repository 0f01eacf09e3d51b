"""Asking a node over its HTTP read API, and verifying what it answers.

A name is asked for with who spoke of it, so that what strangers say makes no answer longer
(docs/index.md, introduction). Every answer is verified as docs/index.md 8 says; the node, its
proxies and the network are trusted for nothing but to answer at all.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from urllib.parse import urlencode

from . import http, jsontext, limits
from .answer import Answer, Checked, CheckedPage, check_answer, check_page
from .checkpoint import log_keys
from .encoding import hex_bytes
from .entry import Claim, Entry
from .errors import CallerError, LogError, ServerError, UnavailableError
from .issuer import ISSUER, KEY_COMPROMISE
from .labels import Name, by_half, half, package_names
from .lookup import Lookup, about, assemble
from .merkle import leaf_hash, list_root
from .note import VerifierKey
from .policy import TlogPolicy, VerifiedHead, verify_head
from .purl import is_canonical
from .question import Census, Names, Question
from .receipt import VerifiedReceipt, verify_receipt
from .wire import parse_answer, parse_answer_json

PROTOBUF, JSON = "application/protobuf", "application/json"
# Halves in one request: they stand in its URL, and servers bound that.
_HALVES = 100
# Heads that a Log remembers, by size: two roots of one size are misbehavior.
_HEADS = 10_000
# Requests that one look-up may take: a node that answers in crumbs is not asked for ever.
_REQUESTS = 1_000
# How often a look-up is tried until its answers are of one head: a log grows between two of them.
_TRIES = 3
# How far a log's clock may be ahead of the caller's, in seconds (docs/index.md 1.2).
_AHEAD = 5 * 60
# A path with its query and the media type that is wanted, for whoever has another way to the node.
Fetch = Callable[[str, str], http.Body]


class Log:
    """A log at a node, by its keys and, if witnesses are to be relied on, a policy.

    `keys` are the log's verifier keys, `policy` a text in C2SP tlog-policy or one that was read.
    `max_age` is how old, in seconds, an answer may be, by a clock in seconds since 1970. `seconds`
    bounds one request, `most_bytes` one answer (of JSON half as much is read), and `most_claims`
    how much is read of a list that is too long to come at once.

    It remembers the heads that it was shown, and refuses an answer of an older one.
    """

    def __init__(
        self,
        url: str,
        keys: Sequence[VerifierKey | str],
        policy: TlogPolicy | str | None = None,
        *,
        max_age: float | None = 24 * 60 * 60,
        seconds: float = 30,
        most_bytes: int = limits.ANSWER_BYTES,
        most_claims: int = 20_000,
        clock: Callable[[], float] | None = None,
        fetch: Fetch | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self.keys = log_keys(keys)
        self.policy = TlogPolicy.parse(policy) if isinstance(policy, str) else policy
        self.max_age = max_age
        self.seconds = seconds
        self.most_bytes = most_bytes
        self.most_claims = most_claims
        self._clock = clock or time.time
        self._fetch = fetch or self._get
        # By size, in the order in which they came: the root and the note that signs it.
        self._heads: dict[int, tuple[bytes, bytes]] = {}
        self._largest = 0

    def lookup(
        self,
        *,
        purl: str | None = None,
        digest: str | None = None,
        vulnerability: str | None = None,
        issuers: Iterable[str] | None = None,
    ) -> Lookup:
        """What `issuers` (ids in hex) said about a package, a digest (`sha256:<hex>`) or a
        vulnerability; without `issuers`, what anybody said.

        Of a purl with a version that is what was said of the package: which claims bear on the
        version is the caller's to read. It asks again if the log grew meanwhile; what came of more
        than one head all the same is not complete. Fails with `AssayError`.
        """
        name, said = _name(purl, digest, vulnerability), _Said(self.keys)
        wanted = None if issuers is None else {_id(one) for one in issuers}
        if wanted is not None and not wanted:
            raise CallerError("question", "ask for at least one issuer, or for everybody")
        for _ in range(_TRIES):
            said.begin_again()
            found = self._look_up(said, name, wanted)
            if said.is_of_one_head:
                return found
        return replace(found, is_complete=False)

    def _look_up(self, said: _Said, name: Name, wanted: set[bytes] | None) -> Lookup:
        if wanted is None:
            speakers = self._census(name, said)
        else:
            speakers = {one[:16] for one in wanted}
        entries = about(self._ask_names(said, [half(*name)], speakers), [name])
        if wanted is not None:
            entries = {leaf: one for leaf, one in entries.items() if _signers(one) & wanted}
        behind = self._ask_behind(said, entries)
        self._check_age(said)
        return assemble(said.head, said.committed_at_ms, entries, behind, said.is_complete)

    def _census(self, name: Name, said: _Said) -> set[bytes]:
        """Who speaks of a name, as halves of labels: the census (docs/index.md 6.3), which
        strangers can lengthen, so that no decision may need it."""
        prefix = half(*name)
        question = Census(prefix.ljust(32, b"\0"), 128)
        checked = self._ask(said, question, "prefix", [("prefix", prefix.hex()), ("bits", "128")])
        if len(checked.found) > limits.LOOKUP_BY:
            raise CallerError("question", "too many speak of it; say whose word counts")
        return {leaf.label[16:] for leaf in checked.found}

    def page(self, label: bytes, start: int = 0) -> CheckedPage:
        """What is listed under one label, 32 bytes, from a position on (docs/index.md 8.3)."""
        return self._page(_Said(self.keys), label, start)

    def receipt(self, claim_id: str, leaf: int | None = None) -> VerifiedReceipt:
        """The receipt of a claim, by its id in hex, verified by the records of issuers that came
        with it: see `verify_receipt`. Whoever signs the same statement makes a claim of the same
        id: without `leaf`, it is the first one's."""
        _id(claim_id)
        which = "" if leaf is None else f"?leaf={leaf}"
        body = self._fetch(f"/api/v1/receipt/{claim_id}{which}", JSON)
        if body.media_type != JSON:
            raise ServerError("message", "something else answers in place of a log")
        if len(body.data) > self.most_bytes // 2:
            raise ServerError("message", f"the receipt has {len(body.data)} bytes of JSON")
        try:
            value = jsontext.parse(body.data)
        except jsontext.NotStrict as error:
            raise ServerError("message", f"the receipt is {error}") from None
        files = [_files(one) for one in (value, *jsontext.items(value, "issuers"))]
        receipt = verify_receipt(*files[0], self.keys, self.policy, files[1:])
        self._remember(receipt.head)
        if receipt.claim.id.hex() != claim_id:
            raise ServerError("match", "the receipt is of another claim")
        if leaf is not None and receipt.index != leaf:
            raise ServerError("match", "the receipt is of another leaf")
        return receipt

    def _page(self, said: _Said, label: bytes, start: int) -> CheckedPage:
        query = [("label", label.hex()), ("from", str(start))]
        answer, head = self._answer(said, "lookup", query)
        size, root = head.checkpoint.size, head.checkpoint.root
        page = check_page(size, root, label, start, answer, head.cosigned_at)
        self._take(said, page, answer, head)
        return page

    def _pages(self, said: _Said, label: bytes) -> dict[int, Entry]:
        """The entries of a whole list, page by page: it is complete if its pages make up the list
        of the last one's commitment. One that is too long is not complete."""
        entries: dict[int, Entry] = {}
        while len(entries) < self.most_claims:
            page = self._page(said, label, len(entries))
            indices = [*entries, *page.indices]
            if any(a >= b for a, b in zip(indices, indices[1:])):
                raise ServerError("lists", "the pages of a list do not follow one another")
            entries.update(page.entries)
            if page.leaf is None and not entries:
                return entries
            if page.leaf is None or (not page.indices and len(entries) > page.leaf.length):
                raise ServerError("lists", "a list has become shorter")
            if len(entries) == page.leaf.length:
                if list_root(indices) != page.leaf.list_root:
                    raise ServerError("lists", "the pages do not make up the list")
                return entries
        said.is_complete = False
        return entries

    def _ask_names(
        self, said: _Said, names: Iterable[bytes], by: Iterable[bytes]
    ) -> dict[int, Entry]:
        """Asks for all these names by all these speakers, in as many requests as it takes."""
        entries: dict[int, Entry] = {}
        speakers = _parts(by)
        for some in _parts(names):
            for few in speakers:
                entries.update(self._ask_some(said, some, few))
        return entries

    def _ask_some(self, said: _Said, names: list[bytes], by: list[bytes]) -> dict[int, Entry]:
        """Asks in one request, or in two of half as many if the answer would be too large; a list
        that comes in no answer comes in pages."""
        query = [("name", one.hex()) for one in names] + [("by", one.hex()) for one in by]
        try:
            checked = self._ask(said, Names.of(names, by), "batch", query)
        except UnavailableError as error:
            if error.kind != "too-large":
                raise
            if len(names) == len(by) == 1:
                return self._pages(said, names[0] + by[0])
            at, entries = max(len(names), len(by)) // 2, {}
            for half_of in (slice(0, at), slice(at, None)):
                if len(names) > len(by):
                    entries.update(self._ask_some(said, names[half_of], by))
                else:
                    entries.update(self._ask_some(said, names, by[half_of]))
            return entries
        entries, missing = dict(checked.entries), set(checked.missing)
        long = [leaf.label for leaf in checked.overlong]
        long += [label for label, indices in checked.lists.items() if missing & set(indices)]
        for label in long:
            entries.update(self._pages(said, label))
        return entries

    def _ask_behind(self, said: _Said, entries: dict[int, Entry]) -> dict[int, Entry]:
        """Asks for the records and compromises of those who signed, and for their withdrawals of
        and responses to these claims."""
        issuers = {one.hex() for entry in entries.values() for one in _signers(entry)}
        ids = {one.body.id.hex() for one in entries.values() if isinstance(one.body, Claim)}
        types = [by_half("issuer", one) for one in (ISSUER, KEY_COMPROMISE)]
        records = self._ask_names(said, [half("issuer", one) for one in issuers], types)
        halves = [bytes.fromhex(one)[:16] for one in issuers]
        replies = self._ask_names(said, [half("claim", one) for one in ids], halves)
        return {
            **about(records, [("issuer", one) for one in issuers]),
            **about(replies, [("claim", one) for one in ids]),
        }

    def _ask(
        self, said: _Said, question: Question, path: str, query: list[tuple[str, str]]
    ) -> Checked:
        answer, head = self._answer(said, path, query)
        size, root = head.checkpoint.size, head.checkpoint.root
        checked = check_answer(size, root, question, answer, head.cosigned_at)
        self._take(said, checked, answer, head)
        return checked

    def _answer(
        self, said: _Said, path: str, query: list[tuple[str, str]]
    ) -> tuple[Answer, VerifiedHead]:
        said.count()
        body = self._fetch(f"/api/v1/{path}?{urlencode(query)}", PROTOBUF)
        if body.media_type not in (PROTOBUF, JSON):
            raise ServerError("message", "something else answers in place of a log")
        if body.media_type == JSON:
            answer = parse_answer_json(body.data, self.most_bytes // 2)
        else:
            answer = parse_answer(body.data, self.most_bytes)
        head = verify_head(answer.checkpoint, self.keys, self.policy)
        self._remember(head)
        if head.checkpoint.size < self._largest:
            reason = f"the head has the size {head.checkpoint.size}, and {self._largest} was shown"
            raise ServerError("older", reason + " before: newer heads are withheld")
        return answer, head

    def _remember(self, head: VerifiedHead) -> None:
        """Holds a head to those before it. That it grew out of them is not judged."""
        size, root = head.checkpoint.size, head.checkpoint.root
        shown = (root, head.note.signed_by(self.keys))
        before = self._heads.setdefault(size, shown)
        if before[0] != root:
            reason = f"the log signed two roots for the size {size}"
            raise LogError("split", reason, (before[1], shown[1]))
        if len(self._heads) > _HEADS:
            del self._heads[next(iter(self._heads))]
        self._largest = max(self._largest, size)

    def _take(
        self, said: _Said, checked: Checked | CheckedPage, answer: Answer, head: VerifiedHead
    ) -> None:
        """Takes an answer that was checked to those before it."""
        ahead = checked.committed_at_ms / 1000 - self._clock()
        if ahead > _AHEAD:
            reason = f"the head is dated {ahead:.0f} seconds in the future: the log's clock is"
            raise UnavailableError("clock", reason + " wrong, or this machine's")
        last = head.checkpoint.size - 1
        leaves = {leaf: entry.leaf_hash for leaf, entry in checked.entries.items()}
        said.add(checked.committed_at_ms, head, {**leaves, last: leaf_hash(answer.commitment)})

    def _get(self, path: str, accept: str) -> http.Body:
        most = self.most_bytes // 2 if accept == JSON else self.most_bytes
        return http.get(self.url + path, accept, self.seconds, most)

    def _check_age(self, said: _Said) -> None:
        at_ms = said.committed_at_ms
        if said.head.cosigned_at is not None:
            at_ms = min(at_ms, said.head.cosigned_at * 1000)
        age = self._clock() - at_ms / 1000
        if self.max_age is not None and age > self.max_age:
            reason = f"the answer is {age:.0f} seconds old: newer heads are withheld, or the log"
            raise ServerError("stale", reason + " stopped")


class _Said:
    """What several answers of one log show together, as of the oldest of them."""

    def __init__(self, keys: Sequence[VerifierKey]) -> None:
        self.is_complete = True
        self.answers: list[tuple[int, int, VerifiedHead]] = []
        self._keys = keys
        self._asked = 0
        # What stands at a leaf, by the head that it was proven under first.
        self._leaves: dict[int, tuple[bytes, VerifiedHead]] = {}

    def begin_again(self) -> None:
        """Forgets the answers; what the log showed at its leaves, and how often it was asked, is
        kept."""
        self.is_complete = True
        self.answers = []

    @property
    def is_of_one_head(self) -> bool:
        """Whether all answers are of one tree."""
        return len({size for size, _, _ in self.answers}) == 1

    @property
    def head(self) -> VerifiedHead:
        return min(self.answers, key=lambda one: one[0])[2]

    @property
    def committed_at_ms(self) -> int:
        return min(committed for _, committed, _ in self.answers)

    def count(self) -> None:
        """Counts a request, whatever comes of it."""
        if self._asked == _REQUESTS:
            raise UnavailableError("limit", f"it takes more than {_REQUESTS} requests")
        self._asked += 1

    def add(self, committed_at_ms: int, head: VerifiedHead, leaves: Mapping[int, bytes]) -> None:
        """Takes an answer, with the hashes of the leaves that it proves. Two trees of one log have
        the same leaves: fails with `LogError`, which has the notes of both."""
        for leaf, hashed in leaves.items():
            before, under = self._leaves.setdefault(leaf, (hashed, head))
            if before != hashed:
                notes = tuple(one.note.signed_by(self._keys) for one in (under, head))
                raise LogError("split", f"the log shows two entries at leaf {leaf}", notes)
        self.answers.append((head.checkpoint.size, committed_at_ms, head))


def _parts(halves: Iterable[bytes]) -> list[list[bytes]]:
    listed = sorted(set(halves))
    return [listed[at : at + _HALVES] for at in range(0, len(listed), _HALVES)]


def _name(purl: str | None, digest: str | None, vulnerability: str | None) -> Name:
    given = [one for one in (purl, digest, vulnerability) if one is not None]
    if len(given) != 1:
        raise CallerError("question", "ask about one of purl, digest and vulnerability")
    if purl is not None:
        names = package_names(purl)
        if not names:
            raise CallerError("question", "a purl begins with pkg: and has visible ASCII only")
        if not is_canonical(purl):
            # Another spelling has other labels, and of those the log proves that nothing is said.
            raise CallerError(
                "question",
                "the purl is not in canonical form, as in pkg:npm/%40scope/name@1.2.3: "
                "@ in a name is %40, + in a version is %2B, and some types are written in lower "
                "case, as pkg:github/owner/name",
            )
        return names[0]
    return ("digest", digest) if digest is not None else ("vuln", str(vulnerability))


def _id(text: str) -> bytes:
    found = hex_bytes(text, 32)
    if found is None:
        raise CallerError("question", "an id is 64 lower-case hex digits")
    return found


def _files(value: jsontext.Json) -> tuple[bytes, bytes]:
    envelope, proof = jsontext.text(value, "envelope"), jsontext.text(value, "proof")
    if envelope is None or proof is None:
        raise ServerError("message", "a receipt is not the text of two files")
    return envelope.encode(), proof.encode()


def _signers(entry: Entry) -> set[bytes]:
    if not isinstance(entry.body, Claim):
        return set()
    return {one.issuer_id for one in entry.body.signatures}
