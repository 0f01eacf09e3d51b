// A node on loopback that serves the log of world.mjs, or another one.

import { strict as assert } from "node:assert";
import { createServer } from "node:http";
import * as sdk from "../index.js";
import { answerOf, encodeAnswer, makeMultiproof, makeRange, receiptOf } from "./log.mjs";
import { cosigned, issuers, makeWorld, trust } from "./world.mjs";

export const { log, leaves } = makeWorld();
export const ids = Object.values(issuers).map(({ issuer }) => issuer);
const { utf8 } = sdk.internals;

/** A page, of at most two leaves if nothing else is said. */
export function page(log, label, from, most = 2) {
  const question = { names: [label.slice(0, 32)], by: [label.slice(32)] }, whole = answerOf(log.entries, question);
  const all = whole.lists[0]?.leaves ?? [], its = all.slice(from, from + most), hashes = log.entries.map((one) => sdk.leafHash(one));
  const isWhole = its.length === all.length;
  return { ...whole, checkpoint: log.note(cosigned()), lists: all.length ? [{ label, leaves: its }] : [],
    entries: its.map((index) => [index, log.entries[Number(index)]]),
    range: its.length && !isWhole ? makeRange(all, from, from + its.length) : [],
    inclusion: makeMultiproof(hashes, [...its.map(Number), hashes.length - 1]) };
}

/** What a node answers to a path and its query: type and body. */
export function answer(log, leaves, path, query) {
  const protobuf = (parts) => ["application/protobuf", encodeAnswer(parts)];
  const ask = (question) => protobuf(log.answer(question, cosigned()));
  if (path === "/api/v1/batch") return ask({ names: query.getAll("name"), by: query.getAll("by") });
  if (path === "/api/v1/prefix") {
    const by = query.getAll("by");
    return ask({ prefix: query.get("prefix"), bits: Number(query.get("bits")), ...(by.length && { by }) });
  }
  if (path === "/api/v1/lookup") return protobuf(page(log, query.get("label"), Number(query.get("from"))));
  if (path === "/api/v1/checkpoint") return ["text/plain; charset=utf-8", utf8(log.note(cosigned()))];
  const files = (leaf) => Object.fromEntries(Object.entries(receiptOf(log, leaf, cosigned()))
    .map(([part, bytes]) => [part, Buffer.from(bytes).toString()]));
  return ["application/json", utf8(JSON.stringify({ ...files(leaves.review), issuers: [files(leaves.registration)] }))];
}

/**
 * Runs a node on loopback, whose answers `change` may change, and a client of it. `options` are those of the
 * client; `world` is whose answers they are.
 */
export async function withNode(change, work, { world = { log, leaves }, ...options } = {}) {
  const asked = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url, "http://node");
    asked.push(url.pathname);
    if (change?.(url, response)) return;
    const [type, body] = answer(world.log, world.leaves, url.pathname, url.searchParams);
    response.writeHead(200, { "content-type": type }).end(body);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const client = new sdk.Log({ url: `http://127.0.0.1:${server.address().port}/`, ...trust, ...options });
    return await work(client, asked);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

export const refusedAs = (kind, culprit) => (error) => {
  assert.deepEqual([error.kind, error.culprit], [kind, culprit], error.stack);
  return true;
};
