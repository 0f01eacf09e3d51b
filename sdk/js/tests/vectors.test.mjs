import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import * as sdk from "../index.js";
import { jsonFiles, require, shared } from "./data.mjs";
import { judgeFile } from "./vectors.mjs";

for (const folder of ["index", "receipts", "lies"]) {
  for (const { name, file } of shared(folder)) {
    test(`${folder}/${name}: cases hold, and bad ones are refused as they should`, async () => {
      const stated = new Map(file.bad.map((item) => [item.name, item]));
      let count = 0;
      for await (const line of judgeFile(folder, file)) {
        count++;
        if (line.table === "cases") assert.equal(line.verdict, "ok", `${line.name}: ${line.reason}`);
        else assert.ok(line.verdict !== "ok" && line.kind !== "mismatch", `${line.name}: ${line.reason}`);
        const wanted = line.table === "bad" ? stated.get(line.name) : {};
        for (const key of ["verdict", "kind", "culprit"].filter((key) => wanted[key] !== undefined)) {
          assert.equal(line[key], wanted[key], `${line.name}: ${key}, ${line.reason}`);
        }
      }
      assert.equal(count, file.cases.length + file.bad.length);
      assert.notEqual(count, 0);
    });
  }
}

test("tlog-proofs of another implementation", async (t) => {
  const folder = require(t, "tlog-proof");
  if (!folder) return;
  const log = readFileSync(join(folder, "log.vkey"), "utf8").trim();
  const read = (path) => readFileSync(join(folder, path));
  const entry = { 1: "one", 3: "three", 5: "five", 8: "four", 12: "seven", 15: "fivten" };
  for (const name of ["size1-index0", "size3-index2", "size5-index4", "size8-index3-extra", "size12-index6",
    "size15-index14"]) {
    const leaf = sdk.leafHash(new TextEncoder().encode(entry[/\d+/.exec(name)[0]]));
    const proof = new Uint8Array(read(`valid/${name}.tlog-proof`));
    assert.ok(await sdk.verifyProof(proof, leaf, { log }));
    await assert.rejects(sdk.verifyProof(proof, sdk.leafHash(proof), { log }), sdk.ServerError);
  }
  const seven = sdk.leafHash(new TextEncoder().encode("seven"));
  for (const name of ["checkpoint-of-another-size", "crlf", "index-out-of-range", "leading-zero-index",
    "truncated-path", "wrong-index"]) {
    const proof = new Uint8Array(read(`invalid/${name}.tlog-proof`));
    await assert.rejects(sdk.verifyProof(proof, seven, { log }), sdk.AssayError, name);
  }
});

test("cosignatures of hardware witnesses, and policies of another implementation", async (t) => {
  const [cosignatures, policies] = [require(t, "cosignature"), require(t, "tlog-policy")];
  if (!cosignatures || !policies) return;
  const real = JSON.parse(readFileSync(join(cosignatures, "pixel-armored-witness.json"), "utf8"));
  const { readNote } = sdk.internals, read = readNote(real.note);
  assert.equal(read.signatures.length, 3);
  for (const vkey of real.cosignature_vkeys) {
    const key = sdk.readKey(vkey), line = read.signatures.find(({ name, id }) => name === key.name && id === key.id);
    assert.equal(await sdk.internals.signedAt(key, read.body, line.signature), BigInt(real.timestamps[key.name]));
    assert.equal(await sdk.internals.signedAt(key, read.body + "x", line.signature), undefined);
  }
  for (const { text } of jsonFiles(policies)) {
    const vectors = JSON.parse(text), read = (item) => Buffer.from(item.policy_b64, "base64").toString();
    for (const item of vectors.valid) assert.ok(sdk.readPolicy(read(item)), item.name);
    for (const item of vectors.invalid) assert.throws(() => sdk.readPolicy(read(item)), sdk.CallerError, item.name);
  }
});
