// Whatever is done to the bytes of a true answer, it is refused, or it is the same answer. And no bytes make
// the verifier fail otherwise than with its own errors.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import * as sdk from "../index.js";
import { numbers } from "./data.mjs";
import { encodeAnswer } from "./log.mjs";
import { tryMutations, world } from "./mutations.mjs";
import { cosigned, questionAbout, trust } from "./world.mjs";

test("mutations of an answer never verify as another one", async () => {
  const { log } = world;
  const about = questionAbout("package", "pkg:cargo/serde");
  const bytes = encodeAnswer(log.answer(about, cosigned()));
  const other = encodeAnswer(log.answer(questionAbout("package", "pkg:cargo/tokio"), cosigned()));
  await tryMutations("answer", bytes, other, (mutated) => sdk.verifyAnswer(mutated, about, trust));
});

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
