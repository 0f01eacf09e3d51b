"""Verifies what an Assay log says about software, and says who is to blame if it does not hold.

    verify_receipt      a claim and the proof that it is logged, offline
    verify_tlog_proof   any leaf of any C2SP log
    Log(...).lookup     a complete answer of a node: nothing was left out
    AssayError          what all of them raise; its subclasses name the culprit

Everything is verified from bytes that nobody need be trusted for; what to trust is the caller's:
the log's keys and, better, a policy of witnesses (C2SP tlog-policy).
"""

from .checkpoint import Checkpoint
from .claim import Signer, VerifiedClaim
from .client import Log
from .errors import (
    AssayError,
    CallerError,
    IssuerError,
    LogError,
    ServerError,
    UnavailableError,
    UnsupportedError,
    WitnessError,
)
from .issuer import IssuerRecord
from .lookup import LoggedClaim, Lookup
from .note import VerifierKey
from .policy import TlogPolicy, VerifiedHead
from .receipt import VerifiedReceipt, verify_receipt
from .statement import Statement, Subject
from .tlog_proof import verify_tlog_proof

__all__ = [
    "AssayError",
    "CallerError",
    "Checkpoint",
    "IssuerError",
    "IssuerRecord",
    "Log",
    "LogError",
    "LoggedClaim",
    "Lookup",
    "ServerError",
    "Signer",
    "Statement",
    "Subject",
    "TlogPolicy",
    "UnavailableError",
    "UnsupportedError",
    "VerifiedClaim",
    "VerifiedHead",
    "VerifiedReceipt",
    "VerifierKey",
    "WitnessError",
    "verify_receipt",
    "verify_tlog_proof",
]
