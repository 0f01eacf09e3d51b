"""Says what this implementation makes of shared vectors, so that several can be compared.

    python -m assay_log.verdicts FOLDER [ED25519]

FOLDER has folders of vector files (tests/vectors); ED25519 is a file of C2SP/CCTV's vectors, or a
folder of such files. It prints one JSON line for each vector:

    {"set":"index/answers","table":"bad","name":"...","verdict":"refused","kind":"inclusion",
     "culprit":"server","reason":"..."}

`verdict` is `ok`, `unproven` (genuine, and not enough) or `refused`. `reason` is free text and is
not compared. `"partly":true` at the end says that what a vector states of *making* something was
not tried: this package verifies. The exit code is 0 if no vector of `cases` was refused and none
of `bad` taken, else 1.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from . import cut, ed25519, labels, merkle
from .answer import Answer, check_answer
from .checkpoint import log_keys
from .entry import parse_entry
from .errors import AssayError
from .note import VerifierKey
from .policy import TlogPolicy, verify_head
from .question import Census, Crowd, Names, Question
from .receipt import verify_receipt
from .wire import parse_answer

Case = dict[str, Any]
# Whether everything that a case states was tried.
Check = Callable[[Case, Case], bool]


class Mismatch(Exception):
    """Something was computed that is not what the vector states."""


class Unproven(Exception):
    """What was verified is genuine, and not enough: the kind."""


def same(got: object, wanted: object) -> None:
    if got != wanted:
        raise Mismatch(f"got {str(got)[:100]}, wanted {str(wanted)[:100]}")


def unhex(texts: list[str]) -> list[bytes]:
    return [bytes.fromhex(text) for text in texts]


def question_of(query: Case) -> Question:
    """A question as vectors write it (tests/vectors/index/README.md)."""
    if query["names"] is not None:
        return Names.of(unhex(query["names"]), unhex(query["by"]))
    prefix = bytes.fromhex(query["prefix"]).ljust(32, b"\0")
    if query["by"] is None:
        return Census(prefix, query["bits"])
    return Crowd(prefix, query["bits"], frozenset(unhex(query["by"])))


def label_case(case: Case, _: Case) -> bool:
    kind, value, by = case["label_kind"], case["value"], case["by"]
    name, speaker = labels.half(kind, value).hex(), labels.by_half(kind, by).hex()
    same([name, speaker, name + speaker], [case["name_half"], case["by_half"], case["label"]])
    return True


def mapping_case(case: Case, _: Case) -> bool:
    entry = parse_entry(base64.b64decode(case["entry"]))
    if "labels" in case:
        same(sorted(map(list, labels.named_labels(entry))), case["names"])
        same([label.hex() for label in sorted(labels.labels_of(entry))], case["labels"])
    return True


def list_case(case: Case, _: Case) -> bool:
    same(merkle.list_root(case["indices"]).hex(), case["root"])
    return True


def trie_case(case: Case, _: Case) -> bool:
    for item in case["leaves"]:
        if item["indices"] is not None:
            root = merkle.list_root(item["indices"]).hex()
            same([len(item["indices"]), root], [item["length"], item["list_root"]])
    return False


def log_case(case: Case, _: Case) -> bool:
    lists: dict[str, list[int]] = {}
    for index, names in enumerate(case["leaves"]):
        for name in set(names or ()):
            lists.setdefault(name, []).append(index)
    same(len(lists), case["labels"])
    for item in case["lists"]:
        same(lists[item["label"]], item["indices"])
    return False


def cut_case(case: Case, _: Case) -> bool:
    root = bytes.fromhex(case["root"])
    node = cut.read_cut(bytes.fromhex(case["cut"]), root, case["labels"])
    question = None if case["question"] is None else question_of(case["question"])
    leaves = [] if question is None else cut.found(node, question)
    if "found" not in case:
        if case["speakers"] is not None:
            cut.speakers(node, bytes.fromhex(case["speakers"]))
        return True
    items = [(leaf.label.hex(), leaf.length, leaf.list_root.hex()) for leaf in leaves]
    same(items, [(one["label"], one["length"], one["list_root"]) for one in case["found"]])
    for name, count in case["speakers"]:
        same(cut.speakers(node, bytes.fromhex(name)), count)
    if isinstance(question, Crowd):
        names = cut.crowd_names(node, question.prefix, question.bits)
        same([name.hex() for name in names], case["crowd"])
    return not case["smallest"]


def multiproof_case(case: Case, _: Case) -> bool:
    leaves = [(leaf["index"], bytes.fromhex(leaf["leaf_hash"])) for leaf in case["leaves"]]
    root = bytes.fromhex(case["root"])
    merkle.check_multiproof(case["size"], root, leaves, unhex(case["proof"]))
    return not case.get("plain", False)


def range_case(case: Case, _: Case) -> bool:
    root, proof = bytes.fromhex(case["root"]), unhex(case["proof"])
    merkle.check_range(case["length"], root, case["from"], case["indices"], proof)
    return not case.get("plain", False)


def answer_case(case: Case, file: Case) -> bool:
    answer = Answer(
        b"",
        base64.b64decode(case["commitment"]),
        bytes.fromhex(case["cut"]),
        tuple((bytes.fromhex(one["label"]), one["indices"]) for one in case["lists"]),
        tuple((one["index"], base64.b64decode(one["entry"])) for one in case["entries"]),
        tuple(unhex(case["proof"])),
    )
    root = bytes.fromhex(case["root"])
    checked = check_answer(case["size"], root, question_of(case["question"]), answer)
    same([label.hex() for label in checked.lists], [one["label"] for one in case["lists"]])
    return case in file["bad"]


def receipt_case(case: Case, _: Case) -> bool:
    files = [
        (base64.b64decode(one["envelope"]), base64.b64decode(one["proof"]))
        for one in (case, *case["records"])
    ]
    receipt = verify_receipt(*files[0], [case["log"]], case["policy"], files[1:])
    if receipt.unproven_issuers:
        raise Unproven("issuers")
    return True


def lie_case(case: Case, _: Case) -> bool:
    keys: tuple[VerifierKey, ...] = log_keys([case["log"]])
    policy = None if case["policy"] is None else TlogPolicy.parse(case["policy"])
    answer = parse_answer(base64.b64decode(case["answer"]))
    head = verify_head(answer.checkpoint, keys, policy)
    size, root = head.checkpoint.size, head.checkpoint.root
    check_answer(size, root, question_of(case["question"]), answer, head.cosigned_at)
    return True


# What is done with the vectors of a file of a kind, and the kind of a refusal where the format has
# another word for it than the error.
CHECKS: dict[str, tuple[Check, str | None]] = {
    "labels": (label_case, None),
    "mapping": (mapping_case, None),
    "lists": (list_case, None),
    "tries": (trie_case, None),
    "logs": (log_case, None),
    "cuts": (cut_case, None),
    "multiproofs": (multiproof_case, "multiproof"),
    "ranges": (range_case, None),
    "answers": (answer_case, None),
    "receipts": (receipt_case, None),
    "lies": (lie_case, None),
}
# Of these nobody is to blame: they are no messages of anybody.
NO_CULPRIT = ("mapping", "cuts", "multiproofs", "ranges")


def judge(kind: str, case: Case, file: Case) -> Case:
    """The verdict on a vector, without what names it."""
    check, word = CHECKS[kind]
    try:
        whole = check(case, file)
    except Mismatch as error:
        return _verdict("refused", "mismatch", None, str(error))
    except Unproven as error:
        return _verdict("unproven", str(error), "nobody", "no record decides about an issuer")
    except AssayError as error:
        culprit = None if kind in NO_CULPRIT else error.culprit
        verdict = "unproven" if error.unproven else "refused"
        return _verdict(verdict, word or error.kind, culprit, error.reason)
    return {**_verdict("ok", None, None, None), **({} if whole else {"partly": True})}


def _verdict(verdict: str, kind: str | None, culprit: str | None, reason: str | None) -> Case:
    said: Case = {"verdict": verdict, "kind": kind, "culprit": culprit}
    return said if reason is None else {**said, "reason": reason}


def folder_lines(folder: Path) -> Iterator[Case]:
    """The verdicts on the files of a folder, sorted by path, of the kinds that there are."""
    for path in sorted(folder.rglob("*.json")):
        file = json.loads(path.read_text(encoding="utf-8"))
        kind = file.get("kind") if isinstance(file, dict) else None
        if kind not in CHECKS:
            continue
        for table in ("cases", "bad"):
            for case in file[table]:
                named = {"set": f"{path.parent.name}/{kind}", "table": table, "name": case["name"]}
                yield {**named, **judge(kind, case, file)}


def ed25519_lines(path: Path) -> Iterator[Case]:
    """The verdicts on C2SP/CCTV's Ed25519 vectors in a file, or in the files of a folder."""
    for file in sorted(path.glob("*.json")) if path.is_dir() else [path]:
        for one in json.loads(file.read_text(encoding="utf-8")):
            key, signature = bytes.fromhex(one["key"]), bytes.fromhex(one["sig"])
            named = {"set": "ed25519", "table": "cases", "name": str(one["number"])}
            if ed25519.verifies(key, one["msg"].encode(), signature):
                yield {**named, **_verdict("ok", None, None, None)}
            else:
                yield {**named, **_verdict("refused", "signature", None, None)}


def main(arguments: list[str]) -> int:
    """Prints the verdicts; returns the exit code."""
    if len(arguments) not in (1, 2) or not all(Path(one).exists() for one in arguments):
        print(__doc__, file=sys.stderr)
        return 2
    odd = 0
    lines = list(folder_lines(Path(arguments[0])))
    for line in lines:
        odd += (line["verdict"] == "ok") != (line["table"] == "cases")
    if len(arguments) == 2:
        lines += ed25519_lines(Path(arguments[1]))
    for line in lines:
        print(json.dumps(line, ensure_ascii=False, separators=(",", ":")))
    return 1 if odd or not lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
