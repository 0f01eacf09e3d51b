"""Which logs and witnesses count, and how many must have cosigned (C2SP tlog-policy).

    log <vkey> [<url>]
    witness <name> <vkey> [<url>]
    group <name> <all | any | k> <name>...
    quorum <name | none>

Every name is defined on a line above, is a member of one group at most, and no key stands twice.
One rule is Assay's: witnesses whose keys have one name, but for the role at its end (`/witness`,
`/mirror`, `/audit`), are one operator, and are counted once (docs/federation.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from . import limits
from .checkpoint import Checkpoint, verify_checkpoint
from .encoding import decimal
from .errors import CallerError, ServerError, WitnessError
from .note import Note, VerifierKey

_ROLES = ("/witness", "/mirror", "/audit")


def operator(key_name: str) -> str:
    """Who is behind a key of this name."""
    for role in _ROLES:
        if key_name.endswith(role) and key_name != role:
            return key_name.removesuffix(role)
    return key_name


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness: what the policy calls it, and what it cosigns with."""

    name: str
    key: VerifierKey


@dataclass(frozen=True, slots=True)
class Group:
    """Some witnesses and groups by their names, and how many of them it takes."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VerifiedHead:
    """A checkpoint that its log signed and a quorum of the policy's witnesses cosigned."""

    checkpoint: Checkpoint
    note: Note
    # The policy's names of the keys that cosigned; one operator may have several.
    witnesses: tuple[str, ...] = ()
    # The latest time since which enough of the cosignatures are made, in seconds since 1970;
    # None if no quorum is asked for. The time of the last one alone would let one witness make a
    # head look fresh.
    cosigned_at: int | None = None
    # Names of keys of the policy or log whose lines are there and could not be checked here.
    unchecked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TlogPolicy:
    """A policy that was read: `TlogPolicy.parse`."""

    logs: tuple[VerifierKey, ...]
    witnesses: tuple[Witness, ...]
    groups: tuple[Group, ...]
    # The name of a witness or group; None for `quorum none`.
    quorum: str | None

    @classmethod
    def parse(cls, text: str) -> TlogPolicy:
        """Reads a policy. Fails with `CallerError`, which names the line."""
        if len(text) > limits.POLICY_BYTES:
            raise CallerError("policy", "the policy is too long")
        reader, number = _Reader(), 0
        try:
            for number, line in enumerate(text.split("\n"), 1):
                reader.line(line)
            return reader.finish()
        except _Fault as fault:
            raise CallerError("policy", f"line {number}: {fault}") from None

    def keys_of(self, origin: str) -> tuple[VerifierKey, ...]:
        """The keys of the log of an origin: several if it changed its key."""
        return tuple(key for key in self.logs if key.name == origin)

    def is_quorum(self, names: Iterable[str]) -> bool:
        """Whether these witnesses, by their names in the policy, are a quorum."""
        cosigned = frozenset(names)
        if self.quorum is None:
            return True
        # Members stand above their groups, so that one pass from the top decides each.
        met = {witness.name: witness.name in cosigned for witness in self.witnesses}
        for group in self.groups:
            met[group.name] = sum(met[member] for member in group.members) >= group.threshold
        return met[self.quorum]

    def verify(self, note: Note, log: Sequence[VerifierKey]) -> VerifiedHead:
        """Verifies the note of a checkpoint: the log with these keys signed it, every signature
        by a key of the policy is right, and a quorum cosigned it.

        Fails as `verify_checkpoint` does, with `ServerError` of kind `witnesses` if a cosignature
        is wrong, and with `WitnessError` if the quorum is missing.
        """
        checkpoint = verify_checkpoint(note, log)
        signers = note.verify((one.key for one in self.witnesses), kind="witnesses")
        times: dict[str, int] = {}
        for witness in self.witnesses:
            time = signers.times.get(witness.key)
            if time is not None:
                times[witness.name] = time
        if not self.is_quorum(times):
            names = ", ".join(times) or "none"
            reason = f"the policy's quorum of witnesses is not reached (cosigned: {names})"
            raise WitnessError("witnesses", reason)
        unchecked = tuple(key.name for key in (*note.verify(log).unchecked, *signers.unchecked))
        return VerifiedHead(checkpoint, note, tuple(times), self._quorum_time(times), unchecked)

    def _quorum_time(self, times: dict[str, int]) -> int | None:
        if self.quorum is None:
            return None
        for time in sorted(set(times.values()), reverse=True):
            if self.is_quorum(name for name, at in times.items() if at >= time):
                return time
        return None


