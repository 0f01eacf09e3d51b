import { strict as assert } from "node:assert";
import { test } from "node:test";
import * as sdk from "../index.js";
import { commitmentEntry, inclusionPath, receiptOf, treeRoot } from "./log.mjs";
import { cosigned, makeWorld, trust } from "./world.mjs";

const { concat, utf8, text } = sdk.internals;
const { log, leaves } = makeWorld();
const refusedAs = (kind, culprit = "server") => (error) => {
  assert.deepEqual([error.kind, error.culprit], [kind, culprit], error.stack);
  return true;
};

test("a leaf is proven at its index alone, by a path of its length alone", () => {
  for (let size = 1; size < 12; size++) {
    const hashes = Array.from({ length: size }, (_, i) => sdk.leafHash([i])), root = treeRoot(hashes);
    for (let index = 0; index < size; index++) {
      const path = inclusionPath(hashes, index), prove = (at, of, its) =>
        sdk.checkInclusion(hashes[index], BigInt(at), BigInt(of), its, root);
      prove(index, size, path);
      for (const [at, of, its] of [[index, size, path.slice(0, -1)], [index, size, [...path, root]], [size, size, path],
        [size + 1, size, path], [index, size, path.map(() => root)], [index ^ 1, size, path]]) {
        if (at === index && its.length === path.length && !path.length) continue;
        assert.throws(() => prove(at, of, its), refusedAs("inclusion"), `${index} of ${size}: ${at}`);
      }
    }
  }
  // The path leads to the root, and is not one of a tree of the size that was signed.
  const two = [0, 1].map((one) => sdk.leafHash([one])), path = inclusionPath(two, 0);
  for (const size of [1n, 3n, 4n, 1n << 63n]) {
    assert.throws(() => sdk.checkInclusion(two[0], 0n, size, path, treeRoot(two)), refusedAs("inclusion"), String(size));
  }
  assert.throws(() => sdk.checkInclusion(two[1], 0n, 1n, [two[0]], treeRoot(two)), refusedAs("inclusion"));
  assert.throws(() => sdk.checkInclusion(sdk.leafHash([0]), 0n, 0n, [], sdk.leafHash([0])), refusedAs("inclusion"));
  assert.throws(() => sdk.checkInclusion(sdk.leafHash([0]), 0n, 1n, [sdk.leafHash([0])], sdk.leafHash([0])), refusedAs("inclusion"));
});

test("a tlog-proof has one form", () => {
  const good = text(receiptOf(log, leaves.review, cosigned()).proof), hash = sdk.toBase64(new Uint8Array(32));
  const many = (count) => `c2sp.org/tlog-proof@v1\nindex 0\n${(hash + "\n").repeat(count)}\nx`;
  assert.equal(sdk.readProof(good).index, BigInt(leaves.review));
  assert.equal(sdk.readProof(many(64)).path.length, 64);
  assert.equal(sdk.readProof("c2sp.org/tlog-proof@v1\nextra \nindex 0\n\nx").extra.length, 0);
  for (const bad of ["", "\n\nx", good.replace("@v1", "@v2"), good.replace("extra ", "extra"), good.replace("extra ", "extra ="),
    good.replace("extra ", "extra AAAA\nextra "), good.replace("index ", "index -"), good.replace(/index .*\n/, ""), many(65),
    many(1).replace("A=", "B="), many(1).replace(hash, hash.slice(4)), many(0).slice(0, -1), many(0) + "x".repeat(512 << 10),
    concat(utf8(good), [0xff]), good.replace("index ", "\nindex ")]) {
    assert.throws(() => sdk.readProof(bad), refusedAs("proof"), String(bad).slice(0, 60));
  }
});

test("an envelope is DSSE, and then exactly the one of the log", async () => {
  const { envelope, proof } = receiptOf(log, leaves.review, cosigned()), json = JSON.parse(text(envelope));
  const open = (its) => sdk.openReceipt({ envelope: typeof its === "string" ? its : JSON.stringify(its) + "\n", proof }, trust);
  assert.equal((await open(json)).leaf, BigInt(leaves.review));
  const { payload, payloadType, signatures } = json;
  for (const bad of ["", "{", [], { ...json, payload: 1 }, { ...json, payload: "!" }, { payload, signatures }, { payload, payloadType },
    { ...json, payloadType: 1 }, { ...json, signatures: [] }, { ...json, signatures: {} }, { ...json, signatures: [{}] },
    { ...json, signatures: [{ sig: "!" }] }, { ...json, signatures: [{ ...signatures[0], keyid: 1 }] }]) {
    await assert.rejects(open(bad), refusedAs("envelope"), JSON.stringify(bad));
  }
  const url = payload.replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  for (const other of [{ ...json, payload: url + "=" .repeat((4 - url.length % 4) % 4) + "" }].filter((one) => one.payload !== payload)
    .concat([{ ...json, more: 1 }, { payloadType, payload, signatures }, { ...json, signatures: [...signatures, signatures[0]] },
      { ...json, payloadType: "other" }, { ...json, signatures: [{ sig: signatures[0].sig }] }])) {
    await assert.rejects(open(other), refusedAs("match"), JSON.stringify(other).slice(-80));
  }
  await assert.rejects(sdk.openReceipt({ envelope: " ".repeat((512 << 10) + 1), proof }, trust), refusedAs("proof"));
});

test("the payload goes where it was, and nowhere else", async () => {
  const { envelope, proof } = receiptOf(log, leaves.review, cosigned());
  const with_ = (edit) => {
    const [, extra] = /extra (.*)\n/.exec(text(proof)), bytes = sdk.fromBase64(extra);
    const edited = edit(bytes) ?? bytes;
    return sdk.openReceipt({ envelope, proof: text(proof).replace(extra, sdk.toBase64(edited)) }, trust);
  };
  await with_(() => {});
  for (const edit of [(bytes) => { bytes[3]++; }, (bytes) => { bytes[3]--; }, (bytes) => { bytes[0] = 255; }, (bytes) => bytes.subarray(0, 3),
    (bytes) => bytes.subarray(0, 4), (bytes) => bytes.subarray(0, -1), (bytes) => concat(bytes, [0]), () => new Uint8Array(),
    (bytes) => concat(bytes, new Uint8Array(66_000))]) {
    await assert.rejects(with_(edit), refusedAs("entry"));
  }
  // An entry whose commitment has the payload as its root.
  const payload = sdk.fromBase64(JSON.parse(text(envelope)).payload), entry = commitmentEntry(1n, payload, 0);
  const offset = Buffer.from(entry).indexOf(payload);
  await assert.rejects(with_(() => concat([0, 0, 0, offset], entry.subarray(0, offset), entry.subarray(offset + payload.length))),
    refusedAs("entry"));
  await assert.rejects(sdk.verifyReceipts(Array(10_001).fill({}), trust), refusedAs("argument", "caller"));
});

test("a proof without a quorum is not enough", async () => {
  const index = leaves.review, { proof } = receiptOf(log, index, cosigned(["one"])), hash = sdk.leafHash(log.entries[index]);
  await assert.rejects(sdk.verifyProof(proof, hash, trust), refusedAs("witnesses", "witness"));
  assert.equal((await sdk.verifyProof(receiptOf(log, index, cosigned()).proof, hash, trust)).index, BigInt(index));
});
