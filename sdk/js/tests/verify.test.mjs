import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as sdk from "../index.js";
import { TestLog, answerOf, claimEntry, encodeAnswer, receiptOf, recordOf, signNote, signText, statementOf, varint,
  vkeyOf } from "./log.mjs";
import { ORIGIN, cosigned, issuers, keys, logKey, makeWorld, policyText, questionAbout, trust } from "./world.mjs";

const { concat, utf8, strictJson } = sdk.internals;
const { log, leaves } = makeWorld();
const about = questionAbout("package", "pkg:cargo/serde");
const refusedAs = (kind, culprit) => (error) => {
  assert.ok(error instanceof sdk.AssayError, String(error.stack));
  assert.deepEqual([error.kind, error.culprit], [kind, culprit]);
  return true;
};

test("an answer says which claims verify, and which do not", async () => {
  const answer = await sdk.verifyAnswer(encodeAnswer(log.answer(about, cosigned())), about, trust);
  assert.equal(answer.complete, true);
  assert.deepEqual(answer.claims.map(({ leaf, error }) => [Number(leaf), error]),
    [leaves.review, leaves.both, leaves.forged].map((leaf) => [leaf, undefined]));
  assert.equal(answer.checkpoint.cosignedAt, cosigned()[0][2]);
  // A key that is not the issuer's makes a good signature: only the records say that it is not its own.
  const records = ["registration", "withRoot"].map((name) => receiptOf(log, leaves[name], cosigned()));
  const opened = await Promise.all(records.map((receipt) => sdk.openReceipt(receipt, trust)));
  const standings = sdk.judgeIssuers([...opened, ...answer.claims]).map(({ standing }) => standing);
  assert.deepEqual(standings, ["proven", "proven", "proven", "proven", "refuted"]);
});

test("a signature in the log that does not hold is its issuer's, and told beside the others", async () => {
  const fake = new TestLog(ORIGIN, keys.log), good = claimEntry(1_767_225_601_000n,
    statementOf("pkg:cargo/serde@1.0.0", "urn:x", {}), [[keys.audits, issuers.audits.issuer]]);
  const bad = good.slice();
  bad[bad.indexOf(0x0a, bad.length - 140) + 5] ^= 1;
  fake.append(bad);
  fake.commit(1_767_225_602_000n);
  const { claims } = await sdk.verifyAnswer(encodeAnswer(fake.answer(about, [])), about, { log: logKey });
  assert.throws(() => { throw claims[0].error; }, refusedAs("claim", "issuer"));
});

test("ML-DSA-44 is not checked, and never counted", async () => {
  const witness = (name) => {
    const material = concat([6], new Uint8Array(1312).fill(7));
    const id = sdk.toHex(sdk.sha256(utf8(name + "\n"), material).subarray(0, 4));
    return { vkey: `${name}+${id}+${sdk.toBase64(material)}`, id };
  };
  const { vkey, id } = witness("four.example/witness");
  const policy = sdk.readPolicy(policyText.replace("group some 2 one two three",
    `witness four ${vkey}\ngroup some 2 one four`));
  const line = `— four.example/witness ${sdk.toBase64(concat(Buffer.from(id, "hex"), new Uint8Array(2428)))}\n`;
  const note = log.note(cosigned(["one"])) + line;
  await assert.rejects(sdk.verifyCheckpoint(note, { policy }), refusedAs("witnesses", "witness"));
  const all = await sdk.verifyCheckpoint(log.note(cosigned()) + line, { policy: sdk.readPolicy(policyText + `\nwitness four ${vkey}`) });
  assert.equal(all.unchecked, 1);
  const own = witness(ORIGIN);
  await assert.rejects(sdk.verifyCheckpoint(log.note([]), { log: own.vkey }), refusedAs("checkpoint", "nobody"));
});

test("a quorum's time is the latest since which enough have cosigned", async () => {
  const at = (seconds) => cosigned(["one"], seconds)[0];
  const note = log.note([at(10n), ["two.example/witness", keys.two, at(20n)[2]], ["three.example/witness", keys.three, at(30n)[2]]]);
  assert.equal((await sdk.verifyCheckpoint(note, trust)).cosignedAt, at(20n)[2]);
});

