import { strict as assert } from "node:assert";
import { test } from "node:test";
import * as sdk from "../index.js";
import { encodeAnswer, receiptOf, signNote } from "./log.mjs";
import { ids, log, leaves, refusedAs, withNode } from "./node.mjs";
import { cosigned, issuers, keys, trust, ORIGIN } from "./world.mjs";

test("a look-up is verified, and says of each claim whether its signers are their issuer", () => withNode(null, async (client) => {
  const found = await client.lookup({ purl: "pkg:cargo/serde@1.0.0", issuers: ids });
  assert.equal(found.complete, true);
  assert.deepEqual(found.claims.map(({ leaf, standing }) => [Number(leaf), standing]),
    [[leaves.review, "proven"], [leaves.both, "proven"], [leaves.forged, "refuted"]]);
  assert.deepEqual(found.claims[1].records.map(({ name }) => name), ["Example Audits", "Example maintainers"]);
  const only = await client.lookup({ purl: "pkg:cargo/tokio", issuers: [issuers.audits.issuer] });
  assert.deepEqual([only.complete, only.claims.length], [true, 0]);
  assert.equal((await client.issuer(issuers.maintainer.issuer)).claims[0].records[0].name, "Example maintainers");
}));

test("census, pages, receipt and checkpoint", () => withNode(null, async (client) => {
  const census = await client.census({ purl: "pkg:cargo/serde" });
  assert.deepEqual(census.census.map(({ length }) => Number(length)).sort(), [1, 3]);
  const pages = await client.list({ purl: "pkg:cargo/serde@1.0.0", by: issuers.audits.issuer });
  assert.deepEqual(pages.map((one) => one.leaves.length), [2, 1]);
  const id = (await sdk.openReceipt(receiptOf(log, leaves.review, cosigned()), trust)).claim.id;
  const receipt = await client.receipt(id);
  assert.deepEqual([receipt.verdict, receipt.records[0].name, receipt.files.length], ["ok", "Example Audits", 2]);
  await assert.rejects(client.receipt("00".repeat(32)), refusedAs("match", "server"));
  assert.equal((await client.receipt(id, { leaf: receipt.leaf })).leaf, receipt.leaf);
  await assert.rejects(client.receipt(id, { leaf: receipt.leaf + 1n }), refusedAs("match", "server"));
  await assert.rejects(client.receipt(id, { leaf: -1 }), refusedAs("argument", "caller"));
  assert.equal((await client.checkpoint()).size, BigInt(log.entries.length));
}));

test("what is no answer of a log is said to be none", async () => {
  const look = (client) => client.lookup({ purl: "pkg:cargo/serde", issuers: ids });
  const cases = [
    [(_, to) => to.writeHead(200, { "content-type": "text/html" }).end("<p>Welcome"), "message", "server"],
    [(_, to) => to.writeHead(200, { "content-type": "application/protobuf" }).end("noise"), "message", "server"],
    [(_, to) => to.writeHead(200, { "content-type": "application/protobuf" }).end(), "checkpoint", "server"],
    [(_, to) => to.writeHead(503).end("busy"), "unavailable", "nobody"],
    [(_, to) => to.writeHead(429, { "content-type": "application/problem+json" }).end('{"detail":"later"}'), "unavailable", "nobody"],
    [(_, to) => to.writeHead(400, { "content-type": "application/problem+json" }).end('{"detail":"no\\u202e such purl"}'), "refused", "caller"],
    [(_, to) => to.writeHead(404, { "content-type": "text/html" }).end("<p>Nothing"), "unavailable", "nobody"],
    [(_, to) => to.writeHead(206, { "content-type": "application/protobuf" }).end(), "unavailable", "nobody"],
    [(_, to) => to.writeHead(302, { location: "http://127.0.0.1:1/" }).end(), "unavailable", "nobody"],
    [(_, to) => { to.writeHead(200, { "content-length": "100" }).write("x"); to.destroy(); return true; }, "unavailable", "nobody"],
    [() => true, "unavailable", "nobody"],
  ];
  for (const [change, kind, culprit] of cases) {
    await withNode((...those) => { change(...those); return true; }, (client) =>
      assert.rejects(look(client), refusedAs(kind, culprit)), { timeoutMs: 300 });
  }
  await withNode((_, to) => {
    to.writeHead(200, { "content-type": "application/protobuf" });
    const more = () => { while (to.write(Buffer.alloc(1 << 20))); };
    to.on("drain", more);
    more();
    return true;
  }, (client) => assert.rejects(look(client), refusedAs("message", "server")));
  await assert.rejects(look(new sdk.Log({ url: "http://127.0.0.1:1", ...trust })), refusedAs("unavailable", "nobody"));
});

