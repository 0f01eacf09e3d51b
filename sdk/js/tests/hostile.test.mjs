// What a node or a log may try on a client, look-up by look-up.

import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as sdk from "../index.js";
import { isAbout, summarize } from "../lookup.js";
import { TestLog, claimEntry, encodeAnswer, keyOf, makeMultiproof, recordOf, statementOf, varint, vkeyOf } from "./log.mjs";
import { answer, ids, leaves, log, page, refusedAs } from "./node.mjs";
import { ORIGIN, cosigned, issuers, keys, logKey, makeWorld, policyText, questionAbout, trust } from "./world.mjs";

const { utf8, concat, strictJson } = sdk.internals;
const START = 1_767_225_600_000n, { audits, maintainer } = issuers;
const serde = { purl: "pkg:cargo/serde", issuers: ids };

/** A client whose answers `pick` gives: a log or the body of a response, by the number of the request and its address. */
function clientOf(pick, options = {}) {
  let count = 0;
  const fetch = async (address) => {
    const url = new URL(address), picked = pick(count++, url);
    if (picked instanceof Response) return picked;
    const isLog = picked instanceof TestLog;
    const [type, body] = isLog ? answer(picked, leaves, url.pathname, url.searchParams) : ["application/protobuf", picked];
    return new Response(body, { headers: { "content-type": type } });
  };
  return new sdk.Log({ url: "http://node.example", ...trust, fetch, ...options });
}

/** A log with other entries, under the same key if nothing else is said. */
function logOf(entries, origin = ORIGIN, key = keys.log) {
  return Object.assign(new TestLog(origin, key), { entries });
}

const older = logOf(log.entries.slice(0, -2));
const json = (body) => new Response(body, { headers: { "content-type": "application/json" } });

test("a client is of one log, whatever logs a policy names", async () => {
  const name = "other.example/log", key = keyOf("another log"), other = logOf(log.entries, name, key);
  const policy = sdk.readPolicy(`log ${vkeyOf(name, 1, key)}\n${policyText}`);
  for (const options of [{ log: logKey }, { origin: ORIGIN }]) {
    const client = clientOf(() => other, { policy, ...options });
    assert.equal(client.origin, ORIGIN);
    for (const ask of [() => client.lookup(serde), () => client.census({ purl: "pkg:cargo/serde" }), () => client.checkpoint(),
      () => client.list({ purl: "pkg:cargo/serde", by: ids[0] }), () => client.receipt("00".repeat(32))]) {
      await assert.rejects(ask(), refusedAs("log", "caller"));
    }
  }
  // Logs of one size are no histories of each other.
  const [one, two] = [ORIGIN, name].map((origin) => clientOf((_, url) => logOf(older.entries, origin, origin === name ? key : keys.log), { policy, origin }));
  assert.deepEqual((await Promise.all([one, two].map((client) => client.checkpoint()))).map(({ origin }) => origin), [ORIGIN, name]);
  for (const wrong of [{ policy }, { policy, origin: "third.example" }, { policy: null }, { policy: policyText }, { policy: policyText, log: logKey }, { policy, log: [logKey, vkeyOf(name, 1, key)] }]) {
    assert.throws(() => clientOf(() => log, wrong), refusedAs("argument", "caller"));
  }
});

test("what several answers say is as of the oldest of them, the records' too", async () => {
  const found = await clientOf((count) => (count ? log : older)).lookup(serde);
  assert.deepEqual(found.checkpoints.map(({ size }) => Number(size)), [-2, 0, 0].map((less) => log.entries.length + less));
  const asOf = (found) => Number(found.asOf - START) / 1000;
  assert.equal(asOf(found), 10);
  assert.equal(asOf(await clientOf(() => log).lookup(serde)), 12);
  // A head of one size, whose cosignatures are older.
  const stale = clientOf((count, { searchParams: query }) => (count
    ? encodeAnswer(log.answer({ names: query.getAll("name"), by: query.getAll("by") }, cosigned(undefined, -15n))) : log));
  assert.equal(asOf(await stale.lookup(serde)), 5);
});

