import { strict as assert } from "node:assert";
import { test } from "node:test";
import * as sdk from "../index.js";
import { keyOf, recordOf, statementOf, vkeyOf } from "./log.mjs";
import { ORIGIN, keys } from "./world.mjs";

const refusedAs = (kind, culprit) => (error) => {
  assert.deepEqual([error.kind, error.culprit], [kind, culprit], error.stack);
  return true;
};
const { audits, root, maintainer, next, stranger } = keys;
const claimOf = ({ statement, issuer }, signers, id = "a") => ({ id: id.padStart(64, "0"), statement, fractions: [],
  signers: signers.map((key) => (key.issuer ? key : { key: key.hex, issuer })) });
const at = (leaf, claim, origin = ORIGIN) => ({ origin, leaf: BigInt(leaf), hash: claim.id + leaf, claim });
const standings = (...claims) => sdk.judgeIssuers(claims).map(({ standing }) => standing);

test("a record is what docs/design.md 3.4 says, and nothing else", () => {
  const made = recordOf("Example", [audits, next], 2, { rotationKeys: [root.hex], rotationThreshold: 1 });
  const read = (edit) => {
    const claim = structuredClone(claimOf(made, [audits]));
    edit(claim.statement.predicate, claim.statement, claim);
    return sdk.readRecord(claim);
  };
  assert.deepEqual(read(() => {}).keys, [audits.hex, next.hex]);
  assert.equal(read((its) => { its.more = 1; its.contacts = null; }).threshold, 2);
  assert.equal(sdk.readRecord(claimOf({ issuer: "", statement: statementOf("pkg:a/b", "urn:x", {}) }, [])), null);
  const small = "01" + "00".repeat(31), noPoint = "02" + "00".repeat(31);
  const edits = [
    (its) => { its.name = ""; }, (its) => { its.name = "a\nb"; }, (its) => { its.name = "é".repeat(257); }, (its) => { its.name = 1; },
    (its) => { its.contacts = "a"; }, (its) => { its.contacts = Array(65).fill("a"); }, (its) => { its.namespaces = [""]; },
    (its) => { its.roles = ["boss"]; }, (its) => { its.keys = []; }, (its) => { its.keys = Array(9).fill(audits.hex); },
    (its) => { its.keys = [audits.hex, audits.hex]; }, (its) => { its.keys = [audits.hex.toUpperCase(), next.hex]; },
    (its) => { its.keys = [small, next.hex]; }, (its) => { its.keys = [noPoint, next.hex]; }, (its) => { its.threshold = 0; },
    (its) => { its.threshold = 3; }, (its) => { its.threshold = 1.5; }, (its) => { its.threshold = "1"; }, (its) => { its.threshold = 1; },
    (its) => { its.rotationThreshold = 0; }, (its) => { its.rotationThreshold = 2; }, (its) => { delete its.rotationThreshold; },
    (its) => { delete its.rotationKeys; }, (its) => { its.rotationKeys = [audits.hex]; }, (its) => { its.sequence = -1; },
    (its) => { its.sequence = 2 ** 32; }, (its) => { its.sequence = 1; }, (its) => { its.previous = "a".repeat(64); },
    (its) => { its.sequence = 1; its.previous = "x"; }, (its, statement) => { statement.subject.push(statement.subject[0]); },
    (its, statement) => { statement.subject[0].digest = { sha256: "a".repeat(64) }; },
    (its, statement) => { statement.subject[0].digest = { sha512: "a".repeat(128) }; },
    (its, statement) => { statement.predicate = null; }, ...["threshold", "sequence", "rotationThreshold"].map((own) => (its, statement, claim) => { claim.fractions = [own]; })];
  for (const edit of edits) assert.throws(() => read(edit), refusedAs("claim", "issuer"), String(edit));
  // In a rotation the id is not made of the keys, so that each fault has to be found by itself.
  const rotated = (edit) => read((its) => { its.sequence = 1; its.previous = "a".repeat(64); edit(its); });
  assert.equal(rotated(() => {}).sequence, 1);
  for (const edit of edits.slice(8, 24)) {
    const isRight = String(edit).endsWith("its.threshold = 1; }");
    if (isRight) assert.ok(rotated(edit));
    else assert.throws(() => rotated(edit), refusedAs("claim", "issuer"), String(edit));
  }
  for (const edit of [(its) => { its.threshold = 2 ** 32 + 1; }, (its) => { its.threshold = -1; }, (its) => { its.sequence = 1.5; },
    (its) => { its.sequence = 2 ** 32; }, (its) => { its.keys = [audits.hex, audits.hex]; its.threshold = 1; },
    (its) => { its.keys = Array.from({ length: 9 }, (_, i) => keyOf("of nine " + i).hex); }, (its) => { its.rotationThreshold = 0; },
    (its) => { its.rotationThreshold = 2; }, (its) => { its.rotationKeys = [next.hex]; }]) {
    assert.throws(() => rotated(edit), refusedAs("claim", "issuer"), String(edit));
  }
});

