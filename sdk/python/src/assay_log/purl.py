"""Whether a purl is written as the log has it, as far as that shows without all rules of its type.

Another spelling has other labels, and of those the log proves that nothing is said.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

# What shows of the canonical form without the rules of a type, and characters that it never
# encodes.
_PART = "(?:[A-Za-z0-9._~:-]|%[0-9A-F]{2})+"
_CANONICAL = re.compile(f"pkg:[a-z][a-z0-9.+-]*(?:/{_PART})+(?:@{_PART})?(?:[?#].*)?")
_NEEDLESS = re.compile("[^?#]*%(?:2[DE]|3[0-9A]|4[1-9A-F]|5[0-9AF]|6[1-9A-F]|7[0-9AE])")
# What types write in lower case: 1 is the namespace, 2 the name, 4 the version. Names of PyPI are
# folded by the index.
_LOWER = {
    "alpm": 3,
    "apk": 3,
    "bitbucket": 3,
    "bitnami": 2,
    "brew": 3,
    "chrome-extension": 2,
    "composer": 3,
    "deb": 3,
    "github": 3,
    "golang": 3,
    "hex": 3,
    "huggingface": 4,
    "luarocks": 7,
    "oci": 6,
    "otp": 2,
    "pub": 2,
    "qpkg": 1,
    "rpm": 1,
    "vscode-extension": 7,
    "yocto": 1,
}
# What else they write otherwise.
_OTHERWISE = {
    "cpan": re.compile("[^/]*[a-z][^/]*/"),
    "golang": re.compile("std$"),
    "hackage": re.compile(".*(?:_|%20)"),
    "pub": re.compile(".*[^a-z0-9_]"),
}
_PARTS = re.compile("pkg:([^/]*)/([^@?#]*)(?:@([^?#]*))?")
_MAJOR = re.compile("[^#]*#(?:.*/)?v([2-9]|[1-9][0-9]+)$")


def is_canonical(purl: str) -> bool:
    """Whether nothing shows that a purl is not in canonical form."""
    spelled = _CANONICAL.fullmatch(purl) is not None and _NEEDLESS.match(purl) is None
    return spelled and _is_of_type(purl)


def _is_lower(part: str) -> bool:
    """Whether no letter is one that is written in lower case."""
    try:
        text = unquote(part, errors="strict")
    except UnicodeDecodeError:
        return False
    return not any(char.isupper() for char in text) or text == text.lower()


def _is_of_type(purl: str) -> bool:
    """Whether a purl of this syntax is written as its type has it, as far as that is known here."""
    parts = _PARTS.match(purl)
    if parts is None:
        return False
    kind, path, version = parts[1], parts[2], parts[3] or ""
    if kind in _OTHERWISE and _OTHERWISE[kind].match(path) is not None:
        return False
    major = _MAJOR.match(purl) if kind == "golang" else None
    if major is not None:
        # A subpath that ends in the version's major number is the path of a module.
        of_major = version.removeprefix("v").split(".")[0] == major[1]
        if version == "" or (of_major and not version.endswith("%2Bincompatible")):
            return False
    namespace, _, name = path.rpartition("/")
    lower = _LOWER.get(kind, 0)
    return all(
        not (lower >> at & 1) or _is_lower(part)
        for at, part in enumerate((namespace, name, version))
    )
