import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { fromHex, internals, isWanted, equationHolds, sha256, toHex, useEquation, verifyEd25519 } from "../index.js";
import { jsonFiles, numbers, require } from "./data.mjs";
import { keyOf } from "./log.mjs";

const { concat, engineHolds, utf8 } = internals;
// What is odd about a vector, and refused by the strict rules. tests/tests/vectors/ed25519.rs says why.
const REFUSED = ["low_order_A", "low_order_R", "non_canonical_R", "low_order_residue", "reencoded_k"];

for (const [name, equation] of Object.entries({ engine: engineHolds, BigInt: equationHolds })) {
  test(`CCTV's vectors: the strict rules accept what they should, with the equation of ${name}`, async (t) => {
    const folder = require(t, "ed25519");
    if (!folder) return;
    useEquation(equation);
    t.after(() => useEquation(engineHolds));
    let accepted = 0;
    for (const { text } of jsonFiles(folder)) {
      for (const { number, key, sig, msg, flags } of JSON.parse(text)) {
        const wanted = !(flags ?? []).some((flag) => REFUSED.includes(flag));
        assert.equal(await verifyEd25519(fromHex(key), utf8(msg), fromHex(sig)), wanted, `vector ${number}`);
        accepted += wanted;
      }
    }
    assert.notEqual(accepted, 0);
  });

  test(`the equation of ${name} has no cofactor`, async () => assert.equal(await isWanted(equation), true));
}

test("an equation that is another one is found out", async () => {
  assert.equal(await isWanted(async () => true), false);
  assert.equal(await isWanted(async () => false), false);
  assert.equal(await isWanted(async () => { throw new Error("no Ed25519"); }), false);
});

test("both equations agree about signatures, changed ones, and other messages", async (t) => {
  t.after(() => useEquation(engineHolds));
  const below = numbers(1);
  for (let i = 0; i < 60; i++) {
    const { key, sign } = keyOf("key " + (i % 7)), message = utf8("message " + i), signature = sign(message);
    const changed = signature.slice(), at = below(64);
    changed[at] ^= 1 << below(8);
    for (const equation of [engineHolds, equationHolds]) {
      useEquation(equation);
      assert.equal(await verifyEd25519(key, message, signature), true);
      assert.equal(await verifyEd25519(key, message, changed), false);
      assert.equal(await verifyEd25519(key, concat(message, [0]), signature), false);
      assert.equal(await verifyEd25519(key, message, signature.subarray(1)), false);
    }
  }
});

test("SHA-256 is that of the engine, at all lengths around a block", () => {
  for (let length = 0; length < 300; length++) {
    const data = Uint8Array.from({ length }, (_, i) => (i * 7 + length) & 255);
    assert.equal(toHex(sha256(data)), createHash("sha256").update(data).digest("hex"));
    assert.equal(toHex(sha256(data.subarray(0, length >> 1), data.subarray(length >> 1))), toHex(sha256(data)));
  }
  const long = new Uint8Array(1_000_003).fill(0x61);
  assert.equal(toHex(sha256(long)), createHash("sha256").update(long).digest("hex"));
});