def verify_head(
    data: bytes, log: Sequence[VerifierKey], policy: TlogPolicy | None = None
) -> VerifiedHead:
    """Verifies a checkpoint by the keys of its log, and by the policy's witnesses if one is given.

    Fails as `TlogPolicy.verify` does, and with `CallerError` if the policy states other keys of
    this log.
    """
    note = Note.parse(data)
    if policy is None:
        unchecked = tuple(key.name for key in note.verify(log).unchecked)
        return VerifiedHead(verify_checkpoint(note, log), note, unchecked=unchecked)
    stated = policy.keys_of(log[0].name)
    if stated and not set(log) <= set(stated):
        raise CallerError("key", f"the policy states another key of the log {log[0].name}")
    return policy.verify(note, log)


class _Fault(Exception):
    """What is wrong with a line."""


class _Reader:
    """What was read so far."""

    def __init__(self) -> None:
        self.logs: list[VerifierKey] = []
        self.witnesses: list[Witness] = []
        self.groups: list[Group] = []
        self.quorum: list[str | None] = []
        self.names: set[str] = set()
        self.keys: set[bytes] = set()
        self.parents: dict[str, Group] = {}

    def line(self, line: str) -> None:
        if any((c < " " and c != "\t") or c == "\x7f" for c in line):
            raise _Fault("has a control character other than tab and line break")
        words = [word for word in line.replace("\t", " ").split(" ") if word]
        if not words or words[0].startswith("#"):
            return
        readers = {"log": self._log, "witness": self._witness, "group": self._group}
        read = {**readers, "quorum": self._quorum}.get(words[0])
        if read is None:
            raise _Fault("a line is one of log, witness, group and quorum, or a comment with #")
        read(words[1:])
        if max(len(self.logs), len(self.witnesses), len(self.groups)) > limits.POLICY_LINES:
            raise _Fault(f"there are more than {limits.POLICY_LINES} lines of this kind")

    def _log(self, words: list[str]) -> None:
        if len(words) not in (1, 2):
            raise _Fault("does not have the form `log VKEY [URL]`")
        key = self._key(words[0])
        if not key.is_of_log:
            raise _Fault("the key is a witness's; a log's key has type 0x01 or 0x06")
        self.logs.append(key)

    def _witness(self, words: list[str]) -> None:
        if len(words) not in (2, 3):
            raise _Fault("does not have the form `witness NAME VKEY [URL]`")
        key = self._key(words[1])
        if not key.is_of_witness:
            raise _Fault("the key is a log's; a witness's key has type 0x04 or 0x06")
        self._define(words[0])
        self.witnesses.append(Witness(words[0], key))

    def _group(self, words: list[str]) -> None:
        if len(words) < 3:
            raise _Fault("does not have the form `group NAME any|all|NUMBER MEMBER...`")
        name, stated, members = words[0], words[1], tuple(words[2:])
        threshold = {"any": 1, "all": len(members)}.get(stated, decimal(stated))
        if threshold is None or not 1 <= threshold <= len(members):
            raise _Fault("the threshold is not `any`, `all` or a number up to that of members")
        group = Group(name, threshold, members)
        for member in members:
            self._find(member)
            if member in self.parents:
                raise _Fault(f"{member} is a member of a group already")
            self.parents[member] = group
        self._define(name)
        self.groups.append(group)

    def _quorum(self, words: list[str]) -> None:
        if len(words) != 1:
            raise _Fault("does not have the form `quorum NAME|none`")
        if self.quorum:
            raise _Fault("there is a quorum line already; keep one")
        if words[0] != "none":
            self._find(words[0])
        self.quorum.append(None if words[0] == "none" else words[0])

    def _key(self, text: str) -> VerifierKey:
        try:
            key = VerifierKey.parse(text)
        except CallerError as error:
            raise _Fault(error.reason) from None
        # "Two vkeys are considered duplicate if they wrap the same underlying public key."
        if key.public_key in self.keys:
            raise _Fault("its key stands on another line already; a key is listed once")
        self.keys.add(key.public_key)
        return key

    def _define(self, name: str) -> None:
        if name == "none" or name in self.names:
            raise _Fault(f"the name {name} is taken; choose another")
        self.names.add(name)

    def _find(self, name: str) -> None:
        if name not in self.names:
            raise _Fault(f"no line above defines {name}; define it before it is used")

    def finish(self) -> TlogPolicy:
        """The policy, in which no operator can be counted twice."""
        seen: dict[str, Group] = {}
        for witness in self.witnesses:
            group = self.parents.get(witness.name)
            if group is None:
                continue
            before = seen.get(operator(witness.key.name))
            seen[operator(witness.key.name)] = group
            if before is not None and not (before is group and group.threshold == 1):
                raise _Fault(
                    f"another witness has the operator of {witness.name}; put both into one group"
                    " of `any`, which counts once"
                )
        if not self.quorum:
            raise _Fault("there is no quorum line; `quorum none` relies on no witness")
        logs, witnesses = tuple(self.logs), tuple(self.witnesses)
        return TlogPolicy(logs, witnesses, tuple(self.groups), self.quorum[0])