const registered = (more) => recordOf("Example", [audits, next], 2, { rotationKeys: [root.hex], rotationThreshold: 1, ...more });

test("a registration is signed by all of its keys and no other, once, for itself", () => {
  const made = registered(), all = [audits, next, root], good = at(1, claimOf(made, all));
  assert.deepEqual(standings(good), ["proven"]);
  assert.deepEqual(standings(at(1, claimOf(made, [audits, next]))), ["refuted"]);
  assert.deepEqual(standings(at(1, claimOf(made, [...all, stranger]))), ["refuted"]);
  assert.deepEqual(standings(at(1, claimOf(made, [...all, { key: stranger.hex, issuer: "b".repeat(64) }]))), ["refuted"]);
  assert.deepEqual(standings(good, at(2, claimOf(made, all, "b"))), ["proven", "refuted"]);
  const other = recordOf("Other", [stranger, audits]);
  assert.deepEqual(standings(good, at(2, claimOf(other, [stranger, audits], "b"))), ["proven", "refuted"], "a key of another");
  assert.deepEqual(standings(good, at(2, claimOf(other, [stranger, audits], "b"), "another log")), ["proven", "proven"]);
});

test("other claims are signed by the threshold of the record before them", () => {
  const made = registered(), record = at(1, claimOf(made, [audits, next, root]));
  const said = (signers, leaf = 2) => at(leaf, claimOf({ issuer: made.issuer, statement: statementOf("pkg:a/b", "urn:x", {}) }, signers, "c"));
  assert.deepEqual(standings(record, said([audits, next])), ["proven", "proven"]);
  assert.deepEqual(standings(said([audits, next]), record), ["proven", "proven"], "in whatever order they are given");
  assert.deepEqual(standings(record, said([audits])), ["proven", "refuted"]);
  assert.deepEqual(standings(record, said([audits, audits])), ["proven", "refuted"], "a key counts once");
  assert.deepEqual(standings(record, said([audits, next, root])), ["proven", "refuted"], "rotation keys sign no claims");
  assert.deepEqual(standings(record, said([audits, next, stranger])), ["proven", "refuted"]);
  assert.deepEqual(standings(record, said([audits, next], 0)), ["proven", "refuted"], "before the record");
  assert.deepEqual(standings(said([audits, next])), ["unproven"]);
  const two = said([audits, next, { key: stranger.hex, issuer: "d".repeat(64) }]);
  assert.deepEqual(standings(record, two), ["proven", "unproven"]);
});

