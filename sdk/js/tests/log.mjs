// A log for tests: builds entries, tries, cuts, proofs and answers, as a log does. Nothing of the SDK
// needs it. It signs with keys made of seeds, so that what it makes is the same at every run.

import { createHash, createPrivateKey, createPublicKey, sign } from "node:crypto";
import { internals, labelsOf, leafHash, listRoot, pae, parseEntry, sha256, toBase64, toHex } from "../verify.js";
import { issuerId } from "../issuers.js";

const { begins, below, concat, listLeaf, listNode, nodeHash, u64be, utf8 } = internals;
const EMPTY = sha256([0x10]);

// --- Keys ---

/** An Ed25519 key made of a text. */
export function keyOf(seed) {
  const der = concat(Buffer.from("302e020100300506032b657004220420", "hex"), sha256(utf8(seed)));
  const secret = createPrivateKey({ key: Buffer.from(der), format: "der", type: "pkcs8" });
  const key = new Uint8Array(createPublicKey(secret).export({ format: "der", type: "spki" }).subarray(-32));
  return { key, hex: toHex(key), sign: (message) => new Uint8Array(sign(null, message, secret)) };
}

const idOf = (name, type, key) => sha256(utf8(name + "\n"), [type], key).subarray(0, 4);
export const vkeyOf = (name, type, { key }) =>
  `${name}+${toHex(idOf(name, type, key))}+${toBase64(concat([type], key))}`;
const lineOf = (name, type, key, blob) => `— ${name} ${toBase64(concat(idOf(name, type, key.key), blob))}\n`;

/** A checkpoint's note: signed by the log, cosigned by witnesses `[name, key, seconds]`. */
export function signNote({ origin, key }, size, root, witnesses = []) {
  return signText({ origin, key }, `${origin}\n${size}\n${toBase64(root)}\n`, witnesses);
}

/** A note with any text, signed in the same way. */
export function signText({ origin, key }, body, witnesses = []) {
  const cosigned = witnesses.map(([name, one, time]) => lineOf(name, 4, one,
    concat(u64be(time), one.sign(utf8(`cosignature/v1\ntime ${time}\n${body}`)))));
  return `${body}\n${lineOf(origin, 1, key, key.sign(utf8(body)))}${cosigned.join("")}`;
}

// --- Entries ---

export const varint = (n) => {
  const out = [];
  for (let rest = BigInt(n); ; rest >>= 7n) {
    out.push(Number(rest & 127n) | (rest > 127n ? 128 : 0));
    if (rest < 128n) return Uint8Array.from(out);
  }
};
const number = (field, value) => BigInt(value) ? concat(varint(field << 3), varint(value)) : new Uint8Array();
const bytes = (field, value) => value.length ? concat(varint(field << 3 | 2), varint(value.length), value) : value;
const message = (field, value) => concat(varint(field << 3 | 2), varint(value.length), value);

/** An entry with a claim; `signers` are pairs of key and issuer id in hex. */
export function claimEntry(time, statement, signers) {
  const payload = typeof statement === "string" ? utf8(statement) : utf8(JSON.stringify(statement));
  const signatures = signers.map(([key, issuer]) => message(3, concat(
    bytes(1, key.sign(pae(payload))), bytes(2, key.key), bytes(3, Buffer.from(issuer, "hex")))));
  return concat(number(1, time), message(2, concat(
    bytes(1, payload), bytes(2, utf8("application/vnd.in-toto+json")), ...signatures)));
}

export const commitmentEntry = (time, root, labels, mapping = 2) => concat(number(1, time),
  message(3, concat(bytes(1, root), number(2, labels), number(3, mapping), number(4, 1))));

export const statementOf = (uri, predicateType, predicate) => ({
  _type: "https://in-toto.io/Statement/v1",
  subject: [{ uri, digest: { purl: toHex(sha256(utf8(uri))) } }], predicateType, predicate });

/** The statement that registers an issuer with these keys. */
export function recordOf(name, keys, threshold = 1, more = {}) {
  const hexes = keys.map((key) => key.hex), { rotationKeys, rotationThreshold } = more;
  const issuer = more.issuer ?? issuerId(threshold, hexes, rotationThreshold, rotationKeys);
  const predicate = { name, contacts: [], keys: hexes, threshold, ...more, sequence: more.sequence ?? 0,
    namespaces: [], roles: [] };
  delete predicate.issuer;
  return { issuer, statement: { _type: "https://in-toto.io/Statement/v1",
    subject: [{ name, digest: { sha256: issuer } }], predicateType: "urn:assay:issuer:v1", predicate } };
}