test("a head smaller than one that was seen before is refused, in one look-up and in the next", async () => {
  const refused = refusedAs("unavailable", "server");
  await assert.rejects(clientOf((count) => (count ? older : log)).lookup(serde), refused);
  const client = clientOf((count) => (count > 2 ? older : log));
  await client.lookup(serde);
  await assert.rejects(client.lookup(serde), refused);
  await assert.rejects(client.checkpoint(), refused);
  // Of two that are asked for at once, neither was seen before the other.
  let first;
  const held = new Promise((resolve) => { first = resolve; });
  const both = clientOf(() => log), { fetch } = both;
  both.fetch = async (...request) => (both.asked++ ? fetch(...request) : held);
  both.asked = 0;
  const slow = both.checkpoint();
  await both.checkpoint();
  first(new Response(older.note(cosigned()), { headers: { "content-type": "text/plain" } }));
  assert.equal((await slow).size, BigInt(older.entries.length));
});

test("two entries at one leaf, in two answers, are held against the log", async () => {
  const order = [leaves.ended, leaves.withRoot, leaves.registration, leaves.review, leaves.both, leaves.forged, leaves.ended];
  const fork = new TestLog(ORIGIN, keys.log);
  order.forEach((leaf, i) => { fork.append(log.entries[leaf]); fork.commit(START + 1000n * BigInt(i + 8)); });
  assert.notDeepEqual(fork.entries[leaves.review], log.entries[leaves.review]);
  const client = clientOf((count) => (count ? fork : log));
  await assert.rejects(client.lookup(serde), (error) => refusedAs("fork", "log")(error) && error.notes.length === 2);
});

test("a head from the future is refused, and an answer is as old as the older of its times", async () => {
  const at = (ms) => clientOf(() => log, { now: () => Number(START) + 12_000 + ms });
  assert.equal((await at(-300_000).lookup(serde)).complete, true);
  for (const ask of [(client) => client.lookup(serde), (client) => client.list({ purl: "pkg:cargo/serde", by: ids[0] })]) {
    await assert.rejects(ask(at(-300_001)), refusedAs("time", "nobody"));
  }
  const cosignedLate = clientOf(() => log, { now: () => Number(START) + 50_000 - 300_001 });
  await assert.rejects(cosignedLate.checkpoint(), refusedAs("time", "nobody"));
  const about = questionAbout("package", "pkg:cargo/serde");
  const ages = async (seconds) => {
    const checked = await sdk.verifyAnswer(encodeAnswer(log.answer(about, cosigned(undefined, seconds))), about, trust);
    return [checked.asOf - START, checked.committedAt - START];
  };
  assert.deepEqual(await ages(-15n), [5000n, 12_000n]);
  assert.deepEqual(await ages(30n), [12_000n, 12_000n]);
});

test("a page whose entries are withheld says so, and a list of such is refused", async () => {
  const label = sdk.labelOf("version", "pkg:cargo/serde@1.0.0", ids[0]), whole = page(log, label, 0);
  const hashes = log.entries.map((entry) => sdk.leafHash(entry)), [first] = whole.entries;
  const some = { ...whole, entries: [first], inclusion: makeMultiproof(hashes, [Number(first[0]), hashes.length - 1]) };
  const checked = async (parts) => sdk.checkPage(await sdk.verifyCheckpoint(parts.checkpoint, trust), label, 0n, parts).missing;
  assert.deepEqual([await checked(whole), await checked(some)], [[], [BigInt(leaves.both)]]);
  const list = (bytes) => clientOf((count) => (count ? log : bytes)).list({ purl: "pkg:cargo/serde@1.0.0", by: ids[0] });
  assert.equal((await list(encodeAnswer(whole))).length, 2);
  await assert.rejects(list(encodeAnswer(some)), refusedAs("entries", "server"));
});

