// What this implementation says of each shared vector: see bin/verdicts.mjs.

import { strict as assert } from "node:assert";
import * as sdk from "../index.js";
import { answerOf, buildTrie, listsOf, makeCut, makeMultiproof, makeRange, normal, rootOf, treeRoot, trieOf }
  from "./log.mjs";

const { AssayError, fromBase64, fromHex, toHex } = sdk;
const { utf8 } = sdk.internals;

/** Reads JSON whose numbers have up to 64 bits: all of them become BigInt. */
export function readVectors(source) {
  const marked = source.replace(/"(?:[^"\\]|\\.)*"|-?[0-9]+/g, (token) =>
    token[0] === '"' ? token : `"\\u0000${token}"`);
  return JSON.parse(marked, (_, value) =>
    typeof value === "string" && value[0] === "\0" ? BigInt(value.slice(1)) : value);
}

const question = (query) => query.names ? { names: query.names, by: query.by }
  : { prefix: query.prefix, bits: Number(query.bits), ...(query.by && { by: query.by }) };
const leavesOf = (items) => items.map(({ label, length, list_root: root }) => ({ label, length, root: fromHex(root) }));
const found = (leaves) => leaves.map(({ label, length, root }) => ({ label, length, list_root: toHex(root) }));
const proofLeaves = (items) => items.map(({ index, leaf_hash: hash }) => [index, fromHex(hash)]);
const hashes = (list) => list.map(fromHex);
const partsOf = (item) => ({
  commitment: fromBase64(item.commitment), cut: fromHex(item.cut),
  lists: item.lists.map(({ label, indices }) => ({ label, leaves: indices })),
  entries: item.entries.map(({ index, entry }) => [index, fromBase64(entry)]),
  inclusion: hashes(item.proof), range: [] });
const checkpointOf = ({ size, root }) => ({ size, root: fromHex(root), origin: "vectors", cosignedAt: null });
const trustOf = ({ log, policy }) => ({ log, policy: policy === null ? null : sdk.readPolicy(policy) });
const filesOf = ({ envelope, proof }) => ({ envelope: fromBase64(envelope), proof: fromBase64(proof) });

async function checkReceipt(item) {
  const [one] = await sdk.verifyReceipts([item, ...item.records].map(filesOf), trustOf(item));
  if (one.error) throw Object.assign(one.error, { verdict: one.verdict });
}