test("a rotation puts the next record in force, and a compromise takes the root", () => {
  const made = registered(), first = at(1, claimOf(made, [audits, next, root], "a"));
  const more = { issuer: made.issuer, sequence: 1, previous: "a".padStart(64, "0"), rotationKeys: [root.hex], rotationThreshold: 1 };
  const rotated = recordOf("Example", [maintainer], 1, more), second = at(3, claimOf(rotated, [root, maintainer], "b"));
  const said = (leaf, signers) => at(leaf, claimOf({ issuer: made.issuer, statement: statementOf("pkg:a/b", "urn:x", {}) }, signers, "c" + leaf));
  assert.deepEqual(standings(first, second, said(2, [audits, next]), said(4, [maintainer]), said(5, [audits, next])),
    ["proven", "proven", "proven", "proven", "refuted"]);
  const again = (signers, extra = {}) => standings(first, second, at(6, claimOf(recordOf("Example", [maintainer], 1, { ...more, ...extra }), signers, "d")))[2];
  assert.equal(again([root, maintainer]), "refuted", "the same sequence again");
  assert.equal(again([root, maintainer], { sequence: 2, previous: "b".padStart(64, "0") }), "proven");
  assert.equal(again([maintainer], { sequence: 2, previous: "b".padStart(64, "0") }), "refuted", "without the root");
  assert.equal(again([root], { sequence: 2, previous: "b".padStart(64, "0") }), "refuted", "without its own threshold");
  assert.equal(again([root, maintainer, audits], { sequence: 2, previous: "b".padStart(64, "0") }), "refuted", "with an old key");
  assert.equal(again([root, maintainer], { sequence: 1, previous: "b".padStart(64, "0") }), "refuted", "no step further");
  assert.equal(again([root, maintainer], { sequence: 2 }), "refuted", "after another record");
  const grown = recordOf("Example", [maintainer, stranger], 1, { ...more, sequence: 2, previous: "b".padStart(64, "0") });
  const grow = (signers) => standings(first, second, at(6, claimOf(grown, signers, "d")))[2];
  assert.deepEqual([grow([root, maintainer, stranger]), grow([root, maintainer])], ["proven", "refuted"], "a new key signs");
  assert.equal(again([root, maintainer], { sequence: 3, previous: "b".padStart(64, "0") }), "unproven");
  const lost = (signers) => standings(first, at(7, claimOf({ issuer: made.issuer, statement: { ...statementOf("pkg:a/b", "urn:assay:key-compromise:v1", { issuer: made.issuer, key: audits.hex }),
    subject: [{ digest: { sha256: made.issuer } }] } }, signers, "e")))[1];
  assert.deepEqual([[root], [audits, next], [root, stranger], [root, { key: stranger.hex, issuer: "b".repeat(64) }]].map(lost),
    ["proven", "refuted", "refuted", "refuted"]);
});

test("a key compromise is about the one issuer that it names", () => {
  const made = registered(), first = at(1, claimOf(made, [audits, next, root]));
  const said = (edit) => {
    const statement = { ...statementOf("pkg:a/b", "urn:assay:key-compromise:v1", { issuer: made.issuer, key: audits.hex }),
      subject: [{ digest: { sha256: made.issuer } }] };
    edit(statement);
    return sdk.judgeIssuers([first, at(2, claimOf({ issuer: made.issuer, statement }, [root], "b"))])[1];
  };
  assert.equal(said(() => {}).standing, "proven");
  for (const edit of [(its) => { its.predicate.issuer = "b".repeat(64); }, (its) => { delete its.predicate.issuer; },
    (its) => { its.predicate = null; }, (its) => { its.predicate.key = "x"; }, (its) => { its.subject.push(its.subject[0]); },
    (its) => { its.subject[0].digest = { sha256: "b".repeat(64) }; }, (its) => { its.subject[0].digest = { sha512: "b".repeat(128) }; }]) {
    const { standing, error } = said(edit);
    assert.deepEqual([standing, error?.kind, error?.culprit], ["refuted", "claim", "issuer"], String(edit));
  }
});

