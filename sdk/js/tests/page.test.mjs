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

/**
 * What a page with these lines says of itself where it is sent these bytes: its size, whether it says that it is a part,
 * the key that the browser has seen, and what answers are made of, where the test says so.
 */
async function outcome(lines, sent, known, { size = log.entries.length, part = false, seen = null, made = (it) => it } = {}) {
  const element = () => ({ dataset: {}, append() {}, replaceChildren() {} }), place = element();
  Object.assign(place.dataset, { purl: PURL, keys: logKey, size: String(size), part: String(part), base: "./" });
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
  const storage = { getItem: () => seen, setItem() {} };
  const verify = { ...sdk, verifyAnswer: async (...args) => made(await verifyAnswer(...args)) };
  await check(verify, document, fetch, storage);
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

test("what a page cannot check fully, it does not call checked", async () => {
  const known = await answers(), lines = linesOf(known.batch), sent = { prefix: known.prefix.bytes, batch: known.batch.bytes };
  const said = (other, its = lines, bytes = sent) => outcome(its, bytes, known, other);
  assert.equal(await said({}), "checked");
  assert.equal(await said({ size: log.entries.length + 1 }), "open", "an older head");
  assert.equal(await said({ made: (answer) => ({ ...answer, complete: false }) }), "open", "a part of an answer");
  assert.equal(await said({ part: true }, lines.slice(1)), "open", "a page that says that it leaves something out");
  const long = { ...sent, batch: new Uint8Array((16 << 20) + 1) };
  assert.equal(await said({}, lines, long), "open", "an answer without end");
  const crowd = ({ census, ...answer }) => ({ ...answer, census: census && Array(1001).fill(census[0]) });
  assert.equal(await said({ made: crowd }), "open", "more speakers than are asked about");
  assert.equal(await said({ seen: logKey }), "checked");
  assert.equal(await said({ seen: logKey.replace("log", "LOG") }), "refused", "another key than the browser has seen");

  // What does not verify is no statement, though an answer has it.
  const claims = known.batch.answer.claims, [first] = claims.filter(({ error }) => !error);
  const broken = (answer) => ({ ...answer, claims: answer.claims?.map((one) => (one === first ? { ...one, error: new Error() } : one)) });
  assert.equal(await said({ made: broken }), "refused", "a statement whose signature does not hold");
});
