// What a node's page does that checks itself (node/src/page/check.js), with a document that is only as much
// of one as it needs: whatever answers it is sent, what nobody signed is never said to be checked.

import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as sdk from "../index.js";
import { mutate, numbers } from "./data.mjs";
import { claimEntry, encodeAnswer, statementOf } from "./log.mjs";
import { issuers, keys, logKey, makeWorld } from "./world.mjs";

const MUTATIONS = Number(process.env.MUTATIONS ?? 10_000);
const PURL = "pkg:cargo/serde@1.0.0", CLAIM = { end_of_life: "2027-06-30" };
const { log } = makeWorld();
log.append(claimEntry(1_767_225_700_000n, statementOf(PURL, "urn:x", CLAIM), [[keys.audits, issuers.audits.issuer]]));
log.commit(1_767_225_701_000n);

const source = readFileSync(new URL("../../../node/src/page/check.js", import.meta.url), "utf8")
  .replace(/^import \{([^}]*)\} from "\.\/verify\.js";$/m, "const {$1} = verify;");
const check = new (async () => {}).constructor("verify", "document", "fetch", "localStorage", source);

/** What the page asks for: its addresses, with the answers, each verified once. */
async function answers() {
  const prefix = sdk.nameHalf(...sdk.packageNames(PURL)[0]), trust = { log: [sdk.readKey(logKey)], policy: null };
  const of = async (question) => {
    const bytes = encodeAnswer(log.answer(question, []));
    return { bytes, answer: await sdk.verifyAnswer(bytes, question, trust) };
  };
  const census = await of({ prefix, bits: 128 });
  const by = census.answer.census.map(({ label }) => label.slice(32));
  return { prefix: census, batch: await of({ names: [prefix], by }) };
}

/** The page's lines, as the node writes them. */
const linesOf = ({ answer }) => answer.claims.filter(({ error }) => !error).map(({ claim, leaf }) => ({
  claim: claim.id, leaf: String(leaf), says: `end of life: ${claim.statement.predicate.end_of_life ?? "tba"}` }));

/** What a page with these lines says of itself where it is sent these bytes. */
async function outcome(lines, sent, known) {
  const element = () => ({ dataset: {}, append() {}, replaceChildren() {} }), place = element();
  Object.assign(place.dataset, { purl: PURL, keys: logKey, size: String(log.entries.length), part: "false", base: "./" });
  const document = { getElementById: (id) => (id === "checked" ? place : element()), createElement: element,
    querySelectorAll: () => lines.map(({ claim, leaf, says }) =>
      ({ dataset: { claim, leaf }, querySelector: () => ({ textContent: says }) })) };
  const fetch = async (address) => {
    const bytes = sent[/api\/v1\/(\w+)/.exec(address)[1]];
    return { ok: true, arrayBuffer: async () => bytes };
  };
  // Each is verified once, which is nearly all of the work.
  const verifyAnswer = async (bytes, ...rest) => {
    const same = Object.values(known).find((one) => Buffer.compare(one.bytes, bytes) === 0);
    if (same) return same.answer;
    known.last = { bytes, answer: sdk.verifyAnswer(bytes, ...rest) };
    return known.last.answer;
  };
  const storage = { getItem: () => null, setItem() {} };
  await check({ ...sdk, verifyAnswer }, document, fetch, storage);
  return place.dataset.outcome;
}

test("a page is checked as it stands in the record, and as nothing else, whatever is answered", async () => {
  const known = await answers(), lines = linesOf(known.batch), sent = { prefix: known.prefix.bytes, batch: known.batch.bytes };
  assert.equal(lines.length, 4);
  assert.equal(await outcome(lines, sent, known), "checked");
  const changed = (change) => lines.map((line, at) => (at === 3 ? { ...line, ...change } : line));
  const lies = [lines.slice(1), changed({ says: "end of life: 2099-06-30" }), changed({ leaf: "1" }), changed({ claim: "ab".repeat(32) }),
    changed({ says: "CVE-2026-0001: not affected" }), [...lines, { claim: "cd".repeat(32), leaf: "2", says: "It is fine." }]];
  for (const lie of lies) assert.equal(await outcome(lie, sent, known), "refused");

  const below = numbers(14);
  let green = 0;
  for (let turn = 0; turn < MUTATIONS; turn++) {
    const which = below(2) ? "prefix" : "batch", bytes = mutate(sent[which], below, sent.batch);
    const mutated = { ...sent, [which]: bytes };
    green += await outcome(lines, mutated, known) === "checked";
    assert.notEqual(await outcome(lies[turn % lies.length], mutated, known), "checked", `mutation ${turn} of ${which}`);
  }
  // Some are the same bytes again, or say the same in another spelling of the message.
  assert.ok(green < MUTATIONS / 20, `${green} are green`);
});
