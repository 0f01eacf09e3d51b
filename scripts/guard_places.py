"""All guards of the tree for scripts/guards, each with a number and behind the switch of scripts/guard_forms.py: those that
are an `if`, of a node's pages those of other forms, and those that no form tells, which tests/mutants lists."""

import re
import sys

import guard_forms
from guard_forms import CORE, ROOT

# Where crates are with guards. In the client only those are taken away that tests/mutants lists.
CRATES = {name: where for name, (where, _) in CORE.items()} | {"assay-client": "client", "assay-node": "node"}
# The library of a node: its other files are the program's.
PROGRAM = re.compile(r"node/src/(main|audit_commands|damage_commands|held_key|key_commands|log_list_commands|manual|"
                     r"mirror_commands|output|own|peer_commands|run_until|witness_commands)\.rs|node/src/storage/suite\.rs")
PAGES = "node/src/page/"
SWITCH = guard_forms.SWITCH + """
/// A text as it is, where it would be made fit to be shown.
#[doc(hidden)]
#[allow(dead_code)]
pub(crate) fn left(text: &str) -> String {
    text.to_owned()
}

/// The same, where it would be cut.
#[doc(hidden)]
#[allow(dead_code)]
pub(crate) fn left_whole(text: &str, _: usize) -> String {
    text.to_owned()
}
"""
# Forms of guards of pages: what is put before a place and behind it, and takes the guard away.
WORDS_MADE_FIT = {
    r"(?<![\w.:&])(shown|escaped|for_shell|plain)(?=\()|(?<=map\()shown(?=\))": "crate::left as fn(&str) -> String",
    r"(?<![\w.:&])shown_within(?=\()": "crate::left_whole as fn(&str, usize) -> String",
}
# Those that no form tells.
LISTED = guard_forms.mutants().mutants("")
FILTER = re.compile(r"\.filter\((?:move )?\|[^|]*\| ")
LIMIT = re.compile(r"\.take\((?=[A-Z_]+\))")


def closing(text, at):
    """Where the parenthesis is closed that is open at `at`."""
    depth = 0
    for found in re.compile(r"""("(?:\\.|[^"\\])*"|'(?:\\.[^']*|[^'\\])')|[()\[\]{}]""").finditer(text, at):
        if found[1]:
            continue
        depth += 1 if found[0] in "([{" else -1
        if depth < 0:
            return found.start()
    sys.exit("guards: a parenthesis is not closed")


def places_of_page(text):
    """The places of guards of a file of the pages: from where, to where, what is there instead, and what it is."""
    places = []
    for form, instead in WORDS_MADE_FIT.items():
        for call in re.finditer(form, text):
            line = text[text.rfind("\n", 0, call.start()) + 1 : call.start()]
            if "fn " not in line and "//" not in line and not line.startswith("use "):
                places.append((call.start(), call.end(), instead, ""))
    for form, instead in ((FILTER, "true"), (LIMIT, "usize::MAX")):
        places += [(call.end(), closing(text, call.end()), instead, "") for call in form.finditer(text)]
    return places


def places_listed(name, before, text, found):
    """The same of what tests/mutants lists for this file: `before` is the file, and `text` what became of it once the guards
    `found` are behind the switch. One of those only gets its name from there."""
    places, names = [], {}
    for guard in (it for it in LISTED if it["file"] == name):
        is_found = guard["put"].strip().startswith("if false && ")
        where = before if is_found else text
        if where.count(guard["take"]) != 1:
            sys.exit(f"guards: {name}: {guard['guard']}: what is taken away is there {where.count(guard['take'])} times")
        at = where.index(guard["take"])
        if is_found:
            names[where.count("\n", 0, at) + 1] = guard["guard"]
        else:
            places.append((at, at + len(guard["take"]), guard["put"], guard["guard"]))
    if gone := names.keys() - {it[2] for it in found}:
        sys.exit(f"guards: {name}: no guard is found by its form where {[names[it] for it in gone]} is listed")
    return places, [(*it[:4], names.get(it[2], it[4])) for it in found]


def behind_switch(text, places, name, first):
    """The text in which each of these places is another one if its guard is taken away. They may stand within each other,
    and lines stay as they are."""
    found, put = [], []
    for number, (start, end, instead, what) in enumerate(sorted(places), first):
        line = text.count("\n", 0, start) + 1
        function = re.findall(r"\bfn (\w+)", text[:start])[-1:]
        found.append((number, name, line, "".join(function), what or " ".join(text[start:end].split())))
        if name.endswith(".html"):
            opens, closes = f"{{% if !crate::guard_stands({number}) %}}{instead}{{% else %}}", "{% endif %}"
        else:
            opens, closes = f"if !crate::guard_stands({number}) {{ {instead} }} else {{ ", " }"
            if text[end - 1] not in ";}":
                opens, closes = f"({opens}", f"{closes})"
        put += [(start, 1, -end, number, opens), (end, 0, -start, -number, closes)]
    for at, _, _, _, words in sorted(put, reverse=True):
        text = text[:at] + words + text[at:]
    return text, found


def sources(folder):
    """The files of a crate in which guards may stand."""
    files = (path for path in guard_forms.sources(folder) if not PROGRAM.search(str(path)))
    return [*files, *sorted(folder.glob("templates/*.html"))]


def all_of_tree():
    """The guards of each crate, and the files of the tree in which they are behind the switch."""
    guards, changed, next_one = {}, {}, 1
    for crate, where in CRATES.items():
        guards[crate] = []
        for path in sources(ROOT / where):
            name, before = str(path.relative_to(ROOT)), path.read_text()
            text, found = before, []
            if name.endswith(".rs") and crate != "assay-client":
                text, found = guard_forms.rewrite(before, name, next_one)
            places, found = places_listed(name, before, text, found)
            if name.startswith(PAGES):
                places += places_of_page(text.split("#[cfg(test)]")[0])
            changed[name], more = behind_switch(text, places, name, next_one + len(found))
            guards[crate] += found + more
            next_one += len(found + more)
        changed[f"{where}/src/lib.rs"] += SWITCH
    if next_one > guard_forms.MOST:
        sys.exit(f"guards: the switch has no room for {next_one} guards")
    return guards, changed