test("keys that are none are the caller's fault", async () => {
  for (const key of ["", "a", logKey + "=", logKey.replace("+", "++"), logKey.replace(/\+[0-9a-f]/, "+x"),
    logKey.replace(ORIGIN, "other"), "a+00000000+" + sdk.toBase64(concat([1], new Uint8Array(32)))]) {
    assert.throws(() => sdk.readKey(key), refusedAs("key", "caller"), key);
  }
  await assert.rejects(sdk.verifyCheckpoint(log.note([]), {}), refusedAs("key", "caller"));
  await assert.rejects(sdk.verifyCheckpoint(log.note([]), { policy: policyText }), refusedAs("key", "caller"));
  await assert.rejects(sdk.verifyCheckpoint(log.note(cosigned()), { log: logKey, policy: policyText }), refusedAs("key", "caller"));
});

test("each fault of a key is found, whatever else is right", async () => {
  const made = (name, type, key) => vkeyOf(name, type, { key });
  const sound = keys.log.key, small = Uint8Array.of(1, ...new Uint8Array(31));
  assert.ok(sdk.readKey(made("a", 1, sound)));
  for (const key of [made("", 1, sound), made("a b", 1, sound), made("a\u2003b", 1, sound), made("a", 2, sound),
    made("a", 255, sound), made("a", 1, sound.subarray(1)), made("a", 6, sound), made("a", 1, small),
    made("a", 4, new Uint8Array(32).fill(255)), made("a", 1, new Uint8Array())]) {
    assert.throws(() => sdk.readKey(key), refusedAs("key", "caller"), key);
  }
  const verify = (their) => sdk.verifyCheckpoint(log.note([]), their);
  await assert.rejects(verify({ log: made(ORIGIN, 4, sound) }), refusedAs("key", "caller"));
  const quorumNone = sdk.readPolicy(`log ${logKey}\nquorum none`);
  await assert.rejects(verify({ log: made(ORIGIN, 1, keys.one.key), policy: quorumNone }), refusedAs("key", "caller"));
  assert.ok(await verify({ log: logKey, policy: quorumNone }));
  assert.ok(await verify({ log: made("other", 1, keys.one.key), policy: quorumNone }));
});

test("each fault of a checkpoint is found, although the log signed it", async () => {
  const root = sdk.toBase64(new Uint8Array(32)), own = { origin: ORIGIN, key: keys.log };
  const verify = (body, origin = ORIGIN) => sdk.verifyCheckpoint(signText({ ...own, origin }, body),
    { log: vkeyOf(origin, 1, keys.log) });
  assert.equal((await verify(`${ORIGIN}\n18446744073709551615\n${root}\n`)).size, (1n << 64n) - 1n);
  for (const body of [`${ORIGIN}\n1\n${root}\nmore\n`, `${ORIGIN}\n1\n${root}\n\n`, `${ORIGIN}\n1\n`, `${ORIGIN}\n01\n${root}\n`,
    `${ORIGIN}\n-1\n${root}\n`, `${ORIGIN}\n\n${root}\n`, `${ORIGIN}\n18446744073709551616\n${root}\n`, `${ORIGIN}\n1\nAAAA\n`,
    `${ORIGIN}\n1\n${root.replace("A=", "B=")}\n`, `\n1\n${root}\n`, `${ORIGIN}\n1\t\n${root}\n`, `${ORIGIN}\0\n1\n${root}\n`]) {
    await assert.rejects(verify(body), (error) => ["checkpoint", "log"].includes(error.kind), body);
  }
  const long = `${ORIGIN}\n1\n${root}\n`, note = signText(own, long);
  const line = (size) => `— w ${sdk.toBase64(new Uint8Array(size))}\n`;
  assert.ok(await sdk.verifyCheckpoint(note + line(700_000), { log: logKey }));
  await assert.rejects(sdk.verifyCheckpoint(note + line(800_000), { log: logKey }), refusedAs("checkpoint", "server"));
  await assert.rejects(sdk.verifyCheckpoint(concat(utf8(note), utf8("— "), [0xff], utf8(" AAAAAAA=\n")), { log: logKey }),
    refusedAs("checkpoint", "server"));
  for (const noise of [`${ORIGIN}\n1\n${root}\n\n`, `${ORIGIN}\n1\n${root}\n`, "\n\n", "\n\n\n"]) {
    await assert.rejects(sdk.verifyCheckpoint(noise, { log: logKey }), refusedAs("checkpoint", "server"));
  }
});

