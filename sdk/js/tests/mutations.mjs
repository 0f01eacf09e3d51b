// Tries mutations of the bytes of a true answer or receipt. A test of each part is in a file of its own, so that they run at
// the same time.

import { strict as assert } from "node:assert";
import * as sdk from "../index.js";
import { mutate, numbers } from "./data.mjs";
import { receiptOf } from "./log.mjs";
import { cosigned, makeWorld, trust } from "./world.mjs";

const MUTATIONS = Number(process.env.MUTATIONS ?? 10_000);
export const world = makeWorld();

/** What an answer or a receipt says, without signatures under a checkpoint that nobody asked for. */
const said = (value) => JSON.stringify(value, (key, its) => {
  if (["note", "unchecked", "witnesses", "cosignedAt", "missingWitnesses", "cut"].includes(key)) return undefined;
  if (typeof its === "bigint") return String(its);
  return its instanceof Map ? [...its] : its;
});

/** Fails if a mutation verifies as anything but what the original says, or if more than a few verify. */
export async function tryMutations(name, original, other, verify) {
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
  // Some are the same bytes again, or say the same in another spelling of the message.
  assert.ok(same < MUTATIONS / 20, `${same} verify`);
}

/** The same of a part of a receipt. */
export async function tryReceipt(part) {
  const { log, leaves } = world;
  const [receipt, record, another] = ["review", "registration", "ended"].map((name) =>
    receiptOf(log, leaves[name], cosigned()));
  const verify = (bytes) => sdk.verifyReceipt({ ...receipt, [part]: bytes }, trust, [record]);
  await tryMutations(part, receipt[part], another[part], verify);
}