// --- Trees ---

export function treeRoot(hashes, node = nodeHash) {
  if (!hashes.length) return sha256();
  let level = hashes;
  while (level.length > 1) {
    level = Array.from({ length: (level.length + 1) >> 1 }, (_, i) =>
      2 * i + 1 < level.length ? node(level[2 * i], level[2 * i + 1]) : level[2 * i]);
  }
  return level[0];
}

const split = (count) => 2 ** Math.floor(Math.log2(count - 1));

export function makeMultiproof(hashes, targets, node = nodeHash) {
  const prove = (low, high, its) => {
    if (!its.length) return [treeRoot(hashes.slice(low, high), node)];
    if (high - low === 1) return [];
    const middle = low + split(high - low);
    return [...prove(low, middle, its.filter((one) => one < middle)),
      ...prove(middle, high, its.filter((one) => one >= middle))];
  };
  return prove(0, hashes.length, targets);
}

export const makeRange = (indices, from, to) => from === to ? [] : makeMultiproof(
  indices.map((index) => listLeaf(u64be(index))), Array.from({ length: to - from }, (_, i) => from + i), listNode);

/** The path of a leaf, from its sibling up. */
export function inclusionPath(hashes, index) {
  if (hashes.length <= 1) return [];
  const middle = split(hashes.length);
  return index < middle
    ? [...inclusionPath(hashes.slice(0, middle), index), treeRoot(hashes.slice(middle))]
    : [...inclusionPath(hashes.slice(middle), index - middle), treeRoot(hashes.slice(0, middle))];
}

// --- Tries and cuts ---

/** A trie over leaves {label, length, root}; null for none. */
export function buildTrie(leaves) {
  const build = (sorted, from) => {
    if (sorted.length === 1) {
      const { label, length, root } = sorted[0];
      return { label, labels: 1n, hash: sha256([0x11], Buffer.from(label, "hex"), u64be(length), root),
        length, listRoot: root };
    }
    const first = sorted[0].label, last = sorted.at(-1).label;
    let bits = from;
    while (begins(first, last, bits + 1)) bits++;
    const at = sorted.findIndex(({ label }) => !begins(label, first, bits + 1));
    const left = build(sorted.slice(0, at), bits + 1), right = build(sorted.slice(at), bits + 1);
    const prefix = prefixHex(first, bits);
    const hash = sha256([0x12, 0, bits], Buffer.from(prefix, "hex"), u64be(left.labels), u64be(right.labels),
      left.hash, right.hash);
    return { hash, bits, prefix, left, right, labels: left.labels + right.labels };
  };
  return leaves.length ? build([...leaves].sort((a, b) => (a.label < b.label ? -1 : 1)), 0) : null;
}

const prefixHex = (label, bits) =>
  ((BigInt("0x" + label) >> BigInt(256 - bits)) << BigInt(256 - bits)).toString(16).padStart(64, "0");
export const rootOf = (trie) => trie?.hash ?? EMPTY;

/** The smallest cut that answers a question. */
export function makeCut(trie, question) {
  const encode = (node, asked) => {
    if (!asked || (asked.names && !(asked.names.length && asked.by.length))) {
      return [concat([0], u64be(node.labels), node.hash), false];
    }
    if (node.label !== undefined) {
      return [concat([1], Buffer.from(node.label, "hex"), u64be(node.length), node.listRoot), true];
    }
    const [a, b] = below(asked, node);
    const [left, some] = encode(node.left, a), [right, others] = encode(node.right, b);
    if (some || others) return [concat([2, node.bits], left, right), true];
    const prefix = Buffer.from(node.prefix, "hex").subarray(0, (node.bits + 7) >> 3);
    return [concat([3, node.bits], prefix, left, right), false];
  };
  return trie ? encode(trie, question)[0] : new Uint8Array();
}

// --- Answers ---

/** The lists of labels over the labels of each leaf. */
export function listsOf(leaves) {
  const lists = new Map();
  leaves.forEach((labels, index) => {
    for (const label of new Set(labels ?? [])) lists.set(label, [...(lists.get(label) ?? []), BigInt(index)]);
  });
  return lists;
}