test("notes have one spelling", async () => {
  const good = log.note([]), verify = (note) => sdk.verifyCheckpoint(note, { log: logKey });
  assert.equal((await verify(good)).origin, ORIGIN);
  const size = `\n${log.entries.length}\n`;
  for (const note of ["", good.slice(0, -1), good + "\n", good.replace("\n\n", "\nmore\n\n"), good.replace(size, "\n0" + size.slice(1)),
    good.replace("— ", "- "), good.replace(/\n/g, "\r\n"), good + "x\n", good.replace("\n— ", "\n— a\u00a0b AAAAAAA=\n— "),
    good.replace(/=\n$/, "\n"), "\ufeff" + good, good.replace(ORIGIN, ORIGIN + "\u0085")]) {
    await assert.rejects(verify(note), sdk.AssayError, JSON.stringify(note.slice(0, 40)));
  }
  const many = Array.from({ length: 100 }, (_, i) => `— w${i} ${sdk.toBase64(new Uint8Array(68))}\n`).join("");
  await assert.rejects(verify(good + many), refusedAs("checkpoint", "server"));
  assert.ok(await verify(good + many.split("\n").slice(0, 99).join("\n") + "\n"));
});

test("strict JSON refuses what two readers read differently", () => {
  const read = (text) => strictJson(typeof text === "string" ? utf8(text) : text);
  for (const bad of ['{"a":1,"a":2}', '{"a":1,"\\u0061":2}', '"\\ud800"', '{"\\udc00":1}', "[".repeat(33) + "]".repeat(33),
    "\ufeff1", "1 2", "01", "", "{'a':1}", Uint8Array.of(0x22, 0xff, 0x22), "NaN", '{"a" :1, "a"\n:2}']) {
    assert.throws(() => read(bad), refusedAs("claim", "issuer"), String(bad));
  }
  assert.deepEqual(read('{"a":{"a":[{"a":"\\"a\\":"}]},"b":"\\ud83d\\ude00"}').value, { a: { a: [{ a: '"a":' }] }, b: "\u{1f600}" });
  assert.ok(read("[".repeat(32) + "]".repeat(32)));
  assert.deepEqual(["1", "1.0", "1e0", "-0", '"1.5"', "[1.5]"].map((text) =>
    read(`{"note":0.5,"predicate":{"a":"b","n" : ${text}}}`).fractions), [[], ["n"], ["n"], ["n"], [], []]);
});

test("limits are met before anything is made of what they limit", () => {
  const before = process.memoryUsage().rss;
  const many = (count) => concat([0x22], varint(34 + 4 + count), [0x0a, 32], new Uint8Array(32), [0x12],
    varint(count).length === 4 ? varint(count) : concat(varint(count), []), new Uint8Array(count));
  const start = process.cpuUsage();
  assert.throws(() => sdk.readAnswer(Array(3).fill(many(4_000_000))), refusedAs("message", "server"));
  assert.throws(() => sdk.readAnswer(new Uint8Array((64 << 20) + 1)), refusedAs("message", "server"));
  assert.throws(() => sdk.readAnswer(concat([0x1a], varint(1n << 60n))), refusedAs("message", "server"));
  // Nothing, a million times: of entries, of cuts, of lists, of numbers one by one.
  for (const nothing of [[0x32, 0], [0x1a, 0], [0x28, 1]]) {
    const bytes = new Uint8Array(12 << 20);
    for (let at = 0; at < bytes.length; at += 2) bytes.set(nothing, at);
    assert.throws(() => sdk.readAnswer(bytes), refusedAs("message", "server"));
  }
  // Of the processor, not of the clock: the machine may be busy.
  assert.ok(process.cpuUsage(start).user < 30_000_000, "that takes long");
  assert.ok(process.memoryUsage().rss - before < 1 << 30, "that takes much memory");
  // A path of inner nodes may be 256 long, not more, and nothing overflows before that is seen.
  assert.throws(() => new sdk.Cut(new Uint8Array(1 << 20).fill(2), new Uint8Array(32), 1n), refusedAs("cut", "server"));
});

