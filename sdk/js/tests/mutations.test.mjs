// Whatever is done to the bytes of a true answer or receipt, it is refused, or it is the same answer. And no
// bytes make the verifier fail otherwise than with its own errors.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import * as sdk from "../index.js";
import { mutate, numbers } from "./data.mjs";
import { encodeAnswer, receiptOf } from "./log.mjs";
import { cosigned, makeWorld, questionAbout, trust } from "./world.mjs";

const MUTATIONS = Number(process.env.MUTATIONS ?? 10_000);
const { log, leaves } = makeWorld();

/** What an answer or a receipt says, without signatures under a checkpoint that nobody asked for. */
const said = (value) => JSON.stringify(value, (key, its) => {
  if (["note", "unchecked", "witnesses", "cosignedAt", "missingWitnesses", "cut"].includes(key)) return undefined;
  if (typeof its === "bigint") return String(its);
  return its instanceof Map ? [...its] : its;
});

/** Tries mutations; returns how many verified, all of them as what the original says. */
async function tryMutations(name, original, other, verify) {
  const below = numbers(26), wanted = said(await verify(original));
  let same = 0;
  for (let i = 0; i < MUTATIONS; i++) {
    let bytes = mutate(original, below, other);
    if (below(4) === 0) bytes = mutate(bytes, below, other);
    try {
      assert.equal(said(await verify(bytes)), wanted, `${name}: mutation ${i} verifies as something else`);
      same++;
    } catch (error) {
      if (!(error instanceof sdk.AssayError)) throw error;
    }
  }
  return same;
}

test("mutations of an answer never verify as another one", async () => {
  const about = questionAbout("package", "pkg:cargo/serde");
  const bytes = encodeAnswer(log.answer(about, cosigned()));
  const other = encodeAnswer(log.answer(questionAbout("package", "pkg:cargo/tokio"), cosigned()));
  const same = await tryMutations("answer", bytes, other, (mutated) => sdk.verifyAnswer(mutated, about, trust));
  // Some are the same bytes again, or say the same in another spelling of the message.
  assert.ok(same < MUTATIONS / 20, `${same} verify`);
});

for (const part of ["envelope", "proof"]) {
  test(`mutations of the ${part} of a receipt never verify as another one`, async () => {
    const [receipt, record, another] = ["review", "registration", "ended"].map((name) =>
      receiptOf(log, leaves[name], cosigned()));
    const verify = (bytes) => sdk.verifyReceipt({ ...receipt, [part]: bytes }, trust, [record]);
    const same = await tryMutations(part, receipt[part], another[part], verify);
    assert.ok(same < MUTATIONS / 20, `${same} verify`);
  });
}

test("noise is refused by every reader, and quickly", async () => {
  const below = numbers(3), start = process.cpuUsage();
  for (let i = 0; i < 3000; i++) {
    const noise = Uint8Array.from({ length: below(200) }, () => below(256));
    for (const read of [sdk.readAnswer, sdk.parseEntry, sdk.readProof, (bytes) => new sdk.Cut(bytes, noise, 1n),
      sdk.internals.readNote, sdk.internals.strictJson]) {
      try { read(noise); } catch (error) { if (!(error instanceof sdk.AssayError)) throw error; }
    }
  }
  assert.ok(process.cpuUsage(start).user < 30_000_000, "that takes long");
});
