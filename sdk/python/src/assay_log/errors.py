"""What can go wrong, and who is to blame.

Each error has a `kind`, one word for the check that failed, and a `culprit`, one word for who made
it fail. A log is blamed only for what it signed: what anybody on the way can damage (a proof, a
signature line, a message) is the server's, where "server" is whoever served the bytes or sat
between. No text of an error steers anything: look at class, `kind` and `culprit`.
"""

from __future__ import annotations

from typing import ClassVar


class AssayError(Exception):
    """Something was not verified. Nothing of what was given may be relied on.

    `unproven` tells what is genuine and not enough from what is wrong.
    """

    culprit: ClassVar[str] = "nobody"
    unproven: ClassVar[bool] = False

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.kind}: {self.reason} (to blame: {self.culprit})"


class LogError(AssayError):
    """The log signed something that breaks its promises. Keep the bytes: they are evidence.

    Where two heads contradict each other, `notes` are both, each with the log's signatures.
    """

    culprit = "log"

    def __init__(self, kind: str, reason: str, notes: tuple[bytes, ...] = ()) -> None:
        super().__init__(kind, reason)
        self.notes = notes


class WitnessError(AssayError):
    """Too few of the policy's witnesses cosigned. The head may be right; it is not vouched for."""

    culprit = "witness"
    unproven = True


class ServerError(AssayError):
    """Whoever served the bytes, or somebody on the way, changed or withheld something."""

    culprit = "server"


class IssuerError(AssayError):
    """A claim that is in the log was not rightly signed by who is named as its issuer."""

    culprit = "issuer"


class CallerError(AssayError):
    """What the caller gave cannot be used: a key, a policy, a name, or the wrong log."""

    culprit = "caller"


class UnsupportedError(AssayError):
    """It may be right, and this release is too old, or its cryptography too small, to tell."""


class UnavailableError(AssayError):
    """No answer came that can be used: the network, the node, a limit of time or size, or clocks
    that differ too much. `retry_after` is in how many seconds to try again, if the node says so."""

    def __init__(self, kind: str, reason: str, retry_after: int | None = None) -> None:
        super().__init__(kind, reason)
        self.retry_after = retry_after