/** A log in which an issuer said so much about a package. */
function longLog(count) {
  const long = logOf([...log.entries]);
  for (let i = 0; i < count; i++) {
    long.append(claimEntry(START + 13_000n, statementOf("pkg:cargo/long", "urn:x", { i }), [[keys.audits, audits.issuer]]));
  }
  long.commit(START + 14_000n);
  return long;
}

test("a list takes as many short pages, bytes and as much time as is set aside", async () => {
  const long = longLog(66), about = { purl: "pkg:cargo/long", by: ids[0] };
  const sent = (most, more = []) => (_, url) =>
    concat(encodeAnswer(page(long, url.searchParams.get("label"), Number(url.searchParams.get("from")), most)), more);
  const refused = refusedAs("unavailable", "nobody");
  assert.equal((await clientOf(sent(2)).list(about)).length, 33);
  await assert.rejects(clientOf(sent(1)).list(about), refused);
  assert.equal((await clientOf(sent(9)).list(about)).length, 8);
  const padding = new Uint8Array(15 << 20), padded = concat(varint(9 << 3 | 2), varint(padding.length), padding);
  await assert.rejects(clientOf(sent(9, padded)).list(about), refused);
  let now = Date.now();
  await assert.rejects(clientOf(sent(9), { now: () => now += 10 * 60_000 }).list(about), refused);
});

test("a page of more than 1,000 leaves is refused", async () => {
  const label = sdk.labelOf("package", "pkg:cargo/long", ids[0]);
  const check = async (count) => {
    const parts = page(longLog(count), label, 0, count);
    return sdk.checkPage(await sdk.verifyCheckpoint(parts.checkpoint, trust), label, 0n, parts).leaves.length;
  };
  assert.equal(await check(1000), 1000);
  await assert.rejects(check(1001), refusedAs("limit", "server"));
});

test("keys that an issuer declared compromised come with what they signed", async () => {
  const { log: made } = makeWorld(), key = keys.audits.hex;
  const statement = { ...statementOf("pkg:a/b", "urn:assay:key-compromise:v1", { issuer: audits.issuer, key, origin: ORIGIN,
    fromIndex: 0, fromTime: "2026-01-01T00:00:00Z" }), subject: [{ digest: { sha256: audits.issuer } }] };
  const found = async (signer) => {
    const one = logOf([...made.entries]);
    one.append(claimEntry(START + 13_000n, statement, [[signer, audits.issuer]]));
    one.commit(START + 14_000n);
    return clientOf(() => one).lookup({ purl: "pkg:cargo/serde@1.0.0", issuers: ids });
  };
  const told = await found(keys.audits);
  assert.deepEqual(told.compromises.map(({ claim }) => sdk.readCompromise(claim)), [{ issuer: audits.issuer, key }]);
  assert.deepEqual(told.claims.map((one) => one.compromisedKeys), [[key], [key], []]);
  assert.deepEqual((await found(keys.stranger)).compromises, [], "nobody else may say so");
  assert.deepEqual((await found(keys.stranger)).claims.map((one) => one.compromisedKeys), [[], [], []]);
});

test("names are compared in full, and not by their halves", async () => {
  const about = questionAbout("package", "pkg:cargo/serde");
  const answers = [await sdk.verifyAnswer(encodeAnswer(log.answer(about, cosigned())), about, trust)];
  const count = (named, by) => summarize(answers, [], named, by).claims.length;
  assert.equal(count([["package", "pkg:cargo/serde"]], ids), 3);
  assert.equal(count([["package", "pkg:cargo/other"]], ids), 0);
  assert.equal(count([["package", "pkg:cargo/serde"]], [maintainer.issuer]), 1);
  assert.equal(count([["package", "pkg:cargo/serde"]], [audits.issuer.slice(0, 32) + "0".repeat(32)]), 0);
  const entry = sdk.parseEntry(log.entries[leaves.registration]);
  assert.deepEqual([[["issuer", audits.issuer]], [["issuer", maintainer.issuer]]].map((named) => isAbout(entry, named, null)), [true, false]);
});