test("when to try again is told, and why nothing came", async () => {
  const look = (client) => client.lookup({ purl: "pkg:cargo/serde", issuers: ids });
  for (const [stated, seconds] of [["7", 7], ["Fri, 01 Jan 2027 00:00:00 GMT", undefined], ["-1", undefined]]) {
    await withNode((_, to) => to.writeHead(503, { "retry-after": stated }).end("busy"), (client) =>
      assert.rejects(look(client), (error) => refusedAs("unavailable", "nobody")(error)
        && error.retryAfter === seconds && error.message.includes("try again") === (seconds !== undefined)));
  }
  await assert.rejects(look(new sdk.Log({ url: "http://127.0.0.1:1", ...trust })),
    ({ message }) => /bad port|ECONNREFUSED/.test(message));
  await withNode((_, to) => to.writeHead(302, { location: "http://127.0.0.1:1/" }).end(), (client) =>
    assert.rejects(look(client), ({ message }) => message.includes("redirect")));
});

test("what is too much for one answer is asked for in parts", () => {
  const most = { names: 1, by: 1 };
  return withNode((url, to) => {
    if (url.searchParams.getAll("name").length <= most.names && url.searchParams.getAll("by").length <= most.by) return false;
    to.writeHead(400, { "content-type": "application/problem+json" }).end('{"detail":"too much","code":"OUT_OF_RANGE"}');
    return true;
  }, async (client, asked) => {
    const found = await client.lookup({ purl: "pkg:cargo/serde@1.0.0", issuers: ids });
    assert.deepEqual([found.complete, found.claims.length], [true, 3]);
    assert.equal(found.claims[1].records.length, 2);
    most.names = 0;
    asked.length = 0;
    await assert.rejects(client.lookup({ purl: "pkg:cargo/serde", issuers: ids }), refusedAs("refused", "caller"));
    assert.ok(asked.length < 8, "it goes on asking");
  });
});

test("media types are read as HTTP writes them", () => withNode((_, to) => {
  const wanted = to.req.headers.accept.toUpperCase() + "; a=b", { writeHead } = to;
  to.writeHead = (status, headers) => writeHead.call(to, status, { ...headers, "content-type": wanted });
}, async (client) => {
  assert.equal((await client.lookup({ purl: "pkg:cargo/serde", issuers: ids })).complete, true);
}));

test("two heads of one size are held against the log, with both notes", () => withNode(null, async (client) => {
  await client.receipt((await sdk.openReceipt(receiptOf(log, leaves.review, cosigned()), trust)).claim.id);
  const other = signNote({ origin: ORIGIN, key: keys.log }, BigInt(log.entries.length), new Uint8Array(32), cosigned());
  await withNode((_, to) => to.writeHead(200, { "content-type": "text/plain" }).end(other), async ({ url }) => {
    client.url = url;
    await assert.rejects(client.checkpoint(), (error) => refusedAs("fork", "log")(error) && error.notes.length === 2);
  });
}));

test("what is asked wrongly is the caller's, and is not sent", () => withNode(null, async (client, asked) => {
  const spelled = ["pkg:npm/@a/b", "pkg:NPM/a", "pkg:npm//a", "pkg:npm/a/", "pkg:npm/a@1+2", "pkg:npm/%40a%2fb", "pkg:npm/%61",
    "pkg:npm", "pkg:npm/a@1@2"].map((purl) => ({ purl, issuers: ids }));
  for (const wrong of [...spelled, undefined, { purl: "serde", issuers: ids }, { purl: "pkg:cargo/a", issuers: [] }, { issuers: ids },
    { purl: "pkg:cargo/a", issuers: ["x"] }, { purl: "pkg:cargo/a", vuln: "CVE-1", issuers: ids }]) {
    await assert.rejects(client.lookup(wrong), refusedAs("argument", "caller"));
  }
  await assert.rejects(client.receipt("x"), refusedAs("argument", "caller"));
  assert.throws(() => new sdk.Log({ url: "file:///etc/passwd" }), refusedAs("argument", "caller"));
  assert.deepEqual(asked, []);
}));

