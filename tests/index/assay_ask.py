"""Asks a running node over gRPC, and verifies what it answers: docs/index.md, sections 8 and 9, with nothing but Python and
curl, which speaks HTTP/2. See assay_index.py for what it is called with.

It is a test tool. The checkpoint is held to the log's own key; cosignatures, freshness and earlier checkpoints, which a
client compares, are left out, and so are the signatures of claims.
"""

import base64
import hashlib
import subprocess
from typing import NamedTuple

import assay_index as index
from assay_index import Refused, need

# --- Ed25519, verifying only (RFC 8032, section 5.1.7) ----------------------------------------------------------------

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)
NEUTRAL = (0, 1, 1, 0)


def decompress(data):
    """The point that 32 bytes stand for, in extended coordinates (X, Y, Z, T)."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    need(y < P, "a point is not in its one spelling")
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * ROOT_OF_MINUS_1 % P
    need(x * x % P == square and not (x == 0 and sign), "bytes are no point")
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


def add(a, b):
    e, f = (a[1] - a[0]) * (b[1] - b[0]), (a[1] + a[0]) * (b[1] + b[0])
    g, h = 2 * a[3] * b[3] * D, 2 * a[2] * b[2]
    e, f, g, h = f - e, h - g, h + g, f + e
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(number, point):
    out = NEUTRAL
    while number:
        if number & 1:
            out = add(out, point)
        point, number = add(point, point), number >> 1
    return out


def same_point(a, b):
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


BASE = decompress((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def check_signature(public_key, message, signature):
    """Refuses unless 64 bytes are the key's signature on the message."""
    need(len(public_key) == 32 and len(signature) == 64, "a key has 32 bytes and a signature 64")
    key, r, s = decompress(public_key), decompress(signature[:32]), int.from_bytes(signature[32:], "little")
    need(s < ORDER, "the signature is not in its one spelling")
    need(not same_point(times(8, key), NEUTRAL), "the key is a weak one")
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public_key + message).digest(), "little") % ORDER
    need(same_point(times(s, BASE), add(r, times(challenge, key))), "the signature does not verify")


# --- Checkpoints (§9) -------------------------------------------------------------------------------------------------


class Checkpoint(NamedTuple):
    origin: str
    size: int
    root: bytes


def verifier_key(text):
    """Reads a C2SP key, `<name>+<key id>+<base64 of 01 and the key>`; returns name and the key's 32 bytes."""
    name, key_id, encoded = text.split("+", 2)  # neither a name nor an id has a plus
    key = base64.b64decode(encoded, validate=True)
    need(len(key) == 33 and key[0] == 1, "the log's key is no Ed25519 key")
    need(key_id == note_key_id(name, key[1:]).hex(), "the log's key id is not that of its key")
    return name, key[1:]


def note_key_id(name, key):
    return index.sha256(name.encode() + b"\n\x01" + key)[:4]


def check_checkpoint(note, name, key):
    """Reads a checkpoint that the key has signed."""
    text, _, signatures = note.partition("\n\n")
    text += "\n"
    need(signatures.endswith("\n"), "the checkpoint ends too early")
    own = []
    for line in signatures[:-1].split("\n"):
        dash, signer, encoded = line.split(" ")
        need(dash == "\u2014", "a line of the checkpoint is no signature")
        signature = base64.b64decode(encoded, validate=True)
        if signer == name and signature[:4] == note_key_id(name, key):
            own.append(signature[4:])
    need(len(own) == 1, "the checkpoint is not signed by the log")
    check_signature(key, text.encode(), own[0])
    lines = text.split("\n")
    need(len(lines) == 4, "a checkpoint has three lines")
    origin, size, root = lines[0], lines[1], base64.b64decode(lines[2], validate=True)
    need(origin == name, "the checkpoint is of another log")
    need(size.isascii() and size.isdecimal() and str(int(size)) == size, "the size is no decimal number")
    need(len(root) == 32, "the root does not have 32 bytes")
    return Checkpoint(origin, int(size), root)


# --- Messages (§9) ----------------------------------------------------------------------------------------------------


def fields(data):
    """The fields of a protobuf message, in the order in which they stand: pairs of number and value."""
    at = 0
    while at < len(data):
        key, at = loose_varint(data, at)
        value, at = (None, at) if key & 7 not in (0, 2) else loose_varint(data, at)
        need(value is not None, "a field of an unknown type")
        if key & 7 == 2:
            need(value <= len(data) - at, "the message ends inside a field")
            value, at = data[at : at + value], at + value
        yield key >> 3, value


def loose_varint(data, at):
    """A number of a message, of which several spellings are allowed."""
    value, shift = 0, 0
    while True:
        need(at < len(data) and shift < 70, "the message ends inside a number, or it is too long")
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 0x80:
            return value % 2**64, at


def numbers(value):
    """Repeated numbers: one by itself, or several, packed."""
    if isinstance(value, int):
        return [value]
    out, at = [], 0
    while at < len(value):
        number, at = loose_varint(value, at)
        out.append(number)
    return out


def bytes_field(field, data):
    length, out = len(data), bytearray([field << 3 | 2])
    while length >= 0x80:
        out.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes(out) + bytes([length]) + data


def read_answer(messages):
    """Puts the pieces of an answer together; returns the checkpoint's note and an Answer."""
    note, commitment, cut, inclusion, lists, leaves, entries, ranged = "", b"", b"", b"", [], [], [], b""
    for message in messages:
        for outer, answer in fields(message):
            for field, value in fields(answer) if outer == 1 else ():
                if field == 1:
                    note += value.decode("utf-8")
                elif field == 2:
                    commitment += value
                elif field == 3:
                    cut += value
                elif field == 4:
                    add_to_lists(lists, value)
                elif field == 5:
                    leaves += numbers(value)
                elif field == 6:
                    entries.append(value)
                elif field == 7:
                    inclusion += value
                elif field == 8:
                    ranged += value
    need(len(leaves) == len(entries), "an entry has no index, or an index no entry")
    proof, place = hashes_of(inclusion), tuple(hashes_of(ranged))
    return note, index.Answer(commitment, cut, lists, list(zip(leaves, entries)), proof, place)