test("a malformed record is refuted by itself, and each is read once", () => {
  const broken = recordOf("Broken", [stranger]), said = (leaf, issuer) => at(leaf, claimOf({ issuer,
    statement: statementOf("pkg:a/b", "urn:x", {}) }, [stranger], String(leaf)));
  const malformed = at(900, { ...claimOf(broken, [stranger]), statement: { ...broken.statement, predicate: { name: 1 } } });
  assert.deepEqual(standings(said(1, broken.issuer), malformed), ["unproven", "refuted"]);
  assert.deepEqual(standings(said(1, broken.issuer), at(900, claimOf(broken, [stranger]))), ["refuted", "proven"], "registered later");
  const start = process.cpuUsage(), count = 300;
  const records = Array.from({ length: count }, (_, i) => {
    const key = keyOf("of many " + i);
    return at(count + i, claimOf(recordOf("Issuer " + i, [key]), [key], "e" + i));
  });
  const claims = Array.from({ length: count }, (_, i) => said(i, "b".repeat(64)));
  assert.deepEqual([...new Set(standings(...claims))], ["unproven"]);
  assert.deepEqual(new Set(standings(...claims, ...records)), new Set(["unproven", "proven"]));
  assert.ok(process.cpuUsage(start).user < 15_000_000, "that takes long");
});

test("policies are read strictly, and say who could be counted twice", () => {
  const key = (name, type, seed) => vkeyOf(name, type, keyOf(seed)), log = `log ${key("log", 1, "l")}`;
  const [a, b] = ["a", "b"].map((name) => `witness ${name} ${key(name + ".example/witness", 4, name)}`);
  const mirror = `witness m ${key("a.example/mirror", 4, "m")}`;
  const read = (...lines) => sdk.readPolicy(lines.join("\n"));
  assert.ok(read("# comment", "", log + " https://log.example", a + "\thttps://a", b, "group g 2 a b", "quorum g"));
  assert.ok(read(log, a, mirror, b, "group both any a m", "group g all both b", "quorum g"));
  assert.equal(read(log, "quorum none").quorum, null);
  const many = (line, count) => Array.from({ length: count }, (_, i) => line(i));
  const tooMany = [many((i) => `log ${key("l" + i, 1, "l" + i)}`, 101), many((i) => `witness w${i} ${key("w" + i, 4, "w" + i)}`, 101)];
  for (const bad of [["# \x01", log, "quorum none"], ["# \x7f", log, "quorum none"], [log], [log, "quorum none", "quorum none"], [log, "quorum x"], [log, "quorum"], [log, "quorum a b", a], [log, a, a, "quorum a"],
    [log, a, a.replace("witness a", "witness z"), "quorum a"], ["log", "quorum none"], [log + " a b", "quorum none"], [a.slice(0, 9), "quorum none"],
    [a + " x y", "quorum none"], [`log ${key("x", 4, "x")}`, "quorum none"], [`witness x ${key("x", 1, "x")}`, "quorum x"], [log, a, b, "group g 0 a b", "quorum g"],
    [log, a, b, "group g 3 a b", "quorum g"], [log, a, b, "group g 01 a b", "quorum g"], [log, a, "group g toString a", "quorum g"], [log, a, "group g 1", "quorum g"],
    [log, a, b, "group g any a", "group h any a b", "quorum h"], [log, a, "group g 1 a a", "quorum g"], [log, a, "group a any a", "quorum a"],
    [log, a.replace("witness a", "witness none"), "quorum none"], [log, "group g any a", a, "quorum g"], [log, a, "toString a", "quorum a"], [log + "\r", "quorum none"],
    [log, a, mirror, b, "group g 2 a m b", "quorum g"], [log, a, mirror, "group g all a m", "quorum g"],
    [log, a, mirror, "group g any a", "group h any m", "group i 2 g h", "quorum i"], ["#" + "x".repeat(1 << 20), log, "quorum none"],
    [log, `witness x x+00000000+${sdk.toBase64(Uint8Array.of(4, 2, ...new Uint8Array(31)))}`, "quorum none"],
    ...tooMany.map((lines) => [...lines, "quorum none"]), [log, a, ...many((i) => `group g${i} any ${i ? "g" + (i - 1) : "a"}`, 101), "quorum g100"]]) {
    assert.throws(() => read(...bad), (error) => error.culprit === "caller" && ["policy", "key"].includes(error.kind), bad.join("|").slice(0, 200));
  }
  const noPoint = sdk.fromHex("02" + "00".repeat(31));
  assert.throws(() => read(log, `witness x ${vkeyOf("x", 4, { key: noPoint })}`, "quorum x"), refusedAs("key", "caller"));
});
