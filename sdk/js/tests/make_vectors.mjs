#!/usr/bin/env node
// Writes tests/vectors/receipts and tests/vectors/lies: receipts and answers of a log that is made here, and
// what liars make of them, each with the verdict that every implementation must reach. What a lie is called,
// is what was done. Change this, never those files.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { internals, leafHash, parseEntry, sha256, toBase64 } from "../index.js";
import { workspace } from "./data.mjs";
import { TestLog, answerOf, claimEntry, commitmentEntry, encodeAnswer, makeMultiproof, receiptOf, signNote,
  statementOf, treeRoot, vkeyOf } from "./log.mjs";
import { ORIGIN, cosigned, issuers, keys, logKey, makeWorld, policyText, questionAbout } from "./world.mjs";

const { utf8, text } = internals;
const { log, leaves } = makeWorld();
const otherKey = vkeyOf("other.example/log", 1, keys.stranger);
const refusal = (kind, culprit, verdict = "refused") => ({ verdict, kind, culprit });

// --- Receipts ---

const files = ({ envelope, proof }) => ({ envelope: toBase64(envelope), proof: toBase64(proof) });
const receipt = (leaf, witnesses = cosigned()) => receiptOf(log, leaf, witnesses);
const records = ["registration", "withRoot"].map((name) => files(receipt(leaves[name])));
const receiptCase = (name, its, more = {}) =>
  ({ name, ...files(its), records, log: logKey, policy: policyText, ...more });
const edited = (its, part, edit) => ({ ...its, [part]: utf8(edit(text(its[part]))) });
const review = receipt(leaves.review), other = receipt(leaves.ended);
const changed = (part, edit) => edited(review, part, edit);
const inPayload = (from, to) => changed("envelope", (json) => {
  const envelope = JSON.parse(json), payload = Buffer.from(envelope.payload, "base64").toString();
  return JSON.stringify({ ...envelope, payload: Buffer.from(payload.replace(from, to)).toString("base64") }) + "\n";
});
const bad = (name, its, refused, more) => ({ ...receiptCase(name, its, more), ...refused });
const future = { origin: ORIGIN, key: keys.log };
const withNote = (make) => changed("proof", (proof) => {
  const [head] = proof.split("\n\n", 1), hashes = log.entries.map((entry) => leafHash(entry));
  return `${head}\n\n${make(BigInt(hashes.length), treeRoot(hashes))}`;
});