test("what a node sends in place of a receipt is the node's fault", async () => {
  const ask = (body) => clientOf(() => json(body)).receipt("00".repeat(32));
  const many = JSON.stringify({ envelope: "", proof: "", issuers: Array(10_001).fill({ envelope: "", proof: "" }) });
  for (const body of ["nonsense", '{"a":1,"a":2}', many]) await assert.rejects(ask(body), refusedAs("message", "server"));
});

test("long bytes of any kind are refused with an error of ours, and quickly", async () => {
  const start = process.cpuUsage(), size = 15 << 20, ask = (body) => clientOf(() => json(body)).receipt("00".repeat(32));
  for (const long of [JSON.stringify("\n".repeat(size / 2)), JSON.stringify("\n".repeat(1 << 20) + "x".repeat(size - (4 << 20))), "1".repeat(size),
    `{"issuers":[${"1.5,".repeat(size / 4 - 10)}1]}`, "[".repeat(size)]) {
    await assert.rejects(ask(long), sdk.ServerError);
  }
  assert.equal(strictJson(utf8(JSON.stringify("\\\"".repeat(size / 4)))).value.length, size / 2);
  const envelope = JSON.stringify({ payload: "=".repeat(500_000) + "x", payloadType: "", signatures: [{ sig: "" }] });
  await assert.rejects(sdk.openReceipt({ envelope, proof: "" }, trust), refusedAs("envelope", "server"));
  let left = 200_000;
  const crumbs = new ReadableStream({ pull: (to) => (left-- ? to.enqueue(Uint8Array.of(0x20)) : to.close()) });
  await assert.rejects(ask(crumbs), refusedAs("message", "server"));
  assert.equal(sdk.readAnswer(Array(200_000).fill(Uint8Array.of(0x1a, 1, 0))).cut.length, 200_000);
  assert.equal(sdk.readAnswer(concat(...Array.from({ length: 2000 }, () => concat(...Array(200).fill([0x1a, 1, 0])))) ).cut.length, 1);
  assert.ok(process.cpuUsage(start).user < 40_000_000, "that takes long");
});

test("of a field that stands twice the last one counts, and no field has another type", () => {
  const field = (number, value) => concat(varint(number << 3 | 2), varint(value.length), value);
  const read = (...parts) => sdk.readAnswer(concat(...parts));
  for (const [number, key] of [[1, "checkpoint"], [2, "commitment"], [3, "cut"]]) {
    assert.deepEqual([...read(field(number, [1, 2]), field(number, [3]))[key]], [3]);
  }
  assert.deepEqual(read(...[1, 2].map((byte) => field(7, new Uint8Array(32).fill(byte)))).inclusion.map(([byte]) => byte), [2]);
  const label = (byte) => field(1, new Uint8Array(32).fill(byte));
  assert.equal(read(field(4, concat(label(1), label(2)))).lists[0].label, "02".repeat(32));
  assert.equal(read(concat(varint(9 << 3 | 5), new Uint8Array(4)), concat(varint(10 << 3 | 1), new Uint8Array(8))).cut.length, 0);
  const bad = [];
  for (const [type, length] of [[1, 8], [5, 4]]) {
    for (let number = 1; number <= 8; number++) bad.push(concat(varint(number << 3 | type), new Uint8Array(length)));
    for (const number of [1, 2]) bad.push(field(4, concat(label(1), varint(number << 3 | type), new Uint8Array(length))));
  }
  bad.push(field(4, concat(label(1), varint(1 << 3), varint(5))));
  for (const bytes of bad) assert.throws(() => read(bytes), refusedAs("message", "server"), sdk.toHex(bytes));
});