test("pages are whole only together", async () => {
  const label = about.names[0] + about.by[0], list = (await sdk.verifyAnswer(
    encodeAnswer(log.answer(about, cosigned())), about, trust)).lists.get(label);
  const { makeRange, makeMultiproof } = await import("./log.mjs");
  const checkpoint = await sdk.verifyCheckpoint(log.note(cosigned()), trust), hashes = log.entries.map((entry) => sdk.leafHash(entry));
  const page = (from, to) => sdk.checkPage(checkpoint, label, BigInt(from), {
    ...answerOf(log.entries, { names: about.names, by: [about.by[0]] }), lists: [{ label, leaves: list.slice(from, to) }],
    entries: list.slice(from, to).map((index) => [index, log.entries[Number(index)]]), range: makeRange(list, from, to),
    inclusion: makeMultiproof(hashes, [...list.slice(from, to).map(Number), hashes.length - 1]) });
  const pages = [page(0, 1), page(1, 3)];
  assert.equal(sdk.arePagesWhole(pages), true);
  assert.equal(sdk.arePagesWhole(pages.slice(0, 1)), false);
  assert.equal(sdk.arePagesWhole(pages.slice(1)), false);
  assert.equal(sdk.arePagesWhole([page(0, 1), page(2, 3)]), false);
  assert.throws(() => page(1, 1), refusedAs("lists", "server"));
  const whole = { ...answerOf(log.entries, { names: about.names, by: [about.by[0]] }) }, at = (from, edit) =>
    () => sdk.checkPage(checkpoint, label, BigInt(from), { ...whole, ...edit });
  assert.ok(at(0, {})());
  const [{ leaves: its }] = whole.lists, other = "f".repeat(64);
  for (const lists of [[], [{ label: other, leaves: its }], [...whole.lists, { label: other, leaves: [] }], [{ label, leaves: [...its].reverse() }],
    [{ label, leaves: [...its.slice(0, -1), BigInt(log.entries.length - 1)] }], [{ label, leaves: [...its, its.at(-1) + 1n] }]]) {
    assert.throws(at(0, { lists }), (error) => error.kind === "lists", JSON.stringify(lists, (_, one) => String(one)));
  }
  assert.throws(at(1, {}), refusedAs("lists", "server"));
  const end = { lists: [{ label, leaves: [] }], entries: [], inclusion: makeMultiproof(hashes, [hashes.length - 1]) };
  assert.equal(at(its.length, end)().leaves.length, 0);
  assert.throws(at(its.length, { ...end, range: [hashes[0]] }), refusedAs("range", "server"));
});

test("issuers: a rotation is signed by the root and by every new key", () => {
  const place = (leaf, made, signers) => ({ origin: ORIGIN, leaf: BigInt(leaf), hash: String(leaf),
    claim: { id: leaf.toString(16).padStart(64, "0"), statement: made.statement, fractions: [],
      signers: signers.map((name) => ({ key: keys[name].hex, issuer: made.issuer })) } });
  const { maintainer } = issuers, more = { rotationKeys: [keys.root.hex], rotationThreshold: 1 };
  const next = (extra) => recordOf("Example maintainers", [keys.next], 1, { ...more, issuer: maintainer.issuer,
    sequence: 1, previous: "1".padStart(64, "0"), ...extra });
  const said = (made, signers) => sdk.judgeIssuers([place(1, maintainer, ["maintainer", "root"]), place(2, made, signers)])[1].standing;
  assert.equal(said(next(), ["root", "next"]), "proven");
  assert.equal(said(next(), ["maintainer", "next"]), "refuted");
  assert.equal(said(next(), ["root"]), "refuted");
  assert.equal(said(next(), ["root", "next", "stranger"]), "refuted");
  assert.equal(said(next({ sequence: 2 }), ["root", "next"]), "unproven");
  assert.equal(said(next({ previous: "2".padStart(64, "0") }), ["root", "next"]), "refuted");
  const both = sdk.judgeIssuers([place(1, maintainer, ["maintainer", "root"]), { ...place(1, maintainer, []), hash: "x" }]);
  assert.throws(() => { throw both[0].error; }, refusedAs("log", "log"));
});

test("an id is that of docs/design.md 3.4, and depends on every key and threshold", () => {
  const [a, b] = ["audits", "root"].map((name) => keys[name].hex);
  const ids = [sdk.issuerId(1, [a]), sdk.issuerId(1, [a, b]), sdk.issuerId(2, [a, b]), sdk.issuerId(1, [a], 1, [b])];
  assert.equal(new Set(ids).size, 4);
  assert.equal(sdk.issuerId(1, [b, a]), ids[1]);
});

