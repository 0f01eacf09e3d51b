// The JavaScript SDK at a live node, and behind a proxy that lies:
//
//     node live.mjs URL KEY ISSUER CLAIM PURL TRUE FALSE
//
// TRUE is what the claim says, and FALSE what the proxy makes of it, in as many bytes.

import { strict as assert } from "node:assert";
import { createServer } from "node:http";
import { Log } from "../../../sdk/js/index.js";

const [url, key, issuer, claim, purl, right, wrong] = process.argv.slice(2);

/** A proxy in front of the node that changes bodies. */
async function behind(change, work) {
  const server = createServer(async (request, response) => {
    const { accept } = request.headers, answer = await fetch(url + request.url, { headers: { accept } });
    const body = change(Buffer.from(await answer.arrayBuffer()));
    response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") }).end(body);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    return await work(new Log({ url: `http://127.0.0.1:${server.address().port}`, log: key }));
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** Puts the lie in place of the truth, also where it stands in base64. */
function lie(body) {
  let text = body.toString("latin1").replaceAll(right, wrong);
  try {
    const sent = JSON.parse(text);
    const envelope = JSON.parse(sent.envelope), payload = Buffer.from(envelope.payload, "base64").toString();
    envelope.payload = Buffer.from(payload.replaceAll(right, wrong)).toString("base64");
    text = JSON.stringify({ ...sent, envelope: JSON.stringify(envelope) + "\n" });
  } catch { /* not a receipt */ }
  const changed = Buffer.from(text, "latin1");
  assert.ok(!changed.equals(body) || !body.includes(right), "the lie changes nothing");
  return changed;
}

const says = (found) => [found.complete, found.claims.map((one) => [one.claim.id, one.standing]),
  JSON.stringify(found.claims[0]?.claim.statement.predicate ?? null).includes(right)];
const look = (log) => log.lookup({ purl, issuers: [issuer] });
const isBlamed = ({ culprit }) => culprit !== "caller" && culprit !== "issuer";

const truth = [true, [[claim, "proven"]], true], straight = new Log({ url, log: key });
assert.deepEqual(says(await look(straight)), truth);
assert.equal((await straight.receipt(claim)).verdict, "ok");
assert.equal((await straight.issuer(issuer)).claims.length, 1);
assert.deepEqual(says(await straight.lookup({ purl: "pkg:npm/nobody-spoke-of-this", issuers: [issuer] })), [true, [], false]);
await assert.rejects(straight.receipt("00".repeat(32)), ({ kind, culprit }) => kind === "refused" && culprit === "caller");

await behind((body) => body, async (log) => assert.deepEqual(says(await look(log)), truth));
await behind(lie, async (log) => {
  await assert.rejects(look(log), isBlamed);
  await assert.rejects(log.receipt(claim), isBlamed);
});
// One bit, here and there: nothing but the truth is ever said.
let refused = 0;
for (let turn = 0; turn < 64; turn++) {
  const flip = (body) => {
    body[Math.floor((body.length * turn) / 64)] ^= 1 << turn % 8;
    return body;
  };
  await behind(flip, (log) => look(log).then((found) => assert.deepEqual(says(found), truth), (error) => {
    // The head of a log of another name may be this node's fault, or the key may be the wrong one.
    assert.ok(isBlamed(error) || /^no key of the log .* is stated$/.test(error.message), error.stack);
    refused++;
  }));
}
assert.ok(refused > 32, `${refused} of 64 were refused`);
console.log(`right, and ${refused} of 64 flips refused`);