export const trieOf = (lists) => buildTrie([...lists].map(([label, indices]) =>
  ({ label, length: BigInt(indices.length), root: listRoot(indices) })));

/** A log that grows by claims, each followed by commitments where `commit` is called. */
export class TestLog {
  entries = [];

  constructor(origin, key) { this.origin = origin; this.key = key; this.commit(1_767_225_600_000n); }

  append(entry) { return this.entries.push(entry) - 1; }

  commit(time) {
    const lists = listsOf(this.entries.map((entry) => [...labelsOf(parseEntry(entry))]));
    this.append(commitmentEntry(time, rootOf(trieOf(lists)), lists.size));
  }

  note(witnesses, size = this.entries.length) {
    return signNote(this, size, treeRoot(this.entries.slice(0, size).map((entry) => leafHash(entry))), witnesses);
  }

  /** The complete answer to a question, by the parts of the message `Answer`. */
  answer(question, witnesses) { return { checkpoint: this.note(witnesses), ...answerOf(this.entries, question) }; }
}

/** The complete answer of a log with these entries, without its checkpoint. */
export function answerOf(entries, question) {
  const lists = listsOf(entries.slice(0, -1).map((entry) => [...labelsOf(parseEntry(entry))]));
  const trie = trieOf(lists), full = normal(question);
  const isAsked = ([label]) => full.names
    ? full.names.includes(label.slice(0, 32)) && full.by.includes(label.slice(32))
    : full.by !== undefined && begins(label, full.prefix, full.bits) && full.by.includes(label.slice(32));
  const asked = [...lists].filter(isAsked).sort(([a], [b]) => (a < b ? -1 : 1));
  const indices = [...new Set(asked.flatMap(([, its]) => its))].sort((a, b) => (a < b ? -1 : 1));
  const hashes = entries.map((entry) => leafHash(entry));
  return { commitment: entries.at(-1), cut: makeCut(trie, full),
    lists: asked.map(([label, leaves]) => ({ label, leaves })),
    entries: indices.map((index) => [index, entries[Number(index)]]),
    inclusion: makeMultiproof(hashes, [...indices.map(Number), entries.length - 1]), range: [] };
}

export const normal = ({ names, by, prefix, bits }) => names ? { names, by }
  : { prefix: prefix.padEnd(64, "0"), bits: Number(bits), ...(by && { by }) };

/** The bytes of the message `Answer`. */
export function encodeAnswer({ checkpoint, commitment, cut, lists, entries, inclusion, range }) {
  const listed = lists.map(({ label, leaves }) => message(4, concat(bytes(1, Buffer.from(label, "hex")),
    bytes(2, concat(...leaves.map(varint))))));
  return concat(bytes(1, utf8(checkpoint)), bytes(2, commitment), bytes(3, cut), ...listed,
    bytes(5, concat(...entries.map(([index]) => varint(index)))), ...entries.map(([, entry]) => message(6, entry)),
    bytes(7, concat(...inclusion)), bytes(8, concat(...range)));
}

/** The two files of a receipt of a leaf. */
export function receiptOf(log, index, witnesses, size = log.entries.length) {
  const entry = log.entries[index], { claim } = parseEntry(entry);
  const at = claim.payload.byteOffset - entry.byteOffset;
  const offset = Uint8Array.of(0, 0, at >> 8, at & 255);
  const extra = concat(offset, entry.subarray(0, at), entry.subarray(at + claim.payload.length));
  const hashes = log.entries.slice(0, size).map((one) => leafHash(one));
  const path = inclusionPath(hashes, index).map(toBase64).map((line) => line + "\n").join("");
  const proof = `c2sp.org/tlog-proof@v1\nextra ${toBase64(extra)}\nindex ${index}\n${path}\n` +
    log.note(witnesses, size);
  const signatures = claim.signatures.map(({ signature, key }) =>
    ({ keyid: createHash("sha256").update(key).digest("hex"), sig: toBase64(signature) }));
  const envelope = JSON.stringify({ payload: toBase64(claim.payload),
    payloadType: "application/vnd.in-toto+json", signatures }) + "\n";
  return { envelope: utf8(envelope), proof: utf8(proof) };
}