test("verify.js is one file without imports, and no larger than 40 KiB", () => {
  const source = readFileSync(new URL("../verify.js", import.meta.url), "utf8");
  assert.doesNotMatch(source, /^import /m);
  assert.ok(Buffer.byteLength(source) <= 40 * 1024, `${Buffer.byteLength(source)} bytes`);
});

test("verify.html has the files as they are", async () => {
  const { page } = await import("../bin/inline.mjs");
  assert.equal(readFileSync(new URL("../verify.html", import.meta.url), "utf8"), page());
});

test("a leaf that the tree does not have is not taken for its last one", async () => {
  const { makeMultiproof, treeRoot } = await import("./log.mjs");
  const hashes = ["a", "b", "c"].map((one) => sdk.leafHash(utf8(one))), proof = makeMultiproof(hashes, [2]);
  sdk.checkMultiproof(3n, treeRoot(hashes), [[2n, hashes[2]]], proof);
  for (const index of [3n, 4n, (1n << 64n) - 1n]) {
    assert.throws(() => sdk.checkMultiproof(3n, treeRoot(hashes), [[index, hashes[2]]], proof), refusedAs("inclusion", "server"));
  }
});

test("messages that are cut off, or of other types, are refused; unknown fields are passed over", () => {
  const known = concat([0x0a, 1], utf8("x")), label = concat([0x22, 34, 0x0a, 32], new Uint8Array(32));
  for (const bad of [[0x28], [0x28, 0x80], [0x2a, 1, 0x80], [0x1a, 2, 0], [0x1a], [0x02, 0], [0x00, 0], [0x18, 1], [0x0b], [0x0f],
    [0x28, ...Array(9).fill(0xff), 0x02], [0x28, ...Array(10).fill(0x80), 0], [0x22, 2, 0x0a, 0], [0x3a, 1, 0], [0x42, 1, 0], [0x32, 0],
    [0x28, 1], [...concat(label, [0x22, 36, 0x0a, 32], new Uint8Array(32), [0x10]), 0x80], [0x49, 0], [0x4d, 0]]) {
    assert.throws(() => sdk.readAnswer(Uint8Array.from([...known, ...bad])), refusedAs("message", "server"), String(bad));
  }
  for (const good of [[0x48, 1], [0x4a, 1, 0], [0x49, ...Array(8).fill(0)], [0x4d, 0, 0, 0, 0], [0x32, 0, 0x28, 0x80, 0x00]]) {
    assert.ok(sdk.readAnswer(Uint8Array.from([...known, ...good])), String(good));
  }
  // Repeated numbers come packed, one by one, or both.
  const lists = (...leaves) => sdk.readAnswer(Uint8Array.from([...label.subarray(0, 1), 34 + leaves.length, ...label.subarray(2), ...leaves])).lists[0].leaves;
  assert.deepEqual(lists(0x12, 2, 1, 2), [1n, 2n]);
  assert.deepEqual(lists(0x10, 1, 0x12, 1, 2, 0x10, 3), [1n, 2n, 3n]);
  assert.deepEqual(sdk.readAnswer([label, label].map((one) => Uint8Array.from(one))).lists.length, 1);
});

test("an entry has a longest length, and a question its forms", async () => {
  const { commitmentEntry } = await import("./log.mjs");
  assert.ok(sdk.parseEntry(commitmentEntry(1n, new Uint8Array(65_000), 0)));
  assert.throws(() => sdk.parseEntry(commitmentEntry(1n, new Uint8Array(65_535), 0)), refusedAs("entry", "server"));
  const cut = new sdk.Cut(new Uint8Array(), sdk.sha256([0x10]), 0n), half = "a".repeat(32);
  assert.deepEqual(cut.ask({ names: [half], by: [half] }), []);
  for (const wrong of [{ names: [half] }, { names: ["a"], by: [half] }, { names: half, by: [half] }, { names: [half], by: ["x"] }, {},
    { prefix: "", bits: 257 }, { prefix: "", bits: 129, by: [half] }, { prefix: "x", bits: 4 }, { prefix: "a".repeat(66), bits: 1 }, { prefix: "", bits: 0.5 }]) {
    assert.throws(() => cut.ask(wrong), refusedAs("question", "caller"), JSON.stringify(wrong));
  }
});