def hashes_of(joined):
    need(len(joined) % 32 == 0, "a hash of a proof does not have 32 bytes")
    return [joined[at : at + 32] for at in range(0, len(joined), 32)]


def add_to_lists(lists, message):
    """Adds a list, or goes on with the one before it."""
    label, leaves = b"", []
    for field, value in fields(message):
        if field == 1:
            label = value
        elif field == 2:
            leaves += numbers(value)
    if lists and lists[-1][0] == label:
        lists[-1][1].extend(leaves)
    else:
        lists.append((label, leaves))


# --- gRPC (§9) --------------------------------------------------------------------------------------------------------


def call(url, method, request):
    """Calls a method of the index service; returns the messages of its answer."""
    command = [
        "curl", "--silent", "--show-error", "--fail", "--http2-prior-knowledge", "--max-time", "30",
        "--header", "content-type: application/grpc", "--header", "te: trailers",
        "--data-binary", "@-", "--dump-header", "/dev/stderr", url.rstrip("/") + "/assay.v1.IndexService/" + method,
    ]  # fmt: skip
    framed = b"\x00" + len(request).to_bytes(4, "big") + request
    done = subprocess.run(command, input=framed, capture_output=True, check=False)
    heads = done.stderr.decode("utf-8", "replace")
    need(done.returncode == 0, "curl: " + heads.strip())
    # Headers, and the trailers where this curl shows them: no status is no word against the answer, which proves itself.
    for line in heads.lower().splitlines():
        name, _, value = line.partition(":")
        need(name != "grpc-status" or value.strip() == "0", "the node refused: " + heads.strip())
    messages, data = [], done.stdout
    while data:
        need(len(data) >= 5 and data[0] == 0, "the frame of a message is cut off, or the message compressed")
        length = int.from_bytes(data[1:5], "big")
        need(length <= len(data) - 5, "a message is cut off")
        messages.append(data[5 : 5 + length])
        data = data[5 + length :]
    return messages


def request_for(question):
    """The method that answers a question, and its request."""
    if isinstance(question, index.Names):
        halves = [bytes_field(1, name) for name in question.names] + [bytes_field(2, by) for by in question.by]
        return "BatchLookup", b"".join(halves)
    bits = question.bits
    request = bytes_field(1, question.prefix[: (bits + 7) // 8])
    request += bytes([2 << 3]) + (bytes([bits & 0x7F | 0x80, bits >> 7]) if bits >= 0x80 else bytes([bits]))
    by = () if isinstance(question, index.Census) else question.by
    return "LookupPrefix", request + b"".join(bytes_field(3, half) for half in by)


def ask(url, key, question, call=call):
    """Asks the node at a URL, and verifies its answer under the checkpoint of the log with this key.

    Returns the checkpoint, the answer, and what it was checked to show.
    """
    name, public_key = verifier_key(key)
    note, answer = read_answer(call(url, *request_for(question)))
    checkpoint = check_checkpoint(note, name, public_key)
    checked = index.check_answer(checkpoint.size, checkpoint.root, question, answer, whole=False)
    return checkpoint, answer, checked


def page(url, key, question, start, call=call):
    """Asks for the list of one label from a position on, and verifies the page. Returns what it shows."""
    name, public_key = verifier_key(key)
    need(len(question.names) == len(question.by) == 1, "a page is of one name by one speaker")
    label = question.names[0] + question.by[0]
    number = number_field(2, start) if start else b""
    note, answer = read_answer(call(url, "Lookup", bytes_field(1, label) + number))
    checkpoint = check_checkpoint(note, name, public_key)
    leaf, indices = index.check_page(checkpoint.size, checkpoint.root, label, start, answer)
    return {"size": checkpoint.size, "length": leaf.length if leaf else 0, "indices": indices, "hashes": len(answer.range)}


def number_field(field, number):
    out = bytearray([field << 3])
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out) + bytes([number])


def question_of(arguments):
    """The question of a command line: NAME BY..., or NAME#BITS BY..., or NAME#BITS. NAME is <kind>:<value>."""
    name, mark, bits = arguments[0].partition("#")
    by = arguments[1:]
    kind, colon, value = name.partition(":")
    need(colon, "a name is <kind>:<value>, such as package:pkg:cargo/serde")
    half, by = index.half(kind, value), tuple(sorted({index.by_half(kind, one) for one in by}))
    if not mark:
        need(by, "a name is asked for with those who spoke of it; for everybody write <name>#128")
        return index.Names((half,), by)
    prefix = index.prefix_of(half.ljust(32, b"\x00"), int(bits)) if int(bits) else bytes(32)
    return index.Crowd(prefix, int(bits), by) if by else index.Census(prefix, int(bits))


def report(checkpoint, answer, checked, question):
    """What was verified, as JSON can hold it."""
    return {
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "lists": {label.hex(): indices for label, indices in checked.lists.items()},
        "overlong": [leaf.label.hex() for leaf in checked.overlong],
        "missing": checked.missing,
        "entries": {leaf: index.sha256(b"\x00" + entry).hex() for leaf, entry in answer.entries},
        "census": {leaf.label.hex(): leaf.length for leaf in index.ask(checked.node, question)}
        if isinstance(question, index.Census)
        else None,
    }