test("a purl that its type writes otherwise is not asked for, and any other is", () => withNode(null, async (client, asked) => {
  const kindOf = (purl) => client.lookup({ purl, issuers: ids }).then(() => null, ({ kind }) => kind);
  for (const purl of [
    "pkg:github/Foo/bar@1.0.0", "pkg:github/foo/Bar", "pkg:bitbucket/Foo/bar", "pkg:golang/Example.org/m@v1.2.3",
    "pkg:golang/std@1.22.0", "pkg:golang/a.org/b#v2", "pkg:golang/a.org/b@v2.1.0#c/v2", "pkg:deb/debian/Foo@1.0",
    "pkg:rpm/Fedora/foo@1.0", "pkg:composer/Vendor/pkg", "pkg:luarocks/a/b@1.0-A", "pkg:oci/a@sha256:AB",
    "pkg:hex/Phoenix", "pkg:vscode-extension/Pub/ext@1.0.0", "pkg:huggingface/a/B@ABC", "pkg:cpan/abc/Foo-Bar",
    "pkg:hackage/a_b", "pkg:pub/a-b", "pkg:github/%C3%84/b", "pkg:deb/debian/%FF",
  ]) assert.equal(await kindOf(purl), "argument", purl);
  assert.deepEqual(asked, []);
  for (const purl of [
    "pkg:github/foo/bar@V1.0.0", "pkg:cargo/Inflector@1.0.0", "pkg:npm/JSONStream@1.0.0", "pkg:maven/org.A/B@1.0-RC",
    "pkg:golang/example.org/m@v1.2.3-RC1", "pkg:golang/a.org/b@v1.0.0#c/v2",
    "pkg:golang/a.org/b@v2.0.0%2Bincompatible#v2", "pkg:golang/a.org/b/v2@v2.0.0", "pkg:rpm/fedora/Foo@1.0",
    "pkg:pypi/Foo", "pkg:cpan/ABC/Foo-Bar", "pkg:huggingface/a/B@abc", "pkg:generic/Foo", "pkg:constructor/Foo",
    "pkg:pub/a_b", "pkg:github/%F0%9D%90%80/b",
  ]) assert.notEqual(await kindOf(purl), "argument", purl);
}));

test("an answer in JSON is the same", async () => {
  const question = { names: [sdk.nameHalf("package", "pkg:cargo/serde")], by: ids.map((id) => id.slice(0, 32)) };
  const parts = log.answer(question, cosigned()), text = (bytes) => sdk.toBase64(bytes), all = (list) => text(sdk.internals.concat(...list));
  const json = { checkpoint: parts.checkpoint, commitment: text(parts.commitment), cut: text(parts.cut),
    lists: parts.lists.map(({ label, leaves: its }) => ({ label: text(sdk.fromHex(label)), leaves: its.map(String) })),
    leaves: parts.entries.map(([index]) => String(index)), entries: parts.entries.map(([, entry]) => text(entry)),
    inclusion: all(parts.inclusion) };
  const [one, other] = await Promise.all([sdk.readAnswerJson(json), encodeAnswer(parts)].map((answer) =>
    sdk.verifyAnswer(answer, question, trust)));
  assert.deepEqual([...one.lists], [...other.lists]);
  assert.equal(one.complete, true);
  for (const bad of [{ ...json, commitment: "x" }, { ...json, leaves: ["-1"] }, { ...json, lists: [{ label: "AA==" }] }, {}, null]) {
    await assert.rejects(async () => sdk.verifyAnswer(sdk.readAnswerJson(bad), question, trust), sdk.ServerError);
  }
});