test("protobuf's JSON has texts, arrays and whole numbers where they belong", () => {
  const read = (leaves, more = {}) => sdk.readAnswerJson({ leaves, entries: leaves.map(() => ""), ...more }).entries.map(([index]) => index);
  assert.deepEqual(read(["0", 7, "18446744073709551615", 0]), [0n, 7n, 2n ** 64n - 1n, 0n]);
  assert.deepEqual(read([], { leaves: null, cut: null }), []);
  for (const one of [["5"], [5], 2 ** 53, 1.5, -1, "1.0", "-1", true, null, {}, undefined]) {
    assert.throws(() => read([one]), refusedAs("message", "server"), String(one));
  }
  for (const more of [{ cut: 5 }, { lists: {} }, { entries: "x" }, { checkpoint: ["x"] }, { leaves: "5" }, { lists: [5] }]) {
    assert.throws(() => read([], more), refusedAs("message", "server"), JSON.stringify(more));
  }
});

test("a key that is no point of the curve is refused", () => {
  const key = Uint8Array.of(2, ...new Uint8Array(31));
  assert.throws(() => sdk.readKey(vkeyOf("log.example", 1, { key })), refusedAs("key", "caller"));
});

test("only a record's own numbers have to be whole", async () => {
  const made = recordOf("Example", [keys.next], 1, { note: 1.5 });
  const open = async (text) => sdk.readRecord(await sdk.openClaim(sdk.parseEntry(claimEntry(START, text, [[keys.next, made.issuer]]))));
  const text = JSON.stringify(made.statement);
  assert.equal((await open(text)).issuer, made.issuer);
  for (const own of ['"threshold":1', '"sequence":0']) {
    assert.ok(text.includes(own));
    for (const end of [".0", "e0"]) await assert.rejects(open(text.replace(own, own + end)), refusedAs("claim", "issuer"));
  }
});

test("the page shows times that are no dates", () => {
  const html = readFileSync(new URL("../verify.html", import.meta.url), "utf8");
  const [, source] = /^const time = ([^;]*);$/m.exec(html), time = new Function("return " + source)();
  assert.equal(time(START), "2026-01-01 00:00 UTC");
  for (const ms of [2n ** 63n, 2n ** 64n - 1n]) assert.match(time(ms), /no date/);
});

test("the page quotes what strangers wrote, and nothing in it ends the quotation", () => {
  const html = readFileSync(new URL("../verify.html", import.meta.url), "utf8");
  const source = html.slice(html.indexOf("/** What strangers wrote, as text"), html.indexOf("\nfunction trust()"));
  const made = () => ({ textContent: "", append(...all) { for (const one of all) this.textContent += one.textContent ?? one; } });
  const { quoted, showClaim } = new Function("document", source + "\nreturn { quoted, showClaim };")({ createElement: made });
  for (const [text, shown] of [
    ["Makers", '"Makers"'], ['a" (b)', '"a\\" (b)"'], ["a\\", '"a\\\\"'], ["a\u201d, b", '"a\\u{201d}, b"'],
    ["it's", '"it\'s"'], ["a'', b", '"a\'\\u{27}, b"'], ["a\ua78c\ua78c", '"a\ua78c\\u{a78c}"'], ["a \u0301", '"a \\u{301}"'],
    ["o\u030b", '"o\u030b"'], ["a\u202eb\u3164", '"a\ufffdb\ufffd"'],
  ]) assert.equal(quoted(text), shown);
  const name = "\u2714 verified, Makers (e6348e15bf75…), Auditors (2ba6a0307817…)", issuer = "08".repeat(32);
  const claim = { statement: { subject: [{ uri: "of Makers. All is well" }], predicateType: "all is well" }, signers: [{ issuer }], id: "ab".repeat(32) };
  const lines = showClaim({ claim, leaf: 1n, loggedAt: START }, [{ issuer, name }]).map((one) => one.textContent);
  assert.equal(lines[0], 'About "of Makers. All is well"');
  assert.equal(lines[1], 'Type "all is well"');
  assert.equal(lines[2], `Signed by issuer ${issuer.slice(0, 12)}… "${name}"; names are their own words`);
});