const receipts = {
  kind: "receipts",
  about: "Receipts (docs/design.md 3.6), with the issuer records that decide about their signers",
  cases: [
    receiptCase("a review", review),
    receiptCase("signed by two issuers", receipt(leaves.both)),
    receiptCase("by an issuer with rotation keys", other),
    receiptCase("the record of an issuer", receipt(leaves.registration), { records: [] }),
    receiptCase("cosigned by two of three", receipt(leaves.review, cosigned(["one", "three"]))),
    receiptCase("without a policy", receipt(leaves.review, []), { policy: null }),
  ],
  bad: [
    bad("no record of the issuer", review, refusal("issuers", "nobody", "unproven"), { records: [] }),
    bad("the record of another issuer", review, refusal("issuers", "nobody", "unproven"), { records: [records[1]] }),
    bad("one witness", receipt(leaves.review, cosigned(["two"])), refusal("witnesses", "witness", "unproven")),
    bad("no witness", receipt(leaves.review, []), refusal("witnesses", "witness", "unproven")),
    bad("signed by a key that is not the issuer's", receipt(leaves.forged), refusal("issuers", "issuer")),
    bad("another verdict in the payload", inPayload("pass", "fail"), refusal("inclusion", "server")),
    bad("a longer payload", inPayload("pass", "passed"), refusal("entry", "server")),
    bad("the proof of another claim", { ...review, proof: other.proof }, refusal("entry", "server")),
    bad("the envelope is not JSON", changed("envelope", (json) => json.slice(0, -3)), refusal("envelope", "server")),
    bad("the envelope has a key twice", changed("envelope", (json) => json.replace("{", '{"payload":"",')),
      refusal("envelope", "server")),
    bad("the envelope has a space more", changed("envelope", (json) => json.replace(":", ": ")),
      refusal("match", "server")),
    bad("the envelope has no line end", changed("envelope", (json) => json.trimEnd()), refusal("match", "server")),
    bad("another keyid", changed("envelope", (json) => json.replace(/"keyid":"."/, '"keyid":"x"')
      .replace(/"keyid":"[0-9a-f]/, '"keyid":"x')), refusal("match", "server")),
    bad("another signature in the envelope", changed("envelope", (json) => json.replace(/"sig":"./, '"sig":"/')),
      refusal("match", "server")),
    bad("another index", changed("proof", (proof) => proof.replace(/index [0-9]+/, "index 1")),
      refusal("inclusion", "server")),
    bad("an index with a zero in front", changed("proof", (proof) => proof.replace("index ", "index 0")),
      refusal("proof", "server")),
    bad("a hash is missing", changed("proof", (proof) => proof.replace(/(index [0-9]+\n).*\n/, "$1")),
      refusal("inclusion", "server")),
    bad("line ends of Windows", changed("proof", (proof) => proof.replace(/\n/g, "\r\n")), refusal("proof", "server")),
    bad("no extra data", changed("proof", (proof) => proof.replace(/extra .*\n/, "")), refusal("entry", "server")),
    bad("a log that the policy does not name", review, refusal("log", "caller"),
      { log: otherKey, policy: policyText.replace(logKey, otherKey) }),
    bad("a checkpoint that a stranger signed", withNote((size, root) =>
      signNote({ ...future, key: keys.stranger }, size, root)), refusal("checkpoint", "server")),
    bad("another size in the checkpoint", changed("proof", (proof) => proof.replace(/\n([0-9]+)\n(?=[^\n]{44}\n\n—)/,
      (line, size) => `\n${Number(size) + 1}\n`)), refusal("checkpoint", "server")),
    bad("a wrong cosignature", changed("proof", (proof) => {
      const lines = proof.trimEnd().split("\n"), of = cosigned(["three"], 31n);
      const [, , , , , moved] = signNote(future, BigInt(log.entries.length),
        treeRoot(log.entries.map((entry) => leafHash(entry))), of).split("\n");
      const stamp = Buffer.from(lines.at(-1).split(" ")[2], "base64"), next = Buffer.from(moved.split(" ")[2], "base64");
      next.copy(stamp, 4, 4, 12);
      return [...lines.slice(0, -1), lines.at(-1).replace(/[^ ]+$/, stamp.toString("base64")), ""].join("\n");
    }), refusal("witnesses", "server")),
    bad("dated after the witnesses", receipt(leaves.review, cosigned(undefined, -400n)), refusal("time", "log")),
  ],
};

// --- Lies ---

const about = questionAbout("package", "pkg:cargo/serde"), true_ = log.answer(about, cosigned());
const lieCase = (name, answer, more = {}) => ({ name, log: logKey, policy: policyText,
  question: { names: null, prefix: null, bits: null, by: null, ...about }, answer: toBase64(encodeAnswer(answer)), ...more });
const lie = (name, answer, refused, more) => ({ ...lieCase(name, { ...true_, ...answer }, more), ...refused });

/** The log, as if it had an entry less, or other entries; it signs what it makes. */
function another(edit, time = 1_767_225_600_000n) {
  const fake = new TestLog(ORIGIN, keys.log);
  for (const entry of edit(log.entries.filter((one) => parseEntry(one).claim))) fake.append(entry);
  fake.commit(time + 20_000n);
  return fake;
}

/** What the log answers if the last leaf is this one, which it signs. */
function withLast(entry) {
  const entries = [...log.entries.slice(0, -1), entry], hashes = entries.map((one) => leafHash(one));
  const indices = true_.entries.map(([index]) => Number(index));
  return { ...true_, commitment: entry, inclusion: makeMultiproof(hashes, [...indices, entries.length - 1]),
    checkpoint: signNote(future, BigInt(entries.length), treeRoot(hashes), cosigned()) };
}

/** The index of the log lists the leaf under a label that another entry has. */
function mislabeled() {
  const fake = another((entries) => entries), answer = answerOf(fake.entries, about);
  const wrong = claimEntry(1_767_225_601_000n, statementOf("pkg:cargo/rand@0.9.0", "urn:x", {}),
    [[keys.audits, issuers.audits.issuer]]);
  const entries = fake.entries.map((entry, i) => (BigInt(i) === answer.entries[0][0] ? wrong : entry));
  const hashes = entries.map((entry) => leafHash(entry)), indices = answer.entries.map(([index]) => Number(index));
  return { ...answer, entries: answer.entries.map(([index], i) => [index, entries[indices[i]]]),
    inclusion: makeMultiproof(hashes, [...indices, entries.length - 1]),
    checkpoint: signNote(future, BigInt(entries.length), treeRoot(hashes), cosigned()) };
}

const earlier = new TestLog(ORIGIN, keys.log), elsewhere = questionAbout("package", "pkg:cargo/tokio");
const last = parseEntry(log.entries.at(-1));
const [first] = true_.lists;
const lies = {
  kind: "lies",
  about: "Complete answers as a node sends them, with their checkpoint, and what liars make of them",
  cases: [
    lieCase("what two issuers said of a package", true_),
    lieCase("nothing, as of leaf 0", earlier.answer(about, cosigned())),
    lieCase("of what nobody spoke", log.answer(questionAbout("package", "pkg:cargo/none"), cosigned()),
      { question: { prefix: null, bits: null, ...questionAbout("package", "pkg:cargo/none") } }),
    lieCase("a history in which nothing else was said: only comparing heads finds it",
      { ...another((entries) => entries.slice(0, 3)).answer(about, cosigned()) }),
    lieCase("cosigned by two of three", { ...true_, checkpoint: log.note(cosigned(["one", "two"])) }),
  ],
  bad: [
    lie("the answer to another question", log.answer(elsewhere, cosigned()), refusal("question", "server")),
    lie("an entry is left out", { entries: true_.entries.slice(1) }, refusal("inclusion", "server")),
    lie("an entry is left out, and the proof fits", {
      entries: true_.entries.slice(1),
      inclusion: makeMultiproof(log.entries.map((entry) => leafHash(entry)),
        [...true_.entries.slice(1).map(([index]) => Number(index)), log.entries.length - 1]),
    }, refusal("entries", "server")),
    lie("a list is left out", { lists: true_.lists.slice(1) }, refusal("lists", "server")),
    lie("a list is cut short", { lists: [{ ...first, leaves: first.leaves.slice(1) }, ...true_.lists.slice(1)] },
      refusal("lists", "server")),
    lie("lists are exchanged", { lists: [...true_.lists].reverse() }, refusal("message", "server")),
    lie("no cut, as if nothing had ever been said", { cut: new Uint8Array() }, refusal("cut", "server")),
    lie("no entries, no lists", { lists: [], entries: [] }, refusal("inclusion", "server")),
    lie("the cut of an earlier index", { cut: earlier.answer(about).cut }, refusal("cut", "server")),
    lie("a label of 31 bytes", { lists: [{ ...first, label: first.label.slice(2) }] }, refusal("message", "server")),
    lie("half a hash", { inclusion: [...true_.inclusion, new Uint8Array(16)] }, refusal("message", "server")),
    lie("a range proof", { range: [new Uint8Array(32)] }, refusal("range", "server")),
    lie("nobody signed", { checkpoint: true_.checkpoint.replace(/\n— .*/s, "\n") }, refusal("checkpoint", "server")),
    lie("a stranger signed", { checkpoint: signNote({ ...future, key: keys.stranger }, BigInt(log.entries.length),
      treeRoot(log.entries.map((entry) => leafHash(entry))), cosigned()) }, refusal("checkpoint", "server")),
    lie("one witness", { checkpoint: log.note(cosigned(["one"])) }, refusal("witnesses", "witness", "unproven")),
    lie("one witness, three times", { checkpoint: log.note(["one", "two", "three"].map((name) =>
      [name + ".example/witness", keys.one, cosigned()[0][2]])) }, refusal("witnesses", "witness", "unproven")),
    lie("two lines of one key", { checkpoint: log.note([...cosigned(["one"]), ...cosigned(["one"], 31n)]) },
      refusal("checkpoint", "server")),
    lie("cosigned long after the last leaf", { checkpoint: log.note(cosigned(undefined, 5000n)) }, refusal("time", "log")),
    lie("cosigned long before the last leaf", { checkpoint: log.note(cosigned(undefined, -400n)) }, refusal("time", "log")),
    lie("the last leaf is a claim", withLast(log.entries[leaves.review]), refusal("commitment", "log")),
    lie("a mapping of version 3", withLast(commitmentEntry(last.loggedAt, last.commitment.root,
      last.commitment.labels, 3)), refusal("unsupported", "nobody")),
    lie("a commitment to nothing", withLast(commitmentEntry(last.loggedAt, sha256([0x10]), 0)), refusal("cut", "server")),
    lie("an empty log", { checkpoint: signNote(future, 0n, sha256(), cosigned()) }, refusal("empty", "log")),
    lie("an entry without the label of its list", mislabeled(), refusal("entries", "log")),
    lie("a log that the policy does not name", {}, refusal("log", "caller"),
      { log: otherKey, policy: policyText.replace(logKey, otherKey) }),
  ],
};

for (const file of [receipts, lies]) {
  const folder = join(workspace, "tests/vectors", file.kind);
  mkdirSync(folder, { recursive: true });
  const rows = (list) => list.map((item) => "  " + JSON.stringify(item)).join(",\n");
  writeFileSync(join(folder, file.kind + ".json"), `{"kind": ${JSON.stringify(file.kind)}, "about": ` +
    `${JSON.stringify(file.about)},\n "cases": [\n${rows(file.cases)}\n ],\n "bad": [\n${rows(file.bad)}\n ]}\n`);
}
