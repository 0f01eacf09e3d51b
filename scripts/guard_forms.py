"""Guards that are an `if`, for scripts/guards: where they stand, and the source with each behind a
switch.

A guard is an `if` that refuses: what follows it returns an error or nothing, once it has made what
it says, or its `else` does; and a guard of a match arm that does. What is taken away is the
refusal: the condition is still computed.
"""

import importlib.machinery
import importlib.util
import os
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent
CARGO = os.environ.get("CARGO", "cargo").split()
# Where the crates of core are, and those whose tests pass through each, too.
CORE = {
    "assay-tlog": ("core/tlog", ["assay-claims", "assay-policy", "assay-intake"]),
    "assay-claims": ("core/claims", ["assay-policy", "assay-intake"]),
    "assay-policy": ("core/policy", ["assay-intake"]),
    "assay-intake": ("core/intake", []),
}
# Bytes that a test of core may take.
MEMORY = 4 << 30
# So many guards the switch has room for.
MOST = 4096
SWITCH = """
/// Whether a guard that fires refuses: unless it is taken away (scripts/guards). Tells of each,
/// once, if somebody wants to know.
#[doc(hidden)]
#[allow(dead_code)]
pub(crate) fn guard_stands(guard: u32) -> bool {
    use std::io::Write;
    use std::sync::atomic::{AtomicBool, Ordering};
    static TAKEN: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
    static TOLD: [AtomicBool; MOST] = [const { AtomicBool::new(false) }; MOST];
    if !TOLD[guard as usize].load(Ordering::Relaxed) {
        let path = std::env::var_os("GUARDS_FIRED");
        // It is told again where there is no room on the disk, or no file can be opened.
        let is_told = path.is_none_or(|path| {
            let file = std::fs::File::options().append(true).create(true).open(path);
            file.and_then(|mut file| file.write_all(format!("{guard}\\n").as_bytes())).is_ok()
        });
        TOLD[guard as usize].store(is_told, Ordering::Relaxed);
    }
    *TAKEN.get_or_init(|| {
        let number = std::env::var("GUARD_TAKEN_AWAY").ok();
        number.and_then(|number| number.parse().ok()).unwrap_or(0)
    }) != guard
}
""".replace("MOST", str(MOST))
REFUSES = re.compile(
    r"(return )?(Err\(|None\b)|bail!\("
    r"|return (Some\(Err|false\b|Ok\(None\b|pages\.nothing|asked\.see)"
)
FUNCTION = re.compile(r"\s*(?:pub(?:\([^)]*\))? )?(const )?(?:async )?fn (\w+)")
ARM = re.compile(r"^(\s+\S.*) if (.+) => (.+)$")
IF = re.compile(r"^(\s*(?:\} else )?)if (.*)$")


def mutants():
    """What scripts/mutants has already: the copy of the tree, and the guards that are listed."""
    loader = importlib.machinery.SourceFileLoader("mutants", str(ROOT / "scripts/mutants"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("mutants", loader))
    loader.exec_module(module)
    return module


def sources(folder):
    """The files of a crate that are not tests."""
    for path in sorted((folder / "src").rglob("*.rs")):
        if path.name != "tests.rs" and "tests" not in path.relative_to(folder).parts:
            yield path


def rewrite(text, name, first):
    """The text with its guards behind the switch, numbered from `first`, and what they are: number,
    file, line, function and condition. Lines stay where they are."""
    lines, found = text.split("\n"), []
    function, constant = "", False
    for at, line in enumerate(lines):
        if line.startswith("#[cfg(test)]"):
            break
        if begins := FUNCTION.match(line):
            constant, function = bool(begins[1]), begins[2]
        if constant or line.strip().startswith("//"):
            continue
        number = first + len(found)
        for form in (arm, branch):
            if guard := form(lines, at, f"crate::guard_stands({number})"):
                last, put, condition = guard
                lines[at : last + 1] = [put, *[""] * (last - at)]
                found.append((number, name, at + 1, function, condition))
                break
    return "\n".join(lines), found


def arm(lines, at, stands):
    """The guard of an arm in this line: its last line, the arm with the switch, and the
    condition."""
    found = ARM.match(lines[at])
    if not found or " let " in lines[at]:
        return None
    deed = first_deed(lines, at + 1) if found[3] == "{" else found[3]
    if not REFUSES.match(deed):
        return None
    return at, f"{found[1]} if ({found[2]}) && {stands} => {found[3]}", found[2]


def branch(lines, at, stands):
    """The same of an `if` that begins in this line."""
    opens = IF.match(lines[at])
    end = condition_of(lines, at) if opens else None
    if end is None or end + 1 >= len(lines):
        return None
    words = "\n".join([opens[2], *lines[at + 1 : end + 1]]).rstrip()[:-1].rstrip()
    words, arrow = (words[:-2].rstrip(), " =>") if words.endswith("=>") else (words, "")
    binds = " let " in f" {words}"
    if REFUSES.match(first_deed(lines, end + 1)):
        put = f"{words if binds else f'({words})'} && {stands}"
    elif not binds and refuses_else(lines, end, opens[1]):
        put = f"({words}) || !{stands}"
    else:
        return None
    put = f"{opens[1]}if {put}{arrow} {{".replace("\n", " ")
    return end, put, " ".join(words.split())


def condition_of(lines, at):
    """The last line of the condition that begins in line `at`, or None: where its block begins."""
    for end in range(at, min(at + 8, len(lines))):
        if lines[end].rstrip().endswith("{"):
            return end
        if " => " in lines[end]:
            return None  # The next arm of a match.
    return None


def first_deed(lines, at):
    """What a block does that begins in line `at`, once it has made what it says."""
    is_said = False
    for line in (it.strip() for it in lines[at : at + 8]):
        if is_said or line.startswith("let "):
            is_said = not line.endswith(";")
        else:
            return line
    return ""


def refuses_else(lines, end, indent):
    """Whether the block that begins in line `end` has an `else` that refuses."""
    blank = indent.replace("} else ", "")
    for at in range(end + 1, min(end + 12, len(lines))):
        if lines[at] == f"{blank}}} else {{":
            return bool(REFUSES.match(first_deed(lines, at + 1)))
        if lines[at].startswith(f"{blank}}}"):
            return False
    return False


def write_table(path, rows):
    """Writes what came of guards: of each where, in which function, the guard, and what failed."""
    table = ["| file | function | guard | what fails without it |", "| --- | --- | --- | --- |"]
    for name, function, condition, said in rows:
        condition = condition.replace("|", chr(92) + "|")
        table.append(f"| {name} | `{function}` | `{condition}` | {said} |")
    path.write_text("\n".join(table) + "\n")