/** By the kind of a file: what its cases must show, and what is done with what must be refused. */
const CHECKS = {
  labels: [({ label_kind: kind, value, by, name_half: name, by_half: half, label }) =>
    assert.deepEqual([sdk.nameHalf(kind, value), sdk.byHalf(kind, by)], [name, half, label].slice(0, 2))
      ?? assert.equal(name + half, label)],
  mapping: [
    (item) => {
      const entry = sdk.parseEntry(fromBase64(item.entry)), texts = (names) => names.map(String).sort();
      assert.deepEqual([...new Set(texts(sdk.namesIn(entry)))], texts(item.names));
      assert.deepEqual([...sdk.labelsOf(entry)].sort(), item.labels);
    },
    (item) => sdk.parseEntry(fromBase64(item.entry)),
  ],
  lists: [(item) => assert.equal(toHex(sdk.listRoot(item.indices)), item.root)],
  tries: [(item) => assert.equal(toHex(rootOf(buildTrie(leavesOf(item.leaves)))), item.root)],
  logs: [(item) => {
    const lists = listsOf(item.leaves), trie = trieOf(lists);
    assert.deepEqual([toHex(rootOf(trie)), BigInt(lists.size)], [item.root, item.labels]);
    for (const { label, indices } of item.lists) assert.deepEqual(lists.get(label), indices);
  }],
  cuts: [
    (item, file) => {
      const trie = buildTrie(leavesOf(file.tries[item.trie].leaves)), asked = question(item.question);
      if (item.smallest) assert.equal(toHex(makeCut(trie, normal(asked))), item.cut);
      const cut = new sdk.Cut(fromHex(item.cut), fromHex(item.root), item.labels);
      assert.deepEqual(found(cut.ask(asked)), item.found);
      for (const [name, count] of item.speakers) assert.equal(sdk.speakers(cut, name), count);
      if (item.crowd) assert.deepEqual(sdk.crowdNames(cut, asked.prefix, asked.bits), item.crowd);
    },
    (item) => {
      const cut = new sdk.Cut(fromHex(item.cut), fromHex(item.root), item.labels);
      if (item.question) cut.ask(question(item.question));
      if (item.speakers) sdk.speakers(cut, item.speakers);
    },
  ],
  multiproofs: [
    (item) => {
      if (item.plain) {
        const all = Array.from({ length: Number(item.size) }, (_, i) => sdk.leafHash(utf8(String(i))));
        const made = makeMultiproof(all, item.leaves.map(({ index }) => Number(index)));
        assert.deepEqual([toHex(treeRoot(all)), made.map(toHex)], [item.root, item.proof]);
      }
      sdk.checkMultiproof(item.size, fromHex(item.root), proofLeaves(item.leaves), hashes(item.proof));
    },
    (item) => sdk.checkMultiproof(item.size, fromHex(item.root), proofLeaves(item.leaves), hashes(item.proof)),
  ],
  ranges: [
    (item) => {
      if (item.plain) {
        const all = Array.from({ length: Number(item.length) }, (_, i) => BigInt(3 * i + 1));
        const made = makeRange(all, Number(item.from), Number(item.from) + item.indices.length);
        assert.deepEqual([toHex(sdk.listRoot(all)), made.map(toHex)], [item.root, item.proof]);
      }
      sdk.checkRange(item.length, fromHex(item.root), item.from, item.indices, hashes(item.proof));
    },
    (item) => sdk.checkRange(item.length, fromHex(item.root), item.from, item.indices, hashes(item.proof)),
  ],
  answers: [
    (item, file) => {
      const entries = file.log.slice(0, Number(item.size)).map(fromBase64), asked = question(item.question);
      assert.deepEqual(answerOf(entries, asked), partsOf(item));
      const checked = sdk.checkAnswer(checkpointOf(item), asked, partsOf(item));
      assert.deepEqual([...checked.lists.keys()], item.lists.map(({ label }) => label));
      assert.equal(checked.complete, true);
    },
    (item) => sdk.checkAnswer(checkpointOf(item), question(item.question), partsOf(item)),
  ],
  ed25519: [async ({ key, sig, msg }) => {
    if (!await sdk.verifyEd25519(fromHex(key), utf8(msg), fromHex(sig))) throw new sdk.ServerError("signature", "wrong");
  }],
  receipts: [checkReceipt, checkReceipt],
  lies: Array(2).fill((item) => sdk.verifyAnswer(fromBase64(item.answer), question(item.question), trustOf(item))),
};

/** Sets whose refusals name nobody: they are parts of answers. */
const PARTS = ["labels", "mapping", "lists", "tries", "logs", "cuts", "multiproofs", "ranges", "ed25519"];
const KINDS = { multiproofs: "multiproof" };

/** The verdicts on all vectors of a file, one line each. */
export async function* judgeFile(folder, file) {
  const set = folder === null ? file.kind : `${folder}/${file.kind}`;
  if (!Object.hasOwn(CHECKS, file.kind)) throw new Error(`vectors of an unknown kind: ${file.kind}`);
  for (const table of ["cases", "bad"]) {
    for (const item of file[table]) {
      const line = { set, table, name: String(item.name ?? item.number) };
      yield { ...line, ...await judge(file.kind, () => CHECKS[file.kind][table === "bad" ? 1 : 0](item, file)) };
    }
  }
}

async function judge(kind, work) {
  try {
    await work();
    return { verdict: "ok", kind: null, culprit: null };
  } catch (error) {
    const reason = error.message.split("\n")[0];
    if (!(error instanceof AssayError)) return { verdict: "refused", kind: "mismatch", culprit: null, reason };
    const verdict = error.verdict ?? (error.culprit === "witness" ? "unproven" : "refused");
    const isPart = PARTS.includes(kind);
    return { verdict, kind: (isPart && KINDS[kind]) || error.kind, culprit: isPart ? null : error.culprit, reason };
  }
}
